package audit

import "fmt"

// State is what the database says about the trail as a whole.
type State struct {
	Head    *Head // nil where there is none that can be read
	Erasure Erasure
}

// Erasure notes that the personal fields of all records before a moment were
// blanked. The zero Erasure is none.
type Erasure struct {
	Before int64  // microseconds UTC since 1970
	Mark   []byte // Chain.Mark of it
}

// Problem is one thing that is not as it was written.
type Problem struct {
	Seq  int64 // of the record where it shows; 0 where it concerns the trail as a whole
	What string
}

func (p Problem) String() string {
	if p.Seq == 0 {
		return "the trail: " + p.What
	}
	return fmt.Sprintf("record %d: %s", p.Seq, p.What)
}

// Verifier holds the records of a trail against each other, against the head
// and against heads that were kept elsewhere. Nothing inside the database can
// show that its end was cut off when the head was set back too: for that it
// needs one of those.
type Verifier struct {
	chain   *Chain
	state   State
	anchors map[int64][]Link
	report  func(Problem)

	last     int64 // number of the last record that was in its place
	before   Link  // its link, as written
	computed Link  // and as it should be, where that differs
	differs  bool
	broken   bool // what comes next has no record to follow
	blind    bool // links are not looked at; for the tests of the tests
}

// NewVerifier verifies a trail in this state. report is called for each
// problem, in the order in which they are found.
func NewVerifier(chain *Chain, state State, anchors []Head, report func(Problem)) *Verifier {
	v := &Verifier{chain: chain, state: state, anchors: map[int64][]Link{}, report: report}
	for _, a := range anchors {
		v.anchors[a.Seq] = append(v.anchors[a.Seq], a.Link)
	}
	if e := state.Erasure; e.Before != 0 || len(e.Mark) > 0 {
		if mark := chain.Mark(e.Before); string(mark[:]) != string(e.Mark) {
			v.problem(0, "the note of what was erased was not made with this installation's key")
			v.state.Erasure = Erasure{}
		}
	}
	v.anchored(0, Link{})
	return v
}

// Add takes the next record, in the order of their numbers.
func (v *Verifier) Add(l *Line) {
	if l.Seq < 1 {
		v.problem(l.Seq, "does not belong here: records are numbered from 1")
		return
	}
	if gap := l.Seq - v.last - 1; gap > 0 {
		v.missing(v.last+1, l.Seq-1)
		v.broken = true
	}
	v.person(l)
	v.link(l)
	v.last = l.Seq
	v.anchored(l.Seq, v.before)
}

// End is called after the last record.
func (v *Verifier) End() {
	head := v.state.Head
	switch {
	case head == nil:
		v.problem(0, "its head is missing, or cannot be read")
	case head.Seq > v.last:
		v.missing(v.last+1, head.Seq)
	case head.Seq < v.last:
		v.problem(head.Seq+1, fmt.Sprintf("it and all up to %d come after the head, which is at %d", v.last, head.Seq))
	case head.Link != v.before:
		v.problem(v.last, "it is the last one, and its link is not the head's")
	}
	for seq := range v.anchors {
		v.problem(seq, fmt.Sprintf("is anchored, but the trail ends at %d", v.last))
	}
}

// Records tells how many there were, by their numbers.
func (v *Verifier) Records() int64 { return v.last }

func (v *Verifier) problem(seq int64, what string) { v.report(Problem{Seq: seq, What: what}) }

func (v *Verifier) missing(from, to int64) {
	if from == to {
		v.problem(from, "is missing")
		return
	}
	v.problem(from, fmt.Sprintf("it and all up to %d are missing", to))
}

// person checks what may be erased against its digest.
func (v *Verifier) person(l *Line) {
	if !l.Erased() {
		if digest := v.chain.Digest(l); string(digest[:]) != string(l.Digest) {
			v.problem(l.Seq, "the caller's address, the subject's hash, the salt or the digest was changed")
		}
		return
	}
	if l.Peer != "" || len(l.Subject) > 0 {
		v.problem(l.Seq, "is erased, and still has an address or a subject's hash")
	}
	if l.At >= v.state.Erasure.Before {
		v.problem(l.Seq, "its personal fields were blanked, but not by an erasure")
	}
}

// link checks that the record follows from the one before. After one that does
// not, either of its two links will do, so that a change is told where it is
// and not once more at the next record.
func (v *Verifier) link(l *Line) {
	if v.blind {
		v.before = Link(pad(l.Link))
		return
	}
	before, alternative, second := v.before, v.computed, v.differs
	due := v.chain.Link(before, l)
	v.before, v.computed, v.differs = Link(pad(l.Link)), due, false
	if string(due[:]) == string(l.Link) || v.broken {
		v.broken = false
		return
	}
	if second {
		if due := v.chain.Link(alternative, l); string(due[:]) == string(l.Link) {
			return
		}
	}
	v.differs = true
	v.problem(l.Seq, "was changed, or put here from another place")
}

func (v *Verifier) anchored(seq int64, link Link) {
	for _, due := range v.anchors[seq] {
		if due != link {
			v.problem(seq, "is another one than was anchored")
		}
	}
	delete(v.anchors, seq)
}

// pad makes a link of what is in the column, whatever its length.
func pad(stored []byte) []byte {
	if len(stored) == len(Link{}) {
		return stored
	}
	var link Link
	copy(link[:], stored)
	return link[:]
}
