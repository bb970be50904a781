package store_test

import (
	"strconv"
	"testing"
	"time"

	"dargah.dev/dargah/internal/closing"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/store/storetest"
	"dargah.dev/dargah/internal/token"
)

// TestTwoNodes charges one wallet, repeats calls and shows one refresh token
// through two nodes at the same time: one ledger and one trail come of it.
func TestTwoNodes(t *testing.T) {
	t.Parallel()
	at := onPostgres(t)
	nodes := []*store.Store{
		storetest.Must(t, place(t, at), store.Options{GroupMax: 16}),
		storetest.Must(t, place(t, at), store.Options{GroupMax: 16}),
	}
	const covered, rounds = 60, 4
	storetest.Fund(t, nodes[0], covered, 1000)
	if !nodes[0].Shared() {
		t.Error("a node believes that it is alone")
	}
	charged, refused := 0, 0
	for i, err := range storetest.Together(rounds*covered, func(i int) error {
		return nodes[i%2].Commit(t.Context(), storetest.Charge("c"+strconv.Itoa(i), "a0", 1))
	}) {
		switch {
		case err == nil:
			charged++
		case fault.From(err).Code == fault.Credit:
			refused++
		default:
			t.Errorf("call %d: %v", i, err)
		}
	}
	if charged != covered || refused != (rounds-1)*covered {
		t.Errorf("%d charged and %d refused on credit for %d", charged, refused, covered)
	}
	for _, err := range storetest.Together(100, func(i int) error { // each call five times on either node
		return nodes[i%2].Commit(t.Context(), storetest.Charge("same"+strconv.Itoa(i/10), "a1", 10))
	}) {
		if err != nil {
			t.Error(err)
		}
	}
	if balance := storetest.Balance(t, nodes[1], "a1"); balance != 900 {
		t.Errorf("ten calls of 10, each ten times, leave %d of 1000", balance)
	}
	show := func(generation int64) func(i int) error {
		return func(i int) error {
			end := closing.Closing{Record: storetest.Charge("r", "a0", 0).Record}
			end.Rotation = &token.Rotation{Family: "f", Generation: generation, Expires: time.Now().Add(time.Hour)}
			return nodes[i%2].Commit(t.Context(), end)
		}
	}
	for _, err := range storetest.Together(50, show(0)) {
		if err != nil {
			t.Errorf("within the grace: %v", err)
		}
	}
	for _, err := range storetest.Together(50, show(2)) { // one that was never made: the family dies
		if fault.From(err).Code != fault.Grant {
			t.Errorf("an unknown generation: %v", err)
		}
	}
	if problems, records, _ := verified(t, at); len(problems) > 0 || records < rounds*covered+100 {
		t.Errorf("%d records: %v", records, problems)
	}
	if wrong, err := nodes[0].Audit(t.Context()); err != nil || len(wrong) > 0 {
		t.Errorf("the ledger does not add up: %v %v", wrong, err)
	}
}
