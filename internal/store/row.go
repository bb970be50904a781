package store

import (
	"encoding/binary"
	"encoding/json"
	"errors"
)

// A row of the register begins with the number of its form. The first form was
// JSON, which begins with a brace: such rows are read, and no longer written.
const (
	rowJSON    = '{'
	rowCompact = 1
)

// Flags of a compact row.
const (
	rowFemale = 1 << iota
	rowDead
)

// errRow says nothing about what is in the row.
var errRow = errors.New("the row cannot be read")

// append writes the compact form: what the person inquiry reads, and after it
// the rest. A text is its length and its bytes.
func (r *registeredRow) append(b []byte) []byte {
	b = r.personRow.append(append(b, rowCompact))
	b = appendTexts(b, r.Mobiles)
	b = binary.AppendUvarint(b, uint64(len(r.IBANs)))
	for _, i := range r.IBANs {
		b = appendText(b, i.IBAN)
		b = appendTexts(b, i.Cards)
		b = appendText(b, i.Status)
	}
	return appendText(appendText(b, r.Postal), r.Address)
}

func (r *personRow) append(b []byte) []byte {
	var flags byte
	if r.Female {
		flags |= rowFemale
	}
	if r.Dead {
		flags |= rowDead
	}
	b = append(b, flags)
	b = binary.AppendUvarint(b, uint64(r.Born)) //nolint:gosec // a date is above 0
	for _, text := range [...]string{r.Code, r.First, r.Last, r.Father, r.Series, r.Serial, r.Number} {
		b = appendText(b, text)
	}
	return b
}

func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

func appendTexts(b []byte, all []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(all)))
	for _, text := range all {
		b = appendText(b, text)
	}
	return b
}

func (r *personRow) decode(plain []byte) error {
	return decode(plain, r, r.read)
}

func (r *registeredRow) decode(plain []byte) error {
	return decode(plain, r, r.read)
}

func decode(plain []byte, asJSON any, compact func(*rowReader)) error {
	if len(plain) == 0 {
		return errRow
	}
	switch plain[0] {
	case rowCompact:
		from := rowReader{rest: string(plain[1:])}
		compact(&from)
		if from.short {
			return errRow
		}
		return nil
	case rowJSON:
		if json.Unmarshal(plain, asJSON) != nil {
			return errRow // the library's text quotes values
		}
		return nil
	default:
		return errRow
	}
}

func (r *personRow) read(from *rowReader) {
	flags := from.octet()
	r.Female, r.Dead = flags&rowFemale != 0, flags&rowDead != 0
	r.Born = from.number()
	for _, text := range [...]*string{&r.Code, &r.First, &r.Last, &r.Father, &r.Series, &r.Serial, &r.Number} {
		*text = from.text()
	}
}

func (r *registeredRow) read(from *rowReader) {
	r.personRow.read(from)
	r.Mobiles = from.texts()
	for range from.count() {
		i := ibanRow{IBAN: from.text()}
		i.Cards, i.Status = from.texts(), from.text()
		r.IBANs = append(r.IBANs, i)
	}
	r.Postal, r.Address = from.text(), from.text()
}

// rowReader reads a compact row. Its texts share the memory of the whole row,
// so that a person costs one allocation.
type rowReader struct {
	rest  string
	short bool // the row ended before it should
}

func (r *rowReader) octet() byte {
	if r.rest == "" {
		r.short = true
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

// number reads a varint, of which rows hold small ones alone.
func (r *rowReader) number() int {
	n := 0
	for shift := 0; shift < 35; shift += 7 {
		b := r.octet()
		n |= int(b&0x7F) << shift
		if b < 0x80 {
			return n
		}
	}
	r.short = true
	return 0
}

func (r *rowReader) text() string {
	n := r.number()
	if n > len(r.rest) {
		r.short = true
		return ""
	}
	text := r.rest[:n]
	r.rest = r.rest[n:]
	return text
}

// count reads how many parts follow, none of which is empty.
func (r *rowReader) count() int {
	n := r.number()
	if n > len(r.rest) {
		r.short = true
		return 0
	}
	return n
}

func (r *rowReader) texts() []string {
	n := r.count()
	if n == 0 {
		return nil
	}
	all := make([]string, n)
	for i := range all {
		all[i] = r.text()
	}
	return all
}
