package smsafzar

import (
	"fmt"
	"net/http"

	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/persian"
)

// answer is how a fault is worded. Texts that start with their full stop are
// the page's, and ours follow it; %s and %d take what the fault carries.
type answer struct {
	status int
	code   uint64 // 0: the call's trace number
	text   string
}

// The page's own answers.
var (
	invalid      = answer{http.StatusBadRequest, 1001, ".مقادیر پارامترهای ارسالی معتبر نمی باشند"}
	unproven     = answer{http.StatusUnauthorized, 401, ".خطای احراز هویت رخ داده است"}
	noService    = answer{http.StatusForbidden, 1004, ".مجوز دسترسی به سرویس برای حساب کاربری تعریف نشده است"}
	noMethod     = answer{http.StatusForbidden, 1005, ".مجوز دسترسی به متد برای حساب کاربری تعریف نشده است"}
	wrongAddress = answer{http.StatusForbidden, 1006, ".آدرس آی پی جهت دسترسی به سرویس معتبر نمی باشد"}
	disabled     = answer{http.StatusForbidden, 1010, ".حساب کاربر غیر فعال می باشد"}
	expired      = answer{http.StatusForbidden, 1011, ".حساب کاربر در تاریخ: %s منقضی شده است"}
	overRate     = answer{http.StatusTooManyRequests, 429, "تعداد درخواست های ارسالی بیش ار حد مجاز می باشد. [ حداکثر تعداد درخواست ها در هر ثانیه %d عدد می باشد. ]"}
	internal     = answer{http.StatusInternalServerError, 0, "خطایی در سرور رخ داده است. | شناسه خطا : %d"}
)

// Ours, in the page's style.
var (
	malformed   = answer{http.StatusBadRequest, 1001, ".ساختار JSON درخواست ارسالی معتبر نمی باشد"}
	noCredit    = answer{http.StatusPaymentRequired, 402, ".اعتبار حساب کاربری کافی نمی باشد"}
	notFound    = answer{http.StatusNotFound, 404, ".اطلاعات مورد نظر یافت نشد"}
	noRoute     = answer{http.StatusNotFound, 404, ".آدرس فراخوانی متد معتبر نمی باشد"}
	wrongVerb   = answer{http.StatusMethodNotAllowed, 405, ".روش فراخوانی متد معتبر نمی باشد"}
	tooLarge    = answer{http.StatusRequestEntityTooLarge, 413, ".حجم درخواست ارسالی بیش از حد مجاز می باشد"}
	mediaType   = answer{http.StatusUnsupportedMediaType, 415, ".نوع محتوای درخواست ارسالی معتبر نمی باشد"}
	wrongLine   = answer{http.StatusBadRequest, 1001, ".شماره ارسال کننده معتبر نمی باشد"}
	suspended   = answer{http.StatusBadRequest, 1001, ".وضعیت شماره ارسال کننده جهت ارسال مناسب نمی باشد"}
	inFlight    = answer{http.StatusConflict, 409, ".درخواست دیگری با همین کلید یکتایی در حال انجام می باشد"}
	keyReused   = answer{http.StatusUnprocessableEntity, 422, ".کلید یکتایی قبلا برای درخواست دیگری استفاده شده است"}
	tooMany     = answer{http.StatusBadRequest, 1001, ".تعداد موارد ارسالی بیش از حد مجاز می باشد"}
	tooLong     = answer{http.StatusBadRequest, 1001, ".طول متن پیام بیش از حد مجاز می باشد"}
	tooLate     = answer{http.StatusBadRequest, 1107, ".زمان لغو مجموعه پیام های ارسالی مورد نظر به پایان رسیده است"}
	noTemplate  = answer{http.StatusBadRequest, 1108, ".الگوی ارسال مورد نظر معتبر نمی باشد"}
	overQuota   = answer{http.StatusTooManyRequests, 429, ".سقف مجاز ارسال پیامک به پایان رسیده است"}
	unavailable = answer{http.StatusServiceUnavailable, 0, "سرویس به صورت موقت در دسترس نمی باشد. | شناسه خطا : %d"}
)

