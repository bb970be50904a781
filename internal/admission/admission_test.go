package admission_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"net/netip"
	"slices"
	"testing"
	"time"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/admission"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/limit"
	"dargah.dev/dargah/internal/password"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/token"
)

var (
	noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	home = netip.MustParseAddr("192.0.2.7")
	all  = []admission.Check{admission.Who, admission.Status, admission.Expiry, admission.Address, admission.Permission, admission.Rate, admission.Credit}
)

type purse map[string]rial.Amount

func (p purse) Covers(_ context.Context, of string, price rial.Amount) (bool, error) {
	return price <= p[of], nil
}

type graves map[string]bool

func (g graves) Dead(family string) bool { return g[family] }

func hashOf(secret string) []byte {
	hash := sha256.Sum256([]byte(secret))
	return hash[:]
}

// world is a desk with two domains: good, disabled, … in "a", elsewhere in "b".
func world(t *testing.T, change ...func(*account.Account)) *admission.Desk {
	t.Helper()
	gate := password.New(password.Cost{Memory: 64, Time: 1})
	good := account.Account{
		ID: "1", Domain: "a", Username: "good", Password: gate.Hash("console-pw-1"), Rate: 1000, TokenDays: 7,
		Grants: account.NewGrants([]string{"person", "sms/balance"}),
		Lines:  []account.Line{{Number: "30001234"}, {Number: "30005555", Suspended: true}},
		Clients: []account.Client{
			{ID: "c1", SecretHash: sha256.Sum256([]byte("s1")), PasswordGrant: true},
			{ID: "c2", SecretHash: sha256.Sum256([]byte("s2"))},
		},
		Business: []account.Business{{ID: "b1", TokenHash: sha256.Sum256([]byte("t1"))}},
		APIKeys: []account.APIKey{
			{ID: "k1", Hash: sha256.Sum256([]byte("key-1"))}, {ID: "k2", Hash: sha256.Sum256([]byte("key-2")), Disabled: true},
		},
	}
	for _, f := range change {
		f(&good)
	}
	other := account.Account{ID: "2", Domain: "b", Username: "other", Password: gate.Hash("other-pw-22"), Rate: 5, Grants: account.NewGrants([]string{"*"})}
	directory, err := account.NewDirectory([]account.Domain{{Name: "a", Default: true}, {Name: "b"}}, []account.Account{good, other})
	if err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return noon }
	mint, err := token.NewMint([]token.Key{{ID: "1", Secret: bytes.Repeat([]byte{1}, 32)}}, bytes.Repeat([]byte{2}, 32), now)
	if err != nil {
		t.Fatal(err)
	}
	d := &admission.Desk{
		Book: &account.Book{}, Mint: mint, Passwords: gate, Lockout: admission.NewLockout(0), Limiter: &limit.Memory{},
		Families: graves{"dead": true}, Wallets: purse{"1": 100}, Now: now,
	}
	d.Book.Put(directory)
	return d
}

