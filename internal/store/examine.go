package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"runtime"

	"dargah.dev/dargah/internal/audit"
	"dargah.dev/dargah/internal/finding"
	"dargah.dev/dargah/internal/seal"
)

// ExamineOptions are what Examine may be told. The zero value is good.
type ExamineOptions struct {
	Full     bool                  // reads every record of the trail, and every page of SQLite
	Progress func(done, all int64) // of the trail
}

// Examine looks at an installation: its files, its database and what is in it.
// Servers may be running. Nothing is changed; to measure, a file is made in the
// data folder and removed, and PostgreSQL is made to write a word to its log
// that means nothing.
func Examine(ctx context.Context, at Location, opts ExamineOptions) (l finding.List) {
	examineKey(&l, at)
	if at.Database == "" {
		examineFolder(&l, at.Dir)
		examineSQLite(ctx, &l, at.Dir, opts.Full)
	} else {
		examinePostgres(ctx, &l, at)
	}
	examineContent(ctx, &l, at, opts)
	return l
}

func examineKey(l *finding.List, at Location) {
	const about = "master key"
	path := at.master()
	_, err := seal.ReadMaster(path)
	info, unseen := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		l.Bad(about, path+" is missing", "restore it from where it is kept, or copy it from another node: without it nothing can be read")
	case err != nil:
		l.Bad(about, err.Error(), "restore the file from where it is kept")
	case unseen == nil && readByOthers(info):
		l.Bad(about, path+" can be read by others than its owner: whoever has it and a copy of the database can read everything", "chmod 600 "+path)
	case at.Database == "" && filepath.Dir(path) == filepath.Clean(at.Dir):
		l.Good(about, "%s is there, for its owner alone. It lies beside the database: backups of the folder must be kept as safe as the key, or leave it out", path)
	default:
		l.Good(about, "%s is there, for its owner alone", path)
	}
}

// readByOthers is false on Windows, where these bits mean nothing.
func readByOthers(info fs.FileInfo) bool {
	return runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0
}

// examineContent looks at what every installation has, whatever it lies on.
func examineContent(ctx context.Context, l *finding.List, at Location, opts ExamineOptions) {
	r, err := OpenReader(ctx, at)
	if err != nil {
		examineOpening(l, err)
		return
	}
	defer func() { _ = r.Close() }()
	_, db, _ := r.engine.pools()
	if err := stays(ctx, db); err != nil {
		l.Bad("installation", err.Error(), "serve it from where it lies now")
	}
	version, _, err := versions(ctx, r.engine)
	if err != nil {
		l.Bad("schema", err.Error(), "")
		return
	}
	l.Good("schema", "version %d, which is this program's; the keys open", version)
	examineTrail(ctx, l, r, opts)
	examineBooks(ctx, l, r)
}

func examineOpening(l *finding.List, err error) {
	switch {
	case errors.Is(err, ErrNoData):
		l.Bad("installation", err.Error(), "give the folder or the configuration of an installation, or make one with `dargah init`")
	case errors.Is(err, ErrOlder):
		l.Bad("schema", err.Error(), "start this version once (a backup first)")
	case errors.Is(err, ErrNewer):
		l.Bad("schema", err.Error(), "use the newer version here too")
	case errors.Is(err, fs.ErrNotExist): // the master key, of which was spoken
	case errors.Is(err, seal.ErrMasterKey):
		l.Bad("master key", err.Error(), "restore the key of this installation: this one belongs to another")
	default:
		l.Bad("installation", err.Error(), "")
	}
}

func examineTrail(ctx context.Context, l *finding.List, r *Reader, opts ExamineOptions) {
	const about = "trail"
	const advice = "servers go on, since its end holds. Keep a copy of the database as it is now; `dargah audit verify` names the records, and backups show what they were: docs/trail.md"
	head, err := r.Head(ctx)
	switch {
	case errors.Is(err, ErrTrail):
		l.Bad(about, err.Error(), wayBack)
		return
	case err != nil:
		l.Bad(about, err.Error(), "")
		return
	}
	if !opts.Full {
		l.Good(about, "its end is as it was written, at record %d (every record: --full)", head.Seq)
		return
	}
	var records, problems int64
	err = r.Trail(ctx, Part{}, func(state audit.State, lines iter.Seq2[*audit.Line, error]) error {
		v := audit.NewVerifier(r.Chain(), state, nil, func(audit.Problem) { problems++ })
		for line, err := range lines {
			if err != nil {
				return err
			}
			v.Add(line)
			if records++; records%4096 == 0 && opts.Progress != nil {
				opts.Progress(records, head.Seq)
			}
		}
		v.End()
		return nil
	})
	switch {
	case err != nil:
		l.Bad(about, err.Error(), "")
	case problems > 0:
		l.Bad(about, fmt.Sprintf("%d problem(s) in %d records", problems, records), advice)
	default:
		l.Good(about, "all %d records are as they were written", records)
	}
}

