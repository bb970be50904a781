package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"dargah.dev/dargah/internal/app"
	"dargah.dev/dargah/internal/config"
	"dargah.dev/dargah/internal/event"
	"dargah.dev/dargah/internal/httpd"
	"dargah.dev/dargah/internal/password"
	"dargah.dev/dargah/internal/store"
)

const (
	// watchEvery is how soon a new certificate is seen without a signal.
	watchEvery = 5 * time.Second
	// longestNotice is long enough for a balancer that looks every two seconds
	// and wants to see two failures.
	longestNotice = 5 * time.Second
)

// serve is the start for customers. Nothing is made up: no account, no
// password, no person.
type serve struct {
	settings
	JSON bool `help:"Print one JSON object when ready, instead of text." name:"json"`
}

func (s serve) Run(c *console) (err error) {
	loaded, err := s.load()
	if err != nil {
		return err
	}
	set := loaded.Config
	tune()
	listeners, err := listenAll(set.Listen)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeAll(listeners)) }()
	if err := plain(set, listeners); err != nil {
		return err
	}
	log, err := openLog(c, set)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	certificate, err := openCertificate(set, log.Log)
	if err != nil {
		return err
	}
	data, made, err := open(c, location(set), store.Options{Migrating: c.migrating, PeopleMemory: peopleMemory()})
	if c.Err() != nil && errors.Is(err, context.Canceled) {
		_, err = fmt.Fprintln(c.err, "dargah: stopped before it was ready")
		return err
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, data.Close()) }()
	base := scheme(set) + reachable(listeners[0].Addr())
	a, err := app.New(c, data, app.Options{Config: set, Listen: base, Log: log.Log, Passwords: password.New(password.Cost{})})
	if err != nil {
		return err
	}
	defer a.Close()
	said, err := announce(c, data, set, base, listeners)
	if err != nil {
		return err
	}
	said.MasterKeyMade = made
	defer attend(c, log, certificate)()
	server := &httpd.Server{
		Handler: a.Handler, Crowd: crowd(set, log.Log), Certificate: certificate, Log: log.Log,
		Notice: notice(set.Drain), Drain: set.Drain - notice(set.Drain),
	}
	return server.Run(c, listeners, func() error {
		log.Note("ready", "node", said.Node, "address", said.Address)
		return errors.Join(said.print(c.out, s.JSON), notify("READY=1"))
	})
}

// notice is the part of the drain in which all goes on as before.
func notice(drain time.Duration) time.Duration { return min(drain/5, longestNotice) }

func scheme(c config.Config) string {
	if c.TLS.On() {
		return "https://"
	}
	return "http://"
}

func openCertificate(c config.Config, log *event.Log) (*httpd.Certificate, error) {
	if !c.TLS.On() {
		return nil, nil
	}
	certificate, err := httpd.OpenCertificate(c.TLS.Certificate, c.TLS.Key, log)
	if err != nil {
		return nil, fmt.Errorf("TLS cannot be served: %w\nGive the certificate with its chain, and its key, both in PEM (tls.certificate, tls.key)", err)
	}
	return certificate, nil
}

// migrating says what a start that takes long is doing.
func (c *console) migrating(from, to int64) {
	fmt.Fprintf(c.err, "dargah: the database is brought from schema %d to %d; with millions of people in it that takes minutes\n", from, to)
}

// open opens the installation for a server, making what is not there. It tells
// whether the master key was made.
func open(ctx context.Context, at store.Location, opts store.Options) (data *store.Store, made bool, err error) {
	if at.Database == "" || at.MasterKey == "" {
		if err := os.MkdirAll(at.Dir, 0o700); err != nil {
			return nil, false, fmt.Errorf("the data folder cannot be made: %w\nGive another one: the setting data, or --data DIR", err)
		}
	}
	_, before := os.Stat(at.MasterFile())
	data, err = store.Open(ctx, at, opts)
	switch {
	case errors.Is(err, store.ErrInUse):
		return nil, false, fmt.Errorf("%w\nStop the other Dargah that uses %s; several nodes share one installation on PostgreSQL only", err, at)
	case err != nil:
		return nil, false, fmt.Errorf("the installation %s cannot be opened: %w", at, err)
	}
	if err := app.MarkServed(ctx, data); err != nil {
		return nil, false, errors.Join(err, data.Close())
	}
	return data, errors.Is(before, fs.ErrNotExist), nil
}

// logbook is the log and the file behind it.
type logbook struct {
	*event.Log
	*event.Buffer
	file *event.File // nil for standard error
}

func openLog(c *console, set config.Config) (*logbook, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(set.LogLevel)); err != nil {
		return nil, fmt.Errorf("logLevel: %w", err)
	}
	l := &logbook{}
	if set.Log == "-" {
		l.Buffer = event.NewBuffer(unclosed{c.err})
	} else {
		file, err := event.OpenFile(set.Log)
		if err != nil {
			return nil, fmt.Errorf("%w\nGive another file (the setting log), or - for standard error", err)
		}
		l.file, l.Buffer = file, event.NewBuffer(file)
	}
	l.Log = event.New(l.Buffer, level)
	return l, nil
}

// reopen lets go of a file that was renamed.
func (l *logbook) reopen() {
	if l.file == nil {
		return
	}
	if err := l.Between(l.file.Reopen); err != nil {
		l.Fail("the log stays in the file before", err)
	}
}

// attend looks after signals and the certificate until it is told to end: at
// SIGHUP the log is opened anew and the certificate read anew; at the first
// signal to stop the service manager is told, and a second one ends at once.
func attend(c *console, log *logbook, certificate *httpd.Certificate) (end func()) {
	ctx, cancel := context.WithCancel(c)
	if certificate != nil {
		go certificate.Watch(ctx, watchEvery)
	}
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	go func() {
		for {
			select {
			case <-hangup:
				log.reopen()
				log.Note("SIGHUP: the log was opened anew")
				if certificate != nil {
					certificate.Refresh()
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	stopped := context.AfterFunc(c, func() {
		signal.Reset(os.Interrupt, syscall.SIGTERM)
		log.Note("stopping")
		if err := notify("STOPPING=1"); err != nil {
			log.Fail("stopping", err)
		}
	})
	return func() { stopped(); cancel(); signal.Stop(hangup) }
}

// announce is what a server says when it is ready.
func announce(ctx context.Context, data *store.Store, set config.Config, base string, listeners []net.Listener) (announcement, error) {
	_, accounts, err := data.Accounts(ctx)
	if err != nil {
		return announcement{}, fmt.Errorf("read the accounts: %w", err)
	}
	n := announcement{
		Address: set.Base(base), Log: set.Log, Accounts: len(accounts), Node: set.Node,
		Database: location(set).String(), MasterKey: location(set).MasterFile(),
	}
	if n.Node == "" {
		n.Node, _ = os.Hostname() // a name for people: without one the log has none
	}
	for _, l := range listeners {
		n.Listen = append(n.Listen, scheme(set)+l.Addr().String())
	}
	return n, nil
}
