package cli

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	"dargah.dev/dargah/internal/operator"
	"dargah.dev/dargah/internal/sms"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/store/storetest"
)

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

func TestTemplateSet(t *testing.T) {
	t.Parallel()
	a := newInstallation(t)
	a.customer()
	a.does("", "line", "add", "shop", "30001234")
	a.does("", "template", "add", "shop", "code {c}", "--id", "ABCDEFGHIJ")
	set := []string{"template", "set", "ABCDEFGHIJ"}
	a.tells([]string{"line      30001234", "urgent    yes", "once      yes", "text      your code: {c}"},
		append(set, "--text", "your code: {c}", "--line", "+9830001234", "--urgent", "--once")...)
	a.tells([]string{"urgent    no", "once      yes", "text      your code: {c}"}, append(set, "--not-urgent")...)
	a.tells([]string{"line      the caller's", "once      no"}, append(set, "--no-line", "--not-once")...)
	a.fails(2, "nothing was given", set...)
	a.fails(2, "a brace that stands alone", append(set, "--text", "code {")...)
	a.fails(1, "among the account's lines", append(set, "--line", "30009999")...)
	a.fails(1, "template NOBODYSOWN is not there", "template", "set", "NOBODYSOWN", "--urgent")
	a.tells([]string{"line      the caller's", "urgent    no", "once      no", "text      your code: {c}"}, "template", "show", "ABCDEFGHIJ")
}

