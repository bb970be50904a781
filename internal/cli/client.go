package cli

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"time"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/app"
	"dargah.dev/dargah/internal/credential"
	"dargah.dev/dargah/internal/fixture"
	"dargah.dev/dargah/internal/store"
)

type clients struct {
	Add     clientAdd     `cmd:"" help:"Give an account an OAuth client. Its secret is made and shown once, unless it is read from standard input."`
	List    clientList    `cmd:"" help:"List the clients."`
	Show    clientShow    `cmd:"" help:"Show one."`
	Set     clientSet     `cmd:"" help:"Change what is given."`
	Rotate  clientRotate  `cmd:"" help:"Make another secret; the one before stays good for a while."`
	Disable clientDisable `cmd:"" help:"Refuse a client and its tokens."`
	Enable  clientEnable  `cmd:"" help:"Take it again, and those of its tokens that have not expired."`
	Remove  clientRemove  `cmd:"" help:"Remove a client. Its tokens are good for nothing."`
}

type ofClient struct {
	ID string `arg:"" help:"The client's id." name:"client"`
}

// secretStdin is how a secret of one's own comes in.
type secretStdin struct {
	SecretStdin bool `help:"Read the secret from standard input instead of making one." xor:"secret"`
}

// secret is one that is made now, and is to be shown; or the one that was
// brought along, and fresh is empty.
func (s secretStdin) secret(c *console, kind credential.Kind) (secret, fresh string, err error) {
	if !s.SecretStdin {
		made := credential.New(kind)
		return made, made, nil
	}
	all, err := typed(c, "secret", shortestSecret, 1)
	if err != nil {
		return "", "", err
	}
	return all[0], "", nil
}

// rotation is how long two secrets are good. It has no default: one would count
// as given beside --finish.
type rotation struct {
	Keep *time.Duration `help:"How long the one before stays good, like 48h; 0s where it has leaked. 24h where it is left out." placeholder:"SPAN" xor:"keep"`
}

// former is when the secret before ends; what it is, is filled in later.
func (r rotation) former() (account.Former, error) {
	keep := 24 * time.Hour
	if r.Keep != nil {
		keep = *r.Keep
	}
	switch {
	case keep < 0:
		return account.Former{}, misuse{errors.New("--keep must not be below 0s")}
	case keep == 0:
		return account.Former{}, nil
	}
	return account.Former{Until: time.Now().Add(keep).UTC().Truncate(time.Second)}, nil
}

// clientView is a client as it is shown.
type clientView struct {
	ID            string     `json:"id"`
	Account       string     `json:"account"`
	PasswordGrant bool       `json:"passwordGrant"`
	Status        string     `json:"status"`
	FormerUntil   *time.Time `json:"formerSecretUntil,omitempty"`
	Secret        string     `json:"secret,omitempty"` // made now, and shown this once
}

func viewClient(owner string, c account.Client) clientView {
	return clientView{
		ID: c.ID, Account: owner, PasswordGrant: c.PasswordGrant,
		Status: onOff(c.Disabled, fixture.Disabled, fixture.Active), FormerUntil: until(c.Former),
	}
}

// until is when the secret before ends; nil where it has.
func until(f account.Former) *time.Time {
	if !time.Now().Before(f.Until) {
		return nil
	}
	return &f.Until
}

// shownOnce prints a secret that was made.
func shownOnce(w io.Writer, what, secret string) error {
	if secret == "" {
		return nil
	}
	_, err := fmt.Fprintf(w, "Shown this once, and kept as a hash alone:\n%s  %s\n", what, secret)
	return err
}

func (v clientView) print(w io.Writer) error {
	t := table{{"client", v.ID}, {"account", v.Account}, {"status", v.Status}, {"password grant", onOff(v.PasswordGrant, "yes", "no")}}
	if v.FormerUntil != nil {
		t.row("secret before", "good until "+clock(*v.FormerUntil))
	}
	return errors.Join(t.print(w), shownOnce(w, "secret", v.Secret))
}

type clientAdd struct {
	acting
	shown
	ofAccount
	ofClient
	secretStdin
	PasswordGrant bool `help:"Let it log users in by their passwords, as itsaaz's page wants and OAuth 2.1 forbids."`
}

