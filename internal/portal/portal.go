// Package portal owns the pages for the people whom a customer's call is about:
// for now the one behind a payment link. It shows what an order says and takes
// no money. What an order is and whether a link is ours is decided in payment.
package portal

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"

	"dargah.dev/dargah/internal/payment"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/rial"
)

//go:embed page.html style.css
var files embed.FS

// New serves GET and HEAD of everything under payment.Path: an order's link, and
// whatever is left of one that was cut on its way.
func New(cashier payment.Cashier, now func() time.Time) http.Handler {
	style := must(files.ReadFile("style.css"))
	sum := sha256.Sum256(style)
	return &pages{
		cashier: cashier, now: now,
		page:  template.Must(template.ParseFS(files, "page.html")),
		style: template.CSS(style), //nolint:gosec // a file of ours
		policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
			"'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic("portal: an embedded file cannot be read: " + err.Error())
	}
	return b
}

type pages struct {
	cashier payment.Cashier
	now     func() time.Time
	page    *template.Template
	style   template.CSS
	policy  string // allows that one style and nothing else, no address of ours included
}

func (p *pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		p.show(w, r, http.StatusMethodNotAllowed, notice{
			Title: "روش درخواست درست نیست", Text: "این نشانی را در مرورگر باز کنید.",
		})
		return
	}
	order, err := p.cashier.Read(strings.TrimPrefix(r.URL.Path, payment.Path))
	switch {
	case err != nil:
		p.show(w, r, http.StatusNotFound, notice{
			Title: "پیوند پرداخت معتبر نیست",
			Text:  "این پیوند ناقص است یا تغییر کرده است. آن را دوباره و کامل از فرستنده بگیرید.",
		})
	case order.Expired(p.now()):
		p.show(w, r, http.StatusGone, notice{
			Title: "مهلت پرداخت به پایان رسیده است",
			Text:  "برای پرداخت، از کسب و کاری که این پیوند را فرستاده است پیوند تازه بخواهید.",
			Rows:  []row{{"مهلت", moment(order.Expires)}},
		})
	default:
		p.show(w, r, http.StatusOK, due(order))
	}
}

// notice is what a page says.
type notice struct {
	Title string
	Text  string
	Rows  []row
	Note  string // set apart below; may be empty
	Style template.CSS
}

type row struct{ Name, Value string }

func due(o payment.Order) notice {
	return notice{
		Title: "پرداخت " + title(o.Service),
		Text:  "این درخواست پرداخت برای شما ساخته شده است.",
		Rows: []row{
			{"بابت", title(o.Service)},
			{"مبلغ", money(o.Amount)},
			{"شماره همراه", masked(o.Mobile)},
			{"مهلت پرداخت", moment(o.Expires)},
		},
		Note: "پرداخت آنلاین در این نسخه متصل نیست. هیچ مبلغی از شما دریافت نمی" + zwnj + "شود.",
	}
}

// zwnj parts the halves of a verb; written as an escape because it is invisible.
const zwnj = "\u200c"

// show writes a whole page or, where the template fails, nothing of it.
func (p *pages) show(w http.ResponseWriter, r *http.Request, status int, n notice) {
	n.Style = p.style
	var body bytes.Buffer
	if err := p.page.Execute(&body, n); err != nil {
		panic("portal: the page cannot be written: " + err.Error()) // recovered and logged by the server
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", "fa")
	h.Set("Content-Length", strconv.Itoa(body.Len()))
	h.Set("Content-Security-Policy", p.policy)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer") // the address itself opens the order
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY") // for browsers that do not know frame-ancestors
	h.Set("X-Robots-Tag", "noindex")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body.Bytes()) // only the socket can fail, and nobody is left to tell
	}
}

// titles are the services' names for people.
var titles = map[string]string{"credit": "گزارش اعتبارسنجی"}

func title(service string) string {
	if t, known := titles[service]; known {
		return t
	}
	return "سرویس"
}

func money(a rial.Amount) string {
	return persian.Number(int64(a)) + " ریال"
}

// masked lets the owner know the number again and nobody else read it:
// ۰۹۱۲***۴۵۶۷.
func masked(mobile string) string {
	if len(mobile) != 11 {
		return "***"
	}
	return persian.ToPersianDigits(mobile[:4]) + "***" + persian.ToPersianDigits(mobile[7:])
}

// moment is a Unix time as it is written in Iran, on Tehran's clock.
func moment(unix int64) string {
	t := time.Unix(unix, 0).In(persian.Tehran)
	return persian.ToPersianDigits(persian.DateOf(t).String() + " ساعت " + t.Format("15:04"))
}
