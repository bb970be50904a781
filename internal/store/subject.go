package store

import (
	"context"
	"fmt"

	"dargah.dev/dargah/internal/webhook"
)

// Subjects gives what notices are about, by the notices' ids. Where nothing is
// left of it there is no entry.
func (s *Store) Subjects(ctx context.Context, notices []webhook.Notice) (map[int64]webhook.Subject, error) {
	messages, incoming := map[int64]webhook.Subject{}, map[int64]webhook.Subject{}
	var sent, came []int64
	for _, n := range notices {
		switch n.Event {
		case webhook.Delivered, webhook.Failed:
			sent = append(sent, n.Ref)
		case webhook.Received:
			came = append(came, n.Ref)
		}
	}
	if err := s.sentSubjects(ctx, sent, messages); err != nil {
		return nil, fmt.Errorf("read what notices are about: %w", err)
	}
	if err := s.incomingSubjects(ctx, came, incoming); err != nil {
		return nil, fmt.Errorf("read what notices are about: %w", err)
	}
	all := map[int64]webhook.Subject{}
	for _, n := range notices {
		of := messages
		if n.Event == webhook.Received {
			of = incoming
		}
		if about, ok := of[n.Ref]; ok {
			all[n.ID] = about
		}
	}
	return all, nil
}

func (s *Store) sentSubjects(ctx context.Context, ids []int64, into map[int64]webhook.Subject) error {
	var of []int64
	err := s.eachOf(ctx, `SELECT DISTINCT batch FROM message WHERE id IN `, ids, func(into func(...any) error) error {
		var batch int64
		err := into(&batch)
		of = append(of, batch)
		return err
	})
	if err != nil {
		return err
	}
	batches, err := s.batches(ctx, `WHERE b.id IN `, of)
	for _, b := range batches {
		for i := range b.Messages {
			into[b.Messages[i].ID] = webhook.Subject{Message: &b.Messages[i], Batch: b.ID}
		}
	}
	return err
}

func (s *Store) incomingSubjects(ctx context.Context, ids []int64, to map[int64]webhook.Subject) error {
	return s.eachOf(ctx, `SELECT i.id, coalesce(l.number, i.line), i.parts, i.at, i.read_at, i.repeated, i.sealed `+
		`FROM incoming i LEFT JOIN line l ON l.key = i.line WHERE i.id IN `, ids, func(into func(...any) error) error {
		m, err := s.readIncoming(into)
		to[m.ID] = webhook.Subject{Incoming: &m}
		return err
	})
}
