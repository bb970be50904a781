package store_test

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/store/storetest"
)

func asked(t testing.TB, s *store.Store, i int, born persian.Date) (name string, found bool) {
	t.Helper()
	p, err := s.PersonBorn(t.Context(), storetest.Code(i), born)
	if err != nil && fault.From(err).Code != fault.NotFound {
		t.Fatal(err)
	}
	return p.LastName, err == nil
}

// TestPeopleAreRemembered empties the register behind the store's back: who was
// found is found still, and only by who knows the birth date.
func TestPeopleAreRemembered(t *testing.T) {
	each(t, func(t *testing.T, at store.Location) {
		s := storetest.Must(t, place(t, at), store.Options{})
		none := storetest.Must(t, place(t, storetest.Folder(t)), store.Options{PeopleMemory: -1})
		must(t, errors.Join(s.PutPeople(t.Context(), storetest.People(0, 3), nil), none.PutPeople(t.Context(), storetest.People(0, 3), nil)))
		born := storetest.Somebody(1).BirthDate
		for range 2 {
			for i, other := range []persian.Date{born, born.AddDays(1), {}} {
				if _, found := asked(t, s, 1, other); found != (i == 0) {
					t.Errorf("date %d: found %v", i, found)
				}
				if _, found := asked(t, none, 1, other); found != (i == 0) {
					t.Errorf("date %d, nothing in memory: found %v", i, found)
				}
			}
		}
		if _, found := asked(t, s, 2, storetest.Somebody(2).BirthDate); !found {
			t.Error("somebody is not there")
		}
		alter(t, at, `DELETE FROM person`)
		for i, other := range []persian.Date{born, born.AddDays(1), {}} {
			if _, found := asked(t, s, 1, other); found != (i == 0) {
				t.Errorf("date %d, from memory: found %v", i, found)
			}
		}
		if _, found := asked(t, s, 2, storetest.Somebody(2).BirthDate); found {
			t.Error("somebody is remembered who was asked about once")
		}
		must(t, s.ForgetPeople(t.Context()))
		if _, found := asked(t, s, 1, born); found {
			t.Error("somebody was not forgotten")
		}
	})
}

// TestChangesOfPeopleAreSeen: in the process that changes at once, in another
// one when the number has risen and it forgets.
func TestChangesOfPeopleAreSeen(t *testing.T) {
	each(t, func(t *testing.T, at store.Location) {
		s := storetest.Must(t, place(t, at), store.Options{})
		must(t, s.PutPeople(t.Context(), storetest.People(0, 2), nil))
		command, err := store.Attach(t.Context(), at, store.Options{})
		must(t, err)
		t.Cleanup(func() { must(t, command.Close()) })
		p := storetest.Somebody(1)
		act := store.Act{Actor: "tester", Service: "person", Method: "set"}
		set := func(c *store.Change) error { return c.SetPerson(p) }
		remove := func(c *store.Change) error { return c.RemovePerson(p.NationalCode) }
		for _, by := range []*store.Store{s, command} {
			for _, name := range []string{"اول", "دوم", ""} {
				before, err := s.Versions(t.Context())
				must(t, err)
				p.LastName = name
				do := set
				if name == "" {
					do = remove
				}
				must(t, by.Change(t.Context(), act, do))
				after, err := s.Versions(t.Context())
				must(t, err)
				if after.People == before.People {
					t.Errorf("%q: nobody hears of it", name)
				}
				if by == command {
					must(t, s.ForgetPeople(t.Context()))
				}
				if got, found := asked(t, s, 1, p.BirthDate); got != name || found != (name != "") {
					t.Errorf("%q after it was made %q", got, name)
				}
			}
			must(t, by.Change(t.Context(), act, func(c *store.Change) error { return c.AddPerson(p) }))
			if _, found := asked(t, s, 1, p.BirthDate); !found {
				t.Error("who was added is not found at once")
			}
		}
		p.LastName = "سوم"
		must(t, s.PutPeople(t.Context(), slices.Values([]store.Person{p}), nil))
		if got, _ := asked(t, s, 1, p.BirthDate); got != p.LastName {
			t.Errorf("%q after all were put", got)
		}
	})
}

