// Package config owns the settings of a running Dargah, their defaults, and
// what values they may have. Where they come from (flags, environment) is the
// command line's business.
package config

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// Config is what can be set. The zero value of a field is its default.
type Config struct {
	// Proxies are addresses or CIDR blocks whose X-Forwarded-For is believed;
	// none by default.
	Proxies []string
	// PublicURL is where callers reach this server, for links that it hands
	// out. Empty: the address that it listens on.
	PublicURL string
	// DataNames is how sabapayamak spells the names inside data: "pascal", as
	// its page prints them (the default), or "camel", as several working
	// clients read them.
	DataNames string
	// Lockout is how many wrong passwords in a row are free before the user
	// name must wait; 0 switches the wait off.
	Lockout int
}

// ProxyPrefixes is Proxies, read.
func (c Config) ProxyPrefixes() ([]netip.Prefix, error) {
	var list []netip.Prefix
	var faults []error
	for _, text := range c.Proxies {
		text = strings.TrimSpace(text) // a list is easily written with blanks
		p, err := netip.ParsePrefix(text)
		if a, bare := netip.ParseAddr(text); bare == nil {
			p, err = a.Unmap().Prefix(a.Unmap().BitLen())
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("proxies: %q is neither an address nor a CIDR block", text))
			continue
		}
		if p.Addr().Is4In6() && p.Bits() >= 96 { // callers are compared as plain IPv4
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		list = append(list, p.Masked())
	}
	return list, errors.Join(faults...)
}

// Check reports every mistake together.
func (c Config) Check() error {
	_, err := c.ProxyPrefixes()
	faults := []error{err}
	if c.DataNames != "" && c.DataNames != "pascal" && c.DataNames != "camel" {
		faults = append(faults, fmt.Errorf("data names: must be pascal or camel, is %q", c.DataNames))
	}
	if c.Lockout < 0 {
		faults = append(faults, errors.New("lockout: must be 0 or more"))
	}
	if u, err := url.Parse(c.PublicURL); c.PublicURL != "" && (err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.RawQuery != "") {
		faults = append(faults, fmt.Errorf("public url: must be like https://api.example.ir, is %q", c.PublicURL))
	}
	return errors.Join(faults...)
}

// Base is PublicURL without a slash at the end, or the fallback.
func (c Config) Base(fallback string) string {
	if c.PublicURL == "" {
		return fallback
	}
	return strings.TrimRight(c.PublicURL, "/")
}
