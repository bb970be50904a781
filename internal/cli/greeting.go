package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"

	"dargah.dev/dargah/internal/app"
	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/store"
)

// greeting is what a sandbox says when it is ready.
type greeting struct {
	Address     string           `json:"address"` // where callers reach it
	Listen      string           `json:"listen"`
	Data        string           `json:"data"`
	Temporary   bool             `json:"temporary"`
	Log         string           `json:"log"`
	Credentials app.Credentials  `json:"credentials"`
	Examples    []dialectExample `json:"examples"`
	// Untried are the dialects without an example: the account lacks what their
	// calls need.
	Untried []string `json:"untried"`
	// NotApplied: fixtures were given, but the folder already had its world.
	NotApplied bool `json:"fixturesNotApplied"`
}

type dialectExample struct {
	Dialect string `json:"dialect"`
	dialect.Example
}

func greet(ctx context.Context, a *app.App, data *store.Store, base string) (greeting, error) {
	g := greeting{Address: base, Examples: []dialectExample{}, Untried: []string{}}
	var err error
	if g.Credentials, err = app.ReadCredentials(ctx, data); err != nil {
		return greeting{}, err
	}
	w := g.Credentials.World(base)
	for _, d := range a.Dialects {
		examples := d.Example(w)
		if len(examples) == 0 {
			g.Untried = append(g.Untried, d.Name)
		}
		for _, e := range examples {
			g.Examples = append(g.Examples, dialectExample{d.Name, e})
		}
	}
	return g, nil
}

func (g greeting) print(w io.Writer, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		return e.Encode(g)
	}
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(t, "  %s\t%s\n", name, value)
		}
	}
	kept := g.Data
	if g.Temporary {
		kept += " (temporary: removed at exit)"
	}
	fmt.Fprintf(t, "\nDargah sandbox is ready at %s\n\n", g.Address)
	if g.Listen != g.Address {
		row("listens", g.Listen)
	}
	row("data", kept)
	row("log", g.Log)
	c := g.Credentials
	fmt.Fprintf(t, "\nCredentials\n")
	row("domain", c.Domain)
	row("user", c.Username)
	row("password", c.Password)
	row("line", c.Line)
	row("client", join(c.Client, c.ClientSecret))
	row("business", join(c.Business, c.BusinessToken))
	row("API key", c.APIKey)
	row("template", c.Template)
	if c.Accounts > 1 {
		row("more", fmt.Sprintf("%d accounts in all; this is the first that can do the most", c.Accounts))
	}
	if g.NotApplied {
		fmt.Fprintf(t, "\nThe fixtures were not applied: the folder already has its world. Say --reset to start afresh.\n")
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return g.printExamples(w)
}

func (g greeting) printExamples(w io.Writer) error {
	if len(g.Examples) > 0 {
		fmt.Fprintf(w, "\nTry it: paste a block at a time (this account may make %d calls a second)\n", g.Credentials.Rate)
	}
	last := ""
	for _, e := range g.Examples {
		if e.Dialect != last {
			fmt.Fprintf(w, "\n# %s\n", e.Dialect)
			last = e.Dialect
		}
		fmt.Fprintln(w, e.Command)
	}
	if len(g.Untried) > 0 {
		fmt.Fprintf(w, "\nNothing to paste for %s: %s\n", strings.Join(g.Untried, ", "), g.lack())
	}
	_, err := fmt.Fprintln(w, "\nStop with Ctrl-C.")
	return err
}

// lack says what the fixtures would have to have for an example of every dialect.
func (g greeting) lack() string {
	if g.Credentials.Accounts == 0 {
		return "the fixtures have no account, so nobody can call"
	}
	return "the account above lacks a client with passwordGrant, a line, a business credential, or a name of 6 and a password of 8 characters"
}

func join(id, secret string) string {
	if id == "" {
		return ""
	}
	return id + " / " + secret
}

// bar shows how far a long task is; the zero bar shows nothing.
type bar struct {
	*progressbar.ProgressBar
	to io.Writer
}

func newBar(w io.Writer, what, unit string, n int) bar {
	return bar{to: w, ProgressBar: progressbar.NewOptions(n,
		progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString(unit),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionSetPredictTime(true))}
}

func (b bar) set(n int) {
	if b.ProgressBar != nil {
		_ = b.Set(n) // a bar that cannot be drawn must not stop the loading
	}
}

// end leaves the bar as it is where not everybody was stored, and what follows
// on a line of its own.
func (b bar) end(full bool) {
	if b.ProgressBar == nil {
		return
	}
	if full {
		_ = b.Finish()
	}
	_ = b.Exit()
	fmt.Fprintln(b.to)
}
