package internal_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const module = "dargah.dev/dargah/"

// layer is a rank of packages. A package imports packages of lower ranks only.
type layer struct {
	name     string
	packages []string
	barred   []string // packages of the standard library that have no place here
}

// layers is the direction of imports, lowest first. A new package fails the
// test until it has its place here. Names are of packages below internal; main
// stands for the module's root.
var layers = []layer{
	{"words", []string{"fault", "finding", "literal", "persian", "rial", "strict"}, []string{"net", "net/http", "os"}},
	{"accounts", []string{"account"}, []string{"net/http"}},
	{"business", []string{
		"admission", "audit", "closing", "config", "credential", "event", "inquiry", "inquiry/credit", "inquiry/person",
		"job", "ledger", "limit", "operator", "password", "payment", "seal", "sms", "token", "webhook",
	}, []string{"net/http"}},
	{"the contract of dialects", []string{"dialect"}, nil},
	{"how we are spoken to, the path, and what we speak to", []string{
		"cluster", "courier", "dialect/dialecttest", "dialect/itsaaz", "dialect/sabapayamak", "dialect/smsafzar", "dialect/uid",
		"dispatch", "fixture", "fixture/population", "gateway", "httpd", "operator/sandbox", "operator/smpp", "operator/smpp/pdu", "operator/smpp/smpptest",
		"portal", "source/scenario", "store", "store/storetest",
	}, nil},
	{"the whole", []string{"app"}, nil},
	{"who runs the whole", []string{"cli", "testkit", "throwaway"}, nil},
	{"the program", []string{"main"}, []string{"net/http"}},
}

// peers are the imports within a rank, each with its reason.
var peers = map[string]string{
	"admission → token":            "a caller shows tokens",
	"closing → audit":              "what a call leaves behind holds its record",
	"closing → ledger":             "… its charge",
	"closing → sms":                "… its effect on messages",
	"closing → token":              "… and its effect on tokens",
	"inquiry/credit → inquiry":     "an inquiry is asked of sources",
	"inquiry/credit → payment":     "a credit report is paid for by its subject",
	"inquiry/person → inquiry":     "an inquiry is asked of sources",
	"fixture/population → fixture": "a population is made of a fixture's people",
	"operator → sms":               "an operator takes parts of messages",
	"store/storetest → store":      "the suite is for stores",
	"webhook → sms":                "its events are of messages",

	"operator/smpp → operator/smpp/pdu":          "a session speaks in PDUs",
	"operator/smpp/smpptest → operator/smpp/pdu": "and so does its other end",
}

// keepers are packages of the standard library that one package of ours alone
// imports, with all below it.
var keepers = map[string]string{"database/sql": "store"}

func TestImports(t *testing.T) {
	t.Parallel()
	rules := &rules{layers: layers, peers: peers, keepers: keepers}
	for _, problem := range rules.misplaced(imports(t)) {
		t.Error(problem)
	}
}

// rules are the tables above, or a test's.
type rules struct {
	layers         []layer
	peers, keepers map[string]string
	rank           map[string]int
}

// misplaced tells where imports go the wrong way, and where the tables name
// what is not there. Cycles need no look: the compiler refuses them.
func (r *rules) misplaced(imports map[string][]string) []string {
	problems := r.place(imports)
	used := map[string]bool{}
	for _, from := range slices.Sorted(maps.Keys(imports)) {
		if _, placed := r.rank[from]; !placed {
			problems = append(problems, from+" has no place in the layers")
			continue
		}
		for _, to := range imports[from] {
			used[from+" → "+to] = true
			if wrong := r.wrong(from, to); wrong != "" {
				problems = append(problems, from+" → "+to+": "+wrong)
			}
		}
	}
	for _, arrow := range slices.Sorted(maps.Keys(r.peers)) {
		if !used[arrow] {
			problems = append(problems, arrow+" is excused, but not imported")
		}
	}
	return problems
}

func (r *rules) place(imports map[string][]string) (problems []string) {
	r.rank = map[string]int{}
	for i, l := range r.layers {
		for _, p := range l.packages {
			if _, twice := r.rank[p]; twice {
				problems = append(problems, p+" has two places")
			}
			if _, exists := imports[p]; !exists {
				problems = append(problems, p+" has a place, but does not exist")
			}
			r.rank[p] = i
		}
	}
	return problems
}

// wrong says what is wrong with one import; empty if nothing is.
func (r *rules) wrong(from, to string) string {
	at := r.rank[from]
	below, ours := r.rank[to]
	keeper, kept := r.keepers[to]
	_, excused := r.peers[from+" → "+to]
	switch {
	case kept && from != keeper && !strings.HasPrefix(from, keeper+"/"):
		return keeper + " alone does"
	case !ours && slices.Contains(r.layers[at].barred, to):
		return "not in " + r.layers[at].name
	case ours && below > at:
		return "upward, from " + r.layers[at].name + " to " + r.layers[below].name
	case ours && below == at && !excused:
		return "both belong to " + r.layers[at].name
	case strings.HasPrefix(from, "dialect/") && strings.HasPrefix(to, "dialect/"):
		return "no dialect knows another, whatever the excuse"
	}
	return ""
}

