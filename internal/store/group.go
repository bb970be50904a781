package store

import (
	"database/sql"
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

// group is the closings of one transaction, decided in order, in memory,
// between one read and one write of each table.
type group struct {
	sql     groupSQL
	orders  []*order
	careful bool
	now     int64 // microseconds

	wallets  map[string]*wallet
	touched  []*wallet // those whose balance the group changes
	families map[string]*family
	entries  []any // parameters of rows
	records  []any
	keys     []any
	entrySeq int64
	trail    trail
}

type wallet struct {
	account      string
	old, balance int64
}

// groupSQL is what a group asks of the database.
type groupSQL struct {
	wallets, families         list
	entries, records, rotated bulk
	pay, last, charged        *sql.Stmt
	advance                   *sql.Stmt
}

func (p *statements) group() groupSQL {
	return groupSQL{
		wallets:  p.list(`SELECT account, balance FROM wallet WHERE account`),
		families: p.list(`SELECT family, generation, rotated_at, dead_at, expires_at FROM refresh_family WHERE family`),
		entries: p.bulk(7, `INSERT INTO entry (seq, call, account, kind, amount, balance, at)`,
			`ON CONFLICT (account, call, kind) DO NOTHING`),
		records: p.bulk(17, `INSERT INTO audit (`+lineColumns+`)`, ``),
		rotated: p.bulk(5, `INSERT INTO refresh_family (family, generation, rotated_at, dead_at, expires_at)`,
			`ON CONFLICT (family) DO UPDATE SET generation = excluded.generation, `+
				`rotated_at = excluded.rotated_at, dead_at = excluded.dead_at`),
		pay:     p.prepare(`UPDATE wallet SET balance = $1 WHERE account = $2 AND balance = $3`),
		charged: p.prepare(`SELECT count(*) FROM entry WHERE account = $1 AND call = $2 AND kind = $3`),
		last:    p.prepare(`SELECT coalesce((SELECT max(seq) FROM entry), 0), seq, link FROM audit_head WHERE id = 1`),
		advance: p.prepare(`UPDATE audit_head SET seq = $1, link = $2 WHERE id = 1 AND seq = $3 AND link = $4`),
	}
}

func (g *group) reset(orders []*order, careful bool, now time.Time) {
	if g.wallets == nil {
		g.wallets, g.families = map[string]*wallet{}, map[string]*family{}
	}
	clear(g.wallets)
	clear(g.families)
	g.orders, g.careful, g.now = orders, careful, now.UnixMicro()
	g.touched, g.entries, g.records = g.touched[:0], g.entries[:0], g.records[:0]
}

// run is the transaction.
func (g *group) run(tx *sql.Tx) error {
	if err := g.begin(tx); err != nil {
		return err
	}
	if err := g.readWallets(tx); err != nil {
		return fmt.Errorf("read wallets: %w", err)
	}
	if err := g.readFamilies(tx); err != nil {
		return fmt.Errorf("read token families: %w", err)
	}
	for _, o := range g.orders {
		if err := g.decide(tx, o); err != nil {
			return err
		}
	}
	return g.write(tx)
}

// begin finds where the ledger and the trail end.
func (g *group) begin(tx *sql.Tx) error {
	var seq int64
	var link []byte
	if err := row(tx, g.sql.last).Scan(&g.entrySeq, &seq, &link); err != nil {
		return fmt.Errorf("read the last numbers: %w", err)
	}
	return g.trail.begin(seq, link)
}

func (g *group) readWallets(tx *sql.Tx) error {
	g.keys = g.keys[:0]
	for _, o := range g.orders {
		account := o.Charge.Account
		if o.Charge.Amount == 0 || g.wallets[account] != nil {
			continue
		}
		// Until it is read a wallet is empty, and stays so if there is none.
		g.wallets[account] = &wallet{account: account}
		g.keys = append(g.keys, account)
	}
	return g.sql.wallets.query(tx, g.keys, func(into func(...any) error) error {
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

func (g *group) readFamilies(tx *sql.Tx) error {
	g.keys = g.keys[:0]
	for _, o := range g.orders {
		if o.Rotation == nil || g.families[o.Rotation.Family] != nil {
			continue
		}
		g.families[o.Rotation.Family] = &family{expiresAt: o.Rotation.Expires.UnixMicro()}
		g.keys = append(g.keys, o.Rotation.Family)
	}
	return g.sql.families.query(tx, g.keys, func(into func(...any) error) error {
		var name string
		var f family
		if err := into(&name, &f.generation, &f.rotatedAt, &f.deadAt, &f.expiresAt); err != nil {
			return err
		}
		*g.families[name] = f
		return nil
	})
}

// decide settles one closing: the refresh token first, then the money. Either
// refusal leaves the other untouched, and a record of itself.
func (g *group) decide(tx *sql.Tx, o *order) error {
	o.refusal = nil
	if g.careful {
		if repeated, err := g.repeated(tx, o); err != nil || repeated {
			return err
		}
	}
	var f *family
	var before family
	if o.Rotation != nil {
		f = g.families[o.Rotation.Family]
		before = *f
		if !f.rotate(o.Rotation, g.now) {
			g.refuse(o, fault.Grant)
			return nil
		}
	}
	if !g.charge(o) {
		if f != nil {
			*f = before
		}
		// A call that was charged before needs no credit.
		if repeated, err := g.repeated(tx, o); err != nil || repeated {
			return err
		}
		g.refuse(o, fault.Credit)
		return nil
	}
	g.record(&o.Record, o.Record.Outcome, int64(o.Record.Price), o.Record.Document)
	return nil
}

// repeated tells whether the call was charged before, in the database or in
// this group.
func (g *group) repeated(tx *sql.Tx, o *order) (bool, error) {
	if o.Charge.Amount == 0 {
		return false, nil
	}
	for i := 0; i < len(g.entries); i += g.sql.entries.columns {
		if g.entries[i+1] == o.Record.Call && g.entries[i+2] == o.Charge.Account {
			return true, nil
		}
	}
	var n int
	if err := row(tx, g.sql.charged, o.Charge.Account, o.Record.Call, string(ledger.Charge)).Scan(&n); err != nil {
		return false, fmt.Errorf("look for an earlier charge: %w", err)
	}
	return n > 0, nil
}

// charge tells whether the wallet covers the charge, and takes it if so.
func (g *group) charge(o *order) bool {
	amount := int64(o.Charge.Amount)
	if amount == 0 {
		return true
	}
	w := g.wallets[o.Charge.Account]
	if w.balance < amount {
		return false
	}
	if w.balance == w.old {
		g.touched = append(g.touched, w) // charges only ever lower a balance, so this happens once
	}
	w.balance -= amount
	g.entrySeq++
	g.entries = append(g.entries, g.entrySeq, o.Record.Call, w.account, string(ledger.Charge), -amount, w.balance, g.now)
	return true
}

func (g *group) refuse(o *order, code fault.Code) {
	o.refusal = fault.New(code)
	document := o.Record.Document
	if code == fault.Grant {
		document = "" // the token that the record names is never given out
	}
	g.record(&o.Record, code.String(), 0, document)
}

func (g *group) record(r *audit.Record, outcome string, price int64, document string) {
	l := g.trail.add(r, outcome, price, document)
	g.records = append(g.records, l.Seq, l.Call, l.At, l.Took, l.Dialect, l.Service, l.Method, l.Account, l.Peer,
		l.Outcome, l.Price, l.Source, l.Subject, l.Document, l.Salt, l.Digest, l.Link)
}

func (g *group) write(tx *sql.Tx) error {
	for _, w := range g.touched {
		if err := g.pay(tx, w); err != nil {
			return fmt.Errorf("change a wallet: %w", err)
		}
	}
	if n, err := g.sql.entries.exec(tx, g.entries); err != nil {
		return fmt.Errorf("write entries: %w", err)
	} else if int(n) < len(g.entries)/g.sql.entries.columns {
		return errRepeated
	}
	if err := g.writeFamilies(tx); err != nil {
		return fmt.Errorf("write token families: %w", err)
	}
	if _, err := g.sql.records.exec(tx, g.records); err != nil {
		return fmt.Errorf("write records: %w", err)
	}
	return g.advance(tx)
}

// advance moves the head to the group's last record, from where it was read.
func (g *group) advance(tx *sql.Tx) error {
	from, to := &g.trail.head, &g.trail.next
	if from.Seq == to.Seq {
		return nil
	}
	n, err := exec(tx, g.sql.advance, to.Seq, to.Link[:], from.Seq, from.Link[:])
	if err == nil && n != 1 {
		err = ErrTrail
	}
	if err != nil {
		return fmt.Errorf("move the trail's head: %w", err)
	}
	return nil
}

// pay asks for the old balance once more: whatever else writes to wallets, a
// change that this group did not see stops it.
func (g *group) pay(tx *sql.Tx, w *wallet) error {
	n, err := exec(tx, g.sql.pay, w.balance, w.account, w.old)
	if err == nil && n != 1 {
		err = errMoved
	}
	return err
}

func (g *group) writeFamilies(tx *sql.Tx) error {
	args := g.keys[:0]
	for name, f := range g.families {
		if f.changed {
			args = append(args, name, f.generation, f.rotatedAt, f.deadAt, f.expiresAt)
		}
	}
	g.keys = args
	_, err := g.sql.rotated.exec(tx, args)
	return err
}
