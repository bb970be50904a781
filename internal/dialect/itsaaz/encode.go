package itsaaz

import (
	"net/http"

	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/inquiry/credit"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/token"
)

// tokenAnswer has the page's five fields in the page's order.
type tokenAnswer struct {
	AccessToken  string `json:"access_token"`
	ExpiresIn    int64  `json:"expires_in"` // seconds
	TokenType    string `json:"token_type"`
	RefreshToken string `json:"refresh_token"`
	Scope        string `json:"scope"`
}

func issued(_ *dialect.Request, _ token.Request, i token.Issued) (dialect.Reply, error) {
	reply, err := dialect.JSON(http.StatusOK, tokenAnswer{
		AccessToken:  i.Access,
		ExpiresIn:    int64(i.Life.Seconds()),
		TokenType:    "Bearer",
		RefreshToken: i.Refresh,
		Scope:        i.Claims.Scope,
	})
	return uncached(reply), err
}

// uncached marks a reply that holds or denies a token (RFC 6749 section 5.1).
func uncached(r dialect.Reply) dialect.Reply {
	return r.With("Cache-Control", "no-store").With("Pragma", "no-cache")
}

// envelope is what every answer but the token call's comes in. Error is null on
// success, data on a fault.
type envelope struct {
	Data  *etebar    `json:"data"`
	Meta  string     `json:"meta"`
	Error *complaint `json:"error"`
}

// etebar has the page's seven fields in the page's order.
type etebar struct {
	ReportSource                 int         `json:"reportSource"`
	TotalPrice                   rial.Amount `json:"totalPrice"`
	HasReport                    bool        `json:"hasReport"`
	ReportIsGeneratedPast24Hours bool        `json:"reportIsGeneratedPast24Hours"`
	PayURL                       string      `json:"payUrl"`
	PayInfo                      string      `json:"payInfo"`
	IsSucceed                    bool        `json:"isSucceed"`
}

type complaint struct {
	ErrorCode     int    `json:"errorCode"`
	CustomMessage string `json:"customMessage"`
	Exception     string `json:"exception"`
}

func report(r *dialect.Request, _ credit.Question, a credit.Answer) (dialect.Reply, error) {
	return dialect.JSON(http.StatusOK, envelope{
		Meta: r.ID,
		Data: &etebar{
			ReportSource:                 a.Source,
			TotalPrice:                   a.Price,
			HasReport:                    a.HasReport,
			ReportIsGeneratedPast24Hours: a.Fresh,
			PayURL:                       a.PayURL,
			PayInfo:                      payInfo(a),
			IsSucceed:                    true,
		},
	})
}

// payInfo tells the end user what to do, in Persian.
func payInfo(a credit.Answer) string {
	switch {
	case a.Fresh:
		return "گزارش اعتبارسنجی این شخص کمتر از ۲۴ ساعت پیش تهیه شده است و نیازی به پرداخت نیست."
	case a.HasReport:
		return "گزارش پیشین این شخص بیش از ۲۴ ساعت پیش تهیه شده است. برای گزارش تازه مبلغ " + money(a.Price) + " را در پیوند پرداخت بپردازید."
	default:
		return "برای تهیه گزارش اعتبارسنجی مبلغ " + money(a.Price) + " را در پیوند پرداخت بپردازید."
	}
}

// money is an amount as Persian text writes it: ۴۵٬۰۰۰ ریال.
func money(a rial.Amount) string {
	return persian.Number(int64(a)) + " ریال"
}
