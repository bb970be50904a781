package webhook_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"dargah.dev/dargah/internal/webhook"
)

func TestInside(t *testing.T) {
	t.Parallel()
	for text, inside := range map[string]bool{
		"0.0.0.0": true, "0.1.2.3": true, "10.0.0.1": true, "100.64.0.1": true, "100.127.255.255": true, "127.0.0.1": true,
		"127.255.255.254": true, "169.254.169.254": true, "172.16.0.1": true, "172.31.255.255": true, "192.0.0.1": true,
		"192.0.2.1": true, "192.88.99.1": true, "192.168.1.1": true, "198.18.0.1": true, "198.19.255.255": true,
		"198.51.100.1": true, "203.0.113.1": true, "224.0.0.1": true, "239.255.255.255": true, "240.0.0.1": true, "255.255.255.255": true,
		"::": true, "::1": true, "::ffff:127.0.0.1": true, "::ffff:10.0.0.1": true, "::127.0.0.1": true, "::ffff:0:127.0.0.1": true,
		"64:ff9b::7f00:1": true, "64:ff9b:1::1": true, "100::1": true, "2001::1": true, "2001:db8::1": true, "2002:7f00:1::": true,
		"2002:808:808::1": true, "3fff::1": true, "5f00::1": true, "fc00::1": true, "fd12:3456::1": true, "fe80::1": true,
		"fe80::1%eth0": true, "fec0::1": true, "ff02::1": true, "2a00:1450:4001::1%eth0": true,
		"8.8.8.8": false, "100.63.255.255": false, "100.128.0.1": false, "172.15.0.1": false, "172.32.0.1": false, "192.0.1.1": false,
		"198.17.0.1": false, "198.20.0.1": false, "223.255.255.255": false, "2a00:1450:4001::1": false, "2606:4700::1111": false,
		"::ffff:8.8.8.8": false,
	} {
		if got := webhook.Inside(netip.MustParseAddr(text)); got != inside {
			t.Errorf("%s: %v", text, got)
		}
	}
	if !webhook.Inside(netip.Addr{}) {
		t.Error("no address at all is not inside")
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	open := webhook.Rules{Allow: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("::1/128")}}
	for _, c := range []struct {
		at    string
		rules webhook.Rules
		good  bool
	}{
		{"8.8.8.8:443", webhook.Rules{}, true},
		{"8.8.8.8:80", webhook.Rules{}, true},
		{"8.8.8.8:8443", webhook.Rules{}, true},
		{"8.8.8.8:22", webhook.Rules{}, false},
		{"8.8.8.8:25", webhook.Rules{}, false},
		{"8.8.8.8:6379", webhook.Rules{}, false},
		{"8.8.8.8:0", webhook.Rules{}, false},
		{"10.1.2.3:443", webhook.Rules{}, false},
		{"10.1.2.3:443", open, true},
		{"[::ffff:10.1.2.3]:443", open, true},
		{"10.1.2.3:6379", open, false},
		{"10.2.2.3:443", open, false},
		{"[::1]:8080", open, true},
		{"127.0.0.1:8080", open, false},
	} {
		if err := c.rules.Check(netip.MustParseAddrPort(c.at)); (err == nil) != c.good {
			t.Errorf("%s: %v", c.at, err)
		}
	}
	if err := (webhook.Rules{}).Check(netip.MustParseAddrPort("127.0.0.1:80")); !errors.Is(err, webhook.ErrInside) {
		t.Error(err)
	}
}

func TestCheckURL(t *testing.T) {
	t.Parallel()
	for text, good := range map[string]bool{
		"https://example.ir": true, "https://example.ir/hook?x=1": true, "https://example.ir:8443/": true, "https://xn--mgba3a4f16a.ir/": true,
		"https://8.8.8.8/": true, "https://[2a00:1450:4001::1]/": true, "https://example.ir./": true, "https://localhost/": true, // a name: where it leads is seen later
		"http://example.ir": false, "gopher://example.ir": false, "file:///etc/passwd": false, "ftp://example.ir": false, "javascript:x": false,
		"https:example.ir": false, "https://": false, "https:///x": false, "//example.ir": false, "example.ir": false, "": false,
		"https://user@example.ir": false, "https://user:word@example.ir": false, "https://example.ir@127.0.0.1/": false, "https://example.ir/#x": false,
		"https://127.0.0.1/": false, "https://127.1/": false, "https://127.0.0.1./": false, "https://0177.0.0.1/": false, "https://0x7f.0.0.1/": false,
		"https://0x7f000001/": false, "https://2130706433/": false, "https://017700000001/": false, "https://[::1]/": false,
		"https://[::ffff:127.0.0.1]/": false, "https://[fe80::1%25eth0]/": false, "https://[127.0.0.1]/": false, "https://[localhost]/": false,
		"https://۱۲۷.۰.۰.۱/": false, "https://１２７.0.0.1/": false, "https://ⓛocalhost/": false, "https://دامنه.ir/": false, "https://exa mple.ir/": false,
		"https://example.ir:22/": false, "https://example.ir:25/": false, "https://example.ir:6379/": false, "https://example.ir:/": false,
		"https://example.ir:99999/": false, "https://example.ir:http/": false, "https://169.254.169.254/latest/meta-data": false, "https://../": false,
		"https://example.ir/" + strings.Repeat("x", 2000): false,
	} {
		if err := (webhook.Rules{}).CheckURL(text); (err == nil) != good {
			t.Errorf("%.60s: %v", text, err)
		}
	}
	sandbox := webhook.Rules{HTTP: true, Allow: webhook.Loopback}
	for text, good := range map[string]bool{
		"http://127.0.0.1:9000/": true, "http://localhost:9000/": true, "http://[::1]:9000": true, "http://10.0.0.1/": false, "http://127.0.0.1:5432/": false,
	} {
		if err := sandbox.CheckURL(text); (err == nil) != good {
			t.Errorf("in a sandbox %s: %v", text, err)
		}
	}
}
