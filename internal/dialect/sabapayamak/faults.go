package sabapayamak

import (
	"fmt"
	"maps"
	"net/http"

	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/fault"
)

// answer is how a fault is worded; the code has the text (codes.go). Which
// status goes with a code is ours (README, "Faults").
type answer struct{ status, code int }

var (
	internal    = answer{http.StatusInternalServerError, codeInternal}
	unavailable = answer{http.StatusServiceUnavailable, codeBusy}
	malformed   = answer{http.StatusBadRequest, codeInvalid}
	badToken    = answer{http.StatusUnauthorized, codeBadToken}
	noService   = answer{http.StatusForbidden, codeNoService}
	again       = answer{http.StatusTooManyRequests, codeAgain}
)

// wording is how faults are answered.
type wording map[fault.Code]answer

// answers has every code. Those of OAuth clients, templates and schedules are
// of other dialects and cannot arise here.
var answers = wording{
	fault.Internal: internal, fault.Unavailable: unavailable, fault.Busy: unavailable,
	fault.SourceTimeout: unavailable, fault.SourceUnavailable: unavailable,

	fault.HungUp: malformed, fault.Malformed: malformed, fault.Invalid: malformed,
	fault.TooLarge:  {http.StatusRequestEntityTooLarge, codeInvalid},
	fault.MediaType: {http.StatusUnsupportedMediaType, codeInvalid},
	fault.NoRoute:   {http.StatusNotFound, codeNoMethod},
	fault.Method:    {http.StatusMethodNotAllowed, codeNoMethod},
	fault.NotFound:  {http.StatusNotFound, codeNoData},

	fault.NoToken: badToken, fault.BadToken: badToken, fault.Client: badToken,
	fault.ClientGrant: noService, fault.GrantType: noService, fault.Grant: noService, fault.Scope: noService,

	fault.Credentials: {http.StatusUnauthorized, codeWrongPassword},
	fault.Domain:      {http.StatusForbidden, codeDomain},
	fault.Line:        {http.StatusForbidden, codeLine},
	fault.LineStatus:  {http.StatusForbidden, codeLineStatus},
	fault.Disabled:    {http.StatusForbidden, codeDisabled},
	fault.Expired:     {http.StatusForbidden, codeExpired},
	fault.Address:     {http.StatusForbidden, codeAddress},
	fault.Service:     noService,
	fault.Operation:   noService,
	fault.Rate:        again,
	fault.Quota:       again,
	fault.InFlight:    {http.StatusConflict, codeInvalid},
	fault.KeyReused:   {http.StatusUnprocessableEntity, codeInvalid},
	fault.TooMany:     {http.StatusBadRequest, codeTooMany},
	fault.TooLong:     {http.StatusBadRequest, codeParts},
	fault.TooLate:     malformed,
	fault.Template:    malformed,
	fault.Credit:      {http.StatusPaymentRequired, codeNoCredit},
}

// ofQuery are the answers that differ where name, password and line come with
// what is to be sent: those of sending then, and not those of getting a token.
var ofQuery = wording{
	fault.Credentials: {http.StatusUnauthorized, codeCredentials},
	fault.Line:        {http.StatusForbidden, codeNotItsLine},
}

// ofMessage are the answers that differ where one message is asked for.
var ofMessage = wording{fault.NotFound: {http.StatusNotFound, codeNoMessage}}

// fieldCodes are the codes of values that have one of their own. The names are
// those that clients know the values by.
var fieldCodes = map[fault.Field]int{
	{Name: fieldText, Rule: fault.Missing}:    codeNoText,
	{Name: fieldNumbers, Rule: fault.Missing}: codeNoRecipients,
	{Name: fieldTo, Rule: fault.Missing}:      codeNoRecipients,
	{Name: fieldNumber, Rule: fault.Form}:     codeRecipient,
}

func refuse(r *dialect.Request, f *fault.Error) dialect.Reply { return answers.refuse(r, f) }

// but gives a route's refusals: those of the table, where special has no other.
func (w wording) but(special wording) func(*dialect.Request, *fault.Error) dialect.Reply {
	own := maps.Clone(w)
	maps.Copy(own, special)
	return own.refuse
}

func (w wording) refuse(_ *dialect.Request, f *fault.Error) dialect.Reply {
	a, known := w[f.Code]
	if !known {
		a = internal
	}
	list := problems(a, f.Fields)
	reply := dialect.MustJSON(a.status, seal(a.status, texts[list[0].Code], nil, list))
	if a.status == http.StatusUnauthorized {
		reply = reply.With("WWW-Authenticate", "Bearer")
	}
	return reply.Retry(f)
}

// problems is never empty: clients read the first one without looking.
func problems(a answer, fields []fault.Field) []problem {
	if len(fields) == 0 {
		return []problem{{Message: texts[a.code], Code: a.code}}
	}
	list := make([]problem, len(fields))
	for i, f := range fields {
		list[i] = problem{Message: wrong(f), Code: a.code, Field: f.Name}
		if code, own := fieldCodes[fault.Field{Name: f.Name, Rule: f.Rule}]; own && a.code == codeInvalid {
			list[i].Message, list[i].Code = texts[code], code
		}
	}
	return list
}

// wrong says what is wrong with a field; the texts are ours.
func wrong(f fault.Field) string {
	switch f.Rule {
	case fault.Missing:
		return fmt.Sprintf("مقدار %s ارسال نشده است", f.Name)
	case fault.Type:
		return fmt.Sprintf("نوع مقدار %s نادرست است", f.Name)
	case fault.Range:
		return fmt.Sprintf("مقدار %s باید عددی بین %d تا %d باشد", f.Name, f.Min, f.Max)
	default:
		return fmt.Sprintf("مقدار %s نادرست است", f.Name)
	}
}
