package app

import (
	"context"
	"errors"
	"time"

	"dargah.dev/dargah/internal/config"
	"dargah.dev/dargah/internal/courier"
	"dargah.dev/dargah/internal/job"
	"dargah.dev/dargah/internal/sms"
	"dargah.dev/dargah/internal/webhook"
)

// courierWithin is how long attempts under way may still take when the App is
// closed; what is cut off is made again.
const courierWithin = 3 * time.Second

// WebhookRules are where webhooks may be by these settings.
func WebhookRules(c config.Config) (webhook.Rules, error) {
	allow, err := c.WebhookPrefixes()
	return webhook.Rules{Allow: allow, HTTP: c.Webhooks.InsecureHTTP}, err
}

// SandboxWebhooks are the settings by which webhooks may be on this machine,
// where those who try a sandbox out have them.
func SandboxWebhooks() config.Webhooks {
	w := config.Webhooks{InsecureHTTP: true}
	for _, p := range webhook.Loopback {
		w.Allow = append(w.Allow, p.String())
	}
	return w
}

func (a *App) startCourier(ctx context.Context, names *sms.Names, o Options) error {
	rules, err := WebhookRules(o.Config)
	if err != nil {
		return err
	}
	a.courier, err = courier.Start(ctx, a.store, courier.Options{
		Rules: rules, Names: names, Log: o.Log, Now: o.Now, Wake: a.store.Wake(job.Notice),
	})
	return err
}

func (a *App) closeCourier() {
	ctx, cancel := context.WithTimeout(context.Background(), courierWithin)
	defer cancel()
	a.courier.Close(ctx)
}

// ReloadWebhooks brings the stored webhooks into force.
func (a *App) ReloadWebhooks(ctx context.Context) error {
	return errors.Join(a.store.LoadWebhooks(ctx), a.courier.Reload(ctx))
}
