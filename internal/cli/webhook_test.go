package cli

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
)

// madeWebhook is what the commands print of a webhook.
type madeWebhook struct{ ID, URL, Status, Secret, FormerSecretUntil string }

func (a administrator) webhook(args ...string) (w madeWebhook) {
	a.Helper()
	if err := json.Unmarshal([]byte(a.does("", append(append([]string{"webhook"}, args...), "--json")...)), &w); err != nil {
		a.Fatal(err)
	}
	return w
}

func (a administrator) customer() {
	a.Helper()
	a.does("", "domain", "add", "sms.example")
	a.does("", "account", "add", "shop")
}

const hookAddress = "https://hooks.example.ir/in?key=of-the-customer"

func TestWebhookCommands(t *testing.T) {
	t.Parallel()
	a := newInstallation(t)
	a.customer()
	made := a.webhook("add", "--account", "shop", "--url", hookAddress, "--event", "message.failed", "--event", "message.delivered", "--by", "ali")
	if !strings.HasPrefix(made.Secret, "whsec_") || made.URL != hookAddress {
		t.Errorf("%+v", made)
	}
	list := a.does("", "webhook", "list", "--account", "shop")
	if !strings.Contains(list, "message.delivered, message.failed") || strings.Contains(list, "of-the-customer") {
		t.Errorf("the list:\n%s", list)
	}
	if shown := a.webhook("show", made.ID); shown.Secret != "" || shown.URL != hookAddress {
		t.Errorf("%+v", shown)
	}
	other := a.webhook("rotate", made.ID)
	if other.Secret == made.Secret || other.Secret == "" || other.FormerSecretUntil == "" {
		t.Errorf("rotated: %+v", other)
	}
	if done := a.webhook("rotate", made.ID, "--finish"); done.Secret != "" || done.FormerSecretUntil != "" {
		t.Errorf("finished: %+v", done)
	}
	a.fails(1, "has ended", "webhook", "rotate", made.ID, "--finish")
	for _, beside := range []string{"--secret-stdin", "--keep=1h"} {
		a.fails(2, "can't be used together", "webhook", "rotate", made.ID, "--finish", beside)
	}
	if set := a.does("", "webhook", "set", made.ID, "--event", "message.received", "--with-text"); !strings.Contains(set, "events             message.received\n") {
		t.Errorf("set:\n%s", set)
	}
	var put struct{ Notice string }
	if err := json.Unmarshal([]byte(a.does("", "webhook", "test", made.ID, "--json")), &put); err != nil {
		t.Fatal(err)
	}
	name := put.Notice
	for range 2 { // a replay changes nothing of what is told
		if log := a.does("", "webhook", "log", made.ID); !strings.Contains(log, name) || !strings.Contains(log, "waiting") {
			t.Errorf("the log:\n%s", log)
		}
		a.does("", "webhook", "replay", name)
	}
	if off := a.webhook("disable", made.ID); off.Status != "disabled" {
		t.Errorf("%+v", off)
	}
	a.fails(1, "is disabled", "webhook", "test", made.ID)
	a.does("", "webhook", "enable", made.ID)
	if trail := a.does("", "audit", "export"); !strings.Contains(trail, `"ali"`) || strings.Contains(trail, "hooks.example.ir") {
		t.Errorf("the trail:\n%s", trail)
	}
	a.does("", "webhook", "remove", made.ID)
	a.fails(1, "list", "webhook", "show", made.ID)
	a.does("", "audit", "verify")
}

