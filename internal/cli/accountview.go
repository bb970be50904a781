package cli

import (
	"io"
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
}

func viewAccount(a account.Account) accountView {
	v := accountView{
		ID: a.ID, Number: a.Number, Domain: a.Domain, Username: a.Username, FirstName: a.FirstName, LastName: a.LastName,
		Status: onOff(a.Disabled, fixture.Disabled, fixture.Active), Expires: dateOf(a.Expires),
		OwnTokenPassword: a.TokenPassword != "", TokenDays: a.TokenDays, Rate: a.Rate,
		AllowedAddresses: []string{}, Services: append([]string{}, a.Grants.List()...),
		Lines: []lineView{}, Clients: []clientView{}, Business: []businessView{},
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
	return v
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
	return t.print(w)
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func number(n int) string { return strconv.Itoa(n) }
