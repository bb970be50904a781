package person_test

import (
	"context"
	"testing"

	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/inquiry/person"
	"dargah.dev/dargah/internal/persian"
)

// Whatever a source sends, nobody gets a person whose code and birth date are
// not those that were asked for.
func TestOnlyThePersonAskedFor(t *testing.T) {
	t.Parallel()
	code := func(s string) persian.NationalCode {
		c, err := persian.ParseNationalCode(s)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	ali := person.Person{NationalCode: code("0012345679"), BirthDate: persian.Date{Year: 1372, Month: 11, Day: 2}, FirstName: "علی"}
	sources := person.Sources{{Name: "register", Ask: func(context.Context, person.Question) (person.Person, error) { return ali, nil }}}
	for name, c := range map[string]struct {
		q    person.Question
		want bool
	}{
		"right":        {person.Question{NationalCode: ali.NationalCode, BirthDate: ali.BirthDate}, true},
		"other day":    {person.Question{NationalCode: ali.NationalCode, BirthDate: ali.BirthDate.AddDays(1)}, false},
		"other person": {person.Question{NationalCode: code("1234567891"), BirthDate: ali.BirthDate}, false},
		"no day":       {person.Question{NationalCode: ali.NationalCode}, false},
	} {
		got, by, err := sources.Ask(context.Background(), c.q)
		if by != "register" || (err == nil) != c.want {
			t.Errorf("%s: %v by %q", name, err, by)
		}
		if !c.want && (fault.From(err).Code != fault.NotFound || got != (person.Person{})) {
			t.Errorf("%s: %v with %v", name, err, got.FirstName)
		}
	}
}
