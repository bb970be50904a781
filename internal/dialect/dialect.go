// Package dialect owns the contract between the one call path and the
// providers' ways of speaking: what a route is, what a request and a reply
// are, and what a table of faults must answer. Each dialect is a folder below
// and knows no other.
package dialect

import (
	"context"
	"net/http"

	"dargah.dev/dargah/internal/admission"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/sms"
	"dargah.dev/dargah/internal/token"
)

// Dialect is one provider's way of speaking.
type Dialect struct {
	Name   string
	Routes []Route
	// Owns lists the path prefixes under which unknown paths are answered in
	// this dialect's style; each ends with a slash.
	Owns []string
	// Refuse words a fault; it must answer every fault.Code. Routes may have
	// their own.
	Refuse func(*Request, *fault.Error) Reply
	// Example gives ready-to-paste commands: a token call and a protected call,
	// or one call where there is no token; none where the world's account lacks
	// what the calls need.
	Example func(World) []Example
}

// Route is one method on one path. It names what is sold, in which order the
// caller is checked, and the small functions that read and write the bytes.
type Route struct {
	Method string
	Path   string
	// Service and Operation are what the caller must be granted. Unsold routes
	// (an OAuth token call) have no Service: any account may use them.
	Service   string
	Operation string
	// Label names the route in the trail and the log where no service does.
	Label string
	// Priced: an answer costs the price of Service.
	Priced bool
	// Body bounds the request body, in bytes; 0 is 64 KiB.
	Body int64
	// Types are the media types that are taken, where the method has a body.
	Types []string
	// Checks is the order in which the caller is checked.
	Checks []admission.Check
	// Who reads what the caller shows.
	Who func(*Request) (admission.Credential, error)
	// Refuse words a fault where this route differs from its dialect.
	Refuse func(*Request, *fault.Error) Reply
	Steps  Steps
}

// Name is what the trail and the log call the route's method.
func (r *Route) Name() string {
	if r.Operation != "" {
		return r.Operation
	}
	return r.Label
}

// Reply is a whole answer, in memory.
type Reply struct {
	Status int
	Type   string // content type
	Header http.Header
	Body   []byte
}

// Steps are a route's three steps between admission and closing, with the
// types of question and answer erased; made by Sale.Steps.
type Steps struct {
	Open   func(*Request, *admission.Pass) (any, error)
	Ask    func(context.Context, *admission.Pass, any) (answer any, source string, err error)
	Encode func(*Request, any, any) (Reply, error)
	// Subject is the person asked about; empty where there is none.
	Subject func(any) string
	// Outside tells whether asking leaves this process, so that the price is
	// reserved before.
	Outside func(any) bool
	// Price is what the answer costs, where that depends on it; nil where it
	// is the price of the service.
	Price func(any) rial.Amount
	// Effect is what becomes durable with the answer.
	Effect func(any) Effect
}

// Effect is what an answer does besides being given. The zero Effect does
// nothing.
type Effect struct {
	Document string          // the token that was made, for the trail
	Rotation *token.Rotation // a refresh token that was spent
	Batch    *sms.Batch      // messages to be sent
	Cancel   *sms.Cancel     // messages not to be sent after all
	Read     *sms.Read       // incoming messages that the caller has now seen
}

// Sale joins what a dialect reads (Open) and writes (Encode) with the service
// that answers (Ask). Subject, Outside, Price and Effect may be left out.
type Sale[Q, A any] struct {
	// Open reads and checks the question. Nothing has been asked or charged.
	Open func(*Request, *admission.Pass) (Q, error)
	// Ask gives the answer, and the name of the source that decided it.
	Ask func(context.Context, *admission.Pass, Q) (A, string, error)
	// Encode writes the answer's bytes. It runs before the charge.
	Encode  func(*Request, Q, A) (Reply, error)
	Subject func(Q) string
	// Outside tells whether a question is asked outside of this process; without
	// it none is.
	Outside func(Q) bool
	// Price is what an answer costs; without it the price of the service.
	Price  func(A) rial.Amount
	Effect func(A) Effect
}

// Steps erases the types.
func (s Sale[Q, A]) Steps() Steps {
	var price func(any) rial.Amount
	if s.Price != nil {
		price = func(a any) rial.Amount { return s.Price(a.(A)) }
	}
	return Steps{
		Price: price,
		Open:  func(r *Request, p *admission.Pass) (any, error) { return s.Open(r, p) },
		Ask: func(ctx context.Context, p *admission.Pass, q any) (any, string, error) {
			return s.Ask(ctx, p, q.(Q))
		},
		Encode: func(r *Request, q, a any) (Reply, error) { return s.Encode(r, q.(Q), a.(A)) },
		Subject: func(q any) string {
			if s.Subject == nil {
				return ""
			}
			return s.Subject(q.(Q))
		},
		Outside: func(q any) bool { return s.Outside != nil && s.Outside(q.(Q)) },
		Effect: func(a any) Effect {
			if s.Effect == nil {
				return Effect{}
			}
			return s.Effect(a.(A))
		},
	}
}

// Prices tells what an answer of a service costs; 0 where nothing is set.
type Prices func(service string) rial.Amount

// Example is one ready-to-paste command.
type Example struct {
	Title   string `json:"title"`
	Command string `json:"command"`
}

// World is what examples are made of: one account that can do everything, and
// one person to ask about.
type World struct {
	Base                       string // http://127.0.0.1:8080
	Domain, Username, Password string
	Line                       string
	Client, ClientSecret       string
	Business, BusinessToken    string
	APIKey, Template           string // empty where there is none
	NationalCode, Date, Mobile string
}
