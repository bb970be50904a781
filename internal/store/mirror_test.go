package store_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

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

var setPerson = store.Act{Actor: "tester", Service: "person", Method: "set"}

func mirrored(t testing.TB, s *store.Store, want int) {
	t.Helper()
	n, err := s.MirrorPeople(t.Context())
	must(t, err)
	if n != want {
		t.Fatalf("%d people are mirrored instead of %d", n, want)
	}
}

// missed tells whether a new mirror is asked for.
func missed(s *store.Store) bool {
	select {
	case <-s.MirrorMissed():
		return true
	default:
		return false
	}
}

// another opens an installation that is open as another process does.
func another(t testing.TB, at store.Location) *store.Store {
	t.Helper()
	s, err := store.Attach(t.Context(), at, store.Options{})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

// TestPeopleAreMirrored empties the register behind the store's back: people are
// found still, and only by who knows the birth date.
func TestPeopleAreMirrored(t *testing.T) {
	each(t, func(t *testing.T, at store.Location) {
		const n = 4100
		s := storetest.Must(t, place(t, at), store.Options{})
		mirrored(t, s, 0)
		must(t, s.PutPeople(t.Context(), storetest.People(0, n), nil))
		check := func(in string, i int) {
			born := storetest.Somebody(i).BirthDate
			for j, other := range []persian.Date{born, born.AddDays(1), {}} {
				if name, found := asked(t, s, i, other); found != (j == 0) || found && name != storetest.Somebody(i).LastName {
					t.Fatalf("person %d, %s, date %d: found %v, %q", i, in, j, found, name)
				}
			}
			if _, found := asked(t, s, n+i, born); found {
				t.Fatalf("person %d, %s: found without being there", n+i, in)
			}
		}
		check("database", 1)
		if !missed(s) {
			t.Error("nobody hears that people were put")
		}
		mirrored(t, s, n)
		if missed(s) {
			t.Error("a mirror that was just made is missed")
		}
		check("mirror", 1)
		inFile := another(t, at)
		store.MirrorInFile(inFile)
		mirrored(t, inFile, n)
		alter(t, at, `DELETE FROM person`)
		for i := range n {
			check("mirror alone", i)
			if _, found := asked(t, inFile, i, storetest.Somebody(i).BirthDate); !found {
				t.Fatalf("person %d is not in a mirror that is in its file alone", i)
			}
		}
		mirrored(t, s, 0)
		if _, found := asked(t, s, 1, storetest.Somebody(1).BirthDate); found {
			t.Error("somebody is found in a mirror of nobody")
		}
	})
}

// TestChangesOfPeopleAreSeen: in the process that changes at once, in another
// one when the number has risen and it follows; and only who was changed is read
// from the database from then on.
func TestChangesOfPeopleAreSeen(t *testing.T) {
	each(t, func(t *testing.T, at store.Location) {
		s := storetest.Must(t, place(t, at), store.Options{})
		must(t, s.PutPeople(t.Context(), storetest.People(0, 4), nil))
		command := another(t, at)
		for i, by := range []*store.Store{s, command} {
			mirrored(t, s, 4)
			p := storetest.Somebody(i)
			for _, name := range []string{"اول", "دوم", ""} {
				before, err := s.Versions(t.Context())
				must(t, err)
				p.LastName = name
				must(t, by.Change(t.Context(), setPerson, func(c *store.Change) error {
					if name == "" {
						return c.RemovePerson(p.NationalCode)
					}
					return c.SetPerson(p)
				}))
				after, err := s.Versions(t.Context())
				must(t, err)
				if after.People == before.People {
					t.Errorf("%q: nobody hears of it", name)
				}
				if by == command {
					must(t, s.FollowPeople(t.Context()))
				}
				if got, found := asked(t, s, i, p.BirthDate); got != name || found != (name != "") {
					t.Errorf("%q after it was made %q", got, name)
				}
			}
			must(t, by.Change(t.Context(), setPerson, func(c *store.Change) error { return c.AddPerson(p) }))
			if _, found := asked(t, s, i, p.BirthDate); !found {
				t.Error("who was added is not found at once")
			}
		}
		p := storetest.Somebody(2)
		p.LastName = "سوم"
		must(t, command.PutPeople(t.Context(), slices.Values([]store.Person{p}), nil))
		must(t, s.FollowPeople(t.Context()))
		if got, _ := asked(t, s, 2, p.BirthDate); got != p.LastName {
			t.Errorf("%q after all were put", got)
		}
		alter(t, at, `DELETE FROM person`)
		for i, left := range []bool{true, false, false, true} {
			if _, found := asked(t, s, i, storetest.Somebody(i).BirthDate); found != left {
				t.Errorf("person %d is found in the mirror: %v", i, found)
			}
		}
	})
}

// TestMirrorIsDropped where anybody may have been changed.
func TestMirrorIsDropped(t *testing.T) {
	each(t, func(t *testing.T, at store.Location) {
		s := storetest.Must(t, place(t, at), store.Options{})
		command := another(t, at)
		many := func(s *store.Store) error { return s.PutPeople(t.Context(), storetest.People(0, 200), nil) }
		must(t, many(s))
		for name, change := range map[string]func() error{
			"many, here":      func() error { return many(s) },
			"many, elsewhere": func() error { return many(command) },
			"by a version that does not tell whom": func() error {
				alter(t, at, `UPDATE version SET number = number + 1 WHERE kind = 'people'`)
				return nil
			},
			"long ago": func() error {
				return errors.Join(
					command.Change(t.Context(), setPerson, func(c *store.Change) error { return c.SetPerson(storetest.Somebody(1)) }),
					func() error {
						alter(t, at, `UPDATE version SET number = number + 1000 WHERE kind = 'people'`)
						return nil
					}(),
					command.Change(t.Context(), setPerson, func(c *store.Change) error { return c.SetPerson(storetest.Somebody(2)) }),
				)
			},
		} {
			missed(s)
			mirrored(t, s, 200)
			must(t, change())
			must(t, s.FollowPeople(t.Context()))
			if !missed(s) || store.Mirrored(s) {
				t.Errorf("%s: the mirror is still in force", name)
			}
			if _, found := asked(t, s, 3, storetest.Somebody(3).BirthDate); !found {
				t.Errorf("%s: somebody is not found", name)
			}
		}
		var kept int
		if err := s.Writer().QueryRowContext(t.Context(), `SELECT count(*) FROM person_change`).Scan(&kept); err != nil || kept != 1 {
			t.Errorf("%d changes of long ago are kept: %v", kept, err)
		}
		mirrored(t, s, 200)
		must(t, command.Change(t.Context(), setPerson, func(c *store.Change) error { return c.SetPerson(storetest.Somebody(2)) }))
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.FollowPeople(ended); err == nil || store.Mirrored(s) || !missed(s) {
			t.Errorf("the mirror is in force although nobody knows who was changed: %v", err)
		}
	})
}

// TestChangesWhileTheMirrorIsMade come at each of its steps, from here and from
// another process.
func TestChangesWhileTheMirrorIsMade(t *testing.T) {
	each(t, func(t *testing.T, at store.Location) {
		s := storetest.Must(t, place(t, at), store.Options{})
		must(t, s.PutPeople(t.Context(), storetest.People(0, 10), nil))
		for by, from := range map[string]*store.Store{"here": s, "elsewhere": another(t, at)} {
			p := storetest.Somebody(1)
			change := func(name string) {
				p.LastName = name
				must(t, from.Change(t.Context(), setPerson, func(c *store.Change) error { return c.SetPerson(p) }))
			}
			see := func(when string) {
				if got, found := asked(t, s, 1, p.BirthDate); !found || got != p.LastName {
					t.Errorf("%s, %s: %q", by, when, got)
				}
			}
			for _, at := range []string{"before it is copied", "after it was copied", "after it was followed"} {
				if at == "after it was followed" && from != s {
					continue // the next look finds it
				}
				copied, follow, end := store.MirrorSteps(t.Context(), s)
				for _, step := range []struct {
					when string
					do   func() error
				}{{"before it is copied", copied}, {"after it was copied", follow}, {"after it was followed", end}} {
					if step.when == at {
						change(at)
					}
					must(t, step.do())
				}
				see(at)
			}
			copied, follow, end := store.MirrorSteps(t.Context(), s)
			must(t, errors.Join(copied(), from.PutPeople(t.Context(), storetest.People(0, 200), nil), follow(), end()))
			if !missed(s) {
				t.Errorf("%s: nobody hears that many were changed", by)
			}
			p = storetest.Somebody(1)
			must(t, s.FollowPeople(t.Context()))
			see("many")
		}
	})
}

// TestNobodySeesWhoWasChanged has calls read somebody while he is changed and
// mirrors are made: who asks after a change is done must see it, whatever others
// read before it.
func TestNobodySeesWhoWasChanged(t *testing.T) {
	each(t, func(t *testing.T, at store.Location) {
		s := storetest.Must(t, place(t, at), store.Options{})
		p := storetest.Somebody(1)
		must(t, s.PutPeople(t.Context(), slices.Values([]store.Person{p}), nil))
		stop := make(chan struct{})
		var readers sync.WaitGroup
		until := func(do func()) {
			readers.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						do()
					}
				}
			})
		}
		for range 4 {
			until(func() { asked(t, s, 1, p.BirthDate) })
		}
		until(func() {
			if _, err := s.MirrorPeople(t.Context()); err != nil {
				t.Error(err)
			}
		})
		for i := range 100 {
			p.LastName = string(rune('ا' + i%20))
			must(t, s.Change(t.Context(), setPerson, func(c *store.Change) error { return c.SetPerson(p) }))
			if got, _ := asked(t, s, 1, p.BirthDate); got != p.LastName {
				t.Errorf("change %d is not seen", i)
			}
		}
		close(stop)
		readers.Wait()
	})
}

