package cli

import (
	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/fixture"
	"dargah.dev/dargah/internal/store"
)

type domains struct {
	Add     domainAdd     `cmd:"" help:"Add a domain; the first one is the default."`
	List    domainList    `cmd:"" help:"List the domains."`
	Show    domainShow    `cmd:"" help:"Show one."`
	Set     domainSet     `cmd:"" help:"Make a domain the default for requests that name none."`
	Disable domainDisable `cmd:"" help:"Stop all accounts of a domain, and end their tokens."`
	Enable  domainEnable  `cmd:"" help:"Let them work again; those that are disabled themselves stay so."`
	Remove  domainRemove  `cmd:"" help:"Remove a domain that never had an account."`
}

type ofDomain struct {
	Name string `arg:"" help:"As in sms.example.ir."`
}

// domainView is a domain as it is shown.
type domainView struct {
	Name     string `json:"name"`
	Default  bool   `json:"default"`
	Status   string `json:"status"`
	Accounts int    `json:"accounts"`
}

func viewDomain(d account.Domain, accounts []account.Account) domainView {
	v := domainView{Name: d.Name, Default: d.Default, Status: onOff(d.Disabled, fixture.Disabled, fixture.Active)}
	for _, a := range accounts {
		if a.Domain == d.Name {
			v.Accounts++
		}
	}
	return v
}

type domainAdd struct {
	acting
	shown
	ofDomain
	Default bool `help:"Make it the default for requests that name no domain."`
}

func (d domainAdd) Run(c *console) error {
	given, err := fixture.ReadDomain(fixture.Given{"name": d.Name, "default": d.Default})
	if err != nil {
		return mistyped(err)
	}
	var made account.Domain
	err = d.change(c, store.Act{Service: "domain", Method: "add", Which: given.Name}, func(change *store.Change) error {
		if err := change.AddDomain(account.Domain{Name: given.Name, Default: given.Default}); err != nil {
			return err
		}
		made, err = change.Domain(given.Name)
		return err
	})
	if err != nil {
		return err
	}
	return d.done(c, viewDomain(made, nil), "domain %s is there%s", made.Name, onOff(made.Default, ", and the default", ""))
}

type domainList struct {
	installation
	shown
}

func (d domainList) Run(c *console) error {
	all, accounts, err := d.all(c)
	if err != nil {
		return err
	}
	views := []domainView{}
	lines := table{{"name", "status", "accounts", ""}}
	for _, domain := range all {
		v := viewDomain(domain, accounts)
		views = append(views, v)
		lines.row(v.Name, v.Status, number(v.Accounts), onOff(v.Default, "default", ""))
	}
	return d.print(c, views, lines.print)
}

type domainShow struct {
	installation
	shown
	ofDomain
}

func (d domainShow) Run(c *console) error {
	all, accounts, err := d.all(c)
	if err != nil {
		return err
	}
	for _, domain := range all {
		if account.DomainKey(domain.Name) != account.DomainKey(d.Name) {
			continue
		}
		v := viewDomain(domain, accounts)
		return d.print(c, v, table{
			{"name", v.Name}, {"status", v.Status}, {"default", onOff(v.Default, "yes", "no")}, {"accounts", number(v.Accounts)},
		}.print)
	}
	return advised(missing("domain", d.Name))
}

type domainSet struct {
	acting
	ofDomain
	Default bool `help:"Make it the default." required:""`
}

func (d domainSet) Run(c *console) error {
	return setDomain(c, d.acting, d.Name, "set", "is the default", func(d *account.Domain) { d.Default = true })
}

type domainDisable struct {
	acting
	ofDomain
}

func (d domainDisable) Run(c *console) error {
	return setDomain(c, d.acting, d.Name, "disable", "is disabled; tokens of its accounts are good for nothing", func(d *account.Domain) { d.Disabled = true })
}

type domainEnable struct {
	acting
	ofDomain
}

func (d domainEnable) Run(c *console) error {
	return setDomain(c, d.acting, d.Name, "enable", "is active", func(d *account.Domain) { d.Disabled = false })
}

func setDomain(c *console, a acting, name, method, done string, edit func(*account.Domain)) error {
	return a.tell(c, store.Act{Service: "domain", Method: method, Which: name}, func(change *store.Change) error {
		return change.SetDomain(name, edit)
	}, "domain %s %s", name, done)
}

type domainRemove struct {
	acting
	ofDomain
}

func (d domainRemove) Run(c *console) error {
	return d.tell(c, store.Act{Service: "domain", Method: "remove", Which: d.Name}, func(change *store.Change) error {
		return change.RemoveDomain(d.Name)
	}, "domain %s is gone", d.Name)
}
