package store

import (
	"errors"
	"fmt"
	"time"

	"dargah.dev/dargah/internal/audit"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/ledger"
)

var (
	// errRepeated: a call of the group was charged before. The group is run
	// again, this time asking for each charge first; it never is in normal
	// work, so that the question costs nothing there.
	errRepeated = errors.New("a charge is there already")
	// errMoved: a balance changed under the transaction's hands.
	errMoved = errors.New("a wallet was changed by somebody else")
)

// group is the orders of one transaction, decided in order, in memory, between
// one read and one write of each table.
type group struct {
	sql     groupSQL
	session session
	orders  []*order
	careful bool
	now     int64 // microseconds

	wallets  map[string]*wallet
	houses   map[string]*house
	families map[string]*family
	kept     map[[32]byte]*kept
	held     map[string]*reservation // by call
	sent     map[int64]*sent         // batches that are not to be sent after all
	used     map[spot]*used          // in a day, with what the group adds
	spends   map[spot]used           // by the group
	woken    bool                    // there is a job

	entrySeq, entryFrom int64
	fence               int64 // of the head, as it was read
	trail               trail
	memory              memory
	recalled            bool // nothing was asked: all comes from memory
	remote              bool // what was sent to the database may come late

	// Parameters of rows to write.
	entries, records, answers, reserved, operations []any
	batches, messages, jobs, reads                  []any

	questions  []question
	statements []statement
	keys       [4][]any
	scratch    []any
}

type wallet struct {
	account      string
	old, balance int64
}

// house is one of the house's accounts: how far the group moves it, and what
// is in it where that was asked for.
type house struct{ balance, moved int64 }

// groupSQL is what a group asks of the database, and tells it.
type groupSQL struct {
	head, charged, refunded, link, house *query // of one row
	wallets, families, kept, held        list
	entries, records, rotated, answers   bulk
	reserved, operations                 bulk
	sends                                sendSQL
	pay                                  [payAtOnce]*query
	advance, raise, numbered             *query
	bar                                  *query
	answered, unanswered, released       *query
}

func (p *statements) group(lock string) groupSQL {
	g := groupSQL{
		head:     p.prepare(`SELECT entry_seq, seq, link, fence FROM audit_head WHERE id = 1` + lock),
		wallets:  p.list(`SELECT account, balance FROM wallet WHERE account`),
		families: p.list(`SELECT family, generation, rotated_at, dead_at, expires_at FROM refresh_family WHERE family`),
		kept:     p.list(`SELECT id, call, body, sealed, at, open FROM answer WHERE id`),
		held:     p.list(`SELECT call, account, amount FROM reservation WHERE call`),
		house:    p.prepare(`SELECT balance FROM house WHERE name = $1`),
		link:     p.prepare(`SELECT link FROM audit WHERE seq = $1`),
		charged:  p.prepare(`SELECT amount FROM entry WHERE account = $1 AND call = $2 AND kind = $3`),
		refunded: p.prepare(`SELECT coalesce(cast(sum(e.amount) AS BIGINT), 0) FROM operation o ` +
			`JOIN entry e ON e.account = $1 AND e.call = o.id AND e.kind = $2 WHERE o.refers = $3`),
		entries: p.bulk(8, `INSERT INTO entry (seq, call, account, contra, kind, amount, balance, at)`,
			`ON CONFLICT (account, call, kind) DO NOTHING`),
		records: p.bulk(17, `INSERT INTO audit (`+lineColumns+`)`, ``),
		rotated: p.bulk(5, `INSERT INTO refresh_family (family, generation, rotated_at, dead_at, expires_at)`,
			`ON CONFLICT (family) DO UPDATE SET generation = excluded.generation, `+
				`rotated_at = excluded.rotated_at, dead_at = excluded.dead_at`),
		answers:    p.bulk(6, `INSERT INTO answer (id, call, body, sealed, at, open)`, ``),
		reserved:   p.bulk(12, `INSERT INTO reservation (call, account, amount, at, deadline, dialect, service, method, peer, subject, document, answer)`, ``),
		operations: p.bulk(5, `INSERT INTO operation (id, actor, reason, refers, at)`, ``),
		answered:   p.prepare(`UPDATE answer SET sealed = $1, at = $2, open = 0 WHERE id = $3 AND open = 1`),
		unanswered: p.prepare(`DELETE FROM answer WHERE id = $1 AND open = 1`),
		released:   p.prepare(`DELETE FROM reservation WHERE call = $1`),
		raise:      p.prepare(`UPDATE version SET number = number + 1 WHERE kind = $1`),
		numbered: p.prepare(`UPDATE refresh_family SET death = (SELECT number FROM version WHERE kind = 'families') ` +
			`WHERE dead_at <> 0 AND death = 0`),
		advance: p.prepare(`UPDATE audit_head SET seq = $1, link = $2, entry_seq = $3, ` +
			`cash = cash + $4, revenue = revenue + $5, held = held + $6, correction = correction + $7 ` +
			`WHERE id = 1 AND seq = $8 AND link = $9 AND entry_seq = $10 AND fence = $11`),
		bar:   p.prepare(`UPDATE audit_head SET fence = fence + 1 WHERE id = 1`),
		sends: p.sends(lock),
	}
	for i := range g.pay {
		g.pay[i] = p.pay(i + 1)
	}
	return g
}

