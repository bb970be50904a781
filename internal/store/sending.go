package store

import (
	"fmt"

	"dargah.dev/dargah/internal/audit"
	"dargah.dev/dargah/internal/closing"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/job"
	"dargah.dev/dargah/internal/ledger"
	"dargah.dev/dargah/internal/sms"
)

// messageColumns is how many parameters a new message has.
const messageColumns = 7

// sendSQL is what a group asks and tells of messages.
type sendSQL struct {
	batches, messages, jobs, spends, reads bulk
	stored, batch, job, spent              *query
	voided, unsent, unjob, unspend         *query
}

func (p *statements) sends(lock string) sendSQL {
	const kind = `kind = '` + job.Send + `'`
	return sendSQL{
		// A batch that is there already is a repetition, as of an entry.
		batches: p.bulk(12, `INSERT INTO batch (id, account, call, at, due, expires, priority, once, count, price, capped, sealed)`,
			`ON CONFLICT (id) DO NOTHING`),
		messages: p.bulk(messageColumns, `INSERT INTO message (id, batch, number, state, parts, price, state_at)`, ``),
		jobs:     p.bulk(4, `INSERT INTO job (kind, ref, priority, due)`, ``),
		spends: p.bulk(5, `INSERT INTO spent (account, line, day, amount, messages)`, `ON CONFLICT (account, line, day) DO UPDATE `+
			`SET amount = spent.amount + excluded.amount, messages = spent.messages + excluded.messages`),
		reads: p.update(`UPDATE incoming SET read_at = v.column3 FROM`, []string{"BIGINT", "TEXT", "BIGINT"},
			`WHERE incoming.id = v.column1 AND incoming.account = v.column2 AND incoming.read_at = 0`),
		stored: p.prepare(`SELECT call FROM batch WHERE id = $1`),
		batch:  p.prepare(`SELECT account, call, at, due, count, price, state FROM batch WHERE id = $1`),
		job:    p.prepare(`SELECT attempt FROM job WHERE ` + kind + ` AND ref = $1` + lock),
		spent:  p.prepare(`SELECT amount, messages FROM spent WHERE account = $1 AND line = $2 AND day = $3`),
		voided: p.prepare(`UPDATE batch SET state = 1 WHERE id = $1 AND state = 0`),
		unsent: p.prepare(`UPDATE message SET state = $1, state_at = $2 WHERE id >= $3 AND id < $4 AND state = 0`),
		unjob:  p.prepare(`DELETE FROM job WHERE ` + kind + ` AND ref = $1 AND attempt = 0`),
		// A batch without a cap was never counted, whatever was after it.
		unspend: p.prepare(`UPDATE spent SET amount = CASE WHEN amount > $1 THEN amount - $1 ELSE 0 END, ` +
			`messages = CASE WHEN messages > $2 THEN messages - $2 ELSE 0 END WHERE account = $3 AND line = '' AND day = $4 ` +
			`AND EXISTS (SELECT 1 FROM batch WHERE id = $5 AND capped = 1)`),
	}
}

// sent is what the group knows of a batch that is not to be sent after all.
type sent struct {
	account, call         string
	at, due, count, price int64
	voided                int64
	waits                 bool // its job is there, and nobody took it
	attempt               int64
}

// used is what was sent on a day before the group, and in it.
type used struct{ amount, messages int64 }

// unsends is the batch that an order wants not to be sent; 0 where there is none.
func (o *order) unsends() int64 {
	switch {
	case o.reversal && o.parcel != nil:
		return o.parcel.id
	case o.Cancel != nil:
		return o.Cancel.Batch
	}
	return 0
}

// repeatedBatch tells whether the batch is there already, in the database or in
// this group. It is asked of calls that pay nothing.
func (g *group) repeatedBatch(p *parcel, call string) (bool, error) {
	for i := 0; i < len(g.batches); i += g.sql.sends.batches.columns {
		if g.batches[i] == p.id {
			return true, nil
		}
	}
	var found string
	err := g.session.ask([]question{{g.sql.sends.stored, []any{p.id}, func(into func(...any) error) error { return into(&found) }}})
	if err == nil && found != "" && found != call {
		err = fmt.Errorf("%w: another call has the batch's id", errRefused)
	}
	return found != "", err
}

// askSends reads what messages are decided by.
func (g *group) askSends() {
	for _, o := range g.orders {
		if o.work != nil {
			g.questions = o.work.ask(g.questions)
			continue
		}
		if id := o.unsends(); id != 0 {
			g.askSent(id)
		}
		if o.parcel == nil || o.reversal {
			continue
		}
		for _, s := range o.parcel.spends {
			g.askUsed(s.where)
		}
	}
}

// askSent reads a batch, and keeps whoever sends from taking its job.
func (g *group) askSent(id int64) {
	if g.sent[id] != nil {
		return
	}
	b := &sent{}
	g.sent[id] = b
	g.questions = append(g.questions,
		question{g.sql.sends.batch, []any{id}, func(into func(...any) error) error {
			return into(&b.account, &b.call, &b.at, &b.due, &b.count, &b.price, &b.voided)
		}},
		question{g.sql.sends.job, []any{id}, func(into func(...any) error) error {
			err := into(&b.attempt)
			b.waits = b.attempt == 0
			return err
		}})
}

