// Package sabapayamak speaks the web service of the SMS panel Saba Payamak:
// its paths, its envelope, its codes and texts, and the odd headers that its
// clients send. README.md tells what the provider's page says and what is
// ours. Who may call, what a token is and what a wallet holds are decided
// elsewhere.
package sabapayamak

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/admission"
	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/ledger"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/sms"
	"dargah.dev/dargah/internal/token"
)

const (
	name    = "sabapayamak" // also the audience of its tokens
	service = "sms"

	// sendLimit bounds the body of a sending, in bytes: the longest text in the
	// alphabet of two bytes, each letter escaped as several clients do, is 100 KiB.
	sendLimit = 128 << 10
)

// Deps is what the dialect asks of the rest. All functions are needed.
type Deps struct {
	Grant   func(context.Context, token.Request) (token.Issued, error)
	Balance func(ctx context.Context, account string) (rial.Amount, error)
	// Send makes a batch of an order; what it gives becomes durable with the call.
	Send     func(context.Context, sms.Order) (sms.Batch, error)
	Sent     func(context.Context, sms.Sent) ([]sms.Batch, error)
	Incoming func(context.Context, sms.Inbox) ([]sms.Incoming, error)
	Entries  func(context.Context, ledger.Query) ([]ledger.Entry, error)
	// Domain is the domain that a Host header addresses.
	Domain func(host string) string
	// Camel lowers the first letter of the names inside data, as several
	// working clients read them; the page prints them with a capital.
	Camel bool
}

// New gives the dialect, complete.
func New(deps Deps) *dialect.Dialect {
	out := encoder{camel: deps.Camel}
	return &dialect.Dialect{
		Name: name,
		Owns: []string{"/api/v1/"},
		Routes: slices.Concat(
			[]dialect.Route{{
				Method: http.MethodPost, Path: "/api/v1/user/authenticate",
				Service: service, Label: "token",
				Body: 4 << 10, Types: dialect.JSONTypes,
				Checks: checks, Who: whoLogsIn(deps), Steps: login(deps, out),
			}},
			sendRoutes(deps, out), reportRoutes(deps, out), inboxRoutes(deps, out), creditRoutes(deps, out), oldRoutes(deps),
		),
		Refuse:  refuse,
		Example: func(w dialect.World) []dialect.Example { return example(deps, w) },
	}
}

// A token is good for one sender line, so the line is checked on every call.
// The rate comes before what a caller may do: each refusal is a record, and a
// caller without a line or a permission must not be able to fill the trail.
var (
	checks = []admission.Check{
		admission.Who, admission.Status, admission.Expiry, admission.Address, admission.Rate,
		admission.Line, admission.Permission,
	}
	sendChecks = append(slices.Clip(checks), admission.Credit)
	// lineless is for the one call that names no line.
	lineless = []admission.Check{
		admission.Who, admission.Status, admission.Expiry, admission.Address, admission.Rate, admission.Permission,
	}
)

func sendRoutes(deps Deps, out encoder) []dialect.Route {
	send := func(method, path string, who func(*dialect.Request) (admission.Credential, error), steps dialect.Steps) dialect.Route {
		return dialect.Route{
			Method: method, Path: path, Service: service, Operation: "send", Priced: true,
			Checks: sendChecks, Who: who, Steps: steps,
		}
	}
	var routes []dialect.Route
	// The second path is that of the libraries before August 2021.
	for _, path := range []string{"/api/v1/message", "/api/v1/messages"} {
		r := send(http.MethodPost, path, whoHoldsToken, sell(deps, openSend, out.result))
		r.Body, r.Types = sendLimit, dialect.JSONTypes
		routes = append(routes, r)
	}
	// The second path is that of the Node library.
	for _, path := range []string{"/api/v1/message", "/api/v1/message/{$}"} {
		r := send(http.MethodGet, path, whoAsks(deps, ofMessages), sell(deps, openQuery(ofMessages), out.result))
		r.Refuse = answers.but(ofQuery)
		routes = append(routes, r)
	}
	return routes
}

// read is a route that a token opens and that changes neither money nor
// messages that were sent.
func read(path, operation string, steps dialect.Steps) dialect.Route {
	return dialect.Route{
		Method: http.MethodGet, Path: path, Service: service, Operation: operation,
		Checks: checks, Who: whoHoldsToken, Steps: steps,
	}
}

func reportRoutes(deps Deps, out encoder) []dialect.Route {
	one := read("/api/v1/deliveries/{id}", "status", list(deps, byID, out.deliveries))
	one.Refuse = answers.but(ofMessage)
	routes := []dialect.Route{one}
	// The second path is that of the WordPress plugin.
	for _, path := range []string{"/api/v1/messages", "/api/v1/credit/messages"} {
		one := read(path+"/{id}", "status", list(deps, byID, out.message))
		one.Refuse = answers.but(ofMessage)
		routes = append(
			routes, one,
			read(path, "status", list(deps, byPeriod, out.messages)),
			read(path+"/number/{number}", "status", list(deps, byRecipient, out.messages)),
		)
	}
	return routes
}

