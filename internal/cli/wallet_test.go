package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Money is moved beside a running server, which goes on from it.
func TestMoneyIsMovedBesideARunningServer(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	r := inquired(t, dir, 2)
	at := func(args ...string) []string { return append(args, "--data", dir, "--by", "سارا") }
	const opening, price = 1_000_000_000, 1000

	said(t, 0, []string{"999998000 rials"}, "wallet", "show", "killed", "--data", dir)
	said(t, 0, []string{"receipt-1", "999998500 rials"}, at("wallet", "topup", "killed@sms.kill", "۵۰۰", "--id", "receipt-1")...)
	said(t, 1, []string{"done before"}, at("wallet", "topup", "killed", "500", "--id", "receipt-1")...)
	said(t, 0, []string{"999998000 rials"}, at("wallet", "correct", "killed", "500", "--take", "--reason", "typed twice")...)
	said(t, 1, []string{"holds less"}, at("wallet", "correct", "killed", "2,000,000,000", "--take", "--reason", "x")...)
	said(t, 1, []string{"no such account"}, at("wallet", "topup", "nobody", "5")...)
	said(t, 1, []string{"is no amount"}, at("wallet", "topup", "killed", "0.5")...)
	said(t, 2, []string{"--reason"}, at("wallet", "correct", "killed", "1")...)

	calls := statementOf(t, dir)
	if len(calls) != 5 || calls[1].Kind != "charge" || calls[1].Amount != -price || calls[3].By != "سارا" {
		t.Fatalf("%+v", calls)
	}
	said(t, 0, []string{"999999000 rials"}, at("wallet", "refund", "killed", calls[1].Call, "--reason", "شکایت مشتری")...)
	said(t, 1, []string{"no such charge"}, at("wallet", "refund", "killed", calls[1].Call, "1", "--reason", "again")...)
	said(t, 0, []string{"books are even"}, "wallet", "check", "--data", dir)

	if got := r.balance(t); got != opening-price {
		t.Errorf("the server says %d", got)
	}
	if status, text, err := r.inquire(); status != 200 || err != nil {
		t.Errorf("%d %s %v", status, text, err)
	}
	out := said(t, 0, []string{"brought forward", "carried forward", "شکایت مشتری", "typed twice"}, "account", "statement", "killed", "--data", dir)
	if lines := strings.Count(out, "\n"); lines != 3+7 {
		t.Errorf("%d lines:\n%s", lines, out)
	}
	said(t, 0, []string{"seq,time,kind"}, "account", "statement", "killed", "--format", "csv", "--data", dir)
	said(t, 0, []string{"carried forward"}, "account", "statement", "killed", "--from", "1405/01/01", "--to", "2030-01-01", "--data", dir)
	stop(t, r)
	said(t, 0, []string{"as they were written"}, "audit", "verify", "--data", dir)
	said(t, 0, []string{"books are even"}, "wallet", "check", "--data", dir)
}

func statementOf(t *testing.T, dir string) (all []statementJSON) {
	t.Helper()
	out := said(t, 0, nil, "account", "statement", "killed", "--format", "jsonl", "--data", dir)
	for line := range strings.Lines(out) {
		var l statementJSON
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	return all
}

// A ledger that somebody wrote into is not even, and says where.
func TestWalletCheckFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	stop(t, inquired(t, dir, 2))
	for name, statement := range map[string]string{
		"more money":        `UPDATE wallet SET balance = balance + 1`,
		"less was charged":  `UPDATE entry SET amount = -1 WHERE kind = 'charge'`,
		"an entry is gone":  `DELETE FROM entry WHERE seq = (SELECT max(seq) FROM entry)`,
		"the house's money": `UPDATE audit_head SET cash = cash + 1`,
	} {
		broken := filepath.Join(t.TempDir(), "data")
		if err := os.CopyFS(broken, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		spoil(t, broken, statement)
		if status, out, err := say(t, "wallet", "check", "--data", broken); status != 1 || !strings.Contains(err, "not even") {
			t.Errorf("%s: %d %s %s", name, status, out, err)
		}
	}
}
