package smpp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"dargah.dev/dargah/internal/config"
)

// Settings is how one message centre is reached. What is left out has the
// default that is named.
type Settings struct {
	Name       string
	Address    string // host:port
	SystemID   string
	Password   config.Secret // at most 8 octets, which is SMPP's bound
	SystemType string
	// Bind is transceiver, or pair: a transmitter and a receiver. Default:
	// transceiver. Binds is how many of them, 1 to 16; default 1.
	Bind  string
	Binds int
	// Window is how many parts a bind may have under way, 1 to 1000; default 10.
	Window int
	// PartsPerSecond is how many a bind sends in any second, at most 100,000; 0
	// for as many as are taken.
	PartsPerSecond int
	EnquireEvery   time.Duration // 1 s to 10 min; default 30 s
	ResponseWithin time.Duration // 1 s to 5 min; default 10 s

	TLS     bool
	TLSName string // the name in the certificate; default the host of Address
	TLSFile string // PEM: whom to trust; default the system's authorities
	// TLSCertFile and TLSKeyFile, PEM, are who we are, where the message centre
	// asks for it; both or none.
	TLSCertFile string
	TLSKeyFile  string

	// Destination is international (989…) or national (09…); default
	// international. The two numbers are its default's 1 and 1, or 2 and 1.
	Destination    string
	DestinationTON *byte
	DestinationNPI *byte
	// SourceTON and SourceNPI are of lines that are numbers; default 0 and 1.
	// Names are 5 and 0.
	SourceTON *byte
	SourceNPI *byte

	// Long is how a part tells which one it is: udh, sar, or payload: as with
	// udh, but in message_payload. Default: udh.
	Long string
	// Validity is how the time is said after which a part is worth nothing:
	// absolute, relative or none. Default: absolute.
	Validity string
	// Receipts are asked for always, on failure, or never. Default: always.
	Receipts string
	// Alphabet is what the message centre takes data_coding 0 for: gsm or
	// latin1. Default: gsm.
	Alphabet string
	// Service is the service_type, at most 5 octets.
	Service string
	// Zone is the clock of the dates in receipts, like +03:30, which is the
	// default.
	Zone string

	// dial connects tests that have a clock of their own.
	dial func(context.Context) (net.Conn, error)
}

const (
	transceiver   = "transceiver"
	pair          = "pair"
	international = "international"
	national      = "national"
	udh           = "udh"
	sar           = "sar"
	payload       = "payload"
	absolute      = "absolute"
	relative      = "relative"
	none          = "none"
	always        = "always"
	failure       = "failure"
	never         = "never"
	gsm           = "gsm"
	latin1        = "latin1"
)

// filled is the settings with their defaults.
func (s Settings) filled() Settings {
	for _, d := range []struct {
		field *string
		value string
	}{
		{&s.Bind, transceiver}, {&s.Destination, international}, {&s.Long, udh}, {&s.Validity, absolute},
		{&s.Receipts, always}, {&s.Alphabet, gsm}, {&s.Zone, "+03:30"},
	} {
		if *d.field == "" {
			*d.field = d.value
		}
	}
	s.Binds, s.Window = defaulted(s.Binds, 1), defaulted(s.Window, 10)
	s.EnquireEvery, s.ResponseWithin = defaulted(s.EnquireEvery, 30*time.Second), defaulted(s.ResponseWithin, 10*time.Second)
	ton := byte(1)
	if s.Destination == national {
		ton = 2
	}
	for _, d := range []struct {
		field **byte
		value byte
	}{{&s.DestinationTON, ton}, {&s.DestinationNPI, 1}, {&s.SourceTON, 0}, {&s.SourceNPI, 1}} {
		if *d.field == nil {
			*d.field = &d.value
		}
	}
	return s
}

func defaulted[T int | time.Duration](given, otherwise T) T {
	if given == 0 {
		return otherwise
	}
	return given
}