func (a clientAdd) Run(c *console) error {
	secret, fresh, err := a.secret(c, credential.ClientSecret)
	if err != nil {
		return err
	}
	given, err := fixture.ReadClient(fixture.Given{"id": a.ID, "secret": secret, "passwordGrant": a.PasswordGrant})
	if err != nil {
		return mistyped(err)
	}
	return show(c, a.acting, a.shown, store.Act{Service: "client", Method: "add", Which: a.ID}, func(change *store.Change) (v clientView, err error) {
		owner, err := change.AccountID(a.Account)
		if err != nil {
			return v, err
		}
		v = viewClient(owner, app.NewClient(given))
		v.Secret = fresh
		return v, change.AddClient(owner, app.NewClient(given))
	})
}

func (i installation) clients(c *console) ([]clientView, error) {
	return owned(c, i, func(a account.Account) []account.Client { return a.Clients }, viewClient)
}

type clientList struct {
	installation
	shown
}

func (l clientList) Run(c *console) error {
	views, err := l.clients(c)
	if err != nil {
		return err
	}
	t := table{{"client", "account", "status", "password grant"}}
	for _, v := range views {
		t.row(v.ID, v.Account, v.Status, onOff(v.PasswordGrant, "yes", "no"))
	}
	return l.print(c, views, t.print)
}

type clientShow struct {
	installation
	shown
	ofClient
}

func (s clientShow) Run(c *console) error {
	all, err := s.clients(c)
	if err != nil {
		return err
	}
	return showOne(c, s.shown, all, func(v clientView) bool { return v.ID == s.ID }, missing("client", s.ID))
}

type clientSet struct {
	acting
	shown
	ofClient
	PasswordGrant bool `help:"Let it log users in by their passwords, or not (--no-password-grant)." negatable:"" required:""`
}

func (s clientSet) Run(c *console) error {
	return setClient(c, s.acting, s.shown, s.ID, "set", "", func(to *account.Client) { to.PasswordGrant = s.PasswordGrant })
}

type clientRotate struct {
	acting
	shown
	ofClient
	secretStdin
	rotation
}

func (r clientRotate) Run(c *console) error {
	secret, fresh, err := r.secret(c, credential.ClientSecret)
	if err != nil {
		return err
	}
	if _, err := fixture.ReadClient(fixture.Given{"id": "x", "secret": secret}); err != nil {
		return mistyped(err)
	}
	former, err := r.former()
	if err != nil {
		return err
	}
	return setClient(c, r.acting, r.shown, r.ID, "rotate", fresh, func(to *account.Client) {
		if to.Former = former; !former.Until.IsZero() {
			to.Former.Hash = to.SecretHash
		}
		to.SecretHash = sha256.Sum256([]byte(secret))
	})
}

type clientDisable struct {
	acting
	shown
	ofClient
}

func (d clientDisable) Run(c *console) error {
	return setClient(c, d.acting, d.shown, d.ID, "disable", "", func(to *account.Client) { to.Disabled = true })
}

type clientEnable struct {
	acting
	shown
	ofClient
}

func (e clientEnable) Run(c *console) error {
	return setClient(c, e.acting, e.shown, e.ID, "enable", "", func(to *account.Client) { to.Disabled = false })
}

func setClient(c *console, a acting, s shown, id, method, fresh string, edit func(*account.Client)) error {
	return show(c, a, s, store.Act{Service: "client", Method: method, Which: id}, func(change *store.Change) (v clientView, err error) {
		if err := change.SetClient(id, edit); err != nil {
			return v, err
		}
		owner, after, err := change.Client(id)
		v = viewClient(owner.ID, after)
		v.Secret = fresh
		return v, err
	})
}

type clientRemove struct {
	acting
	ofClient
}

func (r clientRemove) Run(c *console) error {
	return r.tell(c, store.Act{Service: "client", Method: "remove", Which: r.ID}, func(change *store.Change) error {
		return change.RemoveClient(r.ID)
	}, "client %s is gone", r.ID)
}
