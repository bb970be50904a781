package smpp_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dargah.dev/dargah/internal/config"
	"dargah.dev/dargah/internal/operator"
	"dargah.dev/dargah/internal/operator/smpp"
	"dargah.dev/dargah/internal/operator/smpp/pdu"
	"dargah.dev/dargah/internal/sms"
)

func TestMessage(t *testing.T) {
	t.Parallel()
	to := pdu.Address{TON: 1, NPI: 1, Digits: "989120000000"}
	line := pdu.Address{NPI: 1, Digits: "30001234"}
	header := []byte{5, 0, 3, 0xa7, 3, 2}
	second := func(p *operator.Part) { p.Reference, p.Number, p.Total = 0x1a7, 2, 3 }
	plain := pdu.Message{From: line, To: to, Registered: 1, Text: []byte("abc")}
	for _, c := range []struct {
		name string
		set  func(*smpp.Settings)
		part func(*operator.Part)
		want func(*pdu.Message)
	}{
		{"as it is", nil, nil, nil},
		{"urgent", nil, func(p *operator.Part) { p.Urgent = true }, func(m *pdu.Message) { m.Priority = 1 }},
		{"national", func(s *smpp.Settings) { s.Destination = "national" }, nil, func(m *pdu.Message) { m.To = pdu.Address{TON: 2, NPI: 1, Digits: "09120000000"} }},
		{"other kinds of numbers", func(s *smpp.Settings) {
			s.DestinationTON, s.DestinationNPI, s.SourceTON, s.SourceNPI = new(byte), new(byte), new(byte(3)), new(byte(9))
		}, nil, func(m *pdu.Message) { m.To.TON, m.To.NPI, m.From.TON, m.From.NPI = 0, 0, 3, 9 }},
		{"a line with a plus", nil, func(p *operator.Part) { p.From = "+9830001234" }, func(m *pdu.Message) { m.From.Digits = "9830001234" }},
		{"a name", nil, func(p *operator.Part) { p.From = "Bank-24" }, func(m *pdu.Message) { m.From = pdu.Address{TON: 5, Digits: "Bank-24"} }},
		{"UCS-2", nil, func(p *operator.Part) { p.Coding = sms.UCS2 }, func(m *pdu.Message) { m.Coding = 8 }},
		{"a part", nil, second, func(m *pdu.Message) { m.Class, m.Text = 0x40, []byte("\x05\x00\x03\xa7\x03\x02abc") }},
		{"a part with parameters", func(s *smpp.Settings) { s.Long = "sar" }, second, func(m *pdu.Message) {
			m.Options = pdu.Concat{Reference: 0x1a7, Number: 2, Total: 3}.AddSar(nil)
		}},
		{"a part in a parameter", func(s *smpp.Settings) { s.Long = "payload" }, second, func(m *pdu.Message) {
			m.Class, m.Text, m.Options = 0x40, nil, pdu.Options(nil).Add(pdu.MessagePayload, append(header, "abc"...)...)
		}},
		{"more than short_message takes", nil, func(p *operator.Part) { p.Data = bytes.Repeat([]byte("a"), 255) }, func(m *pdu.Message) {
			m.Text, m.Options = nil, pdu.Options(nil).Add(pdu.MessagePayload, bytes.Repeat([]byte("a"), 255)...)
		}},
		{"expires", nil, expires(90 * time.Second), func(m *pdu.Message) { m.Validity = "261122120130000+" }},
		{"expires in", relatively, expires(26*time.Hour + 61*time.Second), func(m *pdu.Message) { m.Validity = "000001020101000R" }},
		{"expires in months", relatively, expires(400 * 24 * time.Hour), func(m *pdu.Message) { m.Validity = "000030000000000R" }},
		{"has expired", relatively, expires(-time.Hour), func(m *pdu.Message) { m.Validity = "000000000001000R" }},
		{"expires, and that is not said", func(s *smpp.Settings) { s.Validity = "none" }, expires(time.Hour), nil},
		{"receipts of failures", func(s *smpp.Settings) { s.Receipts = "failure" }, nil, func(m *pdu.Message) { m.Registered = 2 }},
		{"no receipts", func(s *smpp.Settings) { s.Receipts = "never" }, nil, func(m *pdu.Message) { m.Registered = 0 }},
		{"a service", func(s *smpp.Settings) { s.Service = "CMT" }, nil, func(m *pdu.Message) { m.Service = "CMT" }},
		{
			"Latin-1", func(s *smpp.Settings) { s.Alphabet = "latin1" }, func(p *operator.Part) { p.Data = []byte("\x00\x1b<\x05") },
			func(m *pdu.Message) { m.Text = []byte("@[\xe9") },
		},
	} {
		s, p, want := settings("127.0.0.1:1"), part(t, "abc"), plain
		if c.set != nil {
			c.set(&s)
		}
		if c.part != nil {
			c.part(&p)
		}
		if c.want != nil {
			c.want(&want)
		}
		got, err := s.Message(p, now)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", c.name, err, diff)
		}
	}
}

