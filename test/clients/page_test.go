package clients_test

import (
	"encoding/json"
	"fmt"
	"strings"
)

// step is what a sample prints about one call: which, the HTTP status, and the body as it came.
type step struct {
	Step   string         `json:"step"`
	Status int            `json:"status"`
	Body   map[string]any `json:"body"`
}

// page is a provider's page: the calls its samples make, in order, and what must come back.
type page struct {
	calls []call
}

type call struct {
	step  string
	judge func(body map[string]any) error
}

var (
	itsaaz   = page{[]call{{"token", judgeOAuthToken}, {"info", judgeCreditInfo}}}
	smsafzar = page{[]call{{"token", judgeToken}, {"balance", judgeBalance}}}
	// smsafzarMessages are the page's methods for messages, whose answers are ours.
	smsafzarMessages = page{[]call{
		{"token", judgeToken}, {"send", judgeSent(1)}, {"bulk", judgeSent(3)}, {"status", judgeStatuses(3, anyStatus)},
		{"schedule", judgeSent(1)}, {"waiting", judgeStatuses(1, 0)}, {"cancel", judgeBatch}, {"cancelled", judgeStatuses(1, 6)},
		{"recent", judgeMessages},
	}}
	sabapayamak = page{[]call{{"token", judgeLogin}, {"credit", judgeEnvelope}}}
	// sabapayamakMessages are those of the provider's libraries; the last three depend on who sends meanwhile.
	sabapayamakMessages = page{[]call{
		{"token", judgeLogin}, {"send", judgeAccepted(2)}, {"query", judgeAccepted(1)}, {"deliveries", judgeRows(2)},
		{"messages", judgeRows(1)}, {"unread", judgeRows(0)}, {"credits", judgeRows(1)},
	}}
	uid = page{[]call{{"person", judgePerson}}}
)

// judge says what is wrong with the steps, all of it; nothing when they are as the page shows.
func (p page) judge(steps []step) []error {
	if len(steps) != len(p.calls) {
		return []error{fmt.Errorf("got %d steps, want %d: %v", len(steps), len(p.calls), steps)}
	}
	var wrong []error
	for i, want := range p.calls {
		got := steps[i]
		switch {
		case got.Step != want.step:
			wrong = append(wrong, fmt.Errorf("step %d is %q, want %q", i+1, got.Step, want.step))
		case got.Status != 200:
			wrong = append(wrong, fmt.Errorf("%s: status %d, want 200: %v", got.Step, got.Status, got.Body))
		default:
			if err := want.judge(got.Body); err != nil {
				wrong = append(wrong, fmt.Errorf("%s: %w: %v", got.Step, err, got.Body))
			}
		}
	}
	return wrong
}

func judgeOAuthToken(body map[string]any) error {
	if token, ok := member(body, "access_token").(string); !ok || token == "" {
		return fmt.Errorf("no access_token")
	}
	if seconds, ok := member(body, "expires_in").(float64); !ok || seconds <= 0 {
		return fmt.Errorf("expires_in is not a number of seconds")
	}
	return expect(body, "Bearer", "token_type")
}

func judgeCreditInfo(body map[string]any) error {
	for name, want := range map[string]any{
		"hasReport":                    true,
		"reportIsGeneratedPast24Hours": true,
		"payUrl":                       "",
	} {
		if err := expect(body, want, "data", name); err != nil {
			return err
		}
	}
	return expect(body, nil, "error")
}

func judgeToken(body map[string]any) error {
	if token, ok := member(body, "token").(string); !ok || token == "" {
		return fmt.Errorf("no token")
	}
	return nil
}

// judgeBalance knows no member by name: the provider's page does not show them. Inquiries of the
// other samples are charged meanwhile, so the amount is only known to be at most the fixture's.
func judgeBalance(body map[string]any) error {
	for _, value := range body {
		if amount, ok := value.(float64); ok && amount > 0 && amount <= balance {
			return nil
		}
	}
	return fmt.Errorf("no amount between 1 and %d", balance)
}

// guidLength is that of the ids in the page's sample.
const guidLength = 36

func judgeBatch(body map[string]any) error {
	if id, ok := member(body, "batchId").(string); !ok || len(id) != guidLength {
		return fmt.Errorf("no batchId")
	}
	return nil
}

