package credit_test

import (
	"context"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/inquiry/credit"
	"dargah.dev/dargah/internal/payment"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/rial"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// paper seals nothing: what is inside a link is not this package's business.
type paper struct{}

func (paper) Seal(plain []byte, _ string) ([]byte, error)    { return plain, nil }
func (paper) Unseal(sealed []byte, _ string) ([]byte, error) { return sealed, nil }

func desk(reports []credit.Report, err error) *credit.Desk {
	now := func() time.Time { return noon }
	return &credit.Desk{
		Sources: credit.Sources{{Name: "bureau", Ask: func(context.Context, credit.Question) ([]credit.Report, error) { return reports, err }}},
		Price:   func() rial.Amount { return 45000 },
		Cashier: payment.Cashier{Sealer: paper{}, Base: func() string { return "https://d.ir" }, Now: now},
		Now:     now,
	}
}

func question(t *testing.T) credit.Question {
	t.Helper()
	code, err := persian.ParseNationalCode("0012345679")
	if err != nil {
		t.Fatal(err)
	}
	mobile, err := persian.ParseMobile("09121234567")
	if err != nil {
		t.Fatal(err)
	}
	return credit.Question{NationalCode: code, Mobile: mobile}
}

func TestAsk(t *testing.T) {
	t.Parallel()
	aged := func(age time.Duration) credit.Report { return credit.Report{Source: 3, Made: noon.Add(-age)} }
	for name, c := range map[string]struct {
		reports []credit.Report
		want    credit.Answer // without the link
	}{
		"none":                 {nil, credit.Answer{Price: 45000}},
		"two hours":            {[]credit.Report{aged(2 * time.Hour)}, credit.Answer{HasReport: true, Fresh: true, Source: 3}},
		"a day less a second":  {[]credit.Report{aged(24*time.Hour - time.Second)}, credit.Answer{HasReport: true, Fresh: true, Source: 3}},
		"a day":                {[]credit.Report{aged(24 * time.Hour)}, credit.Answer{HasReport: true, Source: 3, Price: 45000}},
		"newest first decides": {[]credit.Report{aged(time.Hour), {Source: 9, Made: noon.Add(-72 * time.Hour)}}, credit.Answer{HasReport: true, Fresh: true, Source: 3}},
	} {
		got, by, err := desk(c.reports, nil).Ask(context.Background(), "a1", question(t))
		if err != nil || by != "bureau" {
			t.Fatalf("%s: %v by %q", name, err, by)
		}
		link := got.PayURL
		got.PayURL = ""
		if got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
		if got.Fresh != (link == "") {
			t.Errorf("%s: link %q", name, link)
		}
	}
}

func TestTheLinkHoldsTheOrder(t *testing.T) {
	t.Parallel()
	d := desk(nil, nil)
	got, _, err := d.Ask(context.Background(), "a1", question(t))
	if err != nil {
		t.Fatal(err)
	}
	sealed, ours := strings.CutPrefix(got.PayURL, "https://d.ir"+payment.Path)
	if !ours {
		t.Fatalf("link %q", got.PayURL)
	}
	order, err := d.Cashier.Read(sealed)
	want := payment.Order{
		Account: "a1", Service: credit.Service, Amount: 45000, NationalCode: "0012345679", Mobile: "09121234567",
		Expires: noon.Add(24 * time.Hour).Unix(),
	}
	if err != nil || order != want {
		t.Errorf("%+v, %v; want %+v", order, err, want)
	}
	if order.Expired(noon.Add(24*time.Hour-time.Second)) || !order.Expired(noon.Add(24*time.Hour)) {
		t.Error("it can be paid for another time than a day")
	}
	for _, bad := range []string{"", "x", sealed[1:], strings.Repeat("A", 4000), base64.RawURLEncoding.EncodeToString([]byte("[]"))} {
		if _, err := d.Cashier.Read(bad); err == nil {
			t.Errorf("%.20q is read as an order", bad)
		}
	}
}

func TestASourceThatCannotAnswerIsNoReport(t *testing.T) {
	t.Parallel()
	_, _, err := desk(nil, fault.New(fault.SourceTimeout)).Ask(context.Background(), "a1", question(t))
	if err == nil || fault.From(err).Code != fault.SourceTimeout {
		t.Errorf("%v", err)
	}
}
