package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/app"
	"dargah.dev/dargah/internal/credential"
	"dargah.dev/dargah/internal/fixture"
	"dargah.dev/dargah/internal/password"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/store"
)

// accounts are the commands about customers' accounts.
type accounts struct {
	Add       accountAdd       `cmd:"" help:"Add an account. Its password is made and shown once, unless it is read from standard input."`
	List      accountList      `cmd:"" help:"List the accounts."`
	Show      accountShow      `cmd:"" help:"Show one, with what belongs to it."`
	Set       accountSet       `cmd:"" help:"Change what is given, and nothing else. A new password ends all tokens."`
	Disable   accountDisable   `cmd:"" help:"Stop an account, and end its tokens."`
	Enable    accountEnable    `cmd:"" help:"Let it work again."`
	Logout    accountLogout    `cmd:"" help:"End all its tokens."`
	Statement accountStatement `cmd:"" help:"Print every movement of a wallet."`
}

// accountKeys are what can be said of an account, by the format's names.
type accountKeys struct {
	FirstName        *string   `help:"The customer's first name." placeholder:"NAME"`
	LastName         *string   `help:"The customer's last name." placeholder:"NAME"`
	Status           *string   `help:"active or disabled." placeholder:"STATUS"`
	Expires          *string   `help:"First day on which it no longer works, Jalali (1405/08/30) or ISO (2026-11-21)." placeholder:"DATE"`
	TokenDays        *string   `help:"Lifetime of tokens where the caller chooses none, 1 to 365 (7)." placeholder:"DAYS"`
	Rate             *string   `help:"Calls a second (5)." placeholder:"N"`
	QueryLogin       bool      `help:"Calls may carry name and password in their address." xor:"query"`
	NoQueryLogin     bool      `help:"They may not." xor:"query"`
	SMSSpendDay      *string   `help:"Rials on messages in a day; or none, or default: the installation's." placeholder:"RIALS" name:"sms-spend-day"`
	SMSNumberHour    *string   `help:"Messages in an hour to one number; or none, or default." placeholder:"N" name:"sms-number-hour"`
	SMSPrefixHour    *string   `help:"Messages in an hour to the numbers that differ in the last four digits; or none, or default." placeholder:"N" name:"sms-prefix-hour"`
	AllowedAddresses *[]string `help:"Addresses or CIDR blocks that may call; any without it." placeholder:"CIDR"`
	Services         *[]string `help:"Services that it may use, like person,credit or sms/send; * is all (*)." placeholder:"NAME"`
}

// given is what was said, under the format's keys. A list of one empty text is
// an empty list.
func (k accountKeys) given() fixture.Given {
	g := fixture.Given{}
	for key, value := range map[string]*string{
		"firstName": k.FirstName, "lastName": k.LastName, "status": k.Status, "expires": k.Expires, "tokenDays": k.TokenDays, "rate": k.Rate,
		"smsSpendDay": k.SMSSpendDay, "smsNumberHour": k.SMSNumberHour, "smsPrefixHour": k.SMSPrefixHour,
	} {
		if value != nil {
			g[key] = *value
		}
	}
	if k.QueryLogin || k.NoQueryLogin {
		g["queryLogin"] = k.QueryLogin
	}
	for key, value := range map[string]*[]string{"allowedAddresses": k.AllowedAddresses, "services": k.Services} {
		if value != nil {
			g[key] = *value
			if len(*value) == 1 && (*value)[0] == "" {
				g[key] = []string{}
			}
		}
	}
	return g
}

// passwords are how passwords come in: never as a flag's value.
type passwords struct {
	PasswordStdin      bool `help:"Read the password from standard input."`
	TokenPassword      bool `help:"Make a password of its own for token calls." xor:"token"`
	TokenPasswordStdin bool `help:"Read it from standard input: the line after the password, if that is there too." xor:"token"`
}

// passwordPair is the two passwords of an account, each empty where it is not
// to be changed.
type passwordPair struct {
	Password      string `json:"password,omitempty"` // where it was made here
	TokenPassword string `json:"tokenPassword,omitempty"`
	made          [2]bool
}

// read makes passwords and reads those that are brought along.
func (p passwords) read(c *console, makePassword bool) (pair passwordPair, err error) {
	var to []*string
	if p.PasswordStdin {
		to = append(to, &pair.Password)
	} else if makePassword {
		pair.Password, pair.made[0] = credential.Password(), true
	}
	if p.TokenPasswordStdin {
		to = append(to, &pair.TokenPassword)
	} else if p.TokenPassword {
		pair.TokenPassword, pair.made[1] = credential.Password(), true
	}
	if len(to) == 0 {
		return pair, nil
	}
	typed, err := typed(c, "password", shortestPassword, len(to))
	for i := range typed {
		*to[i] = typed[i]
	}
	return pair, err
}

