package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"dargah.dev/dargah/internal/audit"
)

// ErrTrail means that the end of the trail is not the one that was written.
var ErrTrail = errors.New("the end of the audit trail is not the one that was written: `dargah audit verify` says what is wrong")

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
	if copy(read.Link[:], link) != len(link) || len(link) != len(read.Link) || seq < t.seen.Seq ||
		seq == t.seen.Seq && read != t.seen {
		return false, ErrTrail
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
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return audit.Head{}, fmt.Errorf("read the end of the trail: %w", err)
	}
	if last.Seq == 0 && lastLink == nil {
		lastLink = last.Link[:] // nothing is on record yet
	}
	if err != nil || fill((*[32]byte)(&head.Link), link) != nil || fill((*[32]byte)(&last.Link), lastLink) != nil || head != last {
		return audit.Head{}, ErrTrail
	}
	return head, nil
}