func TestMisplaced(t *testing.T) {
	t.Parallel()
	rules := &rules{
		layers: []layer{
			{"words", []string{"rial", "fault"}, []string{"net/http"}},
			{"dialects", []string{"dialect/a", "dialect/b"}, nil},
			{"whole", []string{"app", "gone", "rial"}, nil},
			{"words again", []string{"rial"}, []string{"net/http"}},
		},
		peers:   map[string]string{"dialect/a → dialect/b": "no good reason", "app → rial": "an old one", "fault → app": "worse"},
		keepers: map[string]string{"database/sql": "dialect"},
	}
	got := rules.misplaced(map[string][]string{
		"rial":      {"net/http", "fmt"},
		"fault":     {"app", "errors"},
		"dialect/a": {"dialect/b", "fault", "net/http", "database/sql"},
		"dialect/b": {"dialect/a"},
		"app":       {"dialect/a", "dialect/b", "fault", "database/sql"},
		"new":       nil,
	})
	want := []string{
		"gone has a place, but does not exist",
		"rial has two places",
		"rial has two places",
		"app → database/sql: dialect alone does",
		"dialect/a → dialect/b: no dialect knows another, whatever the excuse",
		"dialect/b → dialect/a: both belong to dialects",
		"fault → app: upward, from words to whole",
		"new has no place in the layers",
		"rial → net/http: not in words again",
		"app → rial is excused, but not imported",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// imports are what each package's files import, those of tests left out.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, file := range goFiles(t) {
		name, inside := strings.CutPrefix(path.Dir(file), "internal/")
		if strings.HasSuffix(file, "_test.go") || !inside && path.Dir(file) != "." {
			continue
		}
		if !inside {
			name = "main"
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", file), nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		if all[name] == nil {
			all[name] = []string{}
		}
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			imported = strings.TrimPrefix(imported, module+"internal/")
			if !slices.Contains(all[name], imported) {
				all[name] = append(all[name], imported)
			}
		}
	}
	return all
}

// goFiles are the repository's Go files, by their path in it.
func goFiles(t *testing.T) []string {
	t.Helper()
	var list []string
	err := fs.WalkDir(os.DirFS(".."), ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || d.Name() == "node_modules" || p != "." && strings.HasPrefix(d.Name(), ".")) {
			return fs.SkipDir
		}
		if !d.IsDir() && strings.HasSuffix(p, ".go") {
			list = append(list, p)
		}
		return nil
	})
	if err != nil || len(list) < 50 {
		t.Fatalf("%d files, %v", len(list), err)
	}
	return list
}

// The sizes beyond which a file or a function is hard to review, in lines.
// Functions of tests may be longer: a table has as many lines as it has cases.
const (
	longFile     = 500
	longFunction = 60
)

func TestSizes(t *testing.T) {
	t.Parallel()
	for _, file := range goFiles(t) {
		text, err := os.ReadFile(filepath.Join("..", file))
		if err != nil {
			t.Fatal(err)
		}
		for _, problem := range oversized(t, file, string(text)) {
			t.Error(problem)
		}
	}
}

func oversized(t *testing.T, name, text string) []string {
	t.Helper()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	if ast.IsGenerated(file) {
		return nil
	}
	var problems []string
	if lines := strings.Count(text, "\n"); lines > longFile {
		problems = append(problems, fmt.Sprintf("%s: %d lines, at most %d", name, lines, longFile))
	}
	if strings.HasSuffix(name, "_test.go") {
		return problems
	}
	for _, declared := range file.Decls {
		f, isFunction := declared.(*ast.FuncDecl)
		if !isFunction {
			continue
		}
		if lines := set.Position(f.End()).Line - set.Position(f.Pos()).Line + 1; lines > longFunction {
			problems = append(problems, fmt.Sprintf("%s: %s has %d lines, at most %d", name, f.Name.Name, lines, longFunction))
		}
	}
	return problems
}

func TestOversized(t *testing.T) {
	t.Parallel()
	function := func(lines int) string { return "func f() {\n" + strings.Repeat("\n", lines-2) + "}\n" }
	for _, c := range []struct {
		name, file, text string
		want             int
	}{
		{"within both", "a.go", "package a\n" + function(longFunction), 0},
		{"long function", "a.go", "package a\n" + function(longFunction+1), 1},
		{"long function of a test", "a_test.go", "package a\n" + function(longFunction+1), 0},
		{"long function literal", "a.go", "package a\nvar g = 1\nfunc f() {\n_ = func() {\n" + strings.Repeat("\n", longFunction) + "}\n}\n", 1},
		{"as long as may be", "a.go", "package a\n" + strings.Repeat("\n", longFile-1), 0},
		{"long file", "a_test.go", "package a\n" + strings.Repeat("\n", longFile), 1},
		{"generated", "a.go", "// Code generated by x. DO NOT EDIT.\n\npackage a\n" + strings.Repeat("\n", longFile), 0},
	} {
		if got := oversized(t, c.file, c.text); len(got) != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
