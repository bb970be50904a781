package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"dargah.dev/dargah/internal/seal"
	"dargah.dev/dargah/internal/webhook"
)

// sealedWebhook is what of a webhook is not kept in the clear.
type sealedWebhook struct {
	URL         string `json:"u"`
	Secret      string `json:"s"`
	Former      string `json:"f,omitempty"`
	FormerUntil int64  `json:"t,omitempty"` // microseconds
}

const webhookColumns = `id, account, events, with_text, disabled, failing_since, failures, at, sealed`

// Webhooks gives every webhook, those of one account where one is named.
func (s *Store) Webhooks(ctx context.Context, account string) ([]webhook.Webhook, error) {
	return readWebhooks(ctx, s.reader, s.keys, `($1 = '' OR account = $1)`, account)
}

// Webhook gives the webhook of this id; ErrNone where there is none.
func (s *Store) Webhook(ctx context.Context, id string) (webhook.Webhook, error) {
	return readWebhook(ctx, s.reader, s.keys, id)
}

func readWebhook(ctx context.Context, db querier, keys *seal.Keyring, id string) (webhook.Webhook, error) {
	all, err := readWebhooks(ctx, db, keys, `id = $1`, id)
	if err == nil && len(all) == 0 {
		err = missing("webhook " + id)
	}
	if err != nil {
		return webhook.Webhook{}, err
	}
	return all[0], nil
}

func readWebhooks(ctx context.Context, db querier, keys *seal.Keyring, where, key string) (all []webhook.Webhook, err error) {
	rows, err := db.QueryContext(ctx, `SELECT `+webhookColumns+` FROM webhook WHERE `+where+` ORDER BY account, at, id`, key) //nolint:gosec // words of this file
	if err == nil {
		err = scan(rows, func(into func(...any) error) error {
			w, err := readWebhookRow(into, keys)
			all = append(all, w)
			return err
		})
	}
	if err != nil {
		return nil, fmt.Errorf("read the webhooks: %w", err)
	}
	return all, nil
}

func readWebhookRow(into func(...any) error, keys *seal.Keyring) (w webhook.Webhook, err error) {
	var events string
	var failing, at int64
	var sealed []byte
	if err := into(&w.ID, &w.Account, &events, &w.WithText, &w.Disabled, &failing, &w.Failures, &at, &sealed); err != nil {
		return w, err
	}
	plain, err := keys.Unseal(sealed, "webhook/"+w.ID)
	if err != nil {
		return w, fmt.Errorf("webhook %s: %w", w.ID, err)
	}
	var inside sealedWebhook
	if json.Unmarshal(plain, &inside) != nil {
		return w, fmt.Errorf("webhook %s: what was sealed cannot be read", w.ID)
	}
	for e := range strings.SplitSeq(events, ",") {
		w.Events = append(w.Events, webhook.Event(e))
	}
	w.FailingSince, w.At = fromMicros(failing), fromMicros(at)
	w.URL, w.Secret = inside.URL, webhook.Secret(inside.Secret)
	w.Former, w.FormerUntil = webhook.Secret(inside.Former), fromMicros(inside.FormerUntil)
	return w, nil
}

// Webhook is Store.Webhook within the change.
func (c *Change) Webhook(id string) (webhook.Webhook, error) {
	return readWebhook(c.ctx, c.tx, c.store.keys, id)
}

