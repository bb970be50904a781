package uid

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"dargah.dev/dargah/internal/admission"
	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/persian"
)

// now is 1405/08/30.
var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func post(body string) *dialect.Request {
	return &dialect.Request{
		Request: httptest.NewRequest(http.MethodPost, "/api/inquiry/person", nil), Data: []byte(body), At: now, ID: "CALL",
	}
}

func TestDecodeCredential(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]admission.Credential{
		`{"requestContext":{"apiInfo":{"businessId":"b","businessToken":"t"}}}`:                     admission.Business{ID: "b", Token: "t"},
		`{"a":1,"requestContext":{"x":{},"apiInfo":{"businessToken":"t","y":[],"businessId":"b"}}}`: admission.Business{ID: "b", Token: "t"},
		`{}`:                                  nil,
		`{"requestContext":[]}`:               nil,
		`{"requestContext":{"apiInfo":null}}`: nil,
		`{"requestContext":{"apiInfo":{"businessId":"b"}}}`:                                      nil,
		`{"requestContext":{"apiInfo":{"businessToken":"t"}}}`:                                   nil,
		`{"requestContext":{"apiInfo":{"businessId":"","businessToken":""}}}`:                    nil,
		`{"requestContext":{"apiInfo":{"businessId":1,"businessToken":2}}}`:                      nil,
		`{"apiInfo":{"businessId":"b","businessToken":"t"}}`:                                     nil,
		`{"requestContext":{"businessId":"b","businessToken":"t"}}`:                              nil,
		`{"requestcontext":{"apiInfo":{"businessId":"b","businessToken":"t"}}}`:                  nil,
		`{"requestContext":{"apiInfo":{"BUSINESSID":"b","businessToken":"t","businessid":"b"}}}`: nil,
	} {
		got, err := decodeCredential(post(body))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", body, diff)
		}
		if want == nil && fault.From(err).Code != fault.NoToken || want != nil && err != nil {
			t.Errorf("%s: %v", body, err)
		}
	}
	if _, err := decodeCredential(post(`{"requestContext":`)); fault.From(err).Code != fault.Malformed {
		t.Errorf("broken JSON: %v", err)
	}
}

func TestDecodePerson(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ code, date string }{
		{"0012345679", "1372/11/02"},
		{"۰۰۱۲۳۴۵۶۷۹", "۱۳۷۲/۱۱/۰۲"},
		{"٠٠١٢٣٤٥٦٧٩", "١٣٧٢/١١/٢"},
		{" 001-234567-9\u200f", "\u202a1372-11-2\u202c"},
		{"0012345679", "13721102"},
	} {
		q, err := decodePerson(post(asking(t, c.code, c.date)), nil)
		if err != nil || q.NationalCode.Digits() != "0012345679" || q.BirthDate != (persian.Date{Year: 1372, Month: 11, Day: 2}) {
			t.Errorf("%q, %q: %v", c.code, c.date, err)
		}
	}
}

