package audit

import (
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// exportTime is ISO 8601 to the microsecond, always in UTC.
const exportTime = "2006-01-02T15:04:05.000000Z"

// columns are the names of what is exported, in their order.
var columns = []string{
	"seq", "time", "call", "dialect", "service", "method", "account", "peer", "outcome", "price", "source",
	"took_us", "subject", "document", "erased", "link",
}

// exported is a line as it leaves. Subject and link are hexadecimal.
type exported struct {
	Seq      int64  `json:"seq"`
	Time     string `json:"time"`
	Call     string `json:"call"`
	Dialect  string `json:"dialect"`
	Service  string `json:"service"`
	Method   string `json:"method"`
	Account  string `json:"account"`
	Peer     string `json:"peer"`
	Outcome  string `json:"outcome"`
	Price    int64  `json:"price"` // rials
	Source   string `json:"source"`
	Took     int64  `json:"took_us"`
	Subject  string `json:"subject"`
	Document string `json:"document"`
	Erased   bool   `json:"erased"`
	Link     string `json:"link"`
}

func export(l *Line) exported {
	return exported{
		Seq: l.Seq, Time: time.UnixMicro(l.At).UTC().Format(exportTime), Call: l.Call, Dialect: l.Dialect,
		Service: l.Service, Method: l.Method, Account: l.Account, Peer: l.Peer, Outcome: l.Outcome, Price: l.Price,
		Source: l.Source, Took: l.Took, Subject: hex.EncodeToString(l.Subject), Document: l.Document,
		Erased: l.Erased(), Link: hex.EncodeToString(l.Link),
	}
}

// Exporter writes lines in one format. Flush ends it.
type Exporter interface {
	Write(l *Line) error
	Flush() error
}

// NewJSONL writes one JSON object a line.
func NewJSONL(w io.Writer) Exporter {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return jsonl{e}
}

type jsonl struct{ *json.Encoder }

func (j jsonl) Write(l *Line) error {
	if err := j.Encode(export(l)); err != nil {
		return fmt.Errorf("export record %d: %w", l.Seq, err)
	}
	return nil
}

func (j jsonl) Flush() error { return nil }

// NewCSV writes comma-separated values with a line of names first, none of
// which a spreadsheet takes for a formula.
func NewCSV(w io.Writer) (Exporter, error) {
	table := csv.NewWriter(w)
	if err := table.Write(columns); err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	return sheet{table}, nil
}

type sheet struct{ *csv.Writer }

func (s sheet) Write(l *Line) error {
	e := export(l)
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	row := []string{
		number(e.Seq), e.Time, e.Call, e.Dialect, e.Service, e.Method, e.Account, e.Peer, e.Outcome, number(e.Price), e.Source,
		number(e.Took), e.Subject, e.Document, strconv.FormatBool(e.Erased), e.Link,
	}
	for i := range row {
		row[i] = Cell(row[i])
	}
	if err := s.Writer.Write(row); err != nil {
		return fmt.Errorf("export record %d: %w", l.Seq, err)
	}
	return nil
}

func (s sheet) Flush() error {
	s.Writer.Flush()
	return s.Error()
}

// formulaStarts are what a spreadsheet may take for the start of a formula,
// the wide forms of East Asian keyboards too, and what it skips before one. The
// apostrophe is among them so that one that was there can be told from ours.
const formulaStarts = "=+-@\t\r\n'＝＋－＠"

// Cell puts an apostrophe before a cell that might be taken for a formula.
func Cell(cell string) string {
	if first, size := utf8.DecodeRuneInString(cell); size > 0 && strings.ContainsRune(formulaStarts, first) {
		return "'" + cell
	}
	return cell
}
