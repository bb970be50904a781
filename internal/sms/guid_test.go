package sms_test

import (
	"encoding/hex"
	"math"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"dargah.dev/dargah/internal/sms"
)

func names(fill byte) *sms.Names {
	var key [32]byte
	for i := range key {
		key[i] = fill + byte(i)
	}
	return sms.NewNames(key)
}

var guid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

func TestNamesComeBack(t *testing.T) {
	t.Parallel()
	n, other := names(0), names(1)
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.Int64().Draw(t, "id")
		message, batch, incoming := n.Message(id), n.Batch(id), n.Incoming(id)
		for _, name := range []string{message, batch, incoming} {
			if !guid.MatchString(name) {
				t.Errorf("%s is no GUID of version 4", name)
			}
		}
		if message != n.Message(id) || message == batch || message == incoming || batch == incoming || message == other.Message(id) {
			t.Errorf("%d is %s, %s as a batch", id, message, batch)
		}
		if got, ok := n.ParseMessage(message); !ok || got != id {
			t.Errorf("%s: %d, %t", message, got, ok)
		}
		if got, ok := n.ParseBatch(strings.ToUpper(batch)); !ok || got != id {
			t.Errorf("%s: %d, %t", strings.ToUpper(batch), got, ok)
		}
		if _, ok := n.ParseBatch(message); ok {
			t.Errorf("%s is a message's, not a batch's", message)
		}
		if _, ok := n.ParseMessage(incoming); ok {
			t.Errorf("%s is an incoming message's", incoming)
		}
		if _, ok := other.ParseMessage(message); ok {
			t.Errorf("%s is of another key", message)
		}
	})
}

// Whatever digit is changed, it is no name any more.
func TestNoNameIsNearAnother(t *testing.T) {
	t.Parallel()
	n := names(2)
	for _, id := range []int64{1, 2, 1 << 40, math.MaxInt64, 0, -1} {
		name := n.Message(id)
		for i := range len(name) {
			for _, digit := range "0123456789abcdef-" {
				changed := name[:i] + string(digit) + name[i+1:]
				if got, ok := n.ParseMessage(changed); ok && changed != name {
					t.Errorf("%s for %s is %d", changed, name, got)
				}
			}
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	n := names(3)
	name := n.Message(7)
	for _, text := range []string{
		"", "7", "{" + name + "}", name + " ", strings.ReplaceAll(name, "-", ""), "-" + name[1:],
		"00000000-0000-4000-8000-000000000000", "e1d20dd8-a346-40e1-95c7-979312682c41", strings.Repeat("-", 36), strings.Repeat("۱", 18),
	} {
		if id, ok := n.ParseMessage(text); ok {
			t.Errorf("%q is %d", text, id)
		}
	}
}

func TestNamesAreDistinct(t *testing.T) {
	t.Parallel()
	count := 1_000_000
	if raceEnabled || testing.Short() {
		count = 50_000
	}
	n := names(4)
	seen := make(map[[16]byte]bool, count) // a text for each would take three times as much memory
	for i := range int64(count / 2) {
		for _, name := range []string{n.Message(i), n.Batch(i)} {
			b, err := hex.DecodeString(strings.ReplaceAll(name, "-", ""))
			if err != nil {
				t.Fatal(err)
			}
			seen[[16]byte(b)] = true
		}
	}
	if len(seen) != count {
		t.Errorf("%d names for %d", len(seen), count)
	}
}

func FuzzName(f *testing.F) {
	n := names(5)
	f.Add(n.Message(1))
	f.Add("e1d20dd8-a346-40e1-95c7-979312682c41")
	f.Fuzz(func(t *testing.T, text string) {
		if id, ok := n.ParseMessage(text); ok && n.Message(id) != strings.ToLower(text) {
			t.Errorf("%q is %d, which is %s", text, id, n.Message(id))
		}
	})
}
