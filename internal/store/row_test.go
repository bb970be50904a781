package store

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"dargah.dev/dargah/internal/persian"
)

func anyRow() *rapid.Generator[registeredRow] {
	texts := rapid.SliceOfN(rapid.String(), 0, 3)
	return rapid.Custom(func(t *rapid.T) registeredRow {
		text := func(name string) string { return rapid.String().Draw(t, name) }
		r := registeredRow{
			personRow: personRow{
				Code: text("code"), Born: rapid.IntRange(0, 99_999_999).Draw(t, "born"),
				First: text("first"), Last: text("last"), Father: text("father"),
				Female: rapid.Bool().Draw(t, "female"), Dead: rapid.Bool().Draw(t, "dead"),
				Series: text("series"), Serial: text("serial"), Number: text("number"),
			},
			Mobiles: texts.Draw(t, "mobiles"), Postal: text("postal"), Address: text("address"),
		}
		for range rapid.IntRange(0, 2).Draw(t, "ibans") {
			r.IBANs = append(r.IBANs, ibanRow{text("iban"), texts.Draw(t, "cards"), text("status")})
		}
		return r
	})
}

var sameRow = cmp.Options{cmp.AllowUnexported(registeredRow{}), cmpopts.EquateEmpty()}

// Both forms are read, whole and in the part that the person inquiry needs.
func TestRowsAreReadAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := anyRow().Draw(t, "row")
		asJSON, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		for form, plain := range map[string][]byte{"compact": want.append(nil), "JSON": asJSON} {
			var whole registeredRow
			var part personRow
			if err := errors.Join(whole.decode(plain), part.decode(plain)); err != nil {
				t.Fatalf("%s: %v", form, err)
			}
			if diff := cmp.Diff(want, whole, sameRow) + cmp.Diff(want.personRow, part); diff != "" {
				t.Errorf("%s:\n%s", form, diff)
			}
		}
	})
}

// Rows in JSON are what the first version wrote.
func TestRowOfTheFirstVersion(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), Folder(t.TempDir()), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	code, err := persian.ParseNationalCode("0012345679")
	if err != nil {
		t.Fatal(err)
	}
	id := s.keys.Hash(personHash, code.Digits())
	sealed, err := s.keys.Seal([]byte(`{"n":"0012345679","b":13721102,"f":"علی","l":"رضایی","w":true,"cs":"ا۳۲","m":["09121234567"]}`+"\n"), personWhat(id))
	if err != nil {
		t.Fatal(err)
	}
	key := keyOf(id)
	if _, err := s.writer.Exec(`INSERT INTO person (id, rest, sealed) VALUES ($1, $2, $3)`, key.id, key.rest[:], sealed); err != nil {
		t.Fatal(err)
	}
	p, err := s.Registered(t.Context(), code)
	if err != nil || p.FirstName != "علی" || p.BirthDate != (persian.Date{Year: 1372, Month: 11, Day: 2}) || len(p.Mobiles) != 1 {
		t.Errorf("%v: %s of %v with %d mobiles", err, p.FirstName, p.BirthDate, len(p.Mobiles))
	}
}

func FuzzRow(f *testing.F) {
	whole := registeredRow{
		personRow: personRow{Code: "0012345679", Born: 13721102, First: "علی", Female: true},
		Mobiles:   []string{"09121234567"}, IBANs: []ibanRow{{"IR820540102680020817909002", []string{"6221061234567891"}, "active"}},
		Postal: "1111111111",
	}
	plain := whole.append(nil)
	f.Add(plain)
	f.Add([]byte(`{"n":"0012345679"}`))
	f.Add([]byte{rowCompact, 0, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, plain []byte) {
		var r registeredRow
		if err := r.decode(plain); err != nil {
			if !errors.Is(err, errRow) {
				t.Errorf("the error may quote the row: %v", err)
			}
			return
		}
		if plain[0] != rowCompact {
			return
		}
		var again registeredRow
		if err := again.decode(r.append(nil)); err != nil || !cmp.Equal(r, again, sameRow) {
			t.Errorf("written again it is another row: %v", err)
		}
	})
}

func TestRowsThatEndTooSoon(t *testing.T) {
	t.Parallel()
	whole := registeredRow{personRow: personRow{Code: "0012345679", Born: 13721102, First: "علی"}, Mobiles: []string{"09121234567"}, Address: "تهران"}
	plain := whole.append(nil)
	for n := range plain {
		var r registeredRow
		if err := r.decode(plain[:n]); !errors.Is(err, errRow) {
			t.Errorf("%d of %d bytes are taken for a row: %v", n, len(plain), err)
		}
	}
}
