package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"sync"
	"time"

	"dargah.dev/dargah/internal/job"
	"dargah.dev/dargah/internal/operator"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/sms"
	"dargah.dev/dargah/internal/webhook"
)

// receiptSQL is what is asked and told of receipts.
type receiptSQL struct {
	found, places   list
	part, message   bulk
	strays, matched bulk
	news            newsSQL
}

func (p *statements) receipts(of string) receiptSQL {
	if of != "" { // all in one order, so that two nodes do not wait for each other
		of += " OF m"
	}
	return receiptSQL{
		found: p.listed(`SELECT p.operator, p.name, p.message, p.place, p.state, p.at, m.number, m.state, m.parts, b.account `+
			`FROM part p JOIN message m ON m.id = p.message JOIN batch b ON b.id = m.batch WHERE p.name`, ` ORDER BY m.id`+of),
		places: p.list(`SELECT message, place, operator, name, state FROM part WHERE message`),
		part: p.update(`UPDATE part SET state = v.column5 FROM`, []string{"BIGINT", "BIGINT", "TEXT", "TEXT", "BIGINT"},
			`WHERE part.message = v.column1 AND part.place = v.column2 AND part.operator = v.column3 AND part.name = v.column4`),
		message: p.update(`UPDATE message SET state = v.column2, state_at = v.column3 FROM`, []string{"BIGINT", "BIGINT", "BIGINT"},
			`WHERE message.id = v.column1 AND message.state < 3`),
		strays: p.bulk(6, `INSERT INTO stray (operator, name, at, state, came, sealed)`, `ON CONFLICT DO NOTHING`),
		matched: p.update(`DELETE FROM stray WHERE (operator, name, at, state) IN (SELECT v.column1, v.column2, v.column3, v.column4 FROM`,
			[]string{"TEXT", "TEXT", "BIGINT", "BIGINT"}, `)`),
		news: p.news(),
	}
}

// Receipts stores what operators say of parts that they accepted; all of it, or
// nothing. A message comes to its end when all of its parts have: Delivered where
// all were, else the worst of them. A receipt that comes twice, or for a message
// that has come to its end, changes nothing. One for which no part is known is
// kept until it is, see MatchStrays.
//
// A part is found by its id in any spelling (operator.Keys), and has to have the
// receipt's recipient, where that says one. Of several it is one that has no
// receipt yet, one spelled the same, and then the newest, in this order.
func (s *Store) Receipts(ctx context.Context, all []operator.Receipt) error {
	if err := ctx.Err(); err != nil || len(all) == 0 {
		return err
	}
	w := &receipts{store: s}
	for _, r := range all {
		w.add(r)
	}
	err := s.aside("store receipts", w.tell)
	if err == nil {
		s.strayed.note(w.strays, s.now())
		if len(w.told.jobs) > 0 {
			s.wake(job.Notice)
		}
	}
	return err
}

// receipt is one of them, on its way.
type receipt struct {
	operator.Receipt
	keys  []string
	stray bool // it is in table stray
}

// partRow is a part that may be meant.
type partRow struct {
	operator, name      string
	message, place      int64
	state, at           int64
	number              []byte
	messageState, parts int64
	account             string
}

// receipts are on their way into the database.
type receipts struct {
	store  *Store
	all    []receipt
	strays []receipt // those that were not matched

	byName  map[string][]*partRow
	changed []*partRow
	when    map[int64]time.Time // of each message's last receipt
	told    news
	rows    struct{ parts, messages, matched []any }
}

func (w *receipts) add(r operator.Receipt) {
	tidy(&r.Operator, &r.ID)
	keys := operator.Keys(r.ID)
	for i := range keys {
		keys[i] = partName(keys[i])
	}
	w.all = append(w.all, receipt{Receipt: r, keys: keys})
}

