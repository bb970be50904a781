package store

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"dargah.dev/dargah/internal/audit"
)

// longestKey is more than any id has, in bytes; PostgreSQL takes no more than
// 2700 into an index.
const longestKey = 1000

// errText: PostgreSQL takes no NUL and nothing but UTF-8 as text. SQLite would;
// the same is refused on both, so that what one has can be moved to the other.
var errText = fmt.Errorf("%w: a name or an id holds a NUL, is not UTF-8, or is too long", errRefused)

// named refuses texts that cannot be names or ids.
func named(texts ...string) error {
	for _, text := range texts {
		if len(text) > longestKey || !readable(text) {
			return errText
		}
	}
	return nil
}

func readable(text string) bool { return utf8.ValidString(text) && strings.IndexByte(text, 0) < 0 }

// tidy puts a replacement character wherever a text cannot be kept as it is.
func tidy(texts ...*string) {
	for _, text := range texts {
		if !readable(*text) {
			*text = strings.ReplaceAll(strings.ToValidUTF8(*text, "\uFFFD"), "\x00", "\uFFFD")
		}
	}
}

// tidy makes the order one that the database takes, before others come into the
// same transaction.
func (o *order) tidy() error {
	err := errors.Join(named(o.Charge.Account), tidyRecord(&o.Record))
	if i := o.intent; i != nil {
		err = errors.Join(err, named(i.Account), tidyRecord(&i.Record))
	}
	if op := o.operation; op != nil {
		tidy(&op.Actor, &op.Reason)
		err = errors.Join(err, named(op.ID, op.Account, op.Refers))
	}
	return err
}

func tidyRecord(r *audit.Record) error {
	tidy(&r.Dialect, &r.Service, &r.Method, &r.Outcome, &r.Source, &r.Document)
	return named(r.Call, r.Account)
}
