package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/job"
	"dargah.dev/dargah/internal/operator"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/sms"
	"dargah.dev/dargah/internal/webhook"
)

// fragmentWait is how long the parts of a message wait for each other, and how
// long a part is known that was joined already.
const fragmentWait = time.Hour

// fragmentHash is the purpose of the hash of who sends parts.
const fragmentHash = "sms fragment"

// Arrivals stores messages from phones in the inbox of the account that has the
// line, or for nobody where none has; all of them, or nothing. Parts of long
// messages wait until all have come, in any order. A part that is brought again
// changes nothing; a whole message that is brought again is another one, since
// nothing tells it from the first.
//
// A message that says sms.OptsOut has its sender get nothing more from the line.
func (s *Store) Arrivals(ctx context.Context, all []operator.Arrival) error {
	if len(all) == 0 {
		return ctx.Err()
	}
	var in arriving
	err := s.write(ctx, "store messages from phones", func(tx *sql.Tx) error {
		in = arriving{store: s, tx: tx}
		if err := in.alone(); err != nil {
			return err
		}
		for i := range all {
			if err := in.take(&all[i]); err != nil {
				return err
			}
		}
		return in.end()
	})
	if err == nil {
		in.tell()
	}
	return err
}

// JoinFragments makes messages of the parts whose others have not come for an
// hour, as they are, and forgets those that were joined.
func (s *Store) JoinFragments(ctx context.Context) error {
	var in arriving
	err := s.write(ctx, "join what came of long messages", func(tx *sql.Tx) error {
		in = arriving{store: s, tx: tx}
		if err := in.alone(); err != nil {
			return err
		}
		old := micros(s.now().Add(-fragmentWait))
		if _, err := tx.Exec(`DELETE FROM fragment WHERE joined = 1 AND at < $1`, old); err != nil {
			return err
		}
		if err := in.joinOld(old); err != nil {
			return err
		}
		return in.end()
	})
	if err == nil {
		in.tell()
	}
	return err
}

// arriving is the transaction in which messages from phones are stored.
type arriving struct {
	store   *Store
	tx      *sql.Tx
	came    bool
	blocked bool
}

// alone keeps other nodes from joining the same parts: each would wait for those
// that the other one has.
func (in *arriving) alone() error {
	var next int64
	return in.tx.QueryRow(`SELECT next FROM sequence WHERE name = 'incoming'` + in.store.engine.lock()).Scan(&next)
}

func (in *arriving) end() error {
	if !in.blocked {
		return nil
	}
	return raise(in.tx, kindBlocks)
}

// tell comes after the commit.
func (in *arriving) tell() {
	if in.came {
		in.store.wake(job.Notice)
	}
	if in.blocked {
		in.store.announce()
	}
}

// fragments name the parts of one message.
type fragments struct {
	operator         string
	sender           []byte
	line             string
	reference, total int64
}

func (f *fragments) args(more ...any) []any {
	return append([]any{f.operator, f.sender, f.line, f.reference, f.total}, more...)
}

const ofFragments = ` WHERE operator = $1 AND sender = $2 AND line = $3 AND reference = $4 AND total = $5`

// fragment is one part.
type fragment struct {
	place  int64
	at     int64
	joined bool
	coding sms.Coding
	from   string
	data   []byte
}

func (in *arriving) take(a *operator.Arrival) error {
	tidy(&a.Operator, &a.From, &a.To)
	line := account.LineKey(a.To)
	if len(line) > longestKey {
		line = line[:longestKey]
	}
	at := a.At
	if at.IsZero() {
		at = in.store.now()
	}
	if a.Total <= 1 {
		return in.deliver(line, []fragment{{coding: a.Coding, from: a.From, data: a.Data}}, at)
	}
	f := fragments{a.Operator, in.store.keys.Hash(fragmentHash, a.From), line, int64(a.Reference), int64(a.Total)}
	part := fragment{place: int64(a.Number), coding: a.Coding, from: a.From, data: a.Data}
	return in.join(&f, part, at)
}

