package clients_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// moduleFolder is where scripts/setup.sh puts the npm packages: under a name with a dot, because
// packages of npm may hold Go files and ./... must not find them.
var moduleFolder = filepath.Join(root(), ".tools", "node", "node_modules")

// searchPath prefers the system's programs to a version manager's: the packages of tools.txt are theirs.
var searchPath = strings.Join([]string{"/usr/bin", os.Getenv("PATH")}, string(os.PathListSeparator))

// root is the folder of the module: a test runs in the folder of its package.
func root() string {
	folder, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		panic(err)
	}
	return folder
}

// need skips the test when the package's check of tools.txt fails, or fails it where
// REQUIRE_CLIENTS says that everything is installed.
func need(t *testing.T, name string) {
	t.Helper()
	checks, err := tools()
	if err != nil {
		t.Fatal(err)
	}
	check, ok := checks[name]
	if !ok {
		t.Fatalf("tools.txt does not list %s", name)
	}
	if err := check(); err != nil {
		lack(t, "Debian package "+name)
	}
}

func needModules(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(moduleFolder, "axios", "package.json")); err != nil {
		lack(t, "npm packages (make setup)")
	}
}

func lack(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("REQUIRE_CLIENTS") == "1" {
		t.Fatalf("not installed: %s", what)
	}
	t.Skipf("not installed: %s", what)
}

// tools reads tools.txt. Each check runs once, when first asked for.
var tools = sync.OnceValues(func() (map[string]func() error, error) {
	text, err := os.ReadFile("tools.txt")
	if err != nil {
		return nil, err
	}
	checks := map[string]func() error{}
	for row := range strings.Lines(string(text)) {
		name, command, ok := strings.Cut(strings.TrimSpace(row), " ")
		if strings.HasPrefix(name, "#") || name == "" {
			continue
		}
		if !ok {
			return nil, fmt.Errorf("tools.txt: %s has no check", name)
		}
		checks[name] = sync.OnceValue(func() error {
			check := exec.Command("sh", "-c", command)
			check.Env = append(os.Environ(), "PATH="+searchPath)
			return check.Run()
		})
	}
	return checks, nil
})

// find is exec.LookPath on searchPath.
func find(t *testing.T, names ...string) string {
	t.Helper()
	for _, name := range names {
		if filepath.IsAbs(name) {
			return name
		}
		for _, folder := range filepath.SplitList(searchPath) {
			if path, err := exec.LookPath(filepath.Join(folder, name)); err == nil {
				return path
			}
		}
	}
	t.Fatalf("none of %v is in %s", names, searchPath)
	return ""
}

func bareEnvironment(home string) []string {
	return []string{
		"PATH=" + searchPath,
		"HOME=" + home,
		"LANG=C.UTF-8",
		"NODE_PATH=" + moduleFolder,
	}
}
