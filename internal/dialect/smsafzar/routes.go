// Package smsafzar speaks the RESTful web service of the SMS panel SMSAfzar:
// its paths, its JSON, its numbers and texts. README.md tells what the
// provider's page says and what is ours. Who may call, what a token is and
// what a wallet holds are decided elsewhere.
package smsafzar

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"dargah.dev/dargah/internal/admission"
	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/sms"
	"dargah.dev/dargah/internal/token"
)

const (
	name    = "smsafzar" // also the audience of its tokens
	service = "sms"
)

// The bounds of bodies, in bytes. The longest text there is, with each letter
// escaped as several clients do, is 100 KiB.
const (
	loginLimit = 4 << 10
	sendLimit  = 128 << 10
	bulkLimit  = 1 << 20
)

// Deps is what the dialect asks of the rest. All fields are needed.
type Deps struct {
	Grant   func(context.Context, token.Request) (token.Issued, error)
	Balance func(ctx context.Context, account string) (rial.Amount, error)
	// Send makes a batch of an order; what it gives becomes durable with the call.
	Send func(context.Context, sms.Order) (sms.Batch, error)
	// Messages gives those of the messages that the account has sent.
	Messages func(ctx context.Context, account string, ids []int64) ([]sms.Message, error)
	Sent     func(context.Context, sms.Sent) ([]sms.Batch, error)
	Incoming func(context.Context, sms.Inbox) ([]sms.Incoming, error)
	Names    *sms.Names // what callers know messages and batches by
}

// New gives the dialect, complete.
func New(deps Deps) *dialect.Dialect {
	return &dialect.Dialect{
		Name: name,
		Owns: []string{"/auth/", "/account/", "/messages/"},
		Routes: slices.Concat(
			[]dialect.Route{{
				Method: http.MethodPost, Path: "/auth/token",
				Service: service, Label: "token",
				Body: loginLimit, Types: dialect.JSONTypes,
				Checks: checks, Who: whoLogsIn, Steps: login(deps),
			}},
			sendRoutes(deps), reportRoutes(deps),
		),
		Refuse:  refuse,
		Example: example,
	}
}

// The rate comes before the permission: each refusal is a record, and a caller
// without a permission must not be able to fill the trail.
var (
	checks = []admission.Check{
		admission.Who, admission.Status, admission.Expiry, admission.Address, admission.Rate, admission.Permission,
	}
	paidChecks = append(slices.Clip(checks), admission.Credit)
)

func sendRoutes(deps Deps) []dialect.Route {
	post := func(path, operation string, limit int64, read func(*dialect.Request) (sms.Order, error)) dialect.Route {
		return dialect.Route{
			Method: http.MethodPost, Path: path, Service: service, Operation: operation, Priced: true,
			Body: limit, Types: dialect.JSONTypes,
			Checks: paidChecks, Who: whoCalls, Steps: sell(deps, read),
		}
	}
	return []dialect.Route{
		post("/messages/send", "send", sendLimit, decodeSend),
		post("/messages/send/bulk", "bulk", bulkLimit, decodeBulk),
		post("/messages/send/template", "template", sendLimit, decodeTemplate),
		{
			Method: http.MethodGet, Path: "/messages/send/url", Service: service, Operation: "send", Priced: true,
			Checks: paidChecks, Who: whoIsInAddress, Steps: sellByAddress(deps), Refuse: answers.but(ofAddress),
		},
		{
			Method: http.MethodDelete, Path: "/messages/send/scheduled/{" + batchInPath + "...}",
			Service: service, Operation: "cancel", Types: dialect.JSONTypes,
			Checks: checks, Who: whoCalls, Steps: cancel(deps), Refuse: answers.but(ofBatch),
		},
	}
}

func reportRoutes(deps Deps) []dialect.Route {
	get := func(path, operation string, steps dialect.Steps) dialect.Route {
		return dialect.Route{
			Method: http.MethodGet, Path: path, Service: service, Operation: operation,
			Checks: checks, Who: whoCalls, Steps: steps,
		}
	}
	byNames := get("/messages/status", "status", status(deps))
	byNames.Method, byNames.Types, byNames.Refuse = http.MethodPost, dialect.JSONTypes, answers.but(ofStatus)
	byBatch := get("/messages/status/{"+batchInPath+"...}", "status", statusOfBatch(deps))
	byBatch.Refuse = answers.but(ofBatch)
	inbox := get("/messages/received/recent", "received", received(deps))
	inbox.Refuse = answers.but(ofReceived)
	return []dialect.Route{byNames, byBatch, inbox, get("/account/balance", "balance", balance(deps))}
}

func whoLogsIn(r *dialect.Request) (admission.Credential, error) {
	in, err := decodeLogin(r)
	if err != nil {
		return nil, err
	}
	return admission.Password{Domain: in.domain, Username: in.username, Password: in.password}, nil
}

// keyHeader carries an API key. Its name is ours (README, "Ours").
const keyHeader = "X-Api-Key"

// whoCalls takes a token or an API key. Two keys, or both, are a fault: whichever
// we chose, something between us and the caller may have chosen the other.
func whoCalls(r *dialect.Request) (admission.Credential, error) {
	switch keys := r.Header.Values(keyHeader); {
	case len(keys) == 0:
		shown, err := r.Bearer()
		if err != nil {
			return nil, err
		}
		return admission.Bearer{Token: shown, Audience: name}, nil
	case len(keys) > 1 || len(r.Header.Values("Authorization")) > 0:
		return nil, fault.Wrap(fault.BadToken, errors.New("more than one secret in the headers"))
	default:
		return admission.Key{Secret: strings.TrimSpace(keys[0])}, nil
	}
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

// example gives nothing for an account whose name or password is too short here,
// and sends nothing for one without a line.
func example(w dialect.World) []dialect.Example {
	if utf8.RuneCountInString(w.Username) < minUsername || utf8.RuneCountInString(w.Password) < minPassword {
		return nil
	}
	body := dialect.MustJSON(0, struct {
		Username string `json:"userName"`
		Password string `json:"password"`
		Domain   string `json:"domain"`
	}{w.Username, w.Password, w.Domain}).Body
	const bearer = ` -H "Authorization: Bearer $TOKEN"`
	examples := []dialect.Example{
		{Title: "smsafzar: token", Command: "TOKEN=$(" + posted(w, "/auth/token", string(body)) + taken("token") + `); echo "$TOKEN"`},
		{Title: "smsafzar: balance", Command: "curl -s -w '\\n' " + dialect.Quote(w.Base+"/account/balance") + bearer},
	}
	if w.Line == "" {
		return examples
	}
	body = dialect.MustJSON(0, struct {
		Sender    string `json:"senderNumber"`
		Recipient string `json:"recipientNumber"`
		Content   string `json:"content"`
	}{w.Line, cmp.Or(w.Mobile, "09120000000"), "سلام از درگاه"}).Body
	return append(examples, dialect.Example{
		Title:   "smsafzar: send",
		Command: "BATCH=$(" + posted(w, "/messages/send", string(body)) + bearer + taken("batchId") + `); echo "$BATCH"`,
	}, dialect.Example{
		Title:   "smsafzar: status",
		Command: "curl -s -w '\\n' " + dialect.Quote(w.Base+"/messages/status/") + `"$BATCH"` + bearer,
	})
}

func posted(w dialect.World, path, body string) string {
	return "curl -s " + dialect.Quote(w.Base+path) + " -H 'Content-Type: application/json' -d " + dialect.Quote(body)
}

// taken takes a member out of an answer.
func taken(member string) string { return ` | sed -n 's/.*"` + member + `":"\([^"]*\)".*/\1/p'` }
