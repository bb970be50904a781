package gateway_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"dargah.dev/dargah/internal/admission"
	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/fixture"
	"dargah.dev/dargah/internal/testkit"
)

const (
	alive   = `"nationalId":"0012345679","birthDate":"1372/11/02"`
	surname = "رضایی" // of the person above: in no answer that was not paid for and put on record
)

// inquire asks uid for a person on behalf of a business credential.
func inquire(t testing.TB, s *testkit.Server, business, question string) (int, string) {
	t.Helper()
	body := `{"requestContext":{"apiInfo":{"businessId":"` + business + `","businessToken":"` + map[string]string{
		"biz-1": "biz-token-0123456789", "biz-poor": "biz-token-poor", "nobody": "biz-token-0123456789",
	}[business] + `"}},` + question + `}`
	r, err := http.Post(s.URL+"/api/inquiry/person", "application/json", strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	return r.StatusCode, string(text)
}

// beside opens the server's database a second time, as an operator would.
func beside(t testing.TB, dir string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "dargah.db")+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func number(t testing.TB, db *sql.DB, query string, args ...any) (n int64) {
	t.Helper()
	if err := db.QueryRow(query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// A write that fails, whichever it is, must keep the answer back
// and leave no trace of a charge. The triggers are the fault; the first and
// last round, without one, are the control.
func TestNoAnswerLeavesBeforeChargeAndRecordAreDurable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := testkit.Start(t, testkit.Options{Dir: dir})
	db := beside(t, dir)
	if status, text := inquire(t, s, "biz-1", alive); status != 200 || !strings.Contains(text, surname) {
		t.Fatalf("the control: %d %s", status, text)
	}
	before := number(t, db, `SELECT balance FROM wallet WHERE account = 'a1'`)
	for _, on := range []string{"INSERT ON audit", "INSERT ON entry", "UPDATE ON wallet", "UPDATE ON audit_head"} {
		if _, err := db.Exec(`CREATE TRIGGER broken BEFORE ` + on + ` BEGIN SELECT RAISE(ABORT, 'broken on purpose'); END`); err != nil {
			t.Fatal(err)
		}
		status, text := inquire(t, s, "biz-1", alive)
		if status != http.StatusServiceUnavailable || strings.Contains(text, surname) {
			t.Errorf("%s fails: answered %d %s", on, status, text)
		}
		if _, err := db.Exec(`DROP TRIGGER broken`); err != nil {
			t.Fatal(err)
		}
		if after := number(t, db, `SELECT balance FROM wallet WHERE account = 'a1'`); after != before {
			t.Errorf("%s fails: the balance went from %d to %d", on, before, after)
		}
	}
	if status, _ := inquire(t, s, "biz-1", alive); status != 200 {
		t.Errorf("after the fault: %d", status)
	}
	if got := number(t, db, `SELECT balance FROM wallet WHERE account = 'a1'`); got != before-12000 {
		t.Errorf("balance %d after one more answer, want %d", got, before-12000)
	}
}

func TestCreditForSomeOfManyAtOnce(t *testing.T) {
	t.Parallel()
	const credit, calls = 40, 150
	dir := t.TempDir()
	s := testkit.Start(t, testkit.Options{Dir: dir, World: func(w *fixture.World) { w.Accounts[0].Balance = credit * 12000 }})
	var paid, refused atomic.Int64
	var all sync.WaitGroup
	for range calls {
		all.Go(func() {
			switch status, text := inquire(t, s, "biz-1", alive); {
			case status == http.StatusOK && strings.Contains(text, surname):
				paid.Add(1)
			case status == http.StatusPaymentRequired && !strings.Contains(text, surname):
				refused.Add(1)
			default:
				t.Errorf("%d %s", status, text)
			}
		})
	}
	all.Wait()
	db := beside(t, dir)
	if paid.Load() != credit || refused.Load() != calls-credit {
		t.Errorf("%d paid and %d refused, want %d and %d", paid.Load(), refused.Load(), credit, calls-credit)
	}
	for query, want := range map[string]int64{
		`SELECT balance FROM wallet WHERE account = 'a1'`:                               0,
		`SELECT sum(amount) FROM entry WHERE account = 'a1'`:                            0,
		`SELECT count(*) FROM entry WHERE account = 'a1' AND kind = 'charge'`:           credit,
		`SELECT count(*) FROM audit WHERE account = 'a1' AND outcome = 'answered'`:      credit,
		`SELECT count(*) FROM audit WHERE account = 'a1' AND outcome = 'credit'`:        calls - credit,
		`SELECT coalesce(sum(price), 0) FROM audit WHERE outcome = 'answered'`:          credit * 12000,
		`SELECT coalesce(sum(price), 0) FROM audit WHERE outcome <> 'answered'`:         0,
		`SELECT count(*) - max(seq) + min(seq) - 1 FROM audit`:                          0,
		`SELECT count(*) FROM (SELECT call FROM audit GROUP BY call HAVING count(*)>1)`: 0,
	} {
		if got := number(t, db, query); got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
}

func TestOnlyAnAnswerCosts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := testkit.Start(t, testkit.Options{Dir: dir})
	db := beside(t, dir)
	for name, question := range map[string]string{
		"wrong birth date":   `"nationalId":"0012345679","birthDate":"1372/11/03"`,
		"nobody":             `"nationalId":"1000000079","birthDate":"1372/11/02"`,
		"bad checksum":       `"nationalId":"0012345678","birthDate":"1372/11/02"`,
		"impossible date":    `"nationalId":"0012345679","birthDate":"1372/12/30"`,
		"date to come":       `"nationalId":"0012345679","birthDate":"1480/01/01"`,
		"source times out":   `"nationalId":"1000000060","birthDate":"1372/11/02"`,
		"source unavailable": `"nationalId":"1000000011","birthDate":"1372/11/02"`,
	} {
		if _, text := inquire(t, s, "biz-1", question); strings.Contains(text, surname) {
			t.Errorf("%s: %s", name, text)
		}
	}
	if got := number(t, db, `SELECT balance FROM wallet WHERE account = 'a1'`); got != 5_000_000 {
		t.Errorf("balance %d, want it untouched", got)
	}
	for outcome, want := range map[string]int64{"not-found": 2, "invalid": 3, "source-timeout": 1, "source-unavailable": 1} {
		if got := number(t, db, `SELECT count(*) FROM audit WHERE outcome = $1 AND account = 'a1' AND price = 0`, outcome); got != want {
			t.Errorf("%d records of %s, want %d", got, outcome, want)
		}
	}
}

func TestNobodyCanTellAWrongDateFromNobody(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	blank := func(text string) string {
		const name = `"requestId":"`
		i := strings.Index(text, name) + len(name)
		return text[:i] + text[i+strings.IndexByte(text[i:], '"'):]
	}
	oneStatus, one := inquire(t, s, "biz-1", `"nationalId":"0012345679","birthDate":"1372/11/03"`)
	twoStatus, two := inquire(t, s, "biz-1", `"nationalId":"1000000079","birthDate":"1372/11/02"`)
	if oneStatus != twoStatus || blank(one) != blank(two) || one == two {
		t.Errorf("%d %s\n%d %s", oneStatus, one, twoStatus, two)
	}
}

func TestEmptyWalletGetsNoAnswer(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	for _, question := range []string{alive, `"nationalId":"1000000079","birthDate":"1372/11/02"`} {
		if status, text := inquire(t, s, "biz-poor", question); status != http.StatusPaymentRequired || strings.Contains(text, surname) {
			t.Errorf("%d %s", status, text)
		}
	}
}

func TestUnknownCallersAreCountedNotStored(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := testkit.Start(t, testkit.Options{Dir: dir})
	db := beside(t, dir)
	for range 50 {
		if status, _ := inquire(t, s, "nobody", alive); status != http.StatusUnauthorized {
			t.Fatalf("status %d", status)
		}
	}
	if got := number(t, db, `SELECT count(*) FROM audit`); got != 0 {
		t.Errorf("%d records of unknown callers", got)
	}
	s.App.Close() // writes what is counted in memory
	if got := number(t, db, `SELECT sum(calls) FROM tally WHERE outcome = 'credentials' AND dialect = 'uid'`); got != 50 {
		t.Errorf("%d counted, want 50", got)
	}
}

func TestARefusalThatCannotBeBookedIsOurFault(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := testkit.Start(t, testkit.Options{Dir: dir})
	db := beside(t, dir)
	if _, err := db.Exec(`CREATE TRIGGER broken BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'broken on purpose'); END`); err != nil {
		t.Fatal(err)
	}
	if status, text := inquire(t, s, "biz-1", `"nationalId":"1000000079","birthDate":"1372/11/02"`); status != http.StatusServiceUnavailable {
		t.Errorf("%d %s", status, text)
	}
	if !strings.Contains(s.Log.String(), `"trace":`) {
		t.Error("the log has no trace number")
	}
}

// What callers send must not be in the log, in any spelling. The year alone may
// be in a time or a trace number by chance.
func TestTheLogKnowsNobody(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	inquire(t, s, "biz-1", alive)
	inquire(t, s, "biz-1", `"nationalId":"۰۰۱۲۳۴۵۶۷۹","birthDate":"1372/11/99"`)
	inquire(t, s, "biz-1", `"nationalId":"1000000060","birthDate":"1372/11/02"`)
	inquire(t, s, "biz-1", `"nationalId":"0012345679","birthDate":"1372/11/02","broken`)
	log := s.Log.String()
	if strings.Count(log, "\n") != 4 {
		t.Errorf("%d lines for four calls:\n%s", strings.Count(log, "\n"), log)
	}
	for _, secret := range []string{"0012345679", "12345679", "۰۰۱۲۳۴۵۶۷۹", "1000000060", "1372/", "1372-", surname, "biz-token", "09121234567"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log holds %q:\n%s", secret, log)
		}
	}
}

func TestManyAtOnceGetTheirOwnAnswer(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{World: func(w *fixture.World) { w.Population = 50 }})
	ids := sync.Map{}
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			question, want := alive, surname
			if i%2 == 1 {
				question, want = `"nationalId":"1234567891","birthDate":"1350/05/17"`, "کریمی"
			}
			status, text := inquire(t, s, "biz-1", question)
			if status != 200 || !strings.Contains(text, want) {
				t.Errorf("%d %s", status, text)
			}
			_, after, _ := strings.Cut(text, `"requestId":"`)
			if _, twice := ids.LoadOrStore(after[:26], true); twice {
				t.Errorf("two answers have the id %s", after[:26])
			}
		})
	}
	all.Wait()
}

