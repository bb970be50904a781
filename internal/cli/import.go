package cli

import (
	"errors"
	"fmt"
	"io"

	"dargah.dev/dargah/internal/app"
	"dargah.dev/dargah/internal/password"
	"dargah.dev/dargah/internal/store"
)

// importFile adds a fixtures file to an installation.
type importFile struct {
	acting
	shown
	File    path   `arg:"" help:"Fixtures (YAML; see examples/fixtures.yaml)."`
	Replace bool   `help:"Bring what is there up to date. Without it that is left as it is."`
	Seed    uint64 `help:"Seed of the synthetic population: the same seed makes the same people." default:"1"`
}

func (i importFile) Run(c *console) (err error) {
	world, err := readFixtures(i.File)
	if err != nil {
		return err
	}
	s, err := i.attach(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	rules, err := i.rules(c, s)
	if err != nil {
		return err
	}
	if err := mayBe(world, i.File, rules); err != nil {
		return err
	}
	var bar bar
	if world.Population > 0 && !i.JSON {
		bar = newBar(c.err, "making people", "people", world.Population)
	}
	done, err := app.Merge(c, s, world, app.Merging{
		Filling: app.Filling{Passwords: password.New(password.Cost{}), Seed: i.Seed, Progress: bar.set},
		Act:     store.Act{Actor: i.actor(), Service: "fixtures", Method: "import"}, Replace: i.Replace,
	})
	bar.end(err == nil)
	if errors.Is(err, store.ErrTaken) {
		return fmt.Errorf("nothing was imported:\n%w", err)
	}
	if err != nil {
		return advised(err)
	}
	i.signal(c, s)
	t := table{{"", "added", "there already", "brought up to date"}}
	for _, m := range done {
		t.row(m.Kind, number(m.Added), number(m.Kept), number(m.Updated))
	}
	return i.print(c, append([]app.Merged{}, done...), func(w io.Writer) error { return t.print(w) })
}
