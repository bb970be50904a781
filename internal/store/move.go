package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"dargah.dev/dargah/internal/audit"
	"dargah.dev/dargah/internal/seal"
)

// ErrDiffers means that what was copied is not what was there.
var ErrDiffers = errors.New("the copy is not exact: nothing was switched over, and the source is as it was")

// MoveOptions are what Move may be told. The zero value is good.
type MoveOptions struct {
	// Restart empties a target on which another installation's move was cut
	// short. That of this installation needs no permission.
	Restart bool
	// Progress is told how many rows are done of all, in each part of the work.
	Progress func(part string, done, all int64)
	Now      func() time.Time // time.Now where nil
}

// Moved is the proof of a move.
type Moved struct {
	Tables     []TableProof
	Records    int64           // of the trail
	Problems   []audit.Problem // of the trail; the first hundred
	Imbalances []Imbalance     // of the books
	MasterKey  string          // the file that the installation needs from now on
	// Resumed: an earlier move had proved and copied all, and was cut short at
	// its last step.
	Resumed bool
}

// TableProof is what both sides hold of one table.
type TableProof struct {
	Name     string
	From, To Sum
}

// Same tells whether both hold the same.
func (p TableProof) Same() bool { return p.From == p.To }

// Move copies an installation on SQLite to an empty database on PostgreSQL,
// reads both back, and compares them; then it marks the source as moved. Until
// then the source can be served as before, whatever happens, and the target
// cannot. ErrInUse: a server has the source open. ErrDiffers: the proof says
// where.
func Move(ctx context.Context, from, to Location, opts MoveOptions) (result Moved, err error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Progress == nil {
		opts.Progress = func(string, int64, int64) {}
	}
	key, err := filepath.Abs(from.master())
	if err != nil {
		return Moved{}, err
	}
	to.MasterKey = key
	m := &move{opts: opts, to: to, result: Moved{MasterKey: key}}
	defer func() { err = errors.Join(err, m.close()) }()
	if m.source, err = openSource(ctx, from); err != nil {
		return Moved{}, fmt.Errorf("move %s: %w", from, err)
	}
	if m.target, err = openTarget(ctx, to); err != nil {
		return Moved{}, fmt.Errorf("move to %s: %w", to, err)
	}
	err = m.run(ctx)
	return m.result, err
}

// UndoMove takes the mark of a move from its source, which can be served again.
// The target is not touched: what was written there since is there alone.
func UndoMove(ctx context.Context, from Location) (err error) {
	s, err := openSource(ctx, from)
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if s.mark.Stage != moved {
		return fmt.Errorf("%s was not moved: there is nothing to take back", from)
	}
	return s.commit(ctx, `DELETE FROM setting WHERE name = $1`, markName)
}

// source is an installation that nobody else can write to.
type source struct {
	engine engine
	tx     *sql.Tx // has the write lock, so that commands beside us cannot write either
	at     Location
	mark   mark
	keys   *seal.Keyring
	tables []table
	rows   int64
}

func openSource(ctx context.Context, at Location) (_ *source, err error) {
	if at.Database != "" {
		return nil, errors.New("it is on PostgreSQL already: the source must be a data folder with SQLite")
	}
	// Opening for a server makes what is not there.
	if _, err := os.Stat(filepath.Join(at.Dir, databaseName)); errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoData
	}
	s := &source{at: at}
	if s.engine, err = openSQLite(ctx, at.Dir, serving); err != nil {
		return nil, err
	}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *source) open(ctx context.Context) (err error) {
	if err := checkSchema(ctx, s.engine); err != nil {
		return err
	}
	writer, _, _ := s.engine.pools()
	if s.tx, err = writer.BeginTx(context.WithoutCancel(ctx), nil); err != nil {
		return fmt.Errorf("begin to read: %w", err)
	}
	if s.mark, err = readMark(ctx, s.tx); err != nil {
		return err
	}
	if s.keys, err = readKeyring(ctx, s.at.master(), s.tx); err != nil {
		return err
	}
	if _, err := readHead(ctx, s.tx); err != nil {
		return err
	}
	if s.tables, err = sqliteTables(ctx, s.tx); err != nil {
		return err
	}
	for _, t := range s.tables {
		var n int64
		if err := s.tx.QueryRowContext(ctx, `SELECT count(*)`+t.from()).Scan(&n); err != nil {
			return fmt.Errorf("count the rows of %s: %w", t.name, err)
		}
		s.rows += n
	}
	return nil
}