func TestAPanicIsOneCallsFault(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	for _, d := range s.App.Dialects {
		if d.Name != "uid" {
			continue
		}
		ask := d.Routes[0].Steps.Ask
		var armed atomic.Bool
		armed.Store(true)
		steps := &d.Routes[0].Steps
		steps.Ask = func(ctx context.Context, p *admission.Pass, q any) (any, string, error) {
			if armed.Swap(false) {
				var nothing *bytes.Buffer
				fmt.Fprint(io.Discard, nothing.Len())
			}
			return ask(ctx, p, q)
		}
	}
	if status, text := inquire(t, s, "biz-1", alive); status != http.StatusServiceUnavailable || strings.Contains(text, "panic") {
		t.Errorf("%d %s", status, text)
	}
	if status, _ := inquire(t, s, "biz-1", alive); status != 200 {
		t.Errorf("the next call: %d", status)
	}
	if !strings.Contains(s.Log.String(), "nil pointer") {
		t.Error("the log does not say what happened")
	}
}

// counted is a limiter that lets everything pass and keeps count.
type counted struct{ taken, given atomic.Int64 }

func (c *counted) Take(string, int) (bool, time.Duration) { c.taken.Add(1); return true, 0 }
func (c *counted) Give(string, int)                       { c.given.Add(1) }

