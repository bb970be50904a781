package fault_test

import (
	"cmp"
	"database/sql"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // PostgreSQL's driver
	_ "modernc.org/sqlite"             // SQLite's

	"dargah.dev/dargah/internal/store/storetest"
)

// ack is a charge that a caller was answered.
type ack struct {
	call    string
	account int
}

// books is what the database holds, read without a line of the product's code.
type books struct {
	entries  []entry
	records  map[string][]record // by call
	balances map[string]int64    // of wallets and house accounts
	pending  map[string]bool     // calls that hold a reservation
	trail    int64               // records
	faults   []string            // of the reading itself
}

type entry struct {
	seq                         int64
	call, account, contra, kind string
	amount, balance             int64
}

type record struct {
	account, outcome string
	price            int64
}

// open gives the site's database to look into, beside whoever else uses it.
func (s *site) open(t testing.TB) *sql.DB {
	t.Helper()
	driver, dsn := "sqlite", "file:"+filepath.Join(s.dir, "dargah.db")+"?_pragma=busy_timeout(5000)"
	if s.database != "" {
		driver, dsn = "pgx", cmp.Or(s.direct, s.database)
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// readBooks reads everything at one moment.
func (s *site) readBooks(t testing.TB) *books {
	t.Helper()
	db := s.open(t)
	defer db.Close()
	tx, err := db.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: s.database != ""})
	if s.database == "" {
		tx, err = db.BeginTx(t.Context(), nil) // one snapshot in any case
	}
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	b := &books{records: map[string][]record{}, balances: map[string]int64{}, pending: map[string]bool{}}
	b.readEntries(t, tx)
	b.readRecords(t, tx)
	each(t, tx, `SELECT account, balance FROM wallet UNION ALL SELECT name, balance FROM house`, func(scan func(...any)) {
		var name string
		var balance int64
		scan(&name, &balance)
		b.balances[name] = balance
	})
	each(t, tx, `SELECT call FROM reservation`, func(scan func(...any)) {
		var call string
		scan(&call)
		b.pending[call] = true
	})
	return b
}

func (b *books) readEntries(t testing.TB, tx *sql.Tx) {
	t.Helper()
	each(t, tx, `SELECT seq, call, account, contra, kind, amount, balance FROM entry ORDER BY seq`, func(scan func(...any)) {
		var e entry
		scan(&e.seq, &e.call, &e.account, &e.contra, &e.kind, &e.amount, &e.balance)
		if b.entries = append(b.entries, e); e.seq != int64(len(b.entries)) {
			b.fault("entry %d is numbered %d", len(b.entries), e.seq)
		}
	})
}

func (b *books) readRecords(t testing.TB, tx *sql.Tx) {
	t.Helper()
	each(t, tx, `SELECT seq, call, account, outcome, price FROM audit ORDER BY seq`, func(scan func(...any)) {
		var r record
		var seq int64
		var call string
		scan(&seq, &call, &r.account, &r.outcome, &r.price)
		b.records[call] = append(b.records[call], r)
		if b.trail++; seq != b.trail {
			b.fault("record %d is numbered %d", b.trail, seq)
		}
	})
}

