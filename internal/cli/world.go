package cli

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"dargah.dev/dargah/internal/app"
	"dargah.dev/dargah/internal/fixture"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/store"
)

type origins struct {
	Add    originAdd    `cmd:"" help:"Let pages of an origin call; * is any."`
	Remove originRemove `cmd:"" help:"Stop them."`
	List   originList   `cmd:"" help:"List the origins."`
}

type ofOrigin struct {
	Origin string `arg:"" help:"As in https://app.example.ir."`
}

type originAdd struct {
	acting
	ofOrigin
}

func (o originAdd) Run(c *console) error {
	given, err := fixture.ReadOrigin(o.Origin)
	if err != nil {
		return mistyped(err)
	}
	return o.tell(c, store.Act{Service: "origin", Method: "add", Which: given}, func(change *store.Change) error {
		return app.ChangeOrigins(change, func(have []string) ([]string, error) {
			if slices.Contains(have, given) {
				return nil, fmt.Errorf("origin %s %w", given, store.ErrTaken)
			}
			return append(have, given), nil
		})
	}, "pages of %s may call", given)
}

type originRemove struct {
	acting
	ofOrigin
}

func (o originRemove) Run(c *console) error {
	return o.tell(c, store.Act{Service: "origin", Method: "remove", Which: o.Origin}, func(change *store.Change) error {
		return app.ChangeOrigins(change, func(have []string) ([]string, error) {
			i := slices.Index(have, o.Origin)
			if i < 0 {
				return nil, missing("origin", o.Origin)
			}
			return slices.Delete(have, i, i+1), nil
		})
	}, "pages of %s may not call", o.Origin)
}

type originList struct {
	installation
	shown
}

func (o originList) Run(c *console) error {
	return o.look(c, func(s *store.Store) error {
		all, err := app.Origins(c, s)
		if err != nil {
			return err
		}
		t := table{}
		for _, origin := range all {
			t.row(origin)
		}
		return o.print(c, append([]string{}, all...), t.print)
	})
}

type scenarios struct {
	Add    scenarioAdd    `cmd:"" help:"Make something go wrong for chosen questions."`
	Remove scenarioRemove `cmd:"" help:"Remove a scenario by its number in the list."`
	List   scenarioList   `cmd:"" help:"List the scenarios, in the order in which they happen."`
}

type scenarioAdd struct {
	acting
	Service  string            `arg:"" help:"As in person, credit or sms."`
	When     map[string]string `help:"Field and value of the question, like --when nationalCode=1000000060; may be repeated. Every question without it." placeholder:"FIELD=VALUE"`
	Fault    string            `help:"not-found, upstream-timeout, upstream-unavailable, internal or slow." placeholder:"FAULT"`
	Delivery string            `help:"For sms: delivered, undelivered, expired, rejected or pending." placeholder:"OUTCOME"`
	After    string            `help:"How long slow waits, or until the delivery report: 5s, 2m." placeholder:"SPAN"`
	Times    string            `help:"How often; always without it." placeholder:"N"`
}

func (s scenarioAdd) Run(c *console) error {
	when, then := fixture.Given{}, fixture.Given{}
	for field, value := range s.When {
		when[field] = value
	}
	for key, value := range map[string]string{"fault": s.Fault, "delivery": s.Delivery, "after": s.After, "times": s.Times} {
		if value != "" {
			then[key] = value
		}
	}
	given, err := fixture.ReadScenario(fixture.Given{"service": s.Service, "when": when, "then": then})
	if err != nil {
		return mistyped(err)
	}
	at := 0
	err = s.change(c, store.Act{Service: "scenario", Method: "add", Which: s.Service}, func(change *store.Change) error {
		return app.ChangeScripts(change, func(have []app.Script) ([]app.Script, error) {
			at = len(have) + 1
			return append(have, app.NewScript(given)), nil
		})
	})
	if err != nil {
		return err
	}
	return shown{}.done(c, nil, "scenario %d is there", at)
}

type scenarioRemove struct {
	acting
	Number string `arg:"" help:"As dargah scenario list numbers them, from 1."`
}

func (s scenarioRemove) Run(c *console) error {
	n, err := strconv.Atoi(persian.Digits(s.Number))
	if err != nil {
		return misuse{errors.New("which scenario? Give its number in `dargah scenario list`")}
	}
	return s.tell(c, store.Act{Service: "scenario", Method: "remove"}, func(change *store.Change) error {
		return app.ChangeScripts(change, func(have []app.Script) ([]app.Script, error) {
			if n < 1 || n > len(have) {
				return nil, missing("scenario", strconv.Itoa(n))
			}
			return slices.Delete(have, n-1, n), nil
		})
	}, "scenario %d is gone; those after it move up", n)
}

type scenarioList struct {
	installation
	shown
}

func (l scenarioList) Run(c *console) error {
	return l.look(c, func(s *store.Store) error {
		all, err := app.Scripts(c, s)
		if err != nil {
			return err
		}
		t := table{{"", "service", "when", "then"}}
		for i, one := range all {
			var when []string
			for _, field := range slices.Sorted(maps.Keys(one.When)) {
				when = append(when, field+"="+one.When[field])
			}
			then := one.Fault + one.Delivery
			if one.After > 0 {
				then += " after " + one.After.String()
			}
			if one.Times > 0 {
				then += fmt.Sprintf(", %d times", one.Times)
			}
			t.row(strconv.Itoa(i+1), one.Service, orElse(strings.Join(when, " "), "always"), then)
		}
		return l.print(c, append([]app.Script{}, all...), t.print)
	})
}
