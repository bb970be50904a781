// Package store owns what is durable: accounts, wallets, the ledger, the
// trail, token families, the register, and the secrets that go with them. What
// Commit has answered survives a crash and a power cut.
//
// The words that are stored, and what may be done with them, belong to the
// packages above; here is only how they are kept. SQL stands beside the Go
// that scans it, in a form that SQLite and PostgreSQL both read.
package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"dargah.dev/dargah/internal/audit"
	"dargah.dev/dargah/internal/seal"
)

var (
	// ErrInUse means that another process has the data folder open.
	ErrInUse = errors.New("another Dargah process is using this data folder: stop it, or choose another folder")
	// ErrNewer means that the data folder was written by a later version.
	ErrNewer = errors.New("this database was written by a newer Dargah: " +
		"start that version or a later one, or restore the backup that was made before the upgrade")
	// ErrUnsafe means that the database could lose what it has taken.
	ErrUnsafe = errors.New("the database cannot be run safely as it is set up")
	// ErrClosed means that the store was closed before the call came.
	ErrClosed = errors.New("store: closed")
)

// Options are what Open may be told. The zero value is good.
type Options struct {
	Now      func() time.Time // time.Now where nil
	GroupMax int              // closings in one transaction at most; 512 where 0
	// Migrating, which may be nil, is called before the schema of an older
	// version is brought up to date. With millions of people that takes minutes.
	Migrating func(from, to int64)
	// PeopleMemory is how many bytes of memory a copy of the register may take; a
	// larger one is in a file. 64 MiB where 0. There are two while one is made anew.
	PeopleMemory int64
}

// Store is an open installation. It is safe for concurrent use.
type Store struct {
	now    func() time.Time
	engine engine
	writer *sql.DB // one connection on SQLite
	reader *sql.DB // several, which cannot write
	// patient is for what takes long: the writer on SQLite.
	patient *sql.DB
	keys    *seal.Keyring

	wallets wallets
	dead    families
	// listeners are the webhooks that are told, by account.
	listeners  atomic.Pointer[map[string][]listener]
	lastNotice atomic.Int64
	queue      queue
	commits    *committer
	head       audit.Head // of the trail, when it was opened
	made       statements // of the writer
	group      groupSQL   // made of them, as what follows
	jobs       jobSQL
	dues       *query // of the reader
	outcomes   outcomeSQL
	receipts   receiptSQL
	sides      sides
	strayed    strayed
	ids        sequence                   // of messages
	wakes      map[string]chan struct{}   // by kind of jobs
	done       chan struct{}              // closed when the committer has ended
	closing    chan struct{}              // closed when it is to end
	failing    atomic.Bool                // the last transaction failed
	stuck      atomic.Pointer[audit.Head] // the committer's last group failed; what it wrote before
	changed    atomic.Pointer[func()]

	persons   personReader
	scratch   []string // folders for files without names; empty is the system's
	reports   *sql.Stmt
	closeOnce sync.Once
	closed    error
}

// Open opens the installation at a place for a server, making it where it is
// not there, and brings its schema up to date. Besides ErrInUse, ErrNewer,
// ErrUnsafe, ErrMoved, ErrUnfinished, ErrTrail and seal.ErrMasterKey it fails where the database cannot
// be reached; the error says what to do, and never holds a password.
func Open(ctx context.Context, at Location, opts Options) (*Store, error) {
	return begin(ctx, at, opts, serving)
}

// Attach opens an installation for a command, while servers may be running on
// it. It makes nothing and migrates nothing: besides the errors of Open it
// fails with ErrNoData and ErrOlder. What servers keep in memory does not
// change by what is written here, until they look.
func Attach(ctx context.Context, at Location, opts Options) (*Store, error) {
	return begin(ctx, at, opts, beside)
}

func begin(ctx context.Context, at Location, opts Options, how use) (_ *Store, err error) {
	s := &Store{now: opts.Now, done: make(chan struct{}), closing: make(chan struct{}), wakes: newWakes()}
	s.ids = sequence{store: s, name: "message"}
	if s.now == nil {
		s.now = time.Now
	}
	if s.engine, err = openEngine(ctx, at, how); err != nil {
		return nil, fmt.Errorf("open %s: %w", at, err)
	}
	s.scratch = []string{at.Dir} // where there is room for the database
	if s.engine.shared() {
		s.scratch = append(s.scratch, "")
	}
	s.writer, s.reader, s.patient = s.engine.pools()
	if err := s.open(ctx, at, how, opts); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", at, err), s.release())
	}
	s.persons.mirrors.memory = cmp.Or(opts.PeopleMemory, mirrorMemory)
	s.queue.wake = make(chan struct{}, 1)
	s.commits = &committer{store: s, groupMax: cmp.Or(opts.GroupMax, 512), watch: watch{queue: &s.queue}}
	s.commits.group = group{sql: s.group, trail: s.trail(), session: s.engine.session(), remote: s.engine.shared()}
	go s.commits.run(s.done)
	return s, nil
}

