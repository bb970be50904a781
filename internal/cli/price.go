package cli

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"dargah.dev/dargah/internal/fixture"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/store"
)

type prices struct {
	Set    priceSet    `cmd:"" help:"Set what an answer of a service costs, everybody or one account."`
	Remove priceRemove `cmd:"" help:"Let an account pay what everybody pays."`
	List   priceList   `cmd:"" help:"List the prices."`
}

type priceSet struct {
	acting
	shown
	Service string `arg:"" help:"As in person, credit or sms."`
	Amount  string `arg:"" help:"Rials; 0 is free. sms is per part."`
	Account string `help:"What it costs this account alone: id, user name, or user@domain." placeholder:"ACCOUNT"`
}

func (p priceSet) Run(c *console) error {
	given, err := fixture.ReadPrices(fixture.Given{p.Service: strings.NewReplacer(",", "", "٬", "", "_", "").Replace(p.Amount)})
	if err != nil {
		return mistyped(err)
	}
	err = p.change(c, store.Act{Service: "price", Method: "set", Which: p.Service}, func(change *store.Change) error {
		if p.Account == "" {
			return change.SetPrice(p.Service, given[p.Service])
		}
		id, err := change.AccountID(p.Account)
		if err != nil {
			return err
		}
		return change.SetAccountPrice(id, p.Service, rial.Amount(given[p.Service]))
	})
	if err != nil {
		return err
	}
	return p.done(c, given, "an answer of %s costs %s%d rials", p.Service, onOff(p.Account == "", "", "this account "), given[p.Service])
}

type priceRemove struct {
	acting
	Service string `arg:"" help:"As in person, credit or sms."`
	Account string `help:"Id, user name, or user@domain." placeholder:"ACCOUNT" required:""`
}

func (p priceRemove) Run(c *console) error {
	return p.tell(c, store.Act{Service: "price", Method: "remove", Which: p.Service}, func(change *store.Change) error {
		id, err := change.AccountID(p.Account)
		if err != nil {
			return err
		}
		return change.RemoveAccountPrice(id, p.Service)
	}, "the account pays for %s what everybody pays", p.Service)
}

type priceList struct {
	installation
	shown
	Account string `help:"Those of this account alone." placeholder:"ACCOUNT"`
}

func (p priceList) Run(c *console) error {
	return p.look(c, func(s *store.Store) error {
		all, err := p.read(c, s)
		if err != nil {
			return err
		}
		t := table{{"service", "rials"}}
		for _, service := range slices.Sorted(maps.Keys(all)) {
			t.row(service, strconv.FormatInt(all[service], 10))
		}
		return p.print(c, all, t.print)
	})
}

func (p priceList) read(c *console, s *store.Store) (map[string]int64, error) {
	if p.Account == "" {
		return s.Prices(c)
	}
	one, err := s.Account(c, p.Account)
	all := map[string]int64{}
	for service, amount := range one.Prices {
		all[service] = int64(amount)
	}
	return all, err
}
