package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"dargah.dev/dargah/internal/audit"
)

// ErrTrail means that the end of the trail is not the one that was written.
// What wraps it says what is there instead, and what to do.
var ErrTrail = errors.New("the end of the audit trail is not the one that was written")

// brokenEnd is the error of an end that does not agree with itself. Nothing is
// added to it: nobody could prove what came after.
func brokenEnd(what string, numbers ...any) error {
	return fmt.Errorf("%w: %s. Nothing is served or changed on it: `dargah doctor` says what to do", ErrTrail, fmt.Sprintf(what, numbers...))
}

// lacking is the error of an end that may be whole, but does not go on from what
// this server wrote. Only the server can tell: to a command all looks well.
func lacking(wrote audit.Head, end int64) error {
	what := fmt.Sprintf("it ends at record %d, and this server wrote record %d", end, wrote.Seq)
	if end >= wrote.Seq {
		what = fmt.Sprintf("its record %d is another one than this server wrote", wrote.Seq)
	}
	return fmt.Errorf("%w: %s. Somebody changed it, or a copy without the last commits is in its place: a backup, or a standby. "+
		"Where that is the copy to go on with, start every server again; docs/trail.md says what is lost then", ErrTrail, what)
}

// trailPurpose is what the key of the chain is derived for.
const trailPurpose = "audit trail"

// lineColumns are in the order of lineInto.
const lineColumns = `seq, call, at, took_us, dialect, service, method, account, peer, ` +
	`outcome, price, source, subject, document, salt, digest, link`

// lineInto are the places that a row of lineColumns is read into.
func lineInto(l *audit.Line) []any {
	return []any{&l.Seq, &l.Call, &l.At, &l.Took, &l.Dialect, &l.Service, &l.Method, &l.Account, &l.Peer,
		&l.Outcome, &l.Price, &l.Source, &l.Subject, &l.Document, &l.Salt, &l.Digest, &l.Link}
}

// trail is the end of the chain, as the group in hand makes it longer.
type trail struct {
	chain *audit.Chain
	seen  audit.Head // the last that this node wrote
	head  audit.Head // what the group began with
	next  audit.Head // what it ends with
	line  audit.Line
	bytes []byte // salts, digests and links of the group's rows
}

// begin takes the head as it was read. It is the one that this node wrote, or
// one that another node or a command made of it: then it is foreign, and what
// this node wrote must still stand below it. One that lies before is ErrTrail.
func (t *trail) begin(seq int64, link []byte) (foreign bool, err error) {
	read := audit.Head{Seq: seq}
	switch err := fill((*[32]byte)(&read.Link), link); {
	case err != nil:
		return false, brokenEnd("its head is missing, or cannot be read")
	case seq < t.seen.Seq || seq == t.seen.Seq && read != t.seen:
		return false, lacking(t.seen, seq)
	}
	t.head, t.next, t.bytes = read, read, t.bytes[:0]
	return read != t.seen, nil
}

// resume goes on from what this node wrote last.
func (t *trail) resume() { t.head, t.next, t.bytes = t.seen, t.seen, t.bytes[:0] }

// add makes the record the next one. The line and what it points to are good
// until the next add and the next begin.
func (t *trail) add(r *audit.Record, outcome string, price int64, document string) *audit.Line {
	t.line = audit.Line{
		Seq: t.next.Seq + 1, Call: r.Call, At: micros(r.At), Took: r.Took.Microseconds(),
		Dialect: r.Dialect, Service: r.Service, Method: r.Method, Account: r.Account, Outcome: outcome, Price: price,
		Source: r.Source, Document: document, Peer: peerText(r.Peer), Subject: r.Subject,
	}
	l := &t.line
	if l.Subject == nil {
		l.Subject = []byte{} // the driver would write NULL
	}
	l.Salt = t.keep(audit.AppendSalt(t.bytes))
	digest := t.chain.Digest(l)
	l.Digest = t.keep(append(t.bytes, digest[:]...))
	t.next = audit.Head{Seq: l.Seq, Link: t.chain.Link(t.next.Link, l)}
	l.Link = t.keep(append(t.bytes, t.next.Link[:]...))
	return l
}

// keep takes the longer bytes and gives what was added.
func (t *trail) keep(longer []byte) []byte {
	added := longer[len(t.bytes):len(longer):len(longer)]
	t.bytes = longer
	return added
}

// querier is a database, or a transaction on it.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// readState reads what the database says about the trail. A head that is
// missing or makes no sense is none, and no error.
func readState(ctx context.Context, db querier) (audit.State, error) {
	var state audit.State
	var head audit.Head
	var link []byte
	err := db.QueryRowContext(ctx, `SELECT seq, link, erased_before, erased_mark FROM audit_head WHERE id = 1`).
		Scan(&head.Seq, &link, &state.Erasure.Before, &state.Erasure.Mark)
	if errors.Is(err, sql.ErrNoRows) {
		return audit.State{}, nil
	}
	if err != nil {
		return audit.State{}, fmt.Errorf("read the trail's head: %w", err)
	}
	if len(link) == len(head.Link) {
		head.Link = audit.Link(link)
		state.Head = &head
	}
	return state, nil
}

// readHead gives the head, after a look at the last record: the two must agree.
// Both are read by one statement, since others may be making the trail longer.
func readHead(ctx context.Context, db querier) (audit.Head, error) {
	var head, last audit.Head
	var link, lastLink []byte
	err := db.QueryRowContext(ctx, `SELECT h.seq, h.link, coalesce(a.seq, 0), a.link FROM audit_head h `+
		`LEFT JOIN audit a ON a.seq = (SELECT max(seq) FROM audit) WHERE h.id = 1`).
		Scan(&head.Seq, &link, &last.Seq, &lastLink)
	if errors.Is(err, sql.ErrNoRows) {
		return audit.Head{}, brokenEnd("its head is missing, or cannot be read")
	}
	if err != nil {
		return audit.Head{}, fmt.Errorf("read the end of the trail: %w", err)
	}
	if last.Seq == 0 && lastLink == nil {
		lastLink = last.Link[:] // nothing is on record yet
	}
	switch unread, unreadLast := fill((*[32]byte)(&head.Link), link), fill((*[32]byte)(&last.Link), lastLink); {
	case head.Seq > last.Seq:
		err = brokenEnd("its head is at record %d, and the last record that is there is %d: all after that are missing", head.Seq, last.Seq)
	case head.Seq < last.Seq:
		err = brokenEnd("its head is at record %d, and there are records up to %d", head.Seq, last.Seq)
	case unread != nil || unreadLast != nil || head != last:
		err = brokenEnd("record %d, its last one, and its head have not the same link: one of the two was changed", head.Seq)
	}
	if err != nil {
		return audit.Head{}, err
	}
	return head, nil
}

// stands looks whether the trail still goes on from what this node wrote last.
func (s *Store) stands(ctx context.Context, wrote audit.Head) error {
	head, err := readHead(ctx, s.reader)
	if err != nil || wrote.Seq == 0 {
		return err
	}
	var link []byte
	err = s.reader.QueryRowContext(ctx, `SELECT link FROM audit WHERE seq = $1`, wrote.Seq).Scan(&link)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return lacking(wrote, head.Seq)
	case err != nil:
		return fmt.Errorf("read a record of the trail: %w", err)
	case string(link) != string(wrote.Link[:]):
		return lacking(wrote, head.Seq)
	}
	return nil
}
