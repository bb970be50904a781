package cli

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"dargah.dev/dargah/internal/app"
	"dargah.dev/dargah/internal/config"
	"dargah.dev/dargah/internal/fixture"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/webhook"
)

type webhooks struct {
	Add     webhookAdd     `cmd:"" help:"Give an account a webhook. Its secret is made and shown once, unless it is read from standard input."`
	List    webhookList    `cmd:"" help:"List the webhooks, with the hosts of their addresses."`
	Show    webhookShow    `cmd:"" help:"Show one, but not its secret."`
	Set     webhookSet     `cmd:"" help:"Change what is given, and nothing else."`
	Rotate  webhookRotate  `cmd:"" help:"Make another secret; the one before signs too for a while."`
	Disable webhookDisable `cmd:"" help:"Tell a webhook nothing. What waits for it stays, what happens meanwhile is not told."`
	Enable  webhookEnable  `cmd:"" help:"Tell it again, beginning with what waits."`
	Remove  webhookRemove  `cmd:"" help:"Remove a webhook, with its log and what waits for it."`
	Log     webhookLog     `cmd:"" help:"Show its last notices and what became of them."`
	Replay  webhookReplay  `cmd:"" help:"Send notices again, under the ids that they had."`
	Test    webhookTest    `cmd:"" help:"Send a notice that nothing happened."`
}

type ofWebhook struct {
	ID string `arg:"" help:"The webhook's id." name:"webhook"`
}

// webhookView is a webhook as it is shown.
type webhookView struct {
	ID           string          `json:"id"`
	Account      string          `json:"account"`
	URL          string          `json:"url"`
	Events       []webhook.Event `json:"events"`
	WithText     bool            `json:"withText"`
	Status       string          `json:"status"`
	At           time.Time       `json:"at,omitzero"`
	FailingSince time.Time       `json:"failingSince,omitzero"`
	Failures     int             `json:"failures"`
	FormerUntil  time.Time       `json:"formerSecretUntil,omitzero"`
	Secret       string          `json:"secret,omitempty"` // made now, and shown this once
}

func viewWebhook(w webhook.Webhook) webhookView {
	v := webhookView{
		ID: w.ID, Account: w.Account, URL: w.URL, Events: w.Events, WithText: w.WithText,
		Status: onOff(w.Disabled, fixture.Disabled, fixture.Active), At: w.At, FailingSince: w.FailingSince, Failures: w.Failures,
	}
	if time.Now().Before(w.FormerUntil) {
		v.FormerUntil = w.FormerUntil
	}
	return v
}

func (v webhookView) print(w io.Writer) error {
	t := table{
		{"webhook", v.ID}, {"account", v.Account}, {"url", v.URL}, {"events", v.events()},
		{"numbers and texts", onOff(v.WithText, "yes", "no")}, {"status", v.Status},
	}
	if v.Failures > 0 {
		t.row("failing", fmt.Sprintf("since %s, %d in a row", stamp(v.FailingSince), v.Failures))
	}
	if !v.FormerUntil.IsZero() {
		t.row("secret before", "signs too until "+clock(v.FormerUntil))
	}
	if err := t.print(w); err != nil || v.Secret == "" {
		return err
	}
	_, err := fmt.Fprintf(w, "Shown this once:\nsecret  %s\n", v.Secret)
	return err
}

func (v webhookView) events() string {
	names := make([]string, len(v.Events))
	for i, e := range v.Events {
		names[i] = string(e)
	}
	return strings.Join(names, ", ")
}

// rules are where the servers of this installation would go. A folder that a
// sandbox filled is served by the sandbox's settings.
func (i installation) rules(c *console, s *store.Store) (webhook.Rules, error) {
	settings, _, err := i.find()
	if err != nil {
		return webhook.Rules{}, err
	}
	state, err := app.State(c, s)
	if err != nil {
		return webhook.Rules{}, err
	}
	if i.Data != "" && state == app.Full {
		settings = config.Config{Webhooks: app.SandboxWebhooks()}
	}
	return app.WebhookRules(settings)
}

