// Package password owns the slow work of checking passwords: argon2id under
// an admission bound, one check for all who ask the same at the same moment, a
// memory of successful checks, and the hash that stands in for users who do not
// exist. Who a user is, and what a wrong password
// costs, is decided elsewhere.
package password

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/crypto/argon2"
	"golang.org/x/sync/singleflight"

	"dargah.dev/dargah/internal/fault"
)

// MaxLength bounds what is hashed, in bytes: longer input cannot be anybody's
// password and must not cost work.
const MaxLength = 256

// Cost is the work of one hash. The zero Cost is OWASP's minimum for
// argon2id: 19 MiB, two passes, one lane.
type Cost struct {
	Memory uint32 // KiB
	Time   uint32 // passes
}

// The ceiling on stored parameters: a corrupt row must not allocate gigabytes.
const (
	maxMemory = 256 << 10
	maxTime   = 16
)

const (
	keyLength  = 32
	saltLength = 16
	rememberBy = time.Minute
	rememberN  = 10_000
	queueFor   = 500 * time.Millisecond
	queueN     = 8
)

// Gate checks passwords. It is complete after New and safe for concurrent use.
type Gate struct {
	cost   Cost
	slots  chan struct{} // one per core: more would only make all of them slow
	queue  chan struct{}
	flight singleflight.Group
	known  *otter.Cache[[32]byte, struct{}]
	secret [32]byte // per process: a dump of the memory cache is no fast hash of passwords
	dummy  string
}

// New makes a gate with as many slots as the process may use cores.
func New(cost Cost) *Gate {
	if cost.Memory == 0 {
		cost = Cost{Memory: 19 << 10, Time: 2}
	}
	cores := runtime.GOMAXPROCS(0)
	g := &Gate{
		cost: cost, slots: make(chan struct{}, cores), queue: make(chan struct{}, cores+queueN),
		known: otter.Must(&otter.Options[[32]byte, struct{}]{
			MaximumSize:      rememberN,
			ExpiryCalculator: otter.ExpiryWriting[[32]byte, struct{}](rememberBy),
		}),
	}
	_, _ = rand.Read(g.secret[:]) // never fails: crypto/rand panics instead
	g.dummy = g.Hash(rand.Text())
	return g
}

// Hash makes the PHC string to store for a password.
func (g *Gate) Hash(password string) string {
	salt := make([]byte, saltLength)
	_, _ = rand.Read(salt)
	sum := argon2.IDKey([]byte(password), salt, g.cost.Time, g.cost.Memory, 1, keyLength)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=1$%s$%s", argon2.Version, g.cost.Memory, g.cost.Time,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(sum))
}

// Check tells whether the password is the one that hash was made from. An
// empty hash stands for a user who does not exist: the same work is done and
// the answer is no. The fault is Busy when the queue for a slot is full or too
// slow, Internal when the stored hash is damaged.
//
// Who asks the same of the same name while a check is under way waits for that
// one. The name is part of the question because all users who do not exist have
// one hash: were their checks shared, they would be faster than those of users
// who do.
func (g *Gate) Check(ctx context.Context, name, hash, password string) (bool, error) {
	if len(password) > MaxLength {
		return false, nil
	}
	key := g.key(hash, password)
	if hash != "" {
		if _, known := g.known.GetIfPresent(key); known {
			return true, nil
		}
	}
	for {
		v, err, _ := g.flight.Do(string(key[:])+name, func() (any, error) { return g.check(ctx, key, hash, password) })
		if hungUp(err) && ctx.Err() == nil { // the one whom this one waited for
			continue
		}
		right, _ := v.(bool)
		return right, err
	}
}

func hungUp(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

func (g *Gate) check(ctx context.Context, key [32]byte, hash, password string) (bool, error) {
	exists := hash != ""
	release, err := g.enter(ctx)
	if err != nil {
		return false, err
	}
	defer release()
	if !exists {
		hash = g.dummy
	}
	right, err := compare(hash, password)
	if err != nil || !right || !exists {
		return false, err
	}
	g.known.Set(key, struct{}{})
	return true, nil
}

// key names what is asked: it changes with the stored hash, so a changed
// password is forgotten by itself.
func (g *Gate) key(hash, password string) (key [32]byte) {
	mac := hmac.New(sha256.New, g.secret[:])
	fmt.Fprintf(mac, "%d:%s", len(hash), hash)
	mac.Write([]byte(password))
	mac.Sum(key[:0])
	return key
}

// enter waits for a slot. A caller that hangs up while it waits leaves the
// queue; once hashing, it keeps its slot until the hash is done.
func (g *Gate) enter(ctx context.Context) (release func(), err error) {
	select {
	case g.queue <- struct{}{}:
	default:
		return nil, &fault.Error{Code: fault.Busy, RetryAfter: time.Second}
	}
	timer := time.NewTimer(queueFor)
	defer timer.Stop()
	select {
	case g.slots <- struct{}{}:
		return func() { <-g.slots; <-g.queue }, nil
	case <-ctx.Done():
		<-g.queue
		return nil, fault.Wrap(fault.Busy, ctx.Err())
	case <-timer.C:
		<-g.queue
		return nil, &fault.Error{Code: fault.Busy, RetryAfter: time.Second}
	}
}

func compare(phc, password string) (bool, error) {
	memory, passes, salt, want, err := parse(phc)
	if err != nil {
		return false, err
	}
	got := argon2.IDKey([]byte(password), salt, passes, memory, 1, uint32(len(want))) //nolint:gosec // parse bounds the length
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

func parse(phc string) (memory, passes uint32, salt, sum []byte, err error) {
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return 0, 0, nil, nil, fmt.Errorf("stored password hash: not an argon2id PHC string")
	}
	var version, lanes int
	if _, err = fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=%d", &version, &memory, &passes, &lanes); err != nil {
		return 0, 0, nil, nil, fmt.Errorf("stored password hash: parameters: %w", err)
	}
	if version != argon2.Version || lanes != 1 || passes < 1 || passes > maxTime || memory < 8 || memory > maxMemory {
		return 0, 0, nil, nil, fmt.Errorf("stored password hash: parameters outside the accepted bounds")
	}
	if salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil {
		return 0, 0, nil, nil, fmt.Errorf("stored password hash: salt: %w", err)
	}
	if sum, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil || len(sum) < 16 || len(sum) > 64 {
		return 0, 0, nil, nil, fmt.Errorf("stored password hash: sum of a wrong size")
	}
	return memory, passes, salt, sum, nil
}