// TestMirrorIsMissed when many are found who are not in it; those whom it can
// never have are left out.
func TestMirrorIsMissed(t *testing.T) {
	t.Parallel()
	s := storetest.Must(t, place(t, storetest.Folder(t)), store.Options{})
	large := storetest.Somebody(0)
	large.Address = strings.Repeat("نشانی ", store.MirrorBlock/8)
	must(t, s.PutPeople(t.Context(), slices.Values([]store.Person{large, storetest.Somebody(1)}), nil))
	mirrored(t, s, 1)
	must(t, s.Change(t.Context(), setPerson, func(c *store.Change) error { return c.AddPerson(storetest.Somebody(2)) }))
	ask := func(i int) {
		for range 1001 {
			if _, found := asked(t, s, i, storetest.Somebody(i).BirthDate); !found {
				t.Fatalf("person %d is not found", i)
			}
		}
	}
	ask(0)
	ask(1)
	if missed(s) {
		t.Error("a mirror of all who fit into it is missed")
	}
	ask(2)
	if !missed(s) {
		t.Error("somebody is asked for all the time, and never mirrored")
	}
	mirrored(t, s, 2)
	for i := range 11 {
		must(t, s.PutPeople(t.Context(), storetest.People(10+100*i, 100), nil))
	}
	if !missed(s) || !store.Mirrored(s) {
		t.Error("a mirror with a thousand changes is good enough")
	}
}

