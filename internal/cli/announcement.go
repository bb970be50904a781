package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// announcement is what a server for customers says when it is ready. It holds
// no secret.
type announcement struct {
	Address       string   `json:"address"` // where callers reach it
	Listen        []string `json:"listen"`
	Database      string   `json:"database"` // folder, or URL without its password
	MasterKey     string   `json:"masterKey"`
	MasterKeyMade bool     `json:"masterKeyMade"` // at this start
	Accounts      int      `json:"accounts"`
	Log           string   `json:"log"`
	Node          string   `json:"node"`
}

func (n announcement) print(w io.Writer, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		return e.Encode(n)
	}
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintf(t, "Dargah is ready at %s\n", n.Address)
	fmt.Fprintf(t, "  listens on\t%s\n", strings.Join(n.Listen, ", "))
	fmt.Fprintf(t, "  data\t%s\n", n.Database)
	if n.Log != "-" {
		fmt.Fprintf(t, "  log\t%s\n", n.Log)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return n.advise(w)
}

// advise says what the operator has to do next, if anything.
func (n announcement) advise(w io.Writer) error {
	var text string
	if n.MasterKeyMade {
		text += fmt.Sprintf("\nA master key was made: %s\n"+
			"Keep a copy of it, apart from backups of the database: without it nothing that is stored can be read.\n", n.MasterKey)
	}
	if n.Accounts == 0 {
		text += "\nNobody can call yet: there is no account, and none is made up. Next, with the same --config or --data:\n" +
			"  dargah domain add --help\n" +
			"  dargah account add --help\n"
	}
	_, err := io.WriteString(w, text)
	return err
}
