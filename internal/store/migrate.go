package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed migration
var migrations embed.FS

// migrate brings the schema up to this program's version, and refuses one that
// is ahead of it. Goose has no lock of its own on SQLite; the folder's lock
// keeps others out.
func migrate(ctx context.Context, db *sql.DB) error {
	folder, err := fs.Sub(migrations, "migration/sqlite")
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	goose, err := goose.NewProvider(goose.DialectSQLite3, db, folder, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	current, target, err := goose.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("migrate: read the schema's version: %w", err)
	}
	if current > target {
		return fmt.Errorf("%w (its schema is %d, this program knows %d)", ErrNewer, current, target)
	}
	if _, err := goose.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}
