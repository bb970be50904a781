package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/fixture"
	"dargah.dev/dargah/internal/password"
	"dargah.dev/dargah/internal/store"
)

// Merging is how a world is brought into an installation that has one already.
type Merging struct {
	Filling
	Act store.Act
	// Replace brings what is there up to date. Without it that is left alone.
	Replace bool
}

// Merged counts what became of the entries of one kind.
type Merged struct {
	Kind    string `json:"kind"`
	Added   int    `json:"added"`
	Kept    int    `json:"kept"` // there already
	Updated int    `json:"updated"`
}

// Merge adds to an installation what a world has besides, all of it or nothing
// but for the population, which follows after. Nothing is ever removed, and the
// wallets of accounts that are there are left alone. Merging again is harmless.
// The error names every entry that clashes with another account's.
func Merge(ctx context.Context, s *store.Store, w *fixture.World, m Merging) ([]Merged, error) {
	if m.Now == nil {
		m.Now = time.Now
	}
	hashes, err := hashAll(ctx, s, w, m)
	if err != nil {
		return nil, err
	}
	var done *merge
	err = s.Change(ctx, m.Act, func(c *store.Change) error {
		done = &merge{Change: c, Merging: m, world: w, hashes: hashes}
		return done.run()
	})
	if err != nil && !errors.Is(err, store.ErrUnchanged) {
		return nil, err
	}
	if w.Population > 0 {
		alone := &fixture.World{Population: w.Population, People: w.People}
		err = s.PutPeople(ctx, entries(everybody(alone, m.Seed), len(w.People)), m.Progress)
		done.tally("population").Added = w.Population
	} else {
		err = nil
	}
	return done.tallies, err
}

// hashed are an account's password hashes.
type hashed struct{ password, token string }

