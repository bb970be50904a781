package smsafzar

import (
	"fmt"
	"maps"
	"net/http"
	"strings"

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

// The page's answers of single methods.
var (
	tooManyIDs = answer{http.StatusBadRequest, 1001, ".حداکثر تعداد شناسه های پیام %d عدد می باشد"}
	noBatch    = answer{http.StatusBadRequest, 1106, ".شناسه مجموعه پیام های ارسالی مورد نظر معتبر نمی باشد"}
	// invalidCount ends in its full stop, where the other methods begin with it.
	invalidCount = answer{http.StatusBadRequest, 1001, "مقادیر پارامترهای ارسالی معتبر نمی باشند."}
)

// Ours, in the page's style.
var (
	malformed   = answer{http.StatusBadRequest, 1001, ".ساختار JSON درخواست ارسالی معتبر نمی باشد"}
	badAddress  = answer{http.StatusBadRequest, 1001, ".ساختار پارامترهای آدرس درخواست ارسالی معتبر نمی باشد"}
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
	tooMany     = answer{http.StatusBadRequest, 1001, ".حداکثر تعداد شماره ها و متن های پیام %d عدد می باشد"}
	tooLong     = answer{http.StatusBadRequest, 1001, ".طول متن پیام بیش از حد مجاز می باشد"}
	tooLate     = answer{http.StatusBadRequest, 1107, ".زمان لغو مجموعه پیام های ارسالی مورد نظر به پایان رسیده است"}
	noTemplate  = answer{http.StatusBadRequest, 1108, ".الگوی ارسال مورد نظر معتبر نمی باشد"}
	overQuota   = answer{http.StatusTooManyRequests, 429, ".سقف مجاز ارسال پیامک به پایان رسیده است"}
	unavailable = answer{http.StatusServiceUnavailable, 0, "سرویس به صورت موقت در دسترس نمی باشد. | شناسه خطا : %d"}
)

// wording is how faults are answered.
type wording map[fault.Code]answer

// answers has every code. Client, what follows it in the list and Domain are of
// other dialects and cannot arise here.
var answers = wording{
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

// The methods that differ.
var (
	ofStatus   = wording{fault.TooMany: tooManyIDs}
	ofBatch    = wording{fault.NotFound: noBatch}
	ofReceived = wording{fault.Invalid: invalidCount, fault.Malformed: badAddress}
	ofAddress  = wording{fault.Malformed: badAddress}
)

func refuse(r *dialect.Request, f *fault.Error) dialect.Reply { return answers.refuse(r, f) }

// but gives a method's refusals: those of all, where special has no other.
func (w wording) but(special wording) func(*dialect.Request, *fault.Error) dialect.Reply {
	own := maps.Clone(w)
	maps.Copy(own, special)
	return own.refuse
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

func (w wording) refuse(r *dialect.Request, f *fault.Error) dialect.Reply {
	a, known := w[f.Code]
	if !known {
		a = internal
	}
	p := problem{Code: a.code, Text: a.text}
	switch {
	case a.code == 0:
		p.Code, p.Text = r.Trace, fmt.Sprintf(a.text, r.Trace)
	case f.Code == fault.Expired:
		p.Text = fmt.Sprintf(a.text, persian.DateOf(f.Until))
	case f.Code == fault.Rate, f.Code == fault.TooMany:
		p.Text = fmt.Sprintf(a.text, f.Limit)
	case f.Code == fault.Invalid:
		p.Fields = complaints(f.Fields, wrong)
	case f.Code == fault.Template:
		p.Fields = complaints(f.Fields, misfit)
	}
	reply := dialect.MustJSON(a.status, p)
	if a.status == http.StatusUnauthorized {
		reply = reply.With("WWW-Authenticate", "Bearer")
	}
	return reply.Retry(f)
}

func complaints(fields []fault.Field, word func(fault.Field) complaint) []complaint {
	list := make([]complaint, len(fields))
	for i, f := range fields {
		list[i] = word(f)
	}
	return list
}

// called is what texts call a field, and what its values must be.
type called struct{ name, kind string }

const (
	aText   = "رشته"
	aList   = "آرایه"
	aNumber = "عدد صحیح"
)

// labels are by the member's spelling. The first two names are the page's, and
// that of count.
var labels = map[string]called{
	"userName": {"نام کاربری", aText}, "password": {"کلمه عبور", aText}, "domain": {"نام دامنه", aText},
	fieldSender: {"شماره فرستنده", aText}, fieldSenders: {"شماره های فرستنده", aList},
	fieldRecipient: {"شماره گیرنده", aText}, fieldRecipients: {"شماره های گیرنده", aList},
	fieldContent: {"متن پیام", aText}, fieldContents: {"متن های پیام", aList},
	fieldDue: {"زمان ارسال", aNumber}, fieldTemplate: {"شناسه الگو", aText},
	fieldParameters: {"پارامترها", aList}, "name": {"نام پارامتر", aText}, "value": {"مقدار پارامتر", aText},
	fieldMessages: {"شناسه های پیام", aList}, fieldCount: {"تعداد", aNumber},
}

// label finds a field by its name, which may begin with a capital, have a place
// behind it, or be a member of what has one: parameters[2].value.
func label(field string) called {
	member := field[strings.LastIndexByte(field, '.')+1:]
	member, _, inList := strings.Cut(member, "[")
	l, known := labels[strings.ToLower(member[:min(1, len(member))])+member[min(1, len(member)):]]
	switch {
	case !known:
		return called{member, aText}
	case inList:
		l.kind = aText
	}
	return l
}

// wrong says what is wrong with a field. The texts for Short and Range are the
// page's, the full stop of the latter included; the rest is ours.
func wrong(f fault.Field) complaint {
	l := label(f.Name)
	text := fmt.Sprintf(".مقدار فیلد [ %s ] معتبر نمی باشد", l.name)
	switch {
	case f.Rule == fault.Short:
		text = fmt.Sprintf(".حداقل طول فیلد [ %s ] %d کاراکتر می باشد", l.name, f.Min)
	case f.Rule == fault.Long:
		text = fmt.Sprintf(".حداکثر طول فیلد [ %s ] %d کاراکتر می باشد", l.name, f.Max)
	case f.Rule == fault.Range && f.Max > 0:
		text = fmt.Sprintf("فیلد [ %s ] می بایست یک عدد در بازه ی %d الی %d باشد.", l.name, f.Min, f.Max)
	case f.Rule == fault.Missing:
		text = fmt.Sprintf(".فیلد [ %s ] می بایست دارای مقدار باشد", l.name)
	case f.Rule == fault.Type:
		text = fmt.Sprintf(".فیلد [ %s ] می بایست یک %s باشد", l.name, l.kind)
	case f.Rule == fault.Past:
		text = fmt.Sprintf(".فیلد [ %s ] می بایست بعد از زمان جاری باشد", l.name)
	case f.Rule == fault.Lengths:
		text = fmt.Sprintf(".تعداد مقادیر فیلد [ %s ] با سایر فیلدها مطابقت ندارد", l.name)
	}
	return complaint{f.Name, text}
}

// misfit says what is wrong with a template's parameter. All of it is ours.
func misfit(f fault.Field) complaint {
	text := ".پارامتر [ %s ] در الگوی ارسال تعریف نشده است"
	switch f.Rule {
	case fault.Missing:
		text = ".پارامتر [ %s ] می بایست دارای مقدار باشد"
	case fault.Repeated:
		text = ".پارامتر [ %s ] بیش از یک بار ارسال شده است"
	case fault.Long:
		text = ".طول مقدار پارامتر [ %s ] بیش از حد مجاز می باشد"
	}
	return complaint{fieldParameters + "." + f.Name, fmt.Sprintf(text, f.Name)}
}
