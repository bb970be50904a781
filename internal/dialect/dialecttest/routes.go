package dialecttest

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/admission"
	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/limit"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/token"
)

// routes checks what a dialect says of its routes before anything is served.
func routes(t *testing.T, d *dialect.Dialect) {
	for _, prefix := range d.Owns {
		if !strings.HasPrefix(prefix, "/") || !strings.HasSuffix(prefix, "/") {
			t.Errorf("%q is no prefix: it begins and ends with a slash", prefix)
		}
	}
	for i := range d.Routes {
		r := &d.Routes[i]
		t.Run(r.Method+" "+r.Path, func(t *testing.T) {
			wired(t, r)
			wanted := []admission.Check{admission.Who, admission.Status, admission.Expiry, admission.Address, admission.Permission, admission.Rate}
			if r.Priced {
				wanted = append(wanted, admission.Credit)
			}
			if err := admission.Complete(r.Checks, wanted...); err != nil {
				t.Fatal(err)
			}
			asked(t, r)
		})
	}
}

func wired(t *testing.T, r *dialect.Route) {
	t.Helper()
	if r.Who == nil || r.Steps.Open == nil || r.Steps.Ask == nil || r.Steps.Encode == nil || r.Steps.Subject == nil || r.Steps.Effect == nil {
		t.Error("a step is missing")
	}
	if r.Name() == "" {
		t.Error("the trail has no name for it")
	}
	if r.Service == "" && r.Priced {
		t.Error("it is priced, but nothing is sold")
	}
	if r.Method != http.MethodGet && len(r.Types) == 0 {
		t.Error("it takes a body, but says not of which type")
	}
}

// asked permutes a route's checks: in whatever order, a good caller is asked
// each of them once, and a caller whom every check would refuse hears of the
// first one and is asked no more.
func asked(t *testing.T, r *dialect.Route) {
	t.Helper()
	var seen []admission.Check
	d := newDesk(t, func(c admission.Check) { seen = append(seen, c) })
	for order := range permutations(r.Checks[1:]) {
		order = append([]admission.Check{admission.Who}, order...)
		need := admission.Need{Checks: order, Service: "sold", Method: "method", Price: price, Peer: peer}
		seen = nil
		if _, err := d.Admit(t.Context(), d.good, need); err != nil {
			t.Fatalf("order %v: a good caller is refused: %v", order, err)
		}
		if !slices.Equal(seen, order) {
			t.Fatalf("order %v: asked were %v", order, seen)
		}
		if len(order) == 1 {
			continue
		}
		seen = nil
		_, err := d.Admit(t.Context(), d.bad, need)
		if got := fault.From(err).Code; err == nil || got != complaints[order[1]] {
			t.Fatalf("order %v: the first complaint is %v, want %v", order, err, complaints[order[1]])
		}
		if !slices.Equal(seen, order[:2]) {
			t.Fatalf("order %v: after the complaint, asked were %v", order, seen)
		}
	}
}

var complaints = map[admission.Check]fault.Code{
	admission.Status: fault.Disabled, admission.Expiry: fault.Expired, admission.Address: fault.Address,
	admission.Line: fault.Line, admission.Permission: fault.Service, admission.Rate: fault.Rate, admission.Credit: fault.Credit,
}

const price rial.Amount = 100

var peer = netip.MustParseAddr("192.0.2.1")

// desk is a real desk with two callers: one whom all checks let pass, one whom
// each of them refuses.
type desk struct {
	*admission.Desk
	good, bad admission.Credential
}

func newDesk(t *testing.T, observe func(admission.Check)) desk {
	t.Helper()
	now := func() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }
	directory, err := account.NewDirectory([]account.Domain{{Name: "test", Default: true}}, []account.Account{
		{
			ID: "good", Domain: "test", Username: "good", Rate: 1_000_000, Grants: account.NewGrants([]string{"*"}),
			Lines: []account.Line{{Number: "30001234"}},
		},
		{
			ID: "bad", Domain: "test", Username: "bad", Rate: 1, Disabled: true, Expires: now().Add(-time.Hour),
			Allowed: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	secret := []byte(strings.Repeat("k", 32))
	mint, err := token.NewMint([]token.Key{{ID: "1", Secret: secret}}, secret, now)
	if err != nil {
		t.Fatal(err)
	}
	book := &account.Book{}
	book.Put(directory)
	return desk{
		Desk: &admission.Desk{
			Book: book, Mint: mint, Lockout: admission.NewLockout(0), Limiter: spent{&limit.Memory{}},
			Wallets: wallets{"good": price}, Now: now, Observe: observe,
		},
		good: bearer(t, mint, token.Claims{Account: "good", Audience: "test", Line: "30001234"}),
		bad:  bearer(t, mint, token.Claims{Account: "bad", Audience: "test"}),
	}
}

func bearer(t *testing.T, mint *token.Mint, claims token.Claims) admission.Bearer {
	t.Helper()
	raw, _, err := mint.Issue(claims, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return admission.Bearer{Token: raw, Audience: claims.Audience}
}

// spent is a limiter under which slow callers have no call left, whenever
// they come: a bucket that fills by itself would let one through now and then.
type spent struct{ *limit.Memory }

func (s spent) Take(key string, perSecond int) (bool, time.Duration) {
	if perSecond == 1 {
		return false, time.Second
	}
	return s.Memory.Take(key, perSecond)
}

type wallets map[string]rial.Amount

func (w wallets) Covers(_ context.Context, of string, price rial.Amount) (bool, error) {
	return price <= w[of], nil
}

// permutations gives every order of list; each is a slice of its own.
func permutations(list []admission.Check) func(yield func([]admission.Check) bool) {
	return func(yield func([]admission.Check) bool) { permute(slices.Clone(list), 0, yield) }
}

func permute(list []admission.Check, from int, yield func([]admission.Check) bool) bool {
	if from >= len(list) {
		return yield(slices.Clone(list))
	}
	for i := from; i < len(list); i++ {
		list[from], list[i] = list[i], list[from]
		if !permute(list, from+1, yield) {
			return false
		}
		list[from], list[i] = list[i], list[from]
	}
	return true
}
