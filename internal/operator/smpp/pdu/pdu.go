// Package pdu owns the bytes of SMPP 3.4 (the specification's issue 1.2): the
// frames of a connection, the bodies that a client and a message centre
// exchange, optional parameters, and the header that parts of a long message
// carry. It knows no connection, keeps nothing, and takes any bytes without
// harm.
package pdu

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The bounds of a PDU, in octets. SMPP knows no upper one; 64 KiB holds the
// largest message_payload that can be, and what goes beyond is an attack or a
// stream that is out of step.
const (
	HeaderSize = 16
	MaxSize    = 64 << 10
)

// Command is a command_id.
type Command uint32

// The commands. An answer's is that of its request with the highest bit set.
const (
	GenericNack       Command = 0x80000000
	BindReceiver      Command = 0x00000001
	BindTransmitter   Command = 0x00000002
	SubmitSM          Command = 0x00000004
	DeliverSM         Command = 0x00000005
	Unbind            Command = 0x00000006
	BindTransceiver   Command = 0x00000009
	Outbind           Command = 0x0000000b
	EnquireLink       Command = 0x00000015
	AlertNotification Command = 0x00000102
	DataSM            Command = 0x00000103
)

const answerBit Command = 0x80000000

// Answer is the command of the answer to a request.
func (c Command) Answer() Command { return c | answerBit }

// IsAnswer tells whether the PDU answers another.
func (c Command) IsAnswer() bool { return c&answerBit != 0 }

// Status is a command_status.
type Status uint32

// The statuses that this project names; 5.1.3 of the specification has all.
const (
	OK                Status = 0x00
	InvalidLength     Status = 0x01 // ESME_RINVMSGLEN
	InvalidCommandLen Status = 0x02 // ESME_RINVCMDLEN
	InvalidCommand    Status = 0x03 // ESME_RINVCMDID
	InvalidBindStatus Status = 0x04 // ESME_RINVBNDSTS
	AlreadyBound      Status = 0x05 // ESME_RALYBND
	SystemError       Status = 0x08 // ESME_RSYSERR
	InvalidSource     Status = 0x0a // ESME_RINVSRCADR
	InvalidDest       Status = 0x0b // ESME_RINVDSTADR
	BindFailed        Status = 0x0d // ESME_RBINDFAIL
	InvalidPassword   Status = 0x0e // ESME_RINVPASWD
	InvalidSystemID   Status = 0x0f // ESME_RINVSYSID
	QueueFull         Status = 0x14 // ESME_RMSGQFUL
	SubmitFailed      Status = 0x45 // ESME_RSUBMITFAIL
	Throttled         Status = 0x58 // ESME_RTHROTTLED
	Later             Status = 0x64 // ESME_RX_T_APPN: bring it again
	Never             Status = 0x65 // ESME_RX_P_APPN: do not bring it again
	DeliveryFailed    Status = 0xfe // ESME_RDELIVERYFAILURE
	UnknownError      Status = 0xff // ESME_RUNKNOWNERR
)

// LastSequence is the highest sequence_number; 1 comes after it.
const LastSequence = 0x7fffffff

// Header is what every PDU begins with, but for its length.
type Header struct {
	Command  Command
	Status   Status
	Sequence uint32
}

// Append writes a PDU without a body.
func (h Header) Append(b []byte) []byte { return finish(h.begin(b), len(b)) }

// begin writes the header with room for the length, which finish fills in.
func (h Header) begin(b []byte) []byte {
	b = append(b, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint32(b, uint32(h.Command))
	b = binary.BigEndian.AppendUint32(b, uint32(h.Status))
	return binary.BigEndian.AppendUint32(b, h.Sequence)
}

func finish(b []byte, at int) []byte {
	binary.BigEndian.PutUint32(b[at:], uint32(len(b)-at))
	return b
}

// ErrBody is a body that is not what its command asks for. The frame is whole,
// so that the connection can go on.
var ErrBody = errors.New("malformed body")

// LengthError is a command_length that no PDU has. Nothing after it can be
// read.
type LengthError struct {
	Length   uint32
	Sequence uint32 // 0 where the frame does not reach as far
}

func (e *LengthError) Error() string { return fmt.Sprintf("a PDU of %d octets", e.Length) }

// Reader takes PDUs from a stream.
type Reader struct {
	in   *bufio.Reader
	last int // octets of the PDU that was handed out
}

// NewReader makes a reader with a buffer of MaxSize.
func NewReader(r io.Reader) *Reader { return &Reader{in: bufio.NewReaderSize(r, MaxSize)} }

// Next gives the next PDU; its body is good until the next call. A stream that
// ends between two PDUs is io.EOF, one that ends within one is
// io.ErrUnexpectedEOF.
func (r *Reader) Next() (Header, []byte, error) {
	if _, err := r.in.Discard(r.last); err != nil {
		return Header{}, nil, err
	}
	r.last = 0
	start, err := r.in.Peek(4)
	if err != nil {
		return Header{}, nil, ended(err, len(start))
	}
	length := binary.BigEndian.Uint32(start)
	if length < HeaderSize {
		return Header{}, nil, &LengthError{Length: length}
	}
	whole, err := r.in.Peek(HeaderSize)
	if err != nil {
		return Header{}, nil, ended(err, len(whole))
	}
	h := Header{
		Command:  Command(binary.BigEndian.Uint32(whole[4:])),
		Status:   Status(binary.BigEndian.Uint32(whole[8:])),
		Sequence: binary.BigEndian.Uint32(whole[12:]),
	}
	if length > MaxSize {
		return h, nil, &LengthError{Length: length, Sequence: h.Sequence}
	}
	if whole, err = r.in.Peek(int(length)); err != nil {
		return h, nil, ended(err, len(whole))
	}
	r.last = int(length)
	return h, whole[HeaderSize:], nil
}

func ended(err error, got int) error {
	if got > 0 && errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