// The rate is given back where we failed, and not to a caller that hung up.
func TestHangingUpDoesNotEscapeTheRate(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		code  string
		hangs bool
		given int64
	}{
		"answered":                {"0012345679", false, 0},
		"the source did not come": {"1000000060", false, 1},
		"the caller hung up":      {"0012345679", true, 0},
	} {
		s := testkit.Start(t, testkit.Options{})
		limiter := &counted{}
		s.App.Desk.Limiter = limiter
		ctx, hangUp := context.WithCancel(t.Context())
		for _, d := range s.App.Dialects {
			if steps := &d.Routes[0].Steps; d.Name == "uid" && c.hangs {
				ask := steps.Ask
				steps.Ask = func(ctx context.Context, p *admission.Pass, q any) (any, string, error) {
					hangUp()
					return ask(ctx, p, q)
				}
			}
		}
		body := `{"requestContext":{"apiInfo":{"businessId":"biz-1","businessToken":"biz-token-0123456789"}},"nationalId":"` +
			c.code + `","birthDate":"1372/11/02"}`
		r := httptest.NewRequestWithContext(ctx, "POST", "/api/inquiry/person", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		s.App.Handler.ServeHTTP(httptest.NewRecorder(), r)
		hangUp()
		if taken, given := limiter.taken.Load(), limiter.given.Load(); taken != 1 || given != c.given {
			t.Errorf("%s: %d taken and %d given back, want 1 and %d", name, taken, given, c.given)
		}
		if said := strings.Contains(s.Log.String(), `"outcome":"hung-up"`); said != c.hangs {
			t.Errorf("%s: the log says hung-up: %v\n%s", name, said, s.Log)
		}
	}
}

// A caller that hangs up while its answer waits to be recorded gets neither the
// answer nor the charge, and the trail says that it was there.
func TestHangingUpAtTheCommitIsOnRecord(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := testkit.Start(t, testkit.Options{Dir: dir})
	ctx, hangUp := context.WithCancel(t.Context())
	steps := &s.Dialect(t, "uid").Routes[0].Steps
	encode := steps.Encode
	steps.Encode = func(r *dialect.Request, q, a any) (dialect.Reply, error) {
		hangUp()
		return encode(r, q, a)
	}
	body := `{"requestContext":{"apiInfo":{"businessId":"biz-1","businessToken":"biz-token-0123456789"}},` + alive + `}`
	r := httptest.NewRequestWithContext(ctx, "POST", "/api/inquiry/person", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	s.App.Handler.ServeHTTP(w, r)
	db := beside(t, dir)
	if strings.Contains(w.Body.String(), surname) {
		t.Error("the answer left")
	}
	if got := number(t, db, `SELECT balance FROM wallet WHERE account = 'a1'`); got != 5_000_000 {
		t.Errorf("balance %d, want it untouched", got)
	}
	if got := number(t, db, `SELECT count(*) FROM audit WHERE outcome = 'hung-up' AND price = 0`); got != 1 {
		t.Errorf("%d records of it, want 1", got)
	}
}