func TestKeySet(t *testing.T) {
	t.Parallel()
	a := newInstallation(t)
	a.customer()
	secret := func(args ...string) (v keyView) {
		t.Helper()
		if err := json.Unmarshal([]byte(a.does("", append(args, "--json")...)), &v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	first := secret("key", "add", "shop", "web")
	a.does("", "key", "disable", "web")
	second := secret("key", "set", "web")
	if second.Key == "" || second.Key == first.Key || second.Status != "disabled" || second.Account != first.Account {
		t.Errorf("%+v after %+v", second, first)
	}
	hash := func() [32]byte {
		t.Helper()
		s := sure(store.Attach(t.Context(), store.Folder(a.dir), store.Options{}))
		defer s.Close()
		return sure(s.Account(t.Context(), "shop")).APIKeys[0].Hash
	}
	before := hash()
	const own = "a-key-of-ones-own-71c0\n"
	if out := a.does(own, "key", "rotate", "web", "--secret-stdin"); strings.Contains(out, "of-ones-own") || hash() == before {
		t.Errorf("not set, or shown:\n%s", out)
	}
	a.does("", "key", "add", "shop", "other")
	if status, _, err := a.says(own, "key", "set", "other", "--secret-stdin"); status != 1 || !strings.Contains(err, "is taken") {
		t.Errorf("the secret of another key: %d %s", status, err)
	}
	if status, _, err := a.says("short\n", "key", "set", "web", "--secret-stdin"); status != 2 || !strings.Contains(err, "too short") {
		t.Errorf("a short one: %d %s", status, err)
	}
	a.fails(1, "API key nobody is not there", "key", "set", "nobody")
}

func TestBlocksAndPrices(t *testing.T) {
	t.Parallel()
	a := newInstallation(t)
	a.customer()
	a.does("", "line", "add", "shop", "30001234")
	a.does("", "block", "add", "30001234", "09127770001")
	a.does("", "block", "add", "30001234", "09127770002")
	counted := func() (n, wishes int64) {
		t.Helper()
		var all []store.Blocked
		if err := json.Unmarshal([]byte(a.does("", "block", "list", "--json")), &all); err != nil {
			t.Fatal(err)
		}
		for _, b := range all {
			n, wishes = n+b.Recipients, wishes+b.ByWish
		}
		return n, wishes
	}
	if n, wishes := counted(); n != 2 || wishes != 0 {
		t.Errorf("%d are blocked, %d by their wish", n, wishes)
	}
	if out := a.tells([]string{"30001234  2"}, "block", "list"); strings.Contains(out, "777000") {
		t.Errorf("who is blocked:\n%s", out)
	}
	a.does("", "block", "remove", "+9830001234", "+98 912 777 0001")
	a.fails(1, "is not there", "block", "remove", "30001234", "09127770001")
	a.fails(2, "must be a mobile number", "block", "remove", "30001234", "0912")
	if n, _ := counted(); n != 1 {
		t.Errorf("%d are blocked after one was removed", n)
	}

	a.does("", "price", "set", "sms", "1,500")
	a.does("", "price", "set", "sms", "۱۲۰۰", "--account", "shop")
	a.tells([]string{"sms      1200"}, "price", "list", "--account", "shop")
	a.tells([]string{"sms      1500"}, "price", "list")
	a.does("", "price", "remove", "sms", "--account", "shop")
	if out := a.does("", "price", "list", "--account", "shop", "--json"); strings.TrimSpace(out) != "{}" {
		t.Errorf("a price of its own is left: %s", out)
	}
	a.tells([]string{"sms      1500"}, "price", "list")
	a.fails(1, "is not there", "price", "remove", "sms", "--account", "shop")
	a.fails(1, "dargah account list", "price", "list", "--account", "nobody")
}

// TestIncomingIsTold: what a command puts into an inbox is told as what a phone
// sent, to those who ask for it alone.
func TestIncomingIsTold(t *testing.T) {
	t.Parallel()
	a := newInstallation(t)
	a.customer()
	a.does("", "line", "add", "shop", "30001234")
	add := func(event string, more ...string) string {
		t.Helper()
		return a.webhook(append([]string{"add", "--account", "shop", "--url", hookAddress, "--event", event}, more...)...).ID
	}
	hears, deaf, off := add("message.received"), add("message.delivered"), add("message.received", "--disabled", "--id", "own-name")
	a.does("", "incoming", "add", "+98 3000 1234", "09127770001", "canary", "--age", "2h")
	for id, want := range map[string]int{hears: 1, deaf: 0, off: 0} {
		var log []noticeView
		if err := json.Unmarshal([]byte(a.does("", "webhook", "log", id, "--json")), &log); err != nil {
			t.Fatal(err)
		}
		if len(log) != want || want > 0 && (log[0].Event != "message.received" || log[0].Outcome != "waiting") {
			t.Errorf("%s: %+v", id, log)
		}
	}
	a.fails(1, "30009999", "incoming", "add", "30009999", "09127770001", "canary")
}

func TestOperatorList(t *testing.T) {
	t.Parallel()
	data := newInstallation(t).dir
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
	a := newInstallation(t)
	a.customer()
	a.does("", "wallet", "topup", "shop", "1000")
	s := sure(store.Open(t.Context(), store.Folder(a.dir), store.Options{}))
	owner := sure(s.Account(t.Context(), "shop")).ID
	closing := storetest.Sending(t, s, "call-of-shop", owner, 2)
	first := closing.Batch.ID
	at := closing.Batch.At
	for _, err := range []error{
		s.Commit(t.Context(), closing),
		s.Record(t.Context(), []sms.Result{{Message: first, Batch: first, Operator: "mci", State: sms.Submitted, Doubt: true, At: at, Parts: []sms.PartResult{{Place: 1, ID: "77"}}}}),
		s.Receipts(t.Context(), []operator.Receipt{{Operator: "mci", ID: "77", State: sms.Delivered, At: at}, {Operator: "mci", ID: "of-nobody", State: sms.Rejected, At: at, To: "989127770001"}}),
		s.Close(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	id := strconv.FormatInt(first, 10)
	personal := []string{storetest.Mobile(0).Local()[1:], "سلام"}
	out := a.tells([]string{"call-of-shop", "delivered since", "mci, id 77, delivered", "yes: it may have been sent twice", "price     10"}, "message", "show", id)
	holdsNone(t, "message show", out+a.does("", "message", "show", id, "--json"), personal)
	if out := a.does("", "message", "show", id, "--text"); !strings.Contains(out, personal[0]) || !strings.Contains(out, personal[1]) {
		t.Errorf("asked for text:\n%s", out)
	}
	a.tells([]string{"queued since", "operator  none", "in doubt  no"}, "message", "show", strconv.FormatInt(first+1, 10))
	a.fails(1, "there is no message 999", "message", "show", "999")
	holdsNone(t, "stray list", a.tells([]string{"mci", "of-nobody", "rejected"}, "message", "stray", "list"), []string{"9127770001", " 77 "})
	var strays []strayView
	if err := json.Unmarshal([]byte(a.does("", "message", "stray", "list", "--json", "--limit", "5")), &strays); err != nil || len(strays) != 1 || strays[0].State != "rejected" {
		t.Errorf("%v: %+v", err, strays)
	}
}