func (s *Store) open(ctx context.Context, at Location, how use, opts Options) (err error) {
	if err := checkMark(ctx, s.engine); err != nil {
		return err
	}
	if how == serving {
		if err := migrate(ctx, s.engine, opts.Migrating); err != nil {
			return err
		}
		s.keys, err = openKeyring(ctx, at.master(), s.writer, s.engine.alone)
	} else {
		if err := checkSchema(ctx, s.engine); err != nil {
			return err
		}
		s.keys, err = readKeyring(ctx, at.master(), s.reader)
	}
	if err != nil {
		return err
	}
	if err := s.load(ctx); err != nil {
		return err
	}
	ofSessions := statements{engine: s.engine}
	s.group = ofSessions.group(s.engine.lock())
	s.outcomes = ofSessions.outcomes(s.engine.lock())
	s.receipts = ofSessions.receipts(s.engine.lock())
	s.made.engine = s.engine
	if how == serving {
		s.made.db = s.writer
	}
	s.jobs = s.made.jobs(s.engine.skip())
	return s.made.err
}

// load reads what is kept in memory, and prepares what is read from it.
func (s *Store) load(ctx context.Context) (err error) {
	if s.head, err = readHead(ctx, s.reader); err != nil {
		return err
	}
	if err := s.Sweep(ctx); err != nil {
		return err
	}
	if err := s.loadWallets(ctx); err != nil {
		return err
	}
	if err := errors.Join(s.LoadFamilies(ctx), s.LoadWebhooks(ctx)); err != nil {
		return err
	}
	looking := &statements{db: s.reader, engine: s.engine}
	if s.persons, err = newPersonReader(looking, lookupReaders(s.engine), s.keys, s.scratch); err != nil {
		return err
	}
	if s.dues = looking.dues(); looking.err != nil {
		return looking.err
	}
	if s.reports, err = s.reader.PrepareContext(ctx, `SELECT id, sealed FROM report WHERE person = $1`); err != nil {
		return fmt.Errorf("prepare the look-up of reports: %w", err)
	}
	return nil
}

// Shared tells whether other servers may have the same installation open, so
// that what is in memory may not be the last word.
func (s *Store) Shared() bool { return s.engine.shared() }

// soon bounds a call's read where the database is not in this process.
func (s *Store) soon(ctx context.Context) (context.Context, context.CancelFunc) {
	if !s.engine.shared() {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, readLimit)
}

// trail is the trail as it was found.
func (s *Store) trail() trail {
	return trail{chain: audit.NewChain(s.keys.Key(trailPurpose)), seen: s.head}
}

// Close commits what is queued and leaves the installation to others. Later
// calls of Commit get ErrClosed.
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		s.queue.close()
		close(s.closing)
		<-s.done
		s.ids.working.Wait()
		s.closed = s.release()
	})
	return s.closed
}

// release undoes as much of Open as was done.
func (s *Store) release() error {
	return errors.Join(s.persons.close(), s.made.close(), s.sides.close(), s.engine.close())
}

// Keyring seals and hashes with the folder's keys.
func (s *Store) Keyring() *seal.Keyring { return s.keys }

// Dead tells whether the family of refresh tokens was killed. It reads memory
// alone.
func (s *Store) Dead(family string) bool { return s.dead.has(family) }

// Ready tells why calls could not be served now: a read fails, the last
// transaction failed and another one still does, or the trail does not go on
// from what was written here.
func (s *Store) Ready(ctx context.Context) error {
	if _, _, err := s.Setting(ctx, probeName); err != nil {
		return fmt.Errorf("the store cannot be read: %w", err)
	}
	if wrote := s.stuck.Load(); wrote != nil {
		if err := s.stands(ctx, *wrote); err != nil {
			return err
		}
		s.stuck.CompareAndSwap(wrote, nil)
	}
	if !s.failing.Load() {
		return nil
	}
	// Without calls nothing else would find out that the disk is well again.
	if err := s.PutSetting(ctx, probeName, s.now().UTC().Format(time.RFC3339)); err != nil {
		return fmt.Errorf("the store cannot be written: %w", err)
	}
	return nil
}

// write runs one transaction, unless the caller has left already.
func (s *Store) write(ctx context.Context, what string, do func(*sql.Tx) error) error {
	return s.writeOn(ctx, s.writer, what, do)
}

func (s *Store) writeOn(ctx context.Context, db *sql.DB, what string, do func(*sql.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	err := transact(db, do)
	s.failing.Store(err != nil)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func transact(db *sql.DB, do func(*sql.Tx) error) error {
	tx, err := db.BeginTx(context.Background(), nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := do(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}
