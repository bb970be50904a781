package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

var (
	// ErrMoved means that the installation goes on elsewhere.
	ErrMoved = errors.New("this installation was moved")
	// ErrUnfinished means that a database holds what a move had copied when it
	// was cut short.
	ErrUnfinished = errors.New("a move to this database was not finished: run the same `dargah move` again")
)

// markName is the setting in which a move leaves its mark. It belongs to one
// side of a move, and is never copied.
const markName = "store/move"

// mark says how far a move is. The source is marked before the target's mark
// goes, so that at no moment both can be served.
type mark struct {
	Stage stage     `json:"stage"`
	Move  string    `json:"move"`  // the move's own name, the same on both sides
	Of    string    `json:"of"`    // which installation: a hash under its keys
	Other string    `json:"other"` // the other side, without its password
	At    time.Time `json:"at"`
}

type stage string

const (
	copying stage = "copying" // the target, until all was compared
	proved  stage = "proved"  // the target, until the source is marked
	moved   stage = "moved"   // the source
)

// readMark gives the zero mark where there is none.
func readMark(ctx context.Context, db querier) (m mark, err error) {
	var text string
	err = db.QueryRowContext(ctx, `SELECT value FROM setting WHERE name = $1`, markName).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return mark{}, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(text), &m)
	}
	if err != nil {
		return mark{}, fmt.Errorf("read the mark of a move: %w", err)
	}
	return m, nil
}

func (m mark) text() (string, error) {
	text, err := json.Marshal(m)
	if err != nil {
		return "", fmt.Errorf("write the mark of a move: %w", err)
	}
	return string(text), nil
}

// stays refuses an installation that is to be written elsewhere.
func stays(ctx context.Context, db querier) error {
	m, err := readMark(ctx, db)
	switch {
	case err != nil:
		return err
	case m.Stage == moved:
		return m.gone()
	case m.Stage != "":
		return ErrUnfinished
	}
	return nil
}

func (m mark) gone() error {
	return fmt.Errorf("%w to %s at %s: serve it from there, or take the move back with `dargah move --undo`",
		ErrMoved, m.Other, m.At.UTC().Format(time.RFC3339))
}

// checkMark is stays, where there is a schema at all.
func checkMark(ctx context.Context, e engine) error {
	version, err := e.version(ctx)
	if err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	if version == 0 {
		return nil
	}
	_, reader, _ := e.pools()
	return stays(ctx, reader)
}

// checkWhole refuses what can not even be read.
func checkWhole(ctx context.Context, db querier) error {
	m, err := readMark(ctx, db)
	if err == nil && (m.Stage == copying || m.Stage == proved) {
		err = ErrUnfinished
	}
	return err
}
