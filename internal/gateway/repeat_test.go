package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dargah.dev/dargah/internal/fixture"
	"dargah.dev/dargah/internal/store/storetest"
	"dargah.dev/dargah/internal/testkit"
)

const another = `"nationalId":"1234567891","birthDate":"1350/05/17"`

type reply struct {
	status   int
	body     string
	replayed bool
}

// keyed asks as biz-1 under idempotency keys.
func keyed(t testing.TB, s *testkit.Server, question string, keys ...string) reply {
	t.Helper()
	body := `{"requestContext":{"apiInfo":{"businessId":"biz-1","businessToken":"biz-token-0123456789"}},` + question + `}`
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/api/inquiry/person", strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return reply{}
	}
	r.Header.Set("Content-Type", "application/json")
	for _, key := range keys {
		r.Header.Add("Idempotency-Key", key)
	}
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Error(err)
		return reply{}
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		t.Error(err)
	}
	return reply{got.StatusCode, string(text), got.Header.Get("Idempotency-Replayed") == "true"}
}

func TestARepeatedKeyGetsTheSameAnswerForNothing(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{World: func(w *fixture.World) { w.Accounts[0].Balance = 12000 }})
	first := keyed(t, s, alive, "order-1")
	if first.status != http.StatusOK || !strings.Contains(first.body, surname) || first.replayed {
		t.Fatalf("%+v", first)
	}
	// The wallet is empty now: what was paid for is given all the same.
	again := keyed(t, s, alive, "order-1")
	if again.status != first.status || again.body != first.body || !again.replayed {
		t.Errorf("the repeat got %+v", again)
	}
	if got := keyed(t, s, another, "order-1"); got.status != http.StatusPaymentRequired {
		t.Errorf("another question without credit: %+v", got)
	}
	if got := keyed(t, s, alive, "order-2"); got.status != http.StatusPaymentRequired || strings.Contains(got.body, surname) {
		t.Errorf("another key without credit: %+v", got)
	}
	if got := s.Balance(t, "a1"); got != 0 {
		t.Errorf("balance %d", got)
	}
	storetest.Even(t, s.Store)
}

func TestAKeyBelongsToOneQuestion(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	if got := keyed(t, s, alive, "k"); got.status != http.StatusOK {
		t.Fatalf("%+v", got)
	}
	if got := keyed(t, s, another, "k"); got.status != http.StatusUnprocessableEntity || strings.Contains(got.body, surname) {
		t.Errorf("another body under the key: %+v", got)
	}
	if got := keyed(t, s, alive, "k2"); got.status != http.StatusOK || got.replayed {
		t.Errorf("another key: %+v", got)
	}
	for name, keys := range map[string][]string{
		"empty": {""}, "two": {"a", "b"}, "long": {strings.Repeat("k", 256)}, "not ASCII": {"کلید"},
	} {
		if got := keyed(t, s, alive, keys...); got.status != http.StatusBadRequest {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := keyed(t, s, alive, strings.Repeat("k", 255)); got.status != http.StatusOK {
		t.Errorf("the longest key: %+v", got)
	}
	if got := s.Balance(t, "a1"); got != 5_000_000-3*12000 {
		t.Errorf("balance %d after three answers", got)
	}
}

func TestManyUnderOneKeyPayOnce(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	statuses, bodies := manyKeyed(t, s, "one")
	if len(bodies) != 1 || statuses[http.StatusOK]+statuses[http.StatusConflict] != 100 {
		t.Errorf("statuses %v, %d different answers", statuses, len(bodies))
	}
	got := keyed(t, s, alive, "one")
	if got.status != http.StatusOK || bodies[got.body] == 0 {
		t.Errorf("afterwards: %+v", got)
	}
	// Now there is an answer, and nobody has to wait for anybody.
	if statuses, bodies := manyKeyed(t, s, "one"); statuses[http.StatusOK] != 100 || bodies[got.body] != 100 {
		t.Errorf("repeats at once: statuses %v, %d different answers", statuses, len(bodies))
	}
	if got := s.Balance(t, "a1"); got != 5_000_000-12000 {
		t.Errorf("balance %d after one answer", got)
	}
	storetest.Even(t, s.Store)
}

// manyKeyed asks the same a hundred times at once, and counts the statuses and
// the good answers.
func manyKeyed(t *testing.T, s *testkit.Server, key string) (statuses map[int]int, bodies map[string]int) {
	t.Helper()
	statuses, bodies = map[int]int{}, map[string]int{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			got := keyed(t, s, alive, key)
			mu.Lock()
			defer mu.Unlock()
			statuses[got.status]++
			if got.status == http.StatusOK {
				bodies[got.body]++
			}
		})
	}
	all.Wait()
	return statuses, bodies
}

// slowly makes questions about one person take a while: they go outside.
func slowly(after time.Duration) func(*fixture.World) {
	return func(w *fixture.World) {
		w.Scenarios = append(w.Scenarios, fixture.Scenario{
			Service: "person", When: map[string]string{"nationalCode": "0012345679"},
			Then: fixture.Then{Fault: "slow", After: after},
		})
	}
}

