package app

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/fixture"
	"dargah.dev/dargah/internal/fixture/population"
	"dargah.dev/dargah/internal/inquiry/credit"
	"dargah.dev/dargah/internal/inquiry/person"
	"dargah.dev/dargah/internal/password"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/source/scenario"
	"dargah.dev/dargah/internal/store"
)

// The settings that a world is kept in.
const (
	settingState    = "world/state"
	settingOrigins  = "world/origins"
	secretScenarios = "world/scenarios"   // sealed: they name people
	secretShown     = "world/credentials" // sealed: a sandbox prints them at every start
)

// Fullness tells whether a data folder has its world.
type Fullness string

// A folder is Partial when its filling was cut short, and Served when it was
// made to serve customers: nothing is made up in it.
const (
	Empty   Fullness = ""
	Partial Fullness = "partial"
	Full    Fullness = "full"
	Served  Fullness = "served"
)

// MarkServed marks a store as one that serves customers.
func MarkServed(ctx context.Context, s *store.Store) error {
	switch state, err := State(ctx, s); {
	case err != nil:
		return err
	case state == Partial:
		return errors.New("a sandbox began to fill this installation and was cut short: start the sandbox again, or choose another folder")
	case state == Empty:
		return s.PutSetting(ctx, settingState, string(Served))
	default:
		return nil
	}
}

// State reads how full the store is.
func State(ctx context.Context, s *store.Store) (Fullness, error) {
	text, _, err := s.Setting(ctx, settingState)
	return Fullness(text), err
}

// Filling is how a world is stored.
type Filling struct {
	Passwords *password.Gate
	Seed      uint64    // of the population
	Progress  func(int) // people stored so far
	Now       func() time.Time
}

// Fill stores a world in an empty store. Cut short, it leaves the store
// Partial: to be thrown away, not to be used.
func Fill(ctx context.Context, s *store.Store, w *fixture.World, f Filling) error {
	if f.Now == nil {
		f.Now = time.Now
	}
	if f.Progress == nil {
		f.Progress = func(int) {}
	}
	steps := []func() error{
		func() error { return s.PutSetting(ctx, settingState, string(Partial)) },
		func() error { return putAccounts(ctx, s, w, f.Passwords) },
		func() error { return s.PutPrices(ctx, w.Prices) },
		func() error { return putSettings(ctx, s, w) },
		func() error { return putPeople(ctx, s, w, f) },
		func() error { return putReports(ctx, s, w, f.Now()) },
		func() error { return keepCredentials(ctx, s, w, f) },
		func() error { return s.PutSetting(ctx, settingState, string(Full)) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return fmt.Errorf("fill the data folder: %w", err)
		}
	}
	return nil
}

func putAccounts(ctx context.Context, s *store.Store, w *fixture.World, gate *password.Gate) error {
	domains := make([]account.Domain, 0, len(w.Domains))
	for _, d := range w.Domains {
		domains = append(domains, account.Domain{Name: d.Name, Default: d.Default})
	}
	if err := s.PutDomains(ctx, domains); err != nil {
		return err
	}
	openings := make([]store.Account, 0, len(w.Accounts))
	for i, a := range w.Accounts {
		openings = append(openings, store.Account{Account: newAccount(a, int64(i+1), gate), Balance: rial.Amount(a.Balance)})
	}
	return s.PutAccounts(ctx, openings)
}

