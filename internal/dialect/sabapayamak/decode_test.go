package sabapayamak

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/fault"
)

func post(body string) *dialect.Request {
	return &dialect.Request{Request: httptest.NewRequest(http.MethodPost, "/api/v1/user/authenticate", nil), Data: []byte(body)}
}

func TestDecodeLogin(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		body string
		want credentials
	}{
		{
			"as the page sends it", `{"Username":"user","Password":"secret","VirtualNumber":"30001234","TokenValidDay":15}`,
			credentials{"user", "secret", "30001234", 15},
		},
		{
			"names in lower case", `{"username":"user","password":"secret","virtualnumber":"30001234","tokenvalidday":1}`,
			credentials{"user", "secret", "30001234", 1},
		},
		{
			"camelCase, and more than is read", `{"username":"user","password":"secret","virtualNumber":"30001234","tokenValidDay":365,"Remember":[true]}`,
			credentials{"user", "secret", "30001234", 365},
		},
		{
			"numbers where the page has strings and the other way round", `{"Username":"user","Password":"secret","VirtualNumber":30001234,"TokenValidDay":"15"}`,
			credentials{"user", "secret", "30001234", 15},
		},
		{
			"typed by a person", "{\"Username\":\" us\u200fer \",\"Password\":\"secret\",\"VirtualNumber\":\"\u200e+98 3000-1234\",\"TokenValidDay\":\" ۱۵ \"}",
			credentials{"user", "secret", "+9830001234", 15},
		},
		{
			"Arabic digits", `{"Username":"user","Password":"secret","VirtualNumber":"٣٠٠٠١٢٣٤","TokenValidDay":"٠٣٦٥"}`,
			credentials{"user", "secret", "30001234", 365},
		},
		{
			"short is fine, and a password stays as it is", "{\"Username\":\"u\",\"Password\":\" ۱\u200f \",\"VirtualNumber\":\"1\",\"TokenValidDay\":1}",
			credentials{"u", " ۱\u200f ", "1", 1},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := decodeLogin(post(test.body))
			if err != nil || got != test.want {
				t.Errorf("got %+v, %v; want %+v", got, err, test.want)
			}
		})
	}
}

