package cli

import (
	"errors"
	"fmt"
	"os"

	"dargah.dev/dargah/internal/app"
	"dargah.dev/dargah/internal/config"
	"dargah.dev/dargah/internal/store"
)

// installation is what every command that works on one is told.
type installation struct {
	Data   path `help:"Data folder of an installation on SQLite. Neither a file nor the environment is read then." placeholder:"DIR" xor:"installation"`
	Config path `help:"Configuration file of the installation (DARGAH_CONFIG)." placeholder:"FILE" xor:"installation"`
}

// errNowhere is a command that was not told where to work.
var errNowhere = misuse{errors.New("which installation? Give --data DIR or --config FILE (or DARGAH_CONFIG)")}

// find gives the settings of the installation and where it lies. The
// environment counts beside a file, or alone where it names a place.
func (i installation) find() (config.Config, store.Location, error) {
	if i.Data != "" {
		c := config.Default()
		c.Data = string(i.Data)
		return c, location(c), nil
	}
	file := configFile(i.Config)
	if file == "" && os.Getenv("DARGAH_DATA") == "" && os.Getenv("DARGAH_DATABASE") == "" && os.Getenv("DARGAH_DATABASE_FILE") == "" {
		return config.Config{}, store.Location{}, errNowhere
	}
	c, err := config.Load(config.Sources{File: file, Environ: os.Environ(), Operator: app.CheckOperator})
	if err != nil {
		return config.Config{}, store.Location{}, refused(err)
	}
	return c.Config, location(c.Config), nil
}

// read opens the installation to look at it.
func (i installation) read(c *console) (*store.Reader, error) {
	_, at, err := i.find()
	if err != nil {
		return nil, err
	}
	r, err := store.OpenReader(c, at)
	if errors.Is(err, store.ErrNoData) {
		return nil, fmt.Errorf("%w\nGive the --data folder or the --config of an installation that has been started", err)
	}
	return r, err
}

// configFile is the file that the flag or the environment names; empty for none.
func configFile(flag path) string {
	if flag != "" {
		return string(flag)
	}
	return os.Getenv(config.FileVariable)
}

// refused puts the mistakes of the settings below a line that says what they are.
func refused(err error) error { return fmt.Errorf("the settings are not accepted:\n%w", err) }

func location(c config.Config) store.Location {
	return store.Location{Dir: c.Data, Database: string(c.Database), MasterKey: c.MasterKey}
}

// misuse is a fault of what was typed, found after the parser was content.
type misuse struct{ error }
