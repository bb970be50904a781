package cli

import (
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/fixture"
	"dargah.dev/dargah/internal/rial"
)

// accountView is an account as it is shown, under the format's names. It has
// no password and no secret, and no hash of one.
type accountView struct {
	ID               string         `json:"id"`
	Number           int64          `json:"number"`
	Domain           string         `json:"domain"`
	Username         string         `json:"username"`
	FirstName        string         `json:"firstName,omitempty"`
	LastName         string         `json:"lastName,omitempty"`
	Status           string         `json:"status"`
	Expires          string         `json:"expires,omitempty"`
	Balance          *rial.Amount   `json:"balance,omitempty"`
	OwnTokenPassword bool           `json:"ownTokenPassword"`
	TokenDays        int            `json:"tokenDays"`
	Rate             int            `json:"rate"`
	AllowedAddresses []string       `json:"allowedAddresses"`
	Services         []string       `json:"services"`
	Lines            []lineView     `json:"lines"`
	Clients          []clientView   `json:"clients"`
	Business         []businessView `json:"business"`
	APIKeys          []keyView      `json:"apiKeys"`
	QueryLogin       bool           `json:"queryLogin"`
	Templates        []templateView `json:"templates"`
	// Prices are in rials, where they are not everybody's.
	Prices        map[string]rial.Amount `json:"prices"`
	SMSSpendDay   string                 `json:"smsSpendDay"`
	SMSNumberHour string                 `json:"smsNumberHour"`
	SMSPrefixHour string                 `json:"smsPrefixHour"`
}

func viewAccount(a account.Account) accountView {
	v := accountView{
		ID: a.ID, Number: a.Number, Domain: a.Domain, Username: a.Username, FirstName: a.FirstName, LastName: a.LastName,
		Status: onOff(a.Disabled, fixture.Disabled, fixture.Active), Expires: dateOf(a.Expires),
		OwnTokenPassword: a.TokenPassword != "", TokenDays: a.TokenDays, Rate: a.Rate,
		AllowedAddresses: []string{}, Services: append([]string{}, a.Grants.List()...),
		Lines: []lineView{}, Clients: []clientView{}, Business: []businessView{},
		APIKeys: []keyView{}, QueryLogin: a.QueryLogin, Templates: []templateView{}, Prices: map[string]rial.Amount{},
		SMSSpendDay: bound(int64(a.SMS.SpendDay)), SMSNumberHour: bound(int64(a.SMS.NumberHour)), SMSPrefixHour: bound(int64(a.SMS.PrefixHour)),
	}
	for _, p := range a.Allowed {
		v.AllowedAddresses = append(v.AllowedAddresses, p.String())
	}
	for _, l := range a.Lines {
		v.Lines = append(v.Lines, viewLine(a.ID, l))
	}
	for _, c := range a.Clients {
		v.Clients = append(v.Clients, viewClient(a.ID, c))
	}
	for _, b := range a.Business {
		v.Business = append(v.Business, viewBusiness(a.ID, b))
	}
	for _, k := range a.APIKeys {
		v.APIKeys = append(v.APIKeys, viewKey(a.ID, k))
	}
	for _, t := range a.Templates {
		v.Templates = append(v.Templates, viewTemplate(a.ID, t))
	}
	maps.Copy(v.Prices, a.Prices)
	return v
}

// bound is how many of something an account may have, as the format says it.
func bound(n int64) string {
	switch {
	case n == 0:
		return "default"
	case n < 0:
		return "none"
	}
	return strconv.FormatInt(n, 10)
}

func (v accountView) name() string { return v.Username + "@" + v.Domain }

func (v accountView) print(w io.Writer) error {
	t := table{
		{"id", v.ID}, {"number", strconv.FormatInt(v.Number, 10)}, {"account", v.name()},
		{"name", strings.TrimSpace(v.FirstName + " " + v.LastName)}, {"status", v.Status}, {"expires", orElse(v.Expires, "never")},
	}
	if v.Balance != nil {
		t.row("balance", rials(*v.Balance))
	}
	t.row("token password", onOff(v.OwnTokenPassword, "of its own", "the one password"))
	t.row("token days", number(v.TokenDays))
	t.row("rate", number(v.Rate)+" a second")
	t.row("addresses", orElse(strings.Join(v.AllowedAddresses, " "), "any"))
	t.row("services", orElse(strings.Join(v.Services, " "), "none"))
	for _, l := range v.Lines {
		t.row("line", l.Number+" "+l.Status)
	}
	for _, c := range v.Clients {
		t.row("client", c.ID+" "+c.Status+onOff(c.PasswordGrant, " password-grant", ""))
	}
	for _, b := range v.Business {
		t.row("business", b.ID+" "+b.Status)
	}
	for _, k := range v.APIKeys {
		t.row("API key", k.ID+" "+k.Status)
	}
	t.row("query login", onOff(v.QueryLogin, "yes", "no"))
	for _, one := range v.Templates {
		t.row("template", one.ID)
	}
	for _, service := range slices.Sorted(maps.Keys(v.Prices)) {
		t.row("price of "+service, rials(v.Prices[service]))
	}
	t.row("sms bounds", "rials a day "+v.SMSSpendDay+", an hour to a number "+v.SMSNumberHour+", to a prefix "+v.SMSPrefixHour)
	return t.print(w)
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func number(n int) string { return strconv.Itoa(n) }
