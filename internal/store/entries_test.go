package store_test

import (
	"strings"
	"testing"
	"time"

	"dargah.dev/dargah/internal/ledger"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/store/storetest"
)

// TestEntryPlans: a page of entries reads a stretch of an index for each part of
// the page, and sorts what calls took since its oldest and the page itself, but
// never what an account ever did.
func TestEntryPlans(t *testing.T) {
	t.Parallel()
	place := store.Folder(t.TempDir())
	storetest.Close(t, storetest.Must(t, at(t, place.Dir), store.Options{}))
	db := storetest.Behind(t, place)
	now := time.Unix(1_750_000_000, 0)
	for name, c := range map[string]struct {
		query         ledger.Query
		parts, sorted int // of the page
	}{
		"any":           {ledger.Query{}, 6, 2},
		"from":          {ledger.Query{From: now.Add(-time.Hour)}, 6, 2},
		"until":         {ledger.Query{Until: now}, 6, 2},
		"one kind":      {ledger.Query{Kinds: []ledger.Kind{ledger.Refund}, From: now, Until: now}, 1, 0},
		"two kinds":     {ledger.Query{Kinds: []ledger.Kind{ledger.Opening, ledger.TopUp}}, 2, 1},
		"calls":         {ledger.Query{Kinds: []ledger.Kind{ledger.Charge}}, 1, 1},
		"messages":      {ledger.Query{Messages: true, Kinds: []ledger.Kind{ledger.Charge}}, 1, 0},
		"messages from": {ledger.Query{Messages: true, From: now}, 1, 0},
	} {
		c.query.Account, c.query.Limit = "a0", 100
		steps := func(text string, args []any) (all []string) {
			rows(t, db, func(row []string) { all = append(all, row[3]) }, "EXPLAIN QUERY PLAN "+text, args...)
			return all
		}
		first, page := store.EntryQueries(c.query, now.Add(-time.Minute))
		if first.Text != "" {
			if plan := steps(first.Text, first.Args); count(plan, "SEARCH entry USING PRIMARY KEY") != 1 || count(plan, "B-TREE") > 0 {
				t.Errorf("%s, the oldest call: %s", name, strings.Join(plan, "; "))
			}
		}
		plan := steps(page.Text, page.Args)
		parts := count(plan, "SEARCH entry USING INDEX entry_kind (account=? AND kind=?") +
			count(plan, "SEARCH entry USING PRIMARY KEY (account=? AND call>?") + count(plan, "SEARCH b USING INDEX batch_account")
		if parts != c.parts || count(plan, "B-TREE") != c.sorted || count(plan, "SCAN entry") > 0 {
			t.Errorf("%s: %s", name, strings.Join(plan, "; "))
		}
	}
}

func count(plan []string, what string) (n int) {
	for _, step := range plan {
		if strings.Contains(step, what) {
			n++
		}
	}
	return n
}
