// Package token owns what a caller shows instead of a password: signed access
// tokens (JWT) and single-use refresh tokens. It knows no account, no route
// and no database; whether the account behind a token may still call is
// decided elsewhere, on every call.
package token

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/maypok86/otter/v2"

	"dargah.dev/dargah/internal/fault"
)

// maxLength bounds a token before it is parsed, in bytes.
const maxLength = 4 << 10

// remembered bounds the verified tokens that are kept in memory.
const remembered = 100_000

// Key is a signing key. It is good for HS256 and nothing else: the algorithm
// belongs to the key, a token's header never chooses it.
type Key struct {
	ID     string
	Secret []byte // 32 random bytes
}

// Claims is what an access token says.
type Claims struct {
	ID       string           `json:"jti"`
	Account  string           `json:"sub"`
	Audience string           `json:"aud"` // the dialect that made it; good for no other
	Issued   *jwt.NumericDate `json:"iat"`
	Expires  *jwt.NumericDate `json:"exp"`
	Epoch    int64            `json:"epoch"` // of the account when it was made
	Line     string           `json:"line,omitempty"`
	Client   string           `json:"client_id,omitempty"`
	Scope    string           `json:"scope,omitempty"`
	Family   string           `json:"fam,omitempty"` // of refresh tokens; the access token dies with it
}

// Mint makes and reads tokens. It is complete after NewMint and safe for
// concurrent use.
type Mint struct {
	current []byte // the secret that signs
	header  []byte // of what it signs, encoded
	keys    map[string][]byte
	refresh []byte
	known   *otter.Cache[[32]byte, Claims]
	now     func() time.Time
}

// NewMint signs with the first key and reads tokens of all of them; refresh is
// the secret that refresh tokens are sealed with, 32 random bytes.
func NewMint(keys []Key, refresh []byte, now func() time.Time) (*Mint, error) {
	if len(keys) == 0 || len(refresh) < 32 {
		return nil, errors.New("token: a signing key and a refresh secret of 32 bytes are needed")
	}
	m := &Mint{
		keys: map[string][]byte{}, refresh: refresh, now: now,
		known: otter.Must(&otter.Options[[32]byte, Claims]{MaximumSize: remembered}),
	}
	for _, k := range keys {
		if len(k.Secret) < 32 || m.keys[k.ID] != nil {
			return nil, fmt.Errorf("token: key %q is too short or repeated", k.ID)
		}
		m.keys[k.ID] = k.Secret
	}
	m.current = keys[0].Secret
	header := fmt.Sprintf(`{"alg":"HS256","kid":%q,"typ":"JWT"}`, keys[0].ID)
	m.header = base64.RawURLEncoding.AppendEncode(nil, []byte(header))
	return m, nil
}

// Issue signs an access token with the given lifetime; it fills in the id and
// the two times.
func (m *Mint) Issue(c Claims, life time.Duration) (string, Claims, error) {
	now := m.now()
	c.ID = rand.Text()
	c.Issued, c.Expires = jwt.NewNumericDate(now), jwt.NewNumericDate(now.Add(life))
	payload, err := json.Marshal(c)
	if err != nil {
		return "", Claims{}, fmt.Errorf("sign an access token: %w", err)
	}
	return m.sign(payload), c, nil
}

// sign writes a compact HS256 token. The library reads tokens, where the traps
// are; writing one kind is these lines, and every token call pays for them.
func (m *Mint) sign(payload []byte) string {
	encoding := base64.RawURLEncoding
	raw := make([]byte, 0, len(m.header)+encoding.EncodedLen(len(payload))+encoding.EncodedLen(sha256.Size)+2)
	raw = append(append(raw, m.header...), '.')
	raw = encoding.AppendEncode(raw, payload)
	mac := hmac.New(sha256.New, m.current)
	mac.Write(raw)
	raw = append(raw, '.')
	return string(encoding.AppendEncode(raw, mac.Sum(nil)))
}

// Read gives the claims of an access token that is ours, made for audience
// and still good; the fault is BadToken. The signature is checked once per
// process; the lifetime on every call.
func (m *Mint) Read(raw, audience string) (Claims, error) {
	if raw == "" || len(raw) > maxLength {
		return Claims{}, fault.New(fault.BadToken)
	}
	key := sha256.Sum256([]byte(raw))
	c, ok := m.known.GetIfPresent(key)
	if !ok {
		var err error
		if c, err = m.verify(raw); err != nil {
			return Claims{}, fault.Wrap(fault.BadToken, err)
		}
		m.known.Set(key, c)
	}
	if c.Audience != audience || !m.now().Before(c.Expires.Time()) {
		return Claims{}, fault.New(fault.BadToken)
	}
	return c, nil
}

func (m *Mint) verify(raw string) (Claims, error) {
	if !canonical(raw) {
		return Claims{}, errors.New("not spelled as we spell tokens")
	}
	parsed, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.HS256})
	if err != nil {
		return Claims{}, errors.New("not a token of ours") // the library's text may quote the token
	}
	head := parsed.Signatures[0].Protected
	secret := m.keys[head.KeyID]
	if secret == nil || head.JSONWebKey != nil || len(head.ExtraHeaders) > 1 || head.ExtraHeaders[jose.HeaderType] != "JWT" {
		return Claims{}, errors.New("an unknown key or a header that we do not write")
	}
	payload, err := parsed.Verify(secret)
	if err != nil {
		return Claims{}, errors.New("the signature is wrong")
	}
	return decode(payload)
}

// canonical tells whether each part is base64url to the letter. The library
// skips white space and ignores the unused bits of a last character, and one
// token must have one spelling.
func canonical(raw string) bool {
	strict := base64.RawURLEncoding.Strict()
	parts := 0
	for part := range strings.SplitSeq(raw, ".") {
		if _, err := strict.DecodeString(part); err != nil || parts == 3 || strings.ContainsAny(part, "\r\n") {
			return false
		}
		parts++
	}
	return parts == 3
}

// decode refuses a signed token without the claims that we always write: a
// missing expiry must not read as no expiry.
func decode(payload []byte) (Claims, error) {
	var c Claims
	if err := json.Unmarshal(payload, &c); err != nil {
		return Claims{}, errors.New("the claims cannot be read")
	}
	if c.ID == "" || c.Account == "" || c.Audience == "" || c.Issued == nil || c.Expires == nil {
		return Claims{}, errors.New("a claim is missing")
	}
	return c, nil
}