func (g *group) reset(orders []*order, careful bool, now time.Time) {
	if g.wallets == nil {
		g.wallets, g.houses, g.families = map[string]*wallet{}, map[string]*house{}, map[string]*family{}
		g.kept, g.held = map[[32]byte]*kept{}, map[string]*reservation{}
	}
	clear(g.wallets)
	clear(g.houses)
	clear(g.families)
	clear(g.kept)
	clear(g.held)
	g.orders, g.careful, g.now = orders, careful, now.UnixMicro()
	g.entries, g.records, g.answers = g.entries[:0], g.records[:0], g.answers[:0]
	g.reserved, g.operations = g.reserved[:0], g.operations[:0]
	g.statements, g.scratch = g.statements[:0], g.scratch[:0]
	g.recalled = false
	g.resetSends()
}

// run is the transaction.
func (g *group) run() error {
	defer g.session.abandon()
	if err := g.read(); err != nil {
		return err
	}
	for _, o := range g.orders {
		if err := g.decide(o); err != nil {
			return err
		}
	}
	if err := g.write(); err != nil {
		return fmt.Errorf("write a group: %w", err)
	}
	return nil
}

// read takes the head, and all that the orders are decided by.
func (g *group) read() error {
	g.questions = append(g.questions[:0], question{}) // of the head
	g.askFamilies()
	g.askKept()
	g.askHeld()
	g.askSends()
	if g.recalled = len(g.questions) == 1 && !g.careful && g.recall(); g.recalled {
		return nil
	}
	var seq int64
	var link []byte
	g.questions[0] = question{g.sql.head, nil, func(into func(...any) error) error {
		return into(&g.entrySeq, &seq, &link, &g.fence)
	}}
	g.askWallets()
	if err := g.session.ask(g.questions); err != nil {
		return fmt.Errorf("read what a group needs: %w", err)
	}
	g.entryFrom = g.entrySeq
	return g.begin(seq, link)
}

// begin goes on from the head as it was read. It may have been moved by other
// nodes, but never to before what this one saw.
func (g *group) begin(seq int64, link []byte) error {
	foreign, err := g.trail.begin(seq, link)
	g.memory.read(foreign || err != nil || g.entrySeq != g.memory.entrySeq)
	if err != nil || !foreign || g.trail.seen.Seq == 0 {
		return err
	}
	var stands bool
	err = g.session.ask([]question{{g.sql.link, []any{g.trail.seen.Seq}, func(into func(...any) error) error {
		var link []byte
		err := into(&link)
		stands = string(link) == string(g.trail.seen.Link[:])
		return err
	}}})
	if err == nil && !stands {
		err = lacking(g.trail.seen, seq)
	}
	return err
}

