package storetest

import (
	"context"
	"database/sql"
	"testing"
)

// halves count what of an accepted sending is there without the rest of it. A
// sending is a batch, its messages, a job, a charge and a record.
var halves = map[string]string{
	"batches without all their messages": `SELECT count(*) FROM batch b WHERE b.count <> ` +
		`(SELECT count(*) FROM message m WHERE m.batch = b.id AND m.id >= b.id AND m.id < b.id + b.count)`,
	"batches whose messages cost something else": `SELECT count(*) FROM batch b WHERE b.price <> ` +
		`(SELECT coalesce(sum(m.price), 0) FROM message m WHERE m.id >= b.id AND m.id < b.id + b.count)`,
	"messages that wait without a job": `SELECT count(*) FROM message WHERE state = 0 AND batch NOT IN (SELECT ref FROM job WHERE kind = 'send')`,
	"batches without their charge": `SELECT count(*) FROM batch b WHERE NOT EXISTS ` +
		`(SELECT 1 FROM entry e WHERE e.account = b.account AND e.call = b.call AND e.kind = 'charge' AND e.amount = -b.price)`,
	"batches without their record": `SELECT count(*) FROM batch WHERE (account, call, price) NOT IN ` +
		`(SELECT account, call, price FROM audit WHERE service = 'sms' AND outcome = 'answered')`,
	"messages without a batch": `SELECT count(*) FROM message WHERE batch NOT IN (SELECT id FROM batch)`,
	"jobs without a batch":     `SELECT count(*) FROM job WHERE kind = 'send' AND ref NOT IN (SELECT id FROM batch)`,
	"records without a batch":  `SELECT count(*) FROM audit WHERE service = 'sms' AND price > 0 AND (call, price) NOT IN (SELECT call, price FROM batch)`,
	"charges without a record": `SELECT count(*) FROM entry WHERE kind = 'charge' AND (call, -amount) NOT IN (SELECT call, price FROM audit)`,
}

// Asker is a database or a transaction.
type Asker interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Halved looks for sendings that are half there, and gives how often there is
// which kind of half.
func Halved(t testing.TB, db Asker) map[string]int {
	t.Helper()
	found := map[string]int{}
	for what, query := range halves {
		var n int
		if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if n > 0 {
			found[what] = n
		}
	}
	return found
}
