package sms_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/sms"
)

// noon of a day in Tehran.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, persian.Tehran)

var fields = sms.Fields{Lines: "senders", Recipients: "recipients", Texts: "contents", Due: "when"}

// shop is what a desk needs of the world.
type shop struct {
	*sms.Desk
	account *account.Account
	ids     int64
	idError error
	blocked map[string]bool // line and recipient
	balance rial.Amount
	terms   sms.Terms
	words   map[string]sms.Wording
	quiet   map[string]sms.Hours
	alarms  []string
}

func open(t *testing.T) *shop {
	t.Helper()
	s := &shop{
		account: &account.Account{ID: "acc", Lines: []account.Line{{Number: "10001000"}, {Number: "20002000"}, {Number: "3000", Suspended: true}}},
		ids:     100,
		blocked: map[string]bool{},
		balance: 1_000_000,
		terms:   sms.Terms{Part: 10, Cap: 5000, Limits: sms.DefaultLimits},
		words:   map[string]sms.Wording{},
		quiet:   map[string]sms.Hours{},
	}
	s.Desk = &sms.Desk{
		Shelf: s, Blocks: s, Wallets: s,
		Terms: func(*account.Account) sms.Terms { return s.terms },
		Wording: func(_ *account.Account, id string) (sms.Wording, bool) {
			w, ok := s.words[id]
			return w, ok
		},
		Quiet: func(_ *account.Account, line string) sms.Hours { return s.quiet[line] },
		Alarm: func(account string, met sms.Limit, first bool) {
			s.alarms = append(s.alarms, account+" "+string(met)+" "+strconv.FormatBool(first))
		},
	}
	return s
}

func (s *shop) MessageIDs(_ context.Context, n int) (int64, error) {
	first := s.ids
	s.ids += int64(n)
	return first, s.idError
}

func (s *shop) Has(line string, recipient persian.Mobile) bool {
	return s.blocked[line+" "+recipient.Local()]
}

func (s *shop) Covers(_ context.Context, _ string, price rial.Amount) (bool, error) {
	if s.balance < 0 {
		return false, errors.New("the disk is gone")
	}
	return price <= s.balance, nil
}

func (s *shop) order(lines, recipients, texts []string) sms.Order {
	return sms.Order{
		Account: s.account, Call: "call", At: noon, Lines: lines, Recipients: mobiles(recipients...), Texts: texts, Fields: fields,
	}
}

func (s *shop) single() sms.Order {
	return s.order([]string{"10001000"}, []string{"09120000001"}, []string{"hello"})
}

func mobiles(numbers ...string) (list []persian.Mobile) {
	for _, n := range numbers {
		m, err := persian.ParseMobile(n)
		if err != nil {
			panic(err)
		}
		list = append(list, m)
	}
	return list
}

func neighbours(n int) (numbers []string) {
	for i := range n {
		numbers = append(numbers, strconv.Itoa(9120000000+i))
	}
	return numbers
}

var byValue = cmp.Comparer(func(a, b persian.Mobile) bool { return a == b })

func TestSendOfOne(t *testing.T) {
	t.Parallel()
	s := open(t)
	got, err := s.Send(t.Context(), s.single())
	if err != nil {
		t.Fatal(err)
	}
	want := sms.Batch{
		ID: 100, Account: "acc", Call: "call", At: noon, Due: noon, Expires: noon.Add(24 * time.Hour), Priority: sms.Normal, Price: 10, Cap: 5000,
		Messages: []sms.Message{{
			ID: 100, Line: "10001000", Recipient: mobiles("09120000001")[0], Text: "hello", Coding: sms.GSM7, Parts: 1, Price: 10, State: sms.Queued, StateAt: noon,
		}},
	}
	if diff := cmp.Diff(want, got, byValue); diff != "" {
		t.Error(diff)
	}
}