// Check tells every mistake, and no password.
func (s Settings) Check() error {
	s = s.filled()
	c := checks{}
	host, port, err := net.SplitHostPort(s.Address)
	c.that(s.Name != "", "name: is missing")
	c.that(err == nil && host != "" && port != "", "address: must be like smsc.example.ir:2775, is %q", s.Address)
	c.size("systemId", s.SystemID, 1, 15)
	c.size("password", string(s.Password), 0, 8)
	c.size("systemType", s.SystemType, 0, 12)
	c.size("service", s.Service, 0, 5)
	c.among("bind", s.Bind, transceiver, pair)
	c.among("destination", s.Destination, international, national)
	c.among("long", s.Long, udh, sar, payload)
	c.among("validity", s.Validity, absolute, relative, none)
	c.among("receipts", s.Receipts, always, failure, never)
	c.among("alphabet", s.Alphabet, gsm, latin1)
	c.that(s.Binds >= 1 && s.Binds <= 16, "binds: must be 1 to 16, is %d", s.Binds)
	c.that(s.Window >= 1 && s.Window <= 1000, "window: must be 1 to 1000, is %d", s.Window)
	c.that(s.PartsPerSecond >= 0 && s.PartsPerSecond <= 100_000, "partsPerSecond: must be 0 to 100000, is %d", s.PartsPerSecond)
	c.that(s.EnquireEvery >= time.Second && s.EnquireEvery <= 10*time.Minute, "enquireEvery: must be 1s to 10m, is %v", s.EnquireEvery)
	c.that(s.ResponseWithin >= time.Second && s.ResponseWithin <= 5*time.Minute, "responseWithin: must be 1s to 5m, is %v", s.ResponseWithin)
	c.that(s.TLS || s.TLSName+s.TLSFile+s.TLSCertFile+s.TLSKeyFile == "", "tls: must be true where its name or a file is given")
	c.that((s.TLSCertFile == "") == (s.TLSKeyFile == ""), "tlsCertFile: must be given with tlsKeyFile")
	for name, n := range map[string]*byte{
		"destinationTon": s.DestinationTON, "destinationNpi": s.DestinationNPI, "sourceTon": s.SourceTON, "sourceNpi": s.SourceNPI,
	} {
		c.that(*n <= 18, "%s: must be 0 to 18, is %d", name, *n)
	}
	_, err = zone(s.Zone)
	c.that(err == nil, "zone: must be like +03:30, is %q", s.Zone)
	_, err = s.tls()
	c.that(err == nil, "tls: %v", err)
	return errors.Join(c...)
}

type checks []error

func (c *checks) that(holds bool, format string, args ...any) {
	if !holds {
		*c = append(*c, fmt.Errorf(format, args...))
	}
}

func (c *checks) size(name, value string, least, most int) {
	c.that(len(value) >= least && len(value) <= most && !strings.ContainsRune(value, 0),
		"%s: must have %d to %d octets, has %d", name, least, most, len(value))
}

func (c *checks) among(name, value string, allowed ...string) {
	for _, a := range allowed {
		if a == value {
			return
		}
	}
	c.that(false, "%s: must be one of %s, is %q", name, strings.Join(allowed, ", "), value)
}

// zone reads +03:30; Z is UTC.
func zone(s string) (*time.Location, error) {
	t, err := time.Parse("Z07:00", s)
	return t.Location(), err
}

// tls is nil where the connection is open.
func (s Settings) tls() (*tls.Config, error) {
	if !s.TLS {
		return nil, nil
	}
	host, _, _ := net.SplitHostPort(s.Address)
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: s.TLSName}
	if c.ServerName == "" {
		c.ServerName = host
	}
	if s.TLSCertFile != "" && s.TLSKeyFile != "" {
		ours, err := tls.LoadX509KeyPair(s.TLSCertFile, s.TLSKeyFile)
		if err != nil {
			return nil, fmt.Errorf("tlsCertFile: %w", err)
		}
		c.Certificates = []tls.Certificate{ours}
	}
	if s.TLSFile == "" {
		return c, nil
	}
	text, err := os.ReadFile(s.TLSFile)
	if err != nil {
		return nil, fmt.Errorf("tlsFile: %w", err)
	}
	c.RootCAs = x509.NewCertPool()
	if !c.RootCAs.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("tlsFile: %s holds no certificate", s.TLSFile)
	}
	return c, nil
}
