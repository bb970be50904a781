package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"dargah.dev/dargah/internal/job"
	"dargah.dev/dargah/internal/sms"
	"dargah.dev/dargah/internal/webhook"
)

// noticeKind begins the kind of a notice's job; the webhook's id follows. With a
// kind for each, what waits for one that hangs is not looked through to find
// what is due for the others.
const noticeKind = job.Notice + "/"

// Ids of notices are times since noticeEpoch in microseconds, with the number of
// the process below: nobody needs to be asked for one, and the newest is the
// greatest. They last until 2096.
var (
	noticeEpoch   = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	noticeProcess = rand.Int64N(1 << noticeBits) //nolint:gosec // tells processes apart, guards nothing
)

const noticeBits = 12

func noticeIDAt(t time.Time) int64 { return (t.UnixMicro() - noticeEpoch) << noticeBits }

func (s *Store) noticeID() int64 {
	for {
		last := s.lastNotice.Load()
		next := max(noticeIDAt(s.now())|noticeProcess, last+1<<noticeBits)
		if s.lastNotice.CompareAndSwap(last, next) {
			return next
		}
	}
}

// putNotice puts down a notice that is due at once.
func (s *Store) putNotice(tx *sql.Tx, hook string, n webhook.Notice) (id int64, err error) {
	id = s.noticeID()
	if _, err := tx.Exec(`INSERT INTO notice (`+noticeColumns+`) VALUES ($1, $2, $3, $4, $5, $6, 0, 0, 0, 0, '')`,
		id, hook, string(n.Event), n.Ref, int64(n.State), micros(n.At)); err != nil {
		return 0, fmt.Errorf("put down a notice: %w", err)
	}
	return id, dueNotice(tx, hook, id, s.now().UnixMicro())
}

func dueNotice(tx *sql.Tx, hook string, id, due int64) error {
	if _, err := tx.Exec(`INSERT INTO job (kind, ref, priority, due, attempt, holder) VALUES ($1, $2, 0, $3, 0, '') `+
		`ON CONFLICT (kind, ref) DO UPDATE SET due = excluded.due, attempt = 0, holder = ''`, noticeKind+hook, id, due); err != nil {
		return fmt.Errorf("make a notice due: %w", err)
	}
	return nil
}

const noticeColumns = `id, webhook, event, ref, state, at, attempts, outcome, status, tried_at, note`

func readNotice(into func(...any) error) (n webhook.Notice, err error) {
	var state, at, tried int64
	err = into(&n.ID, &n.Webhook, &n.Event, &n.Ref, &state, &at, &n.Attempts, &n.Outcome, &n.Status, &tried, &n.Note)
	n.State = sms.State(state) //nolint:gosec // stored from one
	n.At, n.TriedAt = fromMicros(at), fromMicros(tried)
	return n, err
}

// Notices gives a webhook's last notices, the newest first.
func (s *Store) Notices(ctx context.Context, hook string, limit int) (all []webhook.Notice, err error) {
	rows, err := s.reader.QueryContext(ctx, `SELECT `+noticeColumns+` FROM notice WHERE webhook = $1 ORDER BY id DESC LIMIT $2`, hook, limit)
	if err == nil {
		err = scan(rows, func(into func(...any) error) error {
			n, err := readNotice(into)
			all = append(all, n)
			return err
		})
	}
	if err != nil {
		return nil, fmt.Errorf("read the log of a webhook: %w", err)
	}
	return all, nil
}

// DueNotices gives the webhooks that have notices due now.
func (s *Store) DueNotices(ctx context.Context) ([]string, error) {
	due, err := column(ctx, s.reader, `SELECT w.id FROM webhook w WHERE w.disabled = 0 AND EXISTS `+
		`(SELECT 1 FROM job j WHERE j.kind = '`+noticeKind+`' || w.id AND j.priority = 0 AND j.due <= $1)`, s.now().UnixMicro())
	if err != nil {
		return nil, fmt.Errorf("look for notices that are due: %w", err)
	}
	return due, nil
}

