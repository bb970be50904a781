package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"time"

	"dargah.dev/dargah/internal/cluster"
	"dargah.dev/dargah/internal/config"
	"dargah.dev/dargah/internal/finding"
	"dargah.dev/dargah/internal/httpd"
	"dargah.dev/dargah/internal/store"
)

// doctor looks at everything that a server rests on, while it runs.
type doctor struct {
	installation
	Full bool `help:"Read every record of the trail too and, on SQLite, every page."`
	JSON bool `help:"Print one JSON object." name:"json"`
}

func (d doctor) Run(c *console) error {
	findings, err := d.look(c)
	if err != nil {
		return err
	}
	problems, warnings := findings.Count(finding.Problem), findings.Count(finding.Warning)
	if d.JSON {
		e := json.NewEncoder(c.out)
		e.SetEscapeHTML(false)
		err = e.Encode(map[string]any{"findings": findings, "problems": problems, "warnings": warnings})
	} else {
		err = printFindings(c.out, findings)
	}
	if err != nil {
		return err
	}
	if problems > 0 {
		return fmt.Errorf("%d problem(s), %d warning(s)", problems, warnings)
	}
	return nil
}

func (d doctor) look(c *console) (l finding.List, err error) {
	settings, at, err := d.find()
	if errors.As(err, new(misuse)) {
		return nil, err
	}
	if err != nil {
		l.Bad("configuration", err.Error(), "correct it: `dargah config --example` prints every setting")
		return l, nil
	}
	l = append(l, settings.Examine(d.file())...)
	if settings.TLS.On() {
		l = append(l, httpd.ExamineCertificate(settings.TLS.Certificate, settings.TLS.Key, settings.PublicURL, time.Now())...)
	}
	p := &parts{c: c}
	l = append(l, store.Examine(c, at, store.ExamineOptions{Full: d.Full, Progress: func(done, all int64) { p.show("reading the trail", done, all) }})...)
	p.end(true)
	if l.Count(finding.Problem) == 0 { // or it cannot be read, as was said
		if err := d.examineWebhooks(c, &l); err != nil {
			l.Bad("webhooks", err.Error(), "")
		}
	}
	if settings.Redis != "" {
		l = append(l, cluster.Examine(c, string(settings.Redis))...)
	} else if settings.Database != "" {
		l.Good("redis", "none: with several nodes, limits are per node, and changes take a second or two")
	}
	examineOperators(&l, settings)
	examineMachine(&l, settings)
	return l, c.Err()
}

// file is the configuration file that counts; empty for none.
func (d doctor) file() string {
	if d.Data != "" {
		return ""
	}
	return configFile(d.Config)
}

func examineMachine(l *finding.List, settings config.Config) {
	if running, synchronous, known := clockState(); known {
		judgeClock(l, running, synchronous)
	}
	judgeFiles(l, openFiles(), settings.Limits.Connections)
	if memory, known := memoryOf(); known {
		judgeMemory(l, memory, debug.SetMemoryLimit(-1))
	}
}

// judgeClock: running is whether something corrects the clock, and ahead how
// wrong the kernel believes it to be.
func judgeClock(l *finding.List, corrected bool, wrong time.Duration) {
	const about, advice = "clock", "run a time service: chrony or systemd-timesyncd"
	switch {
	case !corrected:
		l.Warn(about, "the system says that nothing keeps its clock right: tokens and records would get wrong times", advice)
	case wrong > time.Second:
		l.Warn(about, fmt.Sprintf("the system holds its clock to be wrong by up to %s", wrong.Round(time.Millisecond)), advice)
	default:
		l.Good(about, "is kept right, to within %s", wrong.Round(time.Millisecond))
	}
}

// fewFiles is enough for connections to callers and to the database, and not
// for a crowd.
const fewFiles = 4096

func judgeFiles(l *finding.List, limit, connections int) {
	const about, advice = "open files", "raise it: ulimit -n, or LimitNOFILE= of the service (deploy/ has one)"
	switch {
	case limit == 0:
		l.Good(about, "no limit")
	case connections > 0 && limit < connections+64:
		l.Bad(about, fmt.Sprintf("the limit here is %d, and limits.connections %d needs 64 more than that", limit, connections), advice)
	case limit < fewFiles:
		l.Warn(about, fmt.Sprintf("the limit here is %d, and each connection needs one", limit), advice)
	default:
		l.Good(about, "the limit here is %d (a service has its own)", limit)
	}
}

// defaultMemory is what tune sets where GOMEMLIMIT says nothing.
const (
	defaultMemory = 1 << 30
	leastMemory   = 512 << 20
)

// judgeMemory holds what there is against what this program would take.
func judgeMemory(l *finding.List, memory, limit int64) {
	const about, mib = "memory", 1 << 20
	if limit <= 0 || limit > 1<<50 {
		limit = defaultMemory
	}
	says := fmt.Sprintf("there are %d MiB, and a server keeps itself to about %d MiB", memory/mib, limit/mib)
	switch {
	case memory < leastMemory:
		l.Bad(about, says, "give the machine or the container 512 MiB at least, and set GOMEMLIMIT to three quarters of it")
	case limit > memory/10*9:
		l.Warn(about, says, "set GOMEMLIMIT to three quarters of what there is")
	default:
		l.Good(about, "%s", says)
	}
}

// printFindings prints what is well in a line, and what is not with what to do.
func printFindings(w io.Writer, l finding.List) error {
	for _, f := range l {
		says := strings.ReplaceAll(f.Says, "\n", "\n         ")
		if _, err := fmt.Fprintf(w, "%-8s %s: %s\n", f.Level, f.About, says); err != nil {
			return err
		}
		if f.Do != "" {
			if _, err := fmt.Fprintf(w, "         → %s\n", f.Do); err != nil {
				return err
			}
		}
	}
	_, err := fmt.Fprintf(w, "%d looked at: %d problem(s), %d warning(s)\n", len(l), l.Count(finding.Problem), l.Count(finding.Warning))
	return err
}