// TestNobodySeesWhoWasChanged has calls read somebody while he is changed: who
// asks after a change is done must see it, whatever others read before it.
func TestNobodySeesWhoWasChanged(t *testing.T) {
	each(t, func(t *testing.T, at store.Location) {
		s := storetest.Must(t, place(t, at), store.Options{})
		p := storetest.Somebody(1)
		must(t, s.PutPeople(t.Context(), slices.Values([]store.Person{p}), nil))
		stop := make(chan struct{})
		var readers sync.WaitGroup
		for range 4 {
			readers.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						asked(t, s, 1, p.BirthDate)
					}
				}
			})
		}
		for i := range 100 {
			p.LastName = string(rune('ا' + i%20))
			must(t, s.Change(t.Context(), store.Act{Actor: "tester", Service: "person", Method: "set"}, func(c *store.Change) error { return c.SetPerson(p) }))
			if got, _ := asked(t, s, 1, p.BirthDate); got != p.LastName {
				t.Errorf("change %d is not seen", i)
			}
		}
		close(stop)
		readers.Wait()
	})
}

// TestMemoryOfPeopleIsBounded asks about more people than there is room for.
func TestMemoryOfPeopleIsBounded(t *testing.T) {
	t.Parallel()
	at := storetest.Folder(t)
	s := storetest.Must(t, place(t, at), store.Options{PeopleMemory: 64 << 10})
	const n = 2000
	must(t, s.PutPeople(t.Context(), storetest.People(0, n), nil))
	for i := range 2 * n {
		if _, found := asked(t, s, i/2, storetest.Somebody(i/2).BirthDate); !found {
			t.Fatalf("person %d", i/2)
		}
	}
	store.SettleMemory(s)
	alter(t, at, `DELETE FROM person`)
	left := 0
	for i := range n {
		if _, found := asked(t, s, i, storetest.Somebody(i).BirthDate); found {
			left++
		}
	}
	if left == 0 || left > 64<<10/250 {
		t.Errorf("%d people are remembered in 64 KiB", left)
	}
}

// TestPeopleAreReadAhead has a store read people into memory before anybody
// asks: it answers about those for whom there is room, and about nobody who was
// changed since.
func TestPeopleAreReadAhead(t *testing.T) {
	each(t, func(t *testing.T, at store.Location) {
		const n = 2500
		s := storetest.Must(t, place(t, at), store.Options{})
		small := func() *store.Store {
			command, err := store.Attach(t.Context(), at, store.Options{PeopleMemory: 128 << 10})
			must(t, err)
			t.Cleanup(func() { must(t, command.Close()) })
			return command
		}()
		must(t, s.PutPeople(t.Context(), storetest.People(0, n), nil))
		select {
		case <-s.Forgotten():
		default:
			t.Error("nobody hears that people were put")
		}
		must(t, errors.Join(s.RememberPeople(t.Context()), small.RememberPeople(t.Context())))
		store.SettleMemory(small)
		p := storetest.Somebody(7)
		p.LastName = "نو"
		must(t, s.Change(t.Context(), store.Act{Actor: "tester", Service: "person", Method: "set"}, func(c *store.Change) error { return c.SetPerson(p) }))
		if name, _ := asked(t, s, 7, p.BirthDate); name != p.LastName {
			t.Errorf("%q after a change", name)
		}
		must(t, s.RememberPeople(t.Context()))
		alter(t, at, `DELETE FROM person`)
		few := 0
		for i := range n {
			if name, found := asked(t, s, i, storetest.Somebody(i).BirthDate); !found || i == 7 && name != p.LastName {
				t.Fatalf("person %d is not in memory, or another: %q", i, name)
			}
			if _, found := asked(t, s, i, storetest.Somebody(i).BirthDate.AddDays(1)); found {
				t.Fatalf("person %d is found by a wrong date", i)
			}
			if _, found := asked(t, small, i, storetest.Somebody(i).BirthDate); found {
				few++
			}
		}
		if few == 0 || few > 128<<10/250 {
			t.Errorf("%d people in 128 KiB", few)
		}
	})
}