// tell is the transaction.
func (w *receipts) tell(ses session) ([]statement, error) {
	w.byName, w.when, w.changed, w.strays, w.told = map[string][]*partRow{}, map[int64]time.Time{}, nil, nil, news{}
	w.rows.parts, w.rows.messages, w.rows.matched = nil, nil, nil
	if err := ses.ask(w.ask()); err != nil {
		return nil, err
	}
	for i := range w.all {
		w.match(&w.all[i])
	}
	if err := w.conclude(ses); err != nil {
		return nil, err
	}
	strays, err := w.strayRows()
	if err != nil {
		return nil, err
	}
	sql := &w.store.receipts
	to := sql.part.statements(nil, w.rows.parts, false, nil)
	to = sql.message.statements(to, w.rows.messages, false, nil)
	to = sql.strays.statements(to, strays, false, nil)
	to = sql.matched.statements(to, w.rows.matched, false, nil)
	return w.told.statements(&sql.news, to), nil
}

func (w *receipts) ask() []question {
	seen := map[string]struct{}{}
	var keys []any
	for i := range w.all {
		for _, key := range w.all[i].keys {
			if _, asked := seen[key]; !asked {
				seen[key] = struct{}{}
				keys = append(keys, key)
			}
		}
	}
	return w.store.receipts.found.questions(nil, keys, func(into func(...any) error) error {
		p := &partRow{}
		err := into(&p.operator, &p.name, &p.message, &p.place, &p.state, &p.at, &p.number, &p.messageState, &p.parts, &p.account)
		w.byName[p.name] = append(w.byName[p.name], p)
		return err
	})
}

// match notes what a receipt says of the part that it is for.
func (w *receipts) match(r *receipt) {
	p := w.find(r)
	if p == nil {
		if !r.stray {
			w.strays = append(w.strays, *r)
		}
		return
	}
	if r.stray {
		w.rows.matched = append(w.rows.matched, r.Operator, r.keys[0], micros(r.At), int64(r.State))
	}
	if !r.State.Final() || p.state != 0 {
		return
	}
	p.state = int64(r.State)
	w.rows.parts = append(w.rows.parts, p.message, p.place, p.operator, p.name, p.state)
	w.changed = append(w.changed, p)
	if at := r.At; at.After(w.when[p.message]) {
		w.when[p.message] = at
	}
}

func (w *receipts) find(r *receipt) (best *partRow) {
	to, err := persian.ParseMobile(r.To)
	rank := 0
	for i, key := range r.keys {
		for _, p := range w.byName[key] {
			if p.operator != r.Operator || err == nil && string(hashNumber(w.store.keys, p.account, to.Local())) != string(p.number) {
				continue
			}
			if best == nil || p.better(i, best, rank) {
				best, rank = p, i
			}
		}
	}
	return best
}

func (p *partRow) better(rank int, than *partRow, thanRank int) bool {
	if (p.state == 0) != (than.state == 0) {
		return p.state == 0
	}
	if rank != thanRank {
		return rank < thanRank
	}
	return p.at > than.at
}

// conclude ends the messages all of whose parts have come to their end.
func (w *receipts) conclude(ses session) error {
	var long []any
	whole := map[int64]map[int64]int64{} // message → place → the best that was said of it
	for _, p := range w.changed {
		if p.parts > 1 && whole[p.message] == nil {
			whole[p.message] = map[int64]int64{}
			long = append(long, p.message)
		}
	}
	if len(long) > 0 {
		if err := ses.ask(w.askPlaces(long, whole)); err != nil {
			return err
		}
	}
	for _, p := range w.changed {
		if p.parts > 1 {
			p.note(whole[p.message])
		}
	}
	done := map[int64]struct{}{}
	for _, p := range w.changed {
		if _, twice := done[p.message]; twice || sms.State(p.messageState).Final() { //nolint:gosec // stored from one
			continue
		}
		state := p.state
		if p.parts > 1 {
			if state = worst(whole[p.message], p.parts); state == 0 {
				continue
			}
		}
		done[p.message] = struct{}{}
		w.end(p, sms.State(state)) //nolint:gosec // stored from one
	}
	return nil
}

// askPlaces reads what was said before of all parts of some messages.
func (w *receipts) askPlaces(of []any, whole map[int64]map[int64]int64) []question {
	return w.store.receipts.places.questions(nil, of, func(into func(...any) error) error {
		var p partRow
		if err := into(&p.message, &p.place, &p.operator, &p.name, &p.state); err != nil {
			return err
		}
		p.note(whole[p.message])
		return nil
	})
}

