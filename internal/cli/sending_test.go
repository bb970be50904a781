package cli

import (
	"crypto/sha256"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/operator"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/sms"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/store/storetest"
	"dargah.dev/dargah/internal/webhook"
)

// served is an installation that a server has open, with an account that has
// all that it sends with. Commands take a second each under the race detector,
// so that it is made, and looked at, without them.
func served(t *testing.T) (administrator, *store.Store) {
	t.Helper()
	a := administrator{t, onDisk(t)}
	s := storetest.Must(t, func(o store.Options) (*store.Store, error) { return store.Open(t.Context(), store.Folder(a.dir), o) }, store.Options{})
	storetest.Fund(t, s, 1000)
	deaf := storetest.Hook("deaf", "https://deaf.example/")
	deaf.Events = []webhook.Event{webhook.Delivered}
	off := storetest.Hook("off", "https://off.example/")
	off.Disabled = true
	err := s.Change(t.Context(), store.Act{Actor: "tester", Service: "account", Method: "add"}, func(c *store.Change) error {
		for _, do := range []func() error{
			func() error { return c.AddLine("a0", account.Line{Number: "30001234"}) },
			func() error { return c.AddKey("a0", account.APIKey{ID: "web", Hash: [32]byte{1}, Disabled: true}) },
			func() error {
				_, err := c.AddTemplate("a0", account.Template{ID: "ABCDEFGHIJ", Body: "code {c}", Once: true})
				return err
			},
			func() error { return c.SetAccountPrice("a0", "sms", 1200) },
			func() error { return c.AddWebhook(storetest.Hook("hears", "https://hears.example/")) },
			func() error { return c.AddWebhook(deaf) },
			func() error { return c.AddWebhook(off) },
			func() error { return c.AddBlock(store.Block{Line: "30001234", Recipient: mobile("09127770001")}) },
			func() error { return c.AddBlock(store.Block{Line: "30001234", Recipient: mobile("09127770002")}) },
		} {
			if err := do(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return a, s
}

func mobile(text string) persian.Mobile { return sure(persian.ParseMobile(text)) }

// tells checks what a command prints.
func (a administrator) tells(words []string, args ...string) string {
	a.Helper()
	out := a.does("", args...)
	for _, want := range words {
		if !strings.Contains(out, want) {
			a.Errorf("%v: no %q in\n%s", args, want, out)
		}
	}
	return out
}

func TestSendingCommands(t *testing.T) {
	t.Parallel()
	a, s := served(t)
	owner := func() account.Account { return sure(s.Account(t.Context(), "a0")) }

	set := []string{"template", "set", "ABCDEFGHIJ"}
	a.tells([]string{"line      30001234", "urgent    yes", "once      no", "text      your code: {c}"},
		append(set, "--text", "your code: {c}", "--line", "+9830001234", "--urgent", "--not-once")...)
	a.fails(2, "nothing was given", set...)
	a.fails(2, "a brace that stands alone", append(set, "--text", "code {")...)
	a.fails(1, "among the account's lines", append(set, "--line", "30009999")...)
	if got := owner().Templates[0]; got != (account.Template{ID: "ABCDEFGHIJ", Body: "your code: {c}", Line: "30001234", Urgent: true}) {
		t.Errorf("%+v", got)
	}

	var made keyView
	if err := json.Unmarshal([]byte(a.does("", "key", "set", "web", "--json")), &made); err != nil || made.Key == "" || made.Status != "disabled" || made.Account != "a0" {
		t.Errorf("%+v, %v", made, err)
	}
	if after := owner().APIKeys[0]; after.Hash != sha256.Sum256([]byte(made.Key)) || !after.Disabled {
		t.Error("the key has not the secret that was shown")
	}
	if status, _, err := a.says("short\n", "key", "set", "web", "--secret-stdin"); status != 2 || !strings.Contains(err, "too short") {
		t.Errorf("a short one: %d %s", status, err)
	}

	if out := a.tells([]string{"30001234  2"}, "block", "list"); strings.Contains(out, "777000") {
		t.Errorf("who is blocked:\n%s", out)
	}
	a.does("", "block", "remove", "+9830001234", "+98 912 777 0001")
	a.fails(2, "must be a mobile number", "block", "remove", "30001234", "0912")
	if left := sure(s.Blocks(t.Context())); left.Has("30001234", mobile("09127770001")) || !left.Has("30001234", mobile("09127770002")) {
		t.Error("another than the one that was named is blocked no more")
	}

	a.tells([]string{"sms      1200"}, "price", "list", "--account", "user0")
	a.does("", "price", "remove", "sms", "--account", "user0")
	if left := owner().Prices; len(left) != 0 {
		t.Errorf("prices of its own are left: %v", left)
	}
}

// TestIncomingIsTold: what a command puts into an inbox is told as what a phone
// sent, to those who ask for it alone.
func TestIncomingIsTold(t *testing.T) {
	t.Parallel()
	a, s := served(t)
	a.does("", "incoming", "add", "+98 3000 1234", "09127770001", "canary", "--age", "2h")
	for id, want := range map[string]int{"hears": 1, "deaf": 0, "off": 0} {
		log := sure(s.Notices(t.Context(), id, 9))
		if len(log) != want || want > 0 && (log[0].Event != webhook.Received || log[0].Outcome != webhook.Waiting) {
			t.Errorf("%s: %+v", id, log)
		}
	}
}

func TestOperatorList(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	said(t, 0, []string{"There are no operators"}, "operator", "list", "--config", file(t, "data: %s\n", data))
	two := file(t, `data: %s
operators:
- {name: first, address: "127.0.0.1:2775", systemId: dargah, password: canary08, lines: ["30001234", "3000"], prefixes: ["0912"]}
- {name: second, address: "smsc.example:2776", systemId: other, tls: true}
`, data)
	out := said(t, 0, []string{"first     smpp  127.0.0.1:2775     dargah     30001234 3000  0912", "second    smpp  smsc.example:2776  other      any            any"},
		"operator", "list", "--config", two)
	text := said(t, 0, nil, "operator", "list", "--json", "--config", two)
	var views []operatorView
	if err := json.Unmarshal([]byte(text), &views); err != nil || len(views) != 2 || !views[1].TLS || !slices.Equal(views[0].Prefixes, []string{"0912"}) || views[1].Lines == nil {
		t.Errorf("%v: %s", err, text)
	}
	if strings.Contains(out+text, "canary08") {
		t.Errorf("a password is printed:\n%s%s", out, text)
	}
}

// TestMessagesAreShown: without whom they went to and what they said, unless
// that is asked for; and receipts of nobody's messages.
func TestMessagesAreShown(t *testing.T) {
	t.Parallel()
	a, s := served(t)
	closing := storetest.Sending(t, s, "call-of-shop", "a0", 1)
	first, at := closing.Batch.ID, closing.Batch.At
	for _, err := range []error{
		s.Commit(t.Context(), closing),
		s.Record(t.Context(), []sms.Result{{Message: first, Batch: first, Operator: "mci", State: sms.Submitted, Doubt: true, At: at, Parts: []sms.PartResult{{Place: 1, ID: "77"}}}}),
		s.Receipts(t.Context(), []operator.Receipt{{Operator: "mci", ID: "77", State: sms.Delivered, At: at}, {Operator: "mci", ID: "of-nobody", State: sms.Rejected, At: at, To: "989127770001"}}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	id := strconv.FormatInt(first, 10)
	personal := []string{storetest.Mobile(0).Local()[1:], "سلام"}
	out := a.tells([]string{"call-of-shop", "delivered since", "mci, id 77, delivered", "yes: it may have been sent twice", "price     10"}, "message", "show", id)
	holdsNone(t, "message show", out, personal)
	a.tells(personal, "message", "show", id, "--text", "--json")
	holdsNone(t, "stray list", a.tells([]string{"mci", "of-nobody", "rejected"}, "message", "stray", "list"), []string{"9127770001", " 77 "})
}
