// Package admission owns whether a call may go on: who calls, and the checks
// of status, expiry, address, line, permission, rate and credit, in the order
// that the route names. It knows no HTTP and no provider; what it takes from
// the caller (a call of the rate) it can give back.
package admission

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/token"
)

// Check is one question that is asked of a call.
type Check uint8

// The checks. Who always comes first, since the others ask about its answer;
// the rest stand in the order in which a dialect's callers should meet the
// complaints.
const (
	Who        Check = iota
	Status           // the account is on
	Expiry           // its term has not ended
	Address          // the peer is on its list
	Line             // the sender line is its own and active
	Permission       // service and method are granted
	Rate             // its calls of this second
	Credit           // the wallet covers the price
	checks
)

// Need is what a route asks of its caller.
type Need struct {
	Checks  []Check
	Service string
	Method  string
	Price   rial.Amount // of an answer; 0 where the call costs nothing
	Peer    netip.Addr
}

// Pass is an admitted caller, and what was taken from it. On a refusal it
// holds what is known so far: an Account means that the caller proved to be it.
type Pass struct {
	Account *account.Account
	Client  *account.Client // where an OAuth client spoke
	Line    account.Line    // where the credential names a line
	Claims  token.Claims    // where an access token was shown
	Refresh token.Refresh   // where a refresh token was shown
	giving  func()
}

// GiveBack returns what was taken. It is for calls that failed through no
// doing of the caller; a second call does nothing.
func (p *Pass) GiveBack() {
	if p.giving != nil {
		p.giving()
		p.giving = nil
	}
}

// Limiter counts calls per key and second.
type Limiter interface {
	Take(key string, perSecond int) (ok bool, after time.Duration)
	Give(key string, perSecond int)
}

// Passwords checks a password against the stored hash of a name; an empty hash
// costs the same and is never right.
type Passwords interface {
	Check(ctx context.Context, name, hash, password string) (bool, error)
}

// Families tells whether a family of tokens has been killed.
type Families interface {
	Dead(family string) bool
}

// Wallets tells whether a wallet covers a price. A yes may lag behind: the
// charge itself is decided by the store.
type Wallets interface {
	Covers(ctx context.Context, account string, price rial.Amount) (bool, error)
}

// Desk admits calls. All fields are needed but Observe.
type Desk struct {
	Book      *account.Book
	Mint      *token.Mint
	Passwords Passwords
	Lockout   *Lockout
	Limiter   Limiter
	Families  Families
	Wallets   Wallets
	Now       func() time.Time
	Observe   func(Check) // called as each check is asked; for tests of the order
}

// Admit asks the need's checks in order and stops at the first complaint,
// which is a fault. The Pass is never nil.
func (d *Desk) Admit(ctx context.Context, shown Credential, need Need) (*Pass, error) {
	pass := &Pass{}
	for _, check := range need.Checks {
		if d.Observe != nil {
			d.Observe(check)
		}
		if err := d.ask(ctx, check, shown, need, pass); err != nil {
			return pass, err
		}
	}
	return pass, nil
}

func (d *Desk) ask(ctx context.Context, check Check, shown Credential, need Need, pass *Pass) error {
	switch check {
	case Who:
		return shown.prove(ctx, d, pass)
	case Status:
		return when(pass.Account.Disabled, fault.Disabled)
	case Expiry:
		if until := pass.Account.Expires; !until.IsZero() && !d.Now().Before(until) {
			return &fault.Error{Code: fault.Expired, Until: until}
		}
		return nil
	case Address:
		return when(!pass.Account.Allows(need.Peer), fault.Address)
	case Line:
		return line(pass, shown)
	case Permission:
		return permission(pass, need)
	case Rate:
		return d.rate(pass)
	case Credit:
		return d.credit(ctx, pass, need)
	default:
		return fmt.Errorf("admission: no such check: %d", check)
	}
}

func when(bad bool, code fault.Code) error {
	if bad {
		return fault.New(code)
	}
	return nil
}

func line(pass *Pass, shown Credential) error {
	number := pass.Claims.Line
	if asked, ok := shown.(Password); ok {
		number = asked.Line
	}
	own, ok := pass.Account.Line(number)
	if !ok {
		return fault.New(fault.Line)
	}
	pass.Line = own
	return when(own.Suspended, fault.LineStatus)
}

// permission asks the account's grants and, where a token names a scope, the
// scope too: a token never opens more than was asked for when it was made.
func permission(pass *Pass, need Need) error {
	grants := pass.Account.Grants
	if need.Service == "" {
		return nil
	}
	if !grants.Service(need.Service) || !inScope(pass.Claims, need.Service) {
		return fault.New(fault.Service)
	}
	return when(!grants.Method(need.Service, need.Method), fault.Operation)
}

func (d *Desk) rate(pass *Pass) error {
	key, perSecond := pass.Account.ID, pass.Account.Rate
	ok, after := d.Limiter.Take(key, perSecond)
	if !ok {
		return &fault.Error{Code: fault.Rate, Limit: perSecond, RetryAfter: after}
	}
	pass.giving = func() { d.Limiter.Give(key, perSecond) }
	return nil
}

func (d *Desk) credit(ctx context.Context, pass *Pass, need Need) error {
	covered, err := d.Wallets.Covers(ctx, pass.Account.ID, need.Price)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err)
	}
	return when(!covered, fault.Credit)
}

// Complete says whether a route's checks leave a hole: Who first, each check
// at most once, and none of the wanted ones missing.
func Complete(order []Check, wanted ...Check) error {
	if len(order) == 0 || order[0] != Who {
		return fmt.Errorf("admission: the first check must be who")
	}
	for i, check := range order {
		if check >= checks || slices.Contains(order[:i], check) {
			return fmt.Errorf("admission: check %d is unknown or asked twice", check)
		}
	}
	for _, check := range wanted {
		if !slices.Contains(order, check) {
			return fmt.Errorf("admission: check %d is never asked", check)
		}
	}
	return nil
}
