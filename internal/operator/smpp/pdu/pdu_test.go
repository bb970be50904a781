package pdu_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"dargah.dev/dargah/internal/operator/smpp/pdu"
)

// octets reads hexadecimal with blanks, and text in quotes.
func octets(t *testing.T, lines ...string) []byte {
	t.Helper()
	var b []byte
	for _, word := range strings.Fields(strings.Join(lines, " ")) {
		if text, quoted := strings.CutPrefix(word, "'"); quoted {
			b = append(b, strings.ReplaceAll(text, "_", " ")...)
			continue
		}
		raw, err := hex.DecodeString(word)
		if err != nil {
			t.Fatal(err)
		}
		b = append(b, raw...)
	}
	return b
}

// The octets are those of the tables in chapter 4 of the specification, laid
// out by hand.
func TestGolden(t *testing.T) {
	t.Parallel()
	submit := pdu.Message{
		Service: "CMT", From: pdu.Address{TON: 0, NPI: 1, Digits: "30001234"}, To: pdu.Address{TON: 1, NPI: 1, Digits: "989120000000"},
		Class: pdu.ClassHeader, Priority: 1, Validity: "261122235959000+", Registered: 1, Coding: 8, Text: []byte{5, 0, 3, 7, 2, 1, 6, 0x33},
	}
	receipt := pdu.Message{
		From: pdu.Address{TON: 1, NPI: 1, Digits: "989120000000"}, To: pdu.Address{Digits: "30001234"}, Class: pdu.ClassReceipt,
		Text:    []byte("id:7 stat:DELIVRD"),
		Options: pdu.Options(nil).Add(pdu.ReceiptedID, 'a', 'f', 0).Add(pdu.MessageState, 2),
	}
	data := pdu.Message{
		From: pdu.Address{Digits: "1"}, To: pdu.Address{Digits: "2"}, Registered: 1, Coding: 8,
		Options: pdu.Options(nil).Add(pdu.MessagePayload, 6, 0x33),
	}
	for _, c := range []struct {
		name  string
		write func() ([]byte, error)
		want  []byte
	}{
		{"bind_transceiver", func() ([]byte, error) {
			b := pdu.Bind{SystemID: "dargah", Password: "secret08", SystemType: "VMA", Version: pdu.Version34, Range: pdu.Address{TON: 1, NPI: 1}}
			return b.Append(nil, pdu.Header{Command: pdu.BindTransceiver, Sequence: 1})
		}, octets(t, "00000028 00000009 00000000 00000001", "'dargah 00 'secret08 00 'VMA 00 34 01 01 00")},
		{"submit_sm", func() ([]byte, error) {
			return submit.Append(nil, pdu.Header{Command: pdu.SubmitSM, Sequence: 0x7fffffff})
		}, octets(t, "00000050 00000004 00000000 7fffffff", "'CMT 00 00 01 '30001234 00 01 01 '989120000000 00 40 00 01 00",
			"'261122235959000+ 00 01 00 08 00 08 0500030702010633")},
		{"deliver_sm", func() ([]byte, error) {
			return receipt.Append(nil, pdu.Header{Command: pdu.DeliverSM, Sequence: 2})
		}, octets(t, "00000052 00000005 00000000 00000002", "00 01 01 '989120000000 00 00 00 '30001234 00 04 00 00 00 00 00 00 00 00",
			"11 'id:7_stat:DELIVRD 001e 0003 'af 00 0427 0001 02")},
		{"data_sm", func() ([]byte, error) {
			return data.Append(nil, pdu.Header{Command: pdu.DataSM, Sequence: 3})
		}, octets(t, "00000022 00000103 00000000 00000003", "00 00 00 '1 00 00 00 '2 00 00 01 08 0424 0002 0633")},
		{"submit_sm_resp", func() ([]byte, error) {
			return pdu.AppendAnswer(nil, pdu.Header{Command: pdu.SubmitSM.Answer(), Sequence: 4}, "0A1f")
		}, octets(t, "00000015 80000004 00000000 00000004 '0A1f 00")},
		{"enquire_link_resp", func() ([]byte, error) {
			return pdu.Header{Command: pdu.EnquireLink.Answer(), Sequence: 5}.Append(nil), nil
		}, octets(t, "00000010 80000015 00000000 00000005")},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := c.write()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(hex.Dump(c.want), hex.Dump(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// address and text draw what fits into C-octet strings.
func text(most int) *rapid.Generator[string] {
	return rapid.StringOfN(rapid.RuneFrom([]rune("09azAZ+: é")), 0, most/2, most-1)
}

func address(t *rapid.T) pdu.Address {
	return pdu.Address{TON: rapid.Byte().Draw(t, "ton"), NPI: rapid.Byte().Draw(t, "npi"), Digits: text(21).Draw(t, "digits")}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		h := pdu.Header{Command: pdu.SubmitSM, Sequence: rapid.Uint32().Draw(t, "sequence")}
		b := func(name string) byte { return rapid.Byte().Draw(t, name) }
		want := pdu.Message{
			Service: text(6).Draw(t, "service"), From: address(t), To: address(t), Class: b("class"), Protocol: b("protocol"),
			Priority: b("priority"), Scheduled: text(17).Draw(t, "scheduled"), Validity: text(17).Draw(t, "validity"),
			Registered: b("registered"), Replace: b("replace"), Coding: b("coding"), Canned: b("canned"),
			Text: rapid.SliceOfN(rapid.Byte(), 0, 254).Draw(t, "text"), Options: pdu.Options{},
		}
		for _, tag := range rapid.SliceOfN(rapid.Uint16(), 0, 5).Draw(t, "tags") {
			want.Options = want.Options.Add(pdu.Tag(tag), rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "value")...)
		}
		wire, err := want.Append([]byte("before"), h)
		if err != nil {
			t.Fatal(err)
		}
		in := pdu.NewReader(bytes.NewReader(wire[len("before"):]))
		gotHeader, body, err := in.Next()
		if err != nil || gotHeader != h {
			t.Fatalf("%v, %v", gotHeader, err)
		}
		got, err := pdu.DecodeMessage(h.Command, body)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if _, _, err := in.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("after the last: %v", err)
		}
	})
}

