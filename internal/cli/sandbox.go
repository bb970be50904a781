package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"log/slog"

	"github.com/alecthomas/kong"

	"dargah.dev/dargah/internal/app"
	"dargah.dev/dargah/internal/config"
	"dargah.dev/dargah/internal/event"
	"dargah.dev/dargah/internal/fixture"
	"dargah.dev/dargah/internal/httpd"
	"dargah.dev/dargah/internal/password"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/webhook"
)

// drainFor is how long calls under way may still take after the signal to stop.
const drainFor = 8 * time.Second

type sandbox struct {
	Listen    string   `help:"Address and port to listen on; port 0 takes any free one." default:"127.0.0.1:8080"`
	Data      path     `help:"Folder that keeps everything. Without it a temporary folder, removed at exit." placeholder:"DIR"`
	Fixtures  path     `help:"Who exists, who may call, who hears of what by webhooks and what goes wrong (YAML; see examples/fixtures.yaml). Applied to an empty folder only." placeholder:"FILE"`
	Reset     bool     `help:"Empty the data folder first."`
	Seed      uint64   `help:"Seed of the synthetic population: the same seed makes the same people." default:"1"`
	JSON      bool     `help:"Print one JSON object when ready, instead of text." name:"json"`
	Log       string   `help:"Where the log goes; - is standard error. By default dargah.log in the data folder." placeholder:"FILE"`
	Proxies   []string `help:"Addresses or CIDR blocks of proxies whose X-Forwarded-For is believed." placeholder:"CIDR" env:"DARGAH_PROXIES"`
	PublicURL string   `help:"Where callers reach this server, for payment links." placeholder:"URL" name:"public-url" env:"DARGAH_PUBLIC_URL"`
	DataNames string   `help:"Spelling of the names inside sabapayamak's data: ${enum}." enum:"pascal,camel" default:"pascal" env:"DARGAH_DATA_NAMES"`
	Lockout   int      `help:"Wrong passwords in a row before a user name must wait; 0 is never." default:"0" env:"DARGAH_LOCKOUT"`
}

// path is the place of a file or folder. It is never empty where it was given:
// an unset variable in a script must not make the working folder of it.
type path string

// Decode reads the flag's value, with ~ as the home folder.
func (p *path) Decode(c *kong.DecodeContext) error {
	var given string
	if err := c.Scan.PopValueInto("path", &given); err != nil {
		return err
	}
	if given == "" {
		return errors.New("is empty: give a path, or leave the flag out")
	}
	*p = path(kong.ExpandPath(given))
	return nil
}

func (s sandbox) Run(c *console) (err error) {
	settings := config.Config{
		Proxies: s.Proxies, PublicURL: s.PublicURL, DataNames: s.DataNames, Lockout: s.Lockout,
		PeopleMirror: true, Webhooks: app.SandboxWebhooks(),
	}
	if err := settings.Check(); err != nil {
		return err
	}
	world, err := s.read(settings)
	if err != nil {
		return err
	}
	tune()
	listener, err := listen(s.Listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	dir, remove, err := s.folder()
	if err != nil {
		return err
	}
	defer remove()
	log, logAt, err := s.log(c, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()

	gate := password.New(password.Cost{})
	data, applied, err := s.fill(c, dir, world, gate)
	if c.Err() != nil && errors.Is(err, context.Canceled) {
		_, err = fmt.Fprintln(c.err, "dargah: stopped before it was ready")
		return err
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, data.Close()) }()
	events := event.New(log, slog.LevelInfo)
	base := "http://" + reachable(listener.Addr())
	a, err := app.New(c, data, app.Options{Config: settings, Listen: base, Log: events, Passwords: gate})
	if err != nil {
		return err
	}
	defer a.Close()
	greeting, err := greet(c, a, data, settings.Base(base))
	if err != nil {
		return err
	}
	greeting.Listen, greeting.Log, greeting.Data = "http://"+listener.Addr().String(), logAt, dir
	greeting.Temporary = s.Data == ""
	greeting.NotApplied = s.Fixtures != "" && !applied
	settings.Limits = config.Default().Limits
	server := &httpd.Server{Handler: a.Handler, Crowd: crowd(settings, events), Drain: drainFor, Log: events}
	return server.Run(c, []net.Listener{listener}, func() error { return greeting.print(c.out, s.JSON) })
}

// read takes the fixtures before anything else is touched: a mistake in the
// file must not cost the data folder.
func (s sandbox) read(settings config.Config) (*fixture.World, error) {
	if s.Fixtures == "" {
		return fixture.BuiltIn(rand.Reader), nil
	}
	rules, err := app.WebhookRules(settings)
	if err != nil {
		return nil, err
	}
	world, err := readFixtures(s.Fixtures)
	if err != nil {
		return nil, err
	}
	return world, mayBe(world, s.Fixtures, rules)
}

func readFixtures(file path) (*fixture.World, error) {
	f, err := os.Open(string(file))
	if err != nil {
		return nil, fmt.Errorf("the fixtures cannot be read: %w\nGive an existing file, such as examples/fixtures.yaml", err)
	}
	defer f.Close()
	world, err := fixture.Read(f, filepath.Base(string(file)))
	return world, unaccepted(err)
}

// mayBe tells whether the webhooks of a file may be where they are.
func mayBe(w *fixture.World, file path, rules webhook.Rules) error {
	return unaccepted(w.CheckWebhooks(filepath.Base(string(file)), rules))
}

func unaccepted(err error) error {
	if err != nil {
		return fmt.Errorf("the fixtures are not accepted; nothing was changed:\n%w", err)
	}
	return nil
}

func listen(address string) (net.Listener, error) {
	if address == "" { // to the library that is any port of every network
		return nil, errors.New("--listen is empty\nGive an address and a port of this machine, like --listen 127.0.0.1:8080")
	}
	l, err := net.Listen("tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s is taken: another program listens there (perhaps another Dargah).\nStop it, or choose another port: --listen 127.0.0.1:8081, or --listen 127.0.0.1:0 for any free one", address)
	case err != nil:
		return nil, fmt.Errorf("cannot listen on %q: %w\nGive an address and a port of this machine, like --listen 127.0.0.1:8080", address, err)
	}
	return l, nil
}

