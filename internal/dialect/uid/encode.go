package uid

import (
	"fmt"
	"net/http"
	"strings"

	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/inquiry/person"
	"dargah.dev/dargah/internal/persian"
)

// The order of the members below is the page's.

type personReply struct {
	Basic          basicInformation          `json:"basicInformation"`
	Identification identificationInformation `json:"identificationInformation"`
	Registration   registrationStatus        `json:"registrationStatus"`
	Context        responseContext           `json:"responseContext"`
}

type basicInformation struct {
	FirstName  string `json:"firstName"`
	LastName   string `json:"lastName"`
	FatherName string `json:"fatherName"`
	Gender     string `json:"gender"`
}

type identificationInformation struct {
	NationalID string `json:"nationalId"`
	BirthDate  string `json:"birthDate"`
	Series     string `json:"shenasnameSeri"`
	Serial     string `json:"shenasnameSerial"`
	Number     string `json:"shenasnamehNumber"` // the page has this h here alone
}

type registrationStatus struct {
	Death string `json:"deathStatus"`
}

type responseContext struct {
	Status        status   `json:"status"`
	RequestID     string   `json:"requestId"`
	CorrelationID string   `json:"correlationId"`
	Navigation    string   `json:"navigationURI"`
	NextStep      string   `json:"nextStepToken"`
	Session       string   `json:"userSessionId"`
	Custom        struct{} `json:"custom"`
}

type status struct {
	Code    int        `json:"code"`
	Message string     `json:"message"`
	Details []struct{} `json:"details"`
}

// contextOf is the responseContext of a call. The page prints its strings
// empty; the call's own id makes a complaint traceable (README, "Ours").
func contextOf(r *dialect.Request, code int, message string) responseContext {
	return responseContext{Status: status{Code: code, Message: message, Details: []struct{}{}}, RequestID: r.ID}
}

func encodePerson(r *dialect.Request, _ person.Question, p person.Person) (dialect.Reply, error) {
	gender, err := genderOf(p.Gender)
	if err != nil {
		return dialect.Reply{}, err
	}
	return dialect.JSON(http.StatusOK, personReply{
		Basic: basicInformation{p.FirstName, p.LastName, p.FatherName, gender},
		Identification: identificationInformation{
			NationalID: withoutZeros(p.NationalCode),
			BirthDate:  p.BirthDate.String(),
			Series:     p.Certificate.Series,
			Serial:     p.Certificate.Serial,
			Number:     certificateNumber(p),
		},
		Registration: registrationStatus{deathOf(p.Dead)},
		Context:      contextOf(r, codeSuccess, "SUCCESS."),
	})
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
