package uid_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/dialect/dialecttest"
	"dargah.dev/dargah/internal/dialect/uid"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/testkit"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	server := testkit.Start(t, testkit.Options{})
	dialecttest.Run(t, served(t, server), server)
}

func served(t *testing.T, server *testkit.Server) *dialect.Dialect {
	t.Helper()
	for _, d := range server.App.Dialects {
		if d.Name == uid.Name {
			return d
		}
	}
	t.Fatal("the dialect is not served")
	return nil
}

func TestWire(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{"testdata/page", "testdata/ours"} {
		dialecttest.Wire(t, testkit.Start(t, testkit.Options{}).Address(), dir)
	}
}

// The example world's account, person and price.
const (
	id, secret = "biz-1", "biz-token-0123456789"
	code, date = "0012345679", "1372/11/02"
	price      = rial.Amount(12000)
)

// reply is what a client reads.
type reply struct {
	http int
	code int
	id   string
	body string // the request's id taken out
}

func ask(t *testing.T, server *testkit.Server, id, secret, code, date string) reply {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"requestContext": map[string]any{"apiInfo": map[string]any{"businessId": id, "businessToken": secret}},
		"nationalId":     code, "birthDate": date,
	})
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.Address()+"/api/inquiry/person", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json;charset=UTF-8")
	got, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = got.Body.Close() }()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	var read struct {
		Context struct {
			Status struct{ Code int } `json:"status"`
			ID     string             `json:"requestId"`
		} `json:"responseContext"`
	}
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return reply{got.StatusCode, read.Context.Status.Code, read.Context.ID, strings.Replace(string(text), read.Context.ID, "", 1)}
}

// TestOnlyAnAnswerCosts: money moves when a person is in the answer, and for
// no refusal, whoever's fault it was.
func TestOnlyAnAnswerCosts(t *testing.T) {
	t.Parallel()
	server := testkit.Start(t, testkit.Options{})
	owner, _ := server.App.Desk.Book.Now().Business(id)
	for _, c := range []struct {
		name, id, secret, code, date string
		want                         int
		costs                        rial.Amount
	}{
		{"answered", id, secret, code, date, 0, price},
		{"another date", id, secret, code, "1372/11/03", 8, 0},
		{"nobody", id, secret, "1000000079", date, 8, 0},
		{"no code", id, secret, "0012345678", date, 3, 0},
		{"no date", id, secret, code, "1372/13/03", 9, 0},
		{"late source", id, secret, "1000000060", date, 7, 0},
		{"no source", id, secret, "1000000011", date, 7, 0},
		{"wrong token", id, "wrong", code, date, 2, 0},
		{"answered again", id, secret, code, date, 0, price},
	} {
		before := server.Balance(t, owner.ID)
		got := ask(t, server, c.id, c.secret, c.code, c.date)
		if got.code != c.want {
			t.Errorf("%s: code %d, want %d", c.name, got.code, c.want)
		}
		if paid := before - server.Balance(t, owner.ID); paid != c.costs {
			t.Errorf("%s: cost %d, want %d", c.name, paid, c.costs)
		}
	}
}

// TestNobodyAndWrongDateLookTheSame: else anybody could find out birth dates,
// and who exists, by trying.
func TestNobodyAndWrongDateLookTheSame(t *testing.T) {
	t.Parallel()
	server := testkit.Start(t, testkit.Options{})
	wrongDate := ask(t, server, id, secret, code, "1372/11/03")
	nobody := ask(t, server, id, secret, "1000000079", date)
	if wrongDate.http != nobody.http || wrongDate.body != nobody.body {
		t.Errorf("%+v and %+v differ", wrongDate, nobody)
	}
	if wrongDate.id == "" || wrongDate.id == nobody.id {
		t.Error("two calls have one id")
	}
}