// reachable is where this machine reaches the listener: one on all addresses is
// named by loopback, since "::" or "0.0.0.0" is no place that a browser opens.
func reachable(at net.Addr) string {
	tcp, ok := at.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return at.String()
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(tcp.Port))
}

// folder gives the data folder, and what to do with it at the end.
func (s sandbox) folder() (dir string, remove func(), err error) {
	if s.Data == "" {
		if dir, err = os.MkdirTemp("", "dargah-"); err != nil {
			return "", nil, fmt.Errorf("no temporary folder can be made: %w\nGive a folder with --data DIR", err)
		}
		return dir, func() { _ = os.RemoveAll(dir) }, nil
	}
	if err := os.MkdirAll(string(s.Data), 0o700); err != nil {
		return "", nil, fmt.Errorf("the data folder cannot be made: %w\nGive another one with --data DIR", err)
	}
	return string(s.Data), func() {}, nil
}

func (s sandbox) log(c *console, dir string) (*event.Buffer, string, error) {
	if s.Log == "-" {
		return event.NewBuffer(unclosed{c.err}), "standard error", nil
	}
	at := s.Log
	if at == "" {
		at = filepath.Join(dir, "dargah.log")
	}
	f, err := os.OpenFile(at, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil && s.Log == "" {
		return nil, "", fmt.Errorf("the data folder cannot be written: %w\nGive another one with --data DIR", err)
	}
	if err != nil {
		return nil, "", fmt.Errorf("the log cannot be written: %w\nGive another place with --log FILE, or --log - for standard error", err)
	}
	return event.NewBuffer(f), at, nil
}

type unclosed struct{ io.Writer }

func (unclosed) Close() error { return nil }

// fill opens the data folder and gives it its world if it has none. A folder
// whose filling was cut short is filled anew.
func (s sandbox) fill(c *console, dir string, world *fixture.World, gate *password.Gate) (data *store.Store, applied bool, err error) {
	if s.Reset {
		if err := store.Remove(dir); err != nil {
			return nil, false, advise(err, dir)
		}
	}
	for range 2 {
		if data, err = store.Open(c, store.Folder(dir), store.Options{Migrating: c.migrating, PeopleMemory: peopleMemory()}); err != nil {
			return nil, false, advise(err, dir)
		}
		state, err := app.State(c, data)
		if err == nil && state == app.Empty {
			var bar bar
			if world.Population > 0 && !s.JSON {
				bar = newBar(c.err, "making people", "people", world.Population)
			}
			err = app.Fill(c, data, world, app.Filling{Passwords: gate, Seed: s.Seed, Progress: bar.set})
			bar.end(err == nil)
			applied = true
		}
		if err != nil {
			return nil, false, errors.Join(err, data.Close())
		}
		if state == app.Served {
			return nil, false, errors.Join(fmt.Errorf("%s serves customers (dargah serve): nothing is made up there. Choose another --data folder", dir), data.Close())
		}
		if state != app.Partial {
			return data, applied, nil
		}
		if err := errors.Join(data.Close(), store.Remove(dir)); err != nil {
			return nil, false, fmt.Errorf("the data folder was filled only in part and cannot be emptied: %w", err)
		}
	}
	return nil, false, errors.New("the data folder cannot be filled")
}

func advise(err error, dir string) error {
	switch {
	case errors.Is(err, store.ErrNewer):
		return fmt.Errorf("%w\nThe folder %s was written by a newer Dargah: use that version, or another --data folder, or --reset to start afresh (all its data is lost)", err, dir)
	case errors.Is(err, store.ErrInUse):
		return fmt.Errorf("%w\nStop the other Dargah that uses %s, or choose another --data folder", err, dir)
	default:
		return fmt.Errorf("the data folder %s cannot be opened: %w\nChoose another --data folder, or --reset to start afresh (all its data is lost)", dir, err)
	}
}