// commit makes one change, and is the end of the transaction.
func (s *source) commit(ctx context.Context, statement string, args ...any) error {
	if _, err := s.tx.ExecContext(context.WithoutCancel(ctx), statement, args...); err != nil {
		return fmt.Errorf("mark the source: %w", err)
	}
	if err := s.tx.Commit(); err != nil {
		return fmt.Errorf("mark the source: %w", err)
	}
	s.tx = nil
	return nil
}

func (s *source) close() error {
	var err error
	if s.tx != nil {
		err = s.tx.Rollback()
	}
	return errors.Join(err, s.engine.close())
}

// move is one move under way.
type move struct {
	opts   MoveOptions
	to     Location
	source *source
	target *target
	name   string
	result Moved
}

func (m *move) close() error {
	var errs []error
	if m.target != nil {
		errs = append(errs, m.target.close())
	}
	if m.source != nil {
		errs = append(errs, m.source.close())
	}
	return errors.Join(errs...)
}

func (m *move) run(ctx context.Context) error {
	if m.source.mark.Stage == moved {
		return m.resume(ctx)
	}
	m.name = rand.Text()
	own := m.mark(copying, m.source.at.String())
	if err := m.target.claim(ctx, own, m.source.tables, m.opts.Restart); err != nil {
		return fmt.Errorf("move to %s: %w", m.to, err)
	}
	if err := m.copy(ctx); err != nil {
		return fmt.Errorf("%w\nThe source is as it was, and can be served; the target is unfinished, and cannot", err)
	}
	if err := m.prove(ctx); err != nil {
		return err
	}
	return m.finish(ctx)
}

// resume does the last step of a move whose source is marked already.
func (m *move) resume(ctx context.Context) error {
	at, err := m.target.mark(ctx)
	if err != nil {
		return err
	}
	if at.Stage != proved || at.Move != m.source.mark.Move {
		return m.source.mark.gone()
	}
	m.result.Resumed = true
	return m.target.release(ctx)
}

func (m *move) mark(at stage, other string) mark {
	return mark{Stage: at, Move: m.name, Of: identity(m.source.keys), Other: other, At: m.opts.Now().UTC()}
}

// identity is the same wherever the keys of an installation are.
func identity(keys *seal.Keyring) string {
	return hex.EncodeToString(keys.Hash("move", "installation")[:8])
}

func (m *move) copy(ctx context.Context) error {
	var done int64
	for _, t := range m.source.tables {
		err := m.target.fill(ctx, &t, m.source.tx, func() {
			if done++; done%1024 == 0 {
				m.opts.Progress("copying", done, m.source.rows)
			}
		})
		if err != nil {
			return fmt.Errorf("copy table %s: %w", t.name, err)
		}
	}
	m.opts.Progress("copying", done, m.source.rows)
	return m.target.analyze(ctx, m.source.tables)
}

// finish switches over. Nothing stops it half-way but a crash, and after one
// neither side can be served until the move is run again.
func (m *move) finish(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	if err := m.target.note(ctx, m.mark(proved, m.source.at.String())); err != nil {
		return err
	}
	text, err := m.mark(moved, m.to.String()).text()
	if err != nil {
		return err
	}
	if err := m.source.commit(ctx, `INSERT INTO setting (name, value) VALUES ($1, $2)`, markName, text); err != nil {
		return err
	}
	if err := m.target.release(ctx); err != nil {
		return fmt.Errorf("%w\nAll is copied and compared, and the source is marked as moved: run the same command again for the last step", err)
	}
	return nil
}
