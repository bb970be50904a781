package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// asCommand is the variable that tells it. Those called DARGAH_ are settings.
const asCommand = "TEST_AS_DARGAH"

// The tests run the command as a process of its own: this test binary, told by
// the environment to be dargah.
func TestMain(m *testing.M) {
	if os.Getenv(asCommand) == "1" {
		os.Exit(Main(os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "DARGAH_") }), asCommand+"=1")
	return cmd
}

// say runs a command that ends by itself.
func say(t *testing.T, args ...string) (status int, out, err string) {
	t.Helper()
	cmd := command(t, args...)
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	fault := cmd.Run()
	var exit *exec.ExitError
	if fault != nil && !errors.As(fault, &exit) {
		t.Fatal(fault)
	}
	return cmd.ProcessState.ExitCode(), o.String(), e.String()
}

type running struct {
	*exec.Cmd
	greeting greeting
	errors   *bytes.Buffer
}

// sandboxed starts a sandbox on a free port and waits until it is ready.
func sandboxed(t *testing.T, args ...string) *running {
	t.Helper()
	r := &running{}
	r.Cmd, r.errors = started(t, nil, &r.greeting, append([]string{"sandbox", "--listen", "127.0.0.1:0", "--json"}, args...)...)
	return r
}

// started runs a command that prints one JSON object when it is ready.
func started(t *testing.T, environ []string, into any, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	cmd, errors := command(t, args...), &bytes.Buffer{}
	cmd.Env, cmd.Stderr = append(cmd.Env, environ...), errors
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // it has ended where all went well
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		_ = cmd.Wait()
		t.Fatalf("%v: nothing said: %v\n%s", args, err, errors)
	}
	if err := json.Unmarshal(line, into); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	return cmd, errors
}

func (r *running) end(t *testing.T, signal os.Signal) error {
	t.Helper()
	if err := r.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	return r.Wait()
}

// inquire asks for the greeting's person.
func (r *running) inquire() (int, string, error) {
	c := r.greeting.Credentials
	body := fmt.Sprintf(`{"requestContext":{"apiInfo":{"businessId":%q,"businessToken":%q}},"nationalId":%q,"birthDate":%q}`,
		c.Business, c.BusinessToken, c.NationalCode, c.BirthDate)
	answer, err := http.Post(r.greeting.Address+"/api/inquiry/person", "application/json", strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(text), err
}

// balance logs in to smsafzar and asks for the wallet.
func (r *running) balance(t *testing.T) int64 {
	t.Helper()
	c := r.greeting.Credentials
	var token struct{ Token string }
	fetch(t, http.MethodPost, r.greeting.Address+"/auth/token", "", fmt.Sprintf(`{"userName":%q,"password":%q,"domain":%q}`, c.Username, c.Password, c.Domain), &token)
	var wallet struct{ Balance int64 }
	fetch(t, http.MethodGet, r.greeting.Address+"/account/balance", token.Token, "", &wallet)
	return wallet.Balance
}

func fetch(t *testing.T, method, url, bearer, body string, into any) {
	t.Helper()
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if bearer != "" {
		request.Header.Set("Authorization", "Bearer "+bearer)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK || json.Unmarshal(text, into) != nil {
		t.Fatalf("%s %s: %d %s %v", method, url, answer.StatusCode, text, err)
	}
}

func TestWordsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args   []string
		status int
		want   []string
	}{
		"no command":     {nil, 0, []string{"sandbox", "version"}},
		"help":           {[]string{"--help"}, 0, []string{"sandbox", "version", "درگاه"}},
		"sandbox help":   {[]string{"sandbox", "--help"}, 0, []string{"--listen", "--data", "--fixtures", "--reset", "--json", "--seed"}},
		"version":        {[]string{"version"}, 0, []string{"dargah ", "go1."}},
		"unknown":        {[]string{"sandbax"}, 2, []string{"sandbax", "`dargah --help`"}},
		"unknown flag":   {[]string{"sandbox", "--port", "1"}, 2, []string{"--port", "--help"}},
		"of a command":   {[]string{"webhook", "rotate", "x", "--y"}, 2, []string{"--y", "`dargah webhook rotate --help`"}},
		"no file":        {[]string{"sandbox", "--fixtures", "/nowhere/world.yaml"}, 1, []string{"cannot be read", "examples/fixtures.yaml"}},
		"bad address":    {[]string{"sandbox", "--listen", "nowhere"}, 1, []string{"cannot listen", "127.0.0.1:8080"}},
		"bad settings":   {[]string{"sandbox", "--proxies", "10.0.0", "--public-url", "ftp://x"}, 1, []string{"10.0.0", "publicUrl"}},
		"bad data names": {[]string{"sandbox", "--data-names", "snake"}, 2, []string{"pascal"}},
		"bad folder":     {[]string{"sandbox", "--listen", "127.0.0.1:0", "--data", "/dev/null/x"}, 1, []string{"data folder", "--data"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, out, err := say(t, c.args...)
			if status != c.status {
				t.Errorf("status %d, want %d", status, c.status)
			}
			for _, want := range c.want {
				if !strings.Contains(out+err, want) {
					t.Errorf("%q is not in:\n%s%s", want, out, err)
				}
			}
			if strings.Contains(out+err, "goroutine") {
				t.Errorf("a stack trace:\n%s%s", out, err)
			}
		})
	}
}

