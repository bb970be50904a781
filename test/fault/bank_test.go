package fault_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"dargah.dev/dargah/internal/ledger"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/store"
)

// TestMixedMoney is CON-4: customers spend while operators move money, on few
// wallets. Each wallet's history must be one that some order explains.
func TestMixedMoney(t *testing.T) {
	nodes(t, func(t *testing.T, s *site, nodes []*node) {
		must(t, s.mixedMoney(t, nodes))
	}, poor(20)...)
}

// TestMixedMoneyControl: balances that are answered from a node's own memory,
// which does not know what others did.
func TestMixedMoneyControl(t *testing.T) {
	t.Parallel()
	control(t)
	s := newSite(t, poor(20)...).lacking(t, "stale")
	mustCatch(t, "no order", s.mixedMoney(t, []*node{s.start(t)}))
}

// poor are wallets that are empty now and then.
func poor(n int) (all []customer) {
	for range n {
		all = append(all, customer{balance: 3 * price})
	}
	return all
}

// What is done to a wallet.
type deed int

const (
	spend deed = iota // price, by an inquiry
	add               // by a top-up
	take              // by a correction
	back              // price, by a refund
	look
)

// did is an operation of a wallet's history, as the model reads it.
type did struct {
	deed   deed
	amount int64
}

// came is its outcome: whether the wallet allowed it, and what a look showed.
type came struct {
	done    bool
	balance int64
}

// wallet is what a single wallet does, one operation after the other.
var wallet = porcupine.Model{
	Init: func() any { return int64(3 * price) },
	Step: func(state, input, output any) (bool, any) {
		held, in, out := state.(int64), input.(did), output.(came)
		change := map[deed]int64{spend: -in.amount, add: in.amount, take: -in.amount, back: in.amount}[in.deed]
		switch {
		case in.deed == look:
			return out.balance == held, held
		case out.done:
			return held+change >= 0, held + change
		default:
			return held+change < 0, held
		}
	},
}

// bank is the customers and operators of one run.
type bank struct {
	site    *site
	data    *store.Store // beside the nodes, as a command has it
	tokens  []string
	started time.Time

	mu        sync.Mutex
	histories [][]porcupine.Operation // by wallet
	charges   [][]string              // calls that may be given back, by wallet
	acks      []ack
	problems  []string
}

func (s *site) mixedMoney(t *testing.T, nodes []*node) []string {
	t.Helper()
	const clients, wallets = 64, 20
	data, err := store.Attach(t.Context(), s.location(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b := &bank{site: s, data: data, started: time.Now(), histories: make([][]porcupine.Operation, wallets), charges: make([][]string, wallets)}
	for i := range wallets {
		b.tokens = append(b.tokens, smsToken(t, nodes[0].address, i))
	}
	callers := connected(t, nodes, clients)
	over, end := context.WithTimeout(t.Context(), sized(3*time.Second, time.Minute))
	defer end()
	together(clients, func(i int) bool {
		random := rand.New(rand.NewPCG(uint64(i), 4)) //nolint:gosec // which operation comes next is no secret
		for n := 0; over.Err() == nil; n++ {
			b.act(callers[i], i, n, random)
		}
		return true
	})
	for _, n := range nodes {
		n.stop(t)
	}
	if err := data.Close(); err != nil {
		t.Error(err)
	}
	operations := 0
	for i, history := range b.histories {
		operations += len(history)
		if got := porcupine.CheckOperationsTimeout(wallet, history, patience); got != porcupine.Ok {
			b.problem("wallet %d: %s: there is no order that explains its %d operations", i, got, len(history))
		}
	}
	t.Logf("%d operations on %d wallets, %d charges answered", operations, wallets, len(b.acks))
	return append(b.problems, s.audit(t, b.acks)...)
}

// act does one thing to one wallet and writes it into its history.
func (b *bank) act(c *caller, client, n int, random *rand.Rand) {
	at := random.IntN(len(b.histories))
	in, refers := did{deed(random.IntN(5)), 1 + random.Int64N(9)}, ""
	if in.deed == back {
		if refers = b.takeCharge(at); refers == "" {
			in.deed = look
		}
	}
	if in.deed == spend || in.deed == back {
		in.amount = price
	}
	from := time.Since(b.started)
	out, ok := b.do(c, at, fmt.Sprintf("op-%d-%d", client, n), refers, in)
	b.mu.Lock()
	defer b.mu.Unlock()
	if ok {
		b.histories[at] = append(b.histories[at], porcupine.Operation{
			ClientId: client, Input: in, Call: int64(from), Output: out, Return: int64(time.Since(b.started)),
		})
	}
}

func (b *bank) do(c *caller, at int, id, refers string, in did) (came, bool) {
	switch in.deed {
	case spend:
		return b.spend(c, at)
	case look:
		balance, err := balanceOf(c, b.tokens[at])
		if err != nil || balance < 0 {
			b.problem("wallet %d: a look: %d, %v", at, balance, err)
			return came{}, false
		}
		return came{balance: balance}, true
	}
	op := ledger.Operation{ID: id, Account: accountID(at), Actor: "test", Reason: "test", Refers: refers, Amount: rial.Amount(in.amount)}
	switch in.deed {
	case add:
		op.Kind = ledger.TopUp
	case back:
		op.Kind = ledger.Refund
	default:
		op.Kind, op.Amount = ledger.Correction, -op.Amount
	}
	err := b.data.Operate(context.Background(), op)
	if err != nil && !errors.Is(err, store.ErrBelowZero) {
		b.problem("wallet %d: %s of %d: %v", at, op.Kind, op.Amount, err)
		return came{}, false
	}
	return came{done: err == nil}, true
}

func (b *bank) spend(c *caller, at int) (came, bool) {
	r := c.inquire(context.Background(), at, at%people, "")
	switch {
	case r.ok():
		b.mu.Lock()
		defer b.mu.Unlock()
		b.acks = append(b.acks, ack{r.id, at})
		b.charges[at] = append(b.charges[at], r.id)
		return came{done: true}, true
	case r.err == nil && r.status == http.StatusPaymentRequired:
		return came{}, true
	}
	b.problem("wallet %d: a charge: %v", at, r)
	return came{}, false
}

func (b *bank) takeCharge(at int) (call string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n := len(b.charges[at]); n > 0 {
		call, b.charges[at] = b.charges[at][n-1], b.charges[at][:n-1]
	}
	return call
}

func (b *bank) problem(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.problems = append(b.problems, fmt.Sprintf(format, args...))
}

// smsToken is a token of sabapayamak, which shows balances.
func smsToken(t testing.TB, address string, account int) string {
	t.Helper()
	c := newCaller(address)
	defer c.close()
	r := c.post(t.Context(), "/api/v1/user/authenticate", "application/json", fmt.Sprintf(
		`{"Username":%q,"Password":%q,"VirtualNumber":"%s","TokenValidDay":1}`, username(account), passwordOf(account), lineOf(account)), nil)
	var said struct{ Data struct{ Token string } }
	if !r.ok() || json.Unmarshal(r.body, &said) != nil || said.Data.Token == "" {
		t.Fatalf("a token of sabapayamak: %v", r)
	}
	return said.Data.Token
}

func balanceOf(c *caller, token string) (int64, error) {
	r := c.get(context.Background(), "/api/v1/credit", "Authorization", token)
	var said struct{ Data int64 }
	if !r.ok() {
		return 0, fmt.Errorf("%v", r)
	}
	err := json.Unmarshal(r.body, &said)
	return said.Data, err
}