// ClaimNotices gives notices that are due, of each webhook as many as there is
// room, and keeps them from others for the lease. Who dies with them leaves them
// to whoever asks after that.
func (s *Store) ClaimNotices(ctx context.Context, holder string, room map[string]int, lease time.Duration) (all []webhook.Notice, err error) {
	err = s.write(ctx, "claim notices", func(tx *sql.Tx) error {
		all = nil
		for _, hook := range slices.Sorted(maps.Keys(room)) {
			claimed, err := s.claimNotices(tx, holder, hook, room[hook], lease)
			if err != nil {
				return err
			}
			all = append(all, claimed...)
		}
		return nil
	})
	return all, err
}

func (s *Store) claimNotices(tx *sql.Tx, holder, hook string, n int, lease time.Duration) (all []webhook.Notice, err error) {
	lock := s.engine.lock()
	if lock != "" {
		lock += " SKIP LOCKED"
	}
	now := s.now()
	rows, err := tx.Query(`UPDATE job SET due = $1, holder = $2 WHERE kind = $3 AND ref IN `+ //nolint:gosec // a word of the engine
		`(SELECT ref FROM job WHERE kind = $3 AND priority = 0 AND due <= $4 ORDER BY due LIMIT $5`+lock+`) RETURNING ref, attempt`,
		now.Add(lease).UnixMicro(), holder, noticeKind+hook, now.UnixMicro(), n)
	if err != nil {
		return nil, err
	}
	attempts := map[int64]int{}
	err = scan(rows, func(into func(...any) error) error {
		var ref int64
		var attempt int
		err := into(&ref, &attempt)
		attempts[ref] = attempt
		return err
	})
	for _, id := range slices.Sorted(maps.Keys(attempts)) {
		if err != nil {
			return nil, err
		}
		var n webhook.Notice
		n, err = readNotice(tx.QueryRow(`SELECT `+noticeColumns+` FROM notice WHERE id = $1`, id).Scan)
		if errors.Is(err, sql.ErrNoRows) { // forgotten with its webhook
			_, err = tx.Exec(`DELETE FROM job WHERE kind = $1 AND ref = $2`, noticeKind+hook, id)
			continue
		}
		n.Attempt = attempts[id]
		all = append(all, n)
	}
	return all, err
}

// Tried puts on record what became of attempts, and gives the webhooks that are
// hopeless now. An attempt by who no longer held the notice is counted, and
// leaves its job to the other.
func (s *Store) Tried(ctx context.Context, holder string, tries []webhook.Try) (hopeless []string, err error) {
	// Always in one order: two nodes must not wait for each other's rows.
	tries = slices.SortedFunc(slices.Values(tries), func(a, b webhook.Try) int {
		return cmp.Or(strings.Compare(a.Webhook, b.Webhook), cmp.Compare(a.Notice, b.Notice))
	})
	err = s.write(ctx, "record attempts of notices", func(tx *sql.Tx) error {
		hopeless = nil
		for _, t := range tries {
			given, err := tried(tx, holder, t)
			if err != nil {
				return err
			}
			if given && !slices.Contains(hopeless, t.Webhook) {
				hopeless = append(hopeless, t.Webhook)
			}
		}
		return nil
	})
	return hopeless, err
}

func tried(tx *sql.Tx, holder string, t webhook.Try) (hopeless bool, err error) {
	if _, err := tx.Exec(`UPDATE notice SET attempts = attempts + 1, outcome = $1, status = $2, tried_at = $3, note = $4 WHERE id = $5 AND outcome <> $6`,
		int64(t.Outcome), t.Status, micros(t.At), t.Note, t.Notice, int64(webhook.Arrived)); err != nil {
		return false, err
	}
	if t.Outcome == webhook.Waiting {
		_, err = tx.Exec(`UPDATE job SET due = $1, attempt = attempt + 1, holder = '' WHERE kind = $2 AND ref = $3 AND holder = $4`,
			micros(t.Next), noticeKind+t.Webhook, t.Notice, holder)
	} else {
		_, err = tx.Exec(`DELETE FROM job WHERE kind = $1 AND ref = $2 AND (holder = $3 OR $4 = 1)`,
			noticeKind+t.Webhook, t.Notice, holder, flag(t.Outcome == webhook.Arrived))
	}
	if err != nil || t.Gone {
		return false, err
	}
	return marked(tx, t)
}

