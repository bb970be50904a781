package itsaaz_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dargah.dev/dargah/internal/admission"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/inquiry/credit"
	"dargah.dev/dargah/internal/token"
)

const loginForm = "grant_type=password&client_id=shop&Client_secret=s-1&username=sara&password=p-1"

func header(pair string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(pair)) }

func TestWhoAsksForAToken(t *testing.T) {
	t.Parallel()
	who := route(t, speak(t, credit.Answer{}), tokenPath).Who
	sara := admission.ClientPassword{Client: "shop", Secret: "s-1", Username: "sara", Password: "p-1"}
	for name, c := range map[string]struct {
		body   string
		header []string
		want   admission.Credential
	}{
		"as the page prints it":    {loginForm, nil, sara},
		"names in any letter case": {"GRANT_TYPE=password&Client_id=shop&CLIENT_SECRET=s-1&UserName=sara&PassWord=p-1", nil, sara},
		"unknown parameters":       {loginForm + "&acr_values=x&nonce=1", nil, sara},
		"an empty one is left out": {loginForm + "&scope=&refresh_token=", nil, sara},
		"a password is not cleaned": {
			"grant_type=password&client_id=shop&client_secret=s-1&username=+sara+&password=+%DB%B1%D9%8A+%2B%25%40+", nil,
			admission.ClientPassword{Client: "shop", Secret: "s-1", Username: " sara ", Password: " ۱ي +%@ "},
		},
		"Basic": {"grant_type=password&username=sara&password=p-1", []string{header("shop:s-1")}, sara},
		"Basic in another case and spacing": {
			"grant_type=password&username=sara&password=p-1", []string{strings.Replace(header("shop:s-1"), "Basic ", "bAsIc  ", 1)}, sara,
		},
		"Basic is form-encoded inside": {
			"grant_type=password&username=sara&password=p-1", []string{header("sh%3Aop:s%2B1+x:y")},
			admission.ClientPassword{Client: "sh:op", Secret: "s+1 x:y", Username: "sara", Password: "p-1"},
		},
		"Basic and the same client_id": {"grant_type=password&client_id=shop&username=sara&password=p-1", []string{header("shop:s-1")}, sara},
		"an old Bearer token":          {loginForm, []string{"Bearer old"}, sara},
		"refresh": {
			"grant_type=refresh_token&client_id=shop&client_secret=s-1&refresh_token=dgr_x", nil,
			admission.ClientRefresh{Client: "shop", Secret: "s-1", Refresh: "dgr_x"},
		},
		"refresh with Basic": {
			"grant_type=refresh_token&refresh_token=dgr_x&scope=credit", []string{header("shop:s-1")},
			admission.ClientRefresh{Client: "shop", Secret: "s-1", Refresh: "dgr_x"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := who(call(tokenPath, c.body, c.header...))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestTokenCallRefusals(t *testing.T) {
	t.Parallel()
	who := route(t, speak(t, credit.Answer{}), tokenPath).Who
	without := func(param string) string {
		var kept []string
		for pair := range strings.SplitSeq(loginForm, "&") {
			if !strings.HasPrefix(pair, param+"=") {
				kept = append(kept, pair)
			}
		}
		return strings.Join(kept, "&")
	}
	const bare = "grant_type=password&username=sara&password=p-1"
	for name, c := range map[string]struct {
		body   string
		header []string
		want   fault.Code
		text   string
	}{
		"empty":                    {"", nil, fault.Invalid, "grant_type is missing"},
		"no grant type":            {without("grant_type"), nil, fault.Invalid, "grant_type is missing"},
		"no user name":             {without("username"), nil, fault.Invalid, "username is missing"},
		"no password":              {without("password"), nil, fault.Invalid, "password is missing"},
		"neither":                  {"grant_type=password&client_id=shop&client_secret=s-1", nil, fault.Invalid, "username is missing; password is missing"},
		"an empty password":        {without("password") + "&password=", nil, fault.Invalid, "password is missing"},
		"no refresh token":         {"grant_type=refresh_token&client_id=shop&client_secret=s-1", nil, fault.Invalid, "refresh_token is missing"},
		"no client":                {bare, nil, fault.Client, "client authentication failed"},
		"no client id":             {without("client_id"), nil, fault.Client, "client authentication failed"},
		"no client secret":         {without("Client_secret"), nil, fault.Client, "client authentication failed"},
		"only a Bearer header":     {bare, []string{"Bearer x"}, fault.Client, "client authentication failed"},
		"repeated in another case": {loginForm + "&CLIENT_ID=shop", nil, fault.Invalid, "client_id is repeated"},
		"an unknown one repeated":  {loginForm + "&n\u0661=1&n\u0661=2", nil, fault.Invalid, "a parameter is repeated"},
		"two secrets":              {loginForm, []string{header("shop:s-1")}, fault.Invalid, "client_secret is repeated"},
		"two ids":                  {bare + "&client_id=other", []string{header("shop:s-1")}, fault.Invalid, "client_id is repeated"},
		"two headers":              {loginForm, []string{header("shop:s-1"), header("shop:s-1")}, fault.Malformed, "the request is not a well-formed form"},
		"Basic without base64":     {bare, []string{"Basic ???"}, fault.Client, "client authentication failed"},
		"Basic without a colon":    {bare, []string{header("shop")}, fault.Client, "client authentication failed"},
		"Basic without an id":      {bare, []string{header(":s-1")}, fault.Client, "client authentication failed"},
		"Basic with a bad escape":  {bare, []string{header("shop:50%")}, fault.Client, "client authentication failed"},
		"another grant":            {strings.Replace(loginForm, "=password", "=client_credentials", 1), nil, fault.GrantType, "the grant type must be password or refresh_token"},
		"a bad escape":             {loginForm + "&x=%zz", nil, fault.Malformed, "the request is not a well-formed form"},
		"NUL":                      {loginForm + "%00", nil, fault.Malformed, "the request is not a well-formed form"},
		"invalid UTF-8":            {loginForm + "%ff", nil, fault.Malformed, "the request is not a well-formed form"},
		"JSON":                     {`{"grant_type":"password"}`, nil, fault.Invalid, "grant_type is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := call(tokenPath, c.body, c.header...)
			_, err := who(r)
			f := refusal(t, err)
			if f.Code != c.want {
				t.Fatalf("%v, want %v", f.Code, c.want)
			}
			if reply := route(t, speak(t, credit.Answer{}), tokenPath).Refuse(r, f); !strings.Contains(string(reply.Body), `"error_description":"`+c.text+`"`) {
				t.Errorf("body %s, want the description %q", reply.Body, c.text)
			}
		})
	}
}

func TestScopes(t *testing.T) {
	t.Parallel()
	open := route(t, speak(t, credit.Answer{}), tokenPath).Steps.Open
	first := token.Refresh{Family: "fam", Scope: "credit"}
	for name, c := range map[string]struct {
		grants []string
		asked  string
		shown  token.Refresh
		want   []string // nil: invalid_scope
	}{
		"all that is granted":           {[]string{"*"}, "", token.Refresh{}, []string{"credit"}},
		"granted by name":               {[]string{"sms", "credit"}, "", token.Refresh{}, []string{"credit"}},
		"asked":                         {[]string{"*"}, "credit", token.Refresh{}, []string{"credit"}},
		"asked twice, stray blanks":     {[]string{"*"}, "+credit++credit+", token.Refresh{}, []string{"credit"}},
		"not granted":                   {[]string{"sms"}, "", token.Refresh{}, nil},
		"nothing granted":               {nil, "", token.Refresh{}, nil},
		"asked, not granted":            {[]string{"sms"}, "credit", token.Refresh{}, nil},
		"of another dialect":            {[]string{"*"}, "sms", token.Refresh{}, nil},
		"one good, one unknown":         {[]string{"*"}, "credit openid", token.Refresh{}, nil},
		"scopes have a letter case":     {[]string{"*"}, "Credit", token.Refresh{}, nil},
		"refreshed":                     {[]string{"*"}, "", first, []string{"credit"}},
		"refreshed, since then taken":   {[]string{"sms"}, "", first, nil},
		"refreshed beyond the original": {[]string{"*"}, "credit", token.Refresh{Family: "fam", Scope: "other"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pass := admitted(c.grants...)
			pass.Refresh = c.shown
			got, err := open(call(tokenPath, loginForm+"&scope="+c.asked), pass)
			if c.want == nil {
				if f := refusal(t, err); f.Code != fault.Scope {
					t.Errorf("%v, want %v", f.Code, fault.Scope)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := token.Request{Account: "acc", Epoch: 3, Audience: "itsaaz", Days: 7, Client: "shop", Scope: c.want, Shown: c.shown}
			if diff := cmp.Diff(any(want), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestBearer(t *testing.T) {
	t.Parallel()
	who := route(t, speak(t, credit.Answer{}), infoPath).Who
	for value, want := range map[string]admission.Credential{
		"":           admission.Bearer{Audience: "itsaaz"},
		"Bearer T":   admission.Bearer{Audience: "itsaaz", Token: "T"},
		"bearer   T": admission.Bearer{Audience: "itsaaz", Token: "T"},
		"T":          nil,
		"Bearer":     nil,
		"Basic eA==": nil,
	} {
		var headers []string
		if value != "" {
			headers = []string{value}
		}
		got, err := who(call(infoPath, "{}", headers...))
		if want == nil {
			if f := refusal(t, err); f.Code != fault.BadToken {
				t.Errorf("%q: %v, want %v", value, f.Code, fault.BadToken)
			}
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%q: %v (-want +got):\n%s", value, err, diff)
		}
	}
	_, err := who(call(infoPath, "{}", "Bearer T", "Bearer T"))
	if f := refusal(t, err); f.Code != fault.BadToken {
		t.Errorf("two headers: %v, want %v", f.Code, fault.BadToken)
	}
}

func TestQuestion(t *testing.T) {
	t.Parallel()
	steps := route(t, speak(t, credit.Answer{}), infoPath).Steps
	for name, body := range map[string]string{
		"as the page names them": `{"NationalCode":"0012345679","Cellphone":"09121234567"}`,
		"any letter case":        `{"nationalcode":"0012345679","CELLPHONE":"09121234567"}`,
		"more members":           `{"orderId":"","platform":"web","nationalCode":"0012345679","cellphone":"09121234567"}`,
		"as a person types":      `{"NationalCode":" ۰۰۱-۲۳۴۵۶۷-۹\u200f","Cellphone":"+۹۸ ۹۱۲ ۱۲۳ ۴۵۶۷"}`,
		"Arabic digits":          `{"NationalCode":"٠٠١٢٣٤٥٦٧٩","Cellphone":"٩١٢١٢٣٤٥٦٧"}`,
		"0098":                   `{"NationalCode":"0012345679","Cellphone":"00989121234567"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := steps.Open(call(infoPath, body), admitted("*"))
			if err != nil {
				t.Fatal(err)
			}
			q := got.(credit.Question)
			if q.NationalCode.Digits() != "0012345679" || q.Mobile.Local() != "09121234567" {
				t.Errorf("%q and %q", q.NationalCode.Digits(), q.Mobile.Local())
			}
			if steps.Subject(got) != "0012345679" {
				t.Errorf("the subject is %q", steps.Subject(got))
			}
		})
	}
}

func TestBadQuestions(t *testing.T) {
	t.Parallel()
	info := route(t, speak(t, credit.Answer{}), infoPath)
	const (
		goodCode   = `"NationalCode":"0012345679"`
		goodMobile = `"Cellphone":"09121234567"`
		malformed  = "ساختار درخواست معتبر نیست."
		badCode    = "کدملی نامعتبر است."
		badMobile  = "شماره همراه نامعتبر است."
		noCode     = "کدملی ارسال نشده است."
		noMobile   = "شماره همراه ارسال نشده است."
	)
	for name, c := range map[string]struct{ body, want string }{
		"nothing":          {`{}`, noCode + " " + noMobile},
		"no code":          {`{` + goodMobile + `}`, noCode},
		"no mobile":        {`{` + goodCode + `}`, noMobile},
		"null":             {`{"NationalCode":null,` + goodMobile + `}`, noCode},
		"blank":            {`{"NationalCode":"  ` + "\u200c" + ` ",` + goodMobile + `}`, noCode},
		"a number":         {`{"NationalCode":12345679,` + goodMobile + `}`, "کدملی باید از نوع رشته باشد."},
		"a list":           {`{` + goodCode + `,"Cellphone":["09121234567"]}`, "شماره همراه باید از نوع رشته باشد."},
		"check digit":      {`{"NationalCode":"0012345678",` + goodMobile + `}`, badCode},
		"all equal":        {`{"NationalCode":"1111111111",` + goodMobile + `}`, badCode},
		"nine digits":      {`{"NationalCode":"012345679",` + goodMobile + `}`, badCode},
		"letters":          {`{"NationalCode":"00123A5679",` + goodMobile + `}`, badCode},
		"very long":        {`{"NationalCode":"` + strings.Repeat(" ", 5000) + `",` + goodMobile + `}`, badCode},
		"a landline":       {`{` + goodCode + `,"Cellphone":"02188776655"}`, badMobile},
		"both":             {`{"NationalCode":"1","Cellphone":"2"}`, badCode + " " + badMobile},
		"a list of one":    {`[{` + goodCode + `,` + goodMobile + `}]`, malformed},
		"truncated":        {`{` + goodCode, malformed},
		"empty":            {``, malformed},
		"a duplicate":      {`{` + goodCode + `,` + goodMobile + `,"cellPhone":"09121234567"}`, malformed},
		"something behind": {`{` + goodCode + `,` + goodMobile + `} x`, malformed},
		"NUL":              {`{"NationalCode":"0012345679\u0000",` + goodMobile + `}`, malformed},
		"invalid UTF-8":    {"{\"NationalCode\":\"\xff\"," + goodMobile + `}`, malformed},
		"deep":             {`{"x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, malformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := call(infoPath, c.body)
			_, err := info.Steps.Open(r, admitted("*"))
			reply := info.Refuse(r, refusal(t, err))
			want := `{"data":null,"meta":"CALL1","error":{"errorCode":400,"customMessage":"` + c.want + `","exception":""}}`
			if diff := cmp.Diff(want, string(reply.Body)); diff != "" || reply.Status != 400 {
				t.Errorf("status %d (-want +got):\n%s", reply.Status, diff)
			}
		})
	}
}

// refusal is the fault that err must be, inside it.
func refusal(t testing.TB, err error) *fault.Error {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) {
		t.Fatalf("%v is no fault", err)
	}
	return f
}

func FuzzToken(f *testing.F) {
	for _, seed := range []string{
		loginForm, "", "&&=&", "grant_type=refresh_token&refresh_token=dgr_x", loginForm + "&scope=credit", loginForm + "%00", loginForm + "&client_id=x",
	} {
		f.Add(seed, "")
		f.Add(seed, header("shop:s-1"))
		f.Add(seed, "Basic %")
	}
	login := route(f, speak(f, credit.Answer{}), tokenPath)
	f.Fuzz(func(t *testing.T, body, authorization string) {
		r := call(tokenPath, body, authorization)
		shown, err := login.Who(r)
		if err != nil {
			if reply := login.Refuse(r, refusal(t, err)); reply.Status < 400 || reply.Status >= 500 {
				t.Errorf("the caller's fault is answered with %d", reply.Status)
			}
			return
		}
		if shown == nil {
			t.Fatal("neither a credential nor a fault")
		}
		if _, err := login.Steps.Open(r, admitted("*")); err != nil && refusal(t, err).Code != fault.Scope {
			t.Errorf("%v, after the form was taken", err)
		}
	})
}

func FuzzInfo(f *testing.F) {
	for _, seed := range []string{
		`{"NationalCode":"0012345679","Cellphone":"09121234567"}`, `{}`, ``, `[]`, `{"NationalCode":1,"Cellphone":null}`,
		`{"nationalcode":"۰۰۱۲۳۴۵۶۷۹","CELLPHONE":"+989121234567"}`, `{"NationalCode":"1","nationalCode":"2"}`, "\xff", `{"a":"\ud800"}`,
	} {
		f.Add(seed)
	}
	info := route(f, speak(f, credit.Answer{}), infoPath)
	f.Fuzz(func(t *testing.T, body string) {
		r := call(infoPath, body)
		q, err := info.Steps.Open(r, admitted("*"))
		if err != nil {
			if reply := info.Refuse(r, refusal(t, err)); reply.Status != 400 {
				t.Errorf("the caller's fault is answered with %d", reply.Status)
			}
			return
		}
		if asked := q.(credit.Question); len(asked.NationalCode.Digits()) != 10 || len(asked.Mobile.Local()) != 11 {
			t.Error("a question is taken whose values have no canonical form")
		}
	})
}
