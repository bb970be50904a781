// Package gateway owns the path of one call: who, admit, open, ask, close,
// send, in this order and nowhere else. It speaks no provider's language and
// knows no database; both are handed to it.
package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"dargah.dev/dargah/internal/admission"
	"dargah.dev/dargah/internal/audit"
	"dargah.dev/dargah/internal/closing"
	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/event"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/ledger"
	"dargah.dev/dargah/internal/rial"
)

// deadline bounds everything that one call may wait for, and bookWithin how
// long a refusal may wait for its record besides.
const (
	deadline   = 20 * time.Second
	bookWithin = 2 * time.Second
	// enough is how long a call may have taken that fails through us and still
	// waits for its record, which comes on top: whoever waits for a store that
	// hangs hears of it within little more than the two seconds.
	enough = 250 * time.Millisecond
	// reserveFor is when a reservation is given back whose call nobody closed:
	// later than any call that is still under way.
	reserveFor = deadline + 40*time.Second
)

// Books makes what a call leaves behind durable, all of it or nothing, before
// it returns. Its faults are Credit and Grant, with the refusal itself already
// on record, or one of ours with nothing on record. closing.Repeated means that
// another call was answered under the idempotency key; that is on record too.
type Books interface {
	Commit(context.Context, closing.Closing) error
	// Reserve is for calls that go outside, before they do.
	Reserve(context.Context, closing.Intent) error
	// Kept is what is kept under an idempotency key.
	Kept(ctx context.Context, id [32]byte) (closing.Kept, bool, error)
}

// Gateway serves routes. All fields are needed.
type Gateway struct {
	Desk   *admission.Desk
	Books  Books
	Tally  *audit.Tally
	Prices dialect.Prices
	Vault  Vault
	Log    *event.Log

	claims sync.Map // idempotency keys of calls under way in this process
}

// Serve answers one call, whose body is read and bounded. An error of arrival
// (the body could not be taken) is passed in and refused in the dialect's form.
func (g *Gateway) Serve(d *dialect.Dialect, r *dialect.Route, req *dialect.Request, arrival error) dialect.Reply {
	ctx := &bound{Context: req.Context(), until: time.Now().Add(deadline)}
	defer ctx.cancel()
	c := &call{Gateway: g, dialect: d, route: r, req: req, pass: &admission.Pass{}, began: time.Now()}
	reply, err := c.run(ctx, arrival)
	if c.answered {
		return dialect.Reply{}
	}
	if err != nil {
		reply, err = c.refuse(ctx, c.blame(err))
	}
	c.log(reply.Status, err)
	return reply
}

// call is one call under way.
type call struct {
	*Gateway
	dialect *dialect.Dialect
	route   *dialect.Route
	req     *dialect.Request
	pass    *admission.Pass
	began   time.Time // by the machine's clock
	price   rial.Amount
	source  string
	subject string
	key     *closing.Key // the caller's idempotency key; nil without one
	claimed bool         // the key is this call's
	held    rial.Amount  // what was reserved before the call went outside
	booked  bool         // the trail has this call, or has just failed to take it

	answered bool // by late
}

// run is the path. Whatever it returns as an error has not been answered and
// not been charged.
func (c *call) run(ctx context.Context, arrival error) (_ dialect.Reply, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fault.Wrap(fault.Internal, panicked(p))
		}
	}()
	if arrival != nil {
		return dialect.Reply{}, arrival
	}
	if err := c.admit(ctx); err != nil {
		return c.admitRepeat(ctx, err)
	}
	question, err := c.route.Steps.Open(c.req, c.pass)
	if err != nil {
		return dialect.Reply{}, err
	}
	c.subject = c.route.Steps.Subject(question)
	// An answer that is kept is given to all who ask at once. What is kept only
	// after this look the store finds.
	if reply, found, err := c.replay(ctx); found || err != nil {
		return reply, err
	}
	if err := c.claim(); err != nil {
		return dialect.Reply{}, err
	}
	defer c.release()
	if reply, found, err := c.reserve(ctx, question); found || err != nil {
		return reply, err
	}
	return c.answer(ctx, question)
}

func (c *call) answer(ctx context.Context, question any) (dialect.Reply, error) {
	answer, source, err := c.route.Steps.Ask(ctx, c.pass, question)
	if c.source = source; err != nil {
		return dialect.Reply{}, err
	}
	if c.route.Priced && c.route.Steps.Price != nil {
		c.price = c.route.Steps.Price(answer)
	}
	reply, err := c.route.Steps.Encode(c.req, question, answer)
	if err == nil {
		err = c.seal(reply)
	}
	if err != nil {
		return dialect.Reply{}, err
	}
	err = c.close(ctx, answer)
	if r := closing.AsRepeated(err); r != nil {
		return c.repeated(r)
	}
	return reply, err
}

