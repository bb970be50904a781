// Package person owns the inquiry of a person by national code and birth date.
package person

import (
	"context"

	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/inquiry"
	"dargah.dev/dargah/internal/persian"
)

// Service is the name under which the inquiry is sold, granted and priced.
const Service = "person"

// Gender is as the civil registry keeps it.
type Gender uint8

// The two values of the registry.
const (
	Male Gender = iota
	Female
)

// Question asks for the person with this code who was born on this day.
type Question struct {
	NationalCode persian.NationalCode
	BirthDate    persian.Date
}

// Field names the question's values for scenarios.
func (q Question) Field(name string) (string, bool) {
	switch name {
	case "nationalCode":
		return q.NationalCode.Digits(), true
	case "birthDate":
		return q.BirthDate.String(), true
	default:
		return "", false
	}
}

// Person is what a register knows of somebody.
type Person struct {
	NationalCode persian.NationalCode
	BirthDate    persian.Date
	FirstName    string
	LastName     string
	FatherName   string
	Gender       Gender
	Dead         bool
	Certificate  Certificate
}

// Certificate is the birth certificate (shenasnameh).
type Certificate struct {
	Series string // glued: letter part with bare alef, then Persian digits
	Serial string // six digits
	Number string // "0" where it equals the national code
}

// Sources answer the inquiry, asked in order.
type Sources []inquiry.Source[Question, Person]

// Ask gives the person, and the name of the source that decided. A person who
// does not exist and a birth date that is not theirs are both fault.NotFound:
// telling them apart would let anybody find out birth dates by trying.
func (s Sources) Ask(ctx context.Context, q Question) (Person, string, error) {
	p, source, err := inquiry.First(ctx, s, q)
	if err != nil {
		return Person{}, source, err
	}
	if p.NationalCode != q.NationalCode || p.BirthDate != q.BirthDate {
		return Person{}, source, fault.New(fault.NotFound)
	}
	return p, source, nil
}

// Outside tells whether the question may leave this process.
func (s Sources) Outside(q Question) bool { return inquiry.Outside(s, q) }
