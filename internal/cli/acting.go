package cli

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"

	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/store"
)

// acting is what every command that changes an installation is told.
type acting struct {
	installation
	By string `help:"Who does this, for the record; by default the user of the operating system." placeholder:"NAME" env:"DARGAH_BY"`
}

// actor is who acts, as the trail names them.
func (a acting) actor() string {
	if a.By != "" {
		return a.By
	}
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return cmp.Or(os.Getenv("USER"), "unknown")
}

// attach opens the installation to change it, while servers may be running.
func (i installation) attach(c *console) (*store.Store, error) {
	_, at, err := i.find()
	if err != nil {
		return nil, err
	}
	s, err := store.Attach(c, at, store.Options{})
	if errors.Is(err, store.ErrNoData) {
		return nil, fmt.Errorf("%w\nGive the --data folder or the --config of an installation, or make one: dargah init", err)
	}
	return s, err
}

// money reads an amount of rials as people write it: Persian digits, and marks
// between thousands.
func money(text string) (rial.Amount, error) {
	plain := strings.NewReplacer(",", "", "٬", "", "،", "", "_", "", " ", "").Replace(persian.Digits(strings.TrimSpace(text)))
	n, err := strconv.ParseInt(plain, 10, 64)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("%q is no amount: give whole rials above zero, like 500000 or 500,000", text)
	}
	return rial.Amount(n), nil
}
