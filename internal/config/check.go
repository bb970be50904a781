package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Fault is one thing that is wrong with a setting. It never holds a password.
type Fault struct {
	Key  string // as in the file
	Text string
}

func (f Fault) Error() string { return f.Key + ": " + f.Text }

type faults []Fault

func (f *faults) note(key, format string, args ...any) {
	*f = append(*f, Fault{key, fmt.Sprintf(format, args...)})
}

func (f faults) err() error {
	all := make([]error, 0, len(f))
	for _, one := range f {
		all = append(all, one)
	}
	return errors.Join(all...)
}

// longestDrain is as long as a service manager may be asked to wait.
const longestDrain = 10 * time.Minute

// Check reports every mistake together, each as a Fault. Empty values are
// good: who needs one has a default for it.
func (c Config) Check() error { return c.faults().err() }

func (c Config) faults() faults {
	_, f := c.proxies()
	for _, address := range c.Listen {
		if !isAddress(address) {
			f.note("listen", "must be an address and a port, like 127.0.0.1:8080 or [::1]:443, is %q", address)
		}
	}
	f.oneOf("dataNames", c.DataNames, "pascal", "camel")
	f.oneOf("logLevel", c.LogLevel, "debug", "info", "warn", "error")
	f.atLeast0("lockout", c.Lockout)
	f.atLeast0("limits.connectionsPerAddress", c.Limits.ConnectionsPerAddress)
	f.atLeast0("limits.connections", c.Limits.Connections)
	if c.Drain < 0 || c.Drain > longestDrain {
		f.note("drain", "must be from 0s to %s, is %s", longestDrain, c.Drain)
	}
	if u, err := url.Parse(c.PublicURL); c.PublicURL != "" && (err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.RawQuery != "") {
		f.note("publicUrl", "must be like https://api.example.ir, is %q", c.PublicURL)
	}
	_, unread := prefixes("webhooks.allow", c.Webhooks.Allow)
	f = append(f, unread...)
	f.server("database", c.Database, "postgres", "postgresql")
	f.server("redis", c.Redis, "redis", "rediss", "unix")
	if (c.TLS.Certificate == "") != (c.TLS.Key == "") {
		f.note("tls", "certificate and key are given together, or neither")
	}
	return f
}

func (f *faults) oneOf(key, value string, good ...string) {
	if value != "" && !slices.Contains(good, value) {
		f.note(key, "must be %s, is %q", strings.Join(good, " or "), value)
	}
}

func (f *faults) atLeast0(key string, value int) {
	if value < 0 {
		f.note(key, "must be 0 or more, is %d", value)
	}
}

// server checks an address of which nothing may be printed.
func (f *faults) server(key string, address URL, schemes ...string) {
	if address == "" {
		return
	}
	u, err := url.Parse(string(address))
	if err != nil || !slices.Contains(schemes, u.Scheme) || u.Opaque != "" || u.Host == "" && u.Path == "" {
		f.note(key, "must be a URL that begins with %s:// (it is not shown: it may hold a password)", strings.Join(schemes, ":// or "))
	}
}

// isAddress takes what net.Listen would, ports by name left out.
func isAddress(text string) bool {
	host, port, err := net.SplitHostPort(text)
	if err != nil || strings.ContainsAny(host, "/ ") {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}

func (c Config) proxies() ([]netip.Prefix, faults) { return prefixes("proxies", c.Proxies) }

func prefixes(key string, all []string) (list []netip.Prefix, f faults) {
	for _, text := range all {
		text = strings.TrimSpace(text) // a list is easily written with blanks
		p, err := netip.ParsePrefix(text)
		if a, bare := netip.ParseAddr(text); bare == nil {
			p, err = a.Unmap().Prefix(a.Unmap().BitLen())
		}
		if err != nil {
			f.note(key, "%q is neither an address nor a CIDR block", text)
			continue
		}
		if p.Addr().Is4In6() && p.Bits() >= 96 { // addresses are compared as plain IPv4
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		list = append(list, p.Masked())
	}
	return list, f
}
