package audit_test

import (
	"database/sql"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"dargah.dev/dargah/internal/audit"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/store/storetest"
	"dargah.dev/dargah/internal/throwaway"
)

// installation has a trail of n records, a copy of them beside, and a
// connection of somebody who can write the database and nothing else.
type installation struct {
	t      testing.TB
	at     store.Location
	n      int64
	db     *sql.DB
	reader *store.Reader
}

// recorded makes the records in a folder, through the store.
func recorded(t testing.TB, n int) string {
	t.Helper()
	dir := t.TempDir()
	storetest.Migrated(t, dir)
	record(t, store.Folder(dir), n)
	return dir
}

func record(t testing.TB, at store.Location, n int) {
	t.Helper()
	s, err := store.Open(t.Context(), at, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	storetest.Fund(t, s, 1<<40)
	var wg sync.WaitGroup
	for caller := range 100 {
		wg.Go(func() {
			for i := caller; i < n; i += 100 {
				c := storetest.Charge("call-"+strconv.Itoa(i), "a0", 12_000)
				c.Record.At = c.Record.At.Add(time.Duration(i) * time.Second)
				c.Record.Subject = s.Keyring().Hash("subject", strconv.Itoa(i))
				if i%5 == 0 {
					c.Record.Subject, c.Record.Document, c.Record.Source = nil, "", ""
				}
				if err := s.Commit(t.Context(), c); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	storetest.Close(t, s)
}

func copyOf(t testing.TB, dir string, n int64) *installation {
	t.Helper()
	at := store.Folder(t.TempDir())
	if err := os.CopyFS(at.Dir, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	in := open(t, at, n)
	in.do(`PRAGMA synchronous = OFF`)
	return in
}

// onPostgres makes the records in a database of a server.
func onPostgres(t testing.TB, n int) *installation {
	t.Helper()
	at := store.Location{Dir: t.TempDir(), Database: throwaway.Database(t)}
	record(t, at, n)
	in := open(t, at, int64(n))
	in.do(`SET synchronous_commit = off`)
	return in
}

func open(t testing.TB, at store.Location, n int64) *installation {
	t.Helper()
	in := &installation{t: t, at: at, n: n, db: storetest.Behind(t, at)}
	in.do(`CREATE TABLE pristine AS SELECT * FROM audit`)
	in.do(`CREATE INDEX pristine_seq ON pristine (seq)`)
	in.do(`CREATE TABLE pristine_head AS SELECT * FROM audit_head`)
	var err error
	if in.reader, err = store.OpenReader(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := in.reader.Close(); err != nil {
			t.Error(err)
		}
	})
	return in
}

func (in *installation) do(query string, args ...any) {
	in.t.Helper()
	if _, err := in.db.ExecContext(in.t.Context(), query, args...); err != nil {
		in.t.Fatalf("%s: %v", query, err)
	}
}

func (in *installation) get(query string, into ...any) {
	in.t.Helper()
	if err := in.db.QueryRowContext(in.t.Context(), query).Scan(into...); err != nil {
		in.t.Fatalf("%s: %v", query, err)
	}
}

// restore undoes what was done to the records from lo on, and to the head.
func (in *installation) restore(lo int64) {
	in.do(`DELETE FROM audit WHERE seq >= $1 OR seq < 1`, lo)
	in.do(`INSERT INTO audit SELECT * FROM pristine WHERE seq >= $1`, lo)
	in.do(`DELETE FROM audit_head`)
	in.do(`INSERT INTO audit_head SELECT * FROM pristine_head`)
}

// problems verifies; blind is without a look at the links.
func (in *installation) problems(blind bool, anchors ...audit.Head) (found []audit.Problem) {
	in.t.Helper()
	err := in.reader.Trail(in.t.Context(), store.Part{}, func(state audit.State, lines iter.Seq2[*audit.Line, error]) error {
		v := audit.NewVerifier(in.reader.Chain(), state, anchors, func(p audit.Problem) { found = append(found, p) })
		if blind {
			v.Blind()
		}
		for l, err := range lines {
			if err != nil {
				return err
			}
			v.Add(l)
		}
		v.End()
		return nil
	})
	if err != nil {
		in.t.Fatal(err)
	}
	return found
}

func (in *installation) any(r *rand.Rand) int64 { return 1 + r.Int64N(in.n) }

// two gives the numbers of two records, the lower first.
func (in *installation) two(r *rand.Rand) (int64, int64) {
	a, b := in.any(r), in.any(r)
	for a == b {
		b = in.any(r)
	}
	return min(a, b), max(a, b)
}

// tampering changes the database and tells what it did, and the lowest number
// that it touched.
type tampering func(in *installation, r *rand.Rand) (did string, lo int64)

var columns = []string{
	"seq", "call", "at", "took_us", "dialect", "service", "method", "account", "peer", "outcome", "price", "source",
	"subject", "document", "salt", "digest", "link",
}

// flip changes one bit of one column of one record.
func flip(in *installation, r *rand.Rand) (string, int64) {
	seq, column := in.any(r), columns[r.IntN(len(columns))]
	did := fmt.Sprintf("flip a bit in %s of %d", column, seq)
	where := " WHERE seq = " + strconv.FormatInt(seq, 10)
	var value any
	in.get(`SELECT `+column+` FROM audit`+where, &value)
	switch old := value.(type) {
	case int64:
		bit := r.IntN(64)
		if column == "seq" {
			bit = 15 + r.IntN(49) // not onto another record
		}
		in.do(`UPDATE audit SET `+column+` = $1`+where, old^1<<bit)
	case string:
		in.do(`UPDATE audit SET `+column+` = cast($1 AS TEXT)`+where, in.flippedText(r, old))
	case []byte:
		in.do(`UPDATE audit SET `+column+` = $1`+where, flipped(r, old))
	case nil: // the driver's empty blob
		in.do(`UPDATE audit SET `+column+` = $1`+where, flipped(r, nil))
	}
	return did, seq
}

// flipped changes one bit; of nothing it makes one byte.
func flipped(r *rand.Rand, b []byte) []byte {
	if len(b) == 0 {
		return []byte{byte(r.IntN(256))}
	}
	b = slices.Clone(b)
	b[r.IntN(len(b))] ^= 1 << r.IntN(8)
	return b
}

// flippedText changes one bit so that the database takes it: PostgreSQL wants
// UTF-8 without a NUL.
func (in *installation) flippedText(r *rand.Rand, text string) any {
	for {
		changed := flipped(r, []byte(text))
		if in.at.Database == "" {
			return changed
		}
		if utf8.Valid(changed) && !slices.Contains(changed, 0) {
			return string(changed)
		}
	}
}

func remove(in *installation, r *rand.Rand) (string, int64) {
	seq := in.any(r)
	in.do(`DELETE FROM audit WHERE seq = $1`, seq)
	return fmt.Sprintf("delete %d", seq), seq
}

// removeAndRenumber closes the gap, and sets the head to the new last record.
// It spares the last one: that would be a tail cut off with the head set back,
// which only an anchor shows.
func removeAndRenumber(in *installation, r *rand.Rand) (string, int64) {
	seq := 1 + r.Int64N(in.n-1)
	in.do(`DELETE FROM audit WHERE seq = $1`, seq)
	in.do(`UPDATE audit SET seq = -seq WHERE seq > $1`, seq)
	in.do(`UPDATE audit SET seq = -seq - 1 WHERE seq < 0`)
	in.do(`UPDATE audit_head SET seq = $1, link = (SELECT link FROM audit WHERE seq = $1)`, in.n-1)
	return fmt.Sprintf("delete %d and renumber", seq), seq
}

// swap exchanges two records; their links too, or not.
func swap(in *installation, r *rand.Rand) (string, int64) {
	a, b := in.two(r)
	moved := columns[1:]
	if r.IntN(2) == 0 {
		moved = columns[1 : len(columns)-1]
	}
	in.do(`UPDATE audit SET (`+strings.Join(moved, ", ")+`) = (SELECT `+strings.Join(moved, ", ")+
		` FROM pristine WHERE pristine.seq = cast($1 AS BIGINT) + cast($2 AS BIGINT) - audit.seq) WHERE seq IN ($1, $2)`, a, b)
	return fmt.Sprintf("swap %d and %d (%d columns)", a, b, len(moved)), a
}

// swapWithHead swaps, and sets the head to whatever stands at the end.
func swapWithHead(in *installation, r *rand.Rand) (string, int64) {
	did, lo := swap(in, r)
	in.do(`UPDATE audit_head SET link = (SELECT link FROM audit WHERE seq = $1)`, in.n)
	return did + " with the head", lo
}

// insertCopy puts a copy of a record at the end, in front of the first, or between
// others that move up; the head moves too, or not.
func insertCopy(in *installation, r *rand.Rand) (string, int64) {
	seq, at := in.any(r), in.n+1
	switch r.IntN(4) {
	case 0:
		at = -r.Int64N(3)
	case 1, 2:
		at = in.any(r)
		in.do(`UPDATE audit SET seq = -seq WHERE seq >= $1`, at)
		in.do(`UPDATE audit SET seq = -seq + 1 WHERE seq < 0`)
	}
	in.do(`INSERT INTO audit SELECT cast($1 AS BIGINT), `+strings.Join(columns[1:], ", ")+` FROM pristine WHERE seq = $2`, at, seq)
	if at > 0 && r.IntN(2) == 0 {
		in.do(`UPDATE audit_head SET seq = $1, link = (SELECT link FROM audit WHERE seq = $1)`, in.n+1)
	}
	return fmt.Sprintf("insert a copy of %d at %d", seq, at), max(1, min(at, in.n))
}

func truncate(in *installation, r *rand.Rand) (string, int64) {
	lo := in.any(r)
	in.do(`DELETE FROM audit WHERE seq >= $1`, lo)
	return fmt.Sprintf("cut off from %d on", lo), lo
}

// blank does what an erasure does, but for the note that only the key can make.
func blank(in *installation, r *rand.Rand) (string, int64) {
	seq := in.any(r)
	in.do(`UPDATE audit SET peer = '', subject = zeroblob(0), salt = zeroblob(0) WHERE seq = $1`, seq)
	if r.IntN(2) == 0 {
		in.do(`UPDATE audit_head SET erased_before = $1, erased_mark = randomblob(32)`, int64(1)<<60)
	}
	return fmt.Sprintf("blank %d", seq), seq
}

func flipHead(in *installation, r *rand.Rand) (string, int64) {
	var link []byte
	in.get(`SELECT link FROM audit_head`, &link)
	switch r.IntN(4) {
	case 0:
		in.do(`UPDATE audit_head SET link = $1`, flipped(r, link))
	case 1:
		in.do(`UPDATE audit_head SET seq = $1`, in.n^1<<r.IntN(64))
	case 2:
		in.do(`UPDATE audit_head SET erased_before = $1`, int64(1)<<r.IntN(63))
	case 3:
		in.do(`DELETE FROM audit_head`)
	}
	return "change the head", in.n
}

var tamperings = []tampering{
	flip, flip, flip, flip, remove, removeAndRenumber, swap, swapWithHead, insertCopy, truncate, blank, flipHead,
}

// TestTampering changes a trail in a thousand ways; each must show. At night,
// which KILLS says, the trail is longer.
func TestTampering(t *testing.T) {
	t.Parallel()
	records, times := 1_500, 1_000
	switch {
	case testing.Short():
		records, times = 500, 200
	case raceEnabled:
		records = 150
	case os.Getenv("KILLS") != "":
		records = 10_000
	}
	dir := recorded(t, records)
	const shards = 4
	for shard := range shards {
		t.Run(strconv.Itoa(shard), func(t *testing.T) {
			t.Parallel()
			tampered(t, copyOf(t, dir, int64(records)), times/shards)
		})
	}
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		tampered(t, onPostgres(t, min(records, 500)), times/shards)
	})
}

func tampered(t *testing.T, in *installation, times int) {
	t.Helper()
	if found := in.problems(false); len(found) > 0 {
		t.Fatalf("before anything was done: %v", found)
	}
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	detected := 0
	for i := range times {
		did, lo := tamperings[i%len(tamperings)](in, r)
		if len(in.problems(false)) > 0 {
			detected++
		} else {
			t.Errorf("not detected (seed %d): %s", seed, did)
		}
		in.restore(lo)
	}
	if found := in.problems(false); len(found) > 0 {
		t.Errorf("after everything was undone: %v", found)
	}
	t.Logf("%d of %d detected in %d records", detected, times, in.n)
}

// both runs a test on a trail of n records on each engine.
func both(t *testing.T, n int, test func(*testing.T, *installation)) {
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) { t.Parallel(); test(t, copyOf(t, recorded(t, n), int64(n))) })
	t.Run("PostgreSQL", func(t *testing.T) { t.Parallel(); test(t, onPostgres(t, n)) })
}

// TestBlindVerifierMissesTampering is the red control: were links not looked
// at, whoever can write the database could do all of this.
func TestBlindVerifierMissesTampering(t *testing.T) {
	both(t, 300, func(t *testing.T, in *installation) {
		r := rand.New(rand.NewPCG(1, 2))
		flipInBody := func(in *installation, r *rand.Rand) (string, int64) {
			seq := in.any(r)
			in.do(`UPDATE audit SET price = 0, account = 'a1' WHERE seq = $1`, seq)
			return fmt.Sprintf("change %d", seq), seq
		}
		newPerson := func(in *installation, r *rand.Rand) (string, int64) {
			seq := in.any(r)
			l := &audit.Line{Peer: "198.51.100.1", Subject: []byte("x"), Salt: audit.AppendSalt(nil)}
			digest := audit.NewChain(nil).Digest(l)
			in.do(`UPDATE audit SET peer = $1, subject = $2, salt = $3, digest = $4 WHERE seq = $5`, l.Peer, l.Subject, l.Salt, digest[:], seq)
			return fmt.Sprintf("put another person into %d", seq), seq
		}
		insertAndMoveHead := func(in *installation, _ *rand.Rand) (string, int64) {
			in.do(`INSERT INTO audit SELECT cast($1 AS BIGINT), `+strings.Join(columns[1:], ", ")+` FROM pristine WHERE seq = 1`, in.n+1)
			in.do(`UPDATE audit_head SET seq = $1, link = (SELECT link FROM audit WHERE seq = $1)`, in.n+1)
			return "insert a copy with the head", in.n
		}
		for range 10 {
			for _, tamper := range []tampering{flipInBody, newPerson, removeAndRenumber, swapWithHead, insertAndMoveHead} {
				did, lo := tamper(in, r)
				if found := in.problems(true); len(found) > 0 {
					t.Errorf("%s: found without links, so it proves nothing about them: %v", did, found)
				}
				if len(in.problems(false)) == 0 {
					t.Errorf("%s: not found", did)
				}
				in.restore(lo)
			}
		}
	})
}

// TestCutTailWithOldHead: inside the database nothing shows it; a head that was
// kept outside does.
func TestCutTailWithOldHead(t *testing.T) {
	both(t, 300, func(t *testing.T, in *installation) {
		anchor := func(seq int64) audit.Head {
			var link []byte
			in.get(`SELECT link FROM pristine WHERE seq = `+strconv.FormatInt(seq, 10), &link)
			return audit.Head{Seq: seq, Link: audit.Link(link)}
		}
		early, late := anchor(100), anchor(300)
		if found := in.problems(false, early, late, audit.Head{}); len(found) > 0 {
			t.Fatalf("the whole trail against true anchors: %v", found)
		}
		for _, keep := range []int64{0, 1, 100, 299} {
			in.do(`DELETE FROM audit WHERE seq > $1`, keep)
			in.do(`UPDATE audit_head SET seq = $1, link = coalesce((SELECT link FROM pristine WHERE seq = $1), zeroblob(32))`, keep)
			if found := in.problems(false); len(found) > 0 {
				t.Errorf("kept %d: seen without an anchor, which the help says cannot be: %v", keep, found)
			}
			if found := in.problems(false, early); (len(found) == 0) != (keep >= 100) {
				t.Errorf("kept %d, anchored at 100: %v", keep, found)
			}
			if found := in.problems(false, early, late); len(found) == 0 {
				t.Errorf("kept %d: not seen with an anchor at 300", keep)
			}
			in.restore(1)
		}
		other := late
		other.Link[5] ^= 1
		for _, wrong := range []audit.Head{other, {Seq: 0, Link: other.Link}, {Seq: 301, Link: late.Link}} {
			if found := in.problems(false, wrong); len(found) != 1 || found[0].Seq != wrong.Seq {
				t.Errorf("against a head of another trail: %v", found)
			}
		}
	})
}

// TestProblemsNameTheRecord: one change is one complaint, at the right number.
func TestProblemsNameTheRecord(t *testing.T) {
	both(t, 100, func(t *testing.T, in *installation) {
		for name, c := range map[string]struct {
			do   string
			want string
		}{
			"field":         {`UPDATE audit SET price = 1 WHERE seq = 40`, "record 40: was changed"},
			"link":          {`UPDATE audit SET link = zeroblob(32) WHERE seq = 40`, "record 40: was changed"},
			"short link":    {`UPDATE audit SET link = substr(link, 1, 31) WHERE seq = 40`, "record 40: was changed"},
			"peer":          {`UPDATE audit SET peer = '198.51.100.9' WHERE seq = 40`, "record 40: the caller's address"},
			"text after 0":  {`UPDATE audit SET method = method || char(0) || 'x' WHERE seq = 40`, "record 40: was changed"},
			"one missing":   {`DELETE FROM audit WHERE seq = 40`, "record 40: is missing"},
			"many missing":  {`DELETE FROM audit WHERE seq BETWEEN 40 AND 50`, "record 40: it and all up to 50 are missing"},
			"tail":          {`DELETE FROM audit WHERE seq > 40`, "record 41: it and all up to 100 are missing"},
			"head":          {`UPDATE audit_head SET link = zeroblob(32)`, "record 100: it is the last one"},
			"no head":       {`DELETE FROM audit_head`, "the trail: its head is missing"},
			"bad head":      {`UPDATE audit_head SET link = zeroblob(1)`, "the trail: its head is missing"},
			"old head":      {`UPDATE audit_head SET seq = 40, link = (SELECT link FROM audit WHERE seq = 40)`, "record 41: it and all up to 100 come after"},
			"blanked":       {`UPDATE audit SET peer = '', subject = zeroblob(0), salt = zeroblob(0) WHERE seq = 40`, "record 40: its personal fields were blanked"},
			"overflow":      {`UPDATE audit SET took_us = took_us + 2305843009213693952 WHERE seq = 40`, "record 40: was changed"},
			"below one":     {`INSERT INTO audit SELECT 0, call, at, took_us, dialect, service, method, account, peer, outcome, price, source, subject, document, salt, digest, link FROM pristine WHERE seq = 1`, "the trail: does not belong"},
			"erasure noted": {`UPDATE audit_head SET erased_before = 1`, "the trail: the note of what was erased"},
		} {
			if strings.Contains(c.do, "char(0)") && in.at.Database != "" {
				continue // PostgreSQL has no NUL in a text
			}
			in.do(c.do)
			found := in.problems(false)
			if len(found) != 1 || !strings.HasPrefix(found[0].String(), c.want) {
				t.Errorf("%s: %v, want one: %s", name, found, c.want)
			}
			in.restore(1)
		}
	})
}
