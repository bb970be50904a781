package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"dargah.dev/dargah/internal/job"
	"dargah.dev/dargah/internal/sms"
)

// jobSQL is what is asked of jobs.
type jobSQL struct {
	claim, due          *query
	extend, retry, done bulk
	skip                string
}

// priorities are those that jobs may have. Each has a range of its own in the
// index, so that what is due is found beside any number of jobs that are not.
const priorities = 3

// claimJobs takes the jobs of a list that follows.
const claimJobs = `UPDATE job SET due = $1, attempt = attempt + 1, holder = $2, lapsed = CASE WHEN holder = '' THEN 0 ELSE 1 END ` +
	`WHERE kind = $3 AND ref IN (`

func (p *statements) jobs(skip string) jobSQL {
	return jobSQL{
		skip: skip,
		due: p.prepare(`SELECT ref, due FROM job WHERE kind = $1 AND priority = $2 AND due <= $3 AND due >= $4 AND (due > $4 OR ref > $5) ` +
			`ORDER BY due, ref LIMIT $6`),
		claim: p.prepare(claimJobs + `SELECT ref FROM job WHERE kind = $3 AND priority = $4 AND due <= $5 ORDER BY due LIMIT $6` + skip + `) ` +
			`RETURNING ref, attempt, lapsed`),
		extend: p.update(`UPDATE job SET due = v.column4 FROM`, []string{"TEXT", "BIGINT", "TEXT", "BIGINT"},
			`WHERE job.kind = v.column1 AND job.ref = v.column2 AND job.holder = v.column3`),
		done: p.update(`DELETE FROM job WHERE (kind, ref) IN (SELECT v.column1, v.column2 FROM`, []string{"TEXT", "BIGINT"}, `)`),
		retry: p.update(`UPDATE job SET due = v.column4, holder = '' FROM`, []string{"TEXT", "BIGINT", "TEXT", "BIGINT"},
			`WHERE job.kind = v.column1 AND job.ref = v.column2 AND job.holder = v.column3`),
	}
}

// ClaimJobs takes at most n jobs of a kind that are due, those of the lowest
// priority first and then those that were due first, for as long as the lease
// lasts. Nobody else gets them meanwhile. holder says who takes them; it is not
// empty.
func (s *Store) ClaimJobs(ctx context.Context, kind, holder string, n int, lease time.Duration) ([]job.Job, error) {
	return s.claimJobs(ctx, kind, holder, priorities-1, n, lease)
}

// ClaimSends is ClaimJobs for batches, of a priority up to most.
func (s *Store) ClaimSends(ctx context.Context, holder string, most sms.Priority, n int, lease time.Duration) ([]job.Job, error) {
	return s.claimJobs(ctx, job.Send, holder, int(most), n, lease)
}

func (s *Store) claimJobs(ctx context.Context, kind, holder string, least, n int, lease time.Duration) (taken []job.Job, err error) {
	if err := named(kind, holder); err != nil || holder == "" || lease <= 0 {
		return nil, errors.Join(errors.New("claim jobs: a holder and a lease are needed"), err)
	}
	now := s.now()
	due, err := s.dueJobs(ctx, kind)
	if err != nil {
		return nil, fmt.Errorf("claim jobs: %w", err)
	}
	for priority, first := range due {
		if first.IsZero() || first.After(now) || priority > least || len(taken) >= n {
			continue
		}
		err := s.write(ctx, "claim jobs", func(tx *sql.Tx) error {
			claimed, err := s.claim(tx, kind, holder, priority, n-len(taken), now, now.Add(lease))
			taken = append(taken, claimed...)
			return err
		})
		if err != nil {
			return nil, err // those that were claimed come back when their lease ends
		}
	}
	return taken, nil
}

// DueSends gives at most n batches of a priority that are due, those first that
// were due first, from after one on: by its priority, its moment and its id. They
// are nobody's for that.
func (s *Store) DueSends(ctx context.Context, after job.Job, n int) (due []job.Job, err error) {
	rows, err := s.jobs.due.read(ctx, s.reader, []any{job.Send, after.Priority, micros(s.now()), micros(after.Due), after.Ref, n})
	if err == nil {
		err = scan(rows, func(into func(...any) error) error {
			j := job.Job{Kind: job.Send, Priority: after.Priority}
			var at int64
			err := into(&j.Ref, &at)
			j.Due = fromMicros(at)
			due = append(due, j)
			return err
		})
	}
	if err != nil {
		return nil, fmt.Errorf("look for batches that are due: %w", err)
	}
	return due, nil
}

