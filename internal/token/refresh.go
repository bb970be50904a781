package token

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"dargah.dev/dargah/internal/fault"
)

// Grace is how long a spent refresh token still gives its own successor, so
// that a client whose answer was lost can ask again.
const Grace = 10 * time.Second

// refreshPrefix makes a leaked refresh token findable by scanners.
const refreshPrefix = "dgr_"

// Refresh is what a refresh token says. Tokens of one login form a family;
// each use moves the family on by one generation. The token is sealed by a
// MAC and holds its own state, so nothing is stored until it is first used.
type Refresh struct {
	Family     string `json:"f"`
	Generation int64  `json:"g"`
	Account    string `json:"a"`
	Client     string `json:"c"`
	Scope      string `json:"s"`
	Epoch      int64  `json:"e"`
	Expires    int64  `json:"x"` // Unix seconds; of the whole family, a use does not extend it
}

// Rotation asks the store to spend a refresh token: the family moves from
// Generation to the next one, or repeats that step within Grace, or, when an
// older one is shown, dies.
type Rotation struct {
	Family     string
	Generation int64
	Expires    time.Time
}

// NewFamily starts a family for a login that just happened.
func (m *Mint) NewFamily(account, client, scope string, epoch int64, life time.Duration) Refresh {
	return Refresh{
		Family: rand.Text(), Account: account, Client: client, Scope: scope, Epoch: epoch,
		Expires: m.now().Add(life).Unix(),
	}
}

// Next is the successor: always the same for the same token.
func (r Refresh) Next() Refresh {
	r.Generation++
	return r
}

// Rotation is what spending this token means to the store.
func (r Refresh) Rotation() *Rotation {
	return &Rotation{Family: r.Family, Generation: r.Generation, Expires: time.Unix(r.Expires, 0)}
}

// Seal writes the token that a client gets.
func (m *Mint) Seal(r Refresh) (string, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("seal a refresh token: %w", err)
	}
	return refreshPrefix + base64.RawURLEncoding.EncodeToString(append(body, m.seal(body)...)), nil
}

// Unseal reads a refresh token of ours that has not run out; the fault is
// Grant, one for every reason.
func (m *Mint) Unseal(raw string) (Refresh, error) {
	encoded, ours := strings.CutPrefix(raw, refreshPrefix)
	if !ours || len(raw) > maxLength || strings.ContainsAny(raw, "\r\n") { // the decoder skips line breaks
		return Refresh{}, fault.New(fault.Grant)
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil || len(sealed) < sha256.Size {
		return Refresh{}, fault.New(fault.Grant)
	}
	body, sum := sealed[:len(sealed)-sha256.Size], sealed[len(sealed)-sha256.Size:]
	if !hmac.Equal(sum, m.seal(body)) {
		return Refresh{}, fault.New(fault.Grant)
	}
	var r Refresh
	if err := json.Unmarshal(body, &r); err != nil || m.now().Unix() >= r.Expires {
		return Refresh{}, fault.New(fault.Grant)
	}
	return r, nil
}

func (m *Mint) seal(body []byte) []byte {
	mac := hmac.New(sha256.New, m.refresh)
	mac.Write(body)
	return mac.Sum(nil)
}
