// Package uid owns UID's way of speaking: credentials that ride in each body,
// answers at the root beside a responseContext, and the page's spelling,
// oddities included (README.md). Who may call and what a register knows is
// decided elsewhere.
package uid

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"dargah.dev/dargah/internal/admission"
	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/inquiry/person"
)

// Name is the dialect's name in the trail and the log.
const Name = "uid"

// Deps are the services that the dialect sells.
type Deps struct {
	// Person gives the person and the name of the source that decided.
	Person func(context.Context, person.Question) (person.Person, string, error)
	// Outside tells whether that asks somebody outside of this process.
	Outside func(person.Question) bool
}

// New is the dialect.
func New(d Deps) *dialect.Dialect {
	return &dialect.Dialect{
		Name:    Name,
		Owns:    []string{"/api/inquiry/", "/api/validate/"},
		Refuse:  refuse,
		Example: example,
		Routes: []dialect.Route{
			inquiry("/api/inquiry/person", person.Service, dialect.Sale[person.Question, person.Person]{
				Open: decodePerson,
				Ask: func(ctx context.Context, _ *admission.Pass, q person.Question) (person.Person, string, error) {
					return d.Person(ctx, q)
				},
				Encode:  encodePerson,
				Subject: func(q person.Question) string { return q.NationalCode.Digits() },
				Outside: d.Outside,
			}.Steps()),
		},
	}
}

// inquiry is what all routes of this dialect have in common.
func inquiry(path, service string, steps dialect.Steps) dialect.Route {
	return dialect.Route{
		Method:  http.MethodPost,
		Path:    path,
		Service: service,
		Label:   strings.TrimPrefix(path, "/api/"),
		Priced:  true,
		// A client is known that names a form and sends JSON (README, "Request").
		Types: slices.Concat(dialect.JSONTypes, dialect.FormTypes),
		Checks: []admission.Check{
			admission.Who, admission.Status, admission.Expiry, admission.Address,
			admission.Rate, admission.Permission, admission.Credit,
		},
		Who:   decodeCredential,
		Steps: steps,
	}
}

// question is the page's sample request (section 2.1).
type question struct {
	Context    requestContext `json:"requestContext"`
	NationalID string         `json:"nationalId"`
	BirthDate  string         `json:"birthDate"`
}

type requestContext struct {
	Info apiInfo `json:"apiInfo"`
}

type apiInfo struct {
	ID    string `json:"businessId"`
	Token string `json:"businessToken"`
}

// example gives nothing for an account without a business credential.
func example(w dialect.World) []dialect.Example {
	if w.Business == "" {
		return nil
	}
	body := dialect.MustJSON(0, question{requestContext{apiInfo{w.Business, w.BusinessToken}}, w.NationalCode, w.Date}).Body
	return []dialect.Example{{
		Title: "uid: who is this person",
		Command: "curl -s -w '\\n' " + dialect.Quote(w.Base+"/api/inquiry/person") +
			" -H 'Content-Type: application/json;charset=UTF-8' -d " + dialect.Quote(string(body)),
	}}
}