// PutWebhooks adds new webhooks, all or none. Their accounts must be there. One
// whose id is taken is refused with ErrTaken. They hear of what happens from now
// on.
func (s *Store) PutWebhooks(ctx context.Context, hooks []webhook.Webhook) error {
	err := s.write(ctx, "put webhooks", func(tx *sql.Tx) error {
		for _, w := range hooks {
			if err := s.putWebhook(tx, w); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.LoadWebhooks(ctx)
}

// AddWebhook gives an account a webhook. Its account must be there, and its id
// must be free.
func (c *Change) AddWebhook(w webhook.Webhook) error {
	if _, err := c.Account(w.Account); err != nil {
		return err
	}
	c.concerns(w.Account)
	c.touch(kindWebhooks)
	return c.store.putWebhook(c.tx, w)
}

func (s *Store) putWebhook(tx *sql.Tx, w webhook.Webhook) error {
	if err := named(w.ID); err != nil {
		return err
	}
	if w.At.IsZero() {
		w.At = s.now()
	}
	events, sealed, err := webhookRow(s.keys, &w)
	if err != nil {
		return err
	}
	return one(tx, taken("webhook "+w.ID), `INSERT INTO webhook (`+webhookColumns+`) VALUES ($1, $2, $3, $4, $5, 0, 0, $6, $7) ON CONFLICT DO NOTHING`,
		w.ID, w.Account, events, flag(w.WithText), flag(w.Disabled), micros(w.At), sealed)
}

// SetWebhook changes a webhook, but not its id, its account and when it was
// added. One that is enabled begins without failures; what waits for it goes
// out at once.
func (c *Change) SetWebhook(id string, edit func(*webhook.Webhook)) error {
	before, err := c.Webhook(id)
	if err != nil {
		return err
	}
	after := before
	edit(&after)
	after.ID, after.Account, after.At = before.ID, before.Account, before.At
	if before.Disabled && !after.Disabled {
		after.FailingSince, after.Failures = time.Time{}, 0
		if _, err := c.tx.Exec(`UPDATE job SET due = $1, attempt = 0 WHERE kind = $2`, c.store.now().UnixMicro(), noticeKind+id); err != nil {
			return fmt.Errorf("wake the notices of a webhook: %w", err)
		}
	}
	events, sealed, err := webhookRow(c.store.keys, &after)
	if err != nil {
		return err
	}
	c.concerns(after.Account)
	c.touch(kindWebhooks)
	return one(c.tx, missing("webhook "+id), `UPDATE webhook SET events = $1, with_text = $2, disabled = $3, failing_since = $4, failures = $5, sealed = $6 WHERE id = $7`,
		events, flag(after.WithText), flag(after.Disabled), micros(after.FailingSince), after.Failures, sealed, id)
}

// RemoveWebhook removes a webhook, with its log and what waits for it.
func (c *Change) RemoveWebhook(id string) error {
	w, err := c.Webhook(id)
	if err != nil {
		return err
	}
	c.concerns(w.Account)
	c.touch(kindWebhooks)
	for _, statement := range []struct{ query, key string }{
		{`DELETE FROM job WHERE kind = $1`, noticeKind + id},
		{`DELETE FROM notice WHERE webhook = $1`, id},
		{`DELETE FROM webhook WHERE id = $1`, id},
	} {
		if _, err := c.tx.Exec(statement.query, statement.key); err != nil {
			return fmt.Errorf("remove a webhook: %w", err)
		}
	}
	return nil
}

// giver is who disables webhooks that are hopeless, on the trail.
const giver = "dargah"

// GiveUpWebhook disables a webhook that failed for too long, on the trail.
func (s *Store) GiveUpWebhook(ctx context.Context, id string) error {
	err := s.Change(ctx, Act{Actor: giver, Service: "webhook", Method: "give up", Which: id}, func(c *Change) error {
		w, err := c.Webhook(id)
		if err != nil {
			return err
		}
		if w.Disabled {
			return ErrUnchanged
		}
		return c.SetWebhook(id, func(w *webhook.Webhook) { w.Disabled = true })
	})
	if errors.Is(err, ErrUnchanged) || errors.Is(err, ErrNone) {
		return nil
	}
	return err
}

func webhookRow(keys *seal.Keyring, w *webhook.Webhook) (events string, sealed []byte, err error) {
	plain, err := json.Marshal(sealedWebhook{URL: w.URL, Secret: w.Secret.Text(), Former: w.Former.Text(), FormerUntil: micros(w.FormerUntil)})
	if err != nil {
		return "", nil, err
	}
	names := make([]string, len(w.Events))
	for i, e := range w.Events {
		names[i] = string(e)
	}
	sealed, err = keys.Seal(plain, "webhook/"+w.ID)
	return strings.Join(names, ","), sealed, err
}

// listener is what must be known of a webhook to put down a notice for it.
type listener struct {
	id     string
	events string // with a comma before and after each
}

// LoadWebhooks reads who hears of what into memory.
func (s *Store) LoadWebhooks(ctx context.Context) error {
	heard := map[string][]listener{}
	rows, err := s.reader.QueryContext(ctx, `SELECT account, id, events FROM webhook WHERE disabled = 0`)
	if err == nil {
		err = scan(rows, func(into func(...any) error) error {
			var account string
			var l listener
			err := into(&account, &l.id, &l.events)
			l.events = "," + l.events + ","
			heard[account] = append(heard[account], l)
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("read who hears of what: %w", err)
	}
	s.listeners.Store(&heard)
	return nil
}

// notify puts down a notice of an event, due at once, for each webhook of the
// account that asks for it, in the transaction in which it happens.
func (s *Store) notify(tx *sql.Tx, account string, n webhook.Notice) error {
	heard := s.listeners.Load()
	if heard == nil {
		return errors.New("put down a notice: the webhooks were not read")
	}
	for _, l := range (*heard)[account] {
		if !strings.Contains(l.events, ","+string(n.Event)+",") {
			continue
		}
		if _, err := s.putNotice(tx, l.id, n); err != nil {
			return err
		}
	}
	return nil
}
