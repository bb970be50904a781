package itsaaz

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/persian"
)

// refuse words a fault that no route words: an unknown path, or a method that a
// path does not have. The token call answers as OAuth there too.
func refuse(r *dialect.Request, f *fault.Error) dialect.Reply {
	if r.URL != nil && r.URL.Path == tokenPath {
		return refuseOAuth(r, f)
	}
	return refuseEnveloped(r, f)
}

// refusal is the token call's error: RFC 6749 section 5.2.
type refusal struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

// worded is one line of the token call's table.
type worded struct {
	status int
	code   string
	text   string // ASCII: RFC 6749 allows no more in error_description
}

// The OAuth errors. temporarily_unavailable is the word of the authorization
// endpoint for the same thing; the token endpoint has none (README).
const (
	invalidRequest = "invalid_request"
	invalidClient  = "invalid_client"
	invalidScope   = "invalid_scope"
	unavailable    = "temporarily_unavailable"
)

// notGranted answers every reason for which the user or the refresh token is not
// taken, so that nobody learns from it which one it was.
var notGranted = worded{http.StatusBadRequest, "invalid_grant", "the user name, the password or the refresh token is not valid"}

var (
	noScope  = worded{http.StatusBadRequest, invalidScope, "the scope is unknown or not granted to this account"}
	noClient = worded{http.StatusUnauthorized, invalidClient, "client authentication failed"}
	// noMessages answers what only messages meet, which are not sent here.
	noMessages = worded{http.StatusBadRequest, invalidRequest, "the request cannot be read"}
	down       = worded{http.StatusServiceUnavailable, unavailable, "the server cannot answer now; try again later"}
)

// oauth is the token call's table.
var oauth = map[fault.Code]worded{
	fault.Internal:          down,
	fault.Unavailable:       down,
	fault.Busy:              {http.StatusServiceUnavailable, unavailable, "the server is busy; try again later"},
	fault.SourceTimeout:     down,
	fault.SourceUnavailable: down,

	fault.HungUp:    {http.StatusBadRequest, invalidRequest, "the connection was closed before the answer"},
	fault.Malformed: {http.StatusBadRequest, invalidRequest, "the request is not a well-formed form"},
	fault.TooLarge:  {http.StatusRequestEntityTooLarge, invalidRequest, "the request is too large"},
	fault.MediaType: {http.StatusBadRequest, invalidRequest, "the content type must be application/x-www-form-urlencoded in UTF-8"},
	fault.NoRoute:   {http.StatusNotFound, invalidRequest, "nothing is served at this path"},
	fault.Method:    {http.StatusMethodNotAllowed, invalidRequest, "the method must be POST"},
	fault.Invalid:   {http.StatusBadRequest, invalidRequest, "a parameter is not valid"},

	fault.Client:      noClient,
	fault.NoToken:     noClient,
	fault.BadToken:    noClient,
	fault.ClientGrant: {http.StatusBadRequest, "unauthorized_client", "this client may not use this grant type"},
	fault.GrantType:   {http.StatusBadRequest, "unsupported_grant_type", "the grant type must be password or refresh_token"},
	fault.Scope:       noScope,
	fault.Service:     noScope,
	fault.Operation:   noScope,

	fault.Credentials: notGranted,
	fault.Grant:       notGranted,
	fault.Domain:      notGranted,
	fault.Line:        notGranted,
	fault.LineStatus:  notGranted,
	fault.Disabled:    notGranted,
	fault.Expired:     notGranted,
	fault.Address:     notGranted,
	fault.Credit:      notGranted,
	fault.NotFound:    notGranted,

	fault.InFlight:  {http.StatusConflict, invalidRequest, "a call with this idempotency key is under way"},
	fault.KeyReused: {http.StatusUnprocessableEntity, invalidRequest, "this idempotency key was used for another call"},

	fault.TooMany:  noMessages,
	fault.TooLong:  noMessages,
	fault.TooLate:  noMessages,
	fault.Template: noMessages,
	fault.Quota:    noMessages,

	fault.Rate: {http.StatusTooManyRequests, unavailable, "too many calls; try again later"},
}

