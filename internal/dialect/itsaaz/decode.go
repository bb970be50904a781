package itsaaz

import (
	"encoding/base64"
	"errors"
	"net/url"
	"slices"
	"strings"

	"dargah.dev/dargah/internal/admission"
	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/inquiry/credit"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/strict"
	"dargah.dev/dargah/internal/token"
)

// The grants that are offered.
const (
	grantPassword = "password"
	grantRefresh  = "refresh_token"
)

// parameters are the token call's, by the names that faults give them.
var parameters = []string{
	"grant_type", "client_id", "client_secret", "username", "password", "refresh_token", "scope",
}

// grantee reads who asks for a token: a client with a user's password, or with
// a refresh token. Faults: Malformed, Invalid, GrantType, Client.
func grantee(r *dialect.Request) (admission.Credential, error) {
	form, err := fields(r)
	if err != nil {
		return nil, err
	}
	grant, _ := form.Get("grant_type")
	switch grant {
	case "":
		return nil, missing("grant_type")
	case grantPassword:
		return byPassword(r, form)
	case grantRefresh:
		return byRefresh(r, form)
	default:
		return nil, fault.New(fault.GrantType)
	}
}

// byPassword leaves user name and password exactly as they were sent: the
// directory folds names, and nobody may fold a password.
func byPassword(r *dialect.Request, form strict.Fields) (admission.Credential, error) {
	var c admission.ClientPassword
	c.Username, _ = form.Get("username")
	c.Password, _ = form.Get("password")
	switch {
	case c.Username == "" && c.Password == "":
		return nil, missing("username", "password")
	case c.Username == "":
		return nil, missing("username")
	case c.Password == "":
		return nil, missing("password")
	}
	var err error
	c.Client, c.Secret, err = client(r, form)
	return c, err
}

func byRefresh(r *dialect.Request, form strict.Fields) (admission.Credential, error) {
	var c admission.ClientRefresh
	c.Refresh, _ = form.Get("refresh_token")
	if c.Refresh == "" {
		return nil, missing("refresh_token")
	}
	var err error
	c.Client, c.Secret, err = client(r, form)
	return c, err
}

// fields reads the form and refuses a repeated parameter (RFC 6749 section 3.2).
// An empty parameter counts as left out, by the same section.
func fields(r *dialect.Request) (strict.Fields, error) {
	form, err := r.Form()
	if err != nil {
		return strict.Fields{}, err
	}
	if sent, yes := form.Repeated(); yes {
		return strict.Fields{}, fault.Bad(fault.Field{Name: known(sent), Rule: fault.Repeated})
	}
	return form, nil
}

// known is our spelling of a parameter's name, and nothing for a name that is
// not ours: what a caller calls its fields is not echoed.
func known(sent string) string {
	i := slices.IndexFunc(parameters, func(p string) bool { return strings.EqualFold(p, sent) })
	if i < 0 {
		return ""
	}
	return parameters[i]
}

func missing(names ...string) error {
	bad := make([]fault.Field, len(names))
	for i, n := range names {
		bad[i] = fault.Field{Name: n, Rule: fault.Missing}
	}
	return fault.Bad(bad...)
}

// client reads how the client authenticates: by header or in the body, not by
// both (RFC 6749 section 2.3). The same client_id in the body beside a header is
// no second authentication.
func client(r *dialect.Request, form strict.Fields) (id, secret string, err error) {
	headerID, headerSecret, shown, err := basic(r)
	if err != nil {
		return "", "", err
	}
	bodyID, _ := form.Get("client_id")
	bodySecret, _ := form.Get("client_secret")
	switch {
	case shown && bodySecret != "":
		return "", "", fault.Bad(fault.Field{Name: "client_secret", Rule: fault.Repeated})
	case shown && bodyID != "" && bodyID != headerID:
		return "", "", fault.Bad(fault.Field{Name: "client_id", Rule: fault.Repeated})
	case shown:
		return headerID, headerSecret, nil
	case bodyID == "" || bodySecret == "":
		return "", "", fault.Wrap(fault.Client, errors.New("no client authentication"))
	default:
		return bodyID, bodySecret, nil
	}
}

