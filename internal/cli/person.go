package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"dargah.dev/dargah/internal/app"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/fixture"
	"dargah.dev/dargah/internal/inquiry/person"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/store"
)

type people struct {
	Add    personAdd    `cmd:"" help:"Add somebody to the register."`
	Show   personShow   `cmd:"" help:"Show somebody."`
	Remove personRemove `cmd:"" help:"Remove somebody from the register."`
}

type ofPerson struct {
	NationalCode string `arg:"" help:"Ten digits."`
}

type personAdd struct {
	acting
	ofPerson
	BirthDate              string   `help:"Jalali (1372/11/02) or ISO (1994-01-22)." placeholder:"DATE" required:""`
	FirstName              string   `help:"First name." placeholder:"NAME" required:""`
	LastName               string   `help:"Last name." placeholder:"NAME" required:""`
	FatherName             string   `help:"Father's name." placeholder:"NAME"`
	Gender                 string   `help:"male or female." placeholder:"GENDER" required:""`
	Dead                   bool     `help:"No longer alive."`
	BirthCertificateSeries string   `help:"Series, like ا۳۲." placeholder:"SERIES"`
	BirthCertificateSerial string   `help:"Six digits." placeholder:"DIGITS"`
	BirthCertificateNumber string   `help:"0 where it is the national code." placeholder:"DIGITS"`
	Mobiles                []string `help:"Mobile numbers." placeholder:"NUMBER"`
	Ibans                  []string `help:"IBAN, then its cards, then active, blocked or dormant, with / between: IR…/6221…/active; may be repeated." placeholder:"IBAN"`
	PostalCode             string   `help:"Ten digits." placeholder:"DIGITS"`
	Address                string   `help:"Street address." placeholder:"TEXT"`
	Replace                bool     `help:"Put this in the place of what is there."`
}

func (p personAdd) Run(c *console) error {
	given, err := fixture.ReadPerson(p.given())
	if err != nil {
		return mistyped(err)
	}
	return p.tell(c, store.Act{Service: "person", Method: "add"}, func(change *store.Change) error {
		if p.Replace {
			return change.SetPerson(app.NewPerson(given))
		}
		return change.AddPerson(app.NewPerson(given))
	}, "the register has this person")
}

func (p personAdd) given() fixture.Given {
	g := fixture.Given{"nationalCode": p.NationalCode, "alive": !p.Dead}
	certificate := fixture.Given{}
	for _, v := range []struct {
		to         fixture.Given
		key, value string
	}{
		{g, "birthDate", p.BirthDate}, {g, "firstName", p.FirstName}, {g, "lastName", p.LastName}, {g, "fatherName", p.FatherName},
		{g, "gender", p.Gender}, {g, "postalCode", p.PostalCode}, {g, "address", p.Address},
		{certificate, "series", p.BirthCertificateSeries}, {certificate, "serial", p.BirthCertificateSerial}, {certificate, "number", p.BirthCertificateNumber},
	} {
		if v.value != "" {
			v.to[v.key] = v.value
		}
	}
	if len(certificate) > 0 {
		g["birthCertificate"] = certificate
	}
	if len(p.Mobiles) > 0 {
		g["mobiles"] = p.Mobiles
	}
	var ibans []fixture.Given
	for _, text := range p.Ibans {
		ibans = append(ibans, bankAccount(text))
	}
	if len(ibans) > 0 {
		g["ibans"] = ibans
	}
	return g
}

// bankAccount takes IBAN/CARD…/STATUS apart.
func bankAccount(text string) fixture.Given {
	parts := strings.Split(text, "/")
	g := fixture.Given{"iban": parts[0]}
	cards := parts[1:]
	if n := len(cards); n > 0 && strings.Trim(persian.Compact(cards[n-1]), "0123456789") != "" {
		g["status"] = cards[n-1]
		cards = cards[:n-1]
	}
	if len(cards) > 0 {
		g["cards"] = cards
	}
	return g
}

// personView is an entry of the register as it is shown, under the format's
// names.
type personView struct {
	NationalCode     string          `json:"nationalCode"`
	BirthDate        string          `json:"birthDate"`
	FirstName        string          `json:"firstName"`
	LastName         string          `json:"lastName"`
	FatherName       string          `json:"fatherName,omitempty"`
	Gender           string          `json:"gender"`
	Alive            bool            `json:"alive"`
	BirthCertificate certificateView `json:"birthCertificate"`
	Mobiles          []string        `json:"mobiles"`
	IBANs            []ibanView      `json:"ibans"`
	PostalCode       string          `json:"postalCode,omitempty"`
	Address          string          `json:"address,omitempty"`
}

type certificateView struct {
	Series string `json:"series,omitempty"`
	Serial string `json:"serial,omitempty"`
	Number string `json:"number,omitempty"`
}

type ibanView struct {
	IBAN   string   `json:"iban"`
	Cards  []string `json:"cards"`
	Status string   `json:"status"`
}

