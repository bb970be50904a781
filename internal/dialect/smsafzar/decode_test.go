package smsafzar

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/fault"
)

func post(body string) *dialect.Request {
	return &dialect.Request{Request: httptest.NewRequest(http.MethodPost, "/auth/token", nil), Data: []byte(body), At: noon}
}

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

var (
	shortName     = fault.Field{Name: "UserName", Rule: fault.Short, Min: 6}
	shortPassword = fault.Field{Name: "Password", Rule: fault.Short, Min: 8}
	noDomain      = fault.Field{Name: "Domain", Rule: fault.Missing}
)

func TestDecodeLogin(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		body string
		want credentials
	}{
		{
			"as the page sends it", `{"userName":"testuser","password":"Passw0rd","domain":"sms.example"}`,
			credentials{"testuser", "Passw0rd", "sms.example"},
		},
		{
			"unknown members", `{"grant":{"a":[1]},"userName":"testuser","UserName":7,"password":"Passw0rd","domain":"d"}`,
			credentials{"testuser", "Passw0rd", "d"},
		},
		{
			"the minimum lengths are of characters", `{"userName":"کاربری","password":"رمزعبورم","domain":"د"}`,
			credentials{"کاربری", "رمزعبورم", "د"},
		},
		{
			"a name and a domain are cleaned", "{\"userName\":\" \u200ftest۱۲ \",\"password\":\"Passw0rd\",\"domain\":\"\u200esms.example \"}",
			credentials{"test12", "Passw0rd", "sms.example"},
		},
		{
			"a password is not", "{\"userName\":\"testuser\",\"password\":\" رمز۱۲\u200f \",\"domain\":\"d\"}",
			credentials{"testuser", " رمز۱۲\u200f ", "d"},
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
	for _, test := range []struct {
		name string
		body string
		want []fault.Field
	}{
		{"both at once", `{"userName":"short","password":"1234567","domain":"d"}`, []fault.Field{shortName, shortPassword}},
		{"five Persian letters are ten bytes", `{"userName":"کاربر","password":"Passw0rd","domain":"d"}`, []fault.Field{shortName}},
		{"blanks around a name do not count", `{"userName":" short ","password":"Passw0rd","domain":"d"}`, []fault.Field{shortName}},
		{"absent", `{}`, []fault.Field{shortName, shortPassword, noDomain}},
		{"null", `{"userName":null,"password":null,"domain":null}`, []fault.Field{shortName, shortPassword, noDomain}},
		{"empty", `{"userName":"","password":"","domain":" "}`, []fault.Field{shortName, shortPassword, noDomain}},
		{"another letter case is another member", `{"username":"testuser","password":"Passw0rd","domain":"d"}`, []fault.Field{shortName}},
		{"other types", `{"userName":123456,"password":["Passw0rd"],"domain":{}}`, []fault.Field{
			{Name: "UserName", Rule: fault.Type}, {Name: "Password", Rule: fault.Type}, {Name: "Domain", Rule: fault.Type},
		}},
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

func TestDecodeLoginBytes(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"nothing":       "",
		"truncated":     `{"userName":"testuser","pass`,
		"repeated":      `{"userName":"testuser","password":"Passw0rd","password":"Passw0rd","domain":"d"}`,
		"trailing":      `{"userName":"testuser","password":"Passw0rd","domain":"d"}{}`,
		"an array":      `["testuser","Passw0rd","d"]`,
		"NUL":           `{"userName":"testuser\u0000","password":"Passw0rd","domain":"d"}`,
		"not UTF-8":     "{\"userName\":\"testuser\xff\",\"password\":\"Passw0rd\",\"domain\":\"d\"}",
		"deep":          `{"x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`,
		"another lingo": `userName=testuser&password=Passw0rd&domain=d`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := decodeLogin(post(body)); fault.From(err).Code != fault.Malformed {
				t.Errorf("got %v, want malformed", err)
			}
		})
	}
}

// TestDecodeLoginKeepsPasswords: whatever the password, it arrives as sent.
func TestDecodeLoginKeepsPasswords(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		password := rapid.StringN(8, 64, -1).Filter(func(s string) bool { return !strings.ContainsRune(s, 0) }).Draw(t, "password")
		body, err := json.Marshal(map[string]string{"userName": "testuser", "password": password, "domain": "d"})
		if err != nil {
			t.Fatal(err)
		}
		if in, err := decodeLogin(post(string(body))); err != nil || in.password != password {
			t.Fatalf("%q became %q, %v", password, in.password, err)
		}
	})
}

func FuzzDecodeLogin(f *testing.F) {
	for _, seed := range []string{
		`{"userName":"testuser","password":"Passw0rd","domain":"sms.example"}`,
		`{"userName":"کاربر۱","password":null,"domain":7}`,
		`{"userName":"a","userName":"b"}`, `{`, "", "\xef\xbb\xbf{}", `{"domain":"\ud800"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		in, err := decodeLogin(post(string(body)))
		var refused *fault.Error
		switch {
		case err == nil:
			if utf8.RuneCountInString(in.username) < minUsername || utf8.RuneCountInString(in.password) < minPassword || in.domain == "" {
				t.Errorf("taken although too short: %d and %d characters", len(in.username), len(in.password))
			}
		case !errors.As(err, &refused) || refused.Code != fault.Malformed && refused.Code != fault.Invalid:
			t.Errorf("not a fault of the caller: %v", err)
		case (refused.Code == fault.Invalid) != (len(refused.Fields) > 0):
			t.Errorf("%v with %d fields", refused, len(refused.Fields))
		}
	})
}