// checkURL says why the servers of this installation would not go to an
// address.
func (i installation) checkURL(c *console, s *store.Store, address string) error {
	rules, err := i.rules(c, s)
	if err != nil {
		return err
	}
	if err := rules.CheckURL(address); err != nil {
		return misuse{fmt.Errorf("--url: %w", err)}
	}
	return nil
}

// changeTo is change for what gives a webhook an address; an empty one is none.
func (a acting) changeTo(c *console, address string, act store.Act, do func(*store.Change) error) (err error) {
	s, err := a.attach(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if address != "" {
		if err := a.checkURL(c, s, address); err != nil {
			return err
		}
	}
	return a.changeIn(c, s, act, do)
}

// hookSecret is a fresh secret, or the one that was brought along; made tells
// which.
func (s secretStdin) hookSecret(c *console) (secret webhook.Secret, made bool, err error) {
	if !s.SecretStdin {
		return webhook.NewSecret(), true, nil
	}
	all, err := typed(c, "secret", shortestSecret, 1)
	if err != nil {
		return "", false, err
	}
	if secret, err = webhook.ReadSecret(all[0]); err != nil {
		return "", false, misuse{err}
	}
	return secret, false, nil
}

type webhookAdd struct {
	acting
	shown
	secretStdin
	ID       string   `help:"Id of your own; one is made where it is left out." name:"id" placeholder:"ID"`
	Account  string   `help:"Id, user name, or user@domain." required:"" placeholder:"ACCOUNT"`
	URL      string   `help:"Where to send notices." required:"" name:"url" placeholder:"URL"`
	Event    []string `help:"What to tell: message.delivered, message.failed, message.received." required:"" placeholder:"EVENT"`
	WithText bool     `help:"Tell phone numbers and texts too."`
	Disabled bool     `help:"Disabled from the start."`
}

func (a webhookAdd) Run(c *console) error {
	w, made, err := a.read(c)
	if err != nil {
		return err
	}
	err = a.changeTo(c, a.URL, store.Act{Service: "webhook", Method: "add", Which: w.ID}, func(change *store.Change) error {
		if w.Account, err = change.AccountID(a.Account); err != nil {
			return err
		}
		return change.AddWebhook(w)
	})
	if err != nil {
		return err
	}
	v := viewWebhook(w)
	if made {
		v.Secret = w.Secret.Text()
	}
	return a.print(c, v, v.print)
}

// read makes of what was typed a webhook of an account that is not known yet.
func (a webhookAdd) read(c *console) (w webhook.Webhook, made bool, err error) {
	if _, err := webhook.ReadEvents(a.Event); err != nil {
		return w, false, misuse{err}
	}
	secret, made, err := a.hookSecret(c)
	if err != nil {
		return w, false, err
	}
	if a.ID == "" {
		a.ID = "wh_" + strings.ToLower(rand.Text()[:16])
	}
	given, err := fixture.ReadWebhook(fixture.Given{
		"id": a.ID, "url": a.URL, "events": a.Event, "withText": a.WithText,
		"status": onOff(a.Disabled, fixture.Disabled, fixture.Active), "secret": secret.Text(),
	})
	if err != nil {
		return w, false, mistyped(err)
	}
	w = app.NewWebhook("", given)
	w.At = time.Now().UTC().Truncate(time.Microsecond)
	return w, made, nil
}

type webhookList struct {
	installation
	shown
	Account string `help:"Those of one account: its id, user name, or user@domain." placeholder:"ACCOUNT"`
}

func (l webhookList) Run(c *console) error {
	return l.look(c, func(s *store.Store) error {
		id := ""
		if l.Account != "" {
			owner, err := s.Account(c, l.Account)
			if err != nil {
				return err
			}
			id = owner.ID
		}
		all, err := s.Webhooks(c, id)
		if err != nil {
			return err
		}
		views := []webhookView{}
		t := table{{"webhook", "account", "host", "events", "status", "failures"}}
		for _, w := range all {
			v := viewWebhook(w)
			views = append(views, v)
			t.row(v.ID, v.Account, webhook.Host(v.URL), v.events(), v.Status, number(v.Failures))
		}
		return l.print(c, views, t.print)
	})
}

type webhookShow struct {
	installation
	shown
	ofWebhook
}

func (s webhookShow) Run(c *console) error {
	return s.look(c, func(data *store.Store) error {
		w, err := data.Webhook(c, s.ID)
		if err != nil {
			return err
		}
		v := viewWebhook(w)
		return s.print(c, v, v.print)
	})
}

type webhookSet struct {
	acting
	shown
	ofWebhook
	URL        string   `help:"Another address." name:"url" placeholder:"URL"`
	Event      []string `help:"What to tell, instead of what was told." placeholder:"EVENT"`
	WithText   bool     `help:"Tell phone numbers and texts too." xor:"text"`
	NoWithText bool     `help:"Tell neither." xor:"text"`
}

func (s webhookSet) Run(c *console) (err error) {
	if s.URL == "" && len(s.Event) == 0 && !s.WithText && !s.NoWithText {
		return misuse{errors.New("nothing was given that is to be changed: dargah webhook set --help")}
	}
	var events []webhook.Event
	if len(s.Event) > 0 {
		if events, err = webhook.ReadEvents(s.Event); err != nil {
			return misuse{err}
		}
	}
	return setWebhook(c, s.acting, s.shown, s.ID, "set", s.URL, func(w *webhook.Webhook) (string, error) {
		if s.URL != "" {
			w.URL = s.URL
		}
		if events != nil {
			w.Events = events
		}
		w.WithText = s.WithText || w.WithText && !s.NoWithText
		return "", nil
	})
}

type webhookRotate struct {
	acting
	shown
	ofWebhook
	secretStdin
	rotation
	Finish bool `help:"Make none, but end the one before now." xor:"secret,keep"`
}

func (r webhookRotate) Run(c *console) error {
	if r.Finish {
		return setWebhook(c, r.acting, r.shown, r.ID, "rotate", "", endFormer)
	}
	former, err := r.former()
	if err != nil {
		return err
	}
	secret, made, err := r.hookSecret(c)
	if err != nil {
		return err
	}
	return setWebhook(c, r.acting, r.shown, r.ID, "rotate", "", func(w *webhook.Webhook) (string, error) {
		if w.Former, w.FormerUntil = "", former.Until; !former.Until.IsZero() {
			w.Former = w.Secret
		}
		w.Secret = secret
		return onOff(made, secret.Text(), ""), nil
	})
}

func endFormer(w *webhook.Webhook) (string, error) {
	if !time.Now().Before(w.FormerUntil) {
		return "", fmt.Errorf("webhook %s has no secret before: it has ended", w.ID)
	}
	w.Former, w.FormerUntil = "", time.Time{}
	return "", nil
}

type webhookDisable struct {
	acting
	shown
	ofWebhook
}

func (d webhookDisable) Run(c *console) error {
	return setWebhook(c, d.acting, d.shown, d.ID, "disable", "", func(w *webhook.Webhook) (string, error) {
		w.Disabled = true
		return "", nil
	})
}

type webhookEnable struct {
	acting
	shown
	ofWebhook
}

func (e webhookEnable) Run(c *console) error {
	return setWebhook(c, e.acting, e.shown, e.ID, "enable", "", func(w *webhook.Webhook) (string, error) {
		w.Disabled = false
		return "", nil
	})
}

// setWebhook changes a webhook and shows it, with the secret that edit made.
func setWebhook(c *console, a acting, s shown, id, method, address string, edit func(*webhook.Webhook) (string, error)) error {
	var v webhookView
	err := a.changeTo(c, address, store.Act{Service: "webhook", Method: method, Which: id}, func(change *store.Change) error {
		after, err := change.Webhook(id)
		if err != nil {
			return err
		}
		fresh, err := edit(&after)
		if err != nil {
			return err
		}
		if err := change.SetWebhook(id, func(w *webhook.Webhook) { *w = after }); err != nil {
			return err
		}
		after, err = change.Webhook(id)
		v = viewWebhook(after)
		v.Secret = fresh
		return err
	})
	if err != nil {
		return err
	}
	return s.print(c, v, v.print)
}

type webhookRemove struct {
	acting
	ofWebhook
}

func (r webhookRemove) Run(c *console) error {
	return r.tell(c, store.Act{Service: "webhook", Method: "remove", Which: r.ID}, func(change *store.Change) error {
		return change.RemoveWebhook(r.ID)
	}, "webhook %s is gone", r.ID)
}
