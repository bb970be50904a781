package uid

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"dargah.dev/dargah/internal/admission"
	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/dialect/dialecttest"
	"dargah.dev/dargah/internal/inquiry/person"
	"dargah.dev/dargah/internal/persian"
)

func code(t testing.TB, digits string) persian.NationalCode {
	t.Helper()
	c, err := persian.ParseNationalCode(digits)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func somebody(t testing.TB) person.Person {
	t.Helper()
	return person.Person{
		NationalCode: code(t, "0012345679"),
		BirthDate:    persian.Date{Year: 1372, Month: 11, Day: 2},
		FirstName:    "علی", LastName: "رضایی", FatherName: "حسن",
		Certificate: person.Certificate{Series: "ا۳۲", Serial: "543422", Number: "0"},
	}
}

func TestEncodePerson(t *testing.T) {
	t.Parallel()
	reply, err := encodePerson(post(""), person.Question{}, somebody(t))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"basicInformation":{"firstName":"علی","lastName":"رضایی","fatherName":"حسن","gender":"GENDER_MAlE"},` +
		`"identificationInformation":{"nationalId":"12345679","birthDate":"1372/11/02","shenasnameSeri":"ا۳۲","shenasnameSerial":"543422","shenasnamehNumber":"0"},` +
		`"registrationStatus":{"deathStatus":"DEATH_STATUS_ALIVE"},` +
		`"responseContext":{"status":{"code":0,"message":"SUCCESS.","details":[]},"requestId":"CALL","correlationId":"","navigationURI":"","nextStepToken":"","userSessionId":"","custom":{}}}`
	if diff := cmp.Diff(want, string(reply.Body)); diff != "" {
		t.Error(diff)
	}
	if reply.Status != 200 {
		t.Errorf("status %d", reply.Status)
	}
}

func TestEncodePersonHasThePagesShape(t *testing.T) {
	t.Parallel()
	reply, err := encodePerson(post(""), person.Question{}, somebody(t))
	if err != nil {
		t.Fatal(err)
	}
	dialecttest.SameShape(t, page(t, "person.json"), reply.Body)
}

func page(t *testing.T, name string) []byte {
	t.Helper()
	sample, err := os.ReadFile("testdata/page/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return sample
}

func TestEncodeWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*person.Person)
		want   string
	}{
		{"a woman", func(p *person.Person) { p.Gender = person.Female }, `"gender":"GENDER_FEMALE"`},
		{"dead", func(p *person.Person) { p.Dead = true }, `"deathStatus":"DEATH_STATUS_DEATH"`},
		{"no zero", func(p *person.Person) { p.NationalCode = code(t, "1234567891") }, `"nationalId":"1234567891"`},
		{"one zero", func(p *person.Person) { p.NationalCode = code(t, "0123456789") }, `"nationalId":"123456789"`},
		{"a number of its own", func(p *person.Person) { p.Certificate.Number = "4521" }, `"shenasnamehNumber":"4521"`},
		{"the code as the number", func(p *person.Person) { p.Certificate.Number = "0012345679" }, `"shenasnamehNumber":"0"`},
		{"the code without zeros as the number", func(p *person.Person) { p.Certificate.Number = "12345679" }, `"shenasnamehNumber":"0"`},
		{"no number known", func(p *person.Person) { p.Certificate.Number = "" }, `"shenasnamehNumber":""`},
		{"characters of HTML", func(p *person.Person) { p.FirstName = "<&>" }, `"firstName":"<&>"`},
	} {
		p := somebody(t)
		c.change(&p)
		reply, err := encodePerson(post(""), person.Question{}, p)
		if err != nil || !strings.Contains(string(reply.Body), c.want) {
			t.Errorf("%s: %v, %s", c.name, err, reply.Body)
		}
	}
	p := somebody(t)
	p.Gender = 7
	if reply, err := encodePerson(post(""), person.Question{}, p); err == nil {
		t.Errorf("an unknown gender is printed: %s", reply.Body)
	}
}

// The page promises 8 to 10 characters, and a client must be able to put the
// zeros back.
func TestNationalIDKeepsItsPromise(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := rapid.Custom(anyCode).Draw(t, "code")
		shown := withoutZeros(c)
		back, err := persian.PadNationalCode(shown)
		if err != nil || back != c || shown[0] == '0' {
			t.Fatalf("%d characters, %v", len(shown), err)
		}
	})
}

func anyCode(t *rapid.T) persian.NationalCode {
	zeros := rapid.IntRange(0, 2).Draw(t, "zeros")
	start := strings.Repeat("0", zeros) + rapid.StringMatching(`[1-9][0-9]{8}`).Draw(t, "digits")[:9-zeros]
	for check := range 10 {
		if c, err := persian.ParseNationalCode(start + strconv.Itoa(check)); err == nil {
			return c
		}
	}
	t.Skip("all digits are equal")
	return persian.NationalCode{}
}

func TestExample(t *testing.T) {
	t.Parallel()
	examples := New(Deps{}).Example(dialect.World{
		Base: "http://127.0.0.1:8080", Business: "it's", BusinessToken: "t", NationalCode: "0012345679", Date: "1372/11/02",
	})
	if len(examples) != 1 {
		t.Fatalf("%d examples", len(examples))
	}
	command := examples[0].Command
	if strings.Contains(command, "\n") || !strings.HasPrefix(command, "curl ") {
		t.Errorf("not one line of curl: %s", command)
	}
	_, data, _ := strings.Cut(command, " -d ")
	body := strings.ReplaceAll(strings.Trim(data, "'"), `'\''`, "'")
	if !json.Valid([]byte(body)) {
		t.Fatalf("no JSON: %s", body)
	}
	if _, err := decodePerson(post(body), nil); err != nil {
		t.Error(err)
	}
	shown, err := decodeCredential(post(body))
	if diff := cmp.Diff(admission.Credential(admission.Business{ID: "it's", Token: "t"}), shown); diff != "" || err != nil {
		t.Error(diff, err)
	}
	dialecttest.SameShape(t, page(t, "request.json"), []byte(body))
}