func newAccount(a fixture.Account, number int64, gate *password.Gate) account.Account {
	made := account.Account{
		ID: fmt.Sprintf("a%d", number), Number: number, Domain: a.Domain, Username: a.Username,
		FirstName: a.FirstName, LastName: a.LastName, Password: gate.Hash(a.Password),
		Disabled: a.Status == fixture.Disabled, TokenDays: a.TokenDays, Rate: a.Rate,
		Allowed: a.Allowed, Grants: account.NewGrants(a.Services),
	}
	if a.TokenPassword != "" {
		made.TokenPassword = gate.Hash(a.TokenPassword)
	}
	if !a.Expires.IsZero() {
		made.Expires = a.Expires.Time()
	}
	for _, l := range a.Lines {
		made.Lines = append(made.Lines, account.Line{Number: l.Number, Suspended: l.Status == fixture.Suspended})
	}
	for _, c := range a.Clients {
		made.Clients = append(made.Clients, account.Client{ID: c.ID, SecretHash: sha256.Sum256([]byte(c.Secret)), PasswordGrant: c.PasswordGrant})
	}
	for _, b := range a.Business {
		made.Business = append(made.Business, account.Business{ID: b.ID, TokenHash: sha256.Sum256([]byte(b.Token))})
	}
	return made
}

func putSettings(ctx context.Context, s *store.Store, w *fixture.World) error {
	var rules []Script
	for _, sc := range w.Scenarios {
		rules = append(rules, script(sc))
	}
	origins, err := json.Marshal(w.Origins)
	if err != nil {
		return fmt.Errorf("setting %s: %w", settingOrigins, err)
	}
	scripted, err := json.Marshal(rules)
	if err != nil {
		return fmt.Errorf("secret %s: %w", secretScenarios, err)
	}
	if _, err := s.Secret(ctx, secretScenarios, func() []byte { return scripted }); err != nil {
		return err
	}
	return s.PutSetting(ctx, settingOrigins, string(origins))
}

func script(s fixture.Scenario) Script {
	return Script{
		Rule: scenario.Rule{
			Service: s.Service, When: s.When, Fault: s.Then.Fault, After: s.Then.After, Times: s.Then.Times,
		},
		Delivery: s.Then.Delivery,
	}
}

// putPeople stores the file's people and then the population, which leaves
// out the codes that the file already has.
func putPeople(ctx context.Context, s *store.Store, w *fixture.World, f Filling) error {
	entries := func(yield func(store.Person) bool) {
		for p := range everybody(w, f.Seed) {
			if !yield(entry(p)) {
				return
			}
		}
	}
	return s.PutPeople(ctx, entries, f.Progress)
}

func everybody(w *fixture.World, seed uint64) iter.Seq[fixture.Person] {
	named := make(map[persian.NationalCode]bool, len(w.People))
	for _, p := range w.People {
		named[p.NationalCode] = true
	}
	return func(yield func(fixture.Person) bool) {
		for _, p := range w.People {
			if !yield(p) {
				return
			}
		}
		for p := range population.People(w.Population, seed, func(c persian.NationalCode) bool { return named[c] }) {
			if !yield(p) {
				return
			}
		}
	}
}

func entry(p fixture.Person) store.Person {
	made := store.Person{
		Person: person.Person{
			NationalCode: p.NationalCode, BirthDate: p.BirthDate,
			FirstName: p.FirstName, LastName: p.LastName, FatherName: p.FatherName, Dead: !p.Alive,
			Certificate: person.Certificate(p.Certificate),
		},
		Mobiles: p.Mobiles, PostalCode: p.PostalCode, Address: p.Address,
	}
	if p.Gender == fixture.Female {
		made.Gender = person.Female
	}
	for _, i := range p.IBANs {
		made.IBANs = append(made.IBANs, store.IBAN{IBAN: i.IBAN, Cards: i.Cards, Status: i.Status})
	}
	return made
}

func putReports(ctx context.Context, s *store.Store, w *fixture.World, now time.Time) error {
	for _, file := range w.Credit {
		reports := make([]credit.Report, 0, len(file.Reports))
		for _, r := range file.Reports {
			reports = append(reports, credit.Report{Source: r.Source, Score: r.Score, Grade: r.Grade, Made: now.Add(-r.Age)})
		}
		if err := s.PutReports(ctx, file.NationalCode, reports); err != nil {
			return err
		}
	}
	return nil
}