// join stores a part, and the message where it was the last one.
func (in *arriving) join(f *fragments, part fragment, at time.Time) error {
	parts, err := in.read(f)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(parts, func(p fragment) bool { return p.place == part.place }); i >= 0 {
		if bytes.Equal(parts[i].data, part.data) {
			return nil // brought again
		}
		// The reference is used again, for another message.
		if err := in.flush(f, parts, at); err != nil {
			return err
		}
		parts = nil
	}
	sealed, err := in.store.keys.Seal(append(append(appendText(nil, part.from), byte(part.coding)), part.data...), "fragment")
	if err != nil {
		return err
	}
	if _, err := in.tx.Exec(`INSERT INTO fragment (operator, sender, line, reference, total, place, at, sealed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		f.args(part.place, micros(in.store.now()), sealed)...); err != nil {
		return err
	}
	parts = append(parts, part)
	if int64(len(parts)) < f.total {
		return nil
	}
	if _, err := in.tx.Exec(`UPDATE fragment SET joined = 1`+ofFragments, f.args()...); err != nil {
		return err
	}
	return in.deliver(f.line, parts, at)
}

func (in *arriving) read(f *fragments) (parts []fragment, err error) {
	rows, err := in.tx.Query(`SELECT place, at, joined, sealed FROM fragment`+ofFragments, f.args()...)
	if err != nil {
		return nil, err
	}
	err = scan(rows, func(into func(...any) error) error {
		var p fragment
		var joined int64
		var sealed []byte
		if err := into(&p.place, &p.at, &joined, &sealed); err != nil {
			return err
		}
		plain, err := in.store.keys.Unseal(sealed, "fragment")
		if err != nil {
			return err
		}
		p.joined = joined != 0
		from := rowReader{rest: string(plain)}
		p.from, p.coding = from.text(), sms.Coding(from.octet())
		if p.data = []byte(from.rest); from.short {
			return errRow
		}
		parts = append(parts, p)
		return nil
	})
	return parts, err
}

// flush makes a message of the parts that there are, unless it was made, and
// removes them.
func (in *arriving) flush(f *fragments, parts []fragment, at time.Time) error {
	if _, err := in.tx.Exec(`DELETE FROM fragment`+ofFragments, f.args()...); err != nil || len(parts) == 0 || parts[0].joined {
		return err
	}
	return in.deliver(f.line, parts, at)
}

// joinOld flushes the messages no part of which is younger.
func (in *arriving) joinOld(old int64) error {
	rows, err := in.tx.Query(`SELECT operator, sender, line, reference, total FROM fragment WHERE joined = 0 `+
		`GROUP BY operator, sender, line, reference, total HAVING max(at) < $1`, old)
	if err != nil {
		return err
	}
	var all []fragments
	err = scan(rows, func(into func(...any) error) error {
		var f fragments
		err := into(&f.operator, &f.sender, &f.line, &f.reference, &f.total)
		all = append(all, f)
		return err
	})
	for i := range all {
		if err != nil {
			return err
		}
		var parts []fragment
		if parts, err = in.read(&all[i]); err == nil && len(parts) > 0 {
			err = in.flush(&all[i], parts, fromMicros(parts[0].at))
		}
	}
	return err
}

// deliver puts a message into the inbox.
func (in *arriving) deliver(line string, parts []fragment, at time.Time) error {
	slices.SortFunc(parts, func(a, b fragment) int { return int(a.place - b.place) })
	var data [][]byte
	for _, p := range parts {
		data = append(data, p.data)
	}
	text, from := sms.Join(parts[0].coding, data), parts[0].from
	var owner string
	if err := in.tx.QueryRow(`SELECT account FROM line WHERE key = $1`, line).Scan(&owner); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	id, err := in.put(owner, line, from, text, len(parts), at)
	if err != nil || owner == "" {
		return err
	}
	in.came = true
	if mobile, wrong := persian.ParseMobile(from); wrong == nil && sms.OptsOut(text) {
		added, err := putBlock(in.tx, in.store.keys, Block{Line: line, Recipient: mobile}, byRecipient, in.store.now())
		if err != nil {
			return fmt.Errorf("block who wants nothing more: %w", err)
		}
		in.blocked = in.blocked || added
	}
	return in.store.notify(in.tx, owner, webhook.Notice{Event: webhook.Received, Ref: id, At: at})
}

func (in *arriving) put(owner, line, from, text string, parts int, at time.Time) (id int64, err error) {
	keys := in.store.keys
	if id, err = advance(in.tx, "incoming", 1); err != nil {
		return 0, err
	}
	sender := Sender(from)
	sealed, err := sealIncoming(keys, id, sender, text)
	if err != nil {
		return 0, err
	}
	_, err = in.tx.Exec(`INSERT INTO incoming (id, account, line, sender, parts, at, read_at, sealed) VALUES ($1, $2, $3, $4, $5, $6, 0, $7)`,
		id, owner, line, hashNumber(keys, owner, sender), parts, micros(at), sealed)
	return id, err
}
