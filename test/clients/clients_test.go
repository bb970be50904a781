// Package clients_test runs the samples of the providers' own pages, in the languages that Debian
// and npm carry, against the real binary. It owns what a client program sees: statuses and the
// members such a program reads. Every byte of every dialect is judged by the dialects' own tests.
package clients_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// sample is one client program. Its file lies in its page's folder; run makes its command line.
type sample struct {
	file string
	page page
	run  func(t *testing.T, file string) []string
	// needs names the Debian packages of tools.txt that the program cannot do without.
	needs []string
}

var samples = []sample{
	{"itsaaz/curl.sh", itsaaz, with("sh"), []string{"curl"}},
	{"itsaaz/wget.sh", itsaaz, with("sh"), []string{"wget"}},
	{"itsaaz/httpie.sh", itsaaz, with("sh"), []string{"httpie"}},
	{"itsaaz/http_client.py", itsaaz, with("python3"), []string{"python3"}},
	{"itsaaz/python_requests.py", itsaaz, with("python3"), []string{"python3", "python3-requests"}},
	{"itsaaz/fetch.js", itsaaz, with("node"), []string{"nodejs"}},
	{"itsaaz/axios.js", itsaaz, withModules("node"), []string{"nodejs", "npm"}},
	{"itsaaz/follow_redirects.js", itsaaz, withModules("node"), []string{"nodejs", "npm"}},
	{"itsaaz/request.js", itsaaz, withModules("node"), []string{"nodejs", "npm"}},
	{"itsaaz/unirest.js", itsaaz, withModules("node"), []string{"nodejs", "npm"}},
	{"itsaaz/curl.php", itsaaz, with("php"), []string{"php-cli", "php-curl"}},
	{"itsaaz/net_http.rb", itsaaz, with("ruby"), []string{"ruby"}},
	{"itsaaz/nethttp/main.go", itsaaz, builtGo, nil},
	{"itsaaz/libcurl.c", itsaaz, builtC, []string{"libcurl4-openssl-dev"}},
	{"itsaaz/JavaHttpClient.java", itsaaz, with("java"), []string{"default-jdk-headless"}},

	{"smsafzar/curl.sh", smsafzar, with("sh"), []string{"curl"}},
	{"smsafzar/JavaHttpClient.java", smsafzar, with("java"), []string{"default-jdk-headless"}},
	{"smsafzar/python_requests.py", smsafzar, with("python3"), []string{"python3", "python3-requests"}},
	{"smsafzar/curl.php", smsafzar, with("php"), []string{"php-cli", "php-curl"}},
	{"smsafzar/axios.js", smsafzar, withModules("node"), []string{"nodejs", "npm"}},
	{"smsafzar/fetch.js", smsafzar, with("node"), []string{"nodejs"}},
	{"smsafzar/messages.js", smsafzarMessages, with("node"), []string{"nodejs"}},
	{"smsafzar/messages.py", smsafzarMessages, with("python3"), []string{"python3", "python3-requests"}},

	{"sabapayamak/curl.sh", sabapayamak, with("sh"), []string{"curl"}},
	{"sabapayamak/axios.js", sabapayamak, withModules("node"), []string{"nodejs", "npm"}},
	{"sabapayamak/messages.js", sabapayamakMessages, with("node"), []string{"nodejs"}},
	{"sabapayamak/messages.php", sabapayamakMessages, with("php"), []string{"php-cli", "php-curl"}},
	{"sabapayamak/curl.php", sabapayamak, with("php"), []string{"php-cli", "php-curl"}},
	{"sabapayamak/python_requests.py", sabapayamak, with("python3"), []string{"python3", "python3-requests"}},

	{"uid/curl.sh", uid, with("sh"), []string{"curl"}},
	{"uid/python_requests.py", uid, with("python3"), []string{"python3", "python3-requests"}},
	{"uid/curl.php", uid, with("php"), []string{"php-cli", "php-curl"}},
}

func TestPageSamples(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds the binary and starts some thirty programs; run without -short")
	}
	customer := startReceiver(t)
	server := startSandbox(t, customer.URL)
	t.Run("programs", func(t *testing.T) {
		for _, sample := range samples {
			t.Run(sample.file, func(t *testing.T) {
				t.Parallel()
				for _, name := range sample.needs {
					need(t, name)
				}
				steps, err := readSteps(runSample(t, server.address, sample))
				if err != nil {
					t.Fatal(err)
				}
				for _, wrong := range sample.page.judge(steps) {
					t.Error(wrong)
				}
			})
		}
	})
	t.Run("browser", func(t *testing.T) { runBrowser(t, server.address) })
	t.Run("webhooks", func(t *testing.T) { verifyNotices(t, server, customer) })
	server.stop(t)
}

// TestEverySampleRuns finds files that lie in a page's folder but stand in no table, and so never run.
func TestEverySampleRuns(t *testing.T) {
	t.Parallel()
	var listed, found []string
	for _, sample := range samples {
		listed = append(listed, sample.file)
	}
	for _, folder := range []string{"itsaaz", "smsafzar", "sabapayamak", "uid"} {
		err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				found = append(found, filepath.ToSlash(path))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(listed)
	slices.Sort(found)
	if !slices.Equal(listed, found) {
		t.Errorf("the table and the folders differ\ntable:   %v\nfolders: %v", listed, found)
	}
}

// patience bounds one program, on a machine that compiles and tests everything else meanwhile.
const patience = 3 * time.Minute

// runSample returns what the program printed. It starts in an empty home with nothing of the
// caller's environment, so that no proxy and no configuration file has a say.
func runSample(t *testing.T, address string, sample sample) string {
	t.Helper()
	file, err := filepath.Abs(filepath.FromSlash(sample.file))
	if err != nil {
		t.Fatal(err)
	}
	argv := sample.run(t, file)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, find(t, argv[0]), argv[1:]...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(bareEnvironment(cmd.Dir), credentials(address)...)
	cmd.WaitDelay = time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\nstdout: %s\nstderr: %s", err, &stdout, &stderr)
	}
	return stdout.String()
}

// with runs the file by an interpreter.
func with(interpreter string) func(*testing.T, string) []string {
	return func(_ *testing.T, file string) []string { return []string{interpreter, file} }
}

// withModules is with for a program that loads npm packages.
func withModules(interpreter string) func(*testing.T, string) []string {
	return func(t *testing.T, file string) []string {
		t.Helper()
		needModules(t)
		return []string{interpreter, file}
	}
}

func builtGo(t *testing.T, file string) []string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "sample")
	compile(t, "go", "build", "-buildvcs=false", "-o", program, filepath.Dir(file))
	return []string{program}
}

func builtC(t *testing.T, file string) []string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "sample")
	flags, err := exec.Command("curl-config", "--cflags", "--libs").Output()
	if err != nil {
		t.Fatalf("curl-config: %v", err)
	}
	args := []string{"-std=c99", "-Wall", "-Wextra", "-Werror", "-o", program, file}
	compile(t, "cc", append(args, strings.Fields(string(flags))...)...)
	return []string{program}
}

func compile(t *testing.T, compiler string, args ...string) {
	t.Helper()
	if out, err := exec.Command(compiler, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", compiler, args, err, out)
	}
}