// refuseOAuth words a fault of the token call.
func refuseOAuth(_ *dialect.Request, f *fault.Error) dialect.Reply {
	w := oauth[f.Code]
	if len(f.Fields) > 0 {
		w.text = parameterText(f.Fields)
	}
	reply := uncached(dialect.MustJSON(w.status, refusal{w.code, w.text}))
	if w.status == http.StatusUnauthorized {
		// RFC 9110 wants a challenge with every 401, not only where Basic was used.
		reply = reply.With("WWW-Authenticate", `Basic realm="`+name+`", charset="UTF-8"`)
	}
	return reply.Retry(f)
}

func parameterText(bad []fault.Field) string {
	texts := make([]string, len(bad))
	for i, b := range bad {
		switch {
		case b.Rule == fault.Missing:
			texts[i] = b.Name + " is missing"
		case b.Name == "":
			texts[i] = "a parameter is repeated"
		default:
			texts[i] = b.Name + " is repeated"
		}
	}
	return strings.Join(texts, "; ")
}

// message is one line of the envelope's table.
type message struct {
	status int
	text   string // customMessage: clients show it to their users as it is
}

// enveloped is the table of every call but the token call. errorCode is the HTTP
// status: the provider's own numbers are not public (README).
var enveloped = map[fault.Code]message{
	fault.Internal:          {http.StatusServiceUnavailable, "خطایی در سامانه رخ داد. لطفاً دقایقی دیگر دوباره تلاش کنید."},
	fault.Unavailable:       {http.StatusServiceUnavailable, "سامانه موقتاً در دسترس نیست. لطفاً دقایقی دیگر دوباره تلاش کنید."},
	fault.Busy:              {http.StatusServiceUnavailable, "سامانه در حال حاضر پرکار است. لطفاً اندکی بعد دوباره تلاش کنید."},
	fault.SourceTimeout:     {http.StatusServiceUnavailable, "مرجع اعتبارسنجی در زمان مقرر پاسخ نداد. لطفاً دوباره تلاش کنید."},
	fault.SourceUnavailable: {http.StatusServiceUnavailable, "مرجع اعتبارسنجی در دسترس نیست. لطفاً بعداً دوباره تلاش کنید."},

	fault.HungUp:    {http.StatusBadRequest, "فراخوانی پیش از پاسخ قطع شد."},
	fault.Malformed: {http.StatusBadRequest, "ساختار درخواست معتبر نیست."},
	fault.TooLarge:  {http.StatusRequestEntityTooLarge, "حجم درخواست بیش از اندازه مجاز است."},
	fault.MediaType: {http.StatusUnsupportedMediaType, "نوع محتوای درخواست باید application/json باشد."},
	fault.NoRoute:   {http.StatusNotFound, "سرویس درخواستی وجود ندارد."},
	fault.Method:    {http.StatusMethodNotAllowed, "متد فراخوانی این سرویس درست نیست."},
	fault.Invalid:   {http.StatusBadRequest, "مقدار یکی از پارامترهای ورودی معتبر نیست."},

	fault.NoToken:     {http.StatusUnauthorized, "توکن دسترسی ارسال نشده است."},
	fault.BadToken:    {http.StatusUnauthorized, "توکن دسترسی نامعتبر است یا منقضی شده است."},
	fault.Credentials: {http.StatusUnauthorized, "نام کاربری یا رمز عبور اشتباه است."},
	fault.Client:      {http.StatusUnauthorized, "شناسه یا رمز کلاینت اشتباه است."},
	fault.Grant:       {http.StatusUnauthorized, "رفرش توکن معتبر نیست."},
	fault.ClientGrant: {http.StatusForbidden, "این روش دریافت توکن برای کلاینت شما فعال نیست."},
	fault.GrantType:   {http.StatusBadRequest, "این روش دریافت توکن قابل استفاده نیست."},
	fault.Scope:       {http.StatusForbidden, "محدوده درخواستی برای شما فعال نیست."},

	fault.Domain:     {http.StatusForbidden, "حساب کاربری شما به این دامنه تعلق ندارد."},
	fault.Line:       {http.StatusForbidden, "این خط به حساب کاربری شما تعلق ندارد."},
	fault.LineStatus: {http.StatusForbidden, "این خط فعال نیست."},
	fault.Disabled:   {http.StatusForbidden, "حساب کاربری شما غیرفعال است."},
	fault.Expired:    {http.StatusForbidden, "مهلت استفاده از حساب کاربری شما به پایان رسیده است."},
	fault.Address:    {http.StatusForbidden, "فراخوانی سرویس از این نشانی اینترنتی مجاز نیست."},
	fault.Service:    {http.StatusForbidden, "این سرویس برای حساب کاربری شما فعال نیست."},
	fault.Operation:  {http.StatusForbidden, "این متد برای حساب کاربری شما فعال نیست."},
	fault.Rate:       {http.StatusTooManyRequests, "تعداد فراخوانی بیش از حد مجاز است. لطفاً اندکی بعد دوباره تلاش کنید."},
	fault.Credit:     {http.StatusPaymentRequired, "اعتبار کیف پول شما کافی نیست."},
	fault.InFlight:   {http.StatusConflict, "فراخوانی دیگری با همین کلید یکتایی در حال انجام است."},
	fault.KeyReused:  {http.StatusUnprocessableEntity, "این کلید یکتایی پیش از این برای فراخوانی دیگری به کار رفته است."},

	fault.TooMany:  {http.StatusBadRequest, "تعداد موارد درخواست بیش از حد مجاز است."},
	fault.TooLong:  {http.StatusBadRequest, "متن درخواست بیش از حد مجاز است."},
	fault.TooLate:  {http.StatusBadRequest, "مهلت لغو این درخواست به پایان رسیده است."},
	fault.Template: {http.StatusBadRequest, "الگوی درخواست معتبر نیست."},
	fault.Quota:    {http.StatusForbidden, "سقف مجاز استفاده از سرویس به پایان رسیده است."},

	fault.NotFound: {http.StatusNotFound, "اطلاعاتی برای این شخص یافت نشد."},
}

