// Package itsaaz speaks as Itsaaz's API does: an OAuth2 token call by form, and
// the start of a credit report in the provider's envelope. What the provider's
// page says and what is ours is written down in README.md.
//
// It owns bytes and their meaning on this wire. Who may call, what a report is
// and what a token holds are decided elsewhere; the two services come in Deps.
package itsaaz

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"dargah.dev/dargah/internal/admission"
	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/inquiry/credit"
	"dargah.dev/dargah/internal/token"
)

// name is the dialect's, and the audience of its tokens.
const name = "itsaaz"

const (
	tokenPath = "/identity/token"
	infoPath  = "/ai/etebar/info"
)

// tokenBody bounds the token call's form, in bytes: the longest honest one is a
// refresh token of about 400 bytes beside a client's name and secret.
const tokenBody = 4 << 10

// Deps are the services behind the routes. Both are needed.
type Deps struct {
	Grant  func(context.Context, token.Request) (token.Issued, error)
	Credit func(ctx context.Context, account string, q credit.Question) (credit.Answer, string, error)
}

// New is the dialect, complete.
func New(d Deps) *dialect.Dialect {
	sold := []dialect.Route{infoRoute(d)}
	return &dialect.Dialect{
		Name:    name,
		Routes:  append([]dialect.Route{tokenRoute(d, scopes(sold))}, sold...),
		Owns:    []string{"/identity/", "/ai/"},
		Refuse:  refuse,
		Example: example,
	}
}

// checks is the order in which a caller is checked on both routes. The rate
// comes before the permission so that a caller without it cannot fill the trail
// with refusals, and after the account's own state so that a login of a disabled
// account meets one answer only (README, "Faults of the token call").
var checks = []admission.Check{
	admission.Who, admission.Status, admission.Expiry, admission.Address, admission.Rate, admission.Permission,
}

func tokenRoute(d Deps, scopes []string) dialect.Route {
	return dialect.Route{
		Method: http.MethodPost, Path: tokenPath, Label: "token",
		Body: tokenBody, Types: dialect.FormTypes,
		Checks: checks, Who: grantee, Refuse: refuseOAuth,
		Steps: dialect.Sale[token.Request, token.Issued]{
			Open: func(r *dialect.Request, p *admission.Pass) (token.Request, error) {
				return request(r, p, scopes)
			},
			Ask: func(ctx context.Context, _ *admission.Pass, q token.Request) (token.Issued, string, error) {
				issued, err := d.Grant(ctx, q)
				return issued, "", err
			},
			Encode: issued,
			Effect: func(i token.Issued) dialect.Effect {
				return dialect.Effect{Document: i.Claims.ID, Rotation: i.Rotation}
			},
		}.Steps(),
	}
}

func infoRoute(d Deps) dialect.Route {
	return dialect.Route{
		Method: http.MethodPost, Path: infoPath, Service: credit.Service, Label: "info",
		Types:  dialect.JSONTypes,
		Checks: checks, Who: bearer, Refuse: refuseEnveloped,
		Steps: dialect.Sale[credit.Question, credit.Answer]{
			Open: question,
			Ask: func(ctx context.Context, p *admission.Pass, q credit.Question) (credit.Answer, string, error) {
				return d.Credit(ctx, p.Account.ID, q)
			},
			Encode:  report,
			Subject: func(q credit.Question) string { return q.NationalCode.Digits() },
		}.Steps(),
	}
}

// scopes are the services that the routes sell, each once: what a token of this
// dialect can open.
func scopes(routes []dialect.Route) []string {
	var all []string
	for i := range routes {
		if s := routes[i].Service; s != "" && !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// example gives a token call that keeps the token in the shell, and the call
// that it opens; nothing for an account without a client.
func example(w dialect.World) []dialect.Example {
	if w.Client == "" {
		return nil
	}
	field := func(name, value string) string { return " --data-urlencode " + dialect.Quote(name+"="+value) }
	return []dialect.Example{
		{Title: "itsaaz: token", Command: "TOKEN=$(curl -s " + dialect.Quote(w.Base+tokenPath) +
			field("grant_type", grantPassword) + field("client_id", w.Client) + field("Client_secret", w.ClientSecret) +
			field("username", w.Username) + field("password", w.Password) +
			` | sed -n 's/.*"access_token":"\([^"]*\)".*/\1/p'); echo "$TOKEN"`},
		{Title: "itsaaz: credit report", Command: "curl -s -w '\\n' " + dialect.Quote(w.Base+infoPath) +
			` -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d ` +
			dialect.Quote(compact(struct{ NationalCode, Cellphone string }{w.NationalCode, w.Mobile}))},
	}
}

func compact(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // strings cannot fail
	return strings.TrimSpace(b.String())
}