func TestEveryMistakeOfAFileIsReportedAndNothingIsTouched(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "world.yaml")
	if err := os.WriteFile(file, []byte("domains: [{name: a.ir}]\naccounts:\n  - domain: b.ir\n    username: user-one\n    password: Passw0rd-1234\n    rate: 0\n    colour: red\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "data")
	status, _, err := say(t, "sandbox", "--listen", "127.0.0.1:0", "--data", data, "--fixtures", file)
	if status != 1 {
		t.Errorf("status %d", status)
	}
	for _, want := range []string{"world.yaml:3:", "world.yaml:6:", "world.yaml:7:", "colour"} {
		if !strings.Contains(err, want) {
			t.Errorf("%q is not in:\n%s", want, err)
		}
	}
	if strings.Contains(err, "Passw0rd") {
		t.Error("the password is printed")
	}
	if _, fault := os.Stat(data); !errors.Is(fault, os.ErrNotExist) {
		t.Error("the data folder was made all the same")
	}
}

func TestTakenPort(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	status, _, text := say(t, "sandbox", "--listen", l.Addr().String())
	if status != 1 || !strings.Contains(text, "is taken") || !strings.Contains(text, "--listen") {
		t.Errorf("status %d: %s", status, text)
	}
}

// A request line and headers of 16 KiB are taken, and not one byte more.
func TestHeadersAreBounded(t *testing.T) {
	t.Parallel()
	r := sandboxed(t)
	const head, end = "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-A: ", "\r\n\r\n"
	for size, want := range map[int]string{16<<10 - 1: "200", 16 << 10: "200", 16<<10 + 1: "431"} {
		c, err := net.Dial("tcp", strings.TrimPrefix(r.greeting.Listen, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c, head+strings.Repeat("a", size-len(head)-len(end))+end) // it may be cut short: what is answered counts
		answer, err := bufio.NewReader(c).ReadString('\n')
		if fault := c.Close(); err != nil || fault != nil || !strings.HasPrefix(answer, "HTTP/1.1 "+want+" ") {
			t.Errorf("%d bytes: %q, want %s (%v, %v)", size, answer, want, err, fault)
		}
	}
	if err := r.end(t, syscall.SIGTERM); err != nil {
		t.Errorf("SIGTERM: %v\n%s", err, r.errors)
	}
}

func TestTheSameFolderTwice(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := sandboxed(t, "--data", dir)
	for _, extra := range [][]string{nil, {"--reset"}} {
		status, _, text := say(t, append([]string{"sandbox", "--listen", "127.0.0.1:0", "--data", dir}, extra...)...)
		if status != 1 || !strings.Contains(text, "Stop the other Dargah") {
			t.Errorf("%v: status %d: %s", extra, status, text)
		}
	}
	if status, text, err := first.inquire(); status != 200 || err != nil {
		t.Errorf("the first one no longer answers: %d %s %v", status, text, err)
	}
	if err := first.end(t, syscall.SIGTERM); err != nil {
		t.Errorf("SIGTERM: %v\n%s", err, first.errors)
	}
}

func TestTemporaryFolderIsRemoved(t *testing.T) {
	t.Parallel()
	r := sandboxed(t)
	if _, err := os.Stat(filepath.Join(r.greeting.Data, "dargah.db")); err != nil {
		t.Errorf("no database while it runs: %v", err)
	}
	if err := r.end(t, os.Interrupt); err != nil {
		t.Errorf("interrupted: %v\n%s", err, r.errors)
	}
	if _, err := os.Stat(r.greeting.Data); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there", r.greeting.Data)
	}
}

func TestWorldSurvivesARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fixtures := filepath.Join("..", "..", "examples", "fixtures.yaml")
	first := sandboxed(t, "--data", dir, "--fixtures", fixtures)
	if status, text, err := first.inquire(); status != 200 || err != nil {
		t.Fatalf("%d %s %v", status, text, err)
	}
	was := first.balance(t)
	if was != 5_000_000-12_000 {
		t.Errorf("balance %d after one inquiry", was)
	}
	if err := first.end(t, syscall.SIGTERM); err != nil {
		t.Errorf("SIGTERM: %v", err)
	}
	again := sandboxed(t, "--data", dir, "--fixtures", fixtures)
	if !again.greeting.NotApplied {
		t.Error("nobody says that the fixtures were not applied again")
	}
	if got := again.balance(t); got != was {
		t.Errorf("balance %d after the restart, %d before", got, was)
	}
	_ = again.end(t, syscall.SIGTERM)
	fresh := sandboxed(t, "--data", dir, "--fixtures", fixtures, "--reset")
	if got := fresh.balance(t); got != 5_000_000 || fresh.greeting.NotApplied {
		t.Errorf("after --reset: balance %d, not applied %v", got, fresh.greeting.NotApplied)
	}
	_ = fresh.end(t, syscall.SIGTERM)
}

