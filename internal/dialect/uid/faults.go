package uid

import (
	"net/http"

	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/fault"
)

// codeSuccess is the page's code for an answer.
const codeSuccess = 0

// answer is how a fault is worded: the HTTP status, and responseContext.status.
type answer struct {
	http    int
	code    int
	message string
}

// Code 3 is the provider's. 2 and 7 have their meaning from a client's list
// that no page confirms; from 8 on the codes are ours (README, "Codes").
var (
	wrongCredential = answer{http.StatusUnauthorized, 2, "شناسه یا توکن کسب\u200cوکار نامعتبر است"}
	wrongCode       = answer{http.StatusOK, 3, "کدملی نامعتبر است"}
	internal        = answer{http.StatusServiceUnavailable, 7, "خطای داخلی سرویس"}
	tooLate         = answer{http.StatusGatewayTimeout, 7, "خطای داخلی سرویس"}
	nobody          = answer{http.StatusOK, 8, "شخصی با این کدملی و تاریخ تولد یافت نشد"}
	wrongDate       = answer{http.StatusOK, 9, "تاریخ تولد نامعتبر است"}
	malformed       = answer{http.StatusBadRequest, 10, "ساختار درخواست نامعتبر است"}
	tooOften        = answer{http.StatusTooManyRequests, 11, "تعداد درخواست\u200cها بیش از حد مجاز است"}
	noCredit        = answer{http.StatusPaymentRequired, 12, "اعتبار کسب\u200cوکار کافی نیست"}
	disabled        = answer{http.StatusForbidden, 13, "حساب کسب\u200cوکار غیرفعال است"}
	expired         = answer{http.StatusForbidden, 14, "مهلت استفاده کسب\u200cوکار به پایان رسیده است"}
	wrongAddress    = answer{http.StatusForbidden, 15, "فراخوانی از این آدرس IP مجاز نیست"}
	noService       = answer{http.StatusForbidden, 16, "دسترسی کسب\u200cوکار به این سرویس مجاز نیست"}
	noRoute         = answer{http.StatusNotFound, 17, "سرویسی در این آدرس وجود ندارد"}
	wrongMethod     = answer{http.StatusMethodNotAllowed, 18, "این سرویس فقط با متد POST فراخوانی می\u200cشود"}
	tooLarge        = answer{http.StatusRequestEntityTooLarge, 19, "حجم درخواست بیش از حد مجاز است"}
	inFlight        = answer{http.StatusConflict, 21, "درخواست دیگری با همین کلید یکتایی در حال انجام است"}
	keyReused       = answer{http.StatusUnprocessableEntity, 22, "این کلید یکتایی پیش از این برای درخواست دیگری به کار رفته است"}
	wrongType       = answer{http.StatusUnsupportedMediaType, 20, "نوع محتوای درخواست باید application/json باشد"}
)

// answers has every code. Faults of tokens, clients and lines, which this
// dialect does not know, read as the nearest of its own.
var answers = map[fault.Code]answer{
	fault.Internal: internal, fault.Unavailable: internal, fault.Busy: internal,
	fault.SourceUnavailable: internal, fault.SourceTimeout: tooLate,

	fault.HungUp: malformed, fault.Malformed: malformed, fault.Invalid: malformed, fault.TooLarge: tooLarge, fault.MediaType: wrongType,
	fault.NoRoute: noRoute, fault.Method: wrongMethod, fault.NotFound: nobody,

	fault.NoToken: wrongCredential, fault.BadToken: wrongCredential, fault.Credentials: wrongCredential,
	fault.Client: wrongCredential, fault.Grant: wrongCredential, fault.Domain: wrongCredential,

	fault.Disabled: disabled, fault.Expired: expired, fault.Address: wrongAddress,
	fault.Service: noService, fault.Operation: noService, fault.ClientGrant: noService, fault.GrantType: noService,
	fault.Scope: noService, fault.Line: noService, fault.LineStatus: noService,
	fault.Rate: tooOften, fault.Credit: noCredit, fault.InFlight: inFlight, fault.KeyReused: keyReused,
	fault.TooMany: malformed, fault.TooLong: malformed, fault.TooLate: malformed, fault.Template: malformed, fault.Quota: tooOften,
}

// fieldAnswers word an unacceptable value by its field; of several, the first
// counts.
var fieldAnswers = map[string]answer{nationalID: wrongCode, birthDate: wrongDate}

func refuse(r *dialect.Request, f *fault.Error) dialect.Reply {
	return encodeProblem(r, answerTo(f)).Retry(f)
}

func answerTo(f *fault.Error) answer {
	if f.Code == fault.Invalid && len(f.Fields) > 0 {
		if a, known := fieldAnswers[f.Fields[0].Name]; known {
			return a
		}
	}
	if a, known := answers[f.Code]; known {
		return a
	}
	return internal
}