// admitRepeat lets a call without credit have the answer that it paid for
// before.
func (c *call) admitRepeat(ctx context.Context, refusal error) (dialect.Reply, error) {
	if fault.From(refusal).Code != fault.Credit || c.key == nil {
		return dialect.Reply{}, refusal
	}
	if reply, found, err := c.replay(ctx); found && err == nil {
		return reply, nil
	}
	return dialect.Reply{}, refusal
}

// reserve holds the price of a call that goes outside, before it does. A reply
// that is found is what another node answered under the same key.
func (c *call) reserve(ctx context.Context, question any) (reply dialect.Reply, found bool, err error) {
	if c.price == 0 || !c.route.Steps.Outside(question) {
		return dialect.Reply{}, false, nil
	}
	err = c.Books.Reserve(ctx, closing.Intent{
		Record: c.record(""), Key: c.key,
		Reservation: ledger.Reservation{Account: c.pass.Account.ID, Amount: c.price, Deadline: c.req.At.Add(reserveFor)},
	})
	if r := closing.AsRepeated(err); r != nil {
		reply, err = c.repeated(r)
		return reply, true, err
	}
	if err == nil {
		c.held = c.price
		return dialect.Reply{}, false, nil
	}
	c.booked = ctx.Err() == nil // as a refusal, or because the trail has just failed to take it
	return dialect.Reply{}, false, unavailable(err)
}

// panicked keeps where it happened. Only what the runtime itself says is kept
// of the value: any other could hold what the caller sent.
func panicked(p any) error {
	what := fmt.Sprintf("a value of type %T", p)
	var fromRuntime runtime.Error
	if e, ok := p.(error); ok && errors.As(e, &fromRuntime) {
		what = fromRuntime.Error()
	}
	return fmt.Errorf("panic: %s\n%s", what, debug.Stack())
}

func (c *call) admit(ctx context.Context) error {
	shown, err := c.route.Who(c.req)
	if err != nil {
		return err
	}
	if c.route.Priced && c.route.Steps.Price == nil {
		c.price = c.Prices(c.route.Service)
	}
	c.pass, err = c.Desk.Admit(ctx, shown, admission.Need{
		Checks: c.route.Checks, Service: c.route.Service, Method: c.route.Operation,
		Price: c.price, Peer: c.req.Peer,
	})
	if err == nil || fault.From(err).Code == fault.Credit {
		err = cmp.Or(c.readKey(), err)
	}
	return err
}

// close makes the answered call durable. A caller that hung up meanwhile is
// charged all the same once the commit is under way: the answer existed.
func (c *call) close(ctx context.Context, answer any) error {
	effect := c.route.Steps.Effect(answer)
	record := c.record(audit.Answered)
	record.Price = c.price
	if effect.Document != "" {
		record.Document = effect.Document
	}
	var late func(error)
	if c.req.Late != nil {
		late = c.late
	}
	err := c.Books.Commit(ctx, closing.Closing{
		Record:   record,
		Charge:   ledger.Price{Account: record.Account, Amount: c.price, Held: c.held},
		Rotation: effect.Rotation,
		Batch:    effect.Batch,
		Cancel:   effect.Cancel,
		Read:     effect.Read,
		Key:      c.key,
		Late:     late,
	})
	c.booked = err != nil && ctx.Err() == nil // one that was given up before it was taken can still be booked
	return unavailable(err)
}

// late answers a call whose own goroutine waits for the disk. It is called by
// another one, which that one waits for.
func (c *call) late(err error) {
	defer func() {
		if p := recover(); p != nil {
			c.Log.Fail("panic in a late answer", panicked(p))
		}
	}()
	c.answered = true
	c.release() // with the same key the call may be made again
	c.booked = true
	reply, err := c.refuse(c.req.Context(), c.blame(unavailable(err)))
	c.log(reply.Status, err)
	c.req.Late(reply)
}

// blame is the fault in err. What fails because the caller hung up is not ours.
func (c *call) blame(err error) *fault.Error {
	f := fault.From(err)
	if f.Code.Ours() && errors.Is(c.req.Context().Err(), context.Canceled) {
		return fault.Wrap(fault.HungUp, err)
	}
	return f
}

