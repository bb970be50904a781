package token_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/token"
)

var (
	secret  = bytes.Repeat([]byte{7}, 32)
	refresh = bytes.Repeat([]byte{9}, 32)
	morning = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
)

type clock struct{ now time.Time }

func (c *clock) read() time.Time { return c.now }

func newMint(t *testing.T, c *clock) *token.Mint {
	t.Helper()
	m, err := token.NewMint([]token.Key{{ID: "1", Secret: secret}}, refresh, c.read)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestIssuedTokenIsReadUntilItExpires(t *testing.T) {
	t.Parallel()
	c := &clock{morning}
	m := newMint(t, c)
	raw, made, err := m.Issue(token.Claims{Account: "a", Audience: "uid", Line: "3000", Epoch: 4}, 2*token.Day)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second from memory
		got, err := m.Read(raw, "uid")
		if err != nil || got.Account != "a" || got.Line != "3000" || got.Epoch != 4 || got.ID != made.ID {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	if _, err := m.Read(raw, "itsaaz"); fault.From(err).Code != fault.BadToken {
		t.Errorf("a token of another dialect: %v", err)
	}
	c.now = morning.Add(2*token.Day - time.Second)
	if _, err := m.Read(raw, "uid"); err != nil {
		t.Errorf("one second before its end: %v", err)
	}
	c.now = morning.Add(2 * token.Day)
	if _, err := m.Read(raw, "uid"); fault.From(err).Code != fault.BadToken {
		t.Errorf("at its end, though remembered: %v", err)
	}
}

// forge writes a token by hand, so that the test shares no code with the mint.
func forge(header, payload string, key []byte) string {
	b64 := base64.RawURLEncoding.EncodeToString
	signed := b64([]byte(header)) + "." + b64([]byte(payload))
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(signed))
	return signed + "." + b64(mac.Sum(nil))
}

func TestForgedTokensAreRefused(t *testing.T) {
	t.Parallel()
	m := newMint(t, &clock{morning})
	const header = `{"alg":"HS256","kid":"1","typ":"JWT"}`
	claims := func(change func(map[string]any)) string {
		c := map[string]any{"jti": "x", "sub": "a", "aud": "uid", "iat": morning.Unix(), "exp": morning.Add(time.Hour).Unix(), "epoch": 0}
		change(c)
		b, _ := json.Marshal(c)
		return string(b)
	}
	same := claims(func(map[string]any) {})
	good := forge(header, same, secret)
	if _, err := m.Read(good, "uid"); err != nil {
		t.Fatalf("the control, a well-made token, is refused: %v", err)
	}
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + strings.Split(good, ".")[1] + "."
	for name, raw := range map[string]string{
		"empty":            "",
		"garbage":          "abc",
		"dots":             strings.Repeat(".", 60<<10),
		"alg none":         none,
		"alg none signed":  forge(`{"alg":"none","kid":"1","typ":"JWT"}`, same, secret),
		"alg HS512 header": forge(`{"alg":"HS512","kid":"1","typ":"JWT"}`, same, secret),
		"alg RS256 header": forge(`{"alg":"RS256","kid":"1","typ":"JWT"}`, same, secret),
		"another key":      forge(header, same, refresh),
		"empty key":        forge(header, same, nil),
		"unknown kid":      forge(`{"alg":"HS256","kid":"2","typ":"JWT"}`, same, secret),
		"no kid":           forge(`{"alg":"HS256","typ":"JWT"}`, same, secret),
		"kid as path":      forge(`{"alg":"HS256","kid":"../1","typ":"JWT"}`, same, secret),
		"embedded jwk":     forge(`{"alg":"HS256","kid":"1","typ":"JWT","jwk":{"kty":"oct","k":"AAAA"}}`, same, secret),
		"jku":              forge(`{"alg":"HS256","kid":"1","typ":"JWT","jku":"https://example.ir/k"}`, same, secret),
		"crit":             forge(`{"alg":"HS256","kid":"1","typ":"JWT","crit":["b64"],"b64":false}`, same, secret),
		"other typ":        forge(`{"alg":"HS256","kid":"1","typ":"at+jwt"}`, same, secret),
		"no exp":           forge(header, claims(func(c map[string]any) { delete(c, "exp") }), secret),
		"no sub":           forge(header, claims(func(c map[string]any) { delete(c, "sub") }), secret),
		"no jti":           forge(header, claims(func(c map[string]any) { delete(c, "jti") }), secret),
		"other aud":        forge(header, claims(func(c map[string]any) { c["aud"] = "itsaaz" }), secret),
		"aud list":         forge(header, claims(func(c map[string]any) { c["aud"] = []string{"uid", "x"} }), secret),
		"expired":          forge(header, claims(func(c map[string]any) { c["exp"] = morning.Add(-time.Second).Unix() }), secret),
		"not json":         forge(header, "claims", secret),
		"blank before":     " " + good,
		"newline after":    good + "\n",
		"padded":           good + "=",
	} {
		if _, err := m.Read(raw, "uid"); fault.From(err).Code != fault.BadToken {
			t.Errorf("%s: %v, want bad-token", name, err)
		}
	}
}

func TestEveryBitCounts(t *testing.T) {
	t.Parallel()
	m := newMint(t, &clock{morning})
	raw, _, err := m.Issue(token.Claims{Account: "a", Audience: "uid"}, token.Day)
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		for bit := range 8 {
			changed := []byte(raw)
			changed[i] ^= 1 << bit
			if _, err := m.Read(string(changed), "uid"); err == nil {
				t.Fatalf("accepted with bit %d of byte %d flipped", bit, i)
			}
		}
	}
}

