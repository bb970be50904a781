package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
	"time"

	"dargah.dev/dargah/internal/audit"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/store"
)

// trail are the commands about the records of calls.
type trail struct {
	Verify trailVerify `cmd:"" help:"Check every record; exit status 0 only when all is as it was written."`
	Head   trailHead   `cmd:"" help:"Print the end of the trail as SEQ:HEX and the time, to be kept elsewhere."`
	Export trailExport `cmd:"" help:"Print records as JSON Lines or CSV."`
	Erase  trailErase  `cmd:"" help:"Blank the personal fields of old records; the trail can still be verified."`
}

type trailVerify struct {
	installation
	Anchor string   `help:"File of heads, as dargah audit head --anchor writes it. Without a head from outside nobody can see that the end of the trail was cut off together with the head inside." placeholder:"FILE" type:"path"`
	Head   []string `help:"A head that was kept elsewhere; may be repeated." placeholder:"SEQ:HEX"`
}

// manyProblems is how many are printed; a trail that was made anew has one per
// record.
const manyProblems = 100

func (t trailVerify) Run(c *console) (err error) {
	anchors, err := t.anchors()
	if err != nil {
		return err
	}
	r, err := t.read(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	problems := 0
	var first []audit.Problem // printed when the bar is done
	report := func(p audit.Problem) {
		if problems++; problems <= manyProblems {
			first = append(first, p)
		}
	}
	err = r.Trail(c, store.Part{}, func(state audit.State, lines iter.Seq2[*audit.Line, error]) error {
		v := audit.NewVerifier(r.Chain(), state, anchors, report)
		erased, err := verify(c, v, state, lines)
		if err == nil && problems == 0 {
			t.praise(c.out, v.Records(), erased, state, len(anchors))
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, p := range first {
		fmt.Fprintln(c.out, p)
	}
	if problems > manyProblems {
		fmt.Fprintf(c.out, "and %d more\n", problems-manyProblems)
	}
	if problems > 0 {
		return fmt.Errorf("the trail is not as it was written: %d problem(s)", problems)
	}
	return nil
}

func verify(c *console, v *audit.Verifier, state audit.State, lines iter.Seq2[*audit.Line, error]) (erased int64, err error) {
	bar := trailBar(c, "verifying", state.Head)
	defer func() { bar.end(err == nil) }()
	n := 0
	for l, err := range lines {
		if err != nil {
			return 0, err
		}
		v.Add(l)
		if l.Erased() {
			erased++
		}
		if n++; n%4096 == 0 {
			bar.set(n)
		}
	}
	v.End()
	return erased, nil
}

func (t trailVerify) praise(w io.Writer, records, erased int64, state audit.State, anchors int) {
	fmt.Fprintf(w, "%d records, all as they were written", records)
	if erased > 0 {
		fmt.Fprintf(w, "; the personal fields of %d are erased", erased)
	}
	fmt.Fprintf(w, ".\nhead %s\n", state.Head)
	if anchors > 0 {
		fmt.Fprintf(w, "It holds against %d head(s) from outside.\n", anchors)
		return
	}
	fmt.Fprint(w, "No head from outside was given: had the end been cut off and the head set back, this would not show.\n"+
		"Keep heads elsewhere (dargah audit head --anchor FILE) and verify with --anchor FILE or --head SEQ:HEX.\n")
}

// anchors are the heads that were kept outside.
func (t trailVerify) anchors() (all []audit.Head, err error) {
	for _, text := range t.Head {
		h, err := audit.ParseHead(text)
		if err != nil {
			return nil, fmt.Errorf("--head %s: %w", text, err)
		}
		all = append(all, h)
	}
	if t.Anchor == "" {
		return all, nil
	}
	text, err := os.ReadFile(t.Anchor)
	if err != nil {
		return nil, fmt.Errorf("the anchors cannot be read: %w", err)
	}
	given := len(all)
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		h, err := audit.ParseHead(words[0])
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", t.Anchor, number, err)
		}
		all = append(all, h)
	}
	if len(all) == given {
		return nil, fmt.Errorf("%s holds no head: nothing would be held against it", t.Anchor)
	}
	return all, nil
}

// trailBar shows how far a long trail is; nothing where there is no terminal.
func trailBar(c *console, what string, head *audit.Head) bar {
	const long = 50_000
	if head == nil || head.Seq < long || !terminal(c.err) {
		return bar{}
	}
	return newBar(c.err, what, "records", int(head.Seq))
}

func terminal(w io.Writer) bool {
	f, isFile := w.(*os.File)
	if !isFile {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

type trailHead struct {
	installation
	Anchor string `help:"Append the line to this file too; keep it where whoever can write the data folder cannot." placeholder:"FILE" type:"path"`
}

func (t trailHead) Run(c *console) (err error) {
	r, err := t.read(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	head, err := r.Head(c)
	if err != nil {
		return err
	}
	line := fmt.Sprintf("%s %s\n", head, time.Now().UTC().Format(time.RFC3339))
	if t.Anchor != "" {
		if err := appendLine(t.Anchor, line); err != nil {
			return fmt.Errorf("the head is not kept: %w", err)
		}
	}
	_, err = io.WriteString(c.out, line)
	return err
}

// appendLine has the line on disk when it returns.
func appendLine(path, line string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(line)
	return errors.Join(err, f.Sync(), f.Close())
}

type trailExport struct {
	installation
	Format string `help:"${enum}." enum:"jsonl,csv" default:"jsonl"`
	days
	Account string `help:"Only this account: its id, its user name, or user@domain." placeholder:"NAME"`
}

func (t trailExport) Run(c *console) (err error) {
	part, err := t.part()
	if err != nil {
		return err
	}
	r, err := t.read(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if t.Account != "" {
		if part.Account, err = r.AccountID(c, t.Account); err != nil {
			return fmt.Errorf("--account: %w", err)
		}
	}
	out := bufio.NewWriterSize(c.out, 1<<16)
	to := audit.NewJSONL(out)
	if t.Format == "csv" {
		if to, err = audit.NewCSV(out); err != nil {
			return err
		}
	}
	err = r.Trail(c, part, func(_ audit.State, lines iter.Seq2[*audit.Line, error]) error {
		for l, err := range lines {
			if err != nil {
				return err
			}
			if err := to.Write(l); err != nil {
				return err
			}
		}
		return to.Flush()
	})
	if err != nil {
		return err
	}
	return out.Flush()
}

// day is the midnight in Tehran at which the date begins, or so many days later.
func day(flag, text string, later int) (time.Time, error) {
	d, err := persian.ParseAnyDate(text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s %s: %w: give a day like 1405/08/30 or 2026-11-21", flag, text, err)
	}
	return d.AddDays(later).Time(), nil
}

type trailErase struct {
	installation
	Before string `help:"Records before this day, Jalali (1405/08/30) or ISO (2026-11-21), in Tehran." placeholder:"DATE" required:""`
	Yes    bool   `help:"Do it: what is blanked cannot be had back."`
}

func (t trailErase) Run(c *console) (err error) {
	before, err := day("--before", t.Before, 0)
	if err != nil {
		return err
	}
	if !t.Yes {
		return fmt.Errorf("this blanks the caller's address and the subject's hash in every record before %s, for good.\nSay --yes to do it",
			before.UTC().Format(time.RFC3339))
	}
	// A store makes what is not there; a reader does not.
	r, err := t.read(c)
	if err != nil {
		return err
	}
	head, err := r.Head(c)
	if err := errors.Join(err, r.Close()); err != nil {
		return err
	}
	_, at, err := t.find()
	if err != nil {
		return err
	}
	data, err := store.Open(c, at, store.Options{})
	if errors.Is(err, store.ErrInUse) {
		return fmt.Errorf("%w\nErasing needs the folder for itself: stop the server, erase, and start it again", err)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, data.Close()) }()
	bar := trailBar(c, "erasing", &head)
	n, err := data.Erase(c, before, func(done, _ int64) { bar.set(int(done)) })
	bar.end(err == nil)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.out, "%d record(s) erased. Copies of the folder, and the log, keep what they have.\n", n)
	return err
}
