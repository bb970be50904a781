package itsaaz_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/dialect/dialecttest"
	"dargah.dev/dargah/internal/inquiry/credit"
	"dargah.dev/dargah/internal/token"
)

func TestTokenAnswer(t *testing.T) {
	t.Parallel()
	tokens := route(t, speak(t, credit.Answer{}), tokenPath)
	issued := token.Issued{
		Access: "a.b.c", Life: 7 * token.Day, Refresh: "dgr_x",
		Claims: token.Claims{ID: "JTI", Scope: "credit"}, Rotation: &token.Rotation{Family: "fam"},
	}
	reply, err := tokens.Steps.Encode(call(tokenPath, loginForm), token.Request{}, issued)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"access_token":"a.b.c","expires_in":604800,"token_type":"Bearer","refresh_token":"dgr_x","scope":"credit"}`
	if diff := cmp.Diff(want, string(reply.Body)); diff != "" || reply.Status != 200 {
		t.Errorf("status %d (-want +got):\n%s", reply.Status, diff)
	}
	if reply.Header.Get("Cache-Control") != "no-store" || reply.Header.Get("Pragma") != "no-cache" {
		t.Errorf("a token may be cached: %v", reply.Header)
	}
	effect := tokens.Steps.Effect(issued)
	document, rotation := effect.Document, effect.Rotation
	if document != "JTI" || rotation != issued.Rotation {
		t.Errorf("the effect is %q, %v", document, rotation)
	}
}

// A whole login and its refresh, by a real mint: what comes out of one call goes
// into the next, and the successor keeps the scope.
func TestLoginAndRefresh(t *testing.T) {
	t.Parallel()
	tokens := route(t, speak(t, credit.Answer{}), tokenPath)
	pass := admitted("*")
	ask := func(body string) (dialect.Reply, token.Issued) {
		r := call(tokenPath, body)
		q, err := tokens.Steps.Open(r, pass)
		if err != nil {
			t.Fatal(err)
		}
		a, _, err := tokens.Steps.Ask(t.Context(), pass, q)
		if err != nil {
			t.Fatal(err)
		}
		reply, err := tokens.Steps.Encode(r, q, a)
		if err != nil {
			t.Fatal(err)
		}
		return reply, a.(token.Issued)
	}
	var answer struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
		Expires int64  `json:"expires_in"`
		Scope   string `json:"scope"`
	}
	reply, first := ask(loginForm)
	if err := json.Unmarshal(reply.Body, &answer); err != nil {
		t.Fatal(err)
	}
	if answer.Access == "" || answer.Refresh == "" || answer.Expires != 7*24*3600 || answer.Scope != "credit" || first.Rotation != nil {
		t.Fatalf("the login answers %s (rotation %v)", reply.Body, first.Rotation)
	}
	claims, err := dialecttest.Mint(t, at).Read(answer.Access, "itsaaz")
	if err != nil || claims.Account != "acc" || claims.Client != "shop" {
		t.Fatalf("the token says %v, %v", claims, err)
	}
	if pass.Refresh, err = dialecttest.Mint(t, at).Unseal(answer.Refresh); err != nil {
		t.Fatal(err)
	}
	_, next := ask("grant_type=refresh_token&client_id=shop&client_secret=s-1&scope=credit&refresh_token=" + answer.Refresh)
	if next.Rotation == nil || next.Refresh == answer.Refresh || next.Claims.Family != claims.Family || next.Claims.Scope != "credit" {
		t.Errorf("the refresh gives %+v", next)
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer credit.Answer
		want   string
	}{
		"none yet": {
			credit.Answer{Price: 45000, PayURL: "http://127.0.0.1:8080/pay/x&y"},
			`{"reportSource":0,"totalPrice":45000,"hasReport":false,"reportIsGeneratedPast24Hours":false,` +
				`"payUrl":"http://127.0.0.1:8080/pay/x&y",` +
				`"payInfo":"برای تهیه گزارش اعتبارسنجی مبلغ ۴۵٬۰۰۰ ریال را در پیوند پرداخت بپردازید.","isSucceed":true}`,
		},
		"old": {
			credit.Answer{HasReport: true, Source: 2, Price: 1234567, PayURL: "u"},
			`{"reportSource":2,"totalPrice":1234567,"hasReport":true,"reportIsGeneratedPast24Hours":false,"payUrl":"u",` +
				`"payInfo":"گزارش پیشین این شخص بیش از ۲۴ ساعت پیش تهیه شده است. برای گزارش تازه مبلغ ۱٬۲۳۴٬۵۶۷ ریال را در پیوند پرداخت بپردازید.","isSucceed":true}`,
		},
		"fresh": {
			credit.Answer{HasReport: true, Fresh: true, Source: 1},
			`{"reportSource":1,"totalPrice":0,"hasReport":true,"reportIsGeneratedPast24Hours":true,"payUrl":"",` +
				`"payInfo":"گزارش اعتبارسنجی این شخص کمتر از ۲۴ ساعت پیش تهیه شده است و نیازی به پرداخت نیست.","isSucceed":true}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reply, err := route(t, speak(t, c.answer), infoPath).Steps.Encode(call(infoPath, "{}"), credit.Question{}, c.answer)
			if err != nil {
				t.Fatal(err)
			}
			want := `{"data":` + c.want + `,"meta":"CALL1","error":null}`
			if diff := cmp.Diff(want, string(reply.Body)); diff != "" || reply.Status != 200 {
				t.Errorf("status %d (-want +got):\n%s", reply.Status, diff)
			}
		})
	}
}
