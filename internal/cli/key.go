package cli

import (
	"errors"
	"io"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/app"
	"dargah.dev/dargah/internal/credential"
	"dargah.dev/dargah/internal/fixture"
	"dargah.dev/dargah/internal/store"
)

// keys are the commands about API keys. An account may have several, so that
// callers change over from one to the next before the first is removed.
type keys struct {
	Add     keyAdd     `cmd:"" help:"Give an account an API key. It is made and shown once, unless it is read from standard input."`
	List    keyList    `cmd:"" help:"List the keys."`
	Show    keyShow    `cmd:"" help:"Show one, but not its secret."`
	Set     keySet     `cmd:"" help:"Give a key another secret, made and shown once unless it is read from standard input. The one before ends at once." aliases:"rotate"`
	Disable keyDisable `cmd:"" help:"Refuse a key."`
	Enable  keyEnable  `cmd:"" help:"Take it again."`
	Remove  keyRemove  `cmd:"" help:"Remove a key."`
}

type ofKey struct {
	ID string `arg:"" help:"The key's id, which is no secret." name:"key"`
}

// keyView is an API key as it is shown.
type keyView struct {
	ID      string `json:"id"`
	Account string `json:"account"`
	Status  string `json:"status"`
	Key     string `json:"key,omitempty"` // made now, and shown this once
}

func viewKey(owner string, k account.APIKey) keyView {
	return keyView{ID: k.ID, Account: owner, Status: onOff(k.Disabled, fixture.Disabled, fixture.Active)}
}

func (v keyView) print(w io.Writer) error {
	t := table{{"key", v.ID}, {"account", v.Account}, {"status", v.Status}}
	return errors.Join(t.print(w), shownOnce(w, "secret", v.Key))
}

type keyAdd struct {
	acting
	shown
	ofAccount
	ofKey
	secretStdin
}

func (a keyAdd) Run(c *console) error {
	secret, fresh, err := a.secret(c, credential.APIKey)
	if err != nil {
		return err
	}
	given, err := fixture.ReadAPIKey(fixture.Given{"id": a.ID, "key": secret})
	if err != nil {
		return mistyped(err)
	}
	return show(c, a.acting, a.shown, store.Act{Service: "key", Method: "add", Which: a.ID}, func(change *store.Change) (v keyView, err error) {
		owner, err := change.AccountID(a.Account)
		if err != nil {
			return v, err
		}
		v = viewKey(owner, app.NewAPIKey(given))
		v.Key = fresh
		return v, change.AddKey(owner, app.NewAPIKey(given))
	})
}

func (i installation) keys(c *console) ([]keyView, error) {
	return owned(c, i, func(a account.Account) []account.APIKey { return a.APIKeys }, viewKey)
}

type keyList struct {
	installation
	shown
}

func (l keyList) Run(c *console) error {
	views, err := l.keys(c)
	if err != nil {
		return err
	}
	t := table{{"key", "account", "status"}}
	for _, v := range views {
		t.row(v.ID, v.Account, v.Status)
	}
	return l.print(c, views, t.print)
}

type keyShow struct {
	installation
	shown
	ofKey
}

func (s keyShow) Run(c *console) error {
	all, err := s.keys(c)
	if err != nil {
		return err
	}
	return showOne(c, s.shown, all, func(v keyView) bool { return v.ID == s.ID }, missing("API key", s.ID))
}

// keySet changes all that can be changed of a key: what it may do is its
// account's matter, and whether it does anything is disable's and enable's.
type keySet struct {
	acting
	shown
	ofKey
	secretStdin
}

func (s keySet) Run(c *console) error {
	secret, fresh, err := s.secret(c, credential.APIKey)
	if err != nil {
		return err
	}
	given, err := fixture.ReadAPIKey(fixture.Given{"id": s.ID, "key": secret})
	if err != nil {
		return mistyped(err)
	}
	return show(c, s.acting, s.shown, store.Act{Service: "key", Method: "set", Which: s.ID}, func(change *store.Change) (v keyView, err error) {
		if err := change.SetKey(s.ID, func(k *account.APIKey) { k.Hash = app.NewAPIKey(given).Hash }); err != nil {
			return v, err
		}
		owner, after, err := change.Key(s.ID)
		v = viewKey(owner.ID, after)
		v.Key = fresh
		return v, err
	})
}

type keyDisable struct {
	acting
	ofKey
}

func (d keyDisable) Run(c *console) error {
	return setKey(c, d.acting, d.ID, "disable", "refused", func(change *store.Change) error {
		return change.SetKey(d.ID, func(k *account.APIKey) { k.Disabled = true })
	})
}

type keyEnable struct {
	acting
	ofKey
}

func (e keyEnable) Run(c *console) error {
	return setKey(c, e.acting, e.ID, "enable", "active", func(change *store.Change) error {
		return change.SetKey(e.ID, func(k *account.APIKey) { k.Disabled = false })
	})
}

type keyRemove struct {
	acting
	ofKey
}

func (r keyRemove) Run(c *console) error {
	return setKey(c, r.acting, r.ID, "remove", "gone", func(change *store.Change) error { return change.RemoveKey(r.ID) })
}

func setKey(c *console, a acting, id, method, done string, do func(*store.Change) error) error {
	return a.tell(c, store.Act{Service: "key", Method: method, Which: id}, do, "API key %s is %s", id, done)
}
