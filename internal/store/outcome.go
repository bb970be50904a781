package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"dargah.dev/dargah/internal/audit"
	"dargah.dev/dargah/internal/job"
	"dargah.dev/dargah/internal/ledger"
	"dargah.dev/dargah/internal/operator"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/sms"
	"dargah.dev/dargah/internal/webhook"
)

// outcomeSQL is what is asked and told of what became of messages.
type outcomeSQL struct {
	states                       list
	update, doubt, parts, finish bulk
	news                         newsSQL
}

func (p *statements) outcomes(lock string) outcomeSQL {
	return outcomeSQL{
		states: p.listed(`SELECT id, state, price FROM message WHERE id`, ` ORDER BY id`+lock),
		// What a message came to is not taken back: an operator that has it cannot
		// lose it to one that does not answer, and nothing follows a final state.
		update: p.update(`UPDATE message SET state = v.column2, operator = v.column3, sent_at = v.column4, state_at = v.column5 FROM`,
			[]string{"BIGINT", "BIGINT", "TEXT", "BIGINT", "BIGINT"},
			`WHERE message.id = v.column1 AND (message.state = 0 OR message.state = 2 AND v.column2 <> 2 OR message.state = 1 AND v.column2 > 2)`),
		doubt:  p.update(`UPDATE message SET doubt = 1 FROM`, []string{"BIGINT"}, `WHERE message.id = v.column1`),
		parts:  p.bulk(5, `INSERT INTO part (message, place, operator, name, at)`, `ON CONFLICT DO NOTHING`),
		finish: p.update(`DELETE FROM job WHERE kind = '`+job.Send+`' AND ref IN (SELECT v.column1 FROM`, []string{"BIGINT"}, `)`),
		news:   p.news(),
	}
}

// Record stores what became of messages; all of it, or nothing. A message that is
// Failed, and that no operator had accepted before, gets its price back in the
// same transaction, once. Recording the same again changes nothing.
func (s *Store) Record(ctx context.Context, results []sms.Result) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if i := repeatedResult(results); i > 0 {
		if err := s.Record(ctx, results[:i]); err != nil {
			return err
		}
		return s.Record(ctx, results[i:])
	}
	w := &outcomes{store: s, results: results}
	refunds, err := w.prepare(ctx)
	if err != nil {
		return fmt.Errorf("record what became of messages: %w", err)
	}
	if refunds {
		err = told("record what became of messages", s.do(ctx, func(o *order) { o.work = w }))
	} else {
		err = s.aside("record what became of messages", w.tell)
	}
	if err == nil {
		if w.heard {
			s.wake(job.Notice)
		}
		s.matchSoon(ctx, results)
	}
	return err
}

// repeatedResult is where a message comes for the second time; 0 where none does.
func repeatedResult(results []sms.Result) int {
	seen := make(map[int64]struct{}, len(results))
	for i := range results {
		id := results[i].Message
		if _, twice := seen[id]; twice && id != 0 {
			return i
		}
		seen[id] = struct{}{}
	}
	return 0
}

// outcomes are results on their way into the database.
type outcomes struct {
	store   *Store
	results []sms.Result
	owners  map[int64]owner // of the batches of messages that came to an end
	finals  []any           // their ids
	states  map[int64]messageState
	heard   bool // there are notices
}

// owner is whose batch it is, and which call paid for it.
type owner struct {
	account, call string
	at            int64
}

type messageState struct{ state, price int64 }

// prepare reads what never changes, and tells whether money may have to move.
func (w *outcomes) prepare(ctx context.Context) (refunds bool, err error) {
	var batches []int64
	for i := range w.results {
		r := &w.results[i]
		if r.Message == 0 || !r.State.Final() {
			continue
		}
		refunds = refunds || r.State.Free()
		w.finals = append(w.finals, r.Message)
		if !slices.Contains(batches, r.Batch) {
			batches = append(batches, r.Batch)
		}
	}
	w.owners = map[int64]owner{}
	err = w.store.eachOf(ctx, `SELECT id, account, call, at FROM batch WHERE id IN `, batches, func(into func(...any) error) error {
		var id int64
		var o owner
		err := into(&id, &o.account, &o.call, &o.at)
		w.owners[id] = o
		return err
	})
	return refunds, err
}

// accounts are whose wallets may get something back.
func (w *outcomes) accounts() (all []string) {
	for _, o := range w.owners {
		all = append(all, o.account)
	}
	return all
}

func (w *outcomes) ask(to []question) []question {
	w.states = make(map[int64]messageState, len(w.finals))
	return w.store.outcomes.states.questions(to, slices.Clone(w.finals), func(into func(...any) error) error {
		var id int64
		var m messageState
		err := into(&id, &m.state, &m.price)
		w.states[id] = m
		return err
	})
}