// marked keeps how long a webhook has been failing.
func marked(tx *sql.Tx, t webhook.Try) (hopeless bool, err error) {
	if t.Outcome == webhook.Arrived {
		_, err = tx.Exec(`UPDATE webhook SET failing_since = 0, failures = 0 WHERE id = $1 AND failures > 0`, t.Webhook)
		return false, err
	}
	var since int64
	var w webhook.Webhook
	err = tx.QueryRow(`UPDATE webhook SET failing_since = CASE WHEN failures = 0 THEN $1 ELSE failing_since END, failures = failures + 1 `+
		`WHERE id = $2 AND disabled = 0 RETURNING failing_since, failures`, micros(t.At), t.Webhook).Scan(&since, &w.Failures)
	if errors.Is(err, sql.ErrNoRows) { // removed or disabled meanwhile
		return false, nil
	}
	w.FailingSince = fromMicros(since)
	return w.Hopeless(t.At), err
}

// TestNotice puts down a notice that nothing happened, for servers to send.
func (c *Change) TestNotice(hook string) (id int64, err error) {
	w, err := c.Webhook(hook)
	if err != nil {
		return 0, err
	}
	c.concerns(w.Account)
	return c.store.putNotice(c.tx, hook, webhook.Notice{Event: webhook.Test, At: c.store.now()})
}

// Replay makes notices due again, at once and as if for the first time: those of
// the ids, which must be there. Their webhook-ids stay.
func (c *Change) Replay(ids []int64) error {
	for _, id := range ids {
		what := "notice " + webhook.Name(id)
		var hook string
		err := c.tx.QueryRow(`UPDATE notice SET outcome = 0 WHERE id = $1 RETURNING webhook`, id).Scan(&hook)
		if errors.Is(err, sql.ErrNoRows) {
			return missing(what)
		}
		if err != nil {
			return fmt.Errorf("replay %s: %w", what, err)
		}
		w, err := c.Webhook(hook)
		if err != nil {
			return err
		}
		c.concerns(w.Account)
		if err := dueNotice(c.tx, hook, id, c.store.now().UnixMicro()); err != nil {
			return err
		}
	}
	c.touch(kindWebhooks)
	return nil
}

// GivenUp gives the ids of a webhook's notices that were given up, of what
// happened from a time on.
func (c *Change) GivenUp(hook string, since time.Time) (ids []int64, err error) {
	texts, err := column(c.ctx, c.tx, `SELECT id FROM notice WHERE webhook = $1 AND at >= $2 AND outcome = $3 ORDER BY id`,
		hook, micros(since), int64(webhook.GivenUp))
	for _, text := range texts {
		id, wrong := strconv.ParseInt(text, 10, 64)
		err = errors.Join(err, wrong)
		ids = append(ids, id)
	}
	return ids, err
}

// ForgetNotices removes notices that were done long ago, and what is left of
// those whose webhook is gone.
func (s *Store) ForgetNotices(ctx context.Context) error {
	return s.write(ctx, "forget notices", func(tx *sql.Tx) error {
		if _, err := tx.Exec(`DELETE FROM notice WHERE id < $1 AND outcome <> 0`, noticeIDAt(webhook.Forgotten(s.now()))); err != nil {
			return err
		}
		if _, err := tx.Exec(`DELETE FROM notice WHERE webhook NOT IN (SELECT id FROM webhook)`); err != nil {
			return err
		}
		_, err := tx.Exec(`DELETE FROM job WHERE kind >= '` + noticeKind + `' AND kind < 'notice0' AND ref NOT IN (SELECT id FROM notice)`)
		return err
	})
}
