package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dargah.dev/dargah/internal/audit"
	"dargah.dev/dargah/internal/closing"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/ledger"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/store/storetest"
	"dargah.dev/dargah/internal/throwaway"
	"dargah.dev/dargah/internal/token"
)

// lived leaves calls of every kind behind.
func lived(t *testing.T, s *store.Store) {
	t.Helper()
	ctx := t.Context()
	for _, err := range storetest.Together(300, func(i int) error {
		return s.Commit(ctx, storetest.Charge("c"+strconv.Itoa(i), "a"+strconv.Itoa(i%2), 1))
	}) {
		if err != nil && fault.From(err).Code != fault.Credit {
			t.Fatal(err)
		}
	}
	spent := storetest.Charge("spent", "a0", 0)
	for _, generation := range []int64{0, 1, 0} {
		spent.Record.Call += "+"
		spent.Rotation = &token.Rotation{Family: "family", Generation: generation, Expires: time.Now().Add(30 * token.Day)}
		_ = s.Commit(ctx, spent) // the last one kills the family
	}
	if !s.Dead("family") {
		t.Fatal("the family lives")
	}
	keyed := storetest.Charge("keyed", "a0", 5)
	keyed.Key = &closing.Key{ID: [32]byte{9}, Body: [32]byte{8}, Answer: []byte("the answer")}
	must(t, s.Commit(ctx, keyed))
	must(t, s.Reserve(ctx, closing.Intent{
		Record:      storetest.Charge("outside", "a0", 0).Record,
		Reservation: ledger.Reservation{Account: "a0", Amount: 40, Deadline: time.Now().Add(time.Hour)},
	}))
	must(t, s.Operate(ctx, ledger.Operation{ID: "topup", Kind: ledger.TopUp, Account: "a0", Actor: "operator", Amount: 500}))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// ahead is where an installation is to be moved: the master key stays.
func ahead(t testing.TB, from store.Location) store.Location {
	t.Helper()
	return store.Location{Dir: from.Dir, Database: throwaway.Database(t)}
}

// cannotServe checks that no way of opening it for work is open.
func cannotServe(t *testing.T, at store.Location, want error) {
	t.Helper()
	for name, open := range map[string]func(context.Context, store.Location, store.Options) (*store.Store, error){"Open": store.Open, "Attach": store.Attach} {
		s, err := open(t.Context(), at, store.Options{})
		if err == nil {
			storetest.Close(t, s)
		}
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
}

// canServe charges a call.
func canServe(t *testing.T, at store.Location, call string) {
	t.Helper()
	s := storetest.Must(t, place(t, at), store.Options{})
	must(t, s.Commit(t.Context(), storetest.Charge(call, "a0", 1)))
	storetest.Close(t, s)
	if problems, _, _ := verified(t, at); len(problems) > 0 {
		t.Error(problems)
	}
}

func TestMove(t *testing.T) {
	t.Parallel()
	from := inhabited(t)
	to := ahead(t, from)
	records, head := trailOf(t, from)
	parts := map[string]int64{}
	result, err := store.Move(t.Context(), from, to, store.MoveOptions{Progress: func(part string, done, all int64) {
		if parts[part] = done; done > all {
			t.Errorf("%s: %d of %d", part, done, all)
		}
	}})
	must(t, err)
	rows := int64(0)
	for _, table := range result.Tables {
		if !table.Same() || table.From.Rows == 0 {
			t.Errorf("table %s: %d rows, same: %v; the test must fill every table", table.Name, table.From.Rows, table.Same())
		}
		rows += table.From.Rows
	}
	want := map[string]int64{"copying": rows, "comparing": 2 * rows, "verifying the trail": records}
	if diff := cmp.Diff(want, parts); diff != "" {
		t.Errorf("progress: %s", diff)
	}
	if result.Records != records || result.Resumed || len(result.Problems)+len(result.Imbalances) > 0 {
		t.Errorf("%+v", result)
	}
	cannotServe(t, from, store.ErrMoved)
	if diff := cmp.Diff(everything(t, from), everything(t, to)); diff != "" {
		t.Errorf("somebody else's reading: %s", diff)
	}
	if _, moved := trailOf(t, to); moved != head {
		t.Errorf("the trail ends at %s, and ended at %s", moved, head)
	}
	textingGoesOn(t, to)
	records, _ = trailOf(t, to)
	goesOn(t, to, records)
	if _, err := store.Move(t.Context(), from, to, store.MoveOptions{}); !errors.Is(err, store.ErrMoved) {
		t.Errorf("a second move: %v", err)
	}
	must(t, store.UndoMove(t.Context(), from))
	canServe(t, from, "back")
	if err := store.UndoMove(t.Context(), from); err == nil {
		t.Error("what was not moved was taken back")
	}
}

func trailOf(t *testing.T, at store.Location) (records int64, head audit.Head) {
	t.Helper()
	r, err := store.OpenReader(t.Context(), at)
	must(t, err)
	defer func() { _ = r.Close() }()
	must(t, r.Trail(t.Context(), store.Part{}, func(state audit.State, lines iter.Seq2[*audit.Line, error]) error {
		for _, err := range lines {
			must(t, err)
			records++
		}
		head = *state.Head
		return nil
	}))
	return records, head
}

// everything is each row of each table, read as anybody would, without the
// move's own mark.
func everything(t *testing.T, at store.Location) map[string][]string {
	t.Helper()
	db := storetest.Behind(t, at)
	defer func() { _ = db.Close() }()
	list := `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name <> 'goose_db_version'`
	if at.Database != "" {
		list = `SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'goose_db_version'`
	}
	all := map[string][]string{}
	for _, name := range read(t, db, list) {
		table := name[0].(string)
		all[table] = []string{}
		for _, row := range read(t, db, `SELECT * FROM "`+table+`"`) {
			if table != "setting" || row[0] != "store/move" {
				all[table] = append(all[table], fmt.Sprintf("%T %q", row, row))
			}
		}
		slices.Sort(all[table])
	}
	return all
}

func goesOn(t *testing.T, to store.Location, records int64) {
	t.Helper()
	s := storetest.Must(t, place(t, to), store.Options{})
	ctx := t.Context()
	for i := range movedPeople {
		want := storetest.Somebody(i).Person
		if got, err := s.Person(ctx, want.NationalCode); err != nil || got != want {
			t.Fatalf("person %d is another one: %v", i, err)
		}
	}
	kept, found, err := s.Kept(ctx, [32]byte{9})
	if !found || string(kept.Answer) != "the answer" || err != nil {
		t.Errorf("the answer that was kept: %q %v", kept.Answer, err)
	}
	secret, err := s.Secret(ctx, "test", func() []byte { return []byte("made anew") })
	if string(secret) != "kept" || err != nil {
		t.Errorf("the secret is %q: %v", secret, err)
	}
	if !s.Dead("family") {
		t.Error("the family lives again")
	}
	before := storetest.Balance(t, s, "a0")
	must(t, s.Commit(ctx, storetest.Charge("after", "a0", 7)))
	back := storetest.Charge("outside", "a0", 40)
	back.Charge.Held = 40
	must(t, s.Commit(ctx, back))
	if after := storetest.Balance(t, s, "a0"); after != before-7 {
		t.Errorf("balance %d after %d and a charge of 7", after, before)
	}
	storetest.Balanced(t, s, "a0")
	storetest.Even(t, s)
	storetest.Close(t, s)
	if problems, n, _ := verified(t, to); len(problems) > 0 || n != records+2 {
		t.Errorf("%d records after %d and two more: %v", n, records, problems)
	}
}

// TestMoveIsProved changes the target between the copying and the comparing.
func TestMoveIsProved(t *testing.T) {
	t.Parallel()
	from := inhabited(t)
	for what, change := range map[string]string{
		"person":         `UPDATE person SET sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1) WHERE id = (SELECT id FROM person ORDER BY id OFFSET 1234 LIMIT 1)`,
		"audit":          `UPDATE audit SET took_us = took_us + 1 WHERE seq = 77`,
		"entry":          `DELETE FROM entry WHERE seq = (SELECT max(seq) FROM entry)`,
		"tally":          `INSERT INTO tally VALUES (6, '', '', '', 1)`,
		"refresh_family": `UPDATE refresh_family SET family = 'familie'`,
		"message":        `UPDATE message SET state = 0 WHERE id = (SELECT max(id) FROM message)`,
		"stray":          `UPDATE stray SET name = name || 'x' WHERE operator = 'MTN'`,
		"setting":        `UPDATE setting SET value = name, name = value WHERE name LIKE 'test/%' AND value <> ''`,
	} {
		to := ahead(t, from)
		result, err := store.Move(t.Context(), from, to, store.MoveOptions{Progress: func(part string, done, _ int64) {
			if part == "comparing" && done == 0 {
				alter(t, to, change)
			}
		}})
		if !errors.Is(err, store.ErrDiffers) {
			t.Errorf("%s: %v", what, err)
		}
		for _, table := range result.Tables {
			if table.Same() == (table.Name == what) {
				t.Errorf("%s was changed; table %s is the same: %v", what, table.Name, table.Same())
			}
		}
		cannotServe(t, to, store.ErrUnfinished)
		if r, err := store.OpenReader(t.Context(), to); !errors.Is(err, store.ErrUnfinished) {
			_ = r.Close()
			t.Errorf("%s: what is unfinished was read: %v", what, err)
		}
	}
	canServe(t, from, "after")
}

func TestMoveInterrupted(t *testing.T) {
	t.Parallel()
	from := inhabited(t)
	to := ahead(t, from)
	for _, where := range []string{"copying", "comparing", "verifying the trail"} {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := store.Move(ctx, from, to, store.MoveOptions{Progress: func(part string, done, _ int64) {
			if part == where {
				cancel()
			}
		}})
		if cancel(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", where, err)
		}
		cannotServe(t, to, store.ErrUnfinished)
		canServe(t, from, where)
	}
	if _, err := store.Move(t.Context(), from, to, store.MoveOptions{}); err != nil {
		t.Fatal(err)
	}
	canServe(t, to, "moved")
	cannotServe(t, from, store.ErrMoved)
}

// TestMoveLastStep is cut short after the source was marked.
func TestMoveLastStep(t *testing.T) {
	t.Parallel()
	from := inhabited(t)
	to := ahead(t, from)
	_, err := store.Move(t.Context(), from, to, store.MoveOptions{})
	must(t, err)
	db := storetest.Behind(t, from)
	var mark map[string]string
	must(t, json.Unmarshal([]byte(read(t, db, `SELECT value FROM setting WHERE name = 'store/move'`)[0][0].(string)), &mark))
	must(t, db.Close())
	mark["stage"] = "proved"
	text, err := json.Marshal(mark)
	must(t, err)
	alter(t, to, `INSERT INTO setting VALUES ('store/move', '`+string(text)+`')`)
	cannotServe(t, from, store.ErrMoved)
	cannotServe(t, to, store.ErrUnfinished)
	result, err := store.Move(t.Context(), from, to, store.MoveOptions{})
	if !result.Resumed || err != nil {
		t.Fatalf("%+v: %v", result, err)
	}
	canServe(t, to, "after")
}

func TestMoveToWhatIsNotEmpty(t *testing.T) {
	t.Parallel()
	from, other := inhabited(t), settled(t) // with keys of its own
	refused := func(to store.Location, want string) {
		t.Helper()
		before := everything(t, to)
		_, err := store.Move(t.Context(), from, to, store.MoveOptions{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
		if diff := cmp.Diff(before, everything(t, to)); diff != "" {
			t.Errorf("the target was changed: %s", diff)
		}
	}
	started := store.Location{Dir: t.TempDir(), Database: throwaway.Database(t)}
	storetest.Close(t, storetest.Must(t, place(t, started), store.Options{})) // has no account yet
	refused(started, "not empty")
	alter(t, started, `UPDATE goose_db_version SET is_applied = true; DELETE FROM goose_db_version WHERE version_id > 1`)
	refused(started, "not empty")

	full := ahead(t, other)
	_, err := store.Move(t.Context(), other, full, store.MoveOptions{})
	must(t, err)
	refused(full, "not empty")
	canServe(t, full, "still")

	must(t, store.UndoMove(t.Context(), other))
	half := ahead(t, other)
	ctx, cancel := context.WithCancel(t.Context())
	_, err = store.Move(ctx, other, half, store.MoveOptions{Progress: func(string, int64, int64) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	refused(half, "--restart")
	half.Dir = from.Dir
	_, err = store.Move(t.Context(), from, half, store.MoveOptions{Restart: true})
	must(t, err)
	canServe(t, half, "restarted")
	canServe(t, other, "still here")
}

// TestMoveAlone: while a move runs nobody changes the source, and no other move
// comes to the target.
func TestMoveAlone(t *testing.T) {
	t.Parallel()
	from := inhabited(t)
	to := ahead(t, from)
	s := storetest.Must(t, place(t, from), store.Options{})
	if _, err := store.Move(t.Context(), from, to, store.MoveOptions{}); !errors.Is(err, store.ErrInUse) {
		t.Errorf("while a server runs: %v", err)
	}
	storetest.Close(t, s)
	command := storetest.Behind(t, from) // with less patience than a command's minute
	_, err := command.ExecContext(t.Context(), "PRAGMA busy_timeout = 100")
	must(t, err)
	asked := false
	_, err = store.Move(t.Context(), from, to, store.MoveOptions{Progress: func(part string, done, _ int64) {
		if part != "comparing" || done != 0 {
			return
		}
		asked = true
		if _, err := command.ExecContext(t.Context(), `INSERT INTO setting VALUES ('late', 'late')`); err == nil || !strings.Contains(err.Error(), "SQLITE_BUSY") {
			t.Errorf("a command wrote to the source while it was being moved: %v", err)
		}
		if s, err := store.Open(t.Context(), to, store.Options{}); !errors.Is(err, store.ErrUnfinished) {
			storetest.Close(t, s)
			t.Errorf("a server on the target: %v", err)
		}
	}})
	if !asked || err != nil {
		t.Fatal(asked, err)
	}
}

// TestMoveCannotForgetATable adds one that this version does not know.
func TestMoveCannotForgetATable(t *testing.T) {
	t.Parallel()
	from := inhabited(t)
	to := ahead(t, from)
	alter(t, from, `CREATE TABLE later (a TEXT NOT NULL, b INTEGER NOT NULL, c BLOB, of TEXT REFERENCES account (id), PRIMARY KEY (b, a)) STRICT;
		INSERT INTO later VALUES ('x', 2, NULL, 'a0'), ('y', 1, x'', NULL), ('X', 2, x'00', NULL)`)
	if _, err := store.Move(t.Context(), from, to, store.MoveOptions{}); err == nil || !strings.Contains(err.Error(), "later") {
		t.Fatalf("to where there is no such table: %v", err)
	}
	alter(t, to, `CREATE TABLE later (a TEXT NOT NULL, b BIGINT NOT NULL, c BYTEA, of TEXT REFERENCES account (id), PRIMARY KEY (b, a))`)
	result, err := store.Move(t.Context(), from, to, store.MoveOptions{})
	must(t, err)
	if !slices.ContainsFunc(result.Tables, func(p store.TableProof) bool { return p.Name == "later" && p.To.Rows == 3 && p.Same() }) {
		t.Errorf("%+v", result.Tables)
	}
	if diff := cmp.Diff(everything(t, from), everything(t, to)); diff != "" {
		t.Error(diff)
	}
}

// TestMoveOfWhatIsNotWhole copies exactly, and stops there.
func TestMoveOfWhatIsNotWhole(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct{ change, want string }{
		"trail": {`UPDATE audit SET price = price + 1 WHERE seq = 7`, "dargah audit verify"},
		"end":   {`UPDATE audit_head SET seq = seq - 1`, "dargah doctor"},
		"books": {`UPDATE wallet SET balance = balance + 1 WHERE account = 'a0'`, "dargah audit verify"},
		"text":  {`UPDATE setting SET value = 'a' || char(0) || 'b' WHERE name = 'test/a'`, "copy table setting"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			from := inhabited(t)
			to := ahead(t, from)
			alter(t, from, c.change)
			_, err := store.Move(t.Context(), from, to, store.MoveOptions{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestMoveToNowhere(t *testing.T) {
	t.Parallel()
	from := inhabited(t)
	good := throwaway.Database(t)
	const secret = "s3cret-word"
	for what, c := range map[string]struct{ to, want string }{
		"no server":   {"postgres://dargah:" + secret + "@127.0.0.1:1/x", "nobody answers at 127.0.0.1:1"},
		"password":    {strings.Replace(good, "throwaway-password", secret, 1), "refuses the user dargah"},
		"parameter":   {"postgres://127.0.0.1:1/x?password=" + secret + "&user=dargah", "nobody answers"},
		"no database": {good + "_not", "has no database"},
		"no URL":      {"postgres://%zz:" + secret + "@x", "cannot be read"},
		"SQLite":      {"", "must be a database on PostgreSQL"},
	} {
		_, err := store.Move(t.Context(), from, store.Location{Dir: from.Dir, Database: c.to}, store.MoveOptions{})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v, want %q", what, err, c.want)
		}
	}
	for what, c := range map[string]struct {
		from store.Location
		want error
	}{
		"nothing there":  {store.Folder(t.TempDir()), store.ErrNoData},
		"on PostgreSQL":  {store.Location{Dir: from.Dir, Database: good}, nil},
		"another folder": {store.Folder(from.Dir + "/not"), store.ErrNoData},
	} {
		if _, err := store.Move(t.Context(), c.from, store.Location{Database: good}, store.MoveOptions{}); err == nil || !errors.Is(err, c.want) && c.want != nil {
			t.Errorf("%s: %v, want %v", what, err, c.want)
		}
	}
	canServe(t, from, "still")
}
