// Package sabapayamak speaks the web service of the SMS panel Saba Payamak:
// its paths, its envelope, its codes and texts, and the odd headers that its
// clients send. README.md tells what the provider's page says and what is
// ours. Who may call, what a token is and what a wallet holds are decided
// elsewhere.
package sabapayamak

import (
	"context"
	"net/http"
	"net/url"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/admission"
	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/token"
)

const (
	name    = "sabapayamak" // also the audience of its tokens
	service = "sms"
)

// Deps is what the dialect asks of the rest. All functions are needed.
type Deps struct {
	Grant   func(context.Context, token.Request) (token.Issued, error)
	Balance func(ctx context.Context, account string) (rial.Amount, error)
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
		Routes: []dialect.Route{
			{
				Method: http.MethodPost, Path: "/api/v1/user/authenticate",
				Service: service, Label: "token",
				Body: 4 << 10, Types: dialect.JSONTypes,
				Checks: checks, Who: whoLogsIn(deps), Steps: login(deps, out),
			},
			{
				Method: http.MethodGet, Path: "/api/v1/credit",
				Service: service, Operation: "balance",
				Checks: checks, Who: whoHoldsToken, Steps: credit(deps, out),
			},
		},
		Refuse:  refuse,
		Example: func(w dialect.World) []dialect.Example { return example(deps, w) },
	}
}

// A token is good for one sender line, so the line is checked on every call.
// The rate comes before what a caller may do: each refusal is a record, and a
// caller without a line or a permission must not be able to fill the trail.
var checks = []admission.Check{
	admission.Who, admission.Status, admission.Expiry, admission.Address, admission.Rate,
	admission.Line, admission.Permission,
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

func credit(deps Deps, out encoder) dialect.Steps {
	return dialect.Sale[struct{}, rial.Amount]{
		Open: func(*dialect.Request, *admission.Pass) (struct{}, error) { return struct{}{}, nil },
		Ask: func(ctx context.Context, p *admission.Pass, _ struct{}) (rial.Amount, string, error) {
			a, err := deps.Balance(ctx, p.Account.ID)
			return a, "", err
		},
		Encode: out.credit,
	}.Steps()
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
	return []dialect.Example{
		{Title: "sabapayamak: token", Command: "TOKEN=$(curl -s " + dialect.Quote(w.Base+"/api/v1/user/authenticate") + addressed(deps, w) +
			" -H 'Content-Type: application/json' -d " + dialect.Quote(string(body)) +
			` | sed -n 's/.*"[Tt]oken":"\([^"]*\)".*/\1/p'); echo "$TOKEN"`},
		{Title: "sabapayamak: credit", Command: "curl -s -w '\\n' " + dialect.Quote(w.Base+"/api/v1/credit") + ` -H "Authorization: Bearer $TOKEN"`},
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
