package cli

import (
	"bytes"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// An unset variable in a script must neither make a data folder of the working
// folder nor open a port to every network.
func TestEmptyValues(t *testing.T) {
	t.Parallel()
	for flag, want := range map[string]int{"--data": 2, "--fixtures": 2, "--listen": 1} {
		status, out, err := say(t, "sandbox", "--listen", "127.0.0.1:0", flag, "")
		if status != want || out != "" || !strings.Contains(err, flag) || !strings.Contains(err, "is empty") {
			t.Errorf("%s: status %d, want %d: %s%s", flag, status, want, out, err)
		}
	}
}

func TestFoldersThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(dir string) error
		want  []string
	}{
		"no file can be written": {
			func(dir string) error { return os.Mkdir(filepath.Join(dir, "dargah.log"), 0o700) },
			[]string{"data folder cannot be written", "--data DIR"},
		},
		"no database": {
			func(dir string) error { return os.WriteFile(filepath.Join(dir, "dargah.db"), []byte("junk"), 0o600) },
			[]string{"cannot be opened", "--data", "--reset", "all its data is lost"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := c.spoil(dir); err != nil {
				t.Fatal(err)
			}
			status, _, text := say(t, "sandbox", "--listen", "127.0.0.1:0", "--data", dir)
			if status != 1 {
				t.Errorf("status %d", status)
			}
			for _, want := range c.want {
				if !strings.Contains(text, want) {
					t.Errorf("%q is not in:\n%s", want, text)
				}
			}
		})
	}
}

func TestReachable(t *testing.T) {
	t.Parallel()
	for at, want := range map[string]string{
		"127.0.0.1:80": "127.0.0.1:80", "[::1]:80": "[::1]:80", "192.0.2.1:80": "192.0.2.1:80",
		"0.0.0.0:80": "127.0.0.1:80", "[::]:80": "127.0.0.1:80",
	} {
		tcp, err := net.ResolveTCPAddr("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		if got := reachable(tcp); got != want {
			t.Errorf("%s: got %s, want %s", at, got, want)
		}
	}
}

// A bar that was cut short does not claim that everybody is there.
func TestBarEndsWhereItIs(t *testing.T) {
	t.Parallel()
	for _, full := range []bool{true, false} {
		var drawn bytes.Buffer
		b := newBar(&drawn, "making people", "people", 1000)
		b.set(10)
		b.end(full)
		if got := strings.Contains(drawn.String(), "1000/1000"); got != full || !strings.HasSuffix(drawn.String(), "\n") {
			t.Errorf("full %v: %q", full, drawn.String())
		}
	}
}

// What the world cannot do is not offered for pasting, and the reader is told.
func TestGreetingOfAPoorWorld(t *testing.T) {
	t.Parallel()
	const domains = "domains: [{name: a.ir}]\n"
	for name, c := range map[string]struct {
		world   string
		tried   []string
		untried []string
		says    string
	}{
		"nobody":          {domains, nil, []string{"itsaaz", "smsafzar", "sabapayamak", "uid"}, "no account"},
		"only a user":     {domains + "accounts: [{domain: a.ir, username: only-user, password: Passw0rd-1234}]\n", []string{"smsafzar"}, []string{"itsaaz", "sabapayamak", "uid"}, "passwordGrant"},
		"too short":       {domains + "accounts: [{domain: a.ir, username: user, password: Passw0rd-1234, lines: [{number: \"3000\"}]}]\n", []string{"sabapayamak"}, []string{"itsaaz", "smsafzar", "uid"}, "passwordGrant"},
		"only a business": {domains + "accounts: [{domain: a.ir, username: user, password: p, business: [{id: b, token: t}]}]\n", []string{"uid"}, []string{"itsaaz", "smsafzar", "sabapayamak"}, "business"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "world.yaml")
			if err := os.WriteFile(file, []byte(c.world), 0o600); err != nil {
				t.Fatal(err)
			}
			r := sandboxed(t, "--fixtures", file, "--public-url", "https://api.a.ir")
			tried := map[string]bool{}
			for _, e := range r.greeting.Examples {
				tried[e.Dialect] = true
			}
			if diff := cmp.Diff(c.tried, slices.Sorted(maps.Keys(tried))); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(c.untried, r.greeting.Untried); diff != "" {
				t.Error(diff)
			}
			var text strings.Builder
			if err := r.greeting.print(&text, false); err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{strings.Join(c.untried, ", "), c.says, r.greeting.Listen} {
				if !strings.Contains(text.String(), want) {
					t.Errorf("%q is not in:\n%s", want, text.String())
				}
			}
			if strings.Contains(text.String(), " 0 calls") {
				t.Errorf("nobody may make calls, said as a rate:\n%s", text.String())
			}
			if err := r.end(t, syscall.SIGTERM); err != nil {
				t.Error(err)
			}
		})
	}
}
