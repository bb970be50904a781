package sabapayamak

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/dialect/dialecttest"
	"dargah.dev/dargah/internal/token"
)

var sara = session{
	owner: &account.Account{
		Number: 7, FirstName: "سارا", LastName: "احمدی <&>", Username: "testuser", Domain: "sms.example",
	},
	line: "30001234", days: 15,
}

func TestEncodeSession(t *testing.T) {
	t.Parallel()
	const envelope = `{"status":"200","message":"با موفقیت انجام شد","id":1,"data":%,"errors":[]}`
	for _, test := range []struct {
		name string
		to   encoder
		want string
	}{
		{"as the page prints it", encoder{}, `{"Id":"7","FirstName":"سارا","LastName":"احمدی <&>","Username":"testuser","Domain":"sms.example","VirtualNumber":"30001234","Token":"a.b.c"}`},
		{"camelCase", encoder{camel: true}, `{"id":"7","firstName":"سارا","lastName":"احمدی <&>","username":"testuser","domain":"sms.example","virtualNumber":"30001234","token":"a.b.c"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := test.to.session(nil, sara, token.Issued{Access: "a.b.c"})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Replace(envelope, "%", test.want, 1), string(got.Body)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEncodeSessionHasThePagesShape(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("testdata/page/answers/200.json")
	if err != nil {
		t.Fatal(err)
	}
	got, err := encoder{}.session(nil, sara, token.Issued{Access: "a.b.c"})
	if err != nil {
		t.Fatal(err)
	}
	dialecttest.SameShape(t, page, got.Body)
	var sample, ours envelope
	for text, into := range map[string]*envelope{string(page): &sample, string(got.Body): &ours} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatal(err)
		}
		into.Data = nil
	}
	if diff := cmp.Diff(sample, ours); diff != "" {
		t.Errorf("beside data the page's sample is to the letter: %s", diff)
	}
}

func TestEncodeCredit(t *testing.T) {
	t.Parallel()
	for _, camel := range []bool{false, true} {
		got, err := encoder{camel}.credit(nil, wallet{}, purse{left: 5_000_000})
		want := `{"status":"200","message":"با موفقیت انجام شد","id":1,"data":5000000,"errors":[]}`
		if err != nil || string(got.Body) != want {
			t.Errorf("camel %v: got %s, %v; want %s", camel, got.Body, err, want)
		}
	}
}

func TestLowerNames(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"ID":1,"RecID":[{"UserID":"A"},{"B":{}}]}`:             `{"id":1,"recID":[{"userID":"A"},{"b":{}}]}`,
		`{"Text":"Say \"Hi\": \\","List":["A:","B"],"C":null}`:   `{"text":"Say \"Hi\": \\","list":["A:","B"],"c":null}`,
		`{"A":"\"","":"A","نام":"B","\u0041":1,"x":true,"_Y":2}`: `{"a":"\"","":"A","نام":"B","\u0041":1,"x":true,"_Y":2}`,
		`{"Id":1,"URLField":2,"already":3,"IsUnicode":4}`:        `{"id":1,"urlField":2,"already":3,"isUnicode":4}`,
		`"A"`: `"A"`, `12345`: `12345`, `[]`: `[]`, `null`: `null`,
	} {
		got := []byte(text)
		if lowerNames(got); string(got) != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

// TestLowerNamesKeepsValues: whatever the values, only names change.
func TestLowerNamesKeepsValues(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.String().Draw(t, "value")
		list := rapid.SliceOf(rapid.String()).Draw(t, "list")
		reply, err := dialect.JSON(200, struct {
			Value string
			List  []string
		}{value, list})
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Replace(strings.Replace(string(reply.Body), `{"Value":`, `{"value":`, 1), `,"List":[`, `,"list":[`, 1)
		if !strings.Contains(string(reply.Body), `,"List":[`) { // a nil list is null
			want = strings.Replace(want, `,"List":null}`, `,"list":null}`, 1)
		}
		if lowerNames(reply.Body); string(reply.Body) != want {
			t.Fatalf("got %s\nwant %s", reply.Body, want)
		}
	})
}
