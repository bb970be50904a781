package fault_test

import (
	"fmt"
	"testing"
	"time"

	"dargah.dev/dargah/internal/store"
)

// TestHalfDone is DUR-4: each step of a charged call fails in the database, one
// step at a time. Whatever was begun ends paid, or given back, or is visibly
// pending until its deadline.
func TestHalfDone(t *testing.T) {
	engines(t, func(t *testing.T, s *site) {
		must(t, s.halfDone(t))
	}, riches(3)...)
}

// TestHalfDoneControl: calls that go outside without writing down that they do.
func TestHalfDoneControl(t *testing.T) {
	t.Parallel()
	control(t)
	s := newSite(t, riches(3)...).lacking(t, "unwritten")
	mustCatch(t, "pending", s.halfDone(t))
}

// TestHalfDoneControlOfMessages: messages that are stored in a transaction after
// the one that charges for them.
func TestHalfDoneControlOfMessages(t *testing.T) {
	t.Parallel()
	control(t)
	s := newSite(t, riches(3)...).lacking(t, "split")
	mustCatch(t, "HALF", s.halfDone(t))
}

// step is a write that fails.
type step struct{ table, event, when string }

var steps = []step{
	{"entry", "INSERT", "NEW.kind = 'charge'"},
	{"entry", "INSERT", "NEW.kind = 'reserve'"},
	{"entry", "INSERT", "NEW.kind = 'settle'"},
	{"entry", "INSERT", "NEW.kind = 'release'"},
	{"audit", "INSERT", "NEW.outcome = 'answered'"},
	{"audit", "INSERT", "NEW.outcome <> 'answered'"},
	{"answer", "INSERT", "1 = 1"},
	{"answer", "UPDATE", "1 = 1"},
	{"answer", "DELETE", "1 = 1"},
	{"reservation", "INSERT", "1 = 1"},
	{"reservation", "DELETE", "1 = 1"},
	{"wallet", "UPDATE", "NEW.balance < OLD.balance"},
	{"wallet", "UPDATE", "NEW.balance > OLD.balance"},
	{"audit_head", "UPDATE", "1 = 1"},
	{"batch", "INSERT", "1 = 1"},
	{"message", "INSERT", "1 = 1"},
	{"job", "INSERT", "1 = 1"},
}

// fail makes the step fail, until the function that it gives is called.
func (s *site) fail(t *testing.T, f step) (heal func()) {
	t.Helper()
	db := s.open(t)
	run := func(statements ...string) {
		t.Helper()
		for _, text := range statements {
			if _, err := db.ExecContext(t.Context(), text); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
		}
	}
	head := fmt.Sprintf("CREATE TRIGGER broken BEFORE %s ON %s FOR EACH ROW WHEN (%s) ", f.event, f.table, f.when)
	if s.database == "" {
		run(head + "BEGIN SELECT RAISE(ABORT, 'broken'); END")
		return func() { t.Helper(); run("DROP TRIGGER broken") }
	}
	run("CREATE OR REPLACE FUNCTION broken() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'broken'; END $$ LANGUAGE plpgsql", head+"EXECUTE FUNCTION broken()")
	return func() { t.Helper(); run("DROP TRIGGER broken ON " + f.table) }
}

func (s *site) halfDone(t *testing.T) (problems []string) {
	t.Helper()
	n := s.start(t)
	c := newCaller(n.address)
	defer c.close()
	people := map[string]int{"plain": 0, "settled": settled, "unanswered": unanswered, "message": 0}
	var acks []ack
	account := 0
	ask := func(kind, key string, i int) reply {
		if kind == "message" {
			return c.send(t.Context(), account, i, key)
		}
		return c.inquire(t.Context(), account, people[kind], key)
	}
	call := func(kind, key string, i int) reply {
		r := ask(kind, key, i)
		if r.ok() && r.header.Get("Idempotency-Replayed") == "" {
			acks = append(acks, ack{r.id, account})
		}
		problems = append(problems, honest([]observed{{reply: r, kind: kind}})...)
		return r
	}
	for i, f := range steps {
		heal := s.fail(t, f)
		broken := map[string]reply{}
		for kind := range people {
			broken[kind] = call(kind, fmt.Sprintf("%s %d", kind, i), i)
			call(kind, "", i)
		}
		heal()
		for kind := range people {
			again := ask(kind, fmt.Sprintf("%s %d", kind, i), i)
			pending := again.status == 409
			switch {
			case again.ok() && again.header.Get("Idempotency-Replayed") == "":
				acks = append(acks, ack{again.id, account})
			case again.ok() != (kind != "unanswered") && !pending:
				problems = append(problems, fmt.Sprintf("%v: %s again: %v, at first %v", f, kind, again, broken[kind]))
			case broken[kind].ok() && !again.ok():
				problems = append(problems, fmt.Sprintf("%v: %s was answered, and again: %v", f, kind, again))
			}
		}
	}
	n.ready(t)
	n.stop(t)
	problems = append(problems, s.audit(t, acks)...)
	pending := len(s.readBooks(t).pending)
	released := s.release(t)
	if left := len(s.readBooks(t).pending); left != 0 || released != pending {
		problems = append(problems, fmt.Sprintf("%d of %d pending calls were released, %d are left", released, pending, left))
	}
	t.Logf("%d steps failed, %d calls answered; %d calls were pending and released at their deadline", len(steps), len(acks), pending)
	return append(problems, s.audit(t, acks)...)
}

// release lets the deadlines of all pending calls pass.
func (s *site) release(t *testing.T) int {
	t.Helper()
	later := func() time.Time { return time.Now().Add(time.Hour) }
	data, err := store.Open(t.Context(), s.location(), store.Options{Now: later})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := data.Close(); err != nil {
			t.Error(err)
		}
	}()
	released, err := data.Release(t.Context())
	if err != nil {
		t.Error(err)
	}
	return released
}
