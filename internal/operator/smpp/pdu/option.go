package pdu

import "encoding/binary"

// Tag names an optional parameter.
type Tag uint16

// The optional parameters that this project reads or writes.
const (
	ReceiptedID    Tag = 0x001e // receipted_message_id, a text with a NUL
	UserReference  Tag = 0x0204 // user_message_reference, two octets
	InterfaceVer   Tag = 0x0210 // sc_interface_version
	SarReference   Tag = 0x020c // sar_msg_ref_num, two octets
	SarTotal       Tag = 0x020e // sar_total_segments
	SarNumber      Tag = 0x020f // sar_segment_seqnum, from 1
	NetworkError   Tag = 0x0423 // network_error_code, one octet and two
	MessagePayload Tag = 0x0424
	MessageState   Tag = 0x0427
)

// Options are optional parameters as they are on the wire.
type Options []byte

// Add puts one more at the end; of a value longer than 65,535 octets none.
func (o Options) Add(tag Tag, value ...byte) Options {
	if len(value) > 0xffff {
		return o
	}
	o = binary.BigEndian.AppendUint16(o, uint16(tag))
	o = binary.BigEndian.AppendUint16(o, uint16(len(value)))
	return append(o, value...)
}

// Get gives the first of that name.
func (o Options) Get(tag Tag) ([]byte, bool) {
	for len(o) >= 4 {
		size := 4 + int(binary.BigEndian.Uint16(o[2:]))
		if size > len(o) {
			break
		}
		if Tag(binary.BigEndian.Uint16(o)) == tag {
			return o[4:size:size], true
		}
		o = o[size:]
	}
	return nil, false
}

// Number gives a parameter that is a number of at most four octets.
func (o Options) Number(tag Tag) (uint32, bool) {
	value, ok := o.Get(tag)
	if !ok || len(value) == 0 || len(value) > 4 {
		return 0, false
	}
	var n uint32
	for _, c := range value {
		n = n<<8 | uint32(c)
	}
	return n, true
}