func TestWebhookRefusals(t *testing.T) {
	t.Parallel()
	a := newInstallation(t)
	a.customer()
	add := func(url, event string) []string {
		return []string{"webhook", "add", "--account", "shop", "--url", url, "--event", event}
	}
	a.fails(2, "plain http", add("http://hooks.example.ir/", "message.failed")...)
	a.fails(2, "not on the internet", add("https://127.0.0.1/", "message.failed")...)
	a.fails(2, "not on the internet", add("https://[::ffff:10.0.0.1]/", "message.failed")...)
	a.fails(2, "port 22", add("https://hooks.example.ir:22/", "message.failed")...)
	a.fails(2, "is no event", add(hookAddress, "message.read")...)
	a.fails(1, "dargah account list", "webhook", "add", "--account", "nobody", "--url", hookAddress, "--event", "message.failed")
	for _, command := range []string{"show", "log", "test", "disable", "remove", "rotate"} {
		a.fails(1, "list", "webhook", command, "wh_none")
	}
	a.fails(2, "is no webhook-id", "webhook", "replay", "7")
	a.fails(1, "notice msg_7", "webhook", "replay", "msg_7")
	made := a.webhook(add(hookAddress, "message.failed")[1:]...)
	a.fails(2, "nothing was given", "webhook", "set", made.ID)
	a.fails(2, "not on the internet", "webhook", "set", made.ID, "--url", "https://192.168.1.1/")
	if shown := a.webhook("show", made.ID); shown.URL != hookAddress {
		t.Errorf("after a refusal: %+v", shown)
	}
	inside := file(t, "data: %s\nwebhooks: {allow: [10.20.0.0/16]}\n", a.dir)
	told := []string{"webhook", "add", "--account", "shop", "--event", "message.failed", "--config", inside, "--url"}
	said(t, 0, []string{"whsec_"}, append(told, "https://10.20.0.7/in")...)
	if status, _, err := say(t, append(told, "https://10.21.0.7/in")...); status != 2 || !strings.Contains(err, "not on the internet") {
		t.Errorf("outside what is allowed: %d %s", status, err)
	}
}

// delivery is one notice as a receiver gets it.
type delivery struct {
	header http.Header
	body   []byte
}

// good verifies the first signature.
func (d delivery) good(t *testing.T, secret string) bool {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(d.header.Get("webhook-id") + "." + d.header.Get("webhook-timestamp") + "." + string(d.body)))
	return d.header.Get("webhook-signature") == "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// TestWebhookOfASandbox: a message that is sent through the API of a running
// sandbox is told of, signed, to a receiver on this machine, and again on replay.
func TestWebhookOfASandbox(t *testing.T) {
	t.Parallel()
	got := make(chan delivery, 100)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- delivery{r.Header.Clone(), body}
	}))
	defer receiver.Close()
	a := administrator{t, t.TempDir()}
	r := sandboxed(t, "--data", a.dir)
	made := a.webhook("add", "--account", r.greeting.Credentials.Username, "--url", receiver.URL, "--event", "message.delivered")
	a.does("", "webhook", "test", made.ID)
	if first := <-got; !first.good(t, made.Secret) || !bytes.Contains(first.body, []byte(`"webhook.test"`)) {
		t.Fatalf("the test: %s", first.body)
	}
	message := send(t, r.greeting)
	told := <-got
	if !told.good(t, made.Secret) || !bytes.Contains(told.body, []byte(`"message.delivered"`)) || !bytes.Contains(told.body, []byte(message)) {
		t.Errorf("told: %s", told.body)
	}
	if bytes.Contains(told.body, []byte("recipient")) || told.good(t, "whsec_AAAA") {
		t.Errorf("more than was asked for, or a signature of any key: %s", told.body)
	}
	id := told.header.Get("webhook-id")
	a.does("", "webhook", "replay", id)
	if again := <-got; again.header.Get("webhook-id") != id || !bytes.Equal(again.body, told.body) {
		t.Errorf("replayed: %s", again.body)
	}
	if err := r.end(t, syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if log := a.does("", "webhook", "log", made.ID); strings.Count(log, "arrived") != 2 || !strings.Contains(log, id) || !strings.Contains(log, "200") {
		t.Errorf("the log:\n%s", log)
	}
}

// send sends one message as a client of smsafzar does, and gives its id.
func send(t *testing.T, g greeting) string {
	t.Helper()
	c := g.Credentials
	var login struct{ Token string }
	ask(t, g.Listen+"/auth/token", "", map[string]string{"userName": c.Username, "password": c.Password, "domain": c.Domain}, &login)
	var sent struct{ MessageIDs []string }
	ask(t, g.Listen+"/messages/send", login.Token, map[string]string{"senderNumber": c.Line, "recipientNumber": c.Mobile, "content": "سلام"}, &sent)
	if len(sent.MessageIDs) != 1 {
		t.Fatalf("sent: %v", sent.MessageIDs)
	}
	return sent.MessageIDs[0]
}

func ask(t *testing.T, url, token string, body, into any) {
	t.Helper()
	text, _ := json.Marshal(body)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	all, _ := io.ReadAll(answer.Body)
	if answer.StatusCode != http.StatusOK || json.Unmarshal(all, into) != nil {
		t.Fatalf("%s: %d %s", url, answer.StatusCode, all)
	}
}
