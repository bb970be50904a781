package cli

import (
	"crypto/sha256"
	"errors"
	"io"
	"time"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/app"
	"dargah.dev/dargah/internal/credential"
	"dargah.dev/dargah/internal/fixture"
	"dargah.dev/dargah/internal/store"
)

type businesses struct {
	Add     businessAdd     `cmd:"" help:"Give an account a business credential. Its token is made and shown once, unless it is read from standard input."`
	List    businessList    `cmd:"" help:"List the credentials."`
	Show    businessShow    `cmd:"" help:"Show one."`
	Set     businessSet     `cmd:"" help:"Change what is given."`
	Rotate  businessRotate  `cmd:"" help:"Make another token; the one before stays good for a while."`
	Disable businessDisable `cmd:"" help:"Refuse a credential."`
	Enable  businessEnable  `cmd:"" help:"Take it again."`
	Remove  businessRemove  `cmd:"" help:"Remove a credential."`
}

type ofBusiness struct {
	ID string `arg:"" help:"The business id." name:"business"`
}

// businessView is a credential as it is shown.
type businessView struct {
	ID          string     `json:"id"`
	Account     string     `json:"account"`
	Status      string     `json:"status"`
	FormerUntil *time.Time `json:"formerTokenUntil,omitempty"`
	Token       string     `json:"token,omitempty"` // made now, and shown this once
}

func viewBusiness(owner string, b account.Business) businessView {
	return businessView{ID: b.ID, Account: owner, Status: onOff(b.Disabled, fixture.Disabled, fixture.Active), FormerUntil: until(b.Former)}
}

func (v businessView) print(w io.Writer) error {
	t := table{{"business", v.ID}, {"account", v.Account}, {"status", v.Status}}
	if v.FormerUntil != nil {
		t.row("token before", "good until "+clock(*v.FormerUntil))
	}
	return errors.Join(t.print(w), shownOnce(w, "token", v.Token))
}

type businessAdd struct {
	acting
	shown
	ofAccount
	ofBusiness
	secretStdin
}

func (a businessAdd) Run(c *console) error {
	token, fresh, err := a.secret(c, credential.BusinessToken)
	if err != nil {
		return err
	}
	given, err := fixture.ReadBusiness(fixture.Given{"id": a.ID, "token": token})
	if err != nil {
		return mistyped(err)
	}
	return show(c, a.acting, a.shown, store.Act{Service: "business", Method: "add", Which: a.ID}, func(change *store.Change) (v businessView, err error) {
		owner, err := change.AccountID(a.Account)
		if err != nil {
			return v, err
		}
		v = viewBusiness(owner, app.NewBusiness(given))
		v.Token = fresh
		return v, change.AddBusiness(owner, app.NewBusiness(given))
	})
}

func (i installation) businesses(c *console) ([]businessView, error) {
	return owned(c, i, func(a account.Account) []account.Business { return a.Business }, viewBusiness)
}

type businessList struct {
	installation
	shown
}

func (l businessList) Run(c *console) error {
	views, err := l.businesses(c)
	if err != nil {
		return err
	}
	t := table{{"business", "account", "status"}}
	for _, v := range views {
		t.row(v.ID, v.Account, v.Status)
	}
	return l.print(c, views, t.print)
}

type businessShow struct {
	installation
	shown
	ofBusiness
}

func (s businessShow) Run(c *console) error {
	all, err := s.businesses(c)
	if err != nil {
		return err
	}
	return showOne(c, s.shown, all, func(v businessView) bool { return v.ID == s.ID }, missing("business id", s.ID))
}

type businessSet struct {
	acting
	shown
	ofBusiness
	Account string `help:"Give it to another account, which answers and pays for its calls from then on. The token stays." required:"" placeholder:"ACCOUNT"`
}

func (s businessSet) Run(c *console) error {
	return changeBusiness(c, s.acting, s.shown, s.ID, "set", "", func(change *store.Change) error {
		to, err := change.AccountID(s.Account)
		if err != nil {
			return err
		}
		return change.MoveBusiness(s.ID, to)
	})
}

type businessRotate struct {
	acting
	shown
	ofBusiness
	secretStdin
	rotation
}

func (r businessRotate) Run(c *console) error {
	token, fresh, err := r.secret(c, credential.BusinessToken)
	if err != nil {
		return err
	}
	if _, err := fixture.ReadBusiness(fixture.Given{"id": "x", "token": token}); err != nil {
		return mistyped(err)
	}
	former, err := r.former()
	if err != nil {
		return err
	}
	return setBusiness(c, r.acting, r.shown, r.ID, "rotate", fresh, func(to *account.Business) {
		if to.Former = former; !former.Until.IsZero() {
			to.Former.Hash = to.TokenHash
		}
		to.TokenHash = sha256.Sum256([]byte(token))
	})
}

type businessDisable struct {
	acting
	shown
	ofBusiness
}

func (d businessDisable) Run(c *console) error {
	return setBusiness(c, d.acting, d.shown, d.ID, "disable", "", func(to *account.Business) { to.Disabled = true })
}

type businessEnable struct {
	acting
	shown
	ofBusiness
}

func (e businessEnable) Run(c *console) error {
	return setBusiness(c, e.acting, e.shown, e.ID, "enable", "", func(to *account.Business) { to.Disabled = false })
}

func setBusiness(c *console, a acting, s shown, id, method, fresh string, edit func(*account.Business)) error {
	return changeBusiness(c, a, s, id, method, fresh, func(change *store.Change) error { return change.SetBusiness(id, edit) })
}

func changeBusiness(c *console, a acting, s shown, id, method, fresh string, do func(*store.Change) error) error {
	return show(c, a, s, store.Act{Service: "business", Method: method, Which: id}, func(change *store.Change) (v businessView, err error) {
		if err := do(change); err != nil {
			return v, err
		}
		owner, after, err := change.Business(id)
		v = viewBusiness(owner.ID, after)
		v.Token = fresh
		return v, err
	})
}

type businessRemove struct {
	acting
	ofBusiness
}

func (r businessRemove) Run(c *console) error {
	return r.tell(c, store.Act{Service: "business", Method: "remove", Which: r.ID}, func(change *store.Change) error {
		return change.RemoveBusiness(r.ID)
	}, "business id %s is gone", r.ID)
}