func each(t testing.TB, tx *sql.Tx, query string, do func(scan func(...any))) {
	t.Helper()
	rows, err := tx.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		do(func(into ...any) {
			if err := rows.Scan(into...); err != nil {
				t.Fatalf("%s: %v", query, err)
			}
		})
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func (b *books) fault(format string, args ...any) {
	b.faults = append(b.faults, fmt.Sprintf(format, args...))
}

// call is what the ledger and the trail say about one call.
type call struct {
	account  string
	kinds    map[string]bool
	paid     int64 // by the wallet, in all
	refunded bool
	answered []record
}

// operated tells whether an operator moved money under this id.
func (c *call) operated() bool { return c.kinds["topup"] || c.kinds["correction"] || c.kinds["refund"] }

// unheard is what the store calls the refund of a charge whose answer came too
// late for its caller.
const unheard = "unheard/"

func (b *books) calls() map[string]*call {
	calls := map[string]*call{}
	of := func(id string) *call {
		if calls[id] == nil {
			calls[id] = &call{kinds: map[string]bool{}}
		}
		return calls[id]
	}
	for _, e := range b.entries {
		id, late := strings.CutPrefix(e.call, unheard)
		c := of(id)
		if e.kind == "opening" {
			continue
		}
		if c.kinds[e.kind] {
			b.fault("DOUBLE: call %s has two entries %q", id, e.kind)
		}
		c.kinds[e.kind], c.refunded = true, c.refunded || late
		if !strings.HasPrefix(e.account, "house/") {
			c.account, c.paid = e.account, c.paid-e.amount
		}
	}
	for id, on := range b.records {
		for _, r := range on {
			if r.outcome == "answered" {
				of(id).answered = append(of(id).answered, r)
			}
		}
	}
	return calls
}

// problems compares the books with themselves and with what callers heard.
func (b *books) problems(acks []ack) []string {
	b.sums()
	calls := b.calls()
	for id, c := range calls {
		b.judge(id, c)
	}
	for _, a := range acks {
		c := calls[a.call]
		if c == nil || c.paid != price || c.account != accountID(a.account) || len(c.answered) != 1 || c.answered[0].account != c.account {
			b.fault("LOST: call %s of %s was answered, and the books say %+v", a.call, accountID(a.account), c)
		}
	}
	for id := range b.pending {
		if c := calls[id]; c == nil || !c.kinds["reserve"] {
			b.fault("call %s holds a reservation without an entry", id)
		}
	}
	return b.faults
}

// judge looks at one call: it is paid, or given back, or visibly pending, and
// the trail agrees.
func (b *books) judge(id string, c *call) {
	recorded := int64(0)
	for _, r := range c.answered {
		recorded += r.price
	}
	switch over := c.kinds["settle"] || c.kinds["release"]; {
	case b.pending[id] != (c.kinds["reserve"] && !over):
		b.fault("call %s is pending: %v, and its entries are %+v", id, b.pending[id], c)
	case b.pending[id]:
		if c.paid != price || len(c.answered) != 0 {
			b.fault("call %s is pending and %+v", id, c)
		}
	case c.refunded:
		if c.paid != 0 {
			b.fault("call %s was given back, and %d is paid", id, c.paid)
		}
	case c.paid != recorded || len(c.answered) > 1 || c.paid != 0 && c.paid != price && !c.operated():
		b.fault("call %s paid %d, and its records say %+v", id, c.paid, c.answered)
	}
}

// sums adds the ledger up: every entry takes from one side what it gives to
// the other, and says what its wallet held afterwards.
func (b *books) sums() {
	sum := map[string]int64{}
	for _, e := range b.entries {
		sum[e.account] += e.amount
		sum[e.contra] -= e.amount
		if !strings.HasPrefix(e.account, "house/") && (e.balance != sum[e.account] || e.balance < 0) {
			b.fault("entry %d says that %s holds %d then; the sum is %d", e.seq, e.account, e.balance, sum[e.account])
		}
	}
	all := int64(0)
	for name, balance := range b.balances {
		if all += balance; balance != sum[name] {
			b.fault("%s holds %d; the sum of its entries is %d", name, balance, sum[name])
		}
		delete(sum, name)
	}
	for name, balance := range sum {
		b.fault("entries name %s, which is no account, with %d", name, balance)
	}
	if all != 0 {
		b.fault("all balances together are %d", all)
	}
}

// paid counts the account's calls that were paid and not given back.
func (b *books) paid(account int) (n int) {
	for id, c := range b.calls() {
		if c.account == accountID(account) && c.paid == price && !b.pending[id] {
			n++
		}
	}
	return n
}

// outcomes counts the account's records by outcome.
func (b *books) outcomes(account int) map[string]int {
	counts := map[string]int{}
	for _, on := range b.records {
		for _, r := range on {
			if r.account == accountID(account) {
				counts[r.outcome]++
			}
		}
	}
	return counts
}

// audit compares the site's books with the acks and lets the program itself
// check the trail and the ledger.
func (s *site) audit(t testing.TB, acks []ack) []string {
	t.Helper()
	found := s.readBooks(t).problems(acks)
	for _, command := range [][]string{{"audit", "verify"}, {"wallet", "check"}} {
		check := exec.Command(s.binary, append(command, "--config", s.config(t, "127.0.0.1:1"))...)
		check.Env = environment(s.dir)
		if out, err := check.CombinedOutput(); err != nil {
			found = append(found, fmt.Sprintf("%v: %v: %.500s", command, err, out))
		}
	}
	if s.database == "" {
		found = append(found, s.integrity(t)...)
	}
	for what, n := range storetest.Halved(t, s.open(t)) {
		found = append(found, fmt.Sprintf("HALF: %d %s", n, what))
	}
	return found
}

// integrity lets SQLite look at its own file.
func (s *site) integrity(t testing.TB) []string {
	t.Helper()
	db := s.open(t)
	defer db.Close()
	var said string
	if err := db.QueryRowContext(t.Context(), `PRAGMA integrity_check`).Scan(&said); err != nil || said != "ok" {
		return []string{fmt.Sprintf("integrity_check: %s %v", said, err)}
	}
	return nil
}

// must reports what is wrong, at most some of it.
func must(t testing.TB, problems []string) {
	t.Helper()
	for i, p := range problems {
		if i == 20 {
			t.Errorf("and %d more", len(problems)-i)
			return
		}
		t.Error(p)
	}
}

// mustCatch is a red control's end: the same checks, on a build without the
// guarantee, must have found what the guarantee is against.
func mustCatch(t testing.TB, what string, problems []string) {
	t.Helper()
	caught := slices.DeleteFunc(slices.Clone(problems), func(p string) bool { return !strings.Contains(p, what) })
	if len(caught) == 0 {
		t.Errorf("nothing like %q was found although the guarantee was removed: the test cannot fail", what)
		must(t, problems)
		return
	}
	t.Logf("caught as it must be, %d times: %s", len(caught), caught[0])
}
