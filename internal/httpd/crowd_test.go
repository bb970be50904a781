package httpd

import (
	"net"
	"net/netip"
	"testing"
)

func TestSource(t *testing.T) {
	t.Parallel()
	c := &Crowd{PerAddress: 1, Exempt: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	for remote, want := range map[string]string{
		"192.0.2.1:5": "192.0.2.1", "[::ffff:192.0.2.1]:5": "192.0.2.1", "10.1.1.1:5": "invalid IP",
		"[2001:db8:1:2:3::4]:5": "2001:db8:1:2::", "[fe80::1%lo]:5": "fe80::",
	} {
		at, err := net.ResolveTCPAddr("tcp", remote)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.source(at); got.String() != want {
			t.Errorf("%s is counted as %s, want %s", remote, got, want)
		}
	}
}
