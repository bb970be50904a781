package config_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dargah.dev/dargah/internal/config"
)

func TestOperators(t *testing.T) {
	t.Parallel()
	file := write(t, `
data: /x
operators:
  - name: one
    address: smsc.example.ir:2775
    systemId: dargah
    passwordFile: one.password
    lines: [30001234, "+98 50005"]
    prefixes: ["0912", "98919", 933]
    window: 50
    enquireEvery: 15s
    tls: true
    tlsFile: ca.pem
    tlsCertFile: our.pem
    tlsKeyFile: our.key
    sourceTon: 0
  - {name: two, type: smpp, address: "192.0.2.1:1", systemId: x, password: hunter2}
`)
	dir := filepath.Dir(file)
	if err := os.WriteFile(filepath.Join(dir, "one.password"), []byte("hunter3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := config.Load(config.Sources{File: file})
	if err != nil {
		t.Fatal(err)
	}
	want := []config.Operator{
		{
			Name: "one", Address: "smsc.example.ir:2775", SystemID: "dargah", Password: "hunter3", PasswordFile: filepath.Join(dir, "one.password"),
			Lines: []string{"30001234", "+98 50005"}, Prefixes: []string{"0912", "0919", "0933"}, Window: 50, EnquireEvery: 15 * time.Second,
			TLS: true, TLSFile: filepath.Join(dir, "ca.pem"),
			TLSCertFile: filepath.Join(dir, "our.pem"), TLSKeyFile: filepath.Join(dir, "our.key"), SourceTON: new(0),
		},
		{Name: "two", Type: "smpp", Address: "192.0.2.1:1", SystemID: "x", Password: "hunter2"},
	}
	if diff := cmp.Diff(want, got.Operators); diff != "" {
		t.Error(diff)
	}
	printed, err := got.YAML()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(printed), fmt.Sprintf("%v %+v %#v", got.Config, got.Config, got.Lines())} {
		if strings.Contains(text, "hunter") || !strings.Contains(text, "smsc.example.ir:2775") {
			t.Errorf("not masked, or not there:\n%s", text)
		}
	}
	_, list, _ := strings.Cut(string(printed), "operators:")
	again, err := config.Load(config.Sources{File: write(t, "data: /x\noperators:"+list)})
	if err != nil || len(again.Operators) != 2 {
		t.Errorf("what is printed cannot be read: %v\n%s", err, printed)
	}
}

func TestMistakesAboutOperators(t *testing.T) {
	t.Parallel()
	file := write(t, `data: /x
operators:
  - address: a:1
  - name: one
    windw: 5
    window: many
    window: 6
    password: hunter2
    passwordFile: /nowhere/x
  - name: one
    prefixes: ["021", "0912x"]
  - name: a b
  - smsc.example.ir
  - name: odd
    lines: {a: b}
`)
	_, err := config.Load(config.Sources{
		File: file, Environ: []string{"DARGAH_OPERATORS=x"},
		Operator: func(o config.Operator) error {
			if o.Name == "odd" {
				return errors.New("address: is missing")
			}
			return nil
		},
	})
	text := fmt.Sprint(err)
	for _, want := range []string{
		file + ":3: operators: each needs a name",
		file + `:5: operators: there is no setting "windw"`,
		file + `:6: operators: window: must be a whole number, is "many"`,
		file + ":7: operators: window is given twice",
		file + ":4: operators: password and passwordFile: give one of them",
		file + ":10: operators: the name one is given twice",
		file + `:10: operators: prefixes: must be beginnings of mobile numbers, like 0912, is "021"`,
		`is "0912x"`,
		file + ":12: operators: each needs a name",
		file + ":13: operators: each must be keys with values",
		file + ":15: operators: lines: must be a plain value",
		file + ":14: operators: odd: address: is missing",
		"environment DARGAH_OPERATORS: operators: can be given in the file only",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in:\n%s", want, text)
		}
	}
	if strings.Contains(text, "hunter") {
		t.Errorf("a password is in:\n%s", text)
	}
	_, err = config.Load(config.Sources{File: write(t, "data: /x\noperators: {name: one}\n")})
	if err == nil || !strings.Contains(err.Error(), ":2: operators: must be a list of operators") {
		t.Errorf("a mapping: %v", err)
	}
}
