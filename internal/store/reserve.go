package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"dargah.dev/dargah/internal/audit"
	"dargah.dev/dargah/internal/closing"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/ledger"
	"dargah.dev/dargah/internal/rial"
)

// Reserve makes durable that a call is about to go outside, and holds its price
// until Commit closes it or its deadline is over. It refuses with fault.Credit
// and closing.Repeated, both on record when they are returned. Any other error
// means that nothing was stored.
func (s *Store) Reserve(ctx context.Context, i closing.Intent) error {
	if i.Amount <= 0 || i.Record.Call == "" || i.Deadline.IsZero() {
		return errors.New("reserve: an intent needs an amount above zero, a call id and a deadline")
	}
	return told("reserve", s.do(ctx, func(o *order) { o.intent = &i }))
}

// Kept gives what is kept under an idempotency key; false where nothing is.
func (s *Store) Kept(ctx context.Context, id [32]byte) (k closing.Kept, ok bool, err error) {
	row := kept{}
	var key []byte
	ctx, cancel := s.soon(ctx)
	defer cancel()
	err = s.reader.QueryRowContext(ctx, `SELECT id, call, body, sealed, at, open FROM answer WHERE id = $1`, id[:]).
		Scan(&key, &row.call, &row.body, &row.sealed, &row.at, &row.open)
	if errors.Is(err, sql.ErrNoRows) {
		return k, false, nil
	}
	if err != nil {
		return k, false, fmt.Errorf("look an idempotency key up: %w", err)
	}
	return row.kept(), true, nil
}

// Unresolved is the outcome of a call that went outside and was never closed.
const Unresolved = "unresolved"

// Release gives back what calls hold that nobody closed before their deadline,
// and puts each on record. It tells how many they were.
func (s *Store) Release(ctx context.Context) (released int, err error) {
	overdue, err := s.overdue(ctx)
	if err != nil {
		return 0, fmt.Errorf("release what is overdue: %w", err)
	}
	for _, c := range overdue {
		if err := s.Commit(ctx, c); err != nil {
			return released, fmt.Errorf("release what is overdue: %w", err)
		}
		released++
	}
	return released, nil
}

func (s *Store) overdue(ctx context.Context) (all []closing.Closing, err error) {
	rows, err := s.reader.QueryContext(ctx, `SELECT call, account, amount, at, dialect, service, method, peer, subject, document, answer `+
		`FROM reservation WHERE deadline < $1 ORDER BY deadline LIMIT 1000`, s.now().UnixMicro())
	if err != nil {
		return nil, err
	}
	err = scan(rows, func(into func(...any) error) error {
		r := audit.Record{Outcome: Unresolved}
		var amount, at int64
		var peer string
		var answer []byte
		if err := into(&r.Call, &r.Account, &amount, &at, &r.Dialect, &r.Service, &r.Method, &peer, &r.Subject, &r.Document, &answer); err != nil {
			return err
		}
		r.At = fromMicros(at)
		r.Peer, _ = netip.ParseAddr(peer) // an unknown peer is written as nothing
		c := closing.Closing{Record: r, Charge: ledger.Price{Account: r.Account, Held: rial.Amount(amount)}}
		if len(answer) == len(closing.Key{}.ID) {
			c.Key = &closing.Key{ID: [32]byte(answer)}
		}
		all = append(all, c)
		return nil
	})
	return all, err
}

// kept is one row of answer.
type kept struct {
	call         string
	body, sealed []byte
	at, open     int64
}

func (k *kept) kept() closing.Kept {
	made := closing.Kept{Call: k.call, Answer: k.sealed, At: fromMicros(k.at), Open: k.open != 0}
	copy(made.Body[:], k.body)
	return made
}

// reservation is what of a row of reservation the group needs.
type reservation struct {
	account string
	amount  int64
}

func (g *group) askKept() {
	keys := g.keys[2][:0]
	for _, o := range g.orders {
		k := o.key()
		if k == nil {
			continue
		}
		if _, asked := g.kept[k.ID]; asked {
			continue
		}
		g.kept[k.ID] = nil
		keys = append(keys, k.ID[:])
	}
	if g.keys[2] = keys; len(keys) == 0 {
		return
	}
	g.questions = g.sql.kept.questions(g.questions, keys, func(into func(...any) error) error {
		var id []byte
		k := &kept{}
		if err := into(&id, &k.call, &k.body, &k.sealed, &k.at, &k.open); err != nil {
			return err
		}
		g.kept[[32]byte(id)] = k
		return nil
	})
}

// askHeld reads the reservations of calls that come back, and what the house
// holds where the group moves it.
func (g *group) askHeld() {
	keys := g.keys[3][:0]
	moves := false
	for _, o := range g.orders {
		moves = moves || o.intent != nil
		if o.Charge.Held > 0 {
			keys = append(keys, o.Record.Call)
		}
	}
	g.keys[3] = keys
	if len(keys) == 0 && !moves {
		return
	}
	g.questions = append(g.questions, question{g.sql.house, []any{ledger.Held}, func(into func(...any) error) error {
		return into(&g.houseOf(ledger.Held).balance)
	}})
	g.questions = g.sql.held.questions(g.questions, keys, func(into func(...any) error) error {
		var call string
		r := &reservation{}
		if err := into(&call, &r.account, &r.amount); err != nil {
			return err
		}
		g.held[call] = r
		return nil
	})
}