func viewPerson(p store.Person) personView {
	v := personView{
		NationalCode: p.NationalCode.Digits(), BirthDate: p.BirthDate.String(),
		FirstName: p.FirstName, LastName: p.LastName, FatherName: p.FatherName,
		Gender: onOff(p.Gender == person.Female, fixture.Female, fixture.Male), Alive: !p.Dead,
		BirthCertificate: certificateView(p.Certificate), Mobiles: []string{}, IBANs: []ibanView{},
		PostalCode: p.PostalCode, Address: p.Address,
	}
	for _, m := range p.Mobiles {
		v.Mobiles = append(v.Mobiles, m.Local())
	}
	for _, i := range p.IBANs {
		cards := []string{}
		for _, card := range i.Cards {
			cards = append(cards, card.Digits())
		}
		v.IBANs = append(v.IBANs, ibanView{i.IBAN.Electronic(), cards, i.Status})
	}
	return v
}

func (v personView) table() table {
	t := table{
		{"national code", v.NationalCode}, {"born", v.BirthDate}, {"first name", v.FirstName}, {"last name", v.LastName},
		{"father", v.FatherName}, {"gender", v.Gender}, {"alive", onOff(v.Alive, "yes", "no")},
		{"certificate", strings.TrimSpace(v.BirthCertificate.Series + " " + v.BirthCertificate.Serial + " " + v.BirthCertificate.Number)},
		{"mobiles", strings.Join(v.Mobiles, " ")},
	}
	for _, i := range v.IBANs {
		t.row("iban", strings.Join(slices.Concat([]string{i.IBAN}, i.Cards, []string{i.Status}), " "))
	}
	t.row("postal code", v.PostalCode)
	t.row("address", v.Address)
	return t
}

type personShow struct {
	installation
	shown
	ofPerson
}

func (p personShow) Run(c *console) error {
	code, err := fixture.ReadNationalCode(p.NationalCode)
	if err != nil {
		return mistyped(err)
	}
	return p.look(c, func(s *store.Store) error {
		found, err := s.Registered(c, code)
		if err != nil && fault.From(err).Code == fault.NotFound {
			return fmt.Errorf("nobody with this national code is in the register")
		}
		if err != nil {
			return err
		}
		v := viewPerson(found)
		return p.print(c, v, v.table().print)
	})
}

type personRemove struct {
	acting
	ofPerson
}

func (p personRemove) Run(c *console) error {
	code, err := fixture.ReadNationalCode(p.NationalCode)
	if err != nil {
		return mistyped(err)
	}
	return p.tell(c, store.Act{Service: "person", Method: "remove"}, func(change *store.Change) error { return change.RemovePerson(code) },
		"this person is not in the register any more; credit reports stay: dargah report remove")
}

type reports struct {
	Add    reportAdd    `cmd:"" help:"Add a credit report of somebody."`
	List   reportList   `cmd:"" help:"List somebody's reports, the newest first."`
	Remove reportRemove `cmd:"" help:"Remove all reports of somebody."`
}

type reportAdd struct {
	acting
	ofPerson
	Source string `help:"Number of the source, from 1." placeholder:"N" required:""`
	Score  string `help:"0 to 1000." placeholder:"N" required:""`
	Grade  string `help:"As in B1." placeholder:"GRADE" required:""`
	Age    string `help:"How long ago it was made: 2h, 3d." placeholder:"SPAN" default:"0s"`
}

func (r reportAdd) Run(c *console) error {
	given, err := fixture.ReadCredit(fixture.Given{"nationalCode": r.NationalCode, "reports": []fixture.Given{{
		"source": r.Source, "score": r.Score, "grade": r.Grade, "age": r.Age,
	}}})
	if err != nil {
		return mistyped(err)
	}
	return r.tell(c, store.Act{Service: "report", Method: "add"}, func(change *store.Change) error {
		return change.AddReports(given.NationalCode, app.NewReports(given.Reports, time.Now()))
	}, "the report is there")
}

type reportList struct {
	installation
	shown
	ofPerson
}

func (r reportList) Run(c *console) error {
	code, err := fixture.ReadNationalCode(r.NationalCode)
	if err != nil {
		return mistyped(err)
	}
	return r.look(c, func(s *store.Store) error {
		all, err := s.Reports(c, code)
		if err != nil {
			return err
		}
		type view struct {
			Source int       `json:"source"`
			Score  int       `json:"score"`
			Grade  string    `json:"grade"`
			Made   time.Time `json:"made"`
		}
		views := []view{}
		t := table{{"source", "score", "grade", "made"}}
		for _, one := range all {
			views = append(views, view{one.Source, one.Score, one.Grade, one.Made})
			t.row(number(one.Source), number(one.Score), one.Grade, clock(one.Made))
		}
		return r.print(c, views, t.print)
	})
}

type reportRemove struct {
	acting
	ofPerson
}

func (r reportRemove) Run(c *console) error {
	code, err := fixture.ReadNationalCode(r.NationalCode)
	if err != nil {
		return mistyped(err)
	}
	return r.tell(c, store.Act{Service: "report", Method: "remove"}, func(change *store.Change) error { return change.RemoveReports(code) },
		"the reports are gone")
}
