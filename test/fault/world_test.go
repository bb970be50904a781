package fault_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"dargah.dev/dargah/internal/fixture"
	"dargah.dev/dargah/internal/fixture/population"
	"dargah.dev/dargah/internal/persian"
)

// price is what a person inquiry costs, and a message of one part, in rials.
const price = 7

// customer is an account of the test's world.
type customer struct {
	balance  int64
	rate     int    // calls per second; 0 is as many as anybody can make
	services string // YAML; empty is all
}

// rich is a wallet that no test empties.
const rich = 1_000_000_000

func (c customer) yaml(i int) string {
	if c.rate == 0 {
		c.rate = 1_000_000
	}
	if c.services == "" {
		c.services = `["*"]`
	}
	return fmt.Sprintf(`  - domain: example
    username: %s
    password: %q
    balance: %d
    rate: %d
    services: %s
    lines: [{number: %q}]
    clients: [{id: client-%d, secret: client-secret-%d, passwordGrant: true}]
    business: [{id: biz-%d, token: biz-token-%d}]
    apiKeys: [{id: key-%d, key: api-key-%d}]
`, username(i), passwordOf(i), c.balance, c.rate, c.services, lineOf(i), i, i, i, i, i, i)
}

func username(i int) string   { return fmt.Sprintf("user%d", i) }
func passwordOf(i int) string { return fmt.Sprintf("Passw0rd-%d-of-test", i) }

// lineOf is the account's sender line.
func lineOf(i int) string { return fmt.Sprintf("3000%04d", i) }

// accountID is what a world's filling calls its i-th account, from 0.
func accountID(i int) string { return fmt.Sprintf("a%d", i+1) }

// people is how many can be asked about without more ado.
const people = 64

func fixtures(customers []customer) string {
	var b strings.Builder
	b.WriteString("domains: [{name: example, default: true}]\naccounts:\n")
	for i, c := range customers {
		b.WriteString(c.yaml(i))
	}
	fmt.Fprintf(&b, "prices: {person: %d, sms: %d}\npopulation: %d\n", price, price, people+len(outside))
	return b.String()
}

// People whom scenarios are about: a question about them goes outside, so that
// its price is reserved before. The first comes back with an answer, the second
// with one after a while, the third with none.
const (
	settled = people + iota
	lingering
	unanswered
)

var outside = map[int]fixture.Then{
	settled:    {Fault: fixture.Slow, After: time.Millisecond},
	lingering:  {Fault: fixture.Slow, After: 300 * time.Millisecond},
	unanswered: {Fault: fixture.UpstreamUnavailable},
}

func readWorld(t testing.TB, customers []customer) *fixture.World {
	t.Helper()
	w, err := fixture.Read(strings.NewReader(fixtures(customers)), "world.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for person, then := range outside { // shorter spans than a file can say
		w.Scenarios = append(w.Scenarios, fixture.Scenario{
			Service: "person", When: map[string]string{"nationalCode": register[person].NationalCode.Digits()}, Then: then,
		})
	}
	return w
}

// register is who can be asked about, as seed 1 makes them.
var register = func() (all []fixture.Person) {
	for p := range population.People(people+len(outside), 1, func(persian.NationalCode) bool { return false }) {
		all = append(all, p)
	}
	return all
}()
