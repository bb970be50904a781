package cli

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"dargah.dev/dargah/internal/sms"
	"dargah.dev/dargah/internal/store"
)

type messages struct {
	Show  messageShow `cmd:"" help:"Show what became of one message, by its number in the books."`
	Stray struct {
		List strayList `cmd:"" help:"List the receipts that belong to no message."`
	} `cmd:"" help:"Receipts of operators that belong to no message."`
}

// states are the words for what has become of a message.
var states = [...]string{
	sms.Queued: "queued", sms.Submitted: "submitted", sms.Unknown: "unknown", sms.Delivered: "delivered",
	sms.Undelivered: "undelivered", sms.Expired: "expired", sms.Rejected: "rejected", sms.Failed: "failed",
	sms.Cancelled: "cancelled", sms.Blocked: "blocked",
}

func stateWord(s sms.State) string {
	if int(s) < len(states) {
		return states[s]
	}
	return strconv.Itoa(int(s))
}

type messageShow struct {
	installation
	shown
	ID   int64 `arg:"" help:"The message's number."`
	Text bool  `help:"Print its line, recipient and text too."`
}

// messageView is a message as operators' support may see it: without whom it
// went to and what it said, unless that was asked for.
type messageView struct {
	ID       int64      `json:"id"`
	Batch    int64      `json:"batch"`
	Account  string     `json:"account"`
	Call     string     `json:"call"`
	At       time.Time  `json:"at"`
	Due      time.Time  `json:"due"`
	Expires  time.Time  `json:"expires"`
	State    string     `json:"state"`
	StateAt  time.Time  `json:"stateAt"`
	SentAt   time.Time  `json:"sentAt,omitzero"`
	Operator string     `json:"operator,omitempty"`
	Doubt    bool       `json:"doubt"`
	Price    int64      `json:"price"`
	Parts    int        `json:"parts"`
	Accepted []partView `json:"accepted"`
	Line     string     `json:"line,omitempty"`
	To       string     `json:"to,omitempty"`
	Text     string     `json:"text,omitempty"`
}

type partView struct {
	Place    int       `json:"place"`
	Operator string    `json:"operator"`
	ID       string    `json:"id"`
	State    string    `json:"state,omitempty"` // that its receipt told
	At       time.Time `json:"at"`
}

func (m messageShow) Run(c *console) error {
	return m.look(c, func(s *store.Store) error {
		v, err := m.view(c, s)
		if err != nil {
			return err
		}
		return m.print(c, v, v.print)
	})
}

func (m messageShow) view(c *console, s *store.Store) (v messageView, err error) {
	batch, err := s.BatchOf(c, m.ID)
	if err != nil {
		return v, err
	}
	found, err := s.Batches(c, []int64{batch})
	if err != nil {
		return v, err
	}
	if len(found) == 0 {
		return v, fmt.Errorf("there is no message %d", m.ID)
	}
	b := found[0]
	one := b.Messages[m.ID-b.ID]
	v = messageView{
		ID: one.ID, Batch: b.ID, Account: b.Account, Call: b.Call, At: b.At, Due: b.Due, Expires: b.Expires,
		State: stateWord(one.State), StateAt: one.StateAt, SentAt: one.SentAt, Operator: one.Operator, Doubt: one.Doubt,
		Price: int64(one.Price), Parts: one.Parts, Accepted: []partView{},
	}
	if m.Text {
		v.Line, v.To, v.Text = one.Line, one.Recipient.Local(), one.Text
	}
	parts, err := s.Parts(c, []int64{m.ID})
	for _, p := range parts {
		shown := partView{Place: p.Place, Operator: p.Operator, ID: p.ID, At: p.At}
		if p.State != sms.Queued {
			shown.State = stateWord(p.State)
		}
		v.Accepted = append(v.Accepted, shown)
	}
	return v, err
}

func (v messageView) print(w io.Writer) error {
	doubt := "no"
	if v.Doubt {
		doubt = "yes: it may have been sent twice"
	}
	t := table{
		{"message", strconv.FormatInt(v.ID, 10)}, {"batch", strconv.FormatInt(v.Batch, 10)}, {"account", v.Account}, {"call", v.Call},
		{"accepted", stamp(v.At)}, {"due", stamp(v.Due)}, {"until", stamp(v.Expires)},
		{"state", v.State + " since " + stamp(v.StateAt)}, {"operator", orElse(v.Operator, "none")}, {"sent", stamp(v.SentAt)},
		{"in doubt", doubt}, {"price", strconv.FormatInt(v.Price, 10)}, {"parts", number(v.Parts)},
	}
	for _, p := range v.Accepted {
		t.row(fmt.Sprintf("part %d", p.Place), fmt.Sprintf("%s, id %s, %s", p.Operator, p.ID, orElse(p.State, "no receipt yet")))
	}
	if v.To != "" {
		t.row("line", v.Line)
		t.row("to", v.To)
		t.row("text", v.Text)
	}
	return t.print(w)
}

// stamp is a moment in the clock of this machine; a dash for none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format(time.DateTime)
}

type strayList struct {
	installation
	shown
	Limit int `help:"How many, the newest first." default:"100"`
}

// strayView is a receipt without whom it was about.
type strayView struct {
	At       time.Time `json:"at"`
	Operator string    `json:"operator"`
	ID       string    `json:"id"`
	State    string    `json:"state"`
}

func (l strayList) Run(c *console) error {
	return l.look(c, func(s *store.Store) error {
		found, err := s.Strays(c, l.Limit)
		if err != nil {
			return err
		}
		views := []strayView{}
		t := table{{"at", "operator", "id", "state"}}
		for _, one := range found {
			views = append(views, strayView{one.At, one.Operator, one.ID, stateWord(one.State)})
			t.row(stamp(one.At), one.Operator, one.ID, stateWord(one.State))
		}
		return l.print(c, views, t.print)
	})
}
