package sabapayamak

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/fault"
)

// TestEveryFaultIsWorded: the table is complete, and every refusal has the
// members that clients read without looking.
func TestEveryFaultIsWorded(t *testing.T) {
	t.Parallel()
	for _, code := range fault.Codes() {
		if _, ok := answers[code]; !ok {
			t.Errorf("%v has no answer", code)
		}
		reply := refuse(&dialect.Request{}, fault.New(code))
		var got struct {
			Status, Message string
			Data            json.RawMessage
			Errors          []problem
		}
		if err := json.Unmarshal(reply.Body, &got); err != nil {
			t.Fatalf("%v: %v", code, err)
		}
		if got.Status != strconv.Itoa(reply.Status) || reply.Status < 400 {
			t.Errorf("%v: envelope status %q under HTTP status %d", code, got.Status, reply.Status)
		}
		if len(got.Errors) != 1 || got.Errors[0].Code == 0 || got.Errors[0].Message == "" || got.Message != got.Errors[0].Message {
			t.Errorf("%v: %s", code, reply.Body)
		}
		if string(got.Data) != "null" {
			t.Errorf("%v: data %s", code, got.Data)
		}
		if code.Ours() != (reply.Status >= 500) {
			t.Errorf("%v: status %d blames the wrong side", code, reply.Status)
		}
	}
	if len(answers) != len(fault.Codes()) {
		t.Errorf("%d answers for %d faults", len(answers), len(fault.Codes()))
	}
}

func TestRefuse(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		fault *fault.Error
		want  dialect.Reply
	}{
		{
			"wrong user or password", fault.New(fault.Credentials),
			reply(401, `{"status":"401","message":"نام کاربری یا رمز عبور اشتباه است","id":1,"data":null,"errors":[{"message":"نام کاربری یا رمز عبور اشتباه است","url":"","code":4001,"field":""}]}`).
				With("WWW-Authenticate", "Bearer"),
		},
		{
			"another domain", fault.New(fault.Domain),
			reply(403, `{"status":"403","message":"شما نمیتوانید از طریق این دامنه درخواست بدهید","id":1,"data":null,"errors":[{"message":"شما نمیتوانید از طریق این دامنه درخواست بدهید","url":"","code":4002,"field":""}]}`),
		},
		{
			"another's line", fault.New(fault.Line),
			reply(403, `{"status":"403","message":"شماره ارسال اشتباه است","id":1,"data":null,"errors":[{"message":"شماره ارسال اشتباه است","url":"","code":4003,"field":""}]}`),
		},
		{
			"a suspended line", fault.New(fault.LineStatus),
			reply(403, `{"status":"403","message":"وضعیت شماره ارسال مناسب ارسال نیست","id":1,"data":null,"errors":[{"message":"وضعیت شماره ارسال مناسب ارسال نیست","url":"","code":4004,"field":""}]}`),
		},
		{
			"an old token, with the text's two blanks", fault.New(fault.BadToken),
			reply(401, `{"status":"401","message":"کلید امنیتی شما منقضی شده یا  اشتباه است","id":1,"data":null,"errors":[{"message":"کلید امنیتی شما منقضی شده یا  اشتباه است","url":"","code":401,"field":""}]}`).
				With("WWW-Authenticate", "Bearer"),
		},
		{
			"over the rate", &fault.Error{Code: fault.Rate, Limit: 5, RetryAfter: time.Millisecond},
			reply(429, `{"status":"429","message":"در حال حاضر امکان پردازش درخواست جدید وجود ندارد،لطفا دوباره سعی کنید","id":1,"data":null,"errors":[{"message":"در حال حاضر امکان پردازش درخواست جدید وجود ندارد،لطفا دوباره سعی کنید","url":"","code":23,"field":""}]}`).
				With("Retry-After", "1"),
		},
		{
			"several fields", fault.Bad(
				fault.Field{Name: "Username", Rule: fault.Missing}, fault.Field{Name: "Password", Rule: fault.Type},
				fault.Field{Name: "VirtualNumber", Rule: fault.Form}, fault.Field{Name: "TokenValidDay", Rule: fault.Range, Min: 1, Max: 365}),
			reply(400, `{"status":"400","message":"درخواست معتبر نیست","id":1,"data":null,"errors":[`+
				`{"message":"مقدار Username ارسال نشده است","url":"","code":19,"field":"Username"},`+
				`{"message":"نوع مقدار Password نادرست است","url":"","code":19,"field":"Password"},`+
				`{"message":"مقدار VirtualNumber نادرست است","url":"","code":19,"field":"VirtualNumber"},`+
				`{"message":"مقدار TokenValidDay باید عددی بین 1 تا 365 باشد","url":"","code":19,"field":"TokenValidDay"}]}`),
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := refuse(&dialect.Request{}, test.fault)
			if diff := cmp.Diff(string(test.want.Body), string(got.Body)); diff != "" {
				t.Error(diff)
			}
			got.Body, test.want.Body = nil, nil
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func reply(status int, body string) dialect.Reply {
	return dialect.Reply{Status: status, Type: "application/json; charset=utf-8", Body: []byte(body)}
}

// TestNoTokenIsABadToken: a caller learns nothing from the difference.
func TestNoTokenIsABadToken(t *testing.T) {
	t.Parallel()
	none, bad := refuse(nil, fault.New(fault.NoToken)), refuse(nil, fault.New(fault.BadToken))
	if diff := cmp.Diff(none, bad); diff != "" {
		t.Error(diff)
	}
	if none.Status != http.StatusUnauthorized {
		t.Errorf("status %d", none.Status)
	}
}

// TestCausesStayInside: what a fault was caused by is for the log.
func TestCausesStayInside(t *testing.T) {
	t.Parallel()
	for _, code := range fault.Codes() {
		reply := refuse(&dialect.Request{}, fault.Wrap(code, os.ErrPermission))
		if bytes.Contains(reply.Body, []byte(os.ErrPermission.Error())) {
			t.Errorf("%v tells its cause: %s", code, reply.Body)
		}
	}
}
