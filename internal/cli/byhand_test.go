package cli

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/app"
	"dargah.dev/dargah/internal/fixture"
	"dargah.dev/dargah/internal/inquiry/credit"
	"dargah.dev/dargah/internal/password"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/sms"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/testkit"
	"dargah.dev/dargah/internal/webhook"
)

// TestTheExampleWorldByCommands says by commands alone what the example
// fixtures say, and compares what two stores hold then.
func TestTheExampleWorldByCommands(t *testing.T) {
	t.Parallel()
	f, err := os.Open(testkit.Example())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := fixture.Read(f, "example")
	if err != nil {
		t.Fatal(err)
	}
	a := newInstallation(t)
	build(a, w)
	wanted := filepath.Join(t.TempDir(), "filled")
	gate := password.New(password.Cost{Memory: 64, Time: 1})
	filled, err := store.Open(t.Context(), store.Folder(wanted), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer filled.Close()
	if err := app.Fill(t.Context(), filled, w, app.Filling{Passwords: gate}); err != nil {
		t.Fatal(err)
	}
	built, err := store.Attach(t.Context(), store.Folder(a.dir), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer built.Close()
	sameWorld(t, w, filled, built)
	checkPasswords(t, w, built, gate)
	a.does("", "audit", "verify")
	a.does("", "wallet", "check")
}

// build says a world by commands.
func build(a administrator, w *fixture.World) {
	a.Helper()
	for _, o := range w.Origins {
		a.does("", "origin", "add", o)
	}
	for _, d := range w.Domains {
		a.does("", "domain", "add", d.Name)
	}
	for _, account := range w.Accounts {
		buildAccount(a, account)
	}
	for _, p := range w.People {
		buildPerson(a, p)
	}
	for _, file := range w.Credit {
		for _, r := range file.Reports {
			a.does("", "report", "add", persian.ToPersianDigits(file.NationalCode.Digits()), "--source", strconv.Itoa(r.Source), "--score", strconv.Itoa(r.Score),
				"--grade", r.Grade, "--age", strconv.Itoa(int(r.Age/time.Hour))+"h")
		}
	}
	for _, s := range w.Scenarios {
		args := []string{"scenario", "add", s.Service}
		for field, value := range s.When {
			args = append(args, "--when", field+"="+value)
		}
		for flag, value := range map[string]string{"--fault": s.Then.Fault, "--delivery": s.Then.Delivery} {
			if value != "" {
				args = append(args, flag, value)
			}
		}
		if s.Then.After > 0 {
			args = append(args, "--after", strconv.Itoa(int(s.Then.After/time.Second))+"s")
		}
		if s.Then.Times > 0 {
			args = append(args, "--times", strconv.Itoa(s.Then.Times))
		}
		a.does("", args...)
	}
	for _, m := range w.Incoming {
		args := []string{"incoming", "add", m.Line, m.Sender, m.Text, "--age", strconv.Itoa(int(m.Age/time.Minute)) + "m"}
		if m.Read {
			args = append(args, "--read")
		}
		a.does("", args...)
	}
	for _, b := range w.Blocks {
		a.does("", "block", "add", "+98"+b.Line, b.Number.Local())
	}
	for service, amount := range w.Prices {
		a.does("", "price", "set", service, persian.ToPersianDigits(strconv.FormatInt(amount, 10)))
	}
}

func buildAccount(a administrator, f fixture.Account) {
	a.Helper()
	name, stdin := f.Username+"@"+f.Domain, f.Password+"\n"
	args := []string{"account", "add", name, "--password-stdin", "--status", f.Status,
		"--balance", strconv.FormatInt(f.Balance, 10), "--token-days", strconv.Itoa(f.TokenDays), "--rate", strconv.Itoa(f.Rate),
		"--services=" + strings.Join(f.Services, ",")}
	if f.TokenPassword != "" {
		args, stdin = append(args, "--token-password-stdin"), stdin+f.TokenPassword+"\n"
	}
	if f.FirstName != "" {
		args = append(args, "--first-name", f.FirstName, "--last-name", f.LastName)
	}
	if !f.Expires.IsZero() {
		args = append(args, "--expires", f.Expires.String())
	}
	for _, p := range f.Allowed {
		args = append(args, "--allowed-addresses", p.String())
	}
	a.does(stdin, args...)
	buildSending(a, name, f)
	for _, c := range f.Clients {
		args := []string{"client", "add", name, c.ID, "--secret-stdin"}
		if c.PasswordGrant {
			args = append(args, "--password-grant")
		}
		a.does(c.Secret+"\n", args...)
	}
	for _, b := range f.Business {
		a.does(b.Token, "business", "add", name, b.ID, "--secret-stdin")
	}
}

func buildSending(a administrator, name string, f fixture.Account) {
	a.Helper()
	for _, l := range f.Lines {
		a.does("", "line", "add", name, "+98"+l.Number)
		if q := l.Quiet; q.From != q.To {
			a.does("", "line", "set", l.Number, "--quiet", fmt.Sprintf("%d:%02d-%d:%02d", q.From/60, q.From%60, q.To/60, q.To%60),
				"--day-limit", strconv.Itoa(l.DayLimit))
		}
		if l.Status == fixture.Suspended {
			a.does("", "line", "suspend", l.Number)
		}
	}
	for _, k := range f.APIKeys {
		a.does(k.Key, "key", "add", name, k.ID, "--secret-stdin")
	}
	for _, t := range f.Templates {
		args := []string{"template", "add", name, t.Text, "--id", t.ID}
		if t.Line != "" {
			args = append(args, "--line", "0098"+t.Line)
		}
		if t.Urgent {
			args = append(args, "--urgent")
		}
		if t.Once {
			args = append(args, "--once")
		}
		a.does("", args...)
	}
	for _, h := range f.Webhooks {
		args := []string{"webhook", "add", "--account", name, "--id", h.ID, "--url", h.URL, "--secret-stdin"}
		for _, e := range h.Events {
			args = append(args, "--event", string(e))
		}
		if h.WithText {
			args = append(args, "--with-text")
		}
		if h.Status == fixture.Disabled {
			args = append(args, "--disabled")
		}
		a.does(h.Secret.Text()+"\n", args...)
	}
	for service, amount := range f.Prices {
		a.does("", "price", "set", service, strconv.FormatInt(amount, 10), "--account", name)
	}
	set := []string{"account", "set", name, "--sms-spend-day", bound(int64(f.SMS.SpendDay)),
		"--sms-number-hour", bound(int64(f.SMS.NumberHour)), "--sms-prefix-hour", bound(int64(f.SMS.PrefixHour))}
	if f.QueryLogin {
		set = append(set, "--query-login")
	}
	a.does("", set...)
}

func buildPerson(a administrator, p fixture.Person) {
	a.Helper()
	args := []string{"person", "add", p.NationalCode.Digits(), "--birth-date", persian.ToPersianDigits(p.BirthDate.String()),
		"--first-name", p.FirstName, "--last-name", p.LastName, "--father-name", p.FatherName, "--gender", p.Gender}
	if !p.Alive {
		args = append(args, "--dead")
	}
	for flag, value := range map[string]string{
		"--birth-certificate-series": p.Certificate.Series, "--birth-certificate-serial": p.Certificate.Serial,
		"--birth-certificate-number": p.Certificate.Number, "--postal-code": p.PostalCode, "--address": p.Address,
	} {
		if value != "" {
			args = append(args, flag, value)
		}
	}
	for _, m := range p.Mobiles {
		args = append(args, "--mobiles", m.Local())
	}
	for _, i := range p.IBANs {
		text := i.IBAN.Electronic()
		for _, card := range i.Cards {
			text += "/" + card.Digits()
		}
		args = append(args, "--ibans", text+"/"+i.Status)
	}
	a.does("", args...)
}

func sameWorld(t *testing.T, w *fixture.World, want, got *store.Store) {
	t.Helper()
	ctx := t.Context()
	same := func(what string, want, got any, opts ...cmp.Option) {
		t.Helper()
		opts = append(opts, cmpopts.EquateEmpty(), cmpopts.EquateComparable(persian.NationalCode{}, persian.Mobile{}, persian.IBAN{}, persian.Card{}, netip.Prefix{}),
			cmpopts.IgnoreFields(account.Account{}, "Password", "TokenPassword"), cmp.AllowUnexported(account.Grants{}))
		if diff := cmp.Diff(want, got, opts...); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
	wantDomains, wantAccounts, err := want.Accounts(ctx)
	gotDomains, gotAccounts, err2 := got.Accounts(ctx)
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	same("domains", wantDomains, gotDomains)
	same("accounts", wantAccounts, gotAccounts)
	for _, a := range wantAccounts {
		same("balance", sure(want.Balance(ctx, a.ID)), sure(got.Balance(ctx, a.ID)))
	}
	same("webhooks", sure(want.Webhooks(ctx, "")), sure(got.Webhooks(ctx, "")), cmpopts.IgnoreFields(webhook.Webhook{}, "At"))
	same("prices", sure(want.Prices(ctx)), sure(got.Prices(ctx)))
	same("origins", sure(app.Origins(ctx, want)), sure(app.Origins(ctx, got)))
	same("scenarios", sure(app.Scripts(ctx, want)), sure(app.Scripts(ctx, got)))
	same("blocked", sure(want.Blocks(ctx)).Has(w.Blocks[0].Line, w.Blocks[0].Number), sure(got.Blocks(ctx)).Has(w.Blocks[0].Line, w.Blocks[0].Number))
	same("inbox", sure(want.Incoming(ctx, sms.Inbox{Account: wantAccounts[0].ID, Limit: 9})), sure(got.Incoming(ctx, sms.Inbox{Account: wantAccounts[0].ID, Limit: 9})),
		cmpopts.IgnoreFields(sms.Incoming{}, "At"))
	for _, p := range w.People {
		same("person", sure(want.Registered(ctx, p.NationalCode)), sure(got.Registered(ctx, p.NationalCode)))
	}
	for _, file := range w.Credit {
		same("reports", sure(want.Reports(ctx, file.NationalCode)), sure(got.Reports(ctx, file.NationalCode)),
			cmpopts.IgnoreFields(credit.Report{}, "Made"))
	}
}

func checkPasswords(t *testing.T, w *fixture.World, s *store.Store, gate *password.Gate) {
	t.Helper()
	for _, f := range w.Accounts {
		a := sure(s.Account(t.Context(), f.Username))
		for hash, plain := range map[string]string{a.Password: f.Password, a.TokenPassword: f.TokenPassword} {
			if hash == "" && plain == "" {
				continue
			}
			if right, err := gate.Check(t.Context(), "", hash, plain); err != nil || !right {
				t.Errorf("a password of %s is not the one that was typed: %v", f.Username, err)
			}
		}
	}
}

func sure[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