// Credentials are what a sandbox prints: those of the first account that can
// do everything, and somebody to ask about.
type Credentials struct {
	Domain        string `json:"domain"`
	Username      string `json:"username"`
	Password      string `json:"password"` // the one that token calls take
	Line          string `json:"line"`
	Client        string `json:"client"`
	ClientSecret  string `json:"clientSecret"`
	Business      string `json:"business"`
	BusinessToken string `json:"businessToken"`
	NationalCode  string `json:"nationalCode"`
	BirthDate     string `json:"birthDate"`
	Mobile        string `json:"mobile"`
	Rate          int    `json:"rate"`     // calls per second
	Accounts      int    `json:"accounts"` // in the world
	People        int    `json:"people"`
}

// World is what the dialects make their examples of.
func (c Credentials) World(base string) dialect.World {
	return dialect.World{
		Base: base, Domain: c.Domain, Username: c.Username, Password: c.Password, Line: c.Line,
		Client: c.Client, ClientSecret: c.ClientSecret, Business: c.Business, BusinessToken: c.BusinessToken,
		NationalCode: c.NationalCode, Date: c.BirthDate, Mobile: c.Mobile,
	}
}

// ReadCredentials gives what Fill kept.
func ReadCredentials(ctx context.Context, s *store.Store) (Credentials, error) {
	var c Credentials
	kept, err := s.Secret(ctx, secretShown, func() []byte { return []byte("{}") })
	if err != nil {
		return c, fmt.Errorf("read the credentials to show: %w", err)
	}
	if err := json.Unmarshal(kept, &c); err != nil {
		return c, errors.New("the credentials to show are damaged")
	}
	return c, nil
}

func keepCredentials(ctx context.Context, s *store.Store, w *fixture.World, f Filling) error {
	text, err := json.Marshal(shown(w, f.Seed, f.Now()))
	if err != nil {
		return fmt.Errorf("keep the credentials to show: %w", err)
	}
	_, err = s.Secret(ctx, secretShown, func() []byte { return text })
	return err
}

func shown(w *fixture.World, seed uint64, now time.Time) Credentials {
	c := Credentials{Accounts: len(w.Accounts), People: len(w.People) + w.Population}
	best := -1
	for _, a := range w.Accounts {
		if score, shown := show(a, now); score > best {
			best = score
			shown.Accounts, shown.People = c.Accounts, c.People
			c = shown
		}
	}
	for p := range everybody(w, seed) {
		if p.Alive && len(p.Mobiles) > 0 {
			c.NationalCode, c.BirthDate, c.Mobile = p.NationalCode.Digits(), p.BirthDate.String(), p.Mobiles[0].Local()
			return c
		}
	}
	// A world of nobody: well-formed values, for commands that answer so.
	c.NationalCode, c.BirthDate, c.Mobile = "0012345679", "1372/11/02", "09121234567"
	return c
}

// show gives an account's credentials and how many of the dialects they open.
func show(a fixture.Account, now time.Time) (score int, c Credentials) {
	c = Credentials{Domain: a.Domain, Username: a.Username, Password: a.Password, Rate: a.Rate}
	if a.TokenPassword != "" {
		c.Password = a.TokenPassword
	}
	for _, l := range a.Lines {
		if l.Status == fixture.Active {
			c.Line = l.Number
			score++
			break
		}
	}
	for _, client := range a.Clients {
		if client.PasswordGrant {
			c.Client, c.ClientSecret = client.ID, client.Secret
			score++
			break
		}
	}
	if len(a.Business) > 0 {
		c.Business, c.BusinessToken = a.Business[0].ID, a.Business[0].Token
		score++
	}
	expired := !a.Expires.IsZero() && !now.Before(a.Expires.Time())
	if a.Status != fixture.Active || expired || len(a.Allowed) > 0 || len(a.Services) == 0 {
		score = 0
	}
	return score, c
}