// TestDamagedMirror answers nobody wrongly: the database does.
func TestDamagedMirror(t *testing.T) {
	t.Parallel()
	s := storetest.Must(t, place(t, storetest.Folder(t)), store.Options{})
	store.MirrorInFile(s)
	must(t, s.PutPeople(t.Context(), storetest.People(0, 50), nil))
	all := func(what string) {
		for i := range 50 {
			name, found := asked(t, s, i, storetest.Somebody(i).BirthDate)
			if !found || name != storetest.Somebody(i).LastName {
				t.Fatalf("%s: person %d is %q", what, i, name)
			}
		}
	}
	for what, damage := range map[string]func(*os.File) error{
		"cut": func(f *os.File) error { return f.Truncate(store.MirrorBlock / 2) },
		"blank": func(f *os.File) error {
			_, err := f.WriteAt(make([]byte, 3*store.MirrorBlock), 0)
			return err
		},
		"garbage": func(f *os.File) error {
			_, err := f.WriteAt(bytes.Repeat([]byte{0xa5}, 3*store.MirrorBlock), 30)
			return err
		},
	} {
		mirrored(t, s, 50)
		must(t, store.DamageMirror(s, damage))
		all(what)
	}
}

// TestMirrorThatCannotBeMade leaves the one in force where it is, and the disk to
// others.
func TestMirrorThatCannotBeMade(t *testing.T) {
	t.Parallel()
	at := storetest.Folder(t)
	s := storetest.Must(t, place(t, at), store.Options{})
	must(t, s.PutPeople(t.Context(), storetest.People(0, 5), nil))
	mirrored(t, s, 5)
	if store.MirrorHasFile(s) {
		t.Error("so few people are in a file")
	}
	store.MirrorInFile(s)
	mirrored(t, s, 5)
	fails := func(why string) {
		if n, err := s.MirrorPeople(t.Context()); err == nil || n != 0 {
			t.Errorf("%s: %d people are mirrored, %v", why, n, err)
		}
		if !store.Mirrored(s) {
			t.Errorf("%s: the mirror in force is gone", why)
		}
	}
	store.MirrorElsewhere(s, filepath.Join(at.Dir, "nowhere"))
	fails("no folder")
	store.MirrorElsewhere(s, filepath.Join(at.Dir, "nowhere"), at.Dir)
	mirrored(t, s, 5)
	if store.MirrorRoom(s, 1<<62) {
		fails("no room")
	}
	names, err := filepath.Glob(filepath.Join(at.Dir, "*.tmp"))
	if err != nil || len(names) > 0 {
		t.Errorf("files with a name are left: %v, %v", names, err)
	}
}

