package config_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"dargah.dev/dargah/internal/config"
)

func TestEveryMistakeIsReportedTogether(t *testing.T) {
	t.Parallel()
	err := config.Config{
		Proxies: []string{"10.0.0.0/8", "10.0.0", "nowhere"}, PublicURL: "ftp://x", DataNames: "snake", Lockout: -1,
	}.Check()
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{`"10.0.0"`, `"nowhere"`, "ftp://x", "snake", "lockout"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not reported:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "10.0.0.0/8") {
		t.Errorf("a good block is reported:\n%v", err)
	}
}

func TestDefaultsAreGood(t *testing.T) {
	t.Parallel()
	var c config.Config
	if err := c.Check(); err != nil {
		t.Error(err)
	}
	if p, err := c.ProxyPrefixes(); len(p) != 0 || err != nil {
		t.Errorf("somebody is believed by default: %v %v", p, err)
	}
	if got := c.Base("http://127.0.0.1:8080"); got != "http://127.0.0.1:8080" {
		t.Errorf("base %q", got)
	}
}

func TestProxies(t *testing.T) {
	t.Parallel()
	c := config.Config{Proxies: []string{"10.1.2.3/8", " 192.0.2.1", "::ffff:192.0.2.2", "::ffff:127.0.0.0/104", "2001:db8::1"}, PublicURL: "https://api.example.ir/"}
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	got, _ := c.ProxyPrefixes()
	want := []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.1/32"),
		netip.MustParsePrefix("192.0.2.2/32"), netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("2001:db8::1/128"),
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := c.Base("x"); got != "https://api.example.ir" {
		t.Errorf("base %q", got)
	}
}
