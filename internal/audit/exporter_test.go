package audit_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"dargah.dev/dargah/internal/audit"
)

// readBack reads both exports into the cells that they mean.
func readBack(t *rapid.T, l *audit.Line) (fromCSV, fromJSON, raw map[string]string) {
	var table, objects bytes.Buffer
	sheet, err := audit.NewCSV(&table)
	if err != nil {
		t.Fatal(err)
	}
	for _, to := range []audit.Exporter{sheet, audit.NewJSONL(&objects)} {
		if err := to.Write(l); err != nil {
			t.Fatal(err)
		}
		if err := to.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := csv.NewReader(&table).ReadAll()
	if err != nil || len(rows) != 2 {
		t.Fatalf("%d rows: %v", len(rows), err)
	}
	fromCSV, fromJSON, raw = map[string]string{}, map[string]string{}, map[string]string{}
	for i, name := range rows[0] {
		raw[name] = rows[1][i]
		fromCSV[name] = strings.TrimPrefix(rows[1][i], "'")
	}
	if strings.Count(objects.String(), "\n") != 1 {
		t.Fatalf("not one line: %q", objects.String())
	}
	var object map[string]any
	numbers := json.NewDecoder(&objects)
	numbers.UseNumber()
	if err := numbers.Decode(&object); err != nil {
		t.Fatal(err)
	}
	for name, value := range object {
		text, isText := value.(string)
		if !isText {
			encoded, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			text = string(encoded)
		}
		fromJSON[name] = text
	}
	return fromCSV, fromJSON, raw
}

// TestExportRoundTrip: both formats say the same, and what was recorded; no
// cell can be taken for a formula.
func TestExportRoundTrip(t *testing.T) {
	t.Parallel()
	cell := rapid.StringOfN(rapid.RuneFrom([]rune("=+-@\t\n'\"＝,;a7")), 0, 5, -1)
	rapid.Check(t, func(t *rapid.T) {
		l := &audit.Line{
			Seq: rapid.Int64().Draw(t, "seq"), At: 1_750_000_000_123_456, Took: 1500, Price: rapid.Int64().Draw(t, "price"),
			Call: cell.Draw(t, "call"), Method: cell.Draw(t, "method"), Source: cell.Draw(t, "source"), Document: cell.Draw(t, "document"),
			Peer: "2001:db8::1", Subject: []byte{0, 255}, Salt: []byte{1}, Link: []byte{2},
		}
		table, object, raw := readBack(t, l)
		if diff := cmp.Diff(object, table); diff != "" {
			t.Fatalf("the formats differ: %s", diff)
		}
		for name, want := range map[string]string{
			"call": l.Call, "method": l.Method, "source": l.Source, "document": l.Document,
			"time": "2025-06-15T15:06:40.123456Z", "subject": "00ff", "erased": "false", "peer": l.Peer, "link": "02",
		} {
			if table[name] != want {
				t.Fatalf("%s: %q, want %q", name, table[name], want)
			}
		}
		for name, cell := range raw {
			if cell != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(cell)[0]) {
				t.Fatalf("%s begins like a formula: %q", name, cell)
			}
		}
	})
}

func TestFormulasAreNeutralised(t *testing.T) {
	t.Parallel()
	for _, start := range []string{"=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "'"} {
		var b bytes.Buffer
		sheet, err := audit.NewCSV(&b)
		if err != nil {
			t.Fatal(err)
		}
		if err := sheet.Write(&audit.Line{Method: start + `cmd|' /C calc'!A0`}); err != nil {
			t.Fatal(err)
		}
		if err := sheet.Flush(); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(&b).ReadAll()
		if err != nil || !strings.HasPrefix(rows[1][5], "'") {
			t.Errorf("%q: %v %q", start, err, rows)
		}
	}
}
