package pdu

import "encoding/binary"

// Concat tells which part of which long message something is (3GPP TS 23.040,
// 9.2.3.24.1 and .8). The zero Concat is of a message that has one part.
type Concat struct {
	Reference     uint16
	Number, Total byte // Number from 1
}

// Information elements of a user data header.
const (
	elementConcat8  = 0x00
	elementConcat16 = 0x08
)

// AppendHeader writes a user data header with an 8-bit reference, of which the
// lower half is used. It takes 6 octets, or 7 septets: the number of parts is
// counted with that, so that no longer form can be sent.
func (c Concat) AppendHeader(b []byte) []byte {
	return append(b, 5, elementConcat8, 3, byte(c.Reference), c.Total, c.Number)
}

// AppendHeader16 writes one with a 16-bit reference, which takes an octet more.
func (c Concat) AppendHeader16(b []byte) []byte {
	b = append(b, 6, elementConcat16, 4)
	b = binary.BigEndian.AppendUint16(b, c.Reference)
	return append(b, c.Total, c.Number)
}

// SplitHeader takes a user data header off the text. A header that is longer
// than what there is, or tells a part that cannot be, tells nothing; only in the
// first case is it left where it is.
func SplitHeader(data []byte) (Concat, []byte) {
	if len(data) == 0 || int(data[0]) >= len(data) {
		return Concat{}, data
	}
	end := 1 + int(data[0])
	header, text := data[1:end], data[end:]
	var c Concat
	for len(header) >= 2 {
		kind, size := header[0], 2+int(header[1])
		if size > len(header) {
			break
		}
		switch value := header[2:size]; {
		case kind == elementConcat8 && len(value) == 3:
			c = Concat{uint16(value[0]), value[2], value[1]}
		case kind == elementConcat16 && len(value) == 4:
			c = Concat{binary.BigEndian.Uint16(value), value[3], value[2]}
		}
		header = header[size:]
	}
	return c.valid(), text
}

// Sar reads the same from optional parameters.
func Sar(o Options) Concat {
	reference, _ := o.Number(SarReference)
	total, given := o.Number(SarTotal)
	number, numbered := o.Number(SarNumber)
	if !given || !numbered || total > 0xff || number > 0xff {
		return Concat{}
	}
	return Concat{uint16(reference), byte(number), byte(total)}.valid()
}

// AddSar writes it as optional parameters.
func (c Concat) AddSar(o Options) Options {
	o = o.Add(SarReference, byte(c.Reference>>8), byte(c.Reference))
	return o.Add(SarTotal, c.Total).Add(SarNumber, c.Number)
}

func (c Concat) valid() Concat {
	if c.Total < 2 || c.Number == 0 || c.Number > c.Total {
		return Concat{}
	}
	return c
}