func asking(t testing.TB, code, date any) string {
	t.Helper()
	body, err := json.Marshal(map[string]any{nationalID: code, birthDate: date})
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestDecodePersonComplains(t *testing.T) {
	t.Parallel()
	const code, date = "0012345679", "1372/11/02"
	for _, c := range []struct {
		name       string
		code, date any
		want       []fault.Field
	}{
		{"absent", nil, nil, []fault.Field{{Name: nationalID, Rule: fault.Missing}, {Name: birthDate, Rule: fault.Missing}}},
		{"blank", " \u200c", "\u200f", []fault.Field{{Name: nationalID, Rule: fault.Missing}, {Name: birthDate, Rule: fault.Missing}}},
		{"other types", 12345679, []string{date}, []fault.Field{{Name: nationalID, Rule: fault.Type}, {Name: birthDate, Rule: fault.Type}}},
		{"nine digits", "012345679", date, []fault.Field{{Name: nationalID, Rule: fault.Form}}},
		{"eight digits, as the page prints it", "12345679", date, []fault.Field{{Name: nationalID, Rule: fault.Form}}},
		{"eleven digits", "00123456790", date, []fault.Field{{Name: nationalID, Rule: fault.Form}}},
		{"letters", "OO12345679", date, []fault.Field{{Name: nationalID, Rule: fault.Form}}},
		{"all equal", "1111111111", date, []fault.Field{{Name: nationalID, Rule: fault.Form}}},
		{"check digit", "0012345678", date, []fault.Field{{Name: nationalID, Rule: fault.Checksum}}},
		{"no such day", code, "1404/12/30", []fault.Field{{Name: birthDate, Rule: fault.Date}}},
		{"no such month", code, "1372/13/01", []fault.Field{{Name: birthDate, Rule: fault.Date}}},
		{"day 0", code, "1372/00/00", []fault.Field{{Name: birthDate, Rule: fault.Date}}},
		{"Gregorian", code, "1994-01-22", []fault.Field{{Name: birthDate, Rule: fault.Date}}},
		{"tomorrow", code, "1405/09/01", []fault.Field{{Name: birthDate, Rule: fault.Future}}},
		{"too long ago", code, "1275/08/29", []fault.Field{{Name: birthDate, Rule: fault.Date}}},
		{"two-digit year", code, "72/11/02", []fault.Field{{Name: birthDate, Rule: fault.Form}}},
		{"endless", strings.Repeat("1", 10_000), strings.Repeat("1", 10_000), []fault.Field{{Name: nationalID, Rule: fault.Form}, {Name: birthDate, Rule: fault.Form}}},
	} {
		_, err := decodePerson(post(asking(t, c.code, c.date)), nil)
		var f *fault.Error
		if !errors.As(err, &f) || f.Code != fault.Invalid {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if diff := cmp.Diff(c.want, f.Fields); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
	if _, err := decodePerson(post(asking(t, code, "1405/08/30")), nil); err != nil {
		t.Errorf("born today: %v", err)
	}
}

// A complaint goes to the trail and the log: it may not hold what was sent.
func TestComplaintsHoldNoValue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		code := rapid.StringMatching(`[0-9]{9,11}`).Draw(rt, "code")
		date := rapid.StringMatching(`1[2-6][0-9]{2}/[0-9]{2}/[0-9]{2}`).Draw(rt, "date")
		_, err := decodePerson(post(asking(t, code, date)), nil)
		if err != nil && (strings.Contains(err.Error(), code) || strings.Contains(err.Error(), date)) {
			rt.Fatalf("a value stands in %v", err)
		}
	})
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"requestContext":{"apiInfo":{"businessId":"b","businessToken":"t"}},"nationalId":"0012345679","birthDate":"1372/11/02"}`,
		`{"requestContext":{"apiInfo":{"businessId":7}},"nationalId":12345679,"birthDate":null}`,
		"{\"nationalId\":\"\u200f۰۰۱۲۳۴۵۶۷۹\",\"birthDate\":\"۱۳۷۲/۱۱/۲\"}",
		`{"nationalId":"1","nationalId":"1"}`, `{"nationalId":"\ud800"}`, "{", "", "null", "\xef\xbb\xbf{}", `[{}]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		shown, err := decodeCredential(post(string(body)))
		if code := fault.From(err).Code; err != nil && code != fault.Malformed && code != fault.NoToken {
			t.Errorf("credential: %v", err)
		}
		if b, ok := shown.(admission.Business); err == nil && (!ok || b.ID == "" || b.Token == "") {
			t.Error("an empty credential counts as shown")
		}
		q, err := decodePerson(post(string(body)), nil)
		if code := fault.From(err).Code; err != nil && code != fault.Malformed && code != fault.Invalid {
			t.Errorf("question: %v", err)
		}
		if err == nil && (len(q.NationalCode.Digits()) != 10 || q.BirthDate.IsZero() || q.BirthDate.Compare(persian.DateOf(now)) > 0) {
			t.Error("an impossible question is taken")
		}
	})
}
