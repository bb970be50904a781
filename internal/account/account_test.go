package account_test

import (
	"net/netip"
	"testing"

	"dargah.dev/dargah/internal/account"
)

func TestGrants(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		list            []string
		service, method string
		inService, in   bool
	}{
		{[]string{"*"}, "sms", "send", true, true},
		{[]string{"sms"}, "sms", "send", true, true},
		{[]string{"sms/send"}, "sms", "send", true, true},
		{[]string{"sms/send"}, "sms", "balance", true, false},
		{[]string{"sms/send"}, "sms", "", true, true},
		{[]string{"person"}, "sms", "send", false, false},
		{nil, "sms", "", false, false},
		{[]string{"sms2"}, "sms", "", false, false},
		{[]string{"sms"}, "sms2", "", false, false},
	} {
		g := account.NewGrants(c.list)
		if g.Service(c.service) != c.inService || g.Method(c.service, c.method) != c.in {
			t.Errorf("%v: service %s %v, method %s %v", c.list, c.service, g.Service(c.service), c.method, g.Method(c.service, c.method))
		}
	}
}

func TestAllows(t *testing.T) {
	t.Parallel()
	a := account.Account{Allowed: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32")}}
	for address, want := range map[string]bool{
		"192.0.2.255": true, "192.0.3.0": false, "::ffff:192.0.2.1": true, "2001:db8::9": true, "2001:db9::": false,
	} {
		if got := a.Allows(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
	if a.Allows(netip.Addr{}) {
		t.Error("an unknown peer is on a list")
	}
	if !(&account.Account{}).Allows(netip.Addr{}) {
		t.Error("an account without a list refuses somebody")
	}
}

func TestLineKey(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"10001234": "10001234", "009810001234": "10001234", "+9810001234": "10001234", "9810001234": "10001234",
		"۱۰۰۰۱۲۳۴": "10001234", "9898": "9898", "98": "98", "": "",
	} {
		if got := account.LineKey(in); got != want {
			t.Errorf("LineKey(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestDirectory(t *testing.T) {
	t.Parallel()
	domains := []account.Domain{{Name: "one.ir"}, {Name: "Two.ir", Default: true}}
	accounts := []account.Account{
		{ID: "1", Domain: "one.ir", Username: "Ali", Clients: []account.Client{{ID: "c"}}, Business: []account.Business{{ID: "b"}},
			APIKeys: []account.APIKey{{ID: "k", Hash: [32]byte{7}}}},
		{ID: "2", Domain: "Two.ir", Username: "ali"},
	}
	d, err := account.NewDirectory(domains, accounts)
	if err != nil {
		t.Fatal(err)
	}
	if a := d.ByName("ONE.ir", "aLI "); a == nil || a.ID != "1" {
		t.Errorf("by name: %v", a)
	}
	if a := d.ByName("two.ir", "ali"); a == nil || a.ID != "2" {
		t.Errorf("by name in the other domain: %v", a)
	}
	if d.ByName("three.ir", "ali") != nil || d.ByID("3") != nil {
		t.Error("somebody who is not there is found")
	}
	if owner, client := d.Client("c"); owner == nil || owner.ID != "1" || client.ID != "c" {
		t.Error("the client is not found")
	}
	if owner, b := d.Business("x"); owner != nil || b != nil {
		t.Error("an unknown business is found")
	}
	if owner, key := d.Key([32]byte{7}); owner == nil || owner.ID != "1" || key.ID != "k" {
		t.Error("the API key is not found")
	}
	if owner, key := d.Key([32]byte{}); owner != nil || key != nil {
		t.Error("an unknown API key is found")
	}
	for host, want := range map[string]string{
		"one.ir": "one.ir", "api.one.ir:8080": "one.ir", "ONE.IR.": "one.ir", "two.ir": "Two.ir",
		"127.0.0.1:8080": "Two.ir", "[::1]:8080": "Two.ir", "[::1]": "Two.ir", "": "Two.ir", "evil-one.ir": "Two.ir",
	} {
		if got := d.HostDomain(host); got != want {
			t.Errorf("HostDomain(%q) = %q, want %q", host, got, want)
		}
	}
}

func TestDirectoryRefusesShadows(t *testing.T) {
	t.Parallel()
	first := account.Account{ID: "1", Domain: "d", Username: "ali", Clients: []account.Client{{ID: "c"}}, Business: []account.Business{{ID: "b"}},
		APIKeys: []account.APIKey{{ID: "k", Hash: [32]byte{7}}}}
	for name, second := range map[string]account.Account{
		"name":     {ID: "2", Domain: "D", Username: "ALI"},
		"client":   {ID: "2", Domain: "d", Username: "x", Clients: []account.Client{{ID: "c"}}},
		"business": {ID: "2", Domain: "d", Username: "x", Business: []account.Business{{ID: "b"}}},
		"API key":  {ID: "2", Domain: "d", Username: "x", APIKeys: []account.APIKey{{ID: "other", Hash: [32]byte{7}}}},
	} {
		if _, err := account.NewDirectory(nil, []account.Account{first, second}); err == nil {
			t.Errorf("two accounts with one %s are accepted", name)
		}
	}
}

func TestDisabledDomainStopsItsAccounts(t *testing.T) {
	t.Parallel()
	d, err := account.NewDirectory([]account.Domain{{Name: "a", Disabled: true}, {Name: "b"}}, []account.Account{
		{ID: "1", Domain: "a", Username: "x"}, {ID: "2", Domain: "b", Username: "x"}, {ID: "3", Domain: "b", Username: "y", Disabled: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]bool{"1": true, "2": false, "3": true} {
		if got := d.ByID(id).Disabled; got != want {
			t.Errorf("account %s: disabled %v", id, got)
		}
	}
}

func TestTemplateID(t *testing.T) {
	t.Parallel()
	a := account.Account{Templates: []account.Template{{ID: account.NewTemplateID(), Body: "one"}, {ID: account.NewTemplateID(), Body: "two"}}}
	id := a.Templates[1].ID
	if len(id) != account.TemplateIDLength || id == a.Templates[0].ID {
		t.Errorf("ids %q and %q", a.Templates[0].ID, id)
	}
	if got, ok := a.Template(id); !ok || got.Body != "two" {
		t.Errorf("template %v %v", got, ok)
	}
	if _, ok := a.Template(""); ok {
		t.Error("a template without an id is there")
	}
}
