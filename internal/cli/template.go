package cli

import (
	"errors"
	"io"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/app"
	"dargah.dev/dargah/internal/fixture"
	"dargah.dev/dargah/internal/store"
)

type templates struct {
	Add    templateAdd    `cmd:"" help:"Give an account a template. Its id is made, unless it is given."`
	List   templateList   `cmd:"" help:"List the templates."`
	Show   templateShow   `cmd:"" help:"Show one."`
	Set    templateSet    `cmd:"" help:"Change what is given, and nothing else."`
	Remove templateRemove `cmd:"" help:"Remove a template."`
}

type ofTemplate struct {
	ID string `arg:"" help:"The template's id." name:"template"`
}

// templateView is a template as it is shown.
type templateView struct {
	ID      string `json:"id"`
	Account string `json:"account"`
	Text    string `json:"text"`
	Line    string `json:"line,omitempty"`
	Urgent  bool   `json:"urgent"`
	Once    bool   `json:"once"`
}

func viewTemplate(owner string, t account.Template) templateView {
	return templateView{t.ID, owner, t.Body, t.Line, t.Urgent, t.Once}
}

func (v templateView) print(w io.Writer) error {
	return table{
		{"template", v.ID}, {"account", v.Account}, {"line", orElse(v.Line, "the caller's")},
		{"urgent", onOff(v.Urgent, "yes", "no")}, {"once", onOff(v.Once, "yes", "no")}, {"text", v.Text},
	}.print(w)
}

// ownLine gives the line that a template names as the account has it.
func ownLine(owner account.Account, t *account.Template) error {
	if t.Line == "" {
		return nil
	}
	line, ok := owner.Line(t.Line)
	if !ok {
		return missing("among the account's lines,", t.Line)
	}
	t.Line = line.Number
	return nil
}

type templateAdd struct {
	acting
	shown
	ofAccount
	Text   string `arg:"" help:"With {places} for parameters; a brace of the text is written twice."`
	ID     string `help:"Ten letters and digits." placeholder:"ID"`
	Line   string `help:"Line that it goes out by where the caller names none." placeholder:"NUMBER"`
	Urgent bool   `help:"For one-time codes: before everything else, and at any hour."`
	Once   bool   `help:"Never send again what may have been sent."`
}

func (a templateAdd) Run(c *console) error {
	g := fixture.Given{"text": a.Text, "urgent": a.Urgent, "once": a.Once}
	for key, value := range map[string]string{"id": a.ID, "line": a.Line} {
		if value != "" {
			g[key] = value
		}
	}
	given, err := fixture.ReadTemplate(g)
	if err != nil {
		return mistyped(err)
	}
	made := app.NewTemplate(given)
	var owner account.Account
	err = a.change(c, store.Act{Service: "template", Method: "add", Which: made.ID}, func(change *store.Change) error {
		id, err := change.AccountID(a.Account)
		if err != nil {
			return err
		}
		if owner, err = change.Account(id); err != nil {
			return err
		}
		if err := ownLine(owner, &made); err != nil {
			return err
		}
		_, err = change.AddTemplate(id, made)
		return err
	})
	if err != nil {
		return err
	}
	v := viewTemplate(owner.ID, made)
	return a.print(c, v, v.print)
}

func (i installation) templates(c *console) ([]templateView, error) {
	return owned(c, i, func(a account.Account) []account.Template { return a.Templates }, viewTemplate)
}

type templateList struct {
	installation
	shown
}

func (l templateList) Run(c *console) error {
	views, err := l.templates(c)
	if err != nil {
		return err
	}
	t := table{{"template", "account", "line", "urgent", "once"}}
	for _, v := range views {
		t.row(v.ID, v.Account, orElse(v.Line, "-"), onOff(v.Urgent, "yes", "no"), onOff(v.Once, "yes", "no"))
	}
	return l.print(c, views, t.print)
}

type templateShow struct {
	installation
	shown
	ofTemplate
}

func (s templateShow) Run(c *console) error {
	all, err := s.templates(c)
	if err != nil {
		return err
	}
	return showOne(c, s.shown, all, func(v templateView) bool { return v.ID == s.ID }, missing("template", s.ID))
}

type templateSet struct {
	acting
	shown
	ofTemplate
	Text      *string `help:"Another text." placeholder:"TEXT"`
	Line      *string `help:"Another line." placeholder:"NUMBER" xor:"line"`
	NoLine    bool    `help:"No line of its own." xor:"line"`
	Urgent    bool    `help:"For one-time codes." xor:"urgent"`
	NotUrgent bool    `help:"Not for one-time codes." xor:"urgent"`
	Once      bool    `help:"Never send again what may have been sent." xor:"once"`
	NotOnce   bool    `help:"Send again what was perhaps not sent." xor:"once"`
}

func (s templateSet) Run(c *console) error {
	g := fixture.Given{"text": "unchanged"}
	for key, value := range map[string]*string{"text": s.Text, "line": s.Line} {
		if value != nil {
			g[key] = *value
		}
	}
	given, err := fixture.ReadTemplate(g)
	if err != nil {
		return mistyped(err)
	}
	if s.Text == nil && s.Line == nil && !s.NoLine && !s.Urgent && !s.NotUrgent && !s.Once && !s.NotOnce {
		return misuse{errors.New("nothing was given that is to be changed: dargah template set --help")}
	}
	return show(c, s.acting, s.shown, store.Act{Service: "template", Method: "set", Which: s.ID}, func(change *store.Change) (v templateView, err error) {
		owner, after, err := change.Template(s.ID)
		if err != nil {
			return v, err
		}
		s.patch(&after, given)
		if err := ownLine(owner, &after); err != nil {
			return v, err
		}
		return viewTemplate(owner.ID, after), change.SetTemplate(s.ID, func(t *account.Template) { *t = after })
	})
}

func (s templateSet) patch(to *account.Template, given fixture.Template) {
	if s.Text != nil {
		to.Body = given.Text
	}
	if s.Line != nil || s.NoLine {
		to.Line = given.Line
	}
	to.Urgent = s.Urgent || to.Urgent && !s.NotUrgent
	to.Once = s.Once || to.Once && !s.NotOnce
}

type templateRemove struct {
	acting
	ofTemplate
}

func (r templateRemove) Run(c *console) error {
	return r.tell(c, store.Act{Service: "template", Method: "remove", Which: r.ID}, func(change *store.Change) error {
		return change.RemoveTemplate(r.ID)
	}, "template %s is gone", r.ID)
}
