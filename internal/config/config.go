// Package config owns the settings of a running Dargah: their names, defaults,
// bounds, and where they come from (defaults, then a YAML file, the
// environment and flags, each winning over those before it). Nothing here is
// global: whoever needs a setting is handed it.
package config

import (
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Config is every setting. A test lists the same names in the table of
// setting.go; the names in the file are those of the tags.
type Config struct {
	// Listen are the addresses to serve, as host:port. An address without a
	// host is every address of the machine.
	Listen []string `koanf:"listen"`
	// Data is the folder that holds the master key and, on SQLite, the
	// database.
	Data string `koanf:"data"`
	// Database is a postgres:// URL; empty for SQLite in Data.
	Database URL `koanf:"database"`
	// MasterKey is the file of the master key; empty for master.key in Data.
	MasterKey string `koanf:"masterKey"`
	// Redis is a redis://, rediss:// or unix:// URL; empty for none, which
	// costs shared rate limits and fast signals between nodes, nothing else.
	Redis URL `koanf:"redis"`
	TLS   TLS `koanf:"tls"`
	// InsecureHTTP allows plain HTTP on addresses that other machines reach.
	InsecureHTTP bool `koanf:"insecureHttp"`
	// Proxies are addresses or CIDR blocks whose X-Forwarded-For is believed;
	// none by default.
	Proxies []string `koanf:"proxies"`
	// PublicURL is where callers reach this server, for links that it hands
	// out. Empty: the first address that it listens on.
	PublicURL string `koanf:"publicUrl"`
	// DataNames is how sabapayamak spells the names inside data: "pascal", as
	// its page prints them (also where empty), or "camel", as several working
	// clients read them.
	DataNames string `koanf:"dataNames"`
	// Lockout is how many wrong passwords in a row are free before the user
	// name must wait; 0 switches the wait off.
	Lockout int `koanf:"lockout"`
	// PeopleMirror has each server keep a copy of the register, sealed.
	PeopleMirror bool `koanf:"peopleMirror"`
	// Log is the file of the log; "-" is standard error.
	Log string `koanf:"log"`
	// LogLevel is the least level that is written: debug, info, warn or error.
	LogLevel string `koanf:"logLevel"`
	// Drain is how long calls under way may still take after the signal to
	// stop, from 0 to 10 minutes.
	Drain time.Duration `koanf:"drain"`
	// Node names this node in logs; empty for the machine's name. Two nodes
	// may share a name by mistake, so nothing may rest on its being unique.
	Node     string   `koanf:"node"`
	Limits   Limits   `koanf:"limits"`
	Webhooks Webhooks `koanf:"webhooks"`
	// Operators are the ways out to the phones, in the order in which they are
	// tried. They can be given in the file only.
	Operators []Operator `koanf:"operators"`
}

// TLS names the files of the certificate (with its chain) and its key, in PEM.
// Both are given or neither; without them plain HTTP is served.
type TLS struct {
	Certificate string `koanf:"certificate"`
	Key         string `koanf:"key"`
}

// On tells whether TLS is served.
func (t TLS) On() bool { return t.Certificate != "" }

// Limits bound the open connections.
type Limits struct {
	// ConnectionsPerAddress is for one address; trusted proxies are exempt. 0
	// is no limit.
	ConnectionsPerAddress int `koanf:"connectionsPerAddress"`
	// Connections is for all together; 0 is the limit of open files less 64.
	Connections int `koanf:"connections"`
}

// Webhooks say where customers' webhooks may be.
type Webhooks struct {
	// Allow are addresses or CIDR blocks that are not on the internet and may be
	// reached all the same; none by default.
	Allow []string `koanf:"allow"`
	// InsecureHTTP allows plain http.
	InsecureHTTP bool `koanf:"insecureHttp"`
}

// Default is what is in force where nothing is said.
func Default() Config {
	return Config{
		Listen:    []string{"127.0.0.1:8080"},
		DataNames: "pascal",
		Lockout:   10,
		Log:       "-",
		LogLevel:  "info",
		Drain:     25 * time.Second,
		Limits:    Limits{ConnectionsPerAddress: 200},

		PeopleMirror: true,
	}
}

// Base is PublicURL without a slash at the end, or the fallback.
func (c Config) Base(fallback string) string {
	if c.PublicURL == "" {
		return fallback
	}
	return strings.TrimRight(c.PublicURL, "/")
}

// ProxyPrefixes is Proxies, read; those that cannot be read are left out and
// reported.
func (c Config) ProxyPrefixes() ([]netip.Prefix, error) {
	list, faults := c.proxies()
	return list, faults.err()
}

// WebhookPrefixes is Webhooks.Allow, read; those that cannot be read are left
// out and reported.
func (c Config) WebhookPrefixes() ([]netip.Prefix, error) {
	list, faults := prefixes("webhooks.allow", c.Webhooks.Allow)
	return list, faults.err()
}

// URL is the address of a server, which may hold a password. It prints itself
// without.
type URL string

// secretParameters are those that PostgreSQL's and Redis's clients read
// passwords from.
var secretParameters = []string{"password", "sslpassword"}

// String is the address with its passwords masked.
func (u URL) String() string {
	if u == "" {
		return ""
	}
	parsed, err := url.Parse(string(u))
	if err != nil || parsed.Opaque != "" || parsed.Scheme == "" {
		return masked // what cannot be read may hold a password anywhere
	}
	query := parsed.Query()
	for _, name := range secretParameters {
		if query.Has(name) {
			query.Set(name, masked)
			parsed.RawQuery = query.Encode()
		}
	}
	return parsed.Redacted()
}

const masked = "xxxxx"

// GoString masks what %#v prints.
func (u URL) GoString() string { return u.String() }

// MarshalText masks what JSON and the log print.
func (u URL) MarshalText() ([]byte, error) { return []byte(u.String()), nil }
