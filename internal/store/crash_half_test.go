package store_test

import (
	"database/sql"
	"strconv"
	"testing"

	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/store/storetest"
)

// whole reports sendings that are half there.
func whole(t *testing.T, at store.Location) {
	t.Helper()
	db := storetest.Behind(t, at)
	defer db.Close()
	for what, n := range storetest.Halved(t, db) {
		t.Errorf("%d %s", n, what)
	}
}

// TestHalvesShow takes one row of each kind away and looks for halves: a look
// that finds nothing then would have found nothing in the tests that kill.
func TestHalvesShow(t *testing.T) {
	each(t, func(t *testing.T, at store.Location) {
		s := storetest.Must(t, place(t, at), store.Options{})
		storetest.Fund(t, s, 1000, 1000)
		for n := range 6 {
			must(t, commit(s, "call "+strconv.Itoa(n), n%2*4, n))
		}
		storetest.Close(t, s)
		whole(t, at)
		show(t, storetest.Behind(t, at))
	})
}

func show(t *testing.T, db *sql.DB) {
	t.Helper()
	for _, statement := range []string{
		`DELETE FROM batch WHERE id = (SELECT min(id) FROM batch)`,
		`DELETE FROM message WHERE id = (SELECT min(id) FROM message)`,
		`DELETE FROM job WHERE ref = (SELECT min(ref) FROM job)`,
		`DELETE FROM entry WHERE seq = (SELECT max(seq) FROM entry WHERE kind = 'charge' AND call IN (SELECT call FROM batch))`,
		`DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit WHERE service = 'sms')`,
	} {
		tx, err := db.BeginTx(t.Context(), nil)
		must(t, err)
		gone, err := tx.ExecContext(t.Context(), statement)
		must(t, err)
		if n, err := gone.RowsAffected(); n != 1 || err != nil {
			t.Errorf("%s: %d rows, %v", statement, n, err)
		}
		if len(storetest.Halved(t, tx)) == 0 {
			t.Errorf("%s: nobody would have seen it", statement)
		}
		must(t, tx.Rollback())
	}
}
