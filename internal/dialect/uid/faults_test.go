package uid

import (
	"strings"
	"testing"
	"time"

	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/fault"
)

func TestAnswersAreComplete(t *testing.T) {
	t.Parallel()
	for _, c := range fault.Codes() {
		if _, known := answers[c]; !known {
			t.Errorf("%s has no answer", c)
		}
	}
	if len(answers) != len(fault.Codes()) {
		t.Error("there are answers to what is no fault")
	}
}

// One code has one meaning: 7 alone comes with two statuses, since a proxy
// wants to know whether the answer was late or impossible.
func TestCodesAreDistinct(t *testing.T) {
	t.Parallel()
	meaning := map[int]string{codeSuccess: "SUCCESS."}
	all := []answer{wrongCode, wrongDate}
	for _, a := range answers {
		all = append(all, a)
	}
	for _, a := range all {
		if known, ok := meaning[a.code]; ok && known != a.message {
			t.Errorf("code %d means %q and %q", a.code, known, a.message)
		}
		meaning[a.code] = a.message
	}
}

func TestRefuse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		fault  *fault.Error
		status int
		want   string
	}{
		{"code", fault.Bad(fault.Field{Name: nationalID}), 200, `"code":3,"message":"کدملی نامعتبر است"`},
		{"date", fault.Bad(fault.Field{Name: birthDate}), 200, `"code":9,`},
		{"both", fault.Bad(fault.Field{Name: nationalID}, fault.Field{Name: birthDate}), 200, `"code":3,`},
		{"another field", fault.Bad(fault.Field{Name: "x"}), 400, `"code":10,`},
		{"no field", fault.New(fault.Invalid), 400, `"code":10,`},
		{"unknown fault", fault.New(fault.Code(200)), 503, `"code":7,`},
		{"late source", fault.New(fault.SourceTimeout), 504, `"code":7,`},
		{"nobody", fault.New(fault.NotFound), 200, `"code":8,`},
	} {
		reply := refuse(post(""), c.fault)
		if reply.Status != c.status || !strings.Contains(string(reply.Body), c.want) {
			t.Errorf("%s: %d %s", c.name, reply.Status, reply.Body)
		}
		if !strings.HasPrefix(string(reply.Body), `{"responseContext":{"status":{`) || !strings.Contains(string(reply.Body), `"requestId":"CALL"`) {
			t.Errorf("%s: not the context alone: %s", c.name, reply.Body)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for f, want := range map[*fault.Error]string{
		{Code: fault.Rate, RetryAfter: 1100 * time.Millisecond}: "2",
		{Code: fault.Credit}: "",
	} {
		if got := refuse(post(""), f).Header.Get("Retry-After"); got != want {
			t.Errorf("%s: %q, want %q", f.Code, got, want)
		}
	}
}

// A caller cannot tell a wrong id from a wrong token from none.
func TestCredentialsAreToldNothing(t *testing.T) {
	t.Parallel()
	var first dialect.Reply
	for i, c := range []fault.Code{fault.NoToken, fault.BadToken, fault.Credentials} {
		reply := refuse(post(""), fault.New(c))
		if i == 0 {
			first = reply
		}
		if reply.Status != first.Status || string(reply.Body) != string(first.Body) {
			t.Errorf("%s: %d %s", c, reply.Status, reply.Body)
		}
	}
}
