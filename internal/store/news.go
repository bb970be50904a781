package store

import (
	"strings"

	"dargah.dev/dargah/internal/webhook"
)

// newsSQL writes notices, and what makes them due.
type newsSQL struct{ notices, jobs bulk }

func (p *statements) news() newsSQL {
	return newsSQL{
		notices: p.bulk(6, `INSERT INTO notice (id, webhook, event, ref, state, at)`, ``),
		jobs:    p.bulk(4, `INSERT INTO job (kind, ref, priority, due)`, ``),
	}
}

// news are the notices of one transaction, as hear makes them.
type news struct{ notices, jobs []any }

// hear puts down a notice of an event, due at once, for each of the account's
// webhooks that asks for it, in the transaction in which it happens.
func (n *news) hear(s *Store, account string, of webhook.Notice) {
	heard := s.listeners.Load()
	if heard == nil {
		return
	}
	for _, l := range (*heard)[account] {
		if !strings.Contains(l.events, ","+string(of.Event)+",") {
			continue
		}
		id := s.noticeID()
		n.notices = append(n.notices, id, l.id, string(of.Event), of.Ref, int64(of.State), micros(of.At))
		n.jobs = append(n.jobs, noticeKind+l.id, id, 0, s.now().UnixMicro())
	}
}

func (n *news) statements(sql *newsSQL, to []statement) []statement {
	to = sql.notices.statements(to, n.notices, false, nil)
	return sql.jobs.statements(to, n.jobs, false, nil)
}
