package uid

import (
	"errors"

	"dargah.dev/dargah/internal/admission"
	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/inquiry/person"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/strict"
)

// The page's names of the fields that a fault can be about.
const (
	nationalID = "nationalId"
	birthDate  = "birthDate"
)

// decodeCredential reads requestContext.apiInfo; the faults are Malformed and
// NoToken. A part that is missing, blank or no string counts as not shown.
func decodeCredential(r *dialect.Request) (admission.Credential, error) {
	body, err := r.JSON(false)
	if err != nil {
		return nil, err
	}
	// Absent members read as empty objects and strings all the way down.
	requestContext, _ := body.Get("requestContext").Object()
	info, _ := requestContext.Get("apiInfo").Object()
	id, _ := info.Get("businessId").String()
	token, _ := info.Get("businessToken").String()
	if id == "" || token == "" {
		return nil, fault.New(fault.NoToken)
	}
	return admission.Business{ID: id, Token: token}, nil
}

// decodePerson reads whom the caller asks about; the faults are Malformed and
// Invalid. What a person typed is understood: Persian digits, stray marks,
// months without a leading zero. Numbers are not: a code that is sent as one
// has lost its leading zeros.
func decodePerson(r *dialect.Request, _ *admission.Pass) (person.Question, error) {
	body, err := r.JSON(false)
	if err != nil {
		return person.Question{}, err
	}
	var f fields
	q := person.Question{
		NationalCode: read(&f, body, nationalID, persian.ParseNationalCode),
		BirthDate: read(&f, body, birthDate, func(s string) (persian.Date, error) {
			return persian.ParseBirthDate(s, r.At)
		}),
	}
	if len(f.bad) > 0 {
		return person.Question{}, fault.Bad(f.bad...)
	}
	return q, nil
}

// fields collects what is wrong, in the page's order.
type fields struct{ bad []fault.Field }

func read[T any](f *fields, body strict.Object, name string, parse func(string) (T, error)) T {
	value := body.Get(name)
	text, isText := value.String()
	rule := fault.Type
	switch {
	case value.Kind() == strict.Absent || value.Kind() == strict.Null || isText && persian.Clean(text) == "":
		rule = fault.Missing
	case isText:
		parsed, err := parse(text)
		if err == nil {
			return parsed
		}
		rule = broken(err)
	}
	f.bad = append(f.bad, fault.Field{Name: name, Rule: rule})
	var nothing T
	return nothing
}

// broken is the rule behind a parser's refusal.
func broken(err error) fault.Rule {
	switch {
	case errors.Is(err, persian.ErrChecksum):
		return fault.Checksum
	case errors.Is(err, persian.ErrFuture):
		return fault.Future
	case errors.Is(err, persian.ErrNoSuchDay), errors.Is(err, persian.ErrYear), errors.Is(err, persian.ErrTooOld):
		return fault.Date
	default:
		return fault.Form
	}
}
