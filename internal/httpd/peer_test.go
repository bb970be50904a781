package httpd

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

func TestPeer(t *testing.T) {
	t.Parallel()
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for name, c := range map[string]struct {
		remote string
		xff    []string
		other  map[string]string
		want   string // empty: unknown
	}{
		"direct":                      {remote: "192.0.2.1:99", want: "192.0.2.1"},
		"direct, forged":              {remote: "192.0.2.1:99", xff: []string{"198.51.100.9"}, want: "192.0.2.1"},
		"direct, other headers":       {remote: "192.0.2.1:99", other: map[string]string{"X-Real-Ip": "198.51.100.9", "Forwarded": "for=198.51.100.9", "True-Client-Ip": "198.51.100.9"}, want: "192.0.2.1"},
		"mapped":                      {remote: "[::ffff:192.0.2.1]:99", want: "192.0.2.1"},
		"zone":                        {remote: "[fe80::1%eth0]:99", want: "fe80::1"},
		"proxy":                       {remote: "10.1.1.1:99", xff: []string{"198.51.100.9"}, want: "198.51.100.9"},
		"proxy itself":                {remote: "10.1.1.1:99", want: "10.1.1.1"},
		"two proxies":                 {remote: "10.1.1.1:99", xff: []string{"198.51.100.9, 10.2.2.2"}, want: "198.51.100.9"},
		"forged left end":             {remote: "10.1.1.1:99", xff: []string{"203.0.113.5, 198.51.100.9"}, want: "198.51.100.9"},
		"forged own header":           {remote: "10.1.1.1:99", xff: []string{"203.0.113.5", "198.51.100.9"}, want: "198.51.100.9"},
		"with port":                   {remote: "10.1.1.1:99", xff: []string{"198.51.100.9:4711"}, want: "198.51.100.9"},
		"six with port":               {remote: "10.1.1.1:99", xff: []string{"[2001:db8::1]:4711"}, want: "2001:db8::1"},
		"six in brackets":             {remote: "10.1.1.1:99", xff: []string{"[2001:db8::1]"}, want: "2001:db8::1"},
		"mapped hop":                  {remote: "10.1.1.1:99", xff: []string{"::ffff:198.51.100.9"}, want: "198.51.100.9"},
		"six proxy":                   {remote: "[fd00::1]:99", xff: []string{"2001:db8::1"}, want: "2001:db8::1"},
		"all trusted":                 {remote: "10.1.1.1:99", xff: []string{"10.3.3.3, 10.2.2.2"}, want: "10.3.3.3"},
		"word":                        {remote: "10.1.1.1:99", xff: []string{"unknown"}},
		"word behind a trusted hop":   {remote: "10.1.1.1:99", xff: []string{"198.51.100.9, x, 10.2.2.2"}},
		"leading zeros":               {remote: "10.1.1.1:99", xff: []string{"198.051.100.9"}},
		"hexadecimal":                 {remote: "10.1.1.1:99", xff: []string{"0xc6336409"}},
		"empty entry at the end":      {remote: "10.1.1.1:99", xff: []string{"198.51.100.9,"}},
		"persian digits":              {remote: "10.1.1.1:99", xff: []string{"۱۹۸.۵۱.۱۰۰.۹"}},
		"no remote":                   {remote: ""},
		"looks trusted, is not a hop": {remote: "192.0.2.1:99", xff: []string{"10.1.1.1"}, want: "192.0.2.1"},
	} {
		r := &http.Request{RemoteAddr: c.remote, Header: http.Header{}}
		for _, v := range c.xff {
			r.Header.Add("X-Forwarded-For", v)
		}
		for k, v := range c.other {
			r.Header.Set(k, v)
		}
		want := netip.Addr{}
		if c.want != "" {
			want = netip.MustParseAddr(c.want)
		}
		if got := peer(r, proxies); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
		if len(c.xff) > 0 {
			direct := peer(&http.Request{RemoteAddr: c.remote}, nil)
			if got := peer(r, nil); got != direct {
				t.Errorf("%s: without proxies the header changes the peer to %v", name, got)
			}
		}
	}
}

// Whatever stands in the header, a peer is an address that is spelled there,
// or nobody.
func FuzzPeer(f *testing.F) {
	for _, seed := range []string{
		"", ",", "198.51.100.9", "198.51.100.9, 10.1.1.1", "[2001:db8::1]:80", "fe80::1%eth0", "::ffff:1.2.3.4", "unknown",
		"_hidden", "0x7f.1", "127.1", "1.2.3.4:99999", "\x00", "۱.۲.۳.۴", strings.Repeat("10.0.0.1,", 5000),
	} {
		f.Add(seed)
	}
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	f.Fuzz(func(t *testing.T, header string) {
		r := &http.Request{RemoteAddr: "10.9.9.9:1", Header: http.Header{"X-Forwarded-For": {header}}}
		got := peer(r, trusted)
		if got.IsValid() && (got.Zone() != "" || got.Is4In6()) {
			t.Fatalf("%q: the peer %v is not plain", header, got)
		}
		if got.IsValid() && !within(got, trusted) && header == "" {
			t.Fatalf("%v from nothing", got)
		}
		direct := &http.Request{RemoteAddr: "192.0.2.1:1", Header: r.Header}
		if got := peer(direct, trusted); got != netip.MustParseAddr("192.0.2.1") {
			t.Fatalf("%q: believed of a stranger: %v", header, got)
		}
	})
}