func (g *group) askUsed(where spot) {
	if g.used[where] != nil {
		return
	}
	u := &used{}
	g.used[where] = u
	g.questions = append(g.questions, question{g.sql.sends.spent, []any{where.account, where.line, where.day},
		func(into func(...any) error) error { return into(&u.amount, &u.messages) }})
}

// within tells whether a batch stays within all that bounds it in a day.
func (g *group) within(p *parcel) bool {
	if p == nil {
		return true
	}
	for _, s := range p.spends {
		u := g.used[s.where]
		if s.where.line == "" && u.amount+s.amount > s.cap || s.where.line != "" && u.messages+s.messages > s.cap {
			return false
		}
	}
	return true
}

// overspent refuses a batch that would go beyond a bound, and lets go of what
// its call held.
func (g *group) overspent(o *order) error {
	if repeated, err := g.repeated(o); err != nil || repeated {
		return err
	}
	if o.Charge.Held > 0 {
		o.Charge.Amount = 0
		g.settleHeld(o)
	}
	if o.Key != nil {
		o.Key = &closing.Key{ID: o.Key.ID, Body: o.Key.Body}
		g.keep(o)
	}
	g.refuse(o, &o.Record, fault.Quota)
	return nil
}

// soon is how early a job must be due, in microseconds, to be worth a signal:
// who does jobs looks once a second for when the next one is due.
const soon = 2_000_000

// put stores a batch that is paid for.
func (g *group) put(p *parcel) {
	if p == nil {
		return
	}
	g.batches = append(g.batches, p.batch...)
	g.messages = append(g.messages, p.messages...)
	g.jobs = append(g.jobs, p.job...)
	for _, s := range p.spends {
		u := g.used[s.where]
		u.amount, u.messages = u.amount+s.amount, u.messages+s.messages
		g.spends[s.where] = used{g.spends[s.where].amount + s.amount, g.spends[s.where].messages + s.messages}
	}
	g.woken = g.woken || p.job != nil && p.due <= g.now+soon
}

// late tells why a batch cannot be cancelled, where it cannot.
func (g *group) late(c *sms.Cancel, b *sent) (code fault.Code, refused bool) {
	switch {
	case b.call == "" || b.account != c.Account || b.due <= b.at || b.voided != 0:
		return fault.NotFound, true
	case !b.waits || b.due-sms.Margin.Microseconds() <= g.now:
		return fault.TooLate, true
	}
	return 0, false
}

// void ends a batch that nobody took, and gives back what is left of its price.
func (g *group) void(id int64, b *sent) (back int64, err error) {
	g.tell(g.sql.sends.unjob, 1, errMoved, id)
	g.tell(g.sql.sends.voided, 1, errMoved, id)
	g.tell(g.sql.sends.unsent, none, nil, int64(sms.Cancelled), g.now, id, id+b.count)
	g.tell(g.sql.sends.unspend, none, nil, b.price, b.count, b.account, dayOf(fromMicros(b.at)), id)
	b.waits, b.voided = false, 1
	if b.price == 0 {
		return 0, nil
	}
	op := ledger.Operation{Account: b.account, Refers: b.call}
	left, err := g.refundable(&op)
	return min(left, b.price), err
}

// giveBack is a refund of ours, not an operator's.
func (g *group) giveBack(id, account, call, why string, amount int64) {
	if amount <= 0 {
		return
	}
	g.post(g.wallets[account], id, ledger.Refund, amount)
	g.operations = append(g.operations, id, ourselves, why, call, g.now)
}

// ourselves is who gives back what nobody asked for.
const ourselves = "dargah"

// closeCancel settles the closing of a call that cancels.
func (g *group) closeCancel(o *order) error {
	b := g.sent[o.Cancel.Batch]
	if code, refused := g.late(o.Cancel, b); refused {
		g.refuse(o, &o.Record, code)
		return nil
	}
	back, err := g.void(o.Cancel.Batch, b)
	if err != nil {
		return err
	}
	g.giveBack(fmt.Sprintf("cancelled/%d", o.Cancel.Batch), b.account, b.call, "cancelled before its time", back)
	g.keep(o)
	g.record(&o.Record, audit.Answered, -back, o.Record.Document)
	return nil
}

// markRead notes what a call has handed out.
func (g *group) markRead(r *sms.Read) {
	if r == nil {
		return
	}
	for _, id := range r.Incoming {
		g.reads = append(g.reads, id, r.Account, g.now)
	}
}

func (g *group) writeSends() {
	sql := &g.sql.sends
	g.statements = sql.batches.statements(g.statements, g.batches, true, errRepeated)
	g.statements = sql.messages.statements(g.statements, g.messages, false, nil)
	g.statements = sql.jobs.statements(g.statements, g.jobs, false, nil)
	g.statements = sql.reads.statements(g.statements, g.reads, false, nil)
	var args []any
	for where, u := range g.spends {
		args = append(args, where.account, where.line, where.day, u.amount, u.messages)
	}
	g.statements = sql.spends.statements(g.statements, args, false, nil)
}

func (g *group) resetSends() {
	if g.sent == nil {
		g.sent, g.used, g.spends = map[int64]*sent{}, map[spot]*used{}, map[spot]used{}
	}
	clear(g.sent)
	clear(g.used)
	clear(g.spends)
	g.batches, g.messages, g.jobs, g.reads = g.batches[:0], g.messages[:0], g.jobs[:0], g.reads[:0]
	g.woken = false
}