// basic reads "Authorization: Basic", in which id and secret are form-encoded
// before they are joined (RFC 6749 section 2.3.1). Another scheme is not looked
// at: clients that keep one session send their old Bearer token along.
func basic(r *dialect.Request) (id, secret string, shown bool, err error) {
	value, err := r.Authorization()
	if err != nil {
		return "", "", false, fault.Wrap(fault.Malformed, err)
	}
	scheme, encoded, _ := strings.Cut(value, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return "", "", false, nil
	}
	pair, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if err != nil {
		return "", "", true, fault.Wrap(fault.Client, errors.New("the Basic header is not base64"))
	}
	id, secret, _ = strings.Cut(string(pair), ":")
	id, errID := url.QueryUnescape(id)
	secret, errSecret := url.QueryUnescape(secret)
	if errID != nil || errSecret != nil || id == "" || secret == "" {
		return "", "", true, fault.Wrap(fault.Client, errors.New("the Basic header holds no form-encoded id and secret"))
	}
	return id, secret, true, nil
}

// request is the token that an admitted caller asks for. Faults: Scope, and
// those of the form.
func request(r *dialect.Request, p *admission.Pass, sold []string) (token.Request, error) {
	form, err := fields(r)
	if err != nil {
		return token.Request{}, err
	}
	asked, _ := form.Get("scope")
	scope, err := narrowed(open(p, sold), strings.Fields(asked))
	if err != nil {
		return token.Request{}, err
	}
	return token.Request{
		Account: p.Account.ID, Epoch: p.Account.Epoch, Audience: name, Days: p.Account.TokenDays,
		Client: p.Client.ID, Scope: scope, Shown: p.Refresh,
	}, nil
}

// open are the scopes that this caller may have: what is granted to the account
// now and, for a refresh, was in the first token's scope too.
func open(p *admission.Pass, sold []string) []string {
	var may []string
	first := strings.Fields(p.Refresh.Scope)
	for _, s := range sold {
		if p.Account.Grants.Service(s) && (p.Refresh.Family == "" || slices.Contains(first, s)) {
			may = append(may, s)
		}
	}
	return may
}

// narrowed is what was asked of the scopes that may be had, all of them where
// nothing was asked. A token that opens nothing is not made.
func narrowed(may, asked []string) ([]string, error) {
	if len(may) == 0 || slices.ContainsFunc(asked, func(s string) bool { return !slices.Contains(may, s) }) {
		return nil, fault.New(fault.Scope)
	}
	if len(asked) == 0 {
		return may, nil
	}
	return slices.DeleteFunc(may, func(s string) bool { return !slices.Contains(asked, s) }), nil
}

// bearer reads the access token. The fault is BadToken; that there is none is
// found by who checks it.
func bearer(r *dialect.Request) (admission.Credential, error) {
	raw, err := r.Bearer()
	if err != nil {
		return nil, err
	}
	return admission.Bearer{Token: raw, Audience: name}, nil
}

// question reads whose report is asked for. All that is wrong is told at once.
// Faults: Malformed, Invalid.
func question(r *dialect.Request, _ *admission.Pass) (credit.Question, error) {
	body, err := r.JSON(true)
	if err != nil {
		return credit.Question{}, err
	}
	var bad []fault.Field
	q := credit.Question{
		NationalCode: parsed(body, "NationalCode", persian.ParseNationalCode, &bad),
		Mobile:       parsed(body, "Cellphone", persian.ParseMobile, &bad),
	}
	if bad != nil {
		return credit.Question{}, fault.Bad(bad...)
	}
	return q, nil
}

// parsed reads one member, and adds to bad what is wrong with it. A number is a
// wrong type: as one, a national code has already lost its leading zeros.
func parsed[T any](body strict.Object, member string, parse func(string) (T, error), bad *[]fault.Field) (v T) {
	sent := body.Get(member)
	text, isString := sent.String()
	var rule fault.Rule
	switch {
	case sent.Kind() == strict.Absent || sent.Kind() == strict.Null:
		rule = fault.Missing
	case !isString:
		rule = fault.Type
	case len(text) <= 1<<10 && persian.Compact(text) == "":
		rule = fault.Missing
	default:
		var err error
		if v, err = parse(text); err == nil {
			return v
		}
		rule = ruleOf(err)
	}
	*bad = append(*bad, fault.Field{Name: member, Rule: rule})
	return v
}

// ruleOf is the rule behind a parser's error: digits that cannot be anybody's,
// or not the right digits at all.
func ruleOf(err error) fault.Rule {
	for _, sum := range []error{persian.ErrChecksum, persian.ErrAllEqual, persian.ErrPlace} {
		if errors.Is(err, sum) {
			return fault.Checksum
		}
	}
	return fault.Form
}
