package store_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/store/storetest"
)

// helperDir is the environment variable that makes this binary a process that
// charges calls until it is killed, or until helperCalls are done.
const (
	helperDir      = "DARGAH_STORE_HELPER_DIR"
	helperDatabase = "DARGAH_STORE_HELPER_DATABASE"
	helperCalls    = "DARGAH_STORE_HELPER_CALLS"
	helperRun      = "DARGAH_STORE_HELPER_RUN"
	helperStubborn = "DARGAH_STORE_HELPER_STUBBORN" // goes on after a failure
	helperUnsafe   = "DARGAH_STORE_HELPER_UNSAFE"   // does not ask for commits that wait for the disk
	helperSync     = "DARGAH_STORE_HELPER_SYNC"     // SQLite's synchronous, weakened behind the store's back
)

func TestMain(m *testing.M) {
	if os.Getenv(helperUnsafe) != "" {
		store.WithoutSynchronousCommit()
	}
	if dir := os.Getenv(helperDir); dir != "" {
		if err := charge(store.Location{Dir: dir, Database: os.Getenv(helperDatabase)}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// charge closes calls of eight callers, of whom half send messages, or charges
// of one where a number is given, and writes each answered call's id to the
// standard output.
func charge(at store.Location) error {
	s, err := store.Open(context.Background(), at, store.Options{GroupMax: 4})
	if err != nil {
		return err
	}
	if sync := os.Getenv(helperSync); sync != "" {
		if _, err := s.Writer().ExecContext(context.Background(), "PRAGMA synchronous="+sync); err != nil {
			return err
		}
	}
	calls, callers := 1<<30, 8
	if n, err := strconv.Atoi(os.Getenv(helperCalls)); err == nil {
		calls, callers = n, 1
	}
	var wg sync.WaitGroup
	for caller := range callers {
		wg.Go(func() {
			for n := range calls {
				call := fmt.Sprintf("%s-%d-%d", os.Getenv(helperRun), caller, n)
				err := commit(s, call, caller, n)
				switch {
				case err == nil:
					fmt.Println(call)
				case os.Getenv(helperStubborn) == "":
					panic(err)
				default:
					<-time.After(10 * time.Millisecond)
				}
			}
		})
	}
	wg.Wait()
	return s.Close()
}

// commit closes the n-th call of a caller.
func commit(s *store.Store, call string, caller, n int) error {
	from := "a" + strconv.Itoa(caller%2)
	if caller < 4 {
		c := storetest.Charge(call, from, 1)
		if n%2 == 0 {
			c.Late = func(error) {} // half of them in their own goroutine, if nobody else is at work
		}
		return s.Commit(context.Background(), c)
	}
	messages := 1 + n%3
	first, err := s.MessageIDs(context.Background(), messages)
	if err != nil {
		return err
	}
	c := storetest.SendingFrom(first, call, from, messages)
	c.Record.Service = "sms"
	return s.Commit(context.Background(), c)
}

// helper is this binary as another process.
func helper(ctx context.Context, t *testing.T, at store.Location, run string, command ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command = append(command, self)
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = append(os.Environ(), helperDir+"="+at.Dir, helperDatabase+"="+at.Database, helperRun+"="+run)
	cmd.Stderr = os.Stderr
	return cmd
}

// kills is how often the tests of this file kill: make nightly asks for more.
func kills() int {
	if n, err := strconv.Atoi(os.Getenv("KILLS")); err == nil {
		return n
	}
	if testing.Short() {
		return 3
	}
	return 10
}

// TestKilled kills a process that charges and takes messages, again and again at
// a random moment. All that was answered must be there, once and whole. It is
// looked at in the end: what is lost does not come back.
func TestKilled(t *testing.T) {
	each(t, func(t *testing.T, at store.Location) {
		const balance = 10_000_000
		s := storetest.Must(t, place(t, at), store.Options{})
		storetest.Fund(t, s, balance, balance)
		storetest.Close(t, s)
		answered := map[string]bool{}
		for run := range kills() {
			killed(t, at, strconv.Itoa(run), 1+rand.IntN(400), answered)
		}
		s = storetest.Must(t, place(t, at), store.Options{})
		found := map[string]int{}
		for _, of := range []string{"a0", "a1"} {
			storetest.Balanced(t, s, of)
			entries, records, err := s.History(t.Context(), of)
			if err != nil || len(records) != len(entries)-1 {
				t.Fatalf("%d records of %d entries: %v", len(records), len(entries), err)
			}
			for _, e := range entries {
				found[e.Call]++
			}
		}
		for call := range answered {
			if found[call] != 1 {
				t.Errorf("call %s was answered and is there %d times", call, found[call])
			}
		}
		// A caller that did not hear the answer asks again.
		for call, n := range found {
			if n != 1 {
				t.Errorf("call %s was charged %d times", call, n)
			}
		}
		storetest.Close(t, s)
		whole(t, at)
		t.Logf("%d calls answered in %d lives", len(answered), kills())
	})
}

// killed starts the helper, and kills it after so many answers.
func killed(t *testing.T, at store.Location, run string, after int, answered map[string]bool) {
	t.Helper()
	cmd := helper(t.Context(), t, at, run)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for lines := bufio.NewScanner(out); lines.Scan(); seen++ {
		if seen == after {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
		answered[lines.Text()] = true // never half a line: a pipe takes so little whole
	}
	_ = cmd.Wait() // it was killed
	if seen < after {
		t.Fatalf("run %s: the helper ended by itself after %d answers", run, seen)
	}
}

// TestFlushed looks at what the store asks of the disk: one caller's answer
// never comes before a flush of its own. With less than FULL the same look must
// find answers without one, or it could find nothing.
func TestFlushed(t *testing.T) {
	t.Parallel()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("no strace here")
	}
	for _, c := range []struct {
		sync  string
		early bool
	}{{"", false}, {"NORMAL", true}, {"OFF", true}} {
		t.Run("synchronous="+c.sync, func(t *testing.T) {
			t.Parallel()
			flushes, early := flushed(t, strace, c.sync)
			t.Logf("%d flushes, %d of %d answers before theirs", flushes, early, flushedCalls)
			if c.early != (early > 0) || c.early != (flushes < flushedCalls) {
				t.Errorf("%d flushes and %d answers before theirs; answers before theirs wanted: %v", flushes, early, c.early)
			}
		})
	}
}

const flushedCalls = 40

// flushed traces a helper, and counts flushes and the answers that left before
// any flush since the answer before them.
func flushed(t *testing.T, strace, sync string) (flushes, early int) {
	t.Helper()
	dir, trace := t.TempDir(), filepath.Join(t.TempDir(), "trace")
	s := storetest.Must(t, at(t, dir), store.Options{})
	storetest.Fund(t, s, 1000)
	storetest.Close(t, s)
	cmd := helper(t.Context(), t, store.Folder(dir), "f", strace, "-f", "-e", "trace=fsync,fdatasync,write", "-o", trace)
	cmd.Env = append(cmd.Env, helperCalls+"="+strconv.Itoa(flushedCalls), helperSync+"="+sync)
	cmd.Stderr = nil
	if out, err := cmd.Output(); err != nil || strings.Count(string(out), "\n") != flushedCalls {
		t.Skipf("strace cannot be used here: %v", err)
	}
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	since, answers := 0, 0
	for line := range strings.Lines(string(text)) {
		switch {
		case strings.Contains(line, "sync") && strings.HasSuffix(line, "= 0\n"):
			since++
		case strings.Contains(line, `write(1, "f-0-`):
			if answers++; since == 0 {
				early++
			}
			flushes, since = flushes+since, 0
		}
	}
	if answers != flushedCalls {
		t.Fatalf("%d answers in the trace, want %d", answers, flushedCalls)
	}
	return flushes, early
}