// ClaimThese is ClaimSends for those of some batches of a priority that are
// still due and nobody's.
func (s *Store) ClaimThese(ctx context.Context, holder string, priority sms.Priority, refs []int64, lease time.Duration) (taken []job.Job, err error) {
	if holder == "" || lease <= 0 || len(refs) == 0 {
		return nil, errors.New("claim batches: a holder, a lease and their ids are needed")
	}
	now := s.now()
	until := now.Add(lease)
	text := claimJobs + `SELECT ref FROM job WHERE kind = $3 AND priority = $4 AND due <= $5 AND ref IN ` + inList(refs) + s.jobs.skip +
		`) RETURNING ref, attempt, lapsed`
	err = s.write(ctx, "claim batches", func(tx *sql.Tx) error {
		rows, err := tx.Query(text, micros(until), holder, job.Send, int(priority), micros(now))
		if err == nil {
			taken, err = claimed(rows, job.Job{Kind: job.Send, Priority: int(priority), Due: until})
		}
		return err
	})
	return taken, err
}

// NextSend is when the next batch is due, or its lease ends; zero where there is
// none.
func (s *Store) NextSend(ctx context.Context) (next time.Time, err error) {
	due, err := s.dueJobs(ctx, job.Send)
	if err != nil {
		return next, fmt.Errorf("look for the next batch: %w", err)
	}
	for _, first := range due {
		if !first.IsZero() && (next.IsZero() || first.Before(next)) {
			next = first
		}
	}
	return next, nil
}

// dues prepares the question when the first job of each priority is due.
func (p *statements) dues() *query {
	const first = `(SELECT min(due) FROM job WHERE kind = $1 AND priority = `
	return p.prepare(`SELECT ` + first + `0), ` + first + `1), ` + first + `2)`)
}

// dueJobs tells when the first job of each priority is due; zero for none.
func (s *Store) dueJobs(ctx context.Context, kind string) (due [priorities]time.Time, err error) {
	rows, err := s.dues.read(ctx, s.reader, []any{kind})
	if err != nil {
		return due, err
	}
	err = scan(rows, func(into func(...any) error) error {
		var at [priorities]sql.NullInt64
		err := into(&at[0], &at[1], &at[2])
		for p := range at {
			due[p] = fromMicros(at[p].Int64)
		}
		return err
	})
	return due, err
}

func (s *Store) claim(tx *sql.Tx, kind, holder string, priority, n int, now, until time.Time) (taken []job.Job, err error) {
	rows, err := s.jobs.claim.rows(tx, micros(until), holder, kind, priority, micros(now), n)
	if err != nil {
		return nil, err
	}
	return claimed(rows, job.Job{Kind: kind, Priority: priority, Due: until})
}

// claimed reads jobs that were taken; what they have in common is in j.
func claimed(rows *sql.Rows, j job.Job) (taken []job.Job, err error) {
	err = scan(rows, func(into func(...any) error) error {
		var lapsed int64
		err := into(&j.Ref, &j.Attempt, &lapsed)
		j.Lapsed = lapsed != 0
		taken = append(taken, j)
		return err
	})
	return taken, err
}

// ExtendJobs makes the leases of jobs last that much longer from now on, of those
// that the holder still has.
func (s *Store) ExtendJobs(ctx context.Context, kind, holder string, refs []int64, lease time.Duration) error {
	var args []any
	for _, ref := range refs {
		args = append(args, kind, ref, holder, micros(s.now().Add(lease)))
	}
	return s.write(ctx, "extend leases of jobs", func(tx *sql.Tx) error { return s.jobs.extend.exec(tx, args) })
}

// FinishJobs removes jobs that are done, whoever has them.
func (s *Store) FinishJobs(ctx context.Context, kind string, refs []int64) error {
	var args []any
	for _, ref := range refs {
		args = append(args, kind, ref)
	}
	return s.write(ctx, "finish jobs", func(tx *sql.Tx) error { return s.jobs.done.exec(tx, args) })
}

// RetryJobs puts off jobs that their holder still has: they are due again then,
// for anybody.
func (s *Store) RetryJobs(ctx context.Context, kind, holder string, refs []int64, due time.Time) error {
	var args []any
	for _, ref := range refs {
		args = append(args, kind, ref, holder, micros(due))
	}
	return s.write(ctx, "put jobs off", func(tx *sql.Tx) error { return s.jobs.retry.exec(tx, args) })
}

// Wake has a signal after this process has stored a job of the kind that is due
// within two seconds. Whoever does such jobs must look every second all the same:
// for the others, and for those of other nodes.
func (s *Store) Wake(kind string) <-chan struct{} { return s.wakes[kind] }

func (s *Store) wake(kind string) {
	select {
	case s.wakes[kind] <- struct{}{}:
	default:
	}
}

func newWakes() map[string]chan struct{} {
	return map[string]chan struct{}{job.Send: make(chan struct{}, 1), job.Notice: make(chan struct{}, 1)}
}
