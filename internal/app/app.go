// Package app owns how the parts are put together, in lists that can be read.
// It decides nothing about a call.
package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/admission"
	"dargah.dev/dargah/internal/audit"
	"dargah.dev/dargah/internal/cluster"
	"dargah.dev/dargah/internal/config"
	"dargah.dev/dargah/internal/courier"
	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/event"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/gateway"
	"dargah.dev/dargah/internal/httpd"
	"dargah.dev/dargah/internal/inquiry"
	"dargah.dev/dargah/internal/inquiry/credit"
	"dargah.dev/dargah/internal/inquiry/person"
	"dargah.dev/dargah/internal/password"
	"dargah.dev/dargah/internal/payment"
	"dargah.dev/dargah/internal/portal"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/source/scenario"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/token"
)

// tallyEvery is how often counts of unknown callers are written.
const tallyEvery = 10 * time.Second

// mirrorAgain is when a copy of the register is tried again that failed.
const mirrorAgain = 10 * time.Minute

// Options is what an App is made with. Log and Passwords are needed.
type Options struct {
	Config    config.Config
	Listen    string // http://address that it listens on, for links without a public URL
	Log       *event.Log
	Passwords *password.Gate
	Now       func() time.Time // nil: time.Now
}

// App is a whole Dargah on an open store.
type App struct {
	Desk     *admission.Desk
	Dialects []*dialect.Dialect
	Handler  http.Handler

	store   *store.Store
	world   *world
	blocks  *blockList
	sending *sending
	node    *cluster.Node
	courier *courier.Courier
	log     *event.Log
	tally   *audit.Tally
	stop    context.CancelFunc
	running sync.WaitGroup // until it is stopped
	closing sync.Once
}

// New wires everything onto the store, which the App does not close.
func New(ctx context.Context, s *store.Store, o Options) (*App, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if err := o.Config.Check(); err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	a := &App{store: s, world: &world{}, blocks: &blockList{}, log: o.Log, tally: &audit.Tally{}}
	var err error
	if a.node, err = a.join(ctx, o.Config); err != nil {
		return nil, err
	}
	if err := a.start(ctx, o); err != nil {
		a.node.Close()
		return nil, err
	}
	return a, nil
}

// start loads what is kept in memory, now that changes of it are watched for,
// and wires everything onto it.
func (a *App) start(ctx context.Context, o Options) error {
	mint, err := mint(ctx, a.store, o.Now)
	if err != nil {
		return err
	}
	a.Desk = &admission.Desk{
		Book: &account.Book{}, Mint: mint, Passwords: o.Passwords, Lockout: admission.NewLockout(o.Config.Lockout),
		Limiter: a.node.Limiter(), Families: a.store, Wallets: a.store, Now: o.Now,
	}
	if shared := a.node.Failures(); shared != nil {
		a.Desk.Lockout.Share(shared)
	}
	messages, err := newMessaging(ctx, a.store, a.world, a.blocks, o.Log)
	if err != nil {
		return err
	}
	if a.sending, err = newSending(ctx, a.store, o); err != nil {
		return err
	}
	a.world.sandbox = a.sending.sandbox
	err = errors.Join(a.Reload(ctx), a.store.LoadFamilies(ctx))
	if err == nil {
		err = a.serve(a.world, mint, messages, o)
	}
	if err == nil {
		err = a.startCourier(ctx, messages.names, o)
	}
	if err != nil {
		return errors.Join(err, a.sending.close())
	}
	a.sending.dispatcher.Start()
	a.store.OnChange(a.node.Signal)
	a.node.Run(ctx)
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	a.stop = stop
	a.running.Go(func() { a.writeTally(run) })
	if o.Config.PeopleMirror {
		a.running.Go(func() { a.mirrorPeople(run) })
	}
	return nil
}

// Reload brings into force what is stored: accounts, prices, origins, scenarios,
// blocks.
func (a *App) Reload(ctx context.Context) error {
	return errors.Join(a.ReloadAccounts(ctx), a.ReloadWorld(ctx), a.ReloadBlocks(ctx))
}

// ReloadWorld brings the stored prices, origins and scenarios into force.
func (a *App) ReloadWorld(ctx context.Context) error { return a.world.read(ctx, a.store) }

// ReloadBlocks brings into force who gets nothing from which line.
func (a *App) ReloadBlocks(ctx context.Context) error {
	read, err := a.store.Blocks(ctx)
	if err == nil {
		a.blocks.now.Store(read)
	}
	return err
}

// ReloadAccounts brings the stored accounts into force.
func (a *App) ReloadAccounts(ctx context.Context) error {
	domains, accounts, err := a.store.Accounts(ctx)
	if err != nil {
		return fmt.Errorf("read the accounts: %w", err)
	}
	directory, err := account.NewDirectory(domains, accounts)
	if err != nil {
		return fmt.Errorf("read the accounts: %w", err)
	}
	a.Desk.Book.Put(directory)
	return nil
}

// Degraded says in a few words what is not as it should be, though calls are
// served; empty if all is well.
func (a *App) Degraded() string {
	var all []string
	for _, one := range []string{a.node.Degraded(), a.sending.degraded()} {
		if one != "" {
			all = append(all, one)
		}
	}
	return strings.Join(all, "; ")
}

