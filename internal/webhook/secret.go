package webhook

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"
)

// Secret is a key that notices are signed with, in the form of Standard
// Webhooks: whsec_ and 24 to 64 bytes in base 64. It prints itself masked.
type Secret string

const (
	secretPrefix   = "whsec_"
	shortestSecret = 24
	longestSecret  = 64
)

// NewSecret makes a secret of 32 random bytes.
func NewSecret() Secret {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails: crypto/rand ends the process instead
	return Secret(secretPrefix + base64.StdEncoding.EncodeToString(key))
}

// ReadSecret takes a secret of one's own. The error does not repeat it.
func ReadSecret(text string) (Secret, error) {
	key, err := Secret(text).key()
	if err != nil || len(key) < shortestSecret || len(key) > longestSecret {
		return "", fmt.Errorf("the secret must be %s and %d to %d bytes in base 64", secretPrefix, shortestSecret, longestSecret)
	}
	return Secret(text), nil
}

// Text is the secret itself.
func (s Secret) Text() string { return string(s) }

// String masks the secret.
func (s Secret) String() string { return secretPrefix + "…" }

// GoString masks what %#v prints.
func (s Secret) GoString() string { return s.String() }

// MarshalText masks what JSON prints.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue masks what the log prints.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

func (s Secret) key() ([]byte, error) {
	encoded, ok := strings.CutPrefix(string(s), secretPrefix)
	if !ok {
		return nil, fmt.Errorf("it does not begin with %s", secretPrefix)
	}
	return base64.StdEncoding.DecodeString(encoded)
}

// The headers of a notice.
const (
	HeaderID        = "webhook-id"
	HeaderTimestamp = "webhook-timestamp"
	HeaderSignature = "webhook-signature"
)

// Signature is the value of HeaderSignature: one signature for each secret that
// is good at this time, with a blank between.
func (w *Webhook) Signature(id string, at time.Time, body []byte) (string, error) {
	secrets := []Secret{w.Secret}
	if at.Before(w.FormerUntil) {
		secrets = append(secrets, w.Former)
	}
	var all []string
	for _, s := range secrets {
		key, err := s.key()
		if err != nil {
			return "", fmt.Errorf("a secret of webhook %s cannot be read", w.ID)
		}
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + Timestamp(at) + "."))
		mac.Write(body)
		all = append(all, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return strings.Join(all, " "), nil
}

// Timestamp is the value of HeaderTimestamp: seconds since 1970.
func Timestamp(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }
