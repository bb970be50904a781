package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"dargah.dev/dargah/internal/inquiry/credit"
	"dargah.dev/dargah/internal/persian"
)

// reportHash is the purpose of the hash under which reports are looked up.
const reportHash = "report"

// reportRow is a credit report as it is sealed.
type reportRow struct {
	Source int    `json:"s"`
	Score  int    `json:"n"`
	Grade  string `json:"g"`
	Made   int64  `json:"m"` // microseconds
}

// Reports gives the credit reports of a person, the newest first; none is no
// fault. On SQLite the query is not interrupted, like the look-up of a person.
func (s *Store) Reports(call context.Context, code persian.NationalCode) ([]credit.Report, error) {
	if err := call.Err(); err != nil {
		return nil, fmt.Errorf("read credit reports: %w", err)
	}
	owner := s.keys.Hash(reportHash, code.Digits())
	ctx, cancel := s.soon(context.WithoutCancel(call))
	defer cancel()
	rows, err := s.reports.QueryContext(ctx, owner)
	if err != nil {
		return nil, fmt.Errorf("read credit reports: %w", err)
	}
	var reports []credit.Report
	err = scan(rows, func(into func(...any) error) error {
		var id string
		var sealed []byte
		if err := into(&id, &sealed); err != nil {
			return err
		}
		plain, err := s.keys.Unseal(sealed, reportWhat(id, owner))
		if err != nil {
			return err
		}
		var r reportRow
		if json.Unmarshal(plain, &r) != nil {
			return errors.New("what was sealed cannot be read")
		}
		reports = append(reports, credit.Report{Source: r.Source, Score: r.Score, Grade: r.Grade, Made: fromMicros(r.Made)})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read credit reports: %w", err)
	}
	slices.SortStableFunc(reports, func(a, b credit.Report) int { return b.Made.Compare(a.Made) })
	return reports, nil
}

// PutReports adds credit reports to those that a person has. The person need
// not be in the register.
func (s *Store) PutReports(ctx context.Context, code persian.NationalCode, reports []credit.Report) error {
	return s.write(ctx, "put credit reports", func(tx *sql.Tx) error { return s.putReports(tx, code, reports) })
}

func (s *Store) putReports(tx *sql.Tx, code persian.NationalCode, reports []credit.Report) error {
	owner := s.keys.Hash(reportHash, code.Digits())
	for _, r := range reports {
		plain, err := json.Marshal(reportRow{r.Source, r.Score, r.Grade, micros(r.Made)})
		if err != nil {
			return err
		}
		id := rand.Text()
		sealed, err := s.keys.Seal(plain, reportWhat(id, owner))
		if err != nil {
			return err
		}
		if _, err := tx.Exec(`INSERT INTO report (id, person, sealed) VALUES ($1, $2, $3)`, id, owner, sealed); err != nil {
			return err
		}
	}
	return nil
}

func reportWhat(id string, owner []byte) string {
	return "report/" + id + "/" + hex.EncodeToString(owner)
}