// hashAll does the slow work before anybody has to wait for the change. A
// password that is the same keeps its hash, and with it the account's tokens.
func hashAll(ctx context.Context, s *store.Store, w *fixture.World, m Merging) ([]hashed, error) {
	domains, accounts, err := s.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	there, err := account.NewDirectory(domains, accounts)
	if err != nil {
		return nil, err
	}
	all := make([]hashed, len(w.Accounts))
	for i, a := range w.Accounts {
		old := there.ByName(a.Domain, a.Username)
		switch {
		case old == nil:
			old = &account.Account{}
		case !m.Replace:
			continue
		}
		if all[i].password, err = hash(ctx, m.Passwords, old.Password, a.Password); err != nil {
			return nil, err
		}
		if all[i].token, err = hash(ctx, m.Passwords, old.TokenPassword, a.TokenPassword); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// hash gives the old hash where it is of this password, and none of none.
func hash(ctx context.Context, gate *password.Gate, old, plain string) (string, error) {
	if plain == "" {
		return "", nil
	}
	if old != "" {
		if same, err := gate.Check(ctx, "", old, plain); err != nil || same {
			return old, err
		}
	}
	return gate.Hash(plain), nil
}

// merge is a merging under way.
type merge struct {
	*store.Change
	Merging
	world   *fixture.World
	hashes  []hashed
	tallies []Merged
	clashes []error
}

func (m *merge) tally(kind string) *Merged {
	i := slices.IndexFunc(m.tallies, func(t Merged) bool { return t.Kind == kind })
	if i < 0 {
		i = len(m.tallies)
		m.tallies = append(m.tallies, Merged{Kind: kind})
	}
	return &m.tallies[i]
}

func (m *merge) run() error {
	for _, step := range []func() error{m.domains, m.accounts, m.origins, m.prices, m.blocks, m.incoming, m.scripts, m.people, m.reports} {
		if err := step(); err != nil {
			return err
		}
	}
	if len(m.clashes) > 0 {
		return errors.Join(m.clashes...)
	}
	if !slices.ContainsFunc(m.tallies, func(t Merged) bool { return t.Added+t.Updated > 0 }) {
		return store.ErrUnchanged
	}
	return nil
}

// clash notes an entry whose name is taken; another error ends the merging.
func (m *merge) clash(whose string, err error) error {
	if !errors.Is(err, store.ErrTaken) {
		return err
	}
	m.clashes = append(m.clashes, fmt.Errorf("account %s: %w", whose, err))
	return nil
}

func (m *merge) domains() error {
	before, err := m.Domains()
	if err != nil {
		return err
	}
	for _, d := range m.world.Domains {
		old, err := m.Domain(d.Name)
		switch {
		case errors.Is(err, store.ErrNone):
			err = m.AddDomain(account.Domain{Name: d.Name, Default: d.Default && (m.Replace || len(before) == 0)})
			m.tally("domains").Added++
		case err != nil:
		case m.Replace && d.Default && !old.Default:
			err = m.SetDomain(d.Name, func(old *account.Domain) { old.Default = true })
			m.tally("domains").Updated++
		default:
			m.tally("domains").Kept++
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (m *merge) origins() error {
	if m.world.Open {
		return nil
	}
	err := ChangeOrigins(m.Change, func(have []string) ([]string, error) {
		if m.Replace && !slices.Equal(have, m.world.Origins) {
			m.tally("origins").Updated += len(m.world.Origins)
			return m.world.Origins, nil
		}
		added := 0
		for _, o := range m.world.Origins {
			if slices.Contains(have, o) {
				m.tally("origins").Kept++
				continue
			}
			have, added = append(have, o), added+1
		}
		m.tally("origins").Added += added
		if added == 0 {
			return nil, store.ErrUnchanged
		}
		return have, nil
	})
	return unlessUnchanged(err)
}

func unlessUnchanged(err error) error {
	if errors.Is(err, store.ErrUnchanged) {
		return nil
	}
	return err
}

func (m *merge) prices() error {
	have, err := m.Prices()
	if err != nil {
		return err
	}
	for _, service := range slices.Sorted(maps.Keys(m.world.Prices)) {
		old, there := have[service]
		amount := m.world.Prices[service]
		switch {
		case !there:
			m.tally("prices").Added++
		case m.Replace && old != amount:
			m.tally("prices").Updated++
		default:
			m.tally("prices").Kept++
			continue
		}
		if err := m.SetPrice(service, amount); err != nil {
			return err
		}
	}
	return nil
}

func (m *merge) blocks() error {
	for _, b := range NewBlocks(m.world.Blocks) {
		there, err := m.HasBlock(b)
		switch {
		case err != nil:
			return err
		case there:
			m.tally("blocks").Kept++
			continue
		}
		m.tally("blocks").Added++
		if err := m.AddBlock(b); err != nil {
			return err
		}
	}
	return nil
}

// incoming messages have no names: one that the same sender sent in the same
// words is the same.
func (m *merge) incoming() error {
	for _, one := range NewIncoming(m.world.Incoming, m.Now()) {
		there, err := m.HasIncoming(one)
		switch {
		case err != nil:
			return err
		case there:
			m.tally("incoming messages").Kept++
			continue
		}
		m.tally("incoming messages").Added++
		if _, err := m.AddIncoming(one); err != nil {
			return err
		}
	}
	return nil
}

// scripts have no names: one that is there in the same words is the same.
func (m *merge) scripts() error {
	err := ChangeScripts(m.Change, func(have []Script) ([]Script, error) {
		before := len(have)
		for _, sc := range m.world.Scenarios {
			made := NewScript(sc)
			if slices.ContainsFunc(have, func(s Script) bool { return sameScript(s, made) }) {
				m.tally("scenarios").Kept++
				continue
			}
			have = append(have, made)
			m.tally("scenarios").Added++
		}
		if len(have) == before {
			return nil, store.ErrUnchanged
		}
		return have, nil
	})
	return unlessUnchanged(err)
}

func sameScript(a, b Script) bool {
	if len(a.When) == 0 && len(b.When) == 0 {
		a.When, b.When = nil, nil
	}
	return reflect.DeepEqual(a, b)
}

func (m *merge) people() error {
	for _, p := range m.world.People {
		there, err := m.HasPerson(p.NationalCode)
		switch {
		case err != nil:
			return err
		case !there:
			m.tally("people").Added++
		case m.Replace:
			m.tally("people").Updated++
		default:
			m.tally("people").Kept++
			continue
		}
		if err := m.SetPerson(NewPerson(p)); err != nil {
			return err
		}
	}
	return nil
}

// reports of somebody who has some are left alone: their ages are counted from
// now, so that every merging would add them again.
func (m *merge) reports() error {
	for _, file := range m.world.Credit {
		n, err := m.Reports(file.NationalCode)
		switch {
		case err != nil:
			return err
		case n == 0:
			m.tally("credit files").Added++
		case m.Replace:
			m.tally("credit files").Updated++
			if err := m.RemoveReports(file.NationalCode); err != nil {
				return err
			}
		default:
			m.tally("credit files").Kept++
			continue
		}
		if err := m.AddReports(file.NationalCode, NewReports(file.Reports, m.Now())); err != nil {
			return err
		}
	}
	return nil
}
