package app

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
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
	"dargah.dev/dargah/internal/sms"
	"dargah.dev/dargah/internal/source/scenario"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/webhook"
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
		func() error { return s.PutWebhooks(ctx, hooks(w)) },
		func() error { return s.PutPrices(ctx, w.Prices) },
		func() error { return putSettings(ctx, s, w) },
		func() error { return s.PutBlocks(ctx, NewBlocks(w.Blocks)) },
		func() error { return s.PutIncoming(ctx, NewIncoming(w.Incoming, f.Now())) },
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
		made := NewAccount(a, gate)
		made.Number = int64(i + 1)
		made.ID = filledID(i)
		openings = append(openings, made)
	}
	return s.PutAccounts(ctx, openings)
}

// filledID is the id of the i-th account of a world that fills a store.
func filledID(i int) string { return fmt.Sprintf("a%d", i+1) }

func hooks(w *fixture.World) (all []webhook.Webhook) {
	for i, a := range w.Accounts {
		for _, h := range a.Webhooks {
			all = append(all, NewWebhook(filledID(i), h))
		}
	}
	return all
}

// NewAccount is an account of the format as it is stored, without an id and a
// number.
func NewAccount(a fixture.Account, gate *password.Gate) store.Account {
	made := store.Account{Balance: rial.Amount(a.Balance)}
	Describe(&made.Account, a)
	made.Domain, made.Password = a.Domain, gate.Hash(a.Password)
	if a.TokenPassword != "" {
		made.TokenPassword = gate.Hash(a.TokenPassword)
	}
	for _, l := range a.Lines {
		made.Lines = append(made.Lines, NewLine(l))
	}
	for _, c := range a.Clients {
		made.Clients = append(made.Clients, NewClient(c))
	}
	for _, b := range a.Business {
		made.Business = append(made.Business, NewBusiness(b))
	}
	for _, k := range a.APIKeys {
		made.APIKeys = append(made.APIKeys, NewAPIKey(k))
	}
	for _, t := range a.Templates {
		made.Templates = append(made.Templates, NewTemplate(t))
	}
	for service, amount := range a.Prices {
		if made.Prices == nil {
			made.Prices = map[string]rial.Amount{}
		}
		made.Prices[service] = rial.Amount(amount)
	}
	return made
}

// Describe sets all of an account that is neither a secret nor a thing of its
// own.
func Describe(to *account.Account, a fixture.Account) {
	to.Username, to.FirstName, to.LastName = a.Username, a.FirstName, a.LastName
	to.Disabled, to.Expires = a.Status == fixture.Disabled, time.Time{}
	to.TokenDays, to.Rate = a.TokenDays, a.Rate
	to.Allowed, to.Grants = a.Allowed, account.NewGrants(a.Services)
	to.QueryLogin, to.SMS = a.QueryLogin, a.SMS
	if !a.Expires.IsZero() {
		to.Expires = a.Expires.Time()
	}
}

// NewLine is a line of the format as it is stored; so are the others.
func NewLine(l fixture.Line) account.Line {
	return account.Line{Number: l.Number, Suspended: l.Status == fixture.Suspended, Quiet: l.Quiet, DayLimit: l.DayLimit}
}

// NewClient hashes the secret.
func NewClient(c fixture.Client) account.Client {
	return account.Client{ID: c.ID, SecretHash: sha256.Sum256([]byte(c.Secret)), PasswordGrant: c.PasswordGrant}
}

// NewBusiness hashes the token.
func NewBusiness(b fixture.Business) account.Business {
	return account.Business{ID: b.ID, TokenHash: sha256.Sum256([]byte(b.Token))}
}

// NewAPIKey hashes the key.
func NewAPIKey(k fixture.APIKey) account.APIKey {
	return account.APIKey{ID: k.ID, Hash: sha256.Sum256([]byte(k.Key))}
}

// NewWebhook is a webhook of this account.
func NewWebhook(owner string, h fixture.Webhook) webhook.Webhook {
	return webhook.Webhook{
		ID: h.ID, Account: owner, URL: h.URL, Events: h.Events, WithText: h.WithText,
		Disabled: h.Status == fixture.Disabled, Secret: h.Secret,
	}
}

// NewTemplate gives the template an id where it has none.
func NewTemplate(t fixture.Template) account.Template {
	if t.ID == "" {
		t.ID = account.NewTemplateID()
	}
	return account.Template{ID: t.ID, Line: t.Line, Urgent: t.Urgent, Once: t.Once, Body: t.Text}
}

// NewBlocks are blocks of the format as they are stored.
func NewBlocks(blocks []fixture.Block) []store.Block {
	made := make([]store.Block, 0, len(blocks))
	for _, b := range blocks {
		made = append(made, store.Block{Line: b.Line, Recipient: b.Number})
	}
	return made
}

// NewIncoming are incoming messages of the format as they are stored, the
// oldest first: each has an age at now.
func NewIncoming(messages []fixture.Incoming, now time.Time) []sms.Incoming {
	made := make([]sms.Incoming, 0, len(messages))
	for _, m := range messages {
		made = append(made, sms.Incoming{Line: m.Line, Sender: m.Sender, Text: m.Text, At: now.Add(-m.Age), Read: m.Read})
	}
	slices.SortStableFunc(made, func(a, b sms.Incoming) int { return a.At.Compare(b.At) })
	return made
}

func putSettings(ctx context.Context, s *store.Store, w *fixture.World) error {
	var rules []Script
	for _, sc := range w.Scenarios {
		rules = append(rules, NewScript(sc))
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

// NewScript is a scenario of the format as it is stored.
func NewScript(s fixture.Scenario) Script {
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
	return s.PutPeople(ctx, entries(everybody(w, f.Seed), 0), f.Progress)
}

// entries are people as the register has them, without the first few.
func entries(people iter.Seq[fixture.Person], without int) iter.Seq[store.Person] {
	return func(yield func(store.Person) bool) {
		n := 0
		for p := range people {
			if n++; n > without && !yield(NewPerson(p)) {
				return
			}
		}
	}
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

// NewPerson is a person of the format as the register has it.
func NewPerson(p fixture.Person) store.Person {
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
		if err := s.PutReports(ctx, file.NationalCode, NewReports(file.Reports, now)); err != nil {
			return err
		}
	}
	return nil
}

// NewReports are reports of the format as they are stored: each has an age at
// now.
func NewReports(reports []fixture.Report, now time.Time) []credit.Report {
	made := make([]credit.Report, 0, len(reports))
	for _, r := range reports {
		made = append(made, credit.Report{Source: r.Source, Score: r.Score, Grade: r.Grade, Made: now.Add(-r.Age)})
	}
	return made
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
	APIKey        string `json:"apiKey"`
	Template      string `json:"template"`
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
		APIKey: c.APIKey, Template: c.Template,
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
	if len(a.APIKeys) > 0 {
		c.APIKey = a.APIKeys[0].Key
	}
	if i := slices.IndexFunc(a.Templates, func(t fixture.Template) bool { return t.ID != "" }); i >= 0 {
		c.Template = a.Templates[i].ID
	}
	expired := !a.Expires.IsZero() && !now.Before(a.Expires.Time())
	if a.Status != fixture.Active || expired || len(a.Allowed) > 0 || len(a.Services) == 0 {
		score = 0
	}
	return score, c
}
