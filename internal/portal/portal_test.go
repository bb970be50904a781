package portal_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"dargah.dev/dargah/internal/payment"
	"dargah.dev/dargah/internal/portal"
	"dargah.dev/dargah/internal/seal"
)

var draw = flag.String("draw", "", "a folder to put the pages into, to look at them")

const (
	nationalCode = "0012345679"
	mobile       = "09121234567"
	day          = 24 * time.Hour
)

var opened = time.Date(2026, 11, 21, 9, 5, 0, 0, time.UTC)

// shelf keeps a keyring's parts in memory.
type shelf map[string][]byte

func (s shelf) Load(name string) ([]byte, error)      { return s[name], nil }
func (s shelf) Save(name string, sealed []byte) error { s[name] = sealed; return nil }

// desk is a portal, and a link of it that was opened at opened.
func desk(t *testing.T, o payment.Order, now time.Time) (http.Handler, string) {
	t.Helper()
	keys, err := seal.Open([seal.KeySize]byte{1}, shelf{})
	if err != nil {
		t.Fatal(err)
	}
	cashier := payment.Cashier{Sealer: keys, Base: func() string { return "" }, Now: func() time.Time { return opened }}
	link, err := cashier.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return portal.New(cashier, func() time.Time { return now }), link
}

func order() payment.Order {
	return payment.Order{Account: "acc-secret", Service: "credit", Amount: 45000, NationalCode: nationalCode, Mobile: mobile}
}

func get(h http.Handler, method, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, target, http.NoBody))
	return w
}

func TestPages(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		path   func(link string) string
		now    time.Time
		status int
		shows  []string
	}{
		"due": {
			func(link string) string { return link }, opened.Add(day - time.Second), http.StatusOK,
			[]string{
				"گزارش اعتبارسنجی", "۴۵٬۰۰۰ ریال", "۰۹۱۲***۴۵۶۷", "۱۴۰۵/۰۹/۰۱ ساعت ۱۲:۳۵",
				"پرداخت آنلاین در این نسخه متصل نیست",
			},
		},
		"due with a slash": {func(link string) string { return link + "/" }, opened, http.StatusOK, []string{"۴۵٬۰۰۰ ریال"}},
		"expired": {
			func(link string) string { return link }, opened.Add(day), http.StatusGone,
			[]string{"مهلت پرداخت به پایان رسیده است", "۱۴۰۵/۰۹/۰۱ ساعت ۱۲:۳۵"},
		},
		"cut":     {func(link string) string { return link[:len(link)-3] }, opened, http.StatusNotFound, []string{"پیوند پرداخت معتبر نیست"}},
		"changed": {swapped, opened, http.StatusNotFound, []string{"پیوند پرداخت معتبر نیست"}},
		"empty":   {func(string) string { return payment.Path }, opened, http.StatusNotFound, []string{"پیوند پرداخت معتبر نیست"}},
		"deeper":  {func(link string) string { return link + "/x" }, opened, http.StatusNotFound, []string{"پیوند پرداخت معتبر نیست"}},
		"long":    {func(string) string { return payment.Path + strings.Repeat("A", 5000) }, opened, http.StatusNotFound, []string{"معتبر نیست"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, link := desk(t, order(), c.now)
			w := get(h, http.MethodGet, c.path(link))
			body := w.Body.String()
			if w.Code != c.status {
				t.Errorf("status %d, want %d", w.Code, c.status)
			}
			for _, text := range c.shows {
				if !strings.Contains(body, text) {
					t.Errorf("the page does not show %q:\n%s", text, body)
				}
			}
			checkPage(t, w)
			keep(t, name, body)
		})
	}
}

// swapped changes the link's first character, which no encoding ignores.
func swapped(link string) string {
	at := len(payment.Path)
	if link[at] == 'B' {
		return link[:at] + "C" + link[at+1:]
	}
	return link[:at] + "B" + link[at+1:]
}

