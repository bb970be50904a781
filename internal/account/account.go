// Package account owns who may call: domains, accounts and what is granted
// to them, and the in-memory directory that the hot path reads. Where they
// are stored, and whether a call is admitted, is decided elsewhere.
package account

import (
	"crypto/rand"
	"net/netip"
	"slices"
	"strings"
	"time"

	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/rial"
)

// Domain is a tenant (a white label) that accounts belong to.
type Domain struct {
	Name    string
	Default bool // taken by dialects whose requests name no domain
	// Disabled domains stop their accounts as if each were disabled.
	Disabled bool
}

// Account is one customer of a domain.
type Account struct {
	ID        string // ours, opaque
	Number    int64  // from 1, for dialects that print a numeric user id
	Domain    string
	Username  string
	FirstName string
	LastName  string

	Password      string // argon2id in PHC form
	TokenPassword string // the same; where set, the only one that token calls take

	Disabled  bool
	Expires   time.Time      // zero: never
	TokenDays int            // token lifetime where the caller chooses none, 1..365
	Rate      int            // calls per second, 1..1,000,000
	Allowed   []netip.Prefix // empty: any address
	Grants    Grants
	Lines     []Line
	Clients   []Client
	Business  []Business
	APIKeys   []APIKey
	Templates []Template
	// QueryLogin: calls may carry name and password in their address, where
	// logs and proxies see them.
	QueryLogin bool
	// Prices are in rials by service, instead of what the service costs
	// everybody else.
	Prices map[string]rial.Amount
	SMS    Bounds

	// Epoch rises whenever every token of the account must die.
	Epoch int64
}

// Line is a sender line (virtual number).
type Line struct {
	Number    string
	Suspended bool
	Quiet     Hours
	DayLimit  int // messages in a day of Tehran; 0: any number
}

// Hours are a part of each day in Tehran, in minutes from midnight (0..1439):
// From is in it, To is not. Where To is before From it goes over midnight; the
// same twice is no time at all.
type Hours struct{ From, To int }

// Bounds are how much an account may send. In each, 0 is the installation's
// own bound, and below 0 is none.
type Bounds struct {
	SpendDay   rial.Amount // on messages in a day of Tehran
	NumberHour int         // messages in an hour to one number
	PrefixHour int         // … to the numbers that differ in the last four digits
}

// APIKey is a secret that a caller shows instead of a token.
type APIKey struct {
	ID       string
	Hash     [32]byte // SHA-256, as a client's
	Disabled bool
}

// Template is a text with places for parameters, each written {name}.
type Template struct {
	ID     string // TemplateIDLength letters and digits
	Line   string // that it goes out by where the caller names none; empty: none
	Urgent bool   // it is for one-time codes: never behind others, nor kept back at night
	Once   bool   // what an operator may have already is not sent again
	Body   string
}

// Client is an OAuth client of an account.
type Client struct {
	ID            string
	SecretHash    [32]byte // SHA-256: the secret is random, a slow hash adds nothing
	PasswordGrant bool
	Disabled      bool
	Former        Former
}

// Business is a credential pair that rides in each body (uid).
type Business struct {
	ID        string
	TokenHash [32]byte
	Disabled  bool
	Former    Former
}

// Former is the secret before the one in force: good for a while, so that
// callers can change over one after the other. The zero Former is good for
// nothing.
type Former struct {
	Hash  [32]byte
	Until time.Time
}

// LoginHash is the password hash that token calls are checked against.
func (a *Account) LoginHash() string {
	if a.TokenPassword != "" {
		return a.TokenPassword
	}
	return a.Password
}

// Line finds a line of the account by any spelling of its number.
func (a *Account) Line(number string) (Line, bool) {
	key := LineKey(number)
	i := slices.IndexFunc(a.Lines, func(l Line) bool { return LineKey(l.Number) == key })
	if key == "" || i < 0 {
		return Line{}, false
	}
	return a.Lines[i], true
}

// Template finds a template of the account, letter for letter.
func (a *Account) Template(id string) (Template, bool) {
	i := slices.IndexFunc(a.Templates, func(t Template) bool { return t.ID == id })
	if i < 0 {
		return Template{}, false
	}
	return a.Templates[i], true
}

// LineKey folds digits and strips the country code that callers may put before a line number
// (1000…, 00981000…, +981000…, 981000…: smsafzar's pages name all four).
func LineKey(number string) string {
	number = persian.Compact(number)
	for _, prefix := range []string{"0098", "+98", "98"} {
		if rest, ok := strings.CutPrefix(number, prefix); ok && len(rest) >= 4 {
			return rest
		}
	}
	return number
}

// TemplateIDLength is how long ids of templates are, in smsafzar's page and so
// everywhere.
const TemplateIDLength = 10

// NewTemplateID makes an id of letters and digits at random: 50 bits, so that
// callers find no template of others by trying.
func NewTemplateID() string { return rand.Text()[:TemplateIDLength] }

// Allows tells whether a call from peer is allowed. An account without a list
// takes any address; an unknown peer is never on a list.
func (a *Account) Allows(peer netip.Addr) bool {
	if len(a.Allowed) == 0 {
		return true
	}
	peer = peer.Unmap()
	return peer.IsValid() && slices.ContainsFunc(a.Allowed, func(p netip.Prefix) bool { return p.Contains(peer) })
}

// Grants are the services, and inside a service the methods, that an account
// may use.
type Grants struct {
	list []string
}

// NewGrants takes "*", a service ("sms") or one method of a service
// ("sms/send"), in any mix.
func NewGrants(list []string) Grants { return Grants{list: slices.Clone(list)} }

// List is what NewGrants took.
func (g Grants) List() []string { return slices.Clone(g.list) }

// Service tells whether anything of the service is granted.
func (g Grants) Service(service string) bool {
	return slices.ContainsFunc(g.list, func(s string) bool {
		return s == "*" || s == service || strings.HasPrefix(s, service+"/")
	})
}

// Method tells whether the method of the service is granted; an empty method
// asks for the service alone.
func (g Grants) Method(service, method string) bool {
	if method == "" {
		return g.Service(service)
	}
	return slices.ContainsFunc(g.list, func(s string) bool {
		return s == "*" || s == service || s == service+"/"+method
	})
}
