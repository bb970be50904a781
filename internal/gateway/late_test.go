package gateway_test

import (
	"bufio"
	"database/sql/driver"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"modernc.org/sqlite"

	"dargah.dev/dargah/internal/testkit"
)

// stall holds up the next commit that meets the SQL function of this name, until
// what is sent is closed.
var stall = make(chan chan struct{}, 1)

var _ = func() any {
	sqlite.MustRegisterScalarFunction("stall", 0, func(*sqlite.FunctionContext, []driver.Value) (driver.Value, error) {
		select {
		case leave := <-stall:
			<-leave
		default:
		}
		return int64(0), nil
	})
	return nil
}()

// TestALoneCallIsAnsweredWhileItsCommitHangs: the goroutine of such a call is in
// the commit, and its caller hears 503 all the same, once, on a connection that
// is not used again. The charge that comes through later is given back, but for
// one under a key, under which its answer can be had.
func TestALoneCallIsAnsweredWhileItsCommitHangs(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"", "order-1"} {
		dir := t.TempDir()
		s := testkit.Start(t, testkit.Options{Dir: dir})
		db := beside(t, dir)
		if _, err := db.Exec(`CREATE TRIGGER stalled BEFORE INSERT ON entry BEGIN SELECT stall(); END`); err != nil {
			t.Fatal(err)
		}
		held := make(chan struct{})
		release := sync.OnceFunc(func() { close(held) })
		t.Cleanup(release)
		stall <- held
		rest := lateAnswer(t, s, key)
		if key != "" {
			// The key is free for another call, which hears that the disk is late.
			if again := keyed(t, s, alive, key); again.status != http.StatusServiceUnavailable {
				t.Errorf("the same call meanwhile: %+v", again)
			}
		}
		release()
		if text, err := io.ReadAll(rest); err != nil || len(text) > 0 {
			t.Errorf("more is answered: %q, %v", text, err)
		}
		if said := strings.Count(s.Log.String(), `"status":503`); said != 1 && key == "" {
			t.Errorf("the log has the call %d times:\n%s", said, s.Log)
		}
		refunds := int64(1)
		if key != "" {
			refunds = 0
			if again := keyed(t, s, alive, key); again.status != http.StatusOK || !again.replayed {
				t.Errorf("the same call again: %+v", again)
			}
		}
		for kind, want := range map[string]int64{"charge": 1, "refund": refunds} {
			if got := number(t, db, `SELECT count(*) FROM entry WHERE account = 'a1' AND kind = $1`, kind); got != want {
				t.Errorf("with key %q there are %d entries of %s, want %d", key, got, kind, want)
			}
		}
	}
}

// lateAnswer makes a call whose commit hangs, and gives what comes after its
// answer.
func lateAnswer(t *testing.T, s *testkit.Server, key string) (rest io.Reader) {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil { // past it nobody answers
		t.Fatal(err)
	}
	if key != "" {
		key = "Idempotency-Key: " + key + "\r\n"
	}
	body := `{"requestContext":{"apiInfo":{"businessId":"biz-1","businessToken":"biz-token-0123456789"}},` + alive + `}`
	if _, err := fmt.Fprintf(c, "POST /api/inquiry/person HTTP/1.1\r\nHost: a\r\n%s"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", key, len(body), body); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(c)
	answer, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatalf("no answer while the commit hangs: %v", err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusServiceUnavailable || !answer.Close ||
		!strings.Contains(string(text), `"responseContext"`) || strings.Contains(string(text), surname) {
		t.Errorf("answered %d, to be closed: %v, %s, %v", answer.StatusCode, answer.Close, text, err)
	}
	return in
}
