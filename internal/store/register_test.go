package store_test

import (
	"errors"
	"slices"
	"testing"

	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/store/storetest"
)

// TestRegisterFromBefore: the register of an older installation, whose rows have
// the whole hash for a key, is found after its migration.
func TestRegisterFromBefore(t *testing.T) {
	each(t, func(t *testing.T, at store.Location) {
		const n = 300
		s := storetest.Must(t, place(t, at), store.Options{})
		must(t, s.PutPeople(t.Context(), storetest.People(0, n), nil))
		blob := "BLOB"
		if at.Database != "" {
			blob = "BYTEA"
		}
		must(t, execute(t, s, `CREATE TABLE former (id `+blob+` PRIMARY KEY, sealed `+blob+` NOT NULL)`))
		for i := range n {
			must(t, execute(t, s, `INSERT INTO former SELECT $1, sealed FROM person WHERE id = $2`,
				s.Keyring().Hash("person", storetest.Code(i).Digits()), store.PersonID(s, storetest.Code(i))))
		}
		must(t, errors.Join(execute(t, s, `DROP TABLE person`), execute(t, s, `ALTER TABLE former RENAME TO person`)))
		storetest.Close(t, s)
		migrateBy(t, at, "00016_register.sql")

		s = storetest.Must(t, place(t, at), store.Options{})
		for i := range n {
			if name, found := asked(t, s, i, storetest.Somebody(i).BirthDate); !found || name != storetest.Somebody(i).LastName {
				t.Fatalf("person %d is %q", i, name)
			}
		}
		must(t, s.PutPeople(t.Context(), storetest.People(0, n), nil))
		var rows int
		if err := s.Writer().QueryRowContext(t.Context(), `SELECT count(*) FROM person`).Scan(&rows); err != nil || rows != n {
			t.Errorf("%d rows after the same people were put again: %v", rows, err)
		}
	})
}

// TestMigratingIsTold: who starts a server on an older installation hears why it
// takes long; who makes a new one hears nothing.
func TestMigratingIsTold(t *testing.T) {
	each(t, func(t *testing.T, at store.Location) {
		var told []int64
		opts := store.Options{Migrating: func(from, to int64) { told = append(told, from, to) }}
		for range 2 {
			storetest.Close(t, storetest.Must(t, place(t, at), opts))
		}
		if len(told) != 0 {
			t.Errorf("%v were told of a new installation", told)
		}
		alter(t, at, `DROP TABLE person_change; DELETE FROM goose_db_version WHERE version_id = 18`)
		storetest.Close(t, storetest.Must(t, place(t, at), opts))
		if !slices.Equal(told, []int64{17, 18}) {
			t.Errorf("%v were told of an older one", told)
		}
	})
}

func execute(t *testing.T, s *store.Store, statement string, args ...any) error {
	t.Helper()
	_, err := s.Writer().ExecContext(t.Context(), statement, args...)
	return err
}

// TestCollision gives somebody's row to another person, whose keyed hash begins
// with the same bytes: nobody is taken for somebody else, or overwritten.
func TestCollision(t *testing.T) {
	each(t, func(t *testing.T, at store.Location) {
		s := storetest.Must(t, place(t, at), store.Options{})
		must(t, s.PutPeople(t.Context(), storetest.People(0, 3), nil))
		p := storetest.Somebody(1)
		must(t, execute(t, s, `UPDATE person SET rest = $1 WHERE id = $2`, []byte("another1"), store.PersonID(s, p.NationalCode)))
		if _, err := s.Person(t.Context(), p.NationalCode); err == nil || fault.From(err).Code != fault.NotFound {
			t.Errorf("read from another's row: %v", err)
		}
		change := func(do func(c *store.Change) error) error {
			return s.Change(t.Context(), store.Act{Actor: "tester", Service: "person", Method: "set"}, do)
		}
		for name, err := range map[string]error{
			"put": s.PutPeople(t.Context(), storetest.People(0, 3), nil),
			"set": change(func(c *store.Change) error { return c.SetPerson(p) }),
			"add": change(func(c *store.Change) error { return c.AddPerson(p) }),
		} {
			if !errors.Is(err, store.ErrCollision) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := change(func(c *store.Change) error { return c.RemovePerson(p.NationalCode) }); !errors.Is(err, store.ErrNone) {
			t.Errorf("another one was removed: %v", err)
		}
		must(t, change(func(c *store.Change) error {
			if there, err := c.HasPerson(p.NationalCode); there || err != nil {
				t.Errorf("there: %v, %v", there, err)
			}
			return c.SetPerson(storetest.Somebody(2))
		}))
	})
}

// TestTheLastOfTwoIsPut puts people of whom one is named twice.
func TestTheLastOfTwoIsPut(t *testing.T) {
	each(t, func(t *testing.T, at store.Location) {
		s := storetest.Must(t, place(t, at), store.Options{})
		people := slices.Collect(storetest.People(0, 200))
		again := people[77]
		again.LastName = "دوم"
		must(t, s.PutPeople(t.Context(), slices.Values(append(people, again)), nil))
		if name, _ := asked(t, s, 77, again.BirthDate); name != "دوم" {
			t.Errorf("%q", name)
		}
	})
}
