package app

import (
	"context"
	"fmt"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/event"
	"dargah.dev/dargah/internal/ledger"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/sms"
	"dargah.dev/dargah/internal/store"
)

// messaging is the service of messages as the dialects know it.
type messaging struct {
	*sms.Desk
	names *sms.Names
	store *store.Store
	world *world
}

func newMessaging(ctx context.Context, s *store.Store, w *world, blocks sms.Blocks, log *event.Log) (*messaging, error) {
	key, err := s.Secret(ctx, "sms/names", fresh)
	if err != nil {
		return nil, fmt.Errorf("read the key of messages' names: %w", err)
	}
	return &messaging{
		names: sms.NewNames([32]byte(key)), store: s, world: w,
		Desk: &sms.Desk{
			Shelf: s, Blocks: blocks, Wallets: s,
			Terms:   func(a *account.Account) sms.Terms { return terms(a, w.price(smsService)) },
			Wording: wording,
			Quiet:   quiet,
			Alarm: func(account string, met sms.Limit, first bool) {
				if first {
					log.Note("an account has met its limit of messages", "account", account, "limit", string(met))
				}
			},
			Play: func(ctx context.Context, o *sms.Order) error { return w.scenarios.Play(ctx, smsService, o) },
		},
	}, nil
}

// Messages gives those of the messages that the account has sent.
func (m *messaging) Messages(ctx context.Context, account string, ids []int64) ([]sms.Message, error) {
	return look(ctx, m.world, func() ([]sms.Message, error) { return m.store.Messages(ctx, account, ids) })
}

// Sent gives what an account has sent.
func (m *messaging) Sent(ctx context.Context, q sms.Sent) ([]sms.Batch, error) {
	return look(ctx, m.world, func() ([]sms.Batch, error) { return m.store.Sent(ctx, q) })
}

// Incoming gives what has come in for an account.
func (m *messaging) Incoming(ctx context.Context, q sms.Inbox) ([]sms.Incoming, error) {
	return look(ctx, m.world, func() ([]sms.Incoming, error) { return m.store.Incoming(ctx, q) })
}

// Entries gives the movements of a wallet.
func (m *messaging) Entries(ctx context.Context, q ledger.Query) ([]ledger.Entry, error) {
	return look(ctx, m.world, func() ([]ledger.Entry, error) { return m.store.Entries(ctx, q) })
}

// look asks the store, unless a scenario for every question has it otherwise.
func look[T any](ctx context.Context, w *world, ask func() (T, error)) (found T, err error) {
	if err = w.scenarios.Play(ctx, smsService, unasked{}); err != nil {
		return found, err
	}
	found, err = ask()
	return found, unavailable(err)
}

// terms are the account's own where it has some; price is everybody's.
func terms(a *account.Account, price rial.Amount) sms.Terms {
	if own, has := a.Prices[smsService]; has {
		price = own
	}
	return sms.Terms{
		Part: price,
		Cap:  max(0, a.SMS.SpendDay),
		Limits: sms.Limits{
			Number: bound(a.SMS.NumberHour, sms.DefaultLimits.Number),
			Prefix: bound(a.SMS.PrefixHour, sms.DefaultLimits.Prefix),
			Hour:   sms.DefaultLimits.Hour,
		},
	}
}

// bound is the account's own number; 0 where there is none.
func bound(own, usual int) int {
	if own == 0 {
		return usual
	}
	return max(0, own)
}

// wording finds a template of the account. Its text was read when it was stored.
func wording(a *account.Account, id string) (sms.Wording, bool) {
	t, ok := a.Template(id)
	if !ok {
		return sms.Wording{}, false
	}
	text, err := sms.ParseTemplate(t.Body)
	return sms.Wording{Text: text, Line: t.Line, Urgent: t.Urgent, Once: t.Once}, err == nil
}

func quiet(a *account.Account, line string) sms.Hours {
	l, _ := a.Line(line)
	return sms.Hours(l.Quiet)
}
