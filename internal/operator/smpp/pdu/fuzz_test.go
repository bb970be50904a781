package pdu_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dargah.dev/dargah/internal/operator/smpp/pdu"
)

// FuzzPDU reads a stream as both ends would. What was understood is written
// again and must be understood the same.
func FuzzPDU(f *testing.F) {
	m := pdu.Message{
		Service: "CMT", From: pdu.Address{Digits: "30001234"}, To: pdu.Address{TON: 1, NPI: 1, Digits: "989120000000"},
		Text: []byte("id:1 stat:DELIVRD"), Options: pdu.Options(nil).Add(pdu.ReceiptedID, '1', 0),
	}
	for _, c := range []pdu.Command{pdu.SubmitSM, pdu.DeliverSM, pdu.DataSM, 0x00000003} {
		b, err := m.Append(nil, pdu.Header{Command: c, Sequence: 1})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	bind := pdu.Bind{SystemID: "dargah", Password: "secret08", Version: pdu.Version34}
	b, err := bind.Append(nil, pdu.Header{Command: pdu.BindTransceiver, Sequence: 1})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, stream []byte) {
		in := pdu.NewReader(bytes.NewReader(stream))
		for {
			h, body, err := in.Next()
			if err != nil {
				return
			}
			reread(t, h, body)
			if got, err := pdu.DecodeBind(body); err == nil {
				if _, err := got.Append(nil, h); err != nil {
					t.Errorf("a bind that was read cannot be written: %v", err)
				}
			}
			if id, err := pdu.DecodeAnswer(body); err == nil {
				if _, err := pdu.AppendAnswer(nil, h, id); err != nil {
					t.Errorf("an answer that was read cannot be written: %v", err)
				}
			}
		}
	})
}

func reread(t *testing.T, h pdu.Header, body []byte) {
	t.Helper()
	m, err := pdu.DecodeMessage(h.Command, body)
	if err != nil || len(m.Text) > 254 {
		return
	}
	wire, err := m.Append(nil, h)
	if err != nil {
		t.Fatalf("a message that was read cannot be written: %v", err)
	}
	again, err := pdu.DecodeMessage(h.Command, wire[pdu.HeaderSize:])
	if diff := cmp.Diff(m, again); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	pdu.SplitHeader(m.Content())
}

func FuzzHeader(f *testing.F) {
	f.Add([]byte{5, 0, 3, 7, 2, 1, 'a'})
	f.Add([]byte{6, 8, 4, 1, 7, 2, 1, 'a'})
	f.Add([]byte{255, 0, 3})
	f.Fuzz(func(t *testing.T, data []byte) {
		c, text := pdu.SplitHeader(data)
		if len(text) > len(data) || !bytes.HasSuffix(data, text) {
			t.Error("the text is not the end of what came")
		}
		if c != (pdu.Concat{}) && (c.Number < 1 || c.Number > c.Total || c.Total < 2) {
			t.Errorf("%v", c)
		}
	})
}

func FuzzOptions(f *testing.F) {
	f.Add([]byte(pdu.Options(nil).Add(pdu.ReceiptedID, '1', 0).Add(pdu.MessageState, 2)), uint16(pdu.MessageState))
	f.Add(bytes.Repeat([]byte{0x04, 0x24, 0, 0}, 16_000), uint16(pdu.ReceiptedID))
	f.Fuzz(func(t *testing.T, raw []byte, tag uint16) {
		value, ok := pdu.Options(raw).Get(pdu.Tag(tag))
		if ok && !bytes.Contains(raw, value) {
			t.Error("a value that is not there")
		}
		pdu.Options(raw).Number(pdu.Tag(tag))
		pdu.Sar(raw)
	})
}
