package cli

import (
	"encoding/json"
	"errors"
	"io"

	"dargah.dev/dargah/internal/config"
)

// inForce prints the settings that a server with the same words would have.
type inForce struct {
	settings
	JSON    bool `help:"Print JSON: a list of keys, values and where they come from." name:"json"`
	Example bool `help:"Print a file with every setting and its default instead."`
}

func (f inForce) Run(c *console) error {
	if f.Example {
		_, err := io.WriteString(c.out, config.Example)
		return err
	}
	loaded, err := f.load()
	if err != nil {
		return err
	}
	if f.JSON {
		e := json.NewEncoder(c.out)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(loaded.Lines())
	}
	text, err := loaded.YAML()
	if err != nil {
		return errors.Join(errors.New("the settings cannot be printed"), err)
	}
	_, err = c.out.Write(text)
	return err
}
