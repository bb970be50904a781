package clients_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The world of examples/fixtures.yaml, as far as the samples ask for it.
const (
	username  = "testuser"
	password  = "T0ken@Passw0rd" // see worldForClients
	clientID  = "test"
	line      = "30001234"
	birthDate = "1372/11/02"
	balance   = 5_000_000
)

func credentials(address string) []string {
	return []string{
		"DARGAH_BASE=" + address,
		"DARGAH_USERNAME=" + username,
		"DARGAH_PASSWORD=" + password,
		"DARGAH_DOMAIN=sms.smsafzar",
		"DARGAH_CLIENT_ID=" + clientID,
		"DARGAH_CLIENT_SECRET=sandbox-secret-5f0c2b7e9a1d4c38",
		"DARGAH_LINE=" + line,
		"DARGAH_BUSINESS_ID=biz-1",
		"DARGAH_BUSINESS_TOKEN=biz-token-0123456789",
		"DARGAH_NATIONAL_CODE=0012345679",
		"DARGAH_BIRTH_DATE=" + birthDate,
		"DARGAH_MOBILE=09121234567",
	}
}

// sandbox is the real binary, serving.
type sandbox struct {
	address string // "http://127.0.0.1:" and a port
	data    string
	cmd     *exec.Cmd
	exited  chan struct{} // closed when the process is gone; then err and stderr may be read
	err     error
	stderr  bytes.Buffer
}

// startSandbox starts one whose webhook is at an address.
func startSandbox(t *testing.T, hook string) *sandbox {
	t.Helper()
	s := &sandbox{data: t.TempDir(), exited: make(chan struct{})}
	s.cmd = exec.Command(buildBinary(t), "sandbox",
		"--listen", "127.0.0.1:0", "--fixtures", worldForClients(t, hook), "--json", "--data", s.data)
	s.cmd.Dir = t.TempDir()
	s.cmd.Env = bareEnvironment(s.cmd.Dir)
	reads, writes := io.Pipe()
	s.cmd.Stdout, s.cmd.Stderr = writes, &s.stderr
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		s.err = s.cmd.Wait()
		_ = writes.CloseWithError(io.ErrUnexpectedEOF)
		close(s.exited)
	}()
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		<-s.exited
		if t.Failed() {
			t.Logf("the sandbox's stderr:\n%s", &s.stderr)
		}
	})
	s.address = readAddress(t, reads)
	return s
}

// readAddress waits for the one JSON object that says where the server listens, then lets the rest go by.
func readAddress(t *testing.T, stdout io.Reader) string {
	t.Helper()
	type announcement struct {
		Address string `json:"address"`
	}
	ready, broken := make(chan announcement, 1), make(chan error, 1)
	go func() {
		var said announcement
		if err := json.NewDecoder(stdout).Decode(&said); err != nil {
			broken <- err
			return
		}
		ready <- said
		_, _ = io.Copy(io.Discard, stdout)
	}()
	select {
	case said := <-ready:
		if !strings.HasPrefix(said.Address, "http://127.0.0.1:") {
			t.Fatalf("address is %q", said.Address)
		}
		return said.Address
	case err := <-broken:
		t.Fatalf("the sandbox said nothing readable: %v", err)
	case <-time.After(patience):
		t.Fatal("the sandbox did not get ready")
	}
	return ""
}

// stop asks the server to end and expects it to say that all went well. Under -race the exit
// status tells of data races too.
func (s *sandbox) stop(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatalf("SIGTERM: %v", err)
	}
	select {
	case <-s.exited:
		if s.err != nil {
			t.Errorf("after SIGTERM: %v, want exit status 0", s.err)
		}
	case <-time.After(patience):
		t.Error("still running after SIGTERM")
	}
}

func buildBinary(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "dargah")
	args := []string{"build", "-buildvcs=false", "-o", program}
	if raceDetector {
		args = append(args, "-race")
	}
	build := exec.Command("go", append(args, ".")...)
	build.Dir = root()
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the binary: %v\n%s", err, out)
	}
	return program
}

// worldForClients copies the example's fixtures with three changes: a rate that lets all samples
// call at once, a password with an @ in it, which the pages' own clients send now escaped,
// now as it is, and a webhook that is told.
func worldForClients(t *testing.T, hook string) string {
	t.Helper()
	world, err := os.ReadFile(filepath.Join(root(), "examples", "fixtures.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	changed := string(world)
	for from, to := range map[string]string{
		"\n    rate: 5 ":                          "\n    rate: 1000 ",
		"url: https://shop.example/sms ":          "url: " + hook + " ",
		"\n        status: disabled ":             "\n        status: active ",
		"\n    tokenPassword: \"T0ken-Passw0rd\"": fmt.Sprintf("\n    tokenPassword: %q", password),
	} {
		if strings.Count(changed, from) != 1 {
			t.Fatalf("examples/fixtures.yaml has not exactly one %q", strings.TrimSpace(from))
		}
		changed = strings.Replace(changed, from, to, 1)
	}
	file := filepath.Join(t.TempDir(), "fixtures.yaml")
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
