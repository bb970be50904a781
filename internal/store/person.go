package store

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/inquiry/person"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/seal"
)

// personHash is the purpose of the hash under which people are looked up.
const personHash = "person"

// personKey is where a person's row is: the keyed hash of the national code,
// in two parts. The first is the row's number in the table, so that the row is
// reached without an index beside it; of ten million rows that is half the
// pages. The second tells whose row it is.
type personKey struct {
	id   int64
	rest [seal.HashSize - 8]byte
}

// keyOf is the key of a keyed hash.
func keyOf(hash []byte) (k personKey) {
	k.id = int64(binary.BigEndian.Uint64(hash)) //nolint:gosec // all of its bits
	copy(k.rest[:], hash[8:])
	return k
}

// Person is one entry of the register: the person, and what other inquiries
// answer from.
type Person struct {
	person.Person
	Mobiles    []persian.Mobile
	IBANs      []IBAN
	PostalCode string // ten ASCII digits, or nothing
	Address    string
}

// IBAN is a bank account with the cards that belong to it.
type IBAN struct {
	IBAN   persian.IBAN
	Cards  []persian.Card
	Status string
}

// Person looks a person up by national code; nobody by that code is
// fault.NotFound, and takes as long to find out.
func (s *Store) Person(ctx context.Context, code persian.NationalCode) (person.Person, error) {
	var row personRow
	if err := s.persons.read(ctx, code, &row); err != nil {
		return person.Person{}, err
	}
	return row.person(code), nil
}

// PersonBorn is Person for who knows the birth date: any other date is
// fault.NotFound too, and takes as long.
func (s *Store) PersonBorn(ctx context.Context, code persian.NationalCode, born persian.Date) (person.Person, error) {
	var row personRow
	if err := s.persons.readBorn(ctx, code, born, &row); err != nil {
		return person.Person{}, err
	}
	return row.person(code), nil
}

// Registered is Person with everything that the register has.
func (s *Store) Registered(ctx context.Context, code persian.NationalCode) (Person, error) {
	var row registeredRow
	if err := s.persons.read(ctx, code, &row); err != nil {
		return Person{}, err
	}
	return row.registered(code)
}

// personReader reads rows of the register.
type personReader struct {
	keys *seal.Keyring
	rows *lookups
	// absent is unsealed and decoded where there is no row, so that the time
	// does not tell whether there is one.
	absent  []byte
	mirrors *mirrors
}

func newPersonReader(made *statements, readers int, keys *seal.Keyring, dirs []string) (personReader, error) {
	r := personReader{keys: keys, rows: made.lookups(readers), mirrors: newMirrors(dirs)}
	if made.err != nil {
		return r, fmt.Errorf("prepare the look-up of people: %w", made.err)
	}
	nobody := registeredRow{
		personRow: personRow{
			Code: "0000000000", Born: 13000101, First: "محمدرضا", Last: "اسفندیاری اصفهانی", Father: "محمدرضا",
			Series: "ا۱۱", Serial: "000000", Number: "0",
		},
		Mobiles: []string{"09000000000"},
		IBANs:   []ibanRow{{IBAN: "IR000000000000000000000000", Cards: []string{"0000000000000000"}, Status: "active"}},
		Postal:  "1111111111", Address: "تهران، خیابان جمهوری، پلاک ۱۰۰",
	}
	var err error
	r.absent, err = keys.Seal(nobody.append(nil), absentWhat)
	return r, err
}

// close ends the mirror; where opening failed there may be none.
func (r *personReader) close() error {
	if r.mirrors == nil {
		return nil
	}
	return r.mirrors.close()
}

// absentWhat is as long as any row's.
const absentWhat = "person/--------------------------------"

// readBorn decodes the row of a code and a birth date into row, from the mirror
// where it is there. Who does not know the birth date is answered from the
// database, as where nobody has the code: the time tells nothing.
func (r *personReader) readBorn(ctx context.Context, code persian.NationalCode, born persian.Date, row *personRow) error {
	var hash [seal.HashSize]byte
	id := r.keys.AppendHash(hash[:0], personHash, code.Digits())
	known := ctx.Err() == nil && r.mirrors.with(keyOf(id), func(sealed []byte) bool {
		what := personWhat(id)
		if sealed == nil {
			what, sealed = absentWhat, r.absent
		}
		return r.open(sealed, what, code, row) == nil && row.Born == number(born)
	})
	if known {
		return nil
	}
	*row = personRow{}
	if err := r.read(ctx, code, row); err != nil {
		return err
	}
	if row.Born != number(born) {
		return fault.New(fault.NotFound)
	}
	r.mirrors.lacks(keyOf(id))
	return nil
}

// rowOf is a row that can be decoded.
type rowOf interface {
	code() string
	decode(plain []byte) error
}

