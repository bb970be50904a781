package gateway

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"dargah.dev/dargah/internal/audit"
	"dargah.dev/dargah/internal/closing"
	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/fault"
)

// The headers of idempotent calls: what the caller names its call by, and what
// we say when the answer is one that was given before.
const (
	keyHeader      = "Idempotency-Key"
	replayedHeader = "Idempotency-Replayed"
	keyLimit       = 255 // characters
	sourceKept     = "kept"
)

// Vault seals what is kept, and hashes under a key: neither an idempotency key
// nor a body may be found out by trying.
type Vault interface {
	Hash(purpose, text string) []byte
	Seal(plain []byte, what string) ([]byte, error)
	Unseal(sealed []byte, what string) ([]byte, error)
}

// readKey takes the caller's key where the route charges; nil where there is
// none. The key belongs to the account and the route, so that two customers, or
// two services, never meet under one.
func (c *call) readKey() error {
	values := c.req.Header.Values(keyHeader)
	if !c.route.Priced || len(values) == 0 {
		return nil
	}
	text := values[0]
	printable := !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
	if len(values) > 1 || text == "" || len(text) > keyLimit || !printable {
		return fault.Wrap(fault.Malformed, errors.New("the idempotency key is not one of 1 to 255 printable characters"))
	}
	id := strings.Join([]string{c.pass.Account.ID, c.dialect.Name, c.route.Method, c.route.Path, text}, "\x00")
	c.key = &closing.Key{}
	copy(c.key.ID[:], c.Vault.Hash("idempotency key", id))
	copy(c.key.Body[:], c.Vault.Hash("idempotency body", c.req.URL.RawQuery+"\x00"+string(c.req.Data)))
	return nil
}

// claim makes the key this call's, until release. A call that has it already
// is under way in this process; what other nodes do is decided by the store.
func (c *call) claim() error {
	if c.key == nil {
		return nil
	}
	if _, taken := c.claims.LoadOrStore(c.key.ID, struct{}{}); taken {
		return inFlight()
	}
	c.claimed = true
	return nil
}

func (c *call) release() {
	if c.claimed {
		c.claims.Delete(c.key.ID)
		c.claimed = false
	}
}

func inFlight() error { return &fault.Error{Code: fault.InFlight, RetryAfter: time.Second} }

// replay answers with what is kept under the key, if anything is. It is on
// record, and costs nothing.
func (c *call) replay(ctx context.Context) (reply dialect.Reply, found bool, err error) {
	if c.key == nil {
		return dialect.Reply{}, false, nil
	}
	kept, found, err := c.Books.Kept(ctx, c.key.ID)
	if err != nil || !found {
		return dialect.Reply{}, false, unavailable(err)
	}
	if reply, err = c.reopen(kept); err != nil {
		return dialect.Reply{}, true, err
	}
	c.source = sourceKept
	record := c.record(audit.Answered)
	err = c.Books.Commit(ctx, closing.Closing{Record: record})
	c.booked = err != nil && ctx.Err() == nil
	return reply, true, unavailable(err)
}

// reopen gives the reply that is kept, or the fault of a key that has none for
// this call.
func (c *call) reopen(kept closing.Kept) (dialect.Reply, error) {
	switch {
	case kept.Body != c.key.Body:
		return dialect.Reply{}, fault.New(fault.KeyReused)
	case kept.Open:
		return dialect.Reply{}, inFlight()
	case len(kept.Answer) == 0:
		return dialect.Reply{}, fault.New(fault.KeyReused)
	}
	plain, err := c.Vault.Unseal(kept.Answer, answerWhat(c.key))
	if err != nil {
		return dialect.Reply{}, fault.Wrap(fault.Internal, err)
	}
	var reply dialect.Reply
	if json.Unmarshal(plain, &reply) != nil {
		return dialect.Reply{}, fault.Wrap(fault.Internal, errors.New("a kept answer cannot be read"))
	}
	return reply.With(replayedHeader, "true"), nil
}

// repeated is the end of a call whose key was answered by another node while
// it was under way. The store has put it on record.
func (c *call) repeated(r *closing.Repeated) (dialect.Reply, error) {
	c.booked = true
	c.source = sourceKept
	return c.reopen(r.Kept)
}

// seal makes the reply what is kept under the key.
func (c *call) seal(reply dialect.Reply) error {
	if c.key == nil {
		return nil
	}
	plain, err := json.Marshal(reply)
	if err == nil {
		c.key.Answer, err = c.Vault.Seal(plain, answerWhat(c.key))
	}
	if err != nil {
		return fault.Wrap(fault.Internal, err)
	}
	return nil
}

// answerWhat binds what is sealed to its key.
func answerWhat(k *closing.Key) string { return "answer/" + hex.EncodeToString(k.ID[:]) }