// answers has every code. Client, what follows it in the list and Domain are of
// other dialects and cannot arise here.
var answers = map[fault.Code]answer{
	fault.Internal: internal, fault.Unavailable: unavailable, fault.Busy: unavailable,
	fault.SourceTimeout: unavailable, fault.SourceUnavailable: unavailable,

	fault.HungUp: malformed, fault.Malformed: malformed, fault.TooLarge: tooLarge, fault.MediaType: mediaType,
	fault.NoRoute: noRoute, fault.Method: wrongVerb, fault.Invalid: invalid, fault.NotFound: notFound,

	fault.NoToken: unproven, fault.BadToken: unproven, fault.Credentials: unproven, fault.Client: unproven,
	fault.ClientGrant: noMethod, fault.GrantType: noMethod, fault.Grant: noMethod, fault.Scope: noMethod,
	fault.Domain: noMethod,

	fault.Disabled: disabled, fault.Expired: expired, fault.Address: wrongAddress,
	fault.Service: noService, fault.Operation: noMethod, fault.Rate: overRate, fault.Credit: noCredit,
	fault.Line: wrongLine, fault.LineStatus: suspended, fault.InFlight: inFlight, fault.KeyReused: keyReused,
	fault.TooMany: tooMany, fault.TooLong: tooLong, fault.TooLate: tooLate, fault.Template: noTemplate, fault.Quota: overQuota,
}

type problem struct {
	Code   uint64      `json:"errorCode"`
	Text   string      `json:"errorMessage"`
	Fields []complaint `json:"validationErrors,omitempty"`
}

type complaint struct {
	Field string `json:"field"`
	Text  string `json:"errorMessage"`
}

func refuse(r *dialect.Request, f *fault.Error) dialect.Reply {
	a, known := answers[f.Code]
	if !known {
		a = internal
	}
	p := problem{Code: a.code, Text: a.text}
	switch {
	case a.code == 0:
		p.Code, p.Text = r.Trace, fmt.Sprintf(a.text, r.Trace)
	case f.Code == fault.Expired:
		p.Text = fmt.Sprintf(a.text, persian.DateOf(f.Until))
	case f.Code == fault.Rate:
		p.Text = fmt.Sprintf(a.text, f.Limit)
	case f.Code == fault.Invalid:
		p.Fields = complaints(f.Fields)
	}
	reply := dialect.MustJSON(a.status, p)
	if a.status == http.StatusUnauthorized {
		reply = reply.With("WWW-Authenticate", "Bearer")
	}
	return reply.Retry(f)
}

// labels are the page's Persian names of the fields.
var labels = map[string]string{"UserName": "نام کاربری", "Password": "کلمه عبور", "Domain": "نام دامنه"}

func complaints(fields []fault.Field) []complaint {
	list := make([]complaint, len(fields))
	for i, f := range fields {
		list[i] = complaint{Field: f.Name, Text: wrong(f)}
	}
	return list
}

// wrong says what is wrong with a field. The text for Short is the page's, the
// rest is ours.
func wrong(f fault.Field) string {
	label := labels[f.Name]
	if label == "" {
		label = f.Name
	}
	switch f.Rule {
	case fault.Short:
		return fmt.Sprintf(".حداقل طول فیلد [ %s ] %d کاراکتر می باشد", label, f.Min)
	case fault.Missing:
		return fmt.Sprintf(".فیلد [ %s ] می بایست دارای مقدار باشد", label)
	case fault.Type:
		return fmt.Sprintf(".فیلد [ %s ] می بایست یک رشته باشد", label)
	default:
		return fmt.Sprintf(".مقدار فیلد [ %s ] معتبر نمی باشد", label)
	}
}
