package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"text/tabwriter"

	"dargah.dev/dargah/internal/config"
	"dargah.dev/dargah/internal/store"
)

// move takes an installation from SQLite to PostgreSQL.
type move struct {
	installation
	To      string `help:"The new database: empty, in UTF8. A password may be left out and be in PGPASSWORD or ~/.pgpass. Without --to it is the database that the configuration names, and the folder that it names is moved there." placeholder:"URL"`
	Restart bool   `help:"Throw away what an unfinished move of another installation left in the new database."`
	Undo    bool   `help:"Take the mark of an earlier move from the data folder, so that it can be served again."`
	Yes     bool   `help:"With --undo: do it."`
}

func (m move) Run(c *console) error {
	from, to, err := m.ends()
	if err != nil {
		return err
	}
	if m.Undo {
		return m.undo(c, from)
	}
	p := &parts{c: c}
	result, err := store.Move(c, from, to, store.MoveOptions{Restart: m.Restart, Progress: p.show})
	p.end(err == nil)
	if printed := printProof(c.out, result); printed != nil {
		return errors.Join(err, printed)
	}
	switch {
	case errors.Is(err, context.Canceled) && c.Err() != nil:
		return errors.New("stopped: the source is as it was, and can be served; the target is unfinished, and cannot.\nRun the same command again to begin anew")
	case errors.Is(err, store.ErrInUse):
		return fmt.Errorf("%w\nMoving needs the folder for itself: stop the server first", err)
	case err != nil:
		return err
	}
	return printSwitch(c.out, from, to, result)
}

// ends are where the installation lies, and where it is to lie.
func (m move) ends() (from, to store.Location, err error) {
	settings, from, err := m.find()
	if err != nil {
		return from, to, err
	}
	to = from
	switch {
	case m.Undo:
	case m.To != "":
		if from.Database != "" && from.Database != m.To {
			return from, to, misuse{errors.New("the configuration names a database already, and not the one of --to: leave --to out to move the configuration's folder to its database, or give --data DIR")}
		}
		to.Database = m.To
		if err := (config.Config{Database: config.URL(m.To)}).Check(); err != nil {
			return from, to, misuse{fmt.Errorf("--to: %w", err)}
		}
	case from.Database == "":
		return from, to, misuse{errors.New("where to? Give --to postgres://user@host/database, or name the database in the configuration")}
	}
	if settings.Data == "" {
		return from, to, misuse{errors.New("which folder is to be moved? Give --data DIR, or name it in the configuration (data)")}
	}
	from.Database = ""
	return from, to, nil
}

func (m move) undo(c *console, from store.Location) error {
	if !m.Yes {
		return fmt.Errorf("what was charged and recorded at the new place since the move is not in %s, and stays behind there.\nStop all servers on the new database, and say --yes to serve from the folder again", from)
	}
	if err := store.UndoMove(c, from); err != nil {
		return err
	}
	_, err := fmt.Fprintf(c.out, "%s can be served again. Nothing may serve from the other database any more.\n", from)
	return err
}

// parts shows a bar for each part of the work.
type parts struct {
	c    *console
	mu   sync.Mutex
	part string
	bar  bar
}

func (p *parts) show(part string, done, all int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if part != p.part {
		p.bar.end(true)
		p.part, p.bar = part, bar{}
		if all > 0 && terminal(p.c.err) {
			p.bar = newBar(p.c.err, part, "rows", int(all))
		}
	}
	p.bar.set(int(done))
}

func (p *parts) end(full bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bar.end(full)
}

// printProof prints what was compared, if it came to that.
func printProof(w io.Writer, result store.Moved) error {
	if len(result.Tables) == 0 {
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "table\trows\tSHA-256 of all rows\t")
	for _, p := range result.Tables {
		if p.Same() {
			fmt.Fprintf(t, "%s\t%d\t%x\tthe same\n", p.Name, p.From.Rows, p.From.Hash)
			continue
		}
		fmt.Fprintf(t, "%s\t%d\t%x\tDIFFERS\n\t%d\t%x\tin the new database\n", p.Name, p.From.Rows, p.From.Hash, p.To.Rows, p.To.Hash)
	}
	for _, p := range result.Problems {
		fmt.Fprintf(t, "trail\t\t%s\n", p)
	}
	for _, i := range result.Imbalances {
		fmt.Fprintf(t, "books\t\t%s\n", i)
	}
	return t.Flush()
}

// printSwitch says what the servers need now.
func printSwitch(w io.Writer, from, to store.Location, result store.Moved) error {
	if result.Resumed {
		fmt.Fprint(w, "All had been copied and compared by an earlier run; its last step is done now.\n")
	} else {
		fmt.Fprintf(w, "Every table is the same on both sides, all %d records of the trail are as they were written, and the books are even.\n", result.Records)
	}
	_, err := fmt.Fprintf(w, `
%s now lies in %s. No server starts on the folder any more
(dargah move --undo takes that back). The configuration of each server needs:

  database: postgres://…   # %s
  masterKey: %s

Without that file nothing in the database can be read: every node needs it, and a
copy belongs in a safe place, not beside the backups of the database.
`, from, to, to, result.MasterKey)
	return err
}
