// Package smsafzar speaks the RESTful web service of the SMS panel SMSAfzar:
// its paths, its JSON, its numbers and texts. README.md tells what the
// provider's page says and what is ours. Who may call, what a token is and
// what a wallet holds are decided elsewhere.
package smsafzar

import (
	"context"
	"net/http"
	"unicode/utf8"

	"dargah.dev/dargah/internal/admission"
	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/token"
)

const (
	name    = "smsafzar" // also the audience of its tokens
	service = "sms"
)

// Deps is what the dialect asks of the rest. All fields are needed.
type Deps struct {
	Grant   func(context.Context, token.Request) (token.Issued, error)
	Balance func(ctx context.Context, account string) (rial.Amount, error)
}

// New gives the dialect, complete.
func New(deps Deps) *dialect.Dialect {
	return &dialect.Dialect{
		Name: name,
		Owns: []string{"/auth/", "/account/", "/messages/"},
		Routes: []dialect.Route{
			{
				Method: http.MethodPost, Path: "/auth/token",
				Service: service, Label: "token",
				Body: 4 << 10, Types: dialect.JSONTypes,
				Checks: checks, Who: whoLogsIn, Steps: login(deps),
			},
			{
				Method: http.MethodGet, Path: "/account/balance",
				Service: service, Operation: "balance",
				Checks: checks, Who: whoHoldsToken, Steps: balance(deps),
			},
		},
		Refuse:  refuse,
		Example: example,
	}
}

// The rate comes before the permission: each refusal is a record, and a caller
// without a permission must not be able to fill the trail.
var checks = []admission.Check{
	admission.Who, admission.Status, admission.Expiry, admission.Address, admission.Rate, admission.Permission,
}

func whoLogsIn(r *dialect.Request) (admission.Credential, error) {
	in, err := decodeLogin(r)
	if err != nil {
		return nil, err
	}
	return admission.Password{Domain: in.domain, Username: in.username, Password: in.password}, nil
}

func whoHoldsToken(r *dialect.Request) (admission.Credential, error) {
	shown, err := r.Bearer()
	if err != nil {
		return nil, err
	}
	return admission.Bearer{Token: shown, Audience: name}, nil
}

func login(deps Deps) dialect.Steps {
	return dialect.Sale[token.Request, token.Issued]{
		Open: func(_ *dialect.Request, p *admission.Pass) (token.Request, error) {
			return token.Request{
				Account: p.Account.ID, Epoch: p.Account.Epoch, Audience: name, Days: p.Account.TokenDays,
			}, nil
		},
		Ask: func(ctx context.Context, _ *admission.Pass, q token.Request) (token.Issued, string, error) {
			issued, err := deps.Grant(ctx, q)
			return issued, "", err
		},
		Encode: encodeToken,
		Effect: func(a token.Issued) dialect.Effect {
			return dialect.Effect{Document: a.Claims.ID, Rotation: a.Rotation}
		},
	}.Steps()
}

func balance(deps Deps) dialect.Steps {
	return dialect.Sale[struct{}, rial.Amount]{
		Open: func(*dialect.Request, *admission.Pass) (struct{}, error) { return struct{}{}, nil },
		Ask: func(ctx context.Context, p *admission.Pass, _ struct{}) (rial.Amount, string, error) {
			a, err := deps.Balance(ctx, p.Account.ID)
			return a, "", err
		},
		Encode: encodeBalance,
	}.Steps()
}

// example gives nothing for an account whose name or password is too short here.
func example(w dialect.World) []dialect.Example {
	if utf8.RuneCountInString(w.Username) < minUsername || utf8.RuneCountInString(w.Password) < minPassword {
		return nil
	}
	body := dialect.MustJSON(0, struct {
		Username string `json:"userName"`
		Password string `json:"password"`
		Domain   string `json:"domain"`
	}{w.Username, w.Password, w.Domain}).Body
	return []dialect.Example{
		{Title: "smsafzar: token", Command: "TOKEN=$(curl -s " + dialect.Quote(w.Base+"/auth/token") +
			" -H 'Content-Type: application/json' -d " + dialect.Quote(string(body)) +
			` | sed -n 's/.*"token":"\([^"]*\)".*/\1/p'); echo "$TOKEN"`},
		{Title: "smsafzar: balance", Command: "curl -s -w '\\n' " + dialect.Quote(w.Base+"/account/balance") + ` -H "Authorization: Bearer $TOKEN"`},
	}
}