// wayBack is what to do about an end that is broken: nothing can mend it, since
// what would show whether it was mended rightly is what is missing.
const wayBack = "1. stop all servers, and keep a copy of the database as it is now; " +
	"2. `dargah audit verify` names the records that are concerned, and `dargah audit export` prints those that are left; " +
	"3. restore the last backup on which `dargah audit verify` and `dargah wallet check` end with 0, and start the servers; " +
	"4. what the copy has and the backup has not was answered and paid for: docs/trail.md says how to make it good"

func examineBooks(ctx context.Context, l *finding.List, r *Reader) {
	wrong, err := r.Audit(ctx)
	switch {
	case err != nil:
		l.Bad("books", err.Error(), "")
	case len(wrong) > 0:
		l.Bad("books", fmt.Sprintf("%d balance(s) are not what their entries say; the first is %s", len(wrong), wrong[0]), "stop the servers, keep a copy of the database as it is now, and find out who wrote to it")
	default:
		l.Good("books", "every balance is the sum of its entries, and all together are 0")
	}
}

func examineSQLite(ctx context.Context, l *finding.List, dir string, full bool) {
	const about = "SQLite"
	path, err := filepath.Abs(filepath.Join(dir, databaseName))
	if err != nil {
		l.Bad(about, err.Error(), "")
		return
	}
	info, err := os.Stat(path)
	if err != nil {
		return // examineContent says so
	}
	if readByOthers(info) {
		l.Warn(about, path+" can be read by others than its owner", "chmod 600 "+path)
	}
	db, err := sql.Open("sqlite", readerDSN(path))
	if err != nil {
		l.Bad(about, err.Error(), "")
		return
	}
	defer func() { _ = db.Close() }()
	examinePages(ctx, l, db, info.Size(), full)
	if log, err := os.Stat(path + "-wal"); err == nil && log.Size() > largeLog {
		l.Warn(about, fmt.Sprintf("the write-ahead log has %s: something has been reading for a long time, and keeps it from being taken in", bytesText(log.Size())),
			"end commands that read for long, or restart the server")
	}
}

const (
	largeLog   = 256 << 20
	quickPages = 1 << 30 // as much is read in a few seconds
)

func examinePages(ctx context.Context, l *finding.List, db *sql.DB, size int64, full bool) {
	const about = "SQLite"
	var journal, verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&journal); err != nil {
		l.Bad(about, fmt.Sprintf("cannot be read: %v", err), "restore the database from a backup; keep this one")
		return
	}
	if journal != "wal" {
		l.Bad(about, "journal_mode is "+journal+", needed is wal", "start a server once: it says why the mode cannot be had, as on file systems without shared memory")
	}
	check := "quick_check"
	if full {
		check = "integrity_check"
	} else if size > quickPages {
		l.Good(about, "journal_mode=%s, and servers refuse to run with less than synchronous=FULL; %s are too much to be read now (--full does)", journal, bytesText(size))
		return
	}
	if err := db.QueryRowContext(ctx, "PRAGMA "+check+"(1)").Scan(&verdict); err != nil || verdict != "ok" {
		l.Bad(about, fmt.Sprintf("%s: the file is damaged", check), "stop the server, keep a copy of the folder, and restore the last good backup")
		return
	}
	l.Good(about, "journal_mode=%s, and servers refuse to run with less than synchronous=FULL; %s of %s: ok", journal, check, bytesText(size))
}

func bytesText(n int64) string {
	const unit = 1024
	size, names := float64(n), []string{"B", "KiB", "MiB", "GiB", "TiB"}
	i := 0
	for ; size >= unit && i < len(names)-1; i++ {
		size /= unit
	}
	if i == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", size, names[i])
}