// Close ends the sending of messages, writes what is still counted in memory,
// and leaves to the other nodes what this one did for all.
// A second call does nothing.
func (a *App) Close() {
	a.closing.Do(func() {
		if err := a.sending.close(); err != nil {
			a.log.Fail("the ways out did not end well", err)
		}
		a.closeCourier()
		a.stop()
		a.running.Wait()
		a.node.Close()
	})
}

func (a *App) serve(w *world, mint *token.Mint, messages *messaging, o Options) error {
	cashier := payment.Cashier{
		Sealer: a.store.Keyring(), Base: func() string { return o.Config.Base(o.Listen) }, Now: o.Now,
	}
	a.Dialects = dialects(services(a.store, w, messages, cashier, o.Now), a.Desk.Book, mint, o.Config)
	for _, d := range a.Dialects {
		if err := gateway.Check(d); err != nil {
			return err
		}
	}
	proxies, err := o.Config.ProxyPrefixes()
	if err != nil {
		return err
	}
	face := &httpd.Face{
		Gateway: &gateway.Gateway{
			Desk: a.Desk, Books: a.store, Tally: a.tally, Prices: w.price, Log: o.Log,
			Vault: a.store.Keyring(),
		},
		Dialects: a.Dialects,
		Pages:    map[string]http.Handler{payment.Path: portal.New(cashier, o.Now)},
		Ready:    func(r *http.Request) error { return a.store.Ready(r.Context()) },
		Degraded: a.Degraded,
		Origins:  w.origins, Proxies: proxies, Log: o.Log, Now: o.Now,
	}
	a.Handler, err = face.Handler()
	return err
}

// sold is every service, behind its sources.
type sold struct {
	person  person.Sources
	credit  *credit.Desk
	balance func(ctx context.Context, account string) (rial.Amount, error)
	sms     *messaging
}

// smsService is what the SMS providers sell.
const smsService = "sms"

// unasked is a question about nobody: only a scenario for every question of a
// service matches it.
type unasked struct{}

func (unasked) Field(string) (string, bool) { return "", false }

// services lists what is sold and who answers it. A service is one entry here
// and a route in each dialect that sells it.
func services(s *store.Store, w *world, messages *messaging, cashier payment.Cashier, now func() time.Time) sold {
	const register = "register"
	people := person.Sources{{Name: register, Ask: func(ctx context.Context, q person.Question) (person.Person, error) {
		found, err := s.PersonBorn(ctx, q.NationalCode, q.BirthDate)
		return found, unavailable(err)
	}}}
	reports := credit.Sources{{Name: register, Ask: func(ctx context.Context, q credit.Question) ([]credit.Report, error) {
		found, err := s.Reports(ctx, q.NationalCode)
		return found, unavailable(err)
	}}}
	return sold{
		person: scenario.Wrap(&w.scenarios, person.Service, []inquiry.Source[person.Question, person.Person](people)),
		credit: &credit.Desk{
			Sources: scenario.Wrap(&w.scenarios, credit.Service, []inquiry.Source[credit.Question, []credit.Report](reports)),
			Price:   func() rial.Amount { return w.price(credit.Service) },
			Cashier: cashier, Now: now,
		},
		balance: func(ctx context.Context, account string) (rial.Amount, error) {
			return look(ctx, w, func() (rial.Amount, error) { return s.Balance(ctx, account) })
		},
		sms: messages,
	}
}

// unavailable is the fault of a store that could not be read, which passes,
// unlike a bug.
func unavailable(err error) error {
	if _, is := errors.AsType[*fault.Error](err); err == nil || is {
		return err
	}
	return fault.Wrap(fault.Unavailable, err)
}

// fresh makes a key.
func fresh() []byte {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails: crypto/rand panics instead
	return b
}

// mint reads the signing keys, made at first start.
func mint(ctx context.Context, s *store.Store, now func() time.Time) (*token.Mint, error) {
	access, err := s.Secret(ctx, "token/access/1", fresh)
	if err != nil {
		return nil, fmt.Errorf("read the signing key: %w", err)
	}
	refresh, err := s.Secret(ctx, "token/refresh", fresh)
	if err != nil {
		return nil, fmt.Errorf("read the refresh secret: %w", err)
	}
	return token.NewMint([]token.Key{{ID: "1", Secret: access}}, refresh, now)
}

// writeTally writes counts until the App is closed, and once more then.
func (a *App) writeTally(ctx context.Context) {
	tick := time.NewTicker(tallyEvery)
	defer tick.Stop()
	for open := true; open; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			open = false
		}
		counts := a.tally.Drain()
		if len(counts) == 0 {
			continue
		}
		if err := a.store.WriteTally(context.WithoutCancel(ctx), counts); err != nil {
			a.tally.Restore(counts)
			a.log.Fail("counts of unknown callers are not written yet", err)
		}
	}
}

// mirrorPeople keeps the store's copy of the register fresh. Where people are
// changed all the time, a tenth of the time goes into it at most.
func (a *App) mirrorPeople(ctx context.Context) {
	for {
		began, again := time.Now(), (<-chan time.Time)(nil)
		people, err := a.store.MirrorPeople(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			a.log.Fail("people are looked up in the database, since the register cannot be copied", err)
			again = time.After(mirrorAgain)
		case people > 0:
			a.log.Note("the register is copied", "people", people, "took", time.Since(began).Round(time.Millisecond).String())
		}
		select {
		case <-time.After(max(time.Second, 9*time.Since(began))):
		case <-ctx.Done():
			return
		}
		select {
		case <-a.store.MirrorMissed():
		case <-again:
		case <-ctx.Done():
			return
		}
	}
}