func (g *group) askWallets() {
	keys := g.keys[0][:0]
	for _, o := range g.orders {
		for _, account := range o.accounts() {
			if account == "" || g.wallets[account] != nil {
				continue
			}
			// Until it is read a wallet is empty, and stays so if there is none.
			g.wallets[account] = &wallet{account: account, old: none, balance: none}
			keys = append(keys, account)
		}
	}
	g.keys[0] = keys
	g.questions = g.sql.wallets.questions(g.questions, keys, func(into func(...any) error) error {
		var account string
		var balance int64
		if err := into(&account, &balance); err != nil {
			return err
		}
		w := g.wallets[account]
		w.old, w.balance = balance, balance
		return nil
	})
}

// none is the balance of a wallet that is not there: less than any.
const none = -1

func (g *group) askFamilies() {
	keys := g.keys[1][:0]
	for _, o := range g.orders {
		if o.Rotation == nil || g.families[o.Rotation.Family] != nil {
			continue
		}
		g.families[o.Rotation.Family] = &family{expiresAt: o.Rotation.Expires.UnixMicro()}
		keys = append(keys, o.Rotation.Family)
	}
	if g.keys[1] = keys; len(keys) == 0 {
		return
	}
	g.questions = g.sql.families.questions(g.questions, keys, func(into func(...any) error) error {
		var name string
		var f family
		if err := into(&name, &f.generation, &f.rotatedAt, &f.deadAt, &f.expiresAt); err != nil {
			return err
		}
		*g.families[name] = f
		return nil
	})
}

// decide settles one order: the idempotency key first, then the refresh token,
// then the money. A refusal leaves the others untouched, and a record of itself.
func (g *group) decide(o *order) error {
	o.refusal = nil
	switch {
	case o.intent != nil:
		return g.open(o)
	case o.operation != nil:
		return g.operate(o)
	case o.work != nil:
		return g.report(o.work)
	case o.reversal:
		return g.reverse(o)
	default:
		return g.close(o)
	}
}

func (g *group) close(o *order) error {
	if g.careful {
		if repeated, err := g.repeated(o); err != nil || repeated {
			return err
		}
	}
	if g.answered(o, &o.Record, o.Key) {
		return nil
	}
	if o.Cancel != nil {
		return g.closeCancel(o)
	}
	if !g.within(o.parcel) {
		return g.overspent(o)
	}
	var f *family
	var before family
	if o.Rotation != nil {
		f = g.families[o.Rotation.Family]
		before = *f
		if !f.rotate(o.Rotation, g.now) {
			g.refuse(o, &o.Record, fault.Grant)
			return nil
		}
	}
	if !g.settle(o) {
		if f != nil {
			*f = before
		}
		// A call that was charged before needs no credit.
		if repeated, err := g.repeated(o); err != nil || repeated {
			return err
		}
		g.refuse(o, &o.Record, fault.Credit)
		return nil
	}
	g.keep(o)
	g.put(o.parcel)
	g.markRead(o.Read)
	g.record(&o.Record, o.Record.Outcome, int64(o.Record.Price), o.Record.Document)
	return nil
}

// repeated tells whether the call was charged before, in the database or in
// this group.
func (g *group) repeated(o *order) (bool, error) {
	if o.Charge.Amount == 0 {
		if o.parcel != nil {
			return g.repeatedBatch(o.parcel, o.Record.Call)
		}
		return false, nil
	}
	for i := 0; i < len(g.entries); i += g.sql.entries.columns {
		if g.entries[i+1] == o.Record.Call && g.entries[i+2] == o.Charge.Account && g.entries[i+4] == string(ledger.Charge) {
			return true, nil
		}
	}
	amount, err := g.charged(o.Charge.Account, o.Record.Call, ledger.Charge)
	return amount != 0, err
}

// charged gives the entry of a call, 0 where there is none.
func (g *group) charged(account, call string, kind ledger.Kind) (amount int64, err error) {
	err = g.session.ask([]question{{g.sql.charged, []any{account, call, string(kind)}, func(into func(...any) error) error {
		return into(&amount)
	}}})
	if err != nil {
		return 0, fmt.Errorf("look for an earlier charge: %w", err)
	}
	return amount, nil
}

