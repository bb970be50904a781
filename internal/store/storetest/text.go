package storetest

import (
	"strings"
	"testing"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/store"
)

// badText shows what PostgreSQL would refuse, and SQLite not: both must do the
// same, and nobody else's call may suffer.
func badText(t *testing.T, place Place) {
	s := Must(t, place, store.Options{})
	Fund(t, s, 1000)
	bad := []string{"a\x00b", "a\xffb", strings.Repeat("a", 5000)}
	errs := Together(60, func(i int) error {
		end := Charge("good-"+string(rune('a'+i%26))+strings.Repeat("x", i), "a0", 1)
		if i%6 == 0 {
			end.Record.Call = bad[i/6%3]
		}
		end.Record.Document, end.Record.Source, end.Record.Method = bad[i%2], bad[i%2], bad[i%2]
		return s.Commit(t.Context(), end)
	})
	for i, err := range errs {
		if refused := err != nil; refused != (i%6 == 0) {
			t.Errorf("call %d: %v", i, err)
		}
	}
	entries, records := history(t, s, "a0")
	if len(entries) != 51 || len(records) != 50 {
		t.Errorf("%d entries and %d records, want 51 and 50", len(entries), len(records))
	}
	for _, r := range records {
		if r.Document != "a\uFFFDb" || r.Source != r.Document || r.Method != r.Document {
			t.Errorf("recorded as %q, %q and %q", r.Document, r.Source, r.Method)
		}
	}
	for _, text := range bad {
		if s.PutDomains(t.Context(), []account.Domain{{Name: text}}) == nil ||
			s.PutSetting(t.Context(), text, "") == nil ||
			s.PutPrices(t.Context(), map[string]int64{text: 1}) == nil ||
			s.PutAccounts(t.Context(), []store.Account{{Account: account.Account{ID: text, Domain: "example", Number: 77}}}) == nil {
			t.Errorf("%.10q was taken as a name", text)
		}
	}
}