func TestBroadcastAndPairs(t *testing.T) {
	t.Parallel()
	two, three := []string{"09120000001", "09350000002"}, []string{"09120000001", "09350000002", "09190000003"}
	for _, c := range []struct {
		name                     string
		lines, recipients, texts []string
		want                     string // line, end of the recipient and text of each
	}{
		{"one text to two", []string{"10001000"}, two, []string{"a"}, "10001000 1 a|10001000 2 a"},
		{"two texts to one", []string{"10001000"}, two[:1], []string{"a", "b"}, "10001000 1 a|10001000 1 b"},
		{"from two lines to one", []string{"10001000", "20002000"}, two[:1], []string{"a"}, "10001000 1 a|20002000 1 a"},
		{"all paired", []string{"+9810001000", "009820002000"}, two, []string{"a", "b"}, "10001000 1 a|20002000 2 b"},
		{"two of three lists", []string{"۲۰۰۰۲۰۰۰"}, three, []string{"a", "b", "c"}, "20002000 1 a|20002000 2 b|20002000 3 c"},
	} {
		s := open(t)
		b, err := s.Send(t.Context(), s.order(c.lines, c.recipients, c.texts))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var got []string
		for i, m := range b.Messages {
			got = append(got, m.Line+" "+m.Recipient.Local()[10:]+" "+m.Text)
			if m.ID != b.ID+int64(i) {
				t.Errorf("%s: message %d is %d of batch %d", c.name, i, m.ID, b.ID)
			}
		}
		if diff := cmp.Diff(c.want, strings.Join(got, "|")); diff != "" || b.Priority != sms.Bulk {
			t.Errorf("%s: priority %d %s", c.name, b.Priority, diff)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	many := slices.Repeat([]string{"a"}, 101)
	invalid := func(name string, rule fault.Rule) *fault.Error { return fault.Bad(fault.Field{Name: name, Rule: rule}) }
	for _, c := range []struct {
		name   string
		change func(*shop, *sms.Order)
		want   *fault.Error
	}{
		{"no line", func(_ *shop, o *sms.Order) { o.Lines = nil }, invalid("senders", fault.Missing)},
		{"no recipient", func(_ *shop, o *sms.Order) { o.Recipients = nil }, invalid("recipients", fault.Missing)},
		{"a recipient of no value", func(_ *shop, o *sms.Order) { o.Recipients = make([]persian.Mobile, 1) }, invalid("recipients", fault.Missing)},
		{"no text", func(_ *shop, o *sms.Order) { o.Texts = nil }, invalid("contents", fault.Missing)},
		{"an empty text", func(_ *shop, o *sms.Order) { o.Texts = []string{"a", ""} }, invalid("contents", fault.Missing)},
		{"a blank text", func(_ *shop, o *sms.Order) { o.Texts = []string{" \n\u00a0"} }, invalid("contents", fault.Missing)},
		{"two and three", func(_ *shop, o *sms.Order) {
			o.Texts, o.Recipients = []string{"a", "b"}, mobiles(neighbours(3)...)
		}, invalid("contents", fault.Lengths)},
		{"three lists, two too short", func(_ *shop, o *sms.Order) {
			o.Lines, o.Texts, o.Recipients = []string{"10001000", "20002000"}, []string{"a", "b", "c"}, mobiles(neighbours(2)...)
		}, fault.Bad(fault.Field{Name: "senders", Rule: fault.Lengths}, fault.Field{Name: "recipients", Rule: fault.Lengths})},
		{"101 texts", func(_ *shop, o *sms.Order) { o.Texts = many }, &fault.Error{Code: fault.TooMany, Limit: 100}},
		{"101 lines", func(_ *shop, o *sms.Order) { o.Lines = many }, &fault.Error{Code: fault.TooMany, Limit: 100}},
		{"101 recipients", func(_ *shop, o *sms.Order) { o.Recipients = mobiles(neighbours(101)...) }, &fault.Error{Code: fault.TooMany, Limit: 100}},
		{"somebody else's line", func(_ *shop, o *sms.Order) { o.Lines = []string{"10001000", "10001001"} }, fault.New(fault.Line)},
		{"a suspended line", func(_ *shop, o *sms.Order) { o.Lines = []string{"3000"} }, fault.New(fault.LineStatus)},
		{"256 parts", func(_ *shop, o *sms.Order) { o.Texts = []string{strings.Repeat("a", 255*153+1)} }, &fault.Error{Code: fault.TooLong, Limit: 255}},
		{"due now", func(_ *shop, o *sms.Order) { o.Due = o.At }, invalid("when", fault.Past)},
		{"due before", func(_ *shop, o *sms.Order) { o.Due = o.At.Add(-time.Hour) }, invalid("when", fault.Past)},
		{"due in more than a year", func(_ *shop, o *sms.Order) { o.Due = o.At.AddDate(0, 0, 367) }, invalid("when", fault.Range)},
		{"no credit", func(s *shop, _ *sms.Order) { s.balance = 9 }, fault.New(fault.Credit)},
		{"no wallet to be had", func(s *shop, _ *sms.Order) { s.balance = -1 }, fault.New(fault.Unavailable)},
		{"no ids to be had", func(s *shop, _ *sms.Order) { s.idError = errors.New("the disk is gone") }, fault.New(fault.Unavailable)},
		{"a failure on demand", func(s *shop, _ *sms.Order) {
			s.Play = func(context.Context, *sms.Order) error { return fault.New(fault.SourceTimeout) }
		}, fault.New(fault.SourceTimeout)},
		{"quiet all day", func(s *shop, o *sms.Order) {
			s.quiet["10001000"], s.quiet["20002000"] = sms.Hours{From: 60, To: 13 * 60}, sms.Hours{From: 13 * 60, To: 60}
			o.Lines = []string{"10001000", "20002000"}
		}, fault.New(fault.LineStatus)},
		{"no such template", func(_ *shop, o *sms.Order) { o.Template = "x" }, fault.New(fault.Template)},
	} {
		s := open(t)
		o := s.single()
		c.change(s, &o)
		b, err := s.Send(t.Context(), o)
		if err == nil {
			t.Errorf("%s: sent", c.name)
			continue
		}
		got := *fault.From(err)
		got.Err = nil
		if diff := cmp.Diff(*c.want, got); diff != "" || b.Messages != nil {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

func TestPriceIsOfParts(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.blocked["10001000 09350000002"] = true
	o := s.order([]string{"10001000"}, []string{"09120000001", "09350000002", "09190000003"},
		[]string{strings.Repeat("a", 161), "b", strings.Repeat("س", 135)})
	b, err := s.Send(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	var got []sms.Message
	for _, m := range b.Messages {
		got = append(got, sms.Message{Coding: m.Coding, Parts: m.Parts, Price: m.Price, State: m.State})
	}
	want := []sms.Message{
		{Coding: sms.GSM7, Parts: 2, Price: 20}, {Coding: sms.GSM7, Parts: 1, Price: 0, State: sms.Blocked}, {Coding: sms.UCS2, Parts: 3, Price: 30},
	}
	if diff := cmp.Diff(want, got, byValue); diff != "" || b.Price != 50 {
		t.Errorf("%d: %s", b.Price, diff)
	}
}

func TestAllBlockedNeedsNoCredit(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.balance, s.blocked["10001000 09120000001"] = 0, true
	b, err := s.Send(t.Context(), s.single())
	if err != nil || b.Price != 0 || b.Messages[0].State != sms.Blocked {
		t.Errorf("%d, %v", b.Price, err)
	}
	o := s.single()
	o.Lines = []string{"20002000"}
	if _, err := s.Send(t.Context(), o); fault.From(err).Code != fault.Credit {
		t.Errorf("of another line: %v", err)
	}
}

func TestTemplates(t *testing.T) {
	t.Parallel()
	text, err := sms.ParseTemplate("کد {code} برای {name}")
	if err != nil {
		t.Fatal(err)
	}
	s := open(t)
	s.words["otp"] = sms.Wording{Text: text, Line: "20002000", Urgent: true, Once: true, Validity: 5 * time.Minute}
	s.words["plain"] = sms.Wording{Text: text}
	s.quiet["20002000"] = sms.Hours{From: 0, To: 23 * 60}
	good := []sms.Parameter{{Name: "code", Value: "12 34"}, {Name: "name", Value: "{x}"}}
	order := func(change func(*sms.Order)) sms.Order {
		o := s.single()
		o.Template, o.Parameters, o.Texts, o.Lines = "otp", good, nil, nil
		change(&o)
		return o
	}

	b, err := s.Send(t.Context(), order(func(*sms.Order) {}))
	if err != nil {
		t.Fatal(err)
	}
	m := b.Messages[0]
	if m.Text != "کد 12 34 برای {x}" || m.Line != "20002000" || b.Priority != sms.Urgent || !b.Once || !b.Due.Equal(noon) || b.Expires.Sub(b.Due) != 5*time.Minute {
		t.Errorf("%+v", b)
	}
	b, err = s.Send(t.Context(), order(func(o *sms.Order) { o.Lines = []string{"10001000"} }))
	if err != nil || b.Messages[0].Line != "10001000" {
		t.Errorf("the caller's line: %v", err)
	}
	b, err = s.Send(t.Context(), order(func(o *sms.Order) { o.Template, o.Lines = "plain", []string{"10001000"} }))
	if err != nil || b.Priority != sms.Normal || b.Once || b.Expires.Sub(b.Due) != 24*time.Hour {
		t.Errorf("a template like any text: %+v, %v", b, err)
	}

	for _, c := range []struct {
		name   string
		change func(*sms.Order)
		want   fault.Error
	}{
		{"no line at all", func(o *sms.Order) { o.Template = "plain" },
			fault.Error{Code: fault.Invalid, Fields: []fault.Field{{Name: "senders", Rule: fault.Missing}}}},
		{"missing and unknown", func(o *sms.Order) { o.Parameters = []sms.Parameter{{Name: "code"}, {Name: "cod"}} },
			fault.Error{Code: fault.Template, Fields: []fault.Field{{Name: "name", Rule: fault.Missing}, {Name: "cod", Rule: fault.Form}}}},
		{"too long", func(o *sms.Order) {
			o.Parameters = []sms.Parameter{{Name: "code", Value: strings.Repeat("1", 101)}, {Name: "name", Value: "x"}}
		}, fault.Error{Code: fault.Template, Fields: []fault.Field{{Name: "code", Rule: fault.Long, Max: 100}}}},
		{"given twice", func(o *sms.Order) { o.Parameters = append(slices.Clone(good), good[0]) },
			fault.Error{Code: fault.Template, Fields: []fault.Field{{Name: "code", Rule: fault.Repeated}}}},
	} {
		_, err := s.Send(t.Context(), order(c.change))
		got := *fault.From(err)
		got.Err = nil
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

func TestQuietHours(t *testing.T) {
	t.Parallel()
	at := func(day, hour, minute int) time.Time {
		return time.Date(2026, 11, day, hour, minute, 0, 0, persian.Tehran)
	}
	night := sms.Hours{From: 22 * 60, To: 8*60 + 30}
	for _, c := range []struct {
		name      string
		now       time.Time
		due       time.Time
		one, two  sms.Hours
		want      time.Time
		otherLine bool
	}{
		{"by day", at(22, 12, 0), time.Time{}, night, sms.Hours{}, at(22, 12, 0), false},
		{"late", at(22, 23, 0), time.Time{}, night, sms.Hours{}, at(23, 8, 30), false},
		{"early", at(22, 3, 0), time.Time{}, night, sms.Hours{}, at(22, 8, 30), false},
		{"as they begin", at(22, 22, 0), time.Time{}, night, sms.Hours{}, at(23, 8, 30), false},
		{"just before", at(22, 21, 59), time.Time{}, night, sms.Hours{}, at(22, 21, 59), false},
		{"as they end", at(22, 8, 30), time.Time{}, night, sms.Hours{}, at(22, 8, 30), false},
		{"scheduled into them", at(22, 12, 0), at(24, 23, 30), night, sms.Hours{}, at(25, 8, 30), false},
		{"scheduled past them", at(22, 23, 0), at(24, 12, 0), night, sms.Hours{}, at(24, 12, 0), false},
		{"until midnight", at(22, 23, 0), time.Time{}, sms.Hours{From: 22 * 60}, sms.Hours{}, at(23, 0, 0), false},
		{"by day only", at(22, 13, 30), time.Time{}, sms.Hours{From: 13 * 60, To: 16 * 60}, sms.Hours{}, at(22, 16, 0), false},
		{"of a line that is not used", at(22, 23, 0), time.Time{}, sms.Hours{}, night, at(22, 23, 0), false},
		{"of both lines, one after the other", at(22, 23, 0), time.Time{}, night, sms.Hours{From: 8 * 60, To: 10 * 60}, at(23, 10, 0), true},
	} {
		s := open(t)
		s.quiet["10001000"], s.quiet["20002000"] = c.one, c.two
		o := s.single()
		o.At, o.Due = c.now.UTC(), c.due
		if c.otherLine {
			o.Lines = []string{"10001000", "20002000"}
		}
		b, err := s.Send(t.Context(), o)
		if err != nil || !b.Due.Equal(c.want) || b.Expires.Sub(b.Due) != 24*time.Hour {
			t.Errorf("%s: due %v, want %v; %v", c.name, b.Due, c.want, err)
		}
	}
}

// SMS-6: one number, ten thousand numbers side by side, and an account, in
// whatever hour one looks at.
func TestPumpingIsStopped(t *testing.T) {
	t.Parallel()
	other := mobiles("09359999999")
	for _, c := range []struct {
		name       string
		limits     sms.Limits
		recipients func(i int) []persian.Mobile
		orders     int
		want       int // messages in an hour
		met        sms.Limit
	}{
		{"one number", sms.DefaultLimits, func(int) []persian.Mobile { return mobiles("09120000000") }, 100, 20, sms.LimitNumber},
		{"neighbours", sms.DefaultLimits, func(i int) []persian.Mobile { return mobiles(strconv.Itoa(9120000000 + i)) }, 10_000, 200, sms.LimitPrefix},
		{"neighbours by the ten", sms.DefaultLimits, func(i int) []persian.Mobile {
			return mobiles(neighbours(10 * (i + 1))[10*i:]...)
		}, 100, 200, sms.LimitPrefix},
		{"an account", sms.Limits{Hour: 50}, func(i int) []persian.Mobile { return mobiles(strconv.Itoa(9120000000 + i*10_000)) }, 100, 50, sms.LimitHour},
		{"no limit", sms.Limits{}, func(int) []persian.Mobile { return mobiles("09120000000") }, 300, 300, ""},
	} {
		s := open(t)
		s.terms.Limits = c.limits
		var byHour [3]int
		for hour := range 3 {
			for i := range c.orders {
				// Over the middle of the hour, so that the slots are not the hours.
				o := s.single()
				o.At = noon.Add(time.Duration(hour)*time.Hour + 7*time.Minute + time.Duration(i)*30*time.Minute/time.Duration(c.orders))
				o.Recipients = c.recipients(i)
				b, err := s.Send(t.Context(), o)
				if err != nil && fault.From(err).Code != fault.Quota {
					t.Fatal(err)
				}
				byHour[hour] += len(b.Messages)
			}
		}
		// The second and third hour may have less: twelve minutes go as one.
		if byHour[0] != c.want || max(byHour[1], byHour[2]) > c.want || min(byHour[1], byHour[2]) == 0 {
			t.Errorf("%s: %v messages by hour, want %d", c.name, byHour, c.want)
		}
		if c.met == "" {
			if s.alarms != nil {
				t.Errorf("%s: %v", c.name, s.alarms[0])
			}
			continue
		}
		if s.alarms[0] != "acc "+string(c.met)+" true" || s.alarms[1] != "acc "+string(c.met)+" false" {
			t.Errorf("%s: alarms %v", c.name, s.alarms[:2])
		}
		firsts := slices.DeleteFunc(slices.Clone(s.alarms), func(a string) bool { return strings.HasSuffix(a, "false") })
		if len(firsts) > 3*3 || len(firsts) < 3 {
			t.Errorf("%s: %d alarms to be told of %d", c.name, len(firsts), len(s.alarms))
		}
		o := s.single()
		o.At = noon.Add(2*time.Hour + 40*time.Minute)
		o.Recipients = other
		if _, err := s.Send(t.Context(), o); err != nil && c.met != sms.LimitHour {
			t.Errorf("%s: to somebody else: %v", c.name, err)
		}
	}
}

// An hour that begins anywhere has no more than the limit.
func TestNoHourHasMore(t *testing.T) {
	t.Parallel()
	s := open(t)
	var sent []time.Time
	for at := noon; at.Before(noon.Add(5 * time.Hour)); at = at.Add(30 * time.Second) {
		o := s.single()
		o.At = at
		if _, err := s.Send(t.Context(), o); err == nil {
			sent = append(sent, at)
		}
	}
	for i := range sent {
		if i >= 20 && sent[i].Sub(sent[i-20]) <= time.Hour {
			t.Errorf("21 messages from %v to %v", sent[i-20], sent[i])
		}
	}
	if len(sent) < 80 {
		t.Errorf("%d messages in 5 hours", len(sent))
	}
}

func TestWhatIsRefusedIsNotCounted(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.terms.Limits = sms.Limits{Number: 2, Prefix: 3}
	s.balance = 0
	for range 5 {
		if _, err := s.Send(t.Context(), s.single()); fault.From(err).Code != fault.Credit {
			t.Fatal(err)
		}
	}
	s.balance = 1000
	// The fourth to one prefix refuses the whole batch.
	if _, err := s.Send(t.Context(), s.order([]string{"10001000"}, neighbours(4), []string{"a"})); fault.From(err).Code != fault.Quota {
		t.Fatal(err)
	}
	s.blocked["20002000 09120000001"] = true
	o := s.single()
	o.Lines = []string{"20002000"}
	for range 5 {
		if _, err := s.Send(t.Context(), o); err != nil {
			t.Fatalf("to somebody who wants none: %v", err)
		}
	}
	for i, want := range []fault.Code{255, 255, fault.Quota} {
		_, err := s.Send(t.Context(), s.single())
		if (err == nil) != (want == 255) || err != nil && fault.From(err).Code != want {
			t.Errorf("message %d: %v", i+1, err)
		}
	}
	another := s.single()
	another.Account = &account.Account{ID: "other", Lines: s.account.Lines}
	if _, err := s.Send(t.Context(), another); err != nil {
		t.Errorf("another account: %v", err)
	}
}

func TestPlayKnowsTheOrder(t *testing.T) {
	t.Parallel()
	s := open(t)
	o := s.order([]string{"+9810001000"}, []string{"09120000001", "09350000002"}, []string{"a"})
	o.Template = "t"
	if line, ok := o.Field("line"); !ok || line != "10001000" {
		t.Errorf("line %q", line)
	}
	if template, ok := o.Field("template"); !ok || template != "t" {
		t.Errorf("template %q", template)
	}
	if _, ok := o.Field("recipient"); ok {
		t.Error("two recipients are one")
	}
	if !o.Has("recipient", "09350000002") || o.Has("recipient", "09350000003") || o.Has("text", "a") {
		t.Error("recipients are not found")
	}
}
