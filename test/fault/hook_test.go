package fault_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"dargah.dev/dargah/internal/sms"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/store/storetest"
	"dargah.dev/dargah/internal/webhook"
)

// listener is a customer's server that hears of messages from phones. It refuses
// now and then; and once it has answered so often as it was told, it hangs.
type listener struct {
	*httptest.Server
	mu     sync.Mutex
	left   int           // answers before it hangs
	hung   chan struct{} // closed when it does
	well   bool          // it refuses nothing
	calls  int
	taken  map[int64]int      // by the message's number: how often it was told of it and said so
	called map[int64][]string // by the message's number: the webhook-ids under which it came
}

func startListener(t testing.TB) *listener {
	t.Helper()
	l := &listener{taken: map[int64]int{}, called: map[int64][]string{}}
	l.Server = httptest.NewServer(l)
	t.Cleanup(l.Close)
	return l
}

func (l *listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var told struct {
		Data struct{ IncomingNumber int64 }
	}
	if err != nil || json.Unmarshal(body, &told) != nil {
		return // the sender was killed in the midst of it
	}
	if status := l.hear(told.Data.IncomingNumber, r.Header.Get("webhook-id")); status != 0 {
		w.WriteHeader(status)
		return
	}
	<-r.Context().Done()
}

// hear gives the status to answer, or 0 for none at all.
func (l *listener) hear(number int64, id string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.called[number] = append(l.called[number], id)
	if l.left == 0 {
		select {
		case <-l.hung:
		default:
			close(l.hung)
		}
		return 0
	}
	l.left--
	if l.calls++; l.calls%7 == 0 && !l.well {
		return http.StatusServiceUnavailable
	}
	l.taken[number]++
	return http.StatusNoContent
}

// listen has it answer so often, and gives what is closed when it hangs.
func (l *listener) listen(answers int) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left, l.hung = answers, make(chan struct{})
	return l.hung
}

// tell stores so many messages of phones, of which a webhook is to hear.
func (s *site) tell(t testing.TB, url string, events int) {
	t.Helper()
	data, err := store.Open(t.Context(), s.location(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()
	act := store.Act{Actor: "tester", Service: "webhook", Method: "add"}
	err = data.Change(t.Context(), act, func(c *store.Change) error {
		hook := webhook.Webhook{ID: "hook", Account: accountID(0), URL: url, Events: webhook.Events, Secret: webhook.NewSecret()}
		if err := c.AddWebhook(hook); err != nil {
			return err
		}
		for i := range events {
			if _, err := c.AddIncoming(sms.Incoming{Line: lineOf(0), Sender: mobileOf(i), Text: "hello", At: time.Now()}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestNoticesSurviveTheSender is HOOK-3: whenever the sender is killed, a webhook
// hears of everything, and of what it hears twice under one id.
func TestNoticesSurviveTheSender(t *testing.T) {
	if !nightly {
		t.Parallel()
		must(t, newSite(t, customer{}).notices(t, 60, 3, patience))
		return
	}
	engines(t, func(t *testing.T, s *site) { must(t, s.notices(t, 1000, 50, patience)) }, customer{})
}

// TestNoticesSurviveTheSenderControl: what is on record as told before it was
// told must show, and so must an id for each attempt.
func TestNoticesSurviveTheSenderControl(t *testing.T) {
	t.Parallel()
	control(t)
	for lack, caught := range map[string]string{"hasty": "LOST", "renaming": "RENAMED"} {
		t.Run(lack, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, customer{}).lacking(t, lack)
			mustCatch(t, caught, s.notices(t, 60, 3, 10*time.Second))
		})
	}
}

// notices kills a sender so often while a receiver holds its attempts, and gives
// what is wrong with what the receiver heard in the end. Each death is followed
// by the time that leases and pauses last: what waits is made due.
func (s *site) notices(t *testing.T, events, kills int, within time.Duration) (problems []string) {
	t.Helper()
	l := startListener(t)
	s.tell(t, l.URL, events)
	db := storetest.Behind(t, s.location())
	n := s.newNode(t)
	each := events / (kills + 1)
	for range kills {
		hung := l.listen(each)
		n.start(t)
		select {
		case <-hung:
		case <-time.After(within):
			problems = append(problems, "LOST: the sender stopped telling")
		}
		n.kill(t)
		if _, err := db.ExecContext(t.Context(), `UPDATE job SET due = 0 WHERE kind = 'notice/hook'`); err != nil {
			t.Fatal(err)
		}
	}
	l.mu.Lock()
	l.well = true
	l.mu.Unlock()
	l.listen(10 * events)
	n.start(t)
	n.ready(t)
	n.eventually(t, "nothing waits any more", within, func() bool {
		var waiting int
		err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM job WHERE kind = 'notice/hook'`).Scan(&waiting)
		return err == nil && waiting == 0
	})
	n.stop(t)
	problems = append(problems, l.judge(t, db, events)...)
	l.mu.Lock()
	defer l.mu.Unlock()
	again := 0
	for _, ids := range l.called {
		again += len(ids) - 1
	}
	t.Logf("%d events, %d kills: %d attempts more than that", events, kills, again)
	if again < kills {
		problems = append(problems, fmt.Sprintf("only %d attempts were repeated, and %d were cut off", again, kills))
	}
	return problems
}

// judge compares what was heard with the books.
func (l *listener) judge(t *testing.T, db *sql.DB, events int) (problems []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT id, ref, outcome FROM notice WHERE webhook = 'hook' ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	seen := 0
	for ; rows.Next(); seen++ {
		var id, message int64
		var outcome webhook.Outcome
		if err := rows.Scan(&id, &message, &outcome); err != nil {
			t.Fatal(err)
		}
		if l.taken[message] == 0 {
			problems = append(problems, fmt.Sprintf("LOST: of message %d nobody was told", message))
		}
		if outcome != webhook.Arrived {
			problems = append(problems, fmt.Sprintf("UNSURE: the notice of message %d is on record as %d", message, outcome))
		}
		if i := slices.IndexFunc(l.called[message], func(name string) bool { return name != webhook.Name(id) }); i >= 0 {
			problems = append(problems, fmt.Sprintf("RENAMED: message %d came as %s too, and is %s", message, l.called[message][i], webhook.Name(id)))
		}
	}
	if err := rows.Err(); err != nil || seen != events || len(l.called) > events {
		problems = append(problems, fmt.Sprintf("LOST: %d notices are in the books and %d messages were told of, not %d (%v)", seen, len(l.called), events, err))
	}
	return problems
}
