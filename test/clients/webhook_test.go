package clients_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// hookID and hookSecret are of the webhook of examples/fixtures.yaml.
const (
	hookID     = "shop"
	hookSecret = "whsec_Zm9yIHRoZSBzYW5kYm94LCBub3QgYSBzZWNyZXQuLi4="
)

// notice is what a receiver of a webhook was sent.
type notice struct {
	headers map[string]string // as node and Python name them
	body    []byte
}

// receiver is a customer's own server. What it is sent beside what a test waits for, it lets go by.
type receiver struct {
	*httptest.Server
	all chan notice
}

func startReceiver(t *testing.T) receiver {
	t.Helper()
	r := receiver{all: make(chan notice, 1000)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		n := notice{map[string]string{}, body}
		for name := range q.Header {
			n.headers[strings.ToLower(name)] = q.Header.Get(name)
		}
		select {
		case r.all <- n:
		default:
		}
	}))
	t.Cleanup(r.Close)
	return r
}

// of waits for the notice of this id.
func (r receiver) of(t *testing.T, id string) notice {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		select {
		case n := <-r.all:
			if n.headers["webhook-id"] == id {
				return n
			}
		case <-ctx.Done():
			t.Fatalf("notice %s did not come", id)
		}
	}
}

// command runs the sandbox's binary on its data folder, and reads the JSON that it prints.
func (s *sandbox) command(t *testing.T, into any, args ...string) {
	t.Helper()
	cmd := exec.Command(s.cmd.Path, append(args, "--json", "--data", s.data)...)
	cmd.Env = bareEnvironment(s.cmd.Dir)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, into)
	}
	if err != nil {
		t.Fatalf("%v: %v\n%s%s", args, err, out, &stderr)
	}
}

// tested has a test notice sent, and gives it as it came.
func (s *sandbox) tested(t *testing.T, r receiver) notice {
	t.Helper()
	var sent struct{ Notice string }
	s.command(t, &sent, "webhook", "test", hookID)
	return r.of(t, sent.Notice)
}

// question is what a receiver's verifier is asked.
type question struct {
	Secret  string            `json:"secret"`
	Headers map[string]string `json:"headers"`
	Body    []byte            `json:"body"`
	Later   int               `json:"later"` // seconds by which its clock is ahead

	what string
	want bool
}

// verifyNotices has what a sandbox sends judged by whom did not write it (HOOK-2): the npm package of Standard
// Webhooks, and what docs/webhooks.md tells customers to write.
func verifyNotices(t *testing.T, s *sandbox, r receiver) {
	need(t, "nodejs")
	first := s.tested(t, r)
	var rotated struct{ Secret string }
	s.command(t, &rotated, "webhook", "rotate", hookID)
	both := s.tested(t, r)
	for !strings.Contains(both.headers["webhook-signature"], " ") { // servers hear of the other secret within a second
		both = s.tested(t, r)
	}
	questions := doubts(first, hookSecret, rotated.Secret)
	questions = append(questions, doubts(both, hookSecret, "whsec_"+strings.Repeat("A", 44))...)
	questions = append(questions, doubts(both, rotated.Secret, "whsec_"+strings.Repeat("A", 44))...)
	for name, run := range map[string]func(t *testing.T) []string{
		"standardwebhooks": func(t *testing.T) []string {
			if _, err := os.Stat(filepath.Join(moduleFolder, "standardwebhooks", "package.json")); err != nil {
				lack(t, "npm packages (make setup)")
			}
			return []string{"node", "standardwebhooks.js"}
		},
		"node of the page": func(t *testing.T) []string { return []string{"node", "snippet.js", snippet(t, "js")} },
		"python of the page": func(t *testing.T) []string {
			need(t, "python3")
			return []string{"python3", "snippet.py", snippet(t, "python")}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			verdicts := verdictsOf(t, run(t), questions)
			for i, q := range questions {
				if verdicts[i] != q.want {
					t.Errorf("%s: %v", q.what, verdicts[i])
				}
			}
		})
	}
}

// doubts are a notice as it came, which is genuine, and all that can be wrong with it.
func doubts(n notice, secret, other string) (all []question) {
	ask := func(what string, want bool, edit func(*question)) {
		q := question{Secret: secret, Headers: maps.Clone(n.headers), Body: bytes.Clone(n.body), what: what, want: want}
		edit(&q)
		all = append(all, q)
	}
	header := func(name, value string) func(*question) { return func(q *question) { q.Headers[name] = value } }
	signature := n.headers["webhook-signature"]
	at, _ := strconv.ParseInt(n.headers["webhook-timestamp"], 10, 64)
	ask("as it came", true, func(*question) {})
	ask("after two minutes", true, func(q *question) { q.Later = 120 })
	ask("behind a signature of nobody", true, header("webhook-signature", "v1,"+strings.Repeat("A", 43)+"= "+signature))
	ask("301 seconds old", false, func(q *question) { q.Later = 301 })
	ask("of the future", false, func(q *question) { q.Later = -400 })
	for i := range n.body {
		if i%17 == 0 {
			ask("byte "+strconv.Itoa(i)+" changed", false, func(q *question) { q.Body[i] ^= 1 })
		}
	}
	ask("cut off", false, func(q *question) { q.Body = q.Body[:len(q.Body)-1] })
	ask("longer", false, func(q *question) { q.Body = append(q.Body, ' ') })
	ask("another id", false, header("webhook-id", n.headers["webhook-id"]+"0"))
	ask("another time", false, header("webhook-timestamp", strconv.FormatInt(at+1, 10)))
	ask("another secret", false, func(q *question) { q.Secret = other })
	ask("another version", false, header("webhook-signature", strings.ReplaceAll(signature, "v1,", "v2,")))
	for _, bad := range []string{"v1,", "v1,AAAA", "v1", ",", signature[:len(signature)-6]} {
		if !strings.Contains(bad, " ") { // of two, the first would still be whole
			ask("signature "+bad, false, header("webhook-signature", bad))
		}
	}
	return all
}

// snippet writes the document's block in a language to a file: what is tested is what customers copy.
func snippet(t *testing.T, language string) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(root(), "docs", "webhooks.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(page), "\n```"+language+"\n")
	code, more, closed := strings.Cut(rest, "\n```\n")
	if !found || !closed || strings.Contains(more, "\n```"+language+"\n") {
		t.Fatalf("docs/webhooks.md has not exactly one block of %s", language)
	}
	file := filepath.Join(t.TempDir(), "snippet")
	if err := os.WriteFile(file, []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// verdictsOf runs a program of the folder webhook and gives its answer to each question.
func verdictsOf(t *testing.T, argv []string, questions []question) (verdicts []bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	file, err := filepath.Abs(filepath.Join("webhook", argv[1]))
	if err != nil {
		t.Fatal(err)
	}
	asked, err := json.Marshal(questions)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, find(t, argv[0]), append([]string{file}, argv[2:]...)...)
	cmd.Dir = t.TempDir()
	cmd.Env = bareEnvironment(cmd.Dir)
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(asked), &stderr
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, &verdicts)
	}
	if err != nil || len(verdicts) != len(questions) {
		t.Fatalf("%v: %d verdicts, %v\n%s%s", argv, len(verdicts), err, out, &stderr)
	}
	return verdicts
}