func relatively(s *smpp.Settings) { s.Validity = "relative" }

func expires(after time.Duration) func(*operator.Part) {
	return func(p *operator.Part) { p.Expires = now.Add(after) }
}

// The table of Latin-1 is the alphabet of the package sms, which is proved
// elsewhere, wherever Latin-1 has the letter.
func TestLatin1(t *testing.T) {
	t.Parallel()
	for c := range 128 {
		for _, septets := range [][]byte{{byte(c)}, {0x1b, byte(c)}} {
			want := []rune(sms.Decode(sms.GSM7, septets))
			_, back := sms.Split(string(want))
			fits := len(want) == 1 && want[0] < 256 && bytes.Equal(back[0], septets)
			got, err := smpp.ToLatin1(septets)
			if fits != (err == nil) || fits && (len(got) != 1 || rune(got[0]) != want[0]) {
				t.Errorf("%x: %x %v, want %q", septets, got, err, string(want))
			}
		}
	}
}

func TestTemporary(t *testing.T) {
	t.Parallel()
	for status, want := range map[pdu.Status]bool{
		pdu.SystemError: true, pdu.SubmitFailed: true, pdu.Later: true, pdu.UnknownError: true, 0x400: true, pdu.InvalidBindStatus: true,
		pdu.InvalidDest: false, pdu.InvalidSource: false, pdu.InvalidLength: false, pdu.Never: false, 0x61: false, 0xc4: false,
	} {
		if got := smpp.Temporary(status); got != want {
			t.Errorf("%#x: %v", uint32(status), got)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	if err := settings("smsc.example:2775").Check(); err != nil {
		t.Error(err)
	}
	bad := filepath.Join(t.TempDir(), "bad.pem")
	if err := os.WriteFile(bad, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := smpp.Settings{
		Address: "smsc", Password: "far too long", SystemType: "thirteen_char", Bind: "both", Binds: 17, Window: 1001, PartsPerSecond: -1,
		EnquireEvery: time.Millisecond, ResponseWithin: time.Hour, TLS: true, TLSFile: bad, Destination: "local", SourceTON: new(byte(19)),
		Long: "short", Validity: "long", Receipts: "often", Alphabet: "ebcdic", Service: "sixsix", Zone: "Tehran",
	}.Check()
	if err == nil {
		t.Fatal("everything is wrong, and nothing was said")
	}
	for _, key := range []string{
		"name", "address", "systemId", "password", "systemType", "bind", "binds", "window", "partsPerSecond", "enquireEvery", "responseWithin",
		"tls", "destination", "sourceTon", "long", "validity", "receipts", "alphabet", "service", "zone",
	} {
		if !strings.Contains("\n"+err.Error(), "\n"+key+": ") {
			t.Errorf("nothing about %s", key)
		}
	}
	if strings.Contains(err.Error(), "far too") {
		t.Error("the password is told")
	}
	if err := (smpp.Settings{Name: "a", Address: "b:1", SystemID: "c", TLSName: "d"}).Check(); err == nil || !strings.Contains(err.Error(), "tls: ") {
		t.Errorf("a name without TLS: %v", err)
	}
	if _, err := smpp.New(smpp.Settings{Name: "first"}, newInbox(), nil); err == nil || !strings.Contains(err.Error(), "operator first: ") {
		t.Errorf("%v", err)
	}
}

func TestSecret(t *testing.T) {
	t.Parallel()
	s := settings("smsc.example:2775")
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("settings", "all", s, "password", s.Password)
	for _, printed := range []string{fmt.Sprint(s), fmt.Sprintf("%+v %#v %q", s, s, s.Password), log.String()} {
		if strings.Contains(printed, string(s.Password)) || !strings.Contains(printed, "xxxxx") {
			t.Error(printed)
		}
	}
	if config.Secret("").String() != "" {
		t.Error("a password that is not there is masked")
	}
}