// settle tells whether the wallet covers the charge, and takes it if so.
func (g *group) settle(o *order) bool {
	if o.Charge.Held > 0 {
		return g.settleHeld(o)
	}
	amount := int64(o.Charge.Amount)
	if amount == 0 {
		return true
	}
	w := g.wallets[o.Charge.Account]
	if w.balance < amount {
		return false
	}
	g.post(w, o.Record.Call, ledger.Charge, -amount)
	return true
}

// post moves an amount into a wallet, from the house's side of the kind.
func (g *group) post(w *wallet, call string, kind ledger.Kind, amount int64) {
	w.balance += amount
	contra := kind.Contra()
	g.houseOf(contra).moved -= amount
	g.entry(call, w.account, contra, kind, amount, w.balance)
}

func (g *group) entry(call, account, contra string, kind ledger.Kind, amount, balance int64) {
	g.entrySeq++
	g.entries = append(g.entries, g.entrySeq, call, account, contra, string(kind), amount, balance, g.now)
}

func (g *group) houseOf(name string) *house {
	h := g.houses[name]
	if h == nil {
		h = &house{}
		g.houses[name] = h
	}
	return h
}

func (g *group) refuse(o *order, r *audit.Record, code fault.Code) {
	o.refusal = fault.New(code)
	document := r.Document
	if code == fault.Grant {
		document = "" // the token that the record names is never given out
	}
	g.record(r, code.String(), 0, document)
}

func (g *group) record(r *audit.Record, outcome string, price int64, document string) {
	l := g.trail.add(r, outcome, price, document)
	g.records = append(g.records, l.Seq, l.Call, l.At, l.Took, l.Dialect, l.Service, l.Method, l.Account, l.Peer,
		l.Outcome, l.Price, l.Source, l.Subject, l.Document, l.Salt, l.Digest, l.Link)
}

func (g *group) write() error {
	if err := g.advance(); err != nil {
		return err
	}
	g.payAll()
	g.statements = g.sql.entries.statements(g.statements, g.entries, true, errRepeated)
	g.writeFamilies()
	g.writeSends()
	g.statements = g.sql.records.statements(g.statements, g.records, false, nil)
	g.statements = g.sql.answers.statements(g.statements, g.answers, false, nil)
	g.statements = g.sql.reserved.statements(g.statements, g.reserved, false, nil)
	g.statements = g.sql.operations.statements(g.statements, g.operations, false, nil)
	return g.session.tell(g.statements)
}

func (g *group) tell(q *query, want int64, otherwise error, args ...any) {
	g.statements = append(g.statements, statement{q, args, want, otherwise})
}

// advance moves the head to the group's last record and entry, and the house's
// balances with it, from where it was read. It comes first: where the head is not locked yet, all nodes must
// take its lock before any other.
func (g *group) advance() error {
	from, to := &g.trail.head, &g.trail.next
	if from.Seq == to.Seq && g.entryFrom == g.entrySeq {
		if g.recalled {
			return errOutdated // nothing would show whether what was decided by is still so
		}
		return nil
	}
	otherwise := ErrTrail
	if g.recalled {
		otherwise = errOutdated
	}
	g.tell(g.sql.advance, 1, otherwise, to.Seq, to.Link[:], g.entrySeq,
		g.houseOf(ledger.Cash).moved, g.houseOf(ledger.Revenue).moved, g.houseOf(ledger.Held).moved, g.houseOf(ledger.Corrections).moved,
		from.Seq, from.Link[:], g.entryFrom, g.fence)
	return nil
}

func (g *group) writeFamilies() {
	args := g.scratch
	died := false
	for name, f := range g.families {
		if f.changed {
			args = append(args, name, f.generation, f.rotatedAt, f.deadAt, f.expiresAt)
			died = died || f.deadAt != 0
		}
	}
	g.scratch = args
	g.statements = g.sql.rotated.statements(g.statements, args, false, nil)
	if died {
		g.tell(g.sql.raise, 1, errMoved, "families")
		g.tell(g.sql.numbered, none, nil)
	}
}
