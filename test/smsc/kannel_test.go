package smsc_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"dargah.dev/dargah/internal/operator/smpp/pdu"
	"dargah.dev/dargah/internal/operator/smpp/smpptest"
	"dargah.dev/dargah/internal/sms"
	"dargah.dev/dargah/test/kannel"
)

// Kannel can only be a client: Debian has no SMPP server of its. So it plays the part that is ours elsewhere, and
// what it takes from our message centre for tests, and that from it, is read by both.
type gateway struct {
	*kannel.Kannel
	url  string          // where it tells of them
	told chan url.Values // receipts and messages of phones
}

// startKannel runs it until the test ends.
func startKannel(t *testing.T, server *smpptest.Server) *gateway {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	k := &gateway{told: make(chan url.Values, 100), url: "http://" + listener.Addr().String()}
	web := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { k.told <- r.URL.Query() })}
	go func() { _ = web.Serve(listener) }()
	t.Cleanup(func() { _ = web.Close() })
	k.Kannel, err = kannel.Start(kannel.Options{
		Dir: t.TempDir(), Centre: server.Address(), SystemID: "dargah", Password: "secret08",
		Told: k.url + "/?kind=message&from=%p&to=%P&coding=%c&udh=%u&text=%b",
	})
	if errors.Is(err, kannel.ErrMissing) {
		lack(t, "Debian package kannel")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		k.Stop()
		if t.Failed() {
			t.Log(k.Said())
		}
	})
	return k
}

// submit has Kannel send a text.
func (k *gateway) submit(t *testing.T, text string, coding sms.Coding) {
	t.Helper()
	query := url.Values{
		"username": {kannel.User}, "password": {kannel.Password}, "from": {"30001234"}, "to": {"989120000000"}, "text": {text}, "charset": {"UTF-8"},
		"dlr-mask": {"3"}, "dlr-url": {k.url + "/?kind=receipt&type=%d&text=%A"},
	}
	if coding == sms.UCS2 {
		query.Set("coding", "2")
	}
	answer, err := http.Get("http://" + k.Address + "/cgi-bin/sendsms?" + query.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusAccepted {
		t.Fatalf("sendsms: %d %s %v", answer.StatusCode, said, err)
	}
}

func TestKannel(t *testing.T) {
	t.Parallel()
	delivered := map[bool]func(smpptest.Part, string) pdu.Message{
		true:  func(p smpptest.Part, id string) pdu.Message { return smpptest.Receipt(p, id, "DELIVRD") },
		false: func(p smpptest.Part, id string) pdu.Message { return smpptest.TaggedReceipt(p, id, 2) },
	}
	server := smpptest.Start(t, smpptest.Options{
		SystemID: "dargah", Password: "secret08", Keep: true,
		ID: func(n uint64) string { return fmt.Sprintf("k%05d", n) },
		Receipts: func(p smpptest.Part, id string) []pdu.Message {
			return []pdu.Message{delivered[p.Arrived%2 == 0](p, id)}
		},
	})
	k := startKannel(t, server)
	texts := []string{
		"Code: 12345 [a] {b} ~ 5 € é", "کد ورود شما: ۱۲۳۴۵", strings.Repeat("0123456789 [abc] ", 20), strings.Repeat("این پیامک بلند است. ", 8),
	}
	had := 0
	for _, text := range texts {
		coding, want := sms.Split(text)
		k.submit(t, text, coding)
		await(t, func() bool { return int(server.Taken()) >= had+len(want) })
		var data [][]byte
		for _, p := range server.Parts()[had:] {
			mark, content := pdu.Concat{}, p.Content()
			if p.Class&pdu.ClassHeader != 0 {
				mark, content = pdu.SplitHeader(content)
			}
			data = append(data, content)
			if len(want) > 1 && (int(mark.Total) != len(want) || int(mark.Number) != len(data)) {
				t.Errorf("part %d says %+v", len(data), mark)
			}
			if p.From.Digits != "30001234" || p.To.Digits != "989120000000" || p.Coding != byte(coding) {
				t.Errorf("%+v", p.Message)
			}
		}
		if got := sms.Join(coding, data); got != text {
			t.Errorf("%q", got)
		}
		had += len(want)
	}
	for range texts { // of a long one Kannel asks for the receipt of one part
		if told := <-k.told; told.Get("kind") != "receipt" || told.Get("type") != "1" {
			t.Errorf("Kannel read %q", told)
		}
	}
	checkIncoming(t, k, server)
}

func checkIncoming(t *testing.T, k *gateway, server *smpptest.Server) {
	t.Helper()
	for text, coding := range map[string]sms.Coding{"OK [1]": sms.GSM7, "سلام": sms.UCS2} {
		_, data := sms.Split(text)
		status, err := server.Deliver(t.Context(), smpptest.Incoming("989120000000", "30001234", byte(coding), data[0]))
		if err != nil || status != pdu.OK {
			t.Errorf("Kannel answered with status %#x, %v", status, err)
		}
		told := <-k.told
		got := told.Get("text")
		if coding == sms.UCS2 {
			got = sms.Decode(coding, []byte(got))
		}
		if told.Get("kind") != "message" || !strings.HasSuffix(told.Get("from"), "989120000000") || got != text {
			t.Errorf("Kannel read %q", told)
		}
	}
}
