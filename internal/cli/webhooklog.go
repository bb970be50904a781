package cli

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/webhook"
)

// outcomes are the words for what became of a notice.
var outcomes = [...]string{webhook.Waiting: "waiting", webhook.Arrived: "arrived", webhook.GivenUp: "given up"}

// noticeView is a notice as it is shown.
type noticeView struct {
	ID       string        `json:"id"`
	Event    webhook.Event `json:"event"`
	Outcome  string        `json:"outcome"`
	Attempts int           `json:"attempts"`
	Status   int           `json:"status,omitempty"` // of the last answer
	At       time.Time     `json:"at"`
	TriedAt  time.Time     `json:"triedAt,omitzero"`
	Note     string        `json:"note,omitempty"`
}

type webhookLog struct {
	installation
	shown
	ofWebhook
	Last int `help:"How many notices, the newest first." default:"50"`
}

func (l webhookLog) Run(c *console) error {
	if l.Last < 1 {
		return misuse{errors.New("--last must be 1 or more")}
	}
	return l.look(c, func(s *store.Store) error {
		if _, err := s.Webhook(c, l.ID); err != nil {
			return err
		}
		all, err := s.Notices(c, l.ID, l.Last)
		if err != nil {
			return err
		}
		views := []noticeView{}
		t := table{{"notice", "event", "happened", "outcome", "attempts", "status", "last tried", "why"}}
		for i := range all {
			n := &all[i]
			v := noticeView{n.Name(), n.Event, outcomes[n.Outcome], n.Attempts, n.Status, n.At, n.TriedAt, n.Note}
			views = append(views, v)
			status := "-"
			if v.Status > 0 {
				status = strconv.Itoa(v.Status)
			}
			t.row(v.ID, string(v.Event), stamp(v.At), v.Outcome, number(v.Attempts), status, stamp(v.TriedAt), orElse(v.Note, "-"))
		}
		return l.print(c, views, t.print)
	})
}

type webhookReplay struct {
	acting
	ID string `arg:"" help:"The notice's id, as the log and the header webhook-id have it." name:"notice"`
}

func (r webhookReplay) Run(c *console) error {
	id, err := webhook.ParseName(r.ID)
	if err != nil {
		return misuse{err}
	}
	err = r.change(c, store.Act{Service: "webhook", Method: "replay", Which: r.ID}, func(change *store.Change) error {
		return change.Replay([]int64{id})
	})
	if err != nil {
		return err
	}
	return shown{}.done(c, nil, "notice %s is sent again", r.ID)
}

type webhookTest struct {
	acting
	shown
	ofWebhook
}

func (t webhookTest) Run(c *console) error {
	var id int64
	err := t.change(c, store.Act{Service: "webhook", Method: "test", Which: t.ID}, func(change *store.Change) error {
		w, err := change.Webhook(t.ID)
		if err != nil {
			return err
		}
		if w.Disabled {
			return fmt.Errorf("webhook %s is disabled: dargah webhook enable %s", t.ID, t.ID)
		}
		id, err = change.TestNotice(t.ID)
		return err
	})
	if err != nil {
		return err
	}
	name := webhook.Name(id)
	return t.done(c, map[string]string{"notice": name}, "a running server sends notice %s; what became of it: dargah webhook log %s", name, t.ID)
}
