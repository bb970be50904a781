package credential_test

import (
	"regexp"
	"strings"
	"testing"

	"dargah.dev/dargah/internal/credential"
)

// scanner is what a scanner of leaked secrets would be told to look for.
var scanner = regexp.MustCompile(`\bdg[bck]_[A-Z2-7]{33}\b`)

func TestSecretsAreRecognised(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for i := range 100_000 {
		kind := []credential.Kind{credential.ClientSecret, credential.BusinessToken, credential.APIKey}[i%3]
		secret := credential.New(kind)
		if seen[secret] || !credential.Made(secret) || !strings.HasPrefix(secret, string(kind)) {
			t.Fatalf("%q: seen before %v, made %v", secret, seen[secret], credential.Made(secret))
		}
		seen[secret] = true
		if found := scanner.FindString("secret=" + secret + "\n"); found != secret {
			t.Fatalf("a scanner finds %q in %q", found, secret)
		}
	}
}

func TestWhatOnlyLooksLikeASecret(t *testing.T) {
	t.Parallel()
	good := credential.New(credential.ClientSecret)
	bad := []string{"", "d", "dgc_", good + "A", good[:len(good)-1], "dgx_" + good[4:], "dgb_" + good[4:], strings.ToLower(good)}
	for i := 4; i < len(good); i++ {
		other := byte('A')
		if good[i] == other {
			other = 'B'
		}
		bad = append(bad, good[:i]+string(other)+good[i+1:])
	}
	for _, s := range bad {
		if credential.Made(s) {
			t.Errorf("%q passes", s)
		}
	}
}

func TestPasswords(t *testing.T) {
	t.Parallel()
	seen, used := map[string]bool{}, map[rune]bool{}
	for range 10_000 {
		p := credential.Password()
		if seen[p] || len(p) != 20 || strings.ContainsAny(p, "01lo") {
			t.Fatalf("%q", p)
		}
		seen[p] = true
		for _, r := range p {
			used[r] = true
		}
	}
	if len(used) != 32 {
		t.Errorf("%d letters are used", len(used))
	}
}
