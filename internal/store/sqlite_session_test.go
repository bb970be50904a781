package store_test

import (
	"database/sql/driver"
	"errors"
	"slices"
	"strconv"
	"testing"

	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/store/storetest"
)

// TestWriterIsReplaced takes the connection away that statements are prepared
// on: the next calls are served on another one.
func TestWriterIsReplaced(t *testing.T) {
	t.Parallel()
	s := storetest.Must(t, place(t, storetest.Folder(t)), store.Options{})
	storetest.Fund(t, s, 100)
	for i := range 3 {
		if err := s.Commit(t.Context(), storetest.Charge("c"+strconv.Itoa(i), "a0", 1)); err != nil {
			t.Errorf("call %d: %v", i, err)
		}
		conn, err := s.Writer().Conn(t.Context())
		must(t, err)
		if err := conn.Raw(func(any) error { return driver.ErrBadConn }); !errors.Is(err, driver.ErrBadConn) {
			t.Fatal(err)
		}
	}
	if got := storetest.Balance(t, s, "a0"); got != 97 {
		t.Errorf("%d are left of 100 after three calls of 1", got)
	}
	storetest.Balanced(t, s, "a0")
}

// TestForgottenTransaction leaves one open on the writer's connection. The call
// that meets it fails and changes nothing; the next one is served.
func TestForgottenTransaction(t *testing.T) {
	t.Parallel()
	s := storetest.Must(t, place(t, storetest.Folder(t)), store.Options{})
	storetest.Fund(t, s, 100)
	for i := range 2 {
		_, err := s.Writer().ExecContext(t.Context(), "BEGIN")
		must(t, err)
		if err := s.Commit(t.Context(), storetest.Charge("lost"+strconv.Itoa(i), "a0", 1)); err == nil {
			t.Error("charged in somebody else's transaction")
		}
		if err := s.Commit(t.Context(), storetest.Charge("good"+strconv.Itoa(i), "a0", 1)); err != nil {
			t.Error(err)
		}
	}
	if got := storetest.Balance(t, s, "a0"); got != 98 {
		t.Errorf("%d are left of 100 after two calls of 1", got)
	}
	storetest.Balanced(t, s, "a0")
}

func TestAssign(t *testing.T) {
	t.Parallel()
	var n int64
	var m int
	var text string
	var octets []byte
	to := []any{&n, &m, &text, &octets}
	must(t, store.Assign(to, []driver.Value{int64(-1), int64(7), "متن", []byte{0}}))
	if n != -1 || m != 7 || text != "متن" || !slices.Equal(octets, []byte{0}) {
		t.Errorf("read %d, %d, %q and %v", n, m, text, octets)
	}
	for _, row := range [][]driver.Value{
		{int64(1), int64(1), "a"},
		{nil, int64(1), "a", []byte{}},
		{int64(1), "1", "a", []byte{}},
		{int64(1), int64(1), []byte("a"), []byte{}},
		{int64(1), int64(1), "a", "a"},
	} {
		if store.Assign(to, row) == nil {
			t.Errorf("%v was read", row)
		}
	}
	if store.Assign([]any{new(float32)}, []driver.Value{1.5}) == nil {
		t.Error("a kind of place that questions do not have")
	}
}
