// Package fault owns the closed list of ways in which a call can fail.
//
// Everything inside Dargah that refuses a call names one of these codes; each
// dialect owns a table from code to its own status, number and text. Nothing
// here knows HTTP or a provider. An error that carries no code is Internal.
package fault

import (
	"errors"
	"time"
)

// Code is one way to fail. The zero value is Internal, so that a forgotten
// code can never read as somebody else's mistake.
type Code uint8

// The whole list. Adding one makes every dialect's table test name it.
const (
	// Internal is our own mistake: a bug, or an error nobody foresaw.
	Internal Code = iota
	// Unavailable: something of ours that the call needs is down (database,
	// disk, audit). Nothing was charged; the caller may try again.
	Unavailable
	// Busy: we are shedding load (password queue full).
	Busy

	// HungUp: the caller went away before its answer was ready.
	HungUp
	// Malformed: the bytes are not a message of the expected format.
	Malformed
	// TooLarge: the body, or the address, is larger than the route takes.
	TooLarge
	// MediaType: the content type or encoding is not one the route takes.
	MediaType
	// NoRoute: nothing is served at this path.
	NoRoute
	// Method: the path exists, the HTTP method does not.
	Method
	// Invalid: well-formed, but a field's value is not acceptable; see Fields.
	Invalid

	// NoToken: no credential was shown where one is needed.
	NoToken
	// BadToken: the token is not ours, not for this, or no longer good.
	BadToken
	// Credentials: wrong user name or password, wrong business id or token.
	Credentials
	// Client: unknown OAuth client or wrong client secret.
	Client
	// ClientGrant: this client may not use this grant.
	ClientGrant
	// GrantType: a grant that is not offered.
	GrantType
	// Grant: the refresh token is not good.
	Grant
	// Scope: a scope that is unknown or not granted.
	Scope

	// Domain: the account belongs to another domain than the one addressed.
	Domain
	// Line: the sender line is not the account's.
	Line
	// LineStatus: the sender line's state forbids its use.
	LineStatus
	// Disabled: the account is switched off.
	Disabled
	// Expired: the account's term has ended; see Until.
	Expired
	// Address: calls from this network address are not allowed.
	Address
	// Service: the service is not granted to the account.
	Service
	// Operation: the service is granted, this method of it is not.
	Operation
	// Rate: too many calls; see Limit and RetryAfter.
	Rate
	// Credit: the wallet does not cover the price.
	Credit
	// InFlight: a call with the same idempotency key is under way.
	InFlight
	// KeyReused: the idempotency key was used for another call, or its answer
	// is no longer kept.
	KeyReused

	// TooMany: more recipients, texts, lines or ids than one call takes; see Limit.
	TooMany
	// TooLong: a message of more parts than one can have.
	TooLong
	// TooLate: what is to be cancelled has begun, or is about to.
	TooLate
	// Template: no such template, or one whose values do not fit; see Fields.
	Template
	// Quota: what an account or a line may send in a while is used up.
	Quota

	// NotFound: the source answered, and there is no such subject.
	NotFound
	// SourceTimeout: the source did not answer in time: could not find out.
	SourceTimeout
	// SourceUnavailable: the source cannot be asked: could not find out.
	SourceUnavailable

	count
)

var names = [count]string{
	"internal", "unavailable", "busy",
	"hung-up", "malformed", "too-large", "media-type", "no-route", "method", "invalid",
	"no-token", "bad-token", "credentials", "client", "client-grant", "grant-type", "grant", "scope",
	"domain", "line", "line-status", "disabled", "expired", "address", "service", "operation", "rate", "credit", "in-flight", "key-reused",
	"too-many", "too-long", "too-late", "template", "quota",
	"not-found", "source-timeout", "source-unavailable",
}

// String is the code's stable name in logs, trail and metrics.
func (c Code) String() string {
	if c >= count {
		return names[Internal]
	}
	return names[c]
}

// Ours tells whether the failure is not the caller's doing, so that nothing
// that was taken from the caller (rate, credit) may be kept.
func (c Code) Ours() bool {
	switch c {
	case Internal, Unavailable, Busy, SourceTimeout, SourceUnavailable:
		return true
	default:
		return false
	}
}

// Codes lists every code, for tables that must answer all of them.
func Codes() []Code {
	all := make([]Code, count)
	for i := range all {
		all[i] = Code(i)
	}
	return all
}

// Rule says what is wrong with a field's value.
type Rule uint8

// The rules a field can break.
const (
	Missing  Rule = iota // absent, null or blank
	Type                 // another JSON type than the route takes
	Form                 // not of the expected form
	Short                // fewer than Min characters
	Long                 // more than Max characters
	Range                // a number outside Min..Max
	Checksum             // well-formed, but the check digit is wrong
	Date                 // not a possible date
	Future               // a date later than today
	Repeated             // given more than once
	Past                 // a moment that is over
	Lengths              // not as many values as the other lists have
)

// Field is one unacceptable value. The value itself is never kept.
type Field struct {
	Name     string // as the dialect's page names it
	Rule     Rule
	Min, Max int // characters or bounds, where the rule has them
}

// Error is a refusal with what the dialects need to word it.
type Error struct {
	Code       Code
	Fields     []Field       // Invalid
	Until      time.Time     // Expired: when the account's term ended
	Limit      int           // Rate: calls per second; TooMany: how many are taken
	RetryAfter time.Duration // Rate, Busy, Unavailable: when another try makes sense
	Err        error         // the cause; for the log, never for the caller
}

func (e *Error) Error() string {
	if e.Err != nil {
		return e.Code.String() + ": " + e.Err.Error()
	}
	return e.Code.String()
}

func (e *Error) Unwrap() error { return e.Err }

// New is a bare refusal.
func New(c Code) *Error { return &Error{Code: c} }

// Wrap is a refusal with its cause.
func Wrap(c Code, err error) *Error { return &Error{Code: c, Err: err} }

// Bad is an Invalid refusal of one or more fields.
func Bad(fields ...Field) *Error { return &Error{Code: Invalid, Fields: fields} }

// From gives the refusal inside err; an error without one is Internal, and
// its text stays for the log.
func From(err error) *Error {
	var f *Error
	if errors.As(err, &f) {
		return f
	}
	return Wrap(Internal, err)
}