// Whatever was answered before a kill is charged, once, after it.
func TestKilledServerLosesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fixtures := filepath.Join(dir, "world.yaml")
	if err := os.WriteFile(fixtures, []byte(killWorld), 0o600); err != nil {
		t.Fatal(err)
	}
	const opening, price = 1_000_000_000, 1000
	answered := int64(0)
	for range 4 {
		r := sandboxed(t, "--data", dir, "--fixtures", fixtures)
		if got, want := r.balance(t), opening-answered*price; got > want || got < want-16*price {
			t.Fatalf("balance %d after %d answers: want %d, less at most the 16 calls that were under way at a kill", got, answered, want)
		} else {
			answered = (opening - got) / price // what was under way and charged counts as answered from here on
		}
		counts := make(chan int64, 16)
		for range cap(counts) {
			go func() {
				n := int64(0)
				for {
					status, _, err := r.inquire()
					if err != nil || status != 200 {
						counts <- n
						return
					}
					if n++; n == 40 {
						_ = r.Process.Kill()
					}
				}
			}()
		}
		for range cap(counts) {
			answered += <-counts
		}
		_ = r.Wait()
	}
}

const killWorld = `
domains: [{name: sms.kill, default: true}]
accounts:
  - {domain: sms.kill, username: killed, password: Passw0rd-1234, balance: 1000000000, rate: 1000000,
     lines: [{number: "30001234"}], clients: [{id: k, secret: sandbox-secret-kill, passwordGrant: true}],
     business: [{id: b, token: sandbox-token-kill}]}
people:
  - {nationalCode: "0012345679", birthDate: 1372/11/02, firstName: علی, lastName: رضایی, fatherName: حسن, gender: male}
prices: {person: 1000}
`

// Every printed line must work when it is pasted into a shell.
func TestPrintedCommandsWork(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("no curl")
	}
	r := sandboxed(t)
	var script strings.Builder
	seen := map[string]bool{}
	for _, e := range r.greeting.Examples {
		fmt.Fprintf(&script, "%s\necho\n", e.Command)
		seen[e.Dialect] = true
	}
	if len(seen) != 4 {
		t.Errorf("examples of %v, want four dialects", seen)
	}
	out, err := exec.Command("sh", "-c", script.String()).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, script.String(), out)
	}
	for _, want := range []string{`"payUrl"`, `"balance":5000000`, `"data":4998500`, `"SUCCESS."`, `"DEATH_STATUS_ALIVE"`} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%s is not in what the printed commands answer:\n%s", want, out)
		}
	}
	if err := r.end(t, syscall.SIGTERM); err != nil {
		t.Error(err)
	}
}
