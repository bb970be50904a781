package config

import (
	"io/fs"
	"net"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strings"

	"dargah.dev/dargah/internal/finding"
)

// Examine looks at settings that are accepted and yet unwise. file is where
// they were read from; empty for none.
func (c Config) Examine(file string) (l finding.List) {
	if file != "" {
		c.examineFile(&l, file)
	}
	c.examineProxies(&l)
	c.examineHTTP(&l)
	return l
}

func (c Config) examineFile(l *finding.List, file string) {
	const about = "configuration"
	info, err := os.Stat(file)
	if err != nil {
		l.Bad(about, err.Error(), "give a file that can be read")
		return
	}
	secret := c.Database.secret() || c.Redis.secret() || slices.ContainsFunc(c.Operators, func(o Operator) bool { return o.Password != "" && o.PasswordFile == "" })
	switch {
	case secret && runtime.GOOS != "windows" && info.Mode()&0o007 != 0:
		l.Bad(about, file+" may hold a password, and everybody on this machine can read it", "chmod o-rwx "+file+" (or keep the address in a file of its own: DARGAH_DATABASE_FILE)")
	case info.Mode()&0o022 != 0 && runtime.GOOS != "windows" && info.Mode()&fs.ModeSticky == 0:
		l.Warn(about, file+" can be written by others than its owner", "chmod go-w "+file)
	default:
		l.Good(about, "%s is accepted", file)
	}
}

// secret tells whether the address holds a password.
func (u URL) secret() bool {
	parsed, err := url.Parse(string(u))
	if u == "" || err != nil {
		return false
	}
	if _, has := parsed.User.Password(); has {
		return true
	}
	for _, name := range secretParameters {
		if parsed.Query().Has(name) {
			return true
		}
	}
	return false
}

// examineProxies: whoever is trusted can say who the caller is, and so pass
// every list of allowed addresses.
func (c Config) examineProxies(l *finding.List) {
	const about = "proxies"
	prefixes, _ := c.ProxyPrefixes() // what cannot be read was refused before
	wide := false
	for _, p := range prefixes {
		addresses := p.Addr().BitLen() - p.Bits()
		switch {
		case p.Bits() == 0:
			l.Bad(about, p.String()+" trusts everybody: any caller can pretend to come from any address", "name the addresses of the proxies in front, no more")
			wide = true
		case p.Addr().Is4() && addresses > 16 || p.Addr().Is6() && addresses > 80:
			l.Warn(about, p.String()+" trusts a very large network", "name the addresses of the proxies in front, no more")
			wide = true
		}
	}
	switch {
	case wide:
	case len(prefixes) == 0:
		l.Good(about, "none is trusted: callers' addresses are those of their connections")
	default:
		l.Good(about, "trusted: %s", strings.Join(c.Proxies, ", "))
	}
	if len(prefixes) > 0 && c.PublicURL == "" {
		l.Warn("publicUrl", "calls come through proxies, and links that are handed out would name this machine", "set publicUrl to where callers reach the proxy")
	}
}

func (c Config) examineHTTP(l *finding.List) {
	const about = "HTTP"
	open := false
	for _, address := range c.Listen {
		host, _, _ := net.SplitHostPort(address)
		ip := net.ParseIP(host)
		open = open || host != "localhost" && (ip == nil || !ip.IsLoopback())
	}
	switch {
	case c.TLS.On():
		l.Good(about, "TLS is served")
	case open && len(c.Proxies) == 0 && c.InsecureHTTP:
		l.Warn(about, "plain HTTP is served to other machines (insecureHttp): tokens and personal data can be read on the way", "give tls.certificate and tls.key, or put a proxy in front that speaks TLS")
	case open && len(c.Proxies) == 0:
		l.Bad(about, "other machines would be served plain HTTP: `dargah serve` refuses that", "give tls.certificate and tls.key, or name the proxies in front, or listen on 127.0.0.1")
	default:
		l.Good(about, "plain HTTP, on this machine or behind proxies")
	}
	if strings.HasPrefix(c.PublicURL, "http://") {
		l.Warn("publicUrl", "links that are handed out are not encrypted", "give an address that begins with https://")
	}
}