func TestAppendRefuses(t *testing.T) {
	t.Parallel()
	h := pdu.Header{Command: pdu.SubmitSM, Sequence: 1}
	for _, c := range []struct {
		field string
		m     pdu.Message
	}{
		{"source_addr", pdu.Message{From: pdu.Address{Digits: strings.Repeat("1", 21)}}},
		{"destination_addr", pdu.Message{To: pdu.Address{Digits: "1\x002"}}},
		{"short_message", pdu.Message{Text: make([]byte, 255)}},
		{"message_payload", pdu.Message{Options: pdu.Options(nil).Add(pdu.MessagePayload, make([]byte, 65_500)...)}},
	} {
		got, err := c.m.Append([]byte("before"), h)
		var wrong *pdu.FieldError
		if !errors.As(err, &wrong) || wrong.Field != c.field || string(got) != "before" {
			t.Errorf("%s: %v, and %q is left", c.field, err, got)
		}
	}
}

func TestReaderRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		wire []byte
		want error
		h    uint32 // the sequence that is known
	}{
		{"nothing", nil, io.EOF, 0},
		{"half a length", octets(t, "0000"), io.ErrUnexpectedEOF, 0},
		{"a length alone", octets(t, "00000010"), io.ErrUnexpectedEOF, 0},
		{"half a body", octets(t, "00000014 00000015 00000000 00000001 0000"), io.ErrUnexpectedEOF, 0},
		{"no length", octets(t, "00000000 00000015 00000000 00000001"), &pdu.LengthError{}, 0},
		{"too short", octets(t, "0000000f 00000015 00000000 00000001"), &pdu.LengthError{Length: 15}, 0},
		{"one too long", octets(t, "00010001 00000015 00000000 00000007"), &pdu.LengthError{Length: 65537, Sequence: 7}, 7},
		{"four gigabytes", octets(t, "ffffffff 00000015 00000000 00000007"), &pdu.LengthError{Length: 0xffffffff, Sequence: 7}, 7},
	} {
		_, _, err := pdu.NewReader(bytes.NewReader(c.wire)).Next()
		var length, wanted *pdu.LengthError
		if errors.As(c.want, &wanted) {
			if !errors.As(err, &length) || *length != *wanted {
				t.Errorf("%s: %v", c.name, err)
			}
		} else if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	head := "00 00 00 '1 00 00 00 '2 00 00 00 00 00 00 00 00 00 00 "
	for name, body := range map[string][]byte{
		"nothing":                    nil,
		"a text without its end":     octets(t, "00 00 00 '123"),
		"an address of 21":           octets(t, "00 00 00 '"+strings.Repeat("1", 21)+" 00"),
		"sm_length beyond the body":  octets(t, head+"05 'abcd"),
		"half an optional parameter": octets(t, head+"00 0424"),
		"a longer one than the body": octets(t, head+"00 0424 0003 'ab"),
	} {
		if m, err := pdu.DecodeMessage(pdu.DeliverSM, body); !errors.Is(err, pdu.ErrBody) || m.Options != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := pdu.DecodeAnswer(bytes.Repeat([]byte("1"), 65)); !errors.Is(err, pdu.ErrBody) {
		t.Errorf("an id of 65: %v", err)
	}
	for _, body := range []string{"", "7", "7\x00", "7\x00rest"} {
		if id, err := pdu.DecodeAnswer([]byte(body)); err != nil || id != strings.Trim(body, "\x00rest") {
			t.Errorf("%q: %q, %v", body, id, err)
		}
	}
}

func TestConcat(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, data string
		want       pdu.Concat
		text       string
	}{
		{"8 bit", "05 00 03 07 02 01 'ab", pdu.Concat{Reference: 7, Number: 1, Total: 2}, "ab"},
		{"16 bit", "06 08 04 0107 03 02 'ab", pdu.Concat{Reference: 0x107, Number: 2, Total: 3}, "ab"},
		{"ports first", "0b 05 04 1581 0000 00 03 07 02 02 'ab", pdu.Concat{Reference: 7, Number: 2, Total: 2}, "ab"},
		{"ports alone", "06 05 04 1581 0000 'ab", pdu.Concat{}, "ab"},
		{"part 3 of 2", "05 00 03 07 02 03 'ab", pdu.Concat{}, "ab"},
		{"part 0", "05 00 03 07 02 00 'ab", pdu.Concat{}, "ab"},
		{"one part", "05 00 03 07 01 01 'ab", pdu.Concat{}, "ab"},
		{"an element beyond the header", "05 00 09 07 02 01 'ab", pdu.Concat{}, "ab"},
		{"a header beyond the text", "09 00 03 07 02 01 'ab", pdu.Concat{}, "\x09\x00\x03\x07\x02\x01ab"},
		{"no text", "05 00 03 07 02 01", pdu.Concat{Reference: 7, Number: 1, Total: 2}, ""},
		{"nothing", "", pdu.Concat{}, ""},
	} {
		got, text := pdu.SplitHeader(octets(t, c.data))
		if got != c.want || string(text) != c.text {
			t.Errorf("%s: %v, %q", c.name, got, text)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.ByteRange(2, 255).Draw(t, "total")
		want := pdu.Concat{Reference: rapid.Uint16().Draw(t, "reference"), Total: total, Number: rapid.ByteRange(1, total).Draw(t, "number")}
		if got := pdu.Sar(want.AddSar(nil)); got != want {
			t.Errorf("sar: %v", got)
		}
		if got, _ := pdu.SplitHeader(want.AppendHeader16(nil)); got != want {
			t.Errorf("16 bit: %v", got)
		}
		want.Reference &= 0xff
		if got, _ := pdu.SplitHeader(want.AppendHeader(nil)); got != want {
			t.Errorf("8 bit: %v", got)
		}
	})
}