// A call that goes outside holds its price meanwhile, and a second one under
// its key is too early.
func TestACallOutsideHoldsItsPrice(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := testkit.Start(t, testkit.Options{Dir: dir, World: slowly(2 * time.Second)})
	db := beside(t, dir)
	done := make(chan reply, 1)
	go func() { done <- keyed(t, s, alive, "k") }()
	for number(t, db, `SELECT count(*) FROM reservation`) == 0 {
		select {
		case got := <-done:
			t.Fatalf("answered without a reservation: %+v", got)
		default:
		}
	}
	if got := number(t, db, `SELECT balance FROM wallet WHERE account = 'a1'`); got != 5_000_000-12000 {
		t.Errorf("balance %d while the price is held", got)
	}
	if got := keyed(t, s, alive, "k"); got.status != http.StatusConflict {
		t.Errorf("the same call meanwhile: %+v", got)
	}
	if got := <-done; got.status != http.StatusOK || !strings.Contains(got.body, surname) {
		t.Errorf("%+v", got)
	}
	for query, want := range map[string]int64{
		`SELECT count(*) FROM reservation`:                                                   0,
		`SELECT balance FROM house WHERE name = 'house/held'`:                                0,
		`SELECT balance FROM house WHERE name = 'house/revenue'`:                             12000,
		`SELECT count(*) FROM entry WHERE kind = 'settle' AND amount = -12000`:               1,
		`SELECT count(*) FROM audit WHERE account = 'a1' AND price = 12000 AND took_us > 10`: 1,
	} {
		if got := number(t, db, query); got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
	storetest.Even(t, s.Store)
}

// What an upstream fails to answer is given back, visibly.
func TestAFailureOutsideGivesThePriceBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := testkit.Start(t, testkit.Options{Dir: dir})
	db := beside(t, dir)
	for i, code := range []string{"1000000060", "1000000011"} { // a timeout, and one that is not there
		got := keyed(t, s, `"nationalId":"`+code+`","birthDate":"1372/11/02"`, fmt.Sprint("k", i))
		if got.status < 500 {
			t.Fatalf("%+v", got)
		}
	}
	for query, want := range map[string]int64{
		`SELECT balance FROM wallet WHERE account = 'a1'`:                        5_000_000,
		`SELECT count(*) FROM entry WHERE kind = 'reserve' AND amount = -12000`:  2,
		`SELECT count(*) FROM entry WHERE kind = 'release' AND amount = 12000`:   2,
		`SELECT count(*) FROM reservation`:                                       0,
		`SELECT count(*) FROM answer`:                                            0,
		`SELECT count(*) FROM audit WHERE outcome LIKE 'source-%' AND price = 0`: 2,
	} {
		if got := number(t, db, query); got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
	storetest.Even(t, s.Store)
}

// Whichever write fails of those that a call outside and a kept answer need,
// nobody pays for nothing: what was reserved is held, visibly, until its
// deadline, or was never taken.
func TestAFailedWriteOfACallOutsideIsVisible(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var ahead atomic.Int64 // of the time; the server's own goroutines look at it too
	began := time.Now()
	clock := func() time.Time { return began.Add(time.Duration(ahead.Load())) }
	s := testkit.Start(t, testkit.Options{Dir: dir, World: slowly(time.Millisecond), Now: clock})
	db := beside(t, dir)
	held := int64(0)
	for i, c := range []struct {
		on   string
		left int64 // reservations that stay until their deadline
	}{
		{"INSERT ON reservation", 0}, {"INSERT ON answer", 0},
		{"INSERT ON audit", 1}, {"DELETE ON reservation", 1}, {"UPDATE ON answer", 1},
	} {
		if _, err := db.Exec(`CREATE TRIGGER broken BEFORE ` + c.on + ` BEGIN SELECT RAISE(ABORT, 'broken on purpose'); END`); err != nil {
			t.Fatal(err)
		}
		got := keyed(t, s, alive, fmt.Sprint("k", i))
		if got.status != http.StatusServiceUnavailable || strings.Contains(got.body, surname) {
			t.Errorf("%s fails: %+v", c.on, got)
		}
		if _, err := db.Exec(`DROP TRIGGER broken`); err != nil {
			t.Fatal(err)
		}
		held += c.left
		if open := number(t, db, `SELECT count(*) FROM reservation`); open != held {
			t.Errorf("%s fails: %d reservations, want %d", c.on, open, held)
		}
		if left := number(t, db, `SELECT balance FROM wallet WHERE account = 'a1'`); left != 5_000_000-12000*held {
			t.Errorf("%s fails: balance %d with %d calls held", c.on, left, held)
		}
		storetest.Even(t, s.Store)
	}
	ahead.Add(int64(2 * time.Minute))
	if n, err := s.Store.Release(t.Context()); n != int(held) || err != nil {
		t.Errorf("%d released, want %d: %v", n, held, err)
	}
	if got := s.Balance(t, "a1"); got != 5_000_000 {
		t.Errorf("balance %d once all is released", got)
	}
	storetest.Even(t, s.Store)
}