func TestDecodeLoginComplains(t *testing.T) {
	t.Parallel()
	days := fault.Field{Name: "TokenValidDay", Rule: fault.Range, Min: 1, Max: 365}
	for _, test := range []struct {
		name string
		body string
		want []fault.Field
	}{
		{"absent", `{}`, missing("Username", "Password", "VirtualNumber", "TokenValidDay")},
		{
			"null", `{"Username":null,"Password":null,"VirtualNumber":null,"TokenValidDay":null}`,
			missing("Username", "Password", "VirtualNumber", "TokenValidDay"),
		},
		{
			"blank", `{"Username":" ","Password":"","VirtualNumber":"-","TokenValidDay":""}`,
			missing("Username", "Password", "VirtualNumber", "TokenValidDay"),
		},
		{"only marks", "{\"Username\":\"\u200f\u200e\",\"Password\":\"secret\",\"VirtualNumber\":\"1\",\"TokenValidDay\":1}", missing("Username")},
		{"other types", `{"Username":7,"Password":true,"VirtualNumber":[],"TokenValidDay":{}}`, []fault.Field{
			{Name: "Username", Rule: fault.Type}, {Name: "Password", Rule: fault.Type},
			{Name: "VirtualNumber", Rule: fault.Type}, {Name: "TokenValidDay", Rule: fault.Type},
		}},
		{"no day", body("1", "0"), []fault.Field{days}},
		{"a day too many", body("1", "366"), []fault.Field{days}},
		{"a day too many in words", body("1", `"۳۶۶"`), []fault.Field{days}},
		{"before today", body("1", "-1"), []fault.Field{days}},
		{"before today in words", body("1", `"-1"`), []fault.Field{days}},
		{"a range of days", body("1", `"1-5"`), []fault.Field{days}},
		{"digits apart", body("1", `"1 5"`), []fault.Field{days}},
		{"a sign", body("1", `"+15"`), []fault.Field{days}},
		{"half a day", body("1", "1.5"), []fault.Field{days}},
		{"many zeros", body("1", "1e400"), []fault.Field{days}},
		{"beyond any integer", body("1", `"99999999999999999999"`), []fault.Field{days}},
		{"a word", body("1", `"ten"`), []fault.Field{days}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := decodeLogin(post(test.body))
			var f *fault.Error
			if !errors.As(err, &f) || f.Code != fault.Invalid {
				t.Fatalf("got %v, want invalid", err)
			}
			if diff := cmp.Diff(test.want, f.Fields); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func missing(names ...string) []fault.Field {
	fields := make([]fault.Field, len(names))
	for i, name := range names {
		fields[i] = fault.Field{Name: name, Rule: fault.Missing}
	}
	return fields
}

// body has everything right but what is given, as JSON.
func body(line, days string) string {
	return `{"Username":"user","Password":"secret","VirtualNumber":` + line + `,"TokenValidDay":` + days + `}`
}

func TestDecodeLoginBytes(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"nothing":              "",
		"truncated":            `{"Username":"user","Pass`,
		"repeated":             `{"Username":"user","Username":"user"}`,
		"repeated but in case": `{"Username":"user","username":"user"}`,
		"trailing":             body("1", "1") + "]",
		"an array":             "[" + body("1", "1") + "]",
		"NUL":                  "{\"Username\":\"user\x00\"}",
		"not UTF-8":            "{\"Username\":\"user\xff\"}",
		"deep":                 `{"x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := decodeLogin(post(body)); fault.From(err).Code != fault.Malformed {
				t.Errorf("got %v, want malformed", err)
			}
		})
	}
}

func FuzzDecodeLogin(f *testing.F) {
	for _, seed := range []string{
		body(`"30001234"`, "15"), body("30001234", `"۱۵"`), body("1e3", "1.5"), body("null", "[]"),
		`{"username":"a","USERNAME":"b"}`, `{`, "", "\xef\xbb\xbf{}", `{"Password":"\ud800"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		in, err := decodeLogin(post(string(body)))
		var refused *fault.Error
		switch {
		case err == nil:
			if in.username == "" || in.password == "" || in.line == "" || in.days < 1 || in.days > maxDays {
				t.Errorf("taken although incomplete: %d days", in.days)
			}
		case !errors.As(err, &refused) || refused.Code != fault.Malformed && refused.Code != fault.Invalid:
			t.Errorf("not a fault of the caller: %v", err)
		case (refused.Code == fault.Invalid) != (len(refused.Fields) > 0):
			t.Errorf("%v with %d fields", refused, len(refused.Fields))
		}
	})
}

func TestBearer(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"Bearer a.b.c":                    "a.b.c", // most libraries
		"Bearer  a.b.c":                   "a.b.c", // the Node library
		"Bearer     a.b.c":                "a.b.c",
		"Bearer\ta.b.c":                   "a.b.c",
		"a.b.c":                           "a.b.c", // a client that keeps the bare token
		" a.b.c ":                         "a.b.c",
		"Authorization: Bearer a.b.c":     "a.b.c", // the WordPress plugin
		"Authorization:Bearer a.b.c":      "a.b.c",
		"Authorization : Bearer  a.b.c":   "a.b.c",
		"authorization: bearer a.b.c":     "a.b.c",
		"AUTHORIZATION: BEARER a.b.c":     "a.b.c",
		"Authorization: a.b.c":            "a.b.c",
		"bEARER a.b.c":                    "a.b.c",
		"":                                "",
		"Bearer":                          "",
		"Bearer ":                         "",
		"Authorization:":                  "",
		"Authorization: Bearer":           "",
		"Basic dTpw":                      "Basic dTpw",
		"Bearera.b.c":                     "Bearera.b.c",
		"Bearer Bearer a.b.c":             "Bearer a.b.c",
		"Bearer a.b.c, Bearer d.e.f":      "a.b.c, Bearer d.e.f",
		"X-Authorization: Bearer a.b.c":   "X-Authorization: Bearer a.b.c",
		"Authorization: Authorization: a": "Authorization: a",
	} {
		if got := bearer(value); got != want {
			t.Errorf("%q: got %q, want %q", value, got, want)
		}
	}
}

// FuzzBearer: what is found is a part of the value without blanks around it,
// and every way to dress a bare token gives the same.
func FuzzBearer(f *testing.F) {
	for _, seed := range []string{"Bearer a.b.c", "Authorization: Bearer  a", "authorization:a", "bearer", "::", "\t \xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		got := bearer(value)
		if !strings.Contains(value, got) || got != strings.Trim(got, blanks) {
			t.Errorf("%q gave %q", value, got)
		}
		if got == "" || strings.ContainsAny(got, blanks+":") || strings.EqualFold(got, "Bearer") {
			return
		}
		for _, dress := range []string{"", "Bearer ", "bearer  ", "Authorization: Bearer ", "AUTHORIZATION:\tBEARER\t"} {
			if again := bearer(dress + got); again != got {
				t.Errorf("%q after %q gave %q", got, dress, again)
			}
		}
	})
}
