package sabapayamak

import (
	"fmt"
	"net/http"

	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/fault"
)

// answer is how a fault is worded. Codes and texts are those of the provider's
// own library (README, "Faults"); which status goes with a code is ours.
type answer struct {
	status int
	code   int
	text   string
}

const (
	textInvalidRequest = "درخواست معتبر نیست"
	textBusy           = "سرور در هنگام ارسال پیام مشغول بر طرف نمودن ایراد داخلی بوده است"
	textNoMethod       = "نام متد درخواستی معتبر نیست"
	textNoService      = "این سرویس برای حساب فعال نشده است"
	textBadToken       = "کلید امنیتی شما منقضی شده یا  اشتباه است" // two blanks, as in the library
)

var (
	internal    = answer{http.StatusInternalServerError, 500, "خطایی اتفاق افتاده است،لطفا با پشتیبانی تماس بگیرید"}
	unavailable = answer{http.StatusServiceUnavailable, 15, textBusy}
	malformed   = answer{http.StatusBadRequest, 19, textInvalidRequest}
	badToken    = answer{http.StatusUnauthorized, 401, textBadToken}
	noService   = answer{http.StatusForbidden, 22, textNoService}
)

// answers has every code. Those of OAuth clients are of another dialect and
// cannot arise here.
var answers = map[fault.Code]answer{
	fault.Internal: internal, fault.Unavailable: unavailable, fault.Busy: unavailable,
	fault.SourceTimeout: unavailable, fault.SourceUnavailable: unavailable,

	fault.HungUp: malformed, fault.Malformed: malformed, fault.Invalid: malformed,
	fault.TooLarge:  {http.StatusRequestEntityTooLarge, 19, textInvalidRequest},
	fault.MediaType: {http.StatusUnsupportedMediaType, 19, textInvalidRequest},
	fault.NoRoute:   {http.StatusNotFound, 25, textNoMethod},
	fault.Method:    {http.StatusMethodNotAllowed, 25, textNoMethod},
	fault.NotFound:  {http.StatusNotFound, 1002, "داده ای وجود ندارد"},

	fault.NoToken: badToken, fault.BadToken: badToken, fault.Client: badToken,
	fault.ClientGrant: noService, fault.GrantType: noService, fault.Grant: noService, fault.Scope: noService,

	fault.Credentials: {http.StatusUnauthorized, 4001, "نام کاربری یا رمز عبور اشتباه است"},
	fault.Domain:      {http.StatusForbidden, 4002, "شما نمیتوانید از طریق این دامنه درخواست بدهید"},
	fault.Line:        {http.StatusForbidden, 4003, "شماره ارسال اشتباه است"},
	fault.LineStatus:  {http.StatusForbidden, 4004, "وضعیت شماره ارسال مناسب ارسال نیست"},
	fault.Disabled:    {http.StatusForbidden, 16, "حساب غیر فعال است"},
	fault.Expired:     {http.StatusForbidden, 17, "حساب منقضی شده است"},
	fault.Address:     {http.StatusForbidden, 29, "آدرس IP مبدا، اجازه دسترسی به این سرویس را ندارد"},
	fault.Service:     noService,
	fault.Operation:   noService,
	fault.Rate:        {http.StatusTooManyRequests, 23, "در حال حاضر امکان پردازش درخواست جدید وجود ندارد،لطفا دوباره سعی کنید"},
	fault.InFlight:    {http.StatusConflict, 19, textInvalidRequest},
	fault.KeyReused:   {http.StatusUnprocessableEntity, 19, textInvalidRequest},
	fault.TooMany:     {http.StatusBadRequest, 107, "طول آرايه پارامتر گيرندگان بيشتر از طول مجاز است"},
	fault.TooLong:     {http.StatusBadRequest, 30, "تعداد بخش‌های پیامک بیش از حد مجاز استاندارد (۲۶۵ عدد) است"},
	fault.TooLate:     malformed,
	fault.Template:    malformed,
	fault.Quota:       {http.StatusTooManyRequests, 23, "در حال حاضر امکان پردازش درخواست جدید وجود ندارد،لطفا دوباره سعی کنید"},
	fault.Credit:      {http.StatusPaymentRequired, 14, "مانده اعتبار ریالی مورد نیاز برای ارسال پیامک کافی نیست"},
}

func refuse(_ *dialect.Request, f *fault.Error) dialect.Reply {
	a, known := answers[f.Code]
	if !known {
		a = internal
	}
	reply := dialect.MustJSON(a.status, seal(a.status, a.text, nil, problems(a, f.Fields)))
	if a.status == http.StatusUnauthorized {
		reply = reply.With("WWW-Authenticate", "Bearer")
	}
	return reply.Retry(f)
}

// problems is never empty: clients read the first one without looking.
func problems(a answer, fields []fault.Field) []problem {
	if len(fields) == 0 {
		return []problem{{Message: a.text, Code: a.code}}
	}
	list := make([]problem, len(fields))
	for i, f := range fields {
		list[i] = problem{Message: wrong(f), Code: a.code, Field: f.Name}
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
