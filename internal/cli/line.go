package cli

import (
	"errors"
	"fmt"
	"io"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/app"
	"dargah.dev/dargah/internal/fixture"
	"dargah.dev/dargah/internal/store"
)

type lines struct {
	Add      lineAdd      `cmd:"" help:"Give an account a line."`
	List     lineList     `cmd:"" help:"List the lines."`
	Show     lineShow     `cmd:"" help:"Show one."`
	Set      lineSet      `cmd:"" help:"Change what is given, and nothing else."`
	Suspend  lineSuspend  `cmd:"" help:"Suspend a line." aliases:"disable"`
	Activate lineActivate `cmd:"" help:"Make it active again." aliases:"enable"`
	Remove   lineRemove   `cmd:"" help:"Take a line away from its account."`
}

type ofLine struct {
	Number string `arg:"" help:"In any spelling: 3000…, 983000…, +983000…, Persian digits."`
}

// lineView is a line as it is shown.
type lineView struct {
	Number   string `json:"number"`
	Status   string `json:"status"`
	Account  string `json:"account"`
	Quiet    string `json:"quiet,omitempty"`
	DayLimit int    `json:"dayLimit,omitempty"`
}

func viewLine(owner string, l account.Line) lineView {
	v := lineView{Number: l.Number, Status: onOff(l.Suspended, fixture.Suspended, fixture.Active), Account: owner, DayLimit: l.DayLimit}
	if q := l.Quiet; q.From != q.To {
		v.Quiet = fmt.Sprintf("%02d:%02d-%02d:%02d", q.From/60, q.From%60, q.To/60, q.To%60)
	}
	return v
}

// lineRules are what holds for sending by a line.
type lineRules struct {
	Quiet    *string `help:"Hours in Tehran in which what is not urgent waits, like 22:00-07:00." placeholder:"HOURS" xor:"quiet"`
	DayLimit *string `help:"Messages in a day; 0 is any number." placeholder:"N"`
}

func (r lineRules) given(g fixture.Given) fixture.Given {
	for key, value := range map[string]*string{"quiet": r.Quiet, "dayLimit": r.DayLimit} {
		if value != nil {
			g[key] = *value
		}
	}
	return g
}

type lineSet struct {
	acting
	shown
	ofLine
	lineRules
	NoQuiet bool `help:"Send at any hour." xor:"quiet"`
}

func (l lineSet) Run(c *console) error {
	given, err := fixture.ReadLine(l.given(fixture.Given{"number": account.LineKey(l.Number)}))
	if err != nil {
		return mistyped(err)
	}
	if l.Quiet == nil && l.DayLimit == nil && !l.NoQuiet {
		return misuse{errors.New("nothing was given that is to be changed: dargah line set --help")}
	}
	return show(c, l.acting, l.shown, store.Act{Service: "line", Method: "set", Which: given.Number}, func(change *store.Change) (v lineView, err error) {
		err = change.SetLine(l.Number, func(to *account.Line) {
			if l.Quiet != nil || l.NoQuiet {
				to.Quiet = given.Quiet
			}
			if l.DayLimit != nil {
				to.DayLimit = given.DayLimit
			}
		})
		if err != nil {
			return v, err
		}
		owner, after, err := change.Line(l.Number)
		return viewLine(owner.ID, after), err
	})
}

func (v lineView) print(w io.Writer) error {
	return table{
		{"line", v.Number}, {"status", v.Status}, {"account", v.Account},
		{"quiet", orElse(v.Quiet, "never")}, {"messages a day", onOff(v.DayLimit == 0, "any number", number(v.DayLimit))},
	}.print(w)
}

type lineAdd struct {
	acting
	shown
	ofAccount
	ofLine
	lineRules
	Suspended bool `help:"Suspended from the start."`
}

func (l lineAdd) Run(c *console) error {
	given, err := fixture.ReadLine(l.given(fixture.Given{
		"number": account.LineKey(l.Number), "status": onOff(l.Suspended, fixture.Suspended, fixture.Active),
	}))
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
	views, err := l.lines(c)
	if err != nil {
		return err
	}
	t := table{{"line", "status", "account"}}
	for _, v := range views {
		t.row(v.Number, v.Status, v.Account)
	}
	return l.print(c, views, t.print)
}

func (i installation) lines(c *console) ([]lineView, error) {
	return owned(c, i, func(a account.Account) []account.Line { return a.Lines }, viewLine)
}

type lineShow struct {
	installation
	shown
	ofLine
}

func (l lineShow) Run(c *console) error {
	all, err := l.lines(c)
	if err != nil {
		return err
	}
	meant := func(v lineView) bool { return account.LineKey(v.Number) == account.LineKey(l.Number) }
	return showOne(c, l.shown, all, meant, missing("line", l.Number))
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
	return a.tell(c, store.Act{Service: "line", Method: method, Which: account.LineKey(number)}, do, "line %s is %s", number, done)
}
