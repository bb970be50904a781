package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
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
	// NotApplied: fixtures were given, but the folder already had its world.
	NotApplied bool `json:"fixturesNotApplied"`
}

type dialectExample struct {
	Dialect string `json:"dialect"`
	dialect.Example
}

func greet(ctx context.Context, a *app.App, data *store.Store, base string) (greeting, error) {
	g := greeting{Address: base}
	var err error
	if g.Credentials, err = app.ReadCredentials(ctx, data); err != nil {
		return greeting{}, err
	}
	w := g.Credentials.World(base)
	for _, d := range a.Dialects {
		for _, e := range d.Example(w) {
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
	if c.Accounts > 1 {
		row("more", fmt.Sprintf("%d accounts in all; this is the first that can do everything", c.Accounts))
	}
	if g.NotApplied {
		fmt.Fprintf(t, "\nThe fixtures were not applied: the folder already has its world. Say --reset to start afresh.\n")
	}
	fmt.Fprintf(t, "\nTry it: paste a block at a time (this account may make %d calls a second)\n", c.Rate)
	if err := t.Flush(); err != nil {
		return err
	}
	last := ""
	for _, e := range g.Examples {
		if e.Dialect != last {
			fmt.Fprintf(w, "\n# %s\n", e.Dialect)
			last = e.Dialect
		}
		fmt.Fprintln(w, e.Command)
	}
	_, err := fmt.Fprintln(w, "\nStop with Ctrl-C.")
	return err
}

func join(id, secret string) string {
	if id == "" {
		return ""
	}
	return id + " / " + secret
}

// bar shows how the population is loaded; nothing where there is none to load
// or nobody to look.
type bar struct{ *progressbar.ProgressBar }

func newBar(w io.Writer, population int, quiet bool) bar {
	if population == 0 || quiet {
		return bar{}
	}
	return bar{progressbar.NewOptions(population,
		progressbar.OptionSetWriter(w), progressbar.OptionSetDescription("making people"),
		progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("people"),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionSetPredictTime(true))}
}

func (b bar) set(n int) {
	if b.ProgressBar != nil {
		_ = b.Set(n) // a bar that cannot be drawn must not stop the loading
	}
}

func (b bar) end() {
	if b.ProgressBar != nil {
		_ = b.Finish()
		_ = b.Exit()
	}
}
