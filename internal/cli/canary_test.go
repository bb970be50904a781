package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"dargah.dev/dargah/internal/webhook"
)

// What a customer's program knows, and nobody else is to find.
const (
	canaryNumber  = "9127770001"
	canaryFailing = "9127770002"
	canarySender  = "9127770003"
	canaryText    = "canary-sent"
	canaryReply   = "canary-received"
	canaryWord    = "Canary-Passw0rd"
	canaryKey     = "canary-key-5b1f8e02"
	canaryAnswer  = "canary-answered"
	canaryURL     = "canary-of-the-address"
)

// canaryWorld has a webhook that is told what by default, and one that asked for
// more.
func canaryWorld(t *testing.T, receiver string, secrets [2]webhook.Secret) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "world.yaml")
	hook := func(id, more string, secret webhook.Secret) string {
		return fmt.Sprintf("{id: %s, url: '%s/%s?key=%s', events: [message.delivered, message.failed, message.received], secret: %s%s}",
			id, receiver, id, canaryURL, secret.Text(), more)
	}
	text := fmt.Sprintf(`domains: [{name: d.example}]
accounts:
- domain: d.example
  username: shop-owner
  password: %s
  balance: 1000000
  lines: [{number: "30001234"}]
  apiKeys: [{id: shop, key: %s}]
  webhooks:
  - %s
  - %s
scenarios: [{service: sms, when: {recipient: "0%s"}, then: {delivery: undelivered}}]
prices: {sms: 10}
`, canaryWord, canaryKey, hook("plain", "", secrets[0]), hook("full", ", withText: true", secrets[1]), canaryFailing)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// noted is one request of a sandbox to a receiver, as it came.
type noted struct {
	delivery
	path string
	all  string // line, headers and body
}

// overhear keeps what comes, and refuses the first with an answer that a log must
// not repeat.
func overhear(t *testing.T) (url string, all chan noted) {
	t.Helper()
	all = make(chan noted, 100)
	var calls atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var raw bytes.Buffer
		fmt.Fprintf(&raw, "%s %s\n", r.Method, r.URL)
		_ = r.Header.Write(&raw)
		raw.Write(body)
		if calls.Add(1) == 1 {
			http.Error(w, canaryAnswer, http.StatusInternalServerError)
		}
		all <- noted{delivery{r.Header.Clone(), body}, r.URL.Path, raw.String()}
	}))
	t.Cleanup(s.Close)
	return s.URL, all
}

// TestNoCanaryGetsOut (HOOK-6): a message that arrives, one that does not, and
// one from a phone are told of; but for the webhook that asks for them, numbers
// and texts are in no body, address, header or log, and nowhere is a secret.
// The webhooks are the fixtures file's.
func TestNoCanaryGetsOut(t *testing.T) {
	t.Parallel()
	url, all := overhear(t)
	secrets := [2]webhook.Secret{webhook.NewSecret(), webhook.NewSecret()}
	a := administrator{t, t.TempDir()}
	r := sandboxed(t, "--data", a.dir, "--fixtures", canaryWorld(t, url, secrets))
	var login struct{ Token string }
	ask(t, r.greeting.Listen+"/auth/token", "", map[string]string{"userName": "shop-owner", "password": canaryWord, "domain": "d.example"}, &login)
	for _, to := range []string{canaryNumber, canaryFailing} {
		var sent struct{ MessageIDs []string }
		ask(t, r.greeting.Listen+"/messages/send", login.Token, map[string]string{"senderNumber": "30001234", "recipientNumber": "0" + to, "content": canaryText}, &sent)
	}
	a.does("", "incoming", "add", "30001234", "0"+canarySender, canaryReply)

	var got []noted
	for range 6 {
		got = append(got, <-all)
	}
	a.does("", "webhook", "replay", got[0].header.Get("webhook-id")) // it was refused
	if again := <-all; again.header.Get("webhook-id") != got[0].header.Get("webhook-id") || !bytes.Equal(again.body, got[0].body) {
		t.Errorf("replayed: %s", again.body)
	}
	if err := r.end(t, syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	personal := []string{canaryNumber, canaryFailing, canarySender, canaryText, canaryReply}
	words := []string{canaryWord, canaryKey, login.Token, secrets[0].Text(), secrets[1].Text(), secrets[0].Text()[6:], secrets[1].Text()[6:]}
	told := map[string]int{}
	seen := map[string]bool{}
	for _, n := range got {
		secret, banned := secrets[0], slices.Concat(personal, words)
		if n.path == "/full" {
			secret, banned = secrets[1], words
			for _, p := range personal {
				seen[p] = seen[p] || strings.Contains(n.all, p)
			}
		}
		if !n.good(t, secret.Text()) {
			t.Errorf("not signed by its secret:\n%s", n.all)
		}
		holdsNone(t, "a notice", n.all, banned)
		var body struct{ Type string }
		if err := json.Unmarshal(n.body, &body); err != nil {
			t.Error(err)
		}
		told[n.path+" "+body.Type]++
	}
	for _, p := range []string{"/plain", "/full"} {
		for _, e := range webhook.Events {
			if told[p+" "+string(e)] != 1 {
				t.Errorf("told: %v", told)
			}
		}
	}
	if len(seen) != len(personal) || slices.Contains([]bool{seen[canaryNumber], seen[canaryFailing], seen[canarySender], seen[canaryText], seen[canaryReply]}, false) {
		t.Errorf("the webhook that asks for text was not told it, so that this test sees nothing: %v", seen)
	}
	banned := slices.Concat(personal, words, []string{canaryURL, canaryAnswer})
	log, err := os.ReadFile(filepath.Join(a.dir, "dargah.log"))
	if err != nil || len(log) == 0 {
		t.Fatal("no log", err)
	}
	holdsNone(t, "the log", string(log), banned)
	holdsNone(t, "standard error", r.errors.String(), banned)
	for _, command := range []string{"log plain", "log full --json"} {
		holdsNone(t, "webhook "+command, a.does("", append([]string{"webhook"}, strings.Fields(command)...)...), banned)
	}
	holdsNone(t, "the trail", a.does("", "audit", "export"), banned)
}

// holdsNone fails where a text holds what it must not.
func holdsNone(t *testing.T, what, text string, banned []string) {
	t.Helper()
	for _, b := range banned {
		if strings.Contains(text, b) {
			t.Errorf("%s holds %q:\n%.2000s", what, b, text)
		}
	}
}

// TestFixturesForAnotherPlace: a file whose webhooks a sandbox, or an
// installation, would not go to is refused before anything is touched.
func TestFixturesForAnotherPlace(t *testing.T) {
	t.Parallel()
	here := canaryWorld(t, "http://127.0.0.1:9000", [2]webhook.Secret{webhook.NewSecret(), webhook.NewSecret()})
	inside := canaryWorld(t, "https://10.20.0.7", [2]webhook.Secret{webhook.NewSecret(), webhook.NewSecret()})
	said(t, 1, []string{"not accepted; nothing was changed", "world.yaml:10: accounts[0].webhooks[0].url: the address is not on the internet"},
		"sandbox", "--data", t.TempDir(), "--fixtures", inside)
	a := newInstallation(t)
	a.fails(1, "world.yaml:10: accounts[0].webhooks[0].url: the URL is plain http", "import", here)
	allowed := file(t, "data: %s\nwebhooks: {allow: [10.20.0.0/16]}\n", a.dir)
	said(t, 0, []string{"accounts   1", "webhooks   2"}, "import", inside, "--config", allowed)
}