// note keeps the best that was said of a place: a part that was sent twice may
// have two receipts, and it is there if one of them was.
func (p *partRow) note(places map[int64]int64) {
	if p.state != 0 && (places[p.place] == 0 || p.state < places[p.place]) {
		places[p.place] = p.state
	}
}

// worst is the state of a message of so many parts; 0 while some are under way.
func worst(places map[int64]int64, parts int64) (state int64) {
	if int64(len(places)) < parts {
		return 0
	}
	for _, s := range places {
		state = max(state, s)
	}
	return state
}

func (w *receipts) end(p *partRow, state sms.State) {
	at := w.when[p.message]
	if at.IsZero() {
		at = w.store.now()
	}
	w.rows.messages = append(w.rows.messages, p.message, int64(state), micros(at))
	if event, is := webhook.Of(state); is {
		w.told.hear(w.store, p.account, webhook.Notice{Event: event, Ref: p.message, State: state, At: at})
	}
}

func sealedStray(operator, name string) string { return "stray/" + operator + "/" + name }

func (w *receipts) strayRows() (rows []any, err error) {
	for i := range w.strays {
		r := &w.strays[i]
		sealed, err := w.store.keys.Seal([]byte(r.To), sealedStray(r.Operator, r.keys[0]))
		if err != nil {
			return nil, err
		}
		rows = append(rows, r.Operator, r.keys[0], micros(r.At), int64(r.State), micros(w.store.now()), sealed)
	}
	return rows, nil
}

// matchable is how long after its coming a stray is looked at: what became of
// a part is recorded seconds after it was sent, or never.
const matchable = time.Hour

// MatchStrays gives receipts that came before their parts were known to the
// parts that are known now. It tells how many it matched.
func (s *Store) MatchStrays(ctx context.Context) (matched int, err error) {
	w := &receipts{store: s}
	rows, err := s.reader.QueryContext(ctx, `SELECT operator, name, at, state, sealed FROM stray WHERE came > $1 ORDER BY came LIMIT 10000`,
		micros(s.now().Add(-matchable)))
	if err == nil {
		err = w.addStrays(rows)
	}
	if err == nil && len(w.all) > 0 {
		err = s.aside("match receipts", w.tell)
	}
	if err != nil {
		return 0, fmt.Errorf("match receipts that came early: %w", err)
	}
	return len(w.rows.matched) / w.store.receipts.matched.columns, nil
}

func (w *receipts) addStrays(rows *sql.Rows) error {
	return scan(rows, func(into func(...any) error) error {
		var r operator.Receipt
		var at, state int64
		var sealed []byte
		if err := into(&r.Operator, &r.ID, &at, &state, &sealed); err != nil {
			return err
		}
		to, err := w.store.keys.Unseal(sealed, sealedStray(r.Operator, r.ID))
		if err != nil {
			return err
		}
		r.To, r.At, r.State = string(to), fromMicros(at), sms.State(state) //nolint:gosec // stored from one
		w.add(r)
		w.all[len(w.all)-1].stray = true
		return nil
	})
}

// strayed remembers for a while under which names this process keeps receipts
// whose parts it does not know: whoever records a part need not look otherwise.
type strayed struct {
	mu    sync.Mutex
	names map[string]time.Time
}

// Receipts come before their parts by seconds at most; more names than these
// are an operator's whose receipts we cannot read.
const (
	strayedFor  = time.Minute
	mostStrayed = 10_000
)

func (m *strayed) note(strays []receipt, now time.Time) {
	if len(strays) == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.names == nil || len(m.names) > mostStrayed {
		m.names = map[string]time.Time{}
	}
	for i := range strays {
		for _, key := range strays[i].keys {
			m.names[key] = now
		}
	}
}

// has tells whether a name was noted, and forgets it.
func (m *strayed) has(name string, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, noted := m.names[name]
	delete(m.names, name)
	return noted && now.Sub(at) < strayedFor
}

// matchSoon matches strays where results name their parts. What fails here is
// left to whoever calls MatchStrays regularly.
func (s *Store) matchSoon(ctx context.Context, results []sms.Result) {
	if slices.ContainsFunc(results, func(r sms.Result) bool {
		return slices.ContainsFunc(r.Parts, func(p sms.PartResult) bool { return s.strayed.has(partName(p.ID), s.now()) })
	}) {
		_, _ = s.MatchStrays(ctx)
	}
}
