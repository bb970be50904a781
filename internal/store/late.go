package store

import (
	"context"
	"fmt"

	"dargah.dev/dargah/internal/operator"
	"dargah.dev/dargah/internal/sms"
)

// Lates stores answers to parts that were in doubt; all of them, or nothing. The
// id of one that was taken is known to receipts from then on, and a message
// whose last part it was is Submitted, if it was Queued or Unknown. One that was
// refused ends a message that is not sent again (sms.Batch.Once): it is Failed,
// and paid back, or Rejected where other parts of it were accepted. Others are
// sent again in any case.
func (s *Store) Lates(ctx context.Context, all []operator.Late) error {
	var refused []int64
	for i := range all {
		if all[i].Refused {
			refused = append(refused, all[i].Message)
		}
	}
	once := map[int64]int64{} // message → batch
	if err := s.eachOf(ctx, `SELECT m.id, m.batch FROM message m JOIN batch b ON b.id = m.batch WHERE b.once = 1 AND m.id IN `, refused,
		func(into func(...any) error) error {
			var message, batch int64
			err := into(&message, &batch)
			once[message] = batch
			return err
		}); err != nil {
		return fmt.Errorf("store late answers: %w", err)
	}
	results := make([]sms.Result, 0, len(all))
	for i := range all {
		if r, is := lateResult(&all[i], once); is {
			results = append(results, r)
		}
	}
	if len(results) == 0 {
		return nil
	}
	return s.Record(ctx, results)
}

func lateResult(l *operator.Late, once map[int64]int64) (r sms.Result, is bool) {
	r = sms.Result{Message: l.Message, Operator: l.Operator, At: l.At}
	r.Batch, is = once[l.Message]
	switch {
	case !l.Refused:
		r.Parts, r.State = []sms.PartResult{{Place: l.Number, ID: l.ID}}, sms.Queued
		if l.Number == l.Total {
			r.State = sms.Submitted
		}
		return r, true
	case l.Number == 1:
		r.State = sms.Failed
	default:
		r.State = sms.Rejected
	}
	return r, is
}
