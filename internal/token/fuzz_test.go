package token_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/token"
)

// Nothing that we did not write is read as a token, and whatever is refused is
// refused with the one fault for it.
func FuzzRead(f *testing.F) {
	now := &clock{morning}
	m, err := token.NewMint([]token.Key{{ID: "1", Secret: secret}}, refresh, now.read)
	if err != nil {
		f.Fatal(err)
	}
	good, _, err := m.Issue(token.Claims{Account: "a", Audience: "uid"}, token.Day)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		good, "", ".", "..", "...", strings.Repeat(".", 60<<10), "eyJ.eyJ.AA", good[:len(good)-1], good + "\n",
		forge(`{"alg":"none"}`, `{}`, nil), forge(`{"alg":"HS256","kid":"1","typ":"JWT"}`, `{"exp":1e999}`, secret), "\x00", "\xff",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		c, err := m.Read(raw, "uid")
		if err == nil {
			parts := strings.Split(raw, ".")
			if raw != forge(plain(t, parts[0]), plain(t, parts[1]), secret) { // what who has the key would write
				t.Fatalf("read as a token of %q", c.Account)
			}
			return
		}
		if fault.From(err).Code != fault.BadToken {
			t.Fatalf("%v, want bad-token", err)
		}
	})
}

func FuzzUnseal(f *testing.F) {
	now := &clock{morning}
	m, err := token.NewMint([]token.Key{{ID: "1", Secret: secret}}, refresh, now.read)
	if err != nil {
		f.Fatal(err)
	}
	good, err := m.Seal(m.NewFamily("a", "c", "credit", 0, token.Day))
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{good, "", "dgr_", "dgr_AAAA", good[:40], good + "=", "dgr_\n", "DGR_" + good[4:], "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		r, err := m.Unseal(raw)
		if err == nil {
			if again, err := m.Seal(r); err != nil || again != raw {
				t.Fatalf("read as a refresh token of %q", r.Account)
			}
			return
		}
		if fault.From(err).Code != fault.Grant {
			t.Fatalf("%v, want grant", err)
		}
	})
}

func plain(t *testing.T, part string) string {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
