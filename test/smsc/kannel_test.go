package smsc_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"dargah.dev/dargah/internal/operator/smpp/pdu"
	"dargah.dev/dargah/internal/operator/smpp/smpptest"
	"dargah.dev/dargah/internal/sms"
)

// Kannel can only be a client: Debian has no SMPP server of its. So it plays the part that is ours elsewhere, and
// what it takes from our message centre for tests, and that from it, is read by both.
type kannel struct {
	send, url string          // where its smsbox takes messages, and where it tells of them
	told      chan url.Values // receipts and messages of phones
}

const kannelSettings = `
group = core
admin-port = %[1]d
admin-password = made-up
admin-interface = 127.0.0.1
smsbox-port = %[2]d
smsbox-interface = 127.0.0.1
dlr-storage = internal

group = smsc
smsc = smpp
smsc-id = ours
host = 127.0.0.1
port = %[3]s
smsc-username = dargah
smsc-password = secret08
system-type = VMA
transceiver-mode = true
enquire-link-interval = 1
reconnect-delay = 1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = %[4]d
sendsms-interface = 127.0.0.1

group = sendsms-user
username = tester
password = made-up
max-messages = 5
concatenation = true

group = sms-service
keyword = default
get-url = "http://%[5]s/?kind=message&from=%%p&to=%%P&coding=%%c&udh=%%u&text=%%b"
max-messages = 0
`

// startKannel runs its two programs until the test ends.
func startKannel(t *testing.T, server *smpptest.Server) *kannel {
	t.Helper()
	bearerbox, smsbox := kannelProgram(t, "bearerbox"), kannelProgram(t, "smsbox")
	k := &kannel{told: make(chan url.Values, 100)}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	web := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { k.told <- r.URL.Query() })}
	go func() { _ = web.Serve(listener) }()
	t.Cleanup(func() { _ = web.Close() })
	_, port, _ := net.SplitHostPort(server.Address())
	admin, box, send := freePort(t), freePort(t), freePort(t)
	file := filepath.Join(t.TempDir(), "kannel.conf")
	text := fmt.Sprintf(kannelSettings, admin, box, port, send, listener.Addr())
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	keep(t, bearerbox, file)
	await(t, func() bool { return server.Bound() > 0 })
	log := keep(t, smsbox, file)
	k.send = fmt.Sprintf("127.0.0.1:%d", send)
	// Its port opens before it knows the bearerbox, and a text that comes in
	// between kills it. The heart beats from when it does.
	await(t, func() bool {
		said, err := os.ReadFile(log)
		return err == nil && bytes.Contains(said, []byte("heartbeat_thread"))
	})
	k.url = "http://" + listener.Addr().String()
	return k
}

func kannelProgram(t *testing.T, name string) string {
	t.Helper()
	for _, place := range []string{name, filepath.Join("/usr/sbin", name)} {
		if path, err := exec.LookPath(place); err == nil {
			return path
		}
	}
	lack(t, "Debian package kannel")
	return ""
}

// keep runs a program that ends with the test, even with a test that is killed:
// the shell's input ends then. It gives the file that the program's words go to.
func keep(t *testing.T, program, file string) (log string) {
	t.Helper()
	log = filepath.Join(t.TempDir(), "log")
	cmd := exec.Command("sh", "-c", `"$1" "$2" >"$3" 2>&1 & read -r line; kill -KILL $!; wait`, "sh", program, file, log)
	input, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = input.Close()
		_ = cmd.Wait()
		if said, err := os.ReadFile(log); t.Failed() && err == nil {
			t.Logf("%s: %s", filepath.Base(program), said)
		}
	})
	return log
}

// freePort gives one that nobody has, below those of outgoing connections.
func freePort(t *testing.T) int {
	t.Helper()
	for {
		port := 15_000 + rand.IntN(17_000)
		if l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			_ = l.Close()
			return port
		}
	}
}

// submit has Kannel send a text.
func (k *kannel) submit(t *testing.T, text string, coding sms.Coding) {
	t.Helper()
	query := url.Values{
		"username": {"tester"}, "password": {"made-up"}, "from": {"30001234"}, "to": {"989120000000"}, "text": {text}, "charset": {"UTF-8"},
		"dlr-mask": {"3"}, "dlr-url": {k.url + "/?kind=receipt&type=%d&text=%A"},
	}
	if coding == sms.UCS2 {
		query.Set("coding", "2")
	}
	answer, err := http.Get("http://" + k.send + "/cgi-bin/sendsms?" + query.Encode())
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

func checkIncoming(t *testing.T, k *kannel, server *smpptest.Server) {
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
