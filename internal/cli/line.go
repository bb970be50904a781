package cli

import (
	"fmt"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/app"
	"dargah.dev/dargah/internal/fixture"
	"dargah.dev/dargah/internal/store"
)

type lines struct {
	Add      lineAdd      `cmd:"" help:"Give an account a line."`
	List     lineList     `cmd:"" help:"List the lines."`
	Show     lineShow     `cmd:"" help:"Show one."`
	Suspend  lineSuspend  `cmd:"" help:"Suspend a line." aliases:"disable"`
	Activate lineActivate `cmd:"" help:"Make it active again." aliases:"enable"`
	Remove   lineRemove   `cmd:"" help:"Take a line away from its account."`
}

type ofLine struct {
	Number string `arg:"" help:"In any spelling: 3000…, 983000…, +983000…, Persian digits."`
}

// lineView is a line as it is shown.
type lineView struct {
	Number  string `json:"number"`
	Status  string `json:"status"`
	Account string `json:"account"`
}

func viewLine(owner string, l account.Line) lineView {
	return lineView{l.Number, onOff(l.Suspended, fixture.Suspended, fixture.Active), owner}
}

type lineAdd struct {
	acting
	shown
	ofAccount
	ofLine
	Suspended bool `help:"Suspended from the start."`
}

func (l lineAdd) Run(c *console) error {
	given, err := fixture.ReadLine(fixture.Given{
		"number": account.LineKey(l.Number), "status": onOff(l.Suspended, fixture.Suspended, fixture.Active),
	})
	if err != nil {
		return mistyped(err)
	}
	var owner string
	err = l.change(c, store.Act{Service: "line", Method: "add", Which: given.Number}, func(change *store.Change) error {
		if owner, err = change.AccountID(l.Account); err != nil {
			return err
		}
		return change.AddLine(owner, app.NewLine(given))
	})
	if err != nil {
		return err
	}
	v := viewLine(owner, app.NewLine(given))
	return l.done(c, v, "line %s of %s is %s", v.Number, v.Account, v.Status)
}

type lineList struct {
	installation
	shown
}

func (l lineList) Run(c *console) error {
	views, err := l.views(c)
	if err != nil {
		return err
	}
	t := table{{"line", "status", "account"}}
	for _, v := range views {
		t.row(v.Number, v.Status, v.Account)
	}
	return l.print(c, views, t.print)
}

func (i installation) views(c *console) ([]lineView, error) {
	_, all, err := i.all(c)
	views := []lineView{}
	for _, a := range all {
		for _, l := range a.Lines {
			views = append(views, viewLine(a.ID, l))
		}
	}
	return views, err
}

type lineShow struct {
	installation
	shown
	ofLine
}

func (l lineShow) Run(c *console) error {
	views, err := l.views(c)
	if err != nil {
		return err
	}
	for _, v := range views {
		if account.LineKey(v.Number) == account.LineKey(l.Number) {
			return l.print(c, v, table{{"line", v.Number}, {"status", v.Status}, {"account", v.Account}}.print)
		}
	}
	return advised(missing("line", l.Number))
}

type lineSuspend struct {
	acting
	ofLine
}

func (l lineSuspend) Run(c *console) error {
	return setLine(c, l.acting, l.Number, "suspend", "suspended", func(change *store.Change) error {
		return change.SetLine(l.Number, func(to *account.Line) { to.Suspended = true })
	})
}

type lineActivate struct {
	acting
	ofLine
}

func (l lineActivate) Run(c *console) error {
	return setLine(c, l.acting, l.Number, "activate", "active", func(change *store.Change) error {
		return change.SetLine(l.Number, func(to *account.Line) { to.Suspended = false })
	})
}

type lineRemove struct {
	acting
	ofLine
}

func (l lineRemove) Run(c *console) error {
	return setLine(c, l.acting, l.Number, "remove", "gone", func(change *store.Change) error { return change.RemoveLine(l.Number) })
}

func setLine(c *console, a acting, number, method, done string, do func(*store.Change) error) error {
	if err := a.change(c, store.Act{Service: "line", Method: method, Which: account.LineKey(number)}, do); err != nil {
		return err
	}
	return shown{}.done(c, nil, "line %s is %s", number, done)
}

// missing is the store's error for a thing that was looked for here.
func missing(kind, name string) error { return fmt.Errorf("%s %s %w", kind, name, store.ErrNone) }
