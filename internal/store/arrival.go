package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
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
// changes nothing, and neither does a whole message with the serial of one like
// it that came over another bind within the hour. One without a serial is marked
// then (sms.Incoming.Repeated): people do send the same twice.
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
		return in.whole(a, line, at)
	}
	f := fragments{a.Operator, in.store.keys.Hash(fragmentHash, a.From), line, int64(a.Reference), int64(a.Total)}
	part := fragment{place: int64(a.Number), coding: a.Coding, from: a.From, data: a.Data}
	return in.join(&f, part, at)
}

// whole stores a message of one part. It is remembered by the bind that it came
// over: over one bind no message centre brings again what was answered.
func (in *arriving) whole(a *operator.Arrival, line string, at time.Time) error {
	parts := []fragment{{coding: a.Coding, from: a.From, data: a.Data}}
	if a.Bind == "" {
		return in.deliver(line, parts, false, at)
	}
	keys := in.store.keys
	content := appendText(appendText([]byte{byte(a.Coding)}, a.Serial), string(a.Data))
	reference := int64(binary.BigEndian.Uint64(keys.Hash(fragmentHash, string(content))) >> 1) //nolint:gosec // 63 bits
	f := fragments{a.Operator, keys.Hash(fragmentHash, a.From), line, reference, 1}
	before, err := in.read(&f)
	if err != nil {
		return err
	}
	repeated := false
	for _, b := range before {
		repeated = b.from != a.Bind && b.at > micros(in.store.now().Add(-fragmentWait))
	}
	if _, err := in.tx.Exec(`DELETE FROM fragment`+ofFragments, f.args()...); err != nil {
		return err
	}
	if err := in.keep(&f, fragment{place: 1, from: a.Bind, joined: true}); err != nil || repeated && a.Serial != "" {
		return err
	}
	return in.deliver(line, parts, repeated, at)
}

func (in *arriving) keep(f *fragments, part fragment) error {
	sealed, err := in.store.keys.Seal(append(append(appendText(nil, part.from), byte(part.coding)), part.data...), "fragment")
	if err != nil {
		return err
	}
	_, err = in.tx.Exec(`INSERT INTO fragment (operator, sender, line, reference, total, place, at, joined, sealed) `+
		`VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, f.args(part.place, micros(in.store.now()), flag(part.joined), sealed)...)
	return err
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
	if err := in.keep(f, part); err != nil {
		return err
	}
	parts = append(parts, part)
	if int64(len(parts)) < f.total {
		return nil
	}
	if _, err := in.tx.Exec(`UPDATE fragment SET joined = 1`+ofFragments, f.args()...); err != nil {
		return err
	}
	return in.deliver(f.line, parts, false, at)
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
	return in.deliver(f.line, parts, false, at)
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
func (in *arriving) deliver(line string, parts []fragment, repeated bool, at time.Time) error {
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
	id, err := in.put(owner, line, from, text, len(parts), repeated, at)
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

func (in *arriving) put(owner, line, from, text string, parts int, repeated bool, at time.Time) (id int64, err error) {
	keys := in.store.keys
	if id, err = advance(in.tx, "incoming", 1); err != nil {
		return 0, err
	}
	sender := Sender(from)
	sealed, err := sealIncoming(keys, id, sender, text)
	if err != nil {
		return 0, err
	}
	_, err = in.tx.Exec(`INSERT INTO incoming (id, account, line, sender, parts, at, read_at, repeated, sealed) VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8)`,
		id, owner, line, hashNumber(keys, owner, sender), parts, micros(at), flag(repeated), sealed)
	return id, err
}