func TestEachCheckHasItsComplaint(t *testing.T) {
	t.Parallel()
	business := admission.Business{ID: "b1", Token: "t1"}
	need := admission.Need{Checks: all, Service: "person", Price: 100, Peer: home}
	for name, c := range map[string]struct {
		change func(*account.Account)
		need   func(*admission.Need)
		want   fault.Code
	}{
		"disabled": {change: func(a *account.Account) { a.Disabled = true }, want: fault.Disabled},
		"expired":  {change: func(a *account.Account) { a.Expires = noon }, want: fault.Expired},
		"address": {
			change: func(a *account.Account) { a.Allowed = []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")} },
			want:   fault.Address,
		},
		"unknown peer": {
			change: func(a *account.Account) { a.Allowed = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")} },
			need:   func(n *admission.Need) { n.Peer = netip.Addr{} }, want: fault.Address,
		},
		"service": {need: func(n *admission.Need) { n.Service = "credit" }, want: fault.Service},
		"method":  {need: func(n *admission.Need) { n.Service, n.Method = "sms", "send" }, want: fault.Operation},
		"credit":  {need: func(n *admission.Need) { n.Price = 101 }, want: fault.Credit},
	} {
		change := func(*account.Account) {}
		if c.change != nil {
			change = c.change
		}
		asked := need
		if c.need != nil {
			c.need(&asked)
		}
		pass, err := world(t, change).Admit(context.Background(), business, asked)
		if fault.From(err).Code != c.want || err == nil {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if pass.Account == nil {
			t.Errorf("%s: the refusal does not say whose it is", name)
		}
	}
	pass, err := world(t).Admit(context.Background(), business, need)
	if err != nil || pass.Account.ID != "1" {
		t.Errorf("the control, a good call, is refused: %v", err)
	}
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	d := world(t, func(a *account.Account) { a.TokenPassword = a.Password })
	for name, c := range map[string]struct {
		shown admission.Credential
		want  fault.Code // 255: admitted
	}{
		"password":                {admission.Password{Domain: "a", Username: "good", Password: "console-pw-1"}, 255},
		"other spelling":          {admission.Password{Domain: "A", Username: " GOOD ", Password: "console-pw-1"}, 255},
		"wrong password":          {admission.Password{Domain: "a", Username: "good", Password: "console-pw-2"}, fault.Credentials},
		"unknown user":            {admission.Password{Domain: "a", Username: "nobody", Password: "console-pw-1"}, fault.Credentials},
		"unknown domain":          {admission.Password{Domain: "x", Username: "good", Password: "console-pw-1"}, fault.Credentials},
		"elsewhere, not asked":    {admission.Password{Domain: "a", Username: "other", Password: "other-pw-22"}, fault.Credentials},
		"elsewhere, right":        {admission.Password{Domain: "a", Username: "other", Password: "other-pw-22", Elsewhere: true}, fault.Domain},
		"elsewhere, wrong":        {admission.Password{Domain: "a", Username: "other", Password: "x", Elsewhere: true}, fault.Credentials},
		"no token":                {admission.Bearer{}, fault.NoToken},
		"bad token":               {admission.Bearer{Token: "x", Audience: "uid"}, fault.BadToken},
		"client":                  {admission.ClientPassword{"c1", "s1", "good", "console-pw-1"}, 255},
		"client, wrong secret":    {admission.ClientPassword{"c1", "s2", "good", "console-pw-1"}, fault.Client},
		"client, unknown":         {admission.ClientPassword{"c9", "", "good", "console-pw-1"}, fault.Client},
		"client without grant":    {admission.ClientPassword{"c2", "s2", "good", "console-pw-1"}, fault.ClientGrant},
		"client, another's user":  {admission.ClientPassword{"c1", "s1", "other", "other-pw-22"}, fault.Credentials},
		"client, wrong password":  {admission.ClientPassword{"c1", "s1", "good", "x"}, fault.Credentials},
		"refresh garbage":         {admission.ClientRefresh{"c1", "s1", "dgr_x"}, fault.Grant},
		"no key":                  {admission.Key{}, fault.NoToken},
		"key":                     {admission.Key{"key-1"}, 255},
		"key, disabled":           {admission.Key{"key-2"}, fault.BadToken},
		"key, unknown":            {admission.Key{"key-3"}, fault.BadToken},
		"key, its hash":           {admission.Key{string(hashOf("key-1"))}, fault.BadToken},
		"business":                {admission.Business{"b1", "t1"}, 255},
		"business, wrong token":   {admission.Business{"b1", "t2"}, fault.Credentials},
		"business, unknown":       {admission.Business{"b2", "t1"}, fault.Credentials},
		"business, empty unknown": {admission.Business{"", ""}, fault.Credentials},
	} {
		pass, err := d.Admit(context.Background(), c.shown, admission.Need{Checks: []admission.Check{admission.Who}})
		switch {
		case c.want == 255 && (err != nil || pass.Account.ID != "1"):
			t.Errorf("%s: %v, want admitted", name, err)
		case c.want != 255 && (err == nil || fault.From(err).Code != c.want || pass.Account != nil):
			t.Errorf("%s: %v with account %v, want %v and nobody", name, err, pass.Account, c.want)
		}
	}
}

// After a rotation the secret before is good for a while; what is disabled is
// good for nothing.
func TestFormerSecretsAndDisabledCredentials(t *testing.T) {
	t.Parallel()
	former := func(secret string, until time.Time) account.Former {
		return account.Former{Hash: sha256.Sum256([]byte(secret)), Until: until}
	}
	business := func(id, token string) admission.Credential { return admission.Business{ID: id, Token: token} }
	client := func(id, secret string) admission.Credential {
		return admission.ClientPassword{Client: id, Secret: secret, Username: "good", Password: "console-pw-1"}
	}
	for name, c := range map[string]struct {
		change func(*account.Account)
		shown  admission.Credential
		want   bool
	}{
		"token before":       {func(a *account.Account) { a.Business[0].Former = former("t0", noon.Add(time.Second)) }, business("b1", "t0"), true},
		"new token":          {func(a *account.Account) { a.Business[0].Former = former("t0", noon.Add(time.Second)) }, business("b1", "t1"), true},
		"token too late":     {func(a *account.Account) { a.Business[0].Former = former("t0", noon) }, business("b1", "t0"), false},
		"token without time": {func(a *account.Account) { a.Business[0].Former = former("t0", time.Time{}) }, business("b1", "t0"), false},
		"disabled token":     {func(a *account.Account) { a.Business[0].Disabled = true }, business("b1", "t1"), false},
		"secret before":      {func(a *account.Account) { a.Clients[0].Former = former("s0", noon.Add(time.Second)) }, client("c1", "s0"), true},
		"secret too late":    {func(a *account.Account) { a.Clients[0].Former = former("s0", noon) }, client("c1", "s0"), false},
		"disabled client":    {func(a *account.Account) { a.Clients[0].Disabled = true }, client("c1", "s1"), false},
	} {
		d := world(t, c.change)
		if _, err := d.Admit(t.Context(), c.shown, admission.Need{Checks: []admission.Check{admission.Who}}); (err == nil) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTokenPasswordIsTheOnlyOne(t *testing.T) {
	t.Parallel()
	gate := password.New(password.Cost{Memory: 64, Time: 1})
	d := world(t, func(a *account.Account) { a.TokenPassword = gate.Hash("token-pw-99") })
	who := admission.Need{Checks: []admission.Check{admission.Who}}
	if _, err := d.Admit(context.Background(), admission.Password{Domain: "a", Username: "good", Password: "console-pw-1"}, who); err == nil {
		t.Error("the console password opens a token although a token password is set")
	}
	if _, err := d.Admit(context.Background(), admission.Password{Domain: "a", Username: "good", Password: "token-pw-99"}, who); err != nil {
		t.Errorf("the token password is refused: %v", err)
	}
}

func TestTokensDieWithTheAccountsEpochAndTheirFamily(t *testing.T) {
	t.Parallel()
	d := world(t)
	who := admission.Need{Checks: []admission.Check{admission.Who}}
	show := func(c token.Claims) error {
		raw, _, err := d.Mint.Issue(c, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		_, err = d.Admit(context.Background(), admission.Bearer{Token: raw, Audience: "uid"}, who)
		return err
	}
	if err := show(token.Claims{Account: "1", Audience: "uid"}); err != nil {
		t.Errorf("the control is refused: %v", err)
	}
	for name, c := range map[string]token.Claims{
		"another epoch":  {Account: "1", Audience: "uid", Epoch: 1},
		"no account":     {Account: "9", Audience: "uid"},
		"dead family":    {Account: "1", Audience: "uid", Client: "c1", Family: "dead"},
		"removed client": {Account: "1", Audience: "uid", Client: "c9"},
		"other dialect":  {Account: "1", Audience: "itsaaz"},
	} {
		if err := show(c); fault.From(err).Code != fault.BadToken || err == nil {
			t.Errorf("%s: %v, want bad-token", name, err)
		}
	}
}

func TestScopeOfATokenBounds(t *testing.T) {
	t.Parallel()
	d := world(t)
	raw, _, _ := d.Mint.Issue(token.Claims{Account: "1", Audience: "uid", Client: "c1", Scope: "credit other"}, time.Hour)
	_, err := d.Admit(context.Background(), admission.Bearer{Token: raw, Audience: "uid"},
		admission.Need{Checks: []admission.Check{admission.Who, admission.Permission}, Service: "person"})
	if err == nil || fault.From(err).Code != fault.Service {
		t.Errorf("a token for other services opens person: %v", err)
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	d := world(t)
	checks := admission.Need{Checks: []admission.Check{admission.Who, admission.Line}}
	for number, want := range map[string]fault.Code{
		"30001234": 255, "+9830001234": 255, "009830001234": 255, "۳۰۰۰۱۲۳۴": 255,
		"30009999": fault.Line, "": fault.Line, "30005555": fault.LineStatus,
	} {
		pass, err := d.Admit(context.Background(), admission.Password{Domain: "a", Username: "good", Password: "console-pw-1", Line: number}, checks)
		if want == 255 && (err != nil || pass.Line.Number != "30001234") {
			t.Errorf("line %q: %v", number, err)
		}
		if want != 255 && (err == nil || fault.From(err).Code != want) {
			t.Errorf("line %q: %v, want %v", number, err, want)
		}
	}
}

func TestRateIsTakenOnceAndGivenBackOnce(t *testing.T) {
	t.Parallel()
	d := world(t, func(a *account.Account) { a.Rate = 1 })
	need := admission.Need{Checks: []admission.Check{admission.Who, admission.Rate}}
	shown := admission.Business{ID: "b1", Token: "t1"}
	pass, err := d.Admit(context.Background(), shown, need)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Admit(context.Background(), shown, need); fault.From(err).Code != fault.Rate || fault.From(err).Limit != 1 {
		t.Fatalf("a second call in the same second: %v", err)
	}
	pass.GiveBack()
	pass.GiveBack()
	if _, err := d.Admit(context.Background(), shown, need); err != nil {
		t.Errorf("after giving back: %v", err)
	}
	if _, err := d.Admit(context.Background(), shown, need); err == nil {
		t.Error("giving back twice returned two calls")
	}
}

func TestOrderIsTheRoutesAndEachCheckIsAskedOnce(t *testing.T) {
	t.Parallel()
	d := world(t)
	rest := all[1:]
	for range len(rest) {
		rest = append(slices.Clone(rest[1:]), rest[0])
		order := append([]admission.Check{admission.Who}, rest...)
		var asked []admission.Check
		d.Observe = func(c admission.Check) { asked = append(asked, c) }
		if _, err := d.Admit(context.Background(), admission.Business{ID: "b1", Token: "t1"}, admission.Need{Checks: order, Service: "person", Peer: home}); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(asked, order) {
			t.Errorf("asked %v, want %v", asked, order)
		}
	}
}

func TestComplete(t *testing.T) {
	t.Parallel()
	who, status := admission.Who, admission.Status
	for name, c := range map[string]struct {
		order []admission.Check
		ok    bool
	}{
		"good":       {[]admission.Check{who, status}, true},
		"empty":      {nil, false},
		"who second": {[]admission.Check{status, who}, false},
		"twice":      {[]admission.Check{who, status, status}, false},
		"missing":    {[]admission.Check{who}, false},
		"unknown":    {[]admission.Check{who, status, 99}, false},
	} {
		if err := admission.Complete(c.order, status); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
