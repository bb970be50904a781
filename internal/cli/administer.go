package cli

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/cluster"
	"dargah.dev/dargah/internal/fixture"
	"dargah.dev/dargah/internal/store"
)

// change changes the installation, with a record of who did it. Servers that
// run on it see it by themselves.
func (a acting) change(c *console, act store.Act, do func(*store.Change) error) (err error) {
	s, err := a.attach(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return a.changeIn(c, s, act, do)
}

func (a acting) changeIn(c *console, s *store.Store, act store.Act, do func(*store.Change) error) error {
	act.Actor = a.actor()
	if err := s.Change(c, act, do); err != nil {
		return advised(err)
	}
	a.signal(c, s)
	return nil
}

// tell is change for what one line says all about.
func (a acting) tell(c *console, act store.Act, do func(*store.Change) error, format string, args ...any) error {
	if err := a.change(c, act, do); err != nil {
		return err
	}
	return shown{}.done(c, nil, format, args...)
}

// printed is a thing as commands show it.
type printed interface{ print(w io.Writer) error }

// show is change for what is shown as it is afterwards.
func show[V printed](c *console, a acting, s shown, act store.Act, do func(*store.Change) (V, error)) error {
	var v V
	err := a.change(c, act, func(change *store.Change) (err error) {
		v, err = do(change)
		return err
	})
	if err != nil {
		return err
	}
	return s.print(c, v, v.print)
}

// signal has servers look at once, where there is Redis to tell them; without
// it they do within a second.
func (i installation) signal(c *console, s *store.Store) {
	if set, _, err := i.find(); err == nil {
		cluster.Signal(c, string(set.Redis), s.Keyring())
	}
}

// look opens the installation and gives it to do.
func (i installation) look(c *console, do func(*store.Store) error) (err error) {
	s, err := i.attach(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return advised(do(s))
}

// all reads every domain and account.
func (i installation) all(c *console) (domains []account.Domain, accounts []account.Account, err error) {
	err = i.look(c, func(s *store.Store) (err error) {
		domains, accounts, err = s.Accounts(c)
		return err
	})
	return domains, accounts, err
}

// owned is what accounts have of one kind, as it is shown.
func owned[T, V any](c *console, i installation, of func(account.Account) []T, view func(owner string, one T) V) ([]V, error) {
	_, all, err := i.all(c)
	views := []V{}
	for _, a := range all {
		for _, one := range of(a) {
			views = append(views, view(a.ID, one))
		}
	}
	return views, err
}

// showOne shows the one that is meant; absent is the error where none is.
func showOne[V printed](c *console, s shown, all []V, meant func(V) bool, absent error) error {
	i := slices.IndexFunc(all, meant)
	if i < 0 {
		return advised(absent)
	}
	return s.print(c, all[i], all[i].print)
}

// missing is the store's error for a thing that was looked for here.
func missing(kind, name string) error { return fmt.Errorf("%s %s %w", kind, name, store.ErrNone) }

// advised says what to do about an error.
func advised(err error) error {
	switch {
	case errors.Is(err, store.ErrTaken):
		return fmt.Errorf("%w: choose another, or change the one that is there", err)
	case errors.Is(err, store.ErrNoAccount):
		return fmt.Errorf("%w: `dargah account list` shows those that are there", err)
	case errors.Is(err, store.ErrNone):
		return fmt.Errorf("%w: the command's `list` shows those that are there", err)
	}
	return err
}

// mistyped words what the format's rules say about a command's values: the keys
// of the format are the names of flags.
func mistyped(err error) error {
	var all *fixture.Errors
	if !errors.As(err, &all) {
		return err
	}
	lines := make([]string, 0, len(all.Problems))
	for _, p := range all.Problems {
		line := p.Text
		if p.Path != "" {
			line = kebab(p.Path) + " " + p.Text
		}
		lines = append(lines, line)
	}
	return misuse{errors.New(strings.Join(lines, "\n"))}
}

// kebab is a key of the format as a flag is spelled.
func kebab(key string) string {
	var b strings.Builder
	for _, r := range key {
		switch {
		case unicode.IsUpper(r):
			b.WriteByte('-')
			b.WriteRune(unicode.ToLower(r))
		case r == '.':
			b.WriteByte('-')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// shown is what --json means everywhere.
type shown struct {
	JSON bool `help:"Print JSON." name:"json"`
}

// print prints v as JSON, or else what text does.
func (s shown) print(c *console, v any, text func(io.Writer) error) error {
	if !s.JSON {
		return text(c.out)
	}
	e := json.NewEncoder(c.out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// done says in one line what was done, or in JSON.
func (s shown) done(c *console, v any, format string, args ...any) error {
	return s.print(c, v, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, format+"\n", args...)
		return err
	})
}

// table prints columns whose width is what people see: Persian vowel marks and
// joiners take no place.
type table [][]string

func (t *table) row(cells ...string) { *t = append(*t, cells) }

func (t table) print(w io.Writer) error {
	var widths []int
	for _, row := range t {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], width(cell))
		}
	}
	out := bufio.NewWriter(w)
	for _, row := range t {
		for i, cell := range row {
			_, _ = out.WriteString(cell)
			if i < len(row)-1 {
				_, _ = out.WriteString(strings.Repeat(" ", widths[i]-width(cell)+2))
			}
		}
		_ = out.WriteByte('\n')
	}
	return out.Flush()
}

func width(cell string) (n int) {
	for _, r := range cell {
		if !unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
			n++
		}
	}
	return n
}

// Lengths of what people bring along.
const (
	shortestPassword = 8
	// shortestSecret is for what is checked without a slow hash.
	shortestSecret = 12
	longestSecret  = 256
)

// typed reads so many lines from standard input, each a secret. Flags would
// show them to everybody who can list processes.
func typed(c *console, what string, shortest, lines int) ([]string, error) {
	text, err := io.ReadAll(io.LimitReader(c.in, 1<<16))
	if err != nil {
		return nil, fmt.Errorf("read the %s from standard input: %w", what, err)
	}
	all := strings.Split(strings.TrimSuffix(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n"), "\n")
	if len(all) != lines {
		return nil, misuse{fmt.Errorf("standard input has %d line(s), and %d were to be there: one for each %s", len(all), lines, what)}
	}
	for _, secret := range all {
		bad := func(r rune) bool { return unicode.IsControl(r) || r == utf8.RuneError }
		switch {
		case utf8.RuneCountInString(secret) < shortest:
			return nil, misuse{fmt.Errorf("the %s is too short: at least %d characters", what, shortest)}
		case len(secret) > longestSecret:
			return nil, misuse{fmt.Errorf("the %s is too long: at most %d bytes", what, longestSecret)}
		case strings.ContainsFunc(secret, bad):
			return nil, misuse{fmt.Errorf("the %s must not hold control characters", what)}
		}
	}
	return all, nil
}

func onOff(on bool, yes, no string) string {
	if on {
		return yes
	}
	return no
}