// inboxRoutes have the provider's spelling.
func inboxRoutes(deps Deps, out encoder) []dialect.Route {
	const top = "/api/v1/recived-messages"
	give := func(path string, open func(*dialect.Request, *sms.Inbox) error) dialect.Route {
		return read(top+path, "received", inbox(deps, out, open))
	}
	return []dialect.Route{
		give("", inPeriod),
		give("/date/unread", unread(inPeriod)),
		give("/unread", unread(whenever)),
		give("/{number}", bySender),
		give("/{number}/{what}", unread(bySenderUnread)),
		give("/virtaul-number/{vnumber}", byLine),
		give("/virtaul-number/{vnumber}/unread", unread(byLine)),
	}
}

// creditRoutes have each path twice: the page writes credits where the libraries
// write credit.
func creditRoutes(deps Deps, out encoder) []dialect.Route {
	tell := func(path string, open func(*dialect.Request, *wallet) error) dialect.Route {
		return read(path, "balance", credit(deps, out, open))
	}
	routes := []dialect.Route{tell("/api/v1/credit", whole), tell("/api/v1/credits", rowsOf)}
	for _, path := range []string{"/api/v1/credit", "/api/v1/credits"} {
		routes = append(
			routes,
			tell(path+"/{count}", last(false)),
			tell(path+"/send-sms/{count}", last(true, ledger.Charge)),
			tell(path+"/recived/{count}", lastIncoming),
			tell(path+"/charge/{count}", last(false, ledger.Opening, ledger.TopUp)),
			tell(path+"/money-back/{count}", last(false, ledger.Refund)),
		)
	}
	return routes
}

func oldRoutes(deps Deps) []dialect.Route {
	return []dialect.Route{
		{
			Method: http.MethodGet, Path: "/API/SendSms.ashx", Service: service, Operation: "send", Priced: true,
			Checks: sendChecks, Who: whoAsks(deps, ofOldMessages), Refuse: refuseOldSend,
			Steps: sell(deps, openQuery(ofOldMessages), encodeOldSend),
		},
		{
			Method: http.MethodGet, Path: "/API/GetCredit.ashx", Service: service, Operation: "balance",
			Checks: lineless, Who: whoAsks(deps, ofOldCredit), Refuse: refuseOldCredit, Steps: oldCredit(deps),
		},
	}
}

func whoLogsIn(deps Deps) func(*dialect.Request) (admission.Credential, error) {
	return func(r *dialect.Request) (admission.Credential, error) {
		in, err := decodeLogin(r)
		if err != nil {
			return nil, err
		}
		return admission.Password{
			Domain: deps.Domain(r.Host), Username: in.username, Password: in.password,
			Elsewhere: true, Line: in.line,
		}, nil
	}
}

func whoHoldsToken(r *dialect.Request) (admission.Credential, error) {
	value, err := r.Authorization()
	if err != nil {
		return nil, err
	}
	return admission.Bearer{Token: bearer(value), Audience: name}, nil
}

func login(deps Deps, out encoder) dialect.Steps {
	return dialect.Sale[session, token.Issued]{
		Open: func(r *dialect.Request, p *admission.Pass) (session, error) {
			in, err := decodeLogin(r)
			return session{owner: p.Account, line: p.Line.Number, days: in.days}, err
		},
		Ask: func(ctx context.Context, p *admission.Pass, q session) (token.Issued, string, error) {
			issued, err := deps.Grant(ctx, token.Request{
				Account: p.Account.ID, Epoch: p.Account.Epoch, Audience: name, Days: q.days, Line: q.line,
			})
			return issued, "", err
		},
		Encode: out.session,
		Effect: func(a token.Issued) dialect.Effect {
			return dialect.Effect{Document: a.Claims.ID, Rotation: a.Rotation}
		},
	}.Steps()
}

// session is what a login asks for: a token for one line and so many days.
type session struct {
	owner *account.Account
	line  string // as the account has it
	days  int
}

// example gives nothing for an account without a line.
func example(deps Deps, w dialect.World) []dialect.Example {
	if w.Line == "" {
		return nil
	}
	body := dialect.MustJSON(0, struct {
		Username, Password, VirtualNumber string
		TokenValidDay                     int
	}{w.Username, w.Password, w.Line, 15}).Body
	message := dialect.MustJSON(0, struct {
		Text    string
		Numbers []string
	}{"سلام از درگاه", []string{cmp.Or(strings.TrimPrefix(w.Mobile, "0"), "9120000000")}}).Body
	return []dialect.Example{
		{Title: "sabapayamak: token", Command: "TOKEN=$(curl -s " + dialect.Quote(w.Base+"/api/v1/user/authenticate") + addressed(deps, w) +
			" -H 'Content-Type: application/json' -d " + dialect.Quote(string(body)) +
			` | sed -n 's/.*"[Tt]oken":"\([^"]*\)".*/\1/p'); echo "$TOKEN"`},
		{Title: "sabapayamak: credit", Command: "curl -s -w '\\n' " + dialect.Quote(w.Base+"/api/v1/credit") + ` -H "Authorization: Bearer $TOKEN"`},
		{Title: "sabapayamak: message", Command: "curl -s -w '\\n' " + dialect.Quote(w.Base+"/api/v1/message") +
			` -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d ` + dialect.Quote(string(message))},
	}
}

// addressed names the domain of the account where the address alone would
// name another.
func addressed(deps Deps, w dialect.World) string {
	base, err := url.Parse(w.Base)
	if err != nil || account.DomainKey(deps.Domain(base.Host)) == account.DomainKey(w.Domain) {
		return ""
	}
	return " -H " + dialect.Quote("Host: "+w.Domain)
}
