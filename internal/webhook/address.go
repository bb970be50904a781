package webhook

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ErrInside means that an address belongs to the machine, to a network that is
// not the internet, or to nobody: connecting there would make us a way in.
var ErrInside = errors.New("the address is not on the internet")

// ErrPort means that no web server should be at a port.
var ErrPort = errors.New("is not one of the web")

// Rules are what an operator allows webhooks to reach. The zero Rules are the
// strictest: https, on the internet.
type Rules struct {
	// Allow are inside networks that may be reached all the same.
	Allow []netip.Prefix
	// HTTP allows plain http, which anybody on the way can read and repeat.
	HTTP bool
}

// Loopback are this machine's own addresses, which a sandbox allows.
var Loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// inside are the networks that are not the internet, from the IANA registries of
// special-purpose addresses, and those by which IPv4 is reached in disguise:
// where such a bridge stands, who runs it decides what is behind.
var inside = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
	"192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
	"198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
)

// internet6 is all of IPv6 that is given out; below are the parts of it that are
// for something else.
var (
	internet6 = netip.MustParsePrefix("2000::/3")
	inside6   = prefixes("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)

func prefixes(all ...string) (list []netip.Prefix) {
	for _, p := range all {
		list = append(list, netip.MustParsePrefix(p))
	}
	return list
}

// barred are ports above 1023 where other things than web servers listen that
// obey whoever reaches them. Below 1024 only those of the web are free.
var barred = []uint16{
	1080, 1433, 1521, 1883, 2049, 2181, 2375, 2376, 2377, 2379, 2380, 2775, 3128, 3306, 3389, 4369, 5060, 5432, 5671, 5672,
	5900, 5984, 6000, 6379, 6443, 6660, 6661, 6662, 6663, 6664, 6665, 6666, 6667, 6668, 6669, 6697, 7000, 7001, 8125, 8500,
	9042, 9092, 9200, 9300, 10250, 10255, 11211, 15672, 26379, 27017, 27018, 50070,
}

// Check says why nothing may connect to an address that is about to be connected
// to; ErrInside where it is not on the internet.
func (r Rules) Check(at netip.AddrPort) error {
	if err := checkPort(at.Port()); err != nil {
		return err
	}
	a := at.Addr().Unmap()
	if a.Zone() == "" && slices.ContainsFunc(r.Allow, func(p netip.Prefix) bool { return p.Contains(a) }) {
		return nil
	}
	if Inside(a) {
		return ErrInside
	}
	return nil
}

// Inside tells whether an address is not one of the internet's. What is unknown
// is inside.
func Inside(a netip.Addr) bool {
	a = a.Unmap()
	within := func(p netip.Prefix) bool { return p.Contains(a) }
	switch {
	case !a.IsValid() || a.Zone() != "":
		return true
	case a.Is4():
		return slices.ContainsFunc(inside, within)
	default:
		return !internet6.Contains(a) || slices.ContainsFunc(inside6, within)
	}
}

func checkPort(port uint16) error {
	if port != 80 && port != 443 && (port < 1024 || slices.Contains(barred, port)) {
		return fmt.Errorf("port %d %w", port, ErrPort)
	}
	return nil
}

const longestURL = 2000

// CheckURL says why a webhook cannot have this address. It asks no name server:
// where a name leads is checked when it is connected to, each time.
func (r Rules) CheckURL(text string) error {
	if len(text) > longestURL {
		return fmt.Errorf("the URL is longer than %d bytes", longestURL)
	}
	u, err := url.Parse(text)
	if err != nil || u.Opaque != "" || u.Host == "" {
		return errors.New("the URL cannot be read: give one like https://example.ir/hook")
	}
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("the URL begins with %s: webhooks speak https", u.Scheme)
	case u.Scheme == "http" && !r.HTTP:
		return errors.New("the URL is plain http, which the setting webhooks.insecureHttp does not allow")
	case u.User != nil:
		return errors.New("the URL holds a name or a password: verify the signature instead")
	case u.Fragment != "":
		return errors.New("the URL has a #, which is not sent")
	}
	port, err := portOf(u)
	if err != nil {
		return err
	}
	return r.checkHost(u, port)
}

func portOf(u *url.URL) (uint16, error) {
	text := u.Port()
	switch {
	case text == "" && strings.HasSuffix(u.Host, ":"):
		return 0, errors.New("the URL has a colon and no port")
	case text == "" && u.Scheme == "http":
		return 80, nil
	case text == "":
		return 443, nil
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0, errors.New("the URL's port is none")
	}
	return uint16(port), checkPort(uint16(port))
}

func (r Rules) checkHost(u *url.URL, port uint16) error {
	host := u.Hostname()
	if strings.ContainsFunc(host, func(c rune) bool { return c > '~' || c <= ' ' }) {
		// Libraries disagree on which ASCII name such a name is, and some of its
		// letters are digits to them.
		return errors.New("the URL's host is not in ASCII: give the name as name servers have it (xn--…)")
	}
	a, err := netip.ParseAddr(host)
	if strings.HasPrefix(u.Host, "[") && (err != nil || !a.Is6()) {
		return errors.New("the URL has in brackets what is no IPv6 address")
	}
	if err == nil {
		return r.Check(netip.AddrPortFrom(a, port))
	}
	labels := strings.Split(strings.TrimSuffix(host, "."), ".")
	if last := labels[len(labels)-1]; last == "" || '0' <= last[0] && last[0] <= '9' {
		// 127.1, 0x7f000001 and 2130706433 are addresses to some resolvers.
		return errors.New("the URL's host is neither a name nor an address in its usual form")
	}
	return nil
}

// Host is what of a webhook's address may be shown to anybody: what follows it
// may hold a secret.
func Host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

// keepNotices is how long notices that are done stay in the log.
const keepNotices = 30 * 24 * time.Hour

// Forgotten is before when notices that are done are forgotten.
func Forgotten(now time.Time) time.Time { return now.Add(-keepNotices) }
