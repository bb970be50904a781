package store_test

import (
	"strconv"
	"testing"
	"time"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/store/storetest"
)

// TestChangesKeepTheChain mixes commands and calls, and verifies every link.
func TestChangesKeepTheChain(t *testing.T) {
	each(t, func(t *testing.T, at store.Location) {
		s := storetest.Must(t, place(t, at), store.Options{GroupMax: 8})
		storetest.Fund(t, s, 1<<40)
		const each = 60
		for _, err := range storetest.Together(8, func(worker int) error {
			for i := range each {
				n := worker*each + i
				var err error
				if worker%2 == 0 {
					err = s.Change(t.Context(), store.Act{Actor: "tester", Service: "client", Method: "add", Which: strconv.Itoa(n)},
						func(c *store.Change) error { return c.AddClient("a0", account.Client{ID: strconv.Itoa(n)}) })
				} else {
					err = s.Commit(t.Context(), called(n, time.Now()))
				}
				if err != nil {
					return err
				}
			}
			return nil
		}) {
			if err != nil {
				t.Fatal(err)
			}
		}
		if problems, records, _ := verified(t, at); len(problems) > 0 || records != 8*each {
			t.Errorf("%d records: %v", records, problems)
		}
		alter(t, at, `UPDATE audit SET source = 'nobody' WHERE document = '1'`)
		if problems, _, _ := verified(t, at); len(problems) != 1 || problems[0].Seq == 0 {
			t.Errorf("who acted was changed: %v", problems)
		}
	})
}

// TestLinesFromBefore: the numbers of an older installation are found by any
// spelling, and are taken.
func TestLinesFromBefore(t *testing.T) {
	each(t, func(t *testing.T, at store.Location) {
		s := storetest.Must(t, place(t, at), store.Options{})
		storetest.Fund(t, s, 1)
		storetest.Close(t, s)
		for i, number := range []string{"009830001111", "9830002222", "30003333", "0098", "98123", "981234", "00985678", "0098123"} {
			alter(t, at, `INSERT INTO line (account, place, number, key, suspended) VALUES ('a0', `+strconv.Itoa(i)+`, '`+number+`', '`+number+`', 0)`)
		}
		alter(t, at, `DROP INDEX line_key; ALTER TABLE line DROP COLUMN key; ALTER TABLE domain DROP COLUMN disabled;
			ALTER TABLE client DROP COLUMN disabled; ALTER TABLE client DROP COLUMN former_hash; ALTER TABLE client DROP COLUMN former_until;
			ALTER TABLE business DROP COLUMN disabled; ALTER TABLE business DROP COLUMN former_hash;
			ALTER TABLE business DROP COLUMN former_until`)
		migrateBy(t, at, "00003_administration.sql")
		s = storetest.Must(t, place(t, at), store.Options{})
		_, accounts, err := s.Accounts(t.Context())
		if err != nil || len(accounts[0].Lines) != 8 {
			t.Fatalf("%v: %v", accounts, err)
		}
		for _, l := range accounts[0].Lines {
			err := s.Change(t.Context(), store.Act{}, func(c *store.Change) error {
				return c.SetLine(account.LineKey(l.Number), func(l *account.Line) { l.Suspended = true })
			})
			if err != nil {
				t.Errorf("line %s is not found by its key: %v", l.Number, err)
			}
		}
	})
}