// fresh is what of the pair was made here and is now shown, once.
func (p passwordPair) fresh() (once passwordPair) {
	if p.made[0] {
		once.Password = p.Password
	}
	if p.made[1] {
		once.TokenPassword = p.TokenPassword
	}
	return once
}

func (p passwordPair) print(w io.Writer) error {
	once := p.fresh()
	var t table
	if once.Password != "" {
		t.row("password", once.Password)
	}
	if once.TokenPassword != "" {
		t.row("token password", once.TokenPassword)
	}
	if len(t) == 0 {
		return nil
	}
	_, err := fmt.Fprintln(w, "Shown this once, and kept as a hash alone:")
	return errors.Join(err, t.print(w))
}

type accountAdd struct {
	acting
	shown
	accountKeys
	passwords
	Name    string `arg:"" help:"USER@DOMAIN, or a user name in the default domain."`
	Balance string `help:"What its wallet opens with, in rials." placeholder:"RIALS" default:"0"`
}

func (a accountAdd) Run(c *console) (err error) {
	pair, err := a.read(c, true)
	if err != nil {
		return err
	}
	s, err := a.attach(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	given, err := a.account(c, s, pair)
	if err != nil {
		return err
	}
	made := app.NewAccount(given, password.New(password.Cost{}))
	err = a.changeIn(c, s, store.Act{Service: "account", Method: "add"}, func(change *store.Change) error {
		made.Account, err = change.AddAccount(made)
		return err
	})
	if err != nil {
		return err
	}
	view := struct {
		accountView
		passwordPair
	}{viewAccount(made.Account), pair.fresh()}
	return a.print(c, view, func(w io.Writer) error {
		fmt.Fprintf(w, "account %s is there: %s, number %d\n", view.ID, view.name(), view.Number)
		return pair.print(w)
	})
}

// account is what was given, checked by the format's rules.
func (a accountAdd) account(c *console, s *store.Store, pair passwordPair) (fixture.Account, error) {
	domains, _, err := s.Accounts(c)
	if err != nil {
		return fixture.Account{}, err
	}
	g := a.given()
	g["username"], g["domain"] = splitName(a.Name, domains)
	if g["domain"] == "" {
		return fixture.Account{}, errors.New("there is no domain yet: say `dargah domain add NAME` first")
	}
	g["password"] = pair.Password
	if pair.TokenPassword != "" {
		g["tokenPassword"] = pair.TokenPassword
	}
	g["balance"] = strings.NewReplacer(",", "", "٬", "", "_", "").Replace(a.Balance)
	known := make([]fixture.Domain, 0, len(domains))
	for _, d := range domains {
		known = append(known, fixture.Domain{Name: d.Name})
	}
	given, err := fixture.ReadAccount(g, known)
	return given, mistyped(err)
}

// splitName gives the user and the domain of USER@DOMAIN; without a domain the
// default one, if there is any.
func splitName(name string, domains []account.Domain) (user, domain string) {
	if at := strings.LastIndexByte(name, '@'); at >= 0 {
		return name[:at], name[at+1:]
	}
	for _, d := range domains {
		if d.Default || domain == "" {
			domain = d.Name
		}
	}
	return name, domain
}

type accountSet struct {
	acting
	shown
	ofAccount
	accountKeys
	passwords
	Username        *string `help:"Another user name." placeholder:"NAME"`
	NeverExpires    bool    `help:"Take the expiry away." xor:"expiry"`
	Password        bool    `help:"Make another password and show it." xor:"password"`
	NoTokenPassword bool    `help:"Let token calls take the one password." xor:"token"`
}

func (a accountSet) Run(c *console) error {
	pair, err := a.read(c, a.Password)
	if err != nil {
		return err
	}
	g := a.given()
	if a.Username != nil {
		g["username"] = *a.Username
	}
	if len(g) == 0 && pair == (passwordPair{}) && !a.NeverExpires && !a.NoTokenPassword {
		return misuse{errors.New("nothing was given that is to be changed: dargah account set --help")}
	}
	wanted, err := readPatch(g)
	if err != nil {
		return mistyped(err)
	}
	gate := password.New(password.Cost{})
	edit := func(to *account.Account) error {
		patch(to, g, wanted)
		if a.NeverExpires {
			to.Expires = time.Time{}
		}
		if pair.Password != "" {
			to.Password = gate.Hash(pair.Password)
		}
		if a.NoTokenPassword {
			to.TokenPassword = ""
		} else if pair.TokenPassword != "" {
			to.TokenPassword = gate.Hash(pair.TokenPassword)
		}
		return nil
	}
	return setAccount(c, a.acting, a.shown, a.Account, "set", pair, func(change *store.Change, id string) error { return change.SetAccount(id, edit) })
}

// readPatch checks the values of an account's keys that were given, with others
// that are not used in the place of those that the format needs.
func readPatch(g fixture.Given) (account.Account, error) {
	whole := fixture.Given{"domain": "x", "username": "x", "password": "unchanged"}
	for key, value := range g {
		whole[key] = value
	}
	read, err := fixture.ReadAccount(whole, []fixture.Domain{{Name: "x"}})
	var wanted account.Account
	app.Describe(&wanted, read)
	return wanted, err
}

// patch sets what was given.
func patch(to *account.Account, g fixture.Given, wanted account.Account) {
	for key, set := range map[string]func(){
		"username": func() { to.Username = wanted.Username }, "firstName": func() { to.FirstName = wanted.FirstName },
		"lastName": func() { to.LastName = wanted.LastName }, "status": func() { to.Disabled = wanted.Disabled },
		"expires": func() { to.Expires = wanted.Expires }, "tokenDays": func() { to.TokenDays = wanted.TokenDays },
		"rate": func() { to.Rate = wanted.Rate }, "allowedAddresses": func() { to.Allowed = wanted.Allowed },
		"services": func() { to.Grants = wanted.Grants }, "queryLogin": func() { to.QueryLogin = wanted.QueryLogin },
		"smsSpendDay":   func() { to.SMS.SpendDay = wanted.SMS.SpendDay },
		"smsNumberHour": func() { to.SMS.NumberHour = wanted.SMS.NumberHour },
		"smsPrefixHour": func() { to.SMS.PrefixHour = wanted.SMS.PrefixHour },
	} {
		if _, given := g[key]; given {
			set()
		}
	}
}

// setAccount changes one account and shows it.
func setAccount(c *console, a acting, s shown, name, method string, pair passwordPair, do func(*store.Change, string) error) error {
	var after account.Account
	err := a.change(c, store.Act{Service: "account", Method: method}, func(change *store.Change) error {
		id, err := change.AccountID(name)
		if err != nil {
			return err
		}
		if err := do(change, id); err != nil {
			return err
		}
		after, err = change.Account(id)
		return err
	})
	if err != nil {
		return err
	}
	view := struct {
		accountView
		passwordPair
	}{viewAccount(after), pair.fresh()}
	return s.print(c, view, func(w io.Writer) error {
		fmt.Fprintf(w, "account %s (%s) is %s\n", view.ID, view.name(), map[string]string{
			"set": "changed", "disable": "disabled; its tokens are good for nothing", "enable": "active", "logout": "logged out: its tokens are good for nothing",
		}[method])
		return pair.print(w)
	})
}

type accountDisable struct {
	acting
	shown
	ofAccount
}

func (a accountDisable) Run(c *console) error {
	return setAccount(c, a.acting, a.shown, a.Account, "disable", passwordPair{}, func(change *store.Change, id string) error {
		return change.SetAccount(id, func(to *account.Account) error { to.Disabled = true; return nil })
	})
}

type accountEnable struct {
	acting
	shown
	ofAccount
}

func (a accountEnable) Run(c *console) error {
	return setAccount(c, a.acting, a.shown, a.Account, "enable", passwordPair{}, func(change *store.Change, id string) error {
		return change.SetAccount(id, func(to *account.Account) error { to.Disabled = false; return nil })
	})
}

type accountLogout struct {
	acting
	shown
	ofAccount
}

func (a accountLogout) Run(c *console) error {
	return setAccount(c, a.acting, a.shown, a.Account, "logout", passwordPair{}, (*store.Change).Logout)
}

type accountList struct {
	installation
	shown
	Domain string `help:"Only those of this domain." placeholder:"NAME"`
}

func (a accountList) Run(c *console) error {
	_, all, err := a.all(c)
	if err != nil {
		return err
	}
	views := []accountView{}
	lines := table{{"id", "account", "status", "expires", "rate", "services"}}
	for _, one := range all {
		if a.Domain != "" && account.DomainKey(one.Domain) != account.DomainKey(a.Domain) {
			continue
		}
		v := viewAccount(one)
		v.FirstName, v.LastName = "", ""
		views = append(views, v)
		lines.row(v.ID, v.name(), v.Status, v.Expires, number(v.Rate), strings.Join(v.Services, ","))
	}
	return a.print(c, views, lines.print)
}

type accountShow struct {
	installation
	shown
	ofAccount
}

func (a accountShow) Run(c *console) error {
	return a.look(c, func(s *store.Store) error {
		one, err := s.Account(c, a.Account)
		if err != nil {
			return err
		}
		v := viewAccount(one)
		balance, err := s.Balance(c, one.ID)
		if err != nil {
			return err
		}
		v.Balance = &balance
		return a.print(c, v, v.print)
	})
}

// dateOf is a moment's day in Tehran; nothing for no moment.
func dateOf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return persian.DateOf(t).String()
}

func rials(n rial.Amount) string { return fmt.Sprintf("%d rials", int64(n)) }