func TestRefreshTokens(t *testing.T) {
	t.Parallel()
	c := &clock{morning}
	m := newMint(t, c)
	first, err := m.Grant(context.Background(), token.Request{Account: "a", Audience: "itsaaz", Days: 7, Client: "c", Scope: []string{"credit"}})
	if err != nil || first.Rotation != nil {
		t.Fatalf("a login spends nothing: %+v, %v", first.Rotation, err)
	}
	shown, err := m.Unseal(first.Refresh)
	if err != nil || shown.Account != "a" || shown.Client != "c" || shown.Scope != "credit" || shown.Generation != 0 {
		t.Fatalf("%+v, %v", shown, err)
	}
	again := token.Request{Account: "a", Audience: "itsaaz", Days: 7, Client: "c", Scope: []string{"credit"}, Shown: shown}
	one, err := m.Grant(context.Background(), again)
	if err != nil {
		t.Fatal(err)
	}
	two, _ := m.Grant(context.Background(), again)
	if one.Refresh != two.Refresh || one.Refresh == first.Refresh {
		t.Error("a refresh token must have one successor, the same at every try")
	}
	if one.Rotation == nil || one.Rotation.Generation != 0 || one.Rotation.Family != shown.Family {
		t.Errorf("rotation %+v", one.Rotation)
	}
	if read, _ := m.Read(one.Access, "itsaaz"); read.Family != shown.Family {
		t.Error("the access token does not name its family")
	}
	c.now = morning.Add(30 * token.Day)
	if _, err := m.Unseal(one.Refresh); fault.From(err).Code != fault.Grant {
		t.Errorf("a use must not extend the family's life: %v", err)
	}
}

func TestChangedRefreshTokensAreRefused(t *testing.T) {
	t.Parallel()
	m := newMint(t, &clock{morning})
	raw, err := m.Seal(m.NewFamily("a", "c", "credit", 0, token.Day))
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		changed := []byte(raw)
		changed[i] ^= 1
		if _, err := m.Unseal(string(changed)); fault.From(err).Code != fault.Grant {
			t.Fatalf("byte %d changed: %v, want grant", i, err)
		}
	}
	for _, bad := range []string{"", "dgr_", "dgr_AAAA", raw[4:], raw + raw} {
		if _, err := m.Unseal(bad); fault.From(err).Code != fault.Grant {
			t.Errorf("%d bytes of garbage: %v, want grant", len(bad), err)
		}
	}
}
