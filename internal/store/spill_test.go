package store

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"

	godiff "github.com/google/go-cmp/cmp"
)

// gathered runs collect over people in parts of ten.
func gathered(t *testing.T, people []sealedPerson, most int, dir string) (groups [][]sealedPerson, told []int) {
	t.Helper()
	from := make(chan []sealedPerson, len(people))
	for rows := range slices.Chunk(people, 10) {
		from <- rows
	}
	close(from)
	err := collect(from, most, []string{dir}, func(n int) { told = append(told, n) }, func(group []sealedPerson) error {
		groups = append(groups, slices.Clone(group))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return groups, told
}

// TestPeopleAreGathered: few are handed over as they came, many in the order of
// their numbers, each once; who comes twice stays in the order in which he came.
func TestPeopleAreGathered(t *testing.T) {
	t.Parallel()
	people := []sealedPerson{{key: personKey{id: math.MinInt64}}, {key: personKey{id: math.MaxInt64}}, {key: personKey{id: -1}}, {}}
	for i := range 996 {
		hash := fmt.Appendf(nil, "%08d the rest", i*i)
		slices.Reverse(hash[:8])
		hash[0] += byte(37 * i)
		people = append(people, sealedPerson{keyOf(hash), fmt.Appendf(nil, "sealed %d", i)})
	}
	again := people[500]
	again.sealed = []byte("sealed again")
	people = append(people, again)
	for _, most := range []int{10, 77, 1000, 1001, 2000} {
		dir := t.TempDir()
		groups, told := gathered(t, people, most, dir)
		got := slices.Concat(groups...)
		want := slices.Clone(people)
		if most <= 1001 {
			order := func(a, b sealedPerson) int { return cmp.Compare(part(a.key.id), part(b.key.id)) }
			slices.SortStableFunc(want, order)
			if ids := func(a, b sealedPerson) int { return cmp.Compare(a.key.id, b.key.id) }; slices.IsSortedFunc(want, ids) {
				t.Error("the parts are one person each: nothing is shown")
			}
		}
		if diff := godiff.Diff(texts(want, sealedText), texts(got, sealedText)); diff != "" {
			t.Errorf("most %d: %s", most, diff)
		}
		if last := told[len(told)-1]; last != len(people) || !slices.IsSorted(told) {
			t.Errorf("most %d: told %v", most, told)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("most %d: %d files are left: %v", most, len(left), err)
		}
	}
	if groups, _ := gathered(t, nil, 10, t.TempDir()); groups != nil {
		t.Errorf("nobody: %v", groups)
	}
}

func sealedText(p sealedPerson) string {
	return fmt.Sprintf("%d %x %s", p.key.id, p.key.rest, p.sealed)
}

// TestPartsAreInOrder: each part has the numbers that follow those of the part
// before it.
func TestPartsAreInOrder(t *testing.T) {
	t.Parallel()
	for i := range spillParts {
		low := math.MinInt64 + int64(i)<<56
		if high := low + 1<<56 - 1; part(low) != i || part(high) != i {
			t.Errorf("%d and %d are in the parts %d and %d, want %d", low, high, part(low), part(high), i)
		}
	}
}

// TestSpillThatIsCutShort: half a row is an error, and nobody.
func TestSpillThatIsCutShort(t *testing.T) {
	t.Parallel()
	s, err := newSpill([]string{t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	if err := s.add([]sealedPerson{{sealed: []byte("whole")}, {sealed: []byte("cut short")}}); err != nil {
		t.Fatal(err)
	}
	at := part(0)
	if err := s.out[at].Flush(); err != nil {
		t.Fatal(err)
	}
	if err := s.files[at].Truncate(45); err != nil {
		t.Fatal(err)
	}
	if people, err := s.read(at, nil); err == nil {
		t.Errorf("%d people", len(people))
	}
}