// refuseEnveloped words a fault of every call but the token call.
func refuseEnveloped(r *dialect.Request, f *fault.Error) dialect.Reply {
	m := enveloped[f.Code]
	reply := dialect.MustJSON(m.status, envelope{
		Meta:  r.ID,
		Error: &complaint{ErrorCode: m.status, CustomMessage: text(m, f), Exception: trace(r)},
	})
	if m.status == http.StatusUnauthorized {
		reply = reply.With("WWW-Authenticate", challenge(r))
	}
	return reply.Retry(f)
}

// text adds to a message what the refusal knows beyond its code.
func text(m message, f *fault.Error) string {
	switch {
	case len(f.Fields) > 0:
		return fieldText(f.Fields)
	case f.Code == fault.Expired && !f.Until.IsZero():
		return "مهلت استفاده از حساب کاربری شما در تاریخ " +
			persian.ToPersianDigits(persian.DateOf(f.Until).String()) + " به پایان رسیده است."
	default:
		return m.text
	}
}

// trace is the number to quote to support, where the fault is ours.
func trace(r *dialect.Request) string {
	if r.Trace == 0 {
		return ""
	}
	return strconv.FormatUint(r.Trace, 10)
}

// words are the fields' Persian names, as the page has them.
var words = map[string]string{"NationalCode": "کدملی", "Cellphone": "شماره همراه"}

func fieldText(bad []fault.Field) string {
	texts := make([]string, len(bad))
	for i, b := range bad {
		word := words[b.Name]
		switch b.Rule {
		case fault.Missing:
			texts[i] = word + " ارسال نشده است."
		case fault.Type:
			texts[i] = word + " باید از نوع رشته باشد."
		default:
			texts[i] = word + " نامعتبر است."
		}
	}
	return strings.Join(texts, " ")
}

// challenge names an error only to a caller that showed a token (RFC 6750
// section 3.1).
func challenge(r *dialect.Request) string {
	const bare = `Bearer realm="` + name + `"`
	shown := slices.ContainsFunc(r.Header.Values("Authorization"), func(value string) bool {
		scheme, token, _ := strings.Cut(strings.TrimSpace(value), " ")
		return strings.EqualFold(scheme, "Bearer") && token != ""
	})
	if !shown {
		return bare
	}
	return bare + `, error="invalid_token"`
}