// tell is the transaction of results that move no money.
func (w *outcomes) tell(ses session) ([]statement, error) {
	if questions := w.ask(nil); len(questions) > 0 {
		if err := ses.ask(questions); err != nil {
			return nil, err
		}
	}
	return w.statements(nil), nil
}

// ends tells whether a result ends a message that had not come to its end. One
// that an operator has is not Failed any more.
func (w *outcomes) ends(r *sms.Result) bool {
	m, there := w.states[r.Message]
	was := sms.State(m.state) //nolint:gosec // stored from one
	return there && !was.Final() && (was != sms.Submitted || !r.State.Free())
}

func (w *outcomes) statements(to []statement) []statement {
	sql := &w.store.outcomes
	updates := make([]any, 0, 5*len(w.results))
	parts := make([]any, 0, 5*len(w.results))
	var doubts, done []any
	var told news
	for i := range w.results {
		r := &w.results[i]
		if r.Done {
			done = append(done, r.Batch)
		}
		switch {
		case r.Message == 0:
		case r.State.Final() && !w.ends(r):
		case r.State != sms.Queued:
			updates = append(updates, r.Message, int64(r.State), r.Operator, sentAt(r), micros(r.At))
			if event, is := webhook.Of(r.State); is {
				told.hear(w.store, w.owners[r.Batch].account, webhook.Notice{Event: event, Ref: r.Message, State: r.State, At: r.At})
			}
		}
		if r.Doubt && r.Message != 0 { // also of one that a late answer has told of
			doubts = append(doubts, r.Message)
		}
		for _, p := range r.Parts {
			parts = append(parts, r.Message, p.Place, r.Operator, partName(p.ID), micros(r.At))
		}
	}
	to = sql.update.statements(to, updates, false, nil)
	to = sql.doubt.statements(to, doubts, false, nil)
	to = sql.parts.statements(to, parts, false, nil)
	to = sql.finish.statements(to, done, false, nil)
	w.heard = len(told.jobs) > 0
	return told.statements(&sql.news, to)
}

func sentAt(r *sms.Result) int64 {
	if r.State == sms.Submitted || len(r.Parts) > 0 {
		return micros(r.At)
	}
	return 0
}

// partName is the id of a part as it is kept: an operator may send any bytes.
func partName(id string) string {
	name := operator.Key(id)
	tidy(&name)
	return name[:min(len(name), longestKey)]
}

// report stores results within a group, and gives back what failed messages cost:
// for all of a batch together.
func (g *group) report(w *outcomes) error {
	first := map[int64]int64{} // batch → the message that names the refund
	price := map[int64]int64{}
	count := map[int64]int64{}
	for i := range w.results {
		r := &w.results[i]
		if !r.State.Free() || !w.ends(r) {
			continue
		}
		if first[r.Batch] == 0 {
			first[r.Batch] = r.Message
		}
		price[r.Batch] += w.states[r.Message].price
		count[r.Batch]++
	}
	g.statements = w.statements(g.statements)
	g.ended(w)
	for batch, message := range first {
		if err := g.unpay(w.owners[batch], batch, message, price[batch], count[batch]); err != nil {
			return err
		}
	}
	return nil
}

// ended has the group's other orders know what these results come to.
func (g *group) ended(w *outcomes) {
	for i := range w.results {
		r := &w.results[i]
		if r.Message == 0 || !r.State.Final() || !w.ends(r) {
			continue
		}
		for _, o := range g.orders {
			if o.work == nil {
				continue
			}
			if m, asked := o.work.states[r.Message]; asked {
				m.state = int64(r.State)
				o.work.states[r.Message] = m
			}
		}
	}
}

// unpay gives back what messages cost that no operator accepted.
func (g *group) unpay(o owner, batch, message, amount, n int64) error {
	if amount == 0 || o.account == "" {
		return nil
	}
	op := ledger.Operation{Account: o.account, Refers: o.call}
	left, err := g.refundable(&op)
	if amount = min(amount, left); err != nil || amount <= 0 {
		return err
	}
	id := "unsent/" + strconv.FormatInt(message, 10)
	g.giveBack(id, o.account, o.call, "no operator accepted the message", amount)
	g.tell(g.sql.sends.unspend, none, nil, amount, n, o.account, dayOf(fromMicros(o.at)), batch)
	g.record(&audit.Record{
		Call: id, At: fromMicros(g.now), Dialect: CommandDialect, Service: "wallet", Method: string(ledger.Refund),
		Account: o.account, Source: ourselves, Price: rial.Amount(-amount),
	}, audit.Answered, -amount, o.call)
	return nil
}
