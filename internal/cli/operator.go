package cli

import (
	"fmt"
	"io"
	"net"
	"strings"

	"dargah.dev/dargah/internal/config"
	"dargah.dev/dargah/internal/finding"
)

type operators struct {
	List operatorList `cmd:"" help:"List the ways out to the phones, in the order in which they are tried."`
}

type operatorList struct {
	installation
	shown
}

// operatorView is a way out as the settings have it.
type operatorView struct {
	Name     string   `json:"name"`
	Type     string   `json:"type"`
	Address  string   `json:"address"`
	SystemID string   `json:"systemId"`
	TLS      bool     `json:"tls"`
	Lines    []string `json:"lines"`    // none: any
	Prefixes []string `json:"prefixes"` // none: any
}

func (o operatorList) Run(c *console) error {
	settings, _, err := o.find()
	if err != nil {
		return err
	}
	views := []operatorView{}
	t := table{{"operator", "type", "address", "system id", "lines", "prefixes"}}
	for _, one := range settings.Operators {
		v := viewOperator(one)
		views = append(views, v)
		t.row(v.Name, v.Type, v.Address, v.SystemID, orElse(strings.Join(v.Lines, " "), "any"), orElse(strings.Join(v.Prefixes, " "), "any"))
	}
	return o.print(c, views, func(w io.Writer) error {
		if len(views) == 0 {
			_, err := fmt.Fprintln(w, "There are no operators: a sandbox delivers to nobody, and elsewhere messages wait.\nThe setting operators names them (`dargah config --example` shows how).")
			return err
		}
		if err := t.print(w); err != nil {
			return err
		}
		_, err := fmt.Fprintln(w, "Which of them a server is bound to now is known to that server alone: /readyz says whether any is, and its log when that changes.")
		return err
	})
}

func viewOperator(o config.Operator) operatorView {
	return operatorView{
		Name: o.Name, Type: orElse(o.Type, "smpp"), Address: o.Address, SystemID: o.SystemID, TLS: o.TLS,
		Lines: append([]string{}, o.Lines...), Prefixes: append([]string{}, o.Prefixes...),
	}
}

// examineOperators looks at the ways out.
func examineOperators(l *finding.List, settings config.Config) {
	const about = "operators"
	open := 0
	for _, o := range settings.Operators {
		if !o.TLS && !private(o.Address) {
			open++
		}
	}
	switch {
	case len(settings.Operators) == 0:
		l.Good(about, "none: messages that are sent wait in the queue until they are worth nothing, and are paid back then")
	case open > 0:
		l.Warn(about, fmt.Sprintf("%d of %d are spoken to without TLS: numbers, texts and the password can be read on the way", open, len(settings.Operators)), "set tls where the operator has it, or reach it through a tunnel")
	default:
		l.Good(about, "%d, over TLS or in a private network", len(settings.Operators))
	}
}

// private tells whether an address is of this machine or of a network that is
// not the internet.
func private(address string) bool {
	host, _, _ := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && (ip.IsLoopback() || ip.IsPrivate())
}