// checkPage holds what is true of every page.
func checkPage(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	body := w.Body.String()
	for name, want := range map[string]string{
		"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "X-Robots-Tag": "noindex", "Content-Language": "fa",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if !strings.Contains(body, `<html lang="fa" dir="rtl">`) {
		t.Error("the page does not say that it is Persian, right to left")
	}
	for _, secret := range []string{nationalCode, "۰۰۱۲۳۴۵۶۷۹", mobile, "۰۹۱۲۱۲۳۴۵۶۷", "1234567", "۱۲۳۴۵۶۷", "acc-secret"} {
		if strings.Contains(body, secret) {
			t.Errorf("the page holds %q", secret)
		}
	}
	checkSelfContained(t, w.Header().Get("Content-Security-Policy"), body)
	checkForm(t, body)
}

// checkSelfContained wants the one style that the policy names, and nothing that
// a browser would fetch.
func checkSelfContained(t *testing.T, policy, body string) {
	t.Helper()
	_, rest, _ := strings.Cut(body, "<style>")
	style, rest, found := strings.Cut(rest, "</style>")
	if !found || strings.Contains(rest, "<style") {
		t.Fatal("the page has not exactly one style")
	}
	sum := sha256.Sum256([]byte(style))
	for _, part := range []string{
		"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'",
		"style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'",
	} {
		if !strings.Contains(policy, part) {
			t.Errorf("the policy %q has no %s", policy, part)
		}
	}
	for _, fetched := range []string{"src=", "href=", "url(", "@import", "<script", "<link", "style="} {
		if strings.Contains(body, fetched) {
			t.Errorf("the page has %q", fetched)
		}
	}
}

// unclosed are the parts of HTML that XML does not know.
var unclosed = regexp.MustCompile(`<!DOCTYPE html>|<meta [^>]*>`)

// checkForm reads the rest of the page as XML: every element is closed, in order.
func checkForm(t *testing.T, body string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(unclosed.ReplaceAllString(body, "")))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("the page is not well formed: %v", err)
		}
	}
}

func TestMethods(t *testing.T) {
	t.Parallel()
	h, link := desk(t, order(), opened)
	whole := get(h, http.MethodGet, link)
	head := get(h, http.MethodHead, link)
	if head.Code != http.StatusOK || head.Body.Len() != 0 || head.Header().Get("Content-Length") != whole.Header().Get("Content-Length") {
		t.Errorf("HEAD: %d, %d bytes, Content-Length %s", head.Code, head.Body.Len(), head.Header().Get("Content-Length"))
	}
	post := get(h, http.MethodPost, link)
	if post.Code != http.StatusMethodNotAllowed || post.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %d, Allow %q", post.Code, post.Header().Get("Allow"))
	}
	checkPage(t, post)
}

func TestValues(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*payment.Order)
		want   string
	}{
		"large":              {func(o *payment.Order) { o.Amount = 1234567890 }, "۱٬۲۳۴٬۵۶۷٬۸۹۰ ریال"},
		"small":              {func(o *payment.Order) { o.Amount = 999 }, "<bdi>۹۹۹ ریال</bdi>"},
		"no mobile":          {func(o *payment.Order) { o.Mobile = "" }, "<bdi>***</bdi>"},
		"an unknown service": {func(o *payment.Order) { o.Service = "<b>x" }, "<bdi>سرویس</bdi>"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := order()
			c.change(&o)
			h, link := desk(t, o, opened)
			if body := get(h, http.MethodGet, link).Body.String(); !strings.Contains(body, c.want) {
				t.Errorf("the page does not show %q:\n%s", c.want, body)
			}
		})
	}
}

// keep writes a page to the folder of -draw, for eyes.
func keep(t *testing.T, name, body string) {
	t.Helper()
	if *draw == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(*draw, strings.ReplaceAll(name, " ", "-")+".html"), []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
}