// refuse books the refusal of a known account and words it. Unknown callers
// are counted. If the refusal itself cannot be booked, the caller hears that
// something of ours is down, never the reason that nobody recorded.
func (c *call) refuse(ctx context.Context, f *fault.Error) (dialect.Reply, error) {
	if err := c.book(ctx, f); err != nil && !f.Code.Ours() {
		f = fault.From(unavailable(err))
	}
	if f.Code.Ours() {
		c.pass.GiveBack()
		c.req.Trace = newTrace()
	}
	word := c.route.Refuse
	if word == nil {
		word = c.dialect.Refuse
	}
	return word(c.req, f), f
}

// newTrace makes a number of ten digits that still fits the 32 bits in which
// clients keep an error code.
func newTrace() uint64 {
	return 1_000_000_000 + rand.Uint64N(math.MaxInt32-1_000_000_000+1) //nolint:gosec // a number to quote, not a secret
}

// book puts a refusal on record: one record for a known account, a count for
// the rest. Calls over the rate are counted too, since one account could
// otherwise fill the disk faster than any price list allows.
func (c *call) book(ctx context.Context, f *fault.Error) error {
	switch {
	case c.booked:
		return nil
	case f.Code == fault.Unavailable && c.held == 0 && time.Since(c.began) > enough:
		return nil // the log has it
	case c.pass.Account == nil || f.Code == fault.Rate:
		c.Tally.Add(c.req.At, c.req.Peer, c.dialect.Name, f.Code)
		return nil
	default:
		// The call may be refused because its own time is over, or its caller gone.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), bookWithin)
		defer cancel()
		return c.Books.Commit(ctx, c.unanswered(f))
	}
}

// unanswered is what a refused call leaves behind: its record, and what it held
// goes back.
func (c *call) unanswered(f *fault.Error) closing.Closing {
	end := closing.Closing{Record: c.record(f.Code.String())}
	if c.held > 0 {
		end.Charge = ledger.Price{Account: end.Record.Account, Held: c.held}
		if c.key != nil {
			end.Key = &closing.Key{ID: c.key.ID, Body: c.key.Body}
		}
	}
	return end
}

func (c *call) record(outcome string) audit.Record {
	r := audit.Record{
		Call: c.req.ID, At: c.req.At, Took: time.Since(c.req.At),
		Dialect: c.dialect.Name, Service: c.route.Service, Method: c.route.Name(),
		Peer: c.req.Peer, Outcome: outcome, Source: c.source, Document: c.pass.Claims.ID,
	}
	if c.pass.Account != nil {
		r.Account = c.pass.Account.ID
	}
	if c.subject != "" {
		r.Subject = c.Vault.Hash(audit.SubjectHash, c.subject)
	}
	return r
}

func (c *call) log(status int, err error) {
	line := event.Call{
		ID: c.req.ID, Dialect: c.dialect.Name, Service: c.route.Service, Method: c.route.Name(),
		Peer: c.req.Peer, Status: status, Took: time.Since(c.req.At), Outcome: audit.Answered, Trace: c.req.Trace,
	}
	if c.pass.Account != nil {
		line.Account = c.pass.Account.ID
	}
	if err != nil {
		f := fault.From(err)
		line.Outcome, line.Err = f.Code.String(), f.Err
	}
	c.Log.Call(line)
}

// unavailable turns a failed commit into the fault of a part of ours that is
// down, so that it reads as "try again" and never as the caller's mistake.
func unavailable(err error) error {
	if _, is := errors.AsType[*fault.Error](err); err == nil || is || closing.AsRepeated(err) != nil {
		return err
	}
	return &fault.Error{Code: fault.Unavailable, RetryAfter: time.Second, Err: err}
}

// Check tells what is wrong with a dialect's routes before anything is served.
func Check(d *dialect.Dialect) error {
	for i := range d.Routes {
		r := &d.Routes[i]
		wanted := []admission.Check{admission.Who, admission.Status, admission.Expiry, admission.Address, admission.Rate, admission.Permission}
		if r.Priced {
			wanted = append(wanted, admission.Credit)
		}
		if err := admission.Complete(r.Checks, wanted...); err != nil {
			return errors.Join(errors.New(d.Name+" "+r.Method+" "+r.Path), err)
		}
		if r.Method != http.MethodGet && r.Who == nil {
			return errors.New(d.Name + " " + r.Path + ": nobody is asked for")
		}
	}
	return nil
}