// read decodes the row of a code into row.
func (r *personReader) read(ctx context.Context, code persian.NationalCode, row rowOf) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("look a person up: %w", err)
	}
	id := r.keys.Hash(personHash, code.Digits())
	sealed, err := r.rows.find(ctx, keyOf(id))
	if err != nil {
		return fmt.Errorf("look a person up: %w", err)
	}
	what, missing := personWhat(id), sealed == nil
	if missing {
		what, sealed = absentWhat, r.absent
	}
	err = r.open(sealed, what, code, row)
	if missing && err == nil {
		err = fault.New(fault.NotFound)
	}
	return err
}

// open decodes what is stored into row. Another person's row is
// fault.NotFound.
func (r *personReader) open(sealed []byte, what string, code persian.NationalCode, row rowOf) error {
	plain, err := r.keys.Unseal(sealed, what)
	if err == nil {
		err = row.decode(plain)
	}
	if err != nil {
		return fmt.Errorf("look a person up: %w", err)
	}
	if row.code() != code.Digits() {
		return fault.New(fault.NotFound)
	}
	return nil
}

// personWhat binds what is sealed to its row.
func personWhat(id []byte) string { return "person/" + hex.EncodeToString(id) }

// personRow is the part of a row that the person inquiry reads. The date is
// one number, year first: reading it back costs nothing. The names are those of
// the form in JSON.
type personRow struct {
	Code   string `json:"n"`
	Born   int    `json:"b"`
	First  string `json:"f"`
	Last   string `json:"l"`
	Father string `json:"p,omitempty"`
	Female bool   `json:"w,omitempty"`
	Dead   bool   `json:"d,omitempty"`
	Series string `json:"cs,omitempty"`
	Serial string `json:"cr,omitempty"`
	Number string `json:"cn,omitempty"`
}

func (r *personRow) code() string { return r.Code }

func (r *personRow) person(code persian.NationalCode) person.Person {
	p := person.Person{
		NationalCode: code,
		BirthDate:    r.born(),
		FirstName:    r.First, LastName: r.Last, FatherName: r.Father, Dead: r.Dead,
		Certificate: person.Certificate{Series: r.Series, Serial: r.Serial, Number: r.Number},
	}
	if r.Female {
		p.Gender = person.Female
	}
	return p
}

func (r *personRow) born() persian.Date {
	return persian.Date{Year: r.Born / 10000, Month: r.Born / 100 % 100, Day: r.Born % 100}
}

// number is a date as rows have it.
func number(d persian.Date) int { return d.Year*10000 + d.Month*100 + d.Day }

// registeredRow is a whole row.
type registeredRow struct {
	personRow
	Mobiles []string  `json:"m,omitempty"`
	IBANs   []ibanRow `json:"i,omitempty"`
	Postal  string    `json:"z,omitempty"`
	Address string    `json:"a,omitempty"`
}

type ibanRow struct {
	IBAN   string   `json:"i"`
	Cards  []string `json:"c,omitempty"`
	Status string   `json:"s"`
}

// row is the person as it is sealed.
func (p *Person) row() registeredRow {
	r := registeredRow{
		personRow: personRow{
			Code: p.NationalCode.Digits(), Born: number(p.BirthDate),
			First: p.FirstName, Last: p.LastName, Father: p.FatherName, Female: p.Gender == person.Female, Dead: p.Dead,
			Series: p.Certificate.Series, Serial: p.Certificate.Serial, Number: p.Certificate.Number,
		},
		Mobiles: texts(p.Mobiles, persian.Mobile.Local),
		Postal:  p.PostalCode, Address: p.Address,
	}
	for _, i := range p.IBANs {
		r.IBANs = append(r.IBANs, ibanRow{i.IBAN.Electronic(), texts(i.Cards, persian.Card.Digits), i.Status})
	}
	return r
}

func (r *registeredRow) registered(code persian.NationalCode) (Person, error) {
	p := Person{Person: r.person(code), PostalCode: r.Postal, Address: r.Address}
	var err error
	if p.Mobiles, err = parsed(r.Mobiles, persian.ParseMobile); err != nil {
		return Person{}, fmt.Errorf("look a person up: %w", err)
	}
	for _, i := range r.IBANs {
		iban, err := persian.ParseIBAN(i.IBAN)
		if err != nil {
			return Person{}, fmt.Errorf("look a person up: %w", err)
		}
		cards, err := parsed(i.Cards, persian.ParseCard)
		if err != nil {
			return Person{}, fmt.Errorf("look a person up: %w", err)
		}
		p.IBANs = append(p.IBANs, IBAN{iban, cards, i.Status})
	}
	return p, nil
}

func texts[T any](values []T, text func(T) string) []string {
	var all []string
	for _, v := range values {
		all = append(all, text(v))
	}
	return all
}

func parsed[T any](texts []string, parse func(string) (T, error)) ([]T, error) {
	var all []T
	for _, text := range texts {
		v, err := parse(text)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}
