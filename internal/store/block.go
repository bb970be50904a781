package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/seal"
)

// blockHash is the purpose of the hashes of lines and recipients. Nothing else
// is kept of them, so that the list is no list of people.
const blockHash = "block"

// Whose wish a block is.
const (
	byOperator  = "operator"
	byRecipient = "recipient"
)

func blockKey(keys *seal.Keyring, line string, recipient persian.Mobile) (key [seal.HashSize]byte) {
	keys.AppendHash(key[:0], blockHash, account.LineKey(line)+"\x00"+recipient.Local())
	return key
}

// Blocks is who gets nothing from which line, as it was when it was read. The
// zero Blocks is nobody. It takes some 40 bytes of memory for each.
type Blocks struct {
	keys *seal.Keyring
	all  map[[seal.HashSize]byte]struct{}
}

// Has tells whether the recipient gets nothing from the line, in any spelling
// of its number.
func (b *Blocks) Has(line string, recipient persian.Mobile) bool {
	if len(b.all) == 0 {
		return false
	}
	_, blocked := b.all[blockKey(b.keys, line, recipient)]
	return blocked
}

// Blocks reads who gets nothing from which line.
func (s *Store) Blocks(ctx context.Context) (*Blocks, error) {
	b := &Blocks{keys: s.keys, all: map[[seal.HashSize]byte]struct{}{}}
	rows, err := s.reader.QueryContext(ctx, `SELECT number FROM block`)
	if err == nil {
		err = scan(rows, func(into func(...any) error) error {
			var hash []byte
			if err := into(&hash); err != nil {
				return err
			}
			if len(hash) != seal.HashSize {
				return fmt.Errorf("a hash of %d bytes where %d belong", len(hash), seal.HashSize)
			}
			b.all[[seal.HashSize]byte(hash)] = struct{}{}
			return nil
		})
	}
	if err != nil {
		return nil, fmt.Errorf("read the blocks: %w", err)
	}
	return b, nil
}

// Blocked counts who gets nothing from a line.
type Blocked struct {
	Line       string    `json:"line"` // its account.LineKey
	Recipients int64     `json:"recipients"`
	ByWish     int64     `json:"byTheirOwnWish"` // of them
	First      time.Time `json:"first"`          // when the first one was blocked
	Last       time.Time `json:"last"`
}

// CountBlocks counts blocks by line.
func (s *Store) CountBlocks(ctx context.Context) (all []Blocked, err error) {
	rows, err := s.reader.QueryContext(ctx, `SELECT line, count(*), sum(CASE WHEN source = $1 THEN 1 ELSE 0 END), min(at), max(at) FROM block GROUP BY line ORDER BY line`, byRecipient)
	if err == nil {
		err = scan(rows, func(into func(...any) error) error {
			var b Blocked
			var first, last int64
			err := into(&b.Line, &b.Recipients, &b.ByWish, &first, &last)
			b.First, b.Last = fromMicros(first), fromMicros(last)
			all = append(all, b)
			return err
		})
	}
	if err != nil {
		return nil, fmt.Errorf("count the blocks: %w", err)
	}
	return all, nil
}

// Block is a recipient who gets nothing from a line.
type Block struct {
	Line      string // in any spelling
	Recipient persian.Mobile
}

// PutBlocks blocks recipients; who is blocked already stays so.
func (s *Store) PutBlocks(ctx context.Context, blocks []Block) error {
	return s.write(ctx, "put blocks", func(tx *sql.Tx) error {
		for _, b := range blocks {
			if _, err := putBlock(tx, s.keys, b, byOperator, s.now()); err != nil {
				return err
			}
		}
		return nil
	})
}

// putBlock tells whether the recipient was not blocked before.
func putBlock(tx *sql.Tx, keys *seal.Keyring, b Block, source string, at time.Time) (added bool, err error) {
	line := account.LineKey(b.Line)
	if err := named(line); err != nil {
		return false, err
	}
	key := blockKey(keys, line, b.Recipient)
	result, err := tx.Exec(`INSERT INTO block (number, line, source, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`, key[:], line, source, micros(at))
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// AddBlock has a recipient get nothing more from a line that somebody has; who
// is blocked already is ErrTaken.
func (c *Change) AddBlock(b Block) error {
	if _, err := c.LineOwner(b.Line); err != nil {
		return err
	}
	c.touch(kindBlocks)
	switch added, err := putBlock(c.tx, c.store.keys, b, byOperator, c.store.now()); {
	case err != nil:
		return fmt.Errorf("block a recipient: %w", err)
	case !added:
		return taken("this block")
	}
	return nil
}

// HasBlock tells whether a recipient gets nothing from a line.
func (c *Change) HasBlock(b Block) (bool, error) {
	var n int
	key := blockKey(c.store.keys, b.Line, b.Recipient)
	err := c.tx.QueryRow(`SELECT count(*) FROM block WHERE number = $1`, key[:]).Scan(&n)
	return n > 0, err
}

// RemoveBlock lets a recipient get messages of a line again. The line need not
// be anybody's any more.
func (c *Change) RemoveBlock(b Block) error {
	if _, err := c.LineOwner(b.Line); err != nil && !errors.Is(err, ErrNone) {
		return err
	}
	key := blockKey(c.store.keys, b.Line, b.Recipient)
	c.touch(kindBlocks)
	return one(c.tx, missing("a block of this recipient by line "+account.LineKey(b.Line)), `DELETE FROM block WHERE number = $1`, key[:])
}
