// Package storetest owns what every database under the store must do: the same
// tests, run on each.
package storetest

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"strconv"
	"sync"
	"testing"
	"time"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/audit"
	"dargah.dev/dargah/internal/closing"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/inquiry/person"
	"dargah.dev/dargah/internal/ledger"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/store"
)

// Place is where a store's data lies. Opening it again finds what was left;
// only one opening at a time is good.
type Place func(store.Options) (*store.Store, error)

// Run runs the suite; place makes a new, empty place.
func Run(t *testing.T, place func(testing.TB) Place) {
	tests := map[string]func(*testing.T, Place){
		"only as many charges as there is credit": creditRace,
		"a repeated close charges once":           repeatedClose,
		"repeated closes at the same time":        repeatedTogether,
		"a refused charge leaves a record":        refusedCharge,
		"a bad charge is refused":                 badCharge,
		"records are numbered without gaps":       unbrokenTrail,
		"any order of closings keeps the books":   books,
		"reservations":                            reservations,
		"overdue reservations":                    overdueReservations,
		"idempotency keys":                        keys,
		"idempotency keys of calls outside":       keysOutside,
		"idempotency keys of erased answers":      erasedKeys,
		"operations":                              operations,
		"entries of a wallet":                     walletEntries,
		"any page of entries":                     anyEntries,
		"bad operations":                          badOperations,
		"any order of movements keeps the money":  money,
		"rotation":                                rotation,
		"a hundred rotations at once":             parallelRotation,
		"a refused closing rotates nothing":       rotationWithoutCredit,
		"old families are forgotten":              forgottenFamilies,
		"everything survives reopening":           reopen,
		"a closed store refuses":                  closed,
		"a cancelled caller leaves nothing":       cancelled,
		"people":                                  people,
		"people put twice":                        peopleTwice,
		"many look people up at once":             lookedUpAtOnce,
		"reports":                                 reports,
		"accounts":                                accounts,
		"accounts all or none":                    accountsAllOrNone,
		"settings, prices, secrets":               small,
		"text that no database takes":             badText,
		"changes are on the trail":                changesOnTrail,
		"changes all or nothing":                  changeAllOrNothing,
		"changes of accounts":                     changedAccount,
		"refused changes of accounts":             refusedAccounts,
		"changes of what belongs to accounts":     changedBelongings,
		"a credential that changes its account":   changedOwner,
		"changes of what accounts send with":      changedSending,
		"blocks":                                  blocks,
		"changes of domains":                      changedDomain,
		"changes of the world":                    changedWorld,
		"only one gets a name":                    nameRace,
		"changes beside calls":                    changesBesideCalls,
		"webhooks":                                webhooks,
		"webhooks put together":                   putWebhooks,
		"what notices are about":                  subjects,
	}
	maps.Copy(tests, messages)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, place(t))
		})
	}
}

// Must opens a place, and closes it at the test's end if the test does not.
func Must(t testing.TB, place Place, opts store.Options) *store.Store {
	t.Helper()
	s, err := place(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { Close(t, s) })
	return s
}

// Close closes a store; again if need be.
func Close(t testing.TB, s *store.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// Fund makes accounts a0, a1 … with these balances.
func Fund(t testing.TB, s *store.Store, balances ...rial.Amount) {
	t.Helper()
	ok(t, s.PutDomains(t.Context(), []account.Domain{{Name: "example", Default: true}}))
	var all []store.Account
	for i, balance := range balances {
		all = append(all, store.Account{Balance: balance, Account: account.Account{
			ID: "a" + strconv.Itoa(i), Number: int64(i + 1), Domain: "example", Username: "user" + strconv.Itoa(i), TokenDays: 1, Rate: 5,
		}})
	}
	ok(t, s.PutAccounts(t.Context(), all))
}

// Charge is the end of an answered call that costs price.
func Charge(call, from string, price rial.Amount) closing.Closing {
	return closing.Closing{
		Record: audit.Record{
			Call: call, At: time.UnixMicro(1_750_000_000_123_456).UTC(), Took: 1500 * time.Microsecond,
			Dialect: "uid", Service: "person", Method: "POST /api/inquiry/person", Account: from,
			Peer: netip.MustParseAddr("192.0.2.7"), Outcome: audit.Answered, Price: price, Source: "register",
			Subject: []byte{1, 2, 3}, Document: "token-1",
		},
		Charge: ledger.Price{Account: from, Amount: price},
	}
}

// Together calls do n times at the same moment and gives what each returned.
func Together(n int, do func(i int) error) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			errs[i] = do(i)
		})
	}
	close(start)
	wg.Wait()
	return errs
}

// People makes n people who do not exist, from the first-th on.
func People(first, n int) func(yield func(store.Person) bool) {
	return func(yield func(store.Person) bool) {
		for i := first; i < first+n; i++ {
			if !yield(Somebody(i)) {
				return
			}
		}
	}
}

// Somebody is the i-th person who does not exist.
func Somebody(i int) store.Person {
	mobile, err := persian.ParseMobile(fmt.Sprintf("0910%07d", i))
	if err != nil {
		panic(err)
	}
	return store.Person{
		Person: person.Person{
			NationalCode: Code(i), BirthDate: persian.Date{Year: 1300 + i%100, Month: 1 + i%12, Day: 1 + i%29},
			FirstName: "نمونه" + strconv.Itoa(i), LastName: "آزمایشی اصفهانی", FatherName: "پدر",
			Gender: person.Gender(i % 2), Dead: i%7 == 0,
			Certificate: person.Certificate{Series: "ا۳۲", Serial: fmt.Sprintf("%06d", i%1_000_000), Number: "0"},
		},
		Mobiles:    []persian.Mobile{mobile},
		PostalCode: fmt.Sprintf("1%09d", i), Address: "تهران، خیابان آزادی، کوچه ۱۲، پلاک " + strconv.Itoa(i),
	}
}

// Code is the i-th national code, counted from one that nobody has.
func Code(i int) persian.NationalCode {
	nine := fmt.Sprintf("%09d", 900_000_001+i)
	for check := range 10 {
		if code, err := persian.ParseNationalCode(nine + strconv.Itoa(check)); err == nil {
			return code
		}
	}
	panic("no national code begins with " + nine)
}

// refused tells whether err is a refusal of this code.
func refused(err error, code fault.Code) bool { return err != nil && fault.From(err).Code == code }

// checker is what checks need of *testing.T and *rapid.T.
type checker interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func ok(t checker, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func history(t checker, s *store.Store, of string) ([]store.Entry, []store.Record) {
	t.Helper()
	entries, records, err := s.History(context.Background(), of)
	ok(t, err)
	return entries, records
}

// Balanced checks that the balance in memory, the last entry's and the sum of
// all entries are one.
func Balanced(t checker, s *store.Store, of string) {
	t.Helper()
	entries, _ := history(t, s, of)
	var sum rial.Amount
	for _, e := range entries {
		sum += e.Amount
		if e.Balance != sum || sum < 0 {
			t.Fatalf("account %s: entry %d says that %d is left, the entries up to it sum to %d", of, e.Seq, e.Balance, sum)
		}
	}
	if got := Balance(t, s, of); got != sum {
		t.Fatalf("account %s: the balance is %d, its entries sum to %d", of, got, sum)
	}
}

// Balance is what an account's wallet holds.
func Balance(t checker, s *store.Store, of string) rial.Amount {
	t.Helper()
	balance, err := s.Balance(context.Background(), of)
	ok(t, err)
	return balance
}