// Rows of any sizes are found by their keys, and by no others.
func TestMirrorHasWhatItWasGiven(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfNDistinct(rapid.SliceOfN(rapid.Byte(), 16, 16), 0, 60, func(k []byte) string { return string(k[:8]) }).Draw(t, "keys")
		// Numbers are signed: the order of their bytes is another.
		slices.SortFunc(keys, func(a, b []byte) int {
			return bytes.Compare(append([]byte{a[0] ^ 0x80}, a[1:]...), append([]byte{b[0] ^ 0x80}, b[1:]...))
		})
		sealed := make([][]byte, len(keys))
		for i := range sealed {
			n := rapid.OneOf(rapid.IntRange(1, 300), rapid.IntRange(store.MirrorBlock-40, store.MirrorBlock+40)).Draw(t, "bytes")
			sealed[i] = bytes.Repeat([]byte{byte(i + 1)}, n)
		}
		memory := rapid.SampledFrom([]int{0, 3 * store.MirrorBlock, 1 << 20}).Draw(t, "memory")
		sample := rapid.SampledFrom([]int{store.MirrorBlock, 2 * store.MirrorBlock, 1 << 20}).Draw(t, "sample")
		m, err := store.NewMirrorOf(dir, memory, sample, keys, sealed)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := m.Close(); err != nil {
				t.Error(err)
			}
		}()
		for i, key := range keys {
			want := sealed[i]
			if len(want)+18 > store.MirrorBlock {
				want = nil
			}
			if got := m.Find(key); !bytes.Equal(got, want) {
				t.Fatalf("row %d of %d has %d bytes instead of %d", i, len(keys), len(got), len(want))
			}
			other := slices.Clone(key)
			other[15] ^= 1
			if m.Find(other) != nil {
				t.Fatal("somebody is found who has the number of another")
			}
		}
		if key := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "other"); !slices.ContainsFunc(keys, func(k []byte) bool { return bytes.Equal(k, key) }) && m.Find(key) != nil {
			t.Fatal("somebody is found who is not there")
		}
	})
}

// Blocks that are no longer what was written give nothing, or bytes of theirs.
func TestBlocksOfAnything(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		block := rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(t, "block")
		key := make([]byte, 16)
		copy(key, block)
		store.FindInBlock(block, key)
	})
}
