package store

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed migration
var migrations embed.FS

// migrate brings the schema up to this program's version, and refuses one that
// is ahead of it. Where it is up to date nothing is locked or written. Tell,
// which may be nil, hears of one that is older, before it is changed.
func migrate(ctx context.Context, e engine, tell func(from, to int64)) error {
	current, known, err := versions(ctx, e)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if current > known {
		return fmt.Errorf("%w (its schema is %d, this program knows %d)", ErrNewer, current, known)
	}
	if current == known {
		return nil
	}
	if current > 0 && tell != nil {
		tell(current, known)
	}
	dialect, options, err := e.migrator()
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	folder, err := fs.Sub(migrations, e.folder())
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	_, _, patient := e.pools()
	provider, err := goose.NewProvider(dialect, patient, folder, append(options, goose.WithDisableGlobalRegistry(true))...)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// checkSchema refuses a schema that is not this program's.
func checkSchema(ctx context.Context, e engine) error {
	current, known, err := versions(ctx, e)
	switch {
	case err != nil:
		return err
	case current == 0:
		return ErrNoData
	case current > known:
		return fmt.Errorf("%w (its schema is %d, this program knows %d)", ErrNewer, current, known)
	case current < known:
		return fmt.Errorf("%w (its schema is %d, this program's %d)", ErrOlder, current, known)
	}
	return nil
}

// versions are the schema's, and the highest among the migrations.
func versions(ctx context.Context, e engine) (current, known int64, err error) {
	if current, err = e.version(ctx); err != nil {
		return 0, 0, fmt.Errorf("read the schema's version: %w", err)
	}
	files, err := fs.Glob(migrations, e.folder()+"/*.sql")
	for _, file := range files {
		var n int64
		if n, err = goose.NumericComponent(file); err != nil {
			return 0, 0, fmt.Errorf("the number of a migration: %w", err)
		}
		known = max(known, n)
	}
	return current, known, err
}
