package uid

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/inquiry/person"
	"dargah.dev/dargah/internal/literal"
	"dargah.dev/dargah/internal/persian"
)

func encodePerson(r *dialect.Request, _ person.Question, p person.Person) (dialect.Reply, error) {
	gender, err := genderOf(p.Gender)
	if err != nil {
		return dialect.Reply{}, err
	}
	w := writer(make([]byte, 0, 768)) // most answers fit
	// The order of the members is the page's.
	w.text(`{"basicInformation":{"firstName":`, p.FirstName)
	w.text(`,"lastName":`, p.LastName)
	w.text(`,"fatherName":`, p.FatherName)
	w.text(`,"gender":`, gender)
	w.text(`},"identificationInformation":{"nationalId":`, withoutZeros(p.NationalCode))
	w.text(`,"birthDate":`, p.BirthDate.String())
	w.text(`,"shenasnameSeri":`, p.Certificate.Series)
	w.text(`,"shenasnameSerial":`, p.Certificate.Serial)
	w.text(`,"shenasnamehNumber":`, certificateNumber(p)) // the page has this h here alone
	w.text(`},"registrationStatus":{"deathStatus":`, deathOf(p.Dead))
	w.raw(`},`)
	w.context(r, codeSuccess, "SUCCESS.")
	return w.reply(http.StatusOK), nil
}

// encodeProblem writes all that an error's body holds.
func encodeProblem(r *dialect.Request, a answer) dialect.Reply {
	w := writer(make([]byte, 0, 1<<9))
	w.raw(`{`)
	w.context(r, a.code, a.message)
	return w.reply(a.http)
}

// writer is a reply's body. It is written piece by piece, without the general
// encoder, which took longer for it than everything else between the register
// and the commit.
type writer []byte

func (w *writer) raw(piece string) { *w = append(*w, piece...) }

func (w *writer) text(before, value string) { *w = literal.Append(append(*w, before...), value) }

// context writes the responseContext of a call, and the end. The page prints
// its strings empty; the call's own id makes a complaint traceable (README,
// "Ours").
func (w *writer) context(r *dialect.Request, code int, message string) {
	w.raw(`"responseContext":{"status":{"code":`)
	*w = strconv.AppendInt(*w, int64(code), 10)
	w.text(`,"message":`, message)
	w.text(`,"details":[]},"requestId":`, r.ID)
	w.raw(`,"correlationId":"","navigationURI":"","nextStepToken":"","userSessionId":"","custom":{}}}`)
}

func (w *writer) reply(status int) dialect.Reply {
	return dialect.Reply{Status: status, Type: dialect.JSONReply, Body: *w}
}

// genderOf spells the man's value with a small L: the page points this out as
// meant (section 2.4).
func genderOf(g person.Gender) (string, error) {
	switch g {
	case person.Male:
		return "GENDER_MAlE", nil
	case person.Female:
		return "GENDER_FEMALE", nil
	default:
		return "", fmt.Errorf("uid: no word for gender %d", g)
	}
}

func deathOf(dead bool) string {
	if dead {
		return "DEATH_STATUS_DEATH"
	}
	return "DEATH_STATUS_ALIVE"
}

// withoutZeros strips leading zeros as the page says. Two at most: it also says
// that at least eight characters are left, and no code begins with three.
func withoutZeros(c persian.NationalCode) string {
	return strings.TrimPrefix(strings.TrimPrefix(c.Digits(), "0"), "0")
}

// certificateNumber is 0 where it equals the national code, whether the
// register says so or holds the code itself, with or without leading zeros.
func certificateNumber(p person.Person) string {
	number := p.Certificate.Number
	if strings.TrimLeft(number, "0") == strings.TrimLeft(p.NationalCode.Digits(), "0") {
		return "0"
	}
	return number
}
