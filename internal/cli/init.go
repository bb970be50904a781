package cli

import (
	"errors"
	"fmt"

	"dargah.dev/dargah/internal/store"
)

// initialise makes an installation without serving it.
type initialise struct {
	settings
}

func (i initialise) Run(c *console) (err error) {
	loaded, err := i.load()
	if err != nil {
		return err
	}
	at := location(loaded.Config)
	data, made, err := open(c, at, store.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, data.Close()) }()
	_, accounts, err := data.Accounts(c)
	if err != nil {
		return fmt.Errorf("read the accounts: %w", err)
	}
	n := announcement{MasterKey: at.MasterFile(), MasterKeyMade: made, Accounts: len(accounts)}
	if _, err := fmt.Fprintf(c.out, "The installation %s is ready to be served: dargah serve.\n", at); err != nil {
		return err
	}
	return n.advise(c.out)
}
