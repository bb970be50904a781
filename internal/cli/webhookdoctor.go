package cli

import (
	"fmt"
	"strings"

	"dargah.dev/dargah/internal/finding"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/webhook"
)

// examineWebhooks looks at customers' webhooks by the rules that this
// installation's servers go by.
func (i installation) examineWebhooks(c *console, l *finding.List) error {
	return i.look(c, func(s *store.Store) error {
		rules, err := i.rules(c, s)
		if err != nil {
			return err
		}
		all, err := s.Webhooks(c, "")
		if err == nil {
			judgeWebhooks(l, all, rules)
		}
		return err
	})
}

func judgeWebhooks(l *finding.List, all []webhook.Webhook, rules webhook.Rules) {
	const about = "webhooks"
	var barred, failing, given, off []string
	for _, w := range all {
		switch {
		case w.Disabled && w.Failures > 0:
			given = append(given, w.ID)
		case w.Disabled:
			off = append(off, w.ID)
		case rules.CheckURL(w.URL) != nil:
			barred = append(barred, w.ID)
		case w.Failures >= webhook.Sick:
			failing = append(failing, fmt.Sprintf("%s since %s", w.ID, stamp(w.FailingSince)))
		}
	}
	if len(barred) > 0 {
		l.Warn(about, few(barred)+": these settings do not let servers go there, so that every attempt fails",
			"set webhooks.allow or webhooks.insecureHttp, or give another address: dargah webhook set ID --url URL")
	}
	if len(failing) > 0 {
		l.Warn(about, few(failing)+": failing, and tried with pauses; after five days they are disabled", "`dargah webhook log ID` says why")
	}
	if len(given) > 0 {
		l.Warn(about, few(given)+": disabled while failing; what happens is not told", "when the receiver works again: dargah webhook enable ID")
	}
	if len(barred)+len(failing)+len(given) == 0 {
		l.Good(about, "%d, of which %d are disabled", len(all), len(off))
	}
}

// few names the first of many.
func few(ids []string) string {
	const most = 5
	if len(ids) <= most {
		return strings.Join(ids, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(ids[:most], ", "), len(ids)-most)
}
