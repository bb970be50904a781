package sabapayamak

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"dargah.dev/dargah/internal/admission"
	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/sms"
)

// The panel's older interface: addresses in, plain text out (README, "The older
// interface").
const plain = "text/plain; charset=utf-8"

var (
	ofOldMessages = queryNames{"username", "password", "from", "to", "text"}
	ofOldCredit   = queryNames{username: "username", password: "password"}
)

// The codes of the older interface.
const (
	oldCredentials = "0"
	oldNoCredit    = "1"
	oldLimited     = "2"
	oldNoText      = "7"
	oldLine        = "9"
	oldDown        = "10"
	oldTooMany     = "11"
)

var oldMissing = map[string]string{
	ofOldMessages.username: "3", ofOldMessages.password: "4", ofOldMessages.from: "5", ofOldMessages.to: "6", ofOldMessages.text: oldNoText,
}

// oldCodes has every fault that the interface has a word for; the rest is a
// limit of the account's where it is the caller's.
var oldCodes = map[fault.Code]string{
	fault.Credentials: oldCredentials, fault.Domain: oldCredentials, fault.NoToken: oldCredentials, fault.BadToken: oldCredentials,
	fault.Malformed: oldCredentials, // what cannot be read holds no user
	fault.Credit:    oldNoCredit,
	fault.Line:      oldLine, fault.LineStatus: oldLine,
	fault.TooMany: oldTooMany, fault.TooLong: oldNoText,
}

func oldCode(f *fault.Error) string {
	if f.Code.Ours() {
		return oldDown
	}
	if f.Code == fault.Invalid && len(f.Fields) > 0 {
		if code, ok := oldMissing[f.Fields[0].Name]; ok {
			return code
		}
	}
	if code, ok := oldCodes[f.Code]; ok {
		return code
	}
	return oldLimited
}

// oldStatus is 200 for what the caller must read: clients of this kind, which
// take the body of a 4xx for none, read "no body" as a wrong password.
func oldStatus(f *fault.Error) int {
	if f.Code.Ours() {
		return http.StatusServiceUnavailable
	}
	return http.StatusOK
}

func refuseOldSend(_ *dialect.Request, f *fault.Error) dialect.Reply {
	return text(oldStatus(f), oldCode(f)).Retry(f)
}

// refuseOldCredit puts a minus before the code, since a code alone would be an
// amount; a wrong password is -1, as the panel's SOAP interface has it.
func refuseOldCredit(_ *dialect.Request, f *fault.Error) dialect.Reply {
	code := oldCode(f)
	if code == oldCredentials {
		code = "1"
	}
	return text(oldStatus(f), "-"+code).Retry(f)
}

func text(status int, body string) dialect.Reply {
	return dialect.Reply{Status: status, Type: plain, Body: []byte(body)}
}

// encodeOldSend answers an id for each recipient, with 0 in the place of one who
// gets nothing; where nobody gets anything, that the recipients are wrong.
func encodeOldSend(_ *dialect.Request, q sending, b *sms.Batch) (dialect.Reply, error) {
	list := details(q.to, b)
	if !sentAny(list) {
		return text(http.StatusOK, oldMissing[ofOldMessages.to]), nil
	}
	ids := make([]string, len(list))
	for i, d := range list {
		ids[i] = strconv.FormatInt(d.RecID, 10)
	}
	return text(http.StatusOK, strings.Join(ids, ",")), nil
}

func oldCredit(deps Deps) dialect.Steps {
	return dialect.Sale[string, rial.Amount]{
		Open: func(_ *dialect.Request, p *admission.Pass) (string, error) { return p.Account.ID, mayAsk(p.Account) },
		Ask: func(ctx context.Context, _ *admission.Pass, account string) (rial.Amount, string, error) {
			left, err := deps.Balance(ctx, account)
			return left, "", err
		},
		Encode: func(_ *dialect.Request, _ string, left rial.Amount) (dialect.Reply, error) {
			return text(http.StatusOK, left.String()), nil
		},
	}.Steps()
}
