package audit_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"dargah.dev/dargah/internal/audit"
)

// anyLine draws short fields from few letters, so that lengths and borders are
// what differs.
func anyLine(t *rapid.T) *audit.Line {
	text := rapid.StringOfN(rapid.RuneFrom([]rune("ab\x00\x01")), 0, 3, -1)
	blob := rapid.SliceOfN(rapid.ByteRange(0, 2), 0, 3)
	number := rapid.OneOf(rapid.Int64Range(-2, 2), rapid.Int64())
	return &audit.Line{
		Seq: number.Draw(t, "seq"), At: number.Draw(t, "at"), Took: number.Draw(t, "took"), Price: number.Draw(t, "price"),
		Call: text.Draw(t, "call"), Dialect: text.Draw(t, "dialect"), Service: text.Draw(t, "service"), Method: text.Draw(t, "method"),
		Account: text.Draw(t, "account"), Outcome: text.Draw(t, "outcome"), Source: text.Draw(t, "source"), Document: text.Draw(t, "document"),
		Peer: text.Draw(t, "peer"), Subject: blob.Draw(t, "subject"), Salt: blob.Draw(t, "salt"), Digest: blob.Draw(t, "digest"),
	}
}

// TestEncodingIsInjective: two lines with the same bytes are the same line, and
// the bytes of one are no beginning of another's.
func TestEncodingIsInjective(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := anyLine(t)
		b := anyLine(t)
		if rapid.Bool().Draw(t, "near") { // all alike, but that a letter may have moved over a border
			c := *a
			joined := c.Call + c.Dialect
			at := rapid.IntRange(0, len(joined)).Draw(t, "border")
			c.Call, c.Dialect = joined[:at], joined[at:]
			person := string(c.Salt) + c.Peer
			at = rapid.IntRange(0, len(person)).Draw(t, "border of salt")
			c.Salt, c.Peer = []byte(person[:at]), person[at:]
			b = &c
		}
		sameBody := a.Seq == b.Seq && a.At == b.At && a.Took == b.Took && a.Price == b.Price && a.Call == b.Call &&
			a.Dialect == b.Dialect && a.Service == b.Service && a.Method == b.Method && a.Account == b.Account &&
			a.Outcome == b.Outcome && a.Source == b.Source && a.Document == b.Document && bytes.Equal(a.Digest, b.Digest)
		samePerson := a.Peer == b.Peer && bytes.Equal(a.Subject, b.Subject) && bytes.Equal(a.Salt, b.Salt)
		if got := bytes.Equal(a.AppendBody(nil), b.AppendBody(nil)); got != sameBody {
			t.Fatalf("same bytes: %v, same line: %v", got, sameBody)
		}
		if got := bytes.Equal(a.AppendPerson(nil), b.AppendPerson(nil)); got != samePerson {
			t.Fatalf("same bytes: %v, same person: %v", got, samePerson)
		}
		if long, short := b.AppendBody(nil), a.AppendBody(nil); len(long) > len(short) && bytes.HasPrefix(long, short) {
			t.Fatal("one is the beginning of the other")
		}
	})
}

// secondLink is HMAC by its definition (RFC 2104), over the encoding as the
// decision in docs/adr describes it, sharing no code with the package.
func secondLink(key []byte, before audit.Link, l *audit.Line) (link audit.Link) {
	var b strings.Builder
	number := func(n int64) {
		for shift := 56; shift >= 0; shift -= 8 {
			b.WriteByte(byte(n >> shift))
		}
	}
	b.WriteString("dargah audit record 1\n")
	b.Write(before[:])
	number(l.Seq)
	number(l.At)
	number(l.Took)
	number(l.Price)
	for _, s := range []string{l.Call, l.Dialect, l.Service, l.Method, l.Account, l.Outcome, l.Source, l.Document, string(l.Digest)} {
		number(int64(len(s)))
		b.WriteString(s)
	}
	return secondMAC(key, b.String())
}

func secondMAC(key []byte, message string) audit.Link {
	if len(key) > 64 {
		panic("a longer key is hashed first")
	}
	block := [64]byte{}
	copy(block[:], key)
	var inner, outer []byte
	for _, c := range block {
		inner, outer = append(inner, c^0x36), append(outer, c^0x5c)
	}
	first := sha256.Sum256(append(inner, message...))
	return sha256.Sum256(append(outer, first[:]...))
}

func secondDigest(l *audit.Line) audit.Link {
	text := "dargah audit person 1\n"
	for _, s := range []string{string(l.Salt), l.Peer, string(l.Subject)} {
		n, err := hex.DecodeString(fmt.Sprintf("%016x", len(s)))
		if err != nil {
			panic(err)
		}
		text += string(n) + s
	}
	return sha256.Sum256([]byte(text))
}

func TestChainAgreesWithASecondImplementation(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "key")
		chain := audit.NewChain(key)
		var before audit.Link
		for range rapid.IntRange(1, 4).Draw(t, "lines") {
			l := anyLine(t)
			if got, want := chain.Digest(l), secondDigest(l); got != want {
				t.Fatalf("digest %x, want %x", got, want)
			}
			got, want := chain.Link(before, l), secondLink(key, before, l)
			if got != want {
				t.Fatalf("link %x, want %x", got, want)
			}
			mark := secondMAC(key, "dargah audit erasure 1\n"+string(l.AppendBody(nil)[:8]))
			if got := chain.Mark(l.Seq); got != mark {
				t.Fatalf("mark %x, want %x", got, mark)
			}
			before = got
		}
	})
}

// TestKeyAndPlaceDecide: another key, another link before or another number is
// another link.
func TestKeyAndPlaceDecide(t *testing.T) {
	t.Parallel()
	l := &audit.Line{Seq: 1, Call: "c"}
	links := map[audit.Link]string{}
	for name, link := range map[string]audit.Link{
		"as it is":    audit.NewChain([]byte("k")).Link(audit.Link{}, l),
		"another key": audit.NewChain([]byte("j")).Link(audit.Link{}, l),
		"after one":   audit.NewChain([]byte("k")).Link(audit.Link{1}, l),
		"number":      audit.NewChain([]byte("k")).Link(audit.Link{}, &audit.Line{Seq: 2, Call: "c"}),
	} {
		if other, met := links[link]; met {
			t.Errorf("%s and %s have the same link", name, other)
		}
		links[link] = name
	}
}

func TestHeadText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		h := audit.Head{Seq: rapid.Int64Min(0).Draw(t, "seq")}
		copy(h.Link[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "link"))
		got, err := audit.ParseHead(h.String())
		if err != nil || got != h {
			t.Fatalf("%v %v", got, err)
		}
	})
	good := audit.Head{Seq: 7}.String()
	for _, bad := range []string{"", ":", "7", "7:", "-" + good, "x" + good, good + "0", good[:len(good)-1], good[:len(good)-1] + "g", "7:" + strings.Repeat("é", 32)} {
		if h, err := audit.ParseHead(bad); err == nil {
			t.Errorf("%q was read as %v", bad, h)
		}
	}
	if diff := cmp.Diff("7:"+strings.Repeat("0", 64), good); diff != "" {
		t.Error(diff)
	}
}