// open decides an intent.
func (g *group) open(o *order) error {
	i := o.intent
	if g.answered(o, &i.Record, i.Key) {
		return nil
	}
	w, amount := g.wallets[i.Account], int64(i.Amount)
	if w.balance < amount {
		g.refuse(o, &i.Record, fault.Credit)
		return nil
	}
	g.post(w, i.Record.Call, ledger.Reserve, -amount)
	var answer []byte
	if i.Key != nil {
		answer = i.Key.ID[:]
		g.kept[i.Key.ID] = &kept{call: i.Record.Call, body: i.Key.Body[:], at: g.now, open: 1}
		g.answers = append(g.answers, i.Key.ID[:], i.Record.Call, i.Key.Body[:], []byte{}, g.now, 1)
	}
	r := &i.Record
	g.reserved = append(g.reserved, r.Call, i.Account, amount, micros(r.At), micros(i.Deadline), r.Dialect, r.Service,
		r.Method, peerText(r.Peer), blob(r.Subject), r.Document, blob(answer))
	return nil
}

// blob is bytes that the driver does not take for NULL.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// settleHeld closes a call that reserved its price: what is owed is earned, the
// rest goes back. One whose deadline was over has had all of it back, and pays
// as any other call.
func (g *group) settleHeld(o *order) bool {
	call, amount := o.Record.Call, int64(o.Charge.Amount)
	w, held := g.wallets[o.Charge.Account], g.held[call]
	if held == nil {
		if w.balance < amount {
			return false
		}
		if amount > 0 {
			g.post(w, call, ledger.Charge, -amount)
		}
		return true
	}
	amount = min(amount, held.amount)
	if amount > 0 {
		box := g.houseOf(ledger.Held)
		box.moved -= amount
		g.houseOf(ledger.Revenue).moved += amount
		g.entry(call, ledger.Held, ledger.Revenue, ledger.Settle, -amount, box.balance+box.moved)
	}
	if rest := held.amount - amount; rest > 0 {
		g.post(w, call, ledger.Release, rest)
	}
	delete(g.held, call)
	g.tell(g.sql.released, 1, errMoved, call)
	return true
}

// answered tells whether the key has an answer already; the call is then on
// record as what it is: a repetition, a misuse of the key, or too early.
func (g *group) answered(o *order, r *audit.Record, key *closing.Key) bool {
	if key == nil {
		return false
	}
	found := g.kept[key.ID]
	if found == nil || found.call == r.Call {
		return false
	}
	k := found.kept()
	o.refusal = &closing.Repeated{Kept: k}
	g.record(r, Outcome(k, key.Body), 0, r.Document)
	return true
}

// Outcome is what a call with a key comes to that something is kept under.
func Outcome(k closing.Kept, body [32]byte) string {
	switch {
	case k.Body != body:
		return fault.KeyReused.String()
	case k.Open:
		return fault.InFlight.String()
	case len(k.Answer) == 0:
		return fault.KeyReused.String()
	default:
		return audit.Answered
	}
}

// keep has the answer kept under the order's key. A call that went outside has
// its row already, which goes if there is no answer.
func (g *group) keep(o *order) {
	key := o.Key
	if key == nil {
		return
	}
	opened := g.kept[key.ID] != nil // by this call: answered has looked
	switch {
	case opened && len(key.Answer) > 0:
		g.tell(g.sql.answered, 1, errMoved, key.Answer, g.now, key.ID[:])
	case opened:
		g.tell(g.sql.unanswered, 1, errMoved, key.ID[:])
		delete(g.kept, key.ID)
		return
	case len(key.Answer) == 0:
		return
	default:
		g.answers = append(g.answers, key.ID[:], o.Record.Call, key.Body[:], key.Answer, g.now, 0)
	}
	g.kept[key.ID] = &kept{call: o.Record.Call, body: key.Body[:], sealed: key.Answer, at: g.now}
}

// landed tells whether the group's transaction was done, whose commit gave no
// answer. It waits for the transaction to end, where it still runs. One that
// began with its statements may not have reached the server yet: the fence
// keeps it from doing anything when it does.
func (g *group) landed() (done bool, err error) {
	defer g.session.abandon()
	var seq, entries, fence int64
	var link []byte
	look := func(into func(...any) error) error { return into(&entries, &seq, &link, &fence) }
	if err := g.session.ask([]question{{g.sql.head, nil, look}}); err != nil {
		return false, err
	}
	if g.trail.next.Seq == g.trail.head.Seq {
		return entries >= g.entrySeq && g.entrySeq > g.entryFrom && g.reservedBefore(&err), err
	}
	err = g.session.ask([]question{{g.sql.link, []any{g.trail.next.Seq}, func(into func(...any) error) error {
		var link []byte
		err := into(&link)
		done = string(link) == string(g.trail.next.Link[:])
		return err
	}}})
	if err == nil && !done && g.recalled && g.remote {
		err = g.session.tell([]statement{{g.sql.bar, nil, 1, ErrTrail}})
	}
	return done, err
}

// reservedBefore tells whether the group's first intent is there. A group
// without records holds nothing but intents.
func (g *group) reservedBefore(failed *error) bool {
	i := g.orders[0].intent
	if i == nil {
		return false
	}
	amount, err := g.charged(i.Account, i.Record.Call, ledger.Reserve)
	*failed = err
	return amount != 0
}

// reverse gives a charge back whose answer nobody got. Messages that it paid for
// are not sent; where somebody has begun to, the charge stays.
func (g *group) reverse(o *order) error {
	call, amount := o.Record.Call, int64(o.Charge.Amount)
	if o.parcel != nil {
		b := g.sent[o.parcel.id]
		if !b.waits {
			return nil
		}
		if _, err := g.void(o.parcel.id, b); err != nil {
			return err
		}
	}
	g.giveBack("unheard/"+call, o.Charge.Account, call, "the answer was never sent: the store was late", amount)
	r := o.Record
	r.Took = time.Duration(g.now-micros(r.At)) * time.Microsecond
	g.record(&r, fault.Unavailable.String(), -amount, "")
	return nil
}