func judgeSent(messages int) func(map[string]any) error {
	return func(body map[string]any) error {
		ids, ok := member(body, "messageIds").([]any)
		if !ok || len(ids) != messages {
			return fmt.Errorf("want %d messageIds", messages)
		}
		return judgeBatch(body)
	}
}

// anyStatus: the server delivers while the client asks.
const anyStatus = -1000

func judgeStatuses(messages int, want float64) func(map[string]any) error {
	return func(body map[string]any) error {
		list, ok := member(body, "messages").([]any)
		if !ok || len(list) != messages {
			return fmt.Errorf("want %d messages", messages)
		}
		for _, one := range list {
			m, _ := one.(map[string]any)
			got, ok := member(m, "status").(float64)
			if !ok || want != anyStatus && got != want || got < 0 {
				return fmt.Errorf("status %v, want %v", member(m, "status"), want)
			}
		}
		return nil
	}
}

func judgeMessages(body map[string]any) error {
	if _, ok := member(body, "messages").([]any); !ok {
		return fmt.Errorf("no messages")
	}
	return nil
}

// judgeAccepted wants each recipient of a sending to be accepted, as the provider's plugin looks at it.
func judgeAccepted(recipients int) func(map[string]any) error {
	return func(body map[string]any) error {
		list, ok := member(body, "data", "Detail").([]any)
		if !ok || len(list) != recipients {
			return fmt.Errorf("want %d recipients", recipients)
		}
		for _, one := range list {
			d, _ := one.(map[string]any)
			if id, ok := member(d, "RecID").(float64); !ok || id < 1 || member(d, "Status") != float64(0) {
				return fmt.Errorf("a recipient is not accepted")
			}
		}
		return judgeEnvelope(body)
	}
}

// judgeRows wants a list of so many rows at least.
func judgeRows(least int) func(map[string]any) error {
	return func(body map[string]any) error {
		list, ok := member(body, "data").([]any)
		if !ok || len(list) < least {
			return fmt.Errorf("want %d rows at least", least)
		}
		return judgeEnvelope(body)
	}
}

func judgeLogin(body map[string]any) error {
	if err := judgeEnvelope(body); err != nil {
		return err
	}
	if token, ok := member(body, "data", "Token").(string); !ok || strings.Count(token, ".") != 2 {
		return fmt.Errorf("data.Token is not a JWT")
	}
	return expect(body, line, "data", "VirtualNumber")
}

func judgeEnvelope(body map[string]any) error {
	return expect(body, "200", "status")
}

func judgePerson(body map[string]any) error {
	for _, want := range []struct {
		value any
		path  []string
	}{
		{"GENDER_MAlE", []string{"basicInformation", "gender"}},
		{"12345679", []string{"identificationInformation", "nationalId"}},
		{birthDate, []string{"identificationInformation", "birthDate"}},
		{0.0, []string{"responseContext", "status", "code"}},
	} {
		if err := expect(body, want.value, want.path...); err != nil {
			return err
		}
	}
	return nil
}

// expect compares one member; an absent member is not the same as null.
func expect(body map[string]any, want any, path ...string) error {
	got := member(body, path...)
	if got != want {
		return fmt.Errorf("%s is %v, want %v", strings.Join(path, "."), got, want)
	}
	return nil
}

// absent stands for a member that is not there.
type absent struct{}

func (absent) String() string { return "absent" }

// member looks a member up by its exact name: encoding/json into a struct would let the letter
// case pass, and clients in other languages do not.
func member(body map[string]any, path ...string) any {
	var at any = body
	for _, name := range path {
		object, ok := at.(map[string]any)
		if !ok {
			return absent{}
		}
		if at, ok = object[name]; !ok {
			return absent{}
		}
	}
	return at
}

// readSteps reads what a sample printed: one JSON object after the other.
func readSteps(printed string) ([]step, error) {
	var steps []step
	for from := json.NewDecoder(strings.NewReader(printed)); from.More(); {
		var next step
		if err := from.Decode(&next); err != nil {
			return nil, fmt.Errorf("read step %d: %w", len(steps)+1, err)
		}
		steps = append(steps, next)
	}
	return steps, nil
}
