package smpp_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"dargah.dev/dargah/internal/operator"
	"dargah.dev/dargah/internal/operator/smpp/pdu"
)

// One part without an answer is in doubt; the session goes on, and the sink
// hears its late answer, once.
func TestLateAnswer(t *testing.T) {
	t.Parallel()
	for _, refused := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) { lateAnswer(t, refused) })
	}
}

func lateAnswer(t *testing.T, refused bool) {
	peers := make(chan *peer, 10)
	s := scripted(peers)
	s.Window = 1
	sink := newInbox()
	o := open(t, s, sink)
	p := <-peers
	first := make(chan error)
	submit := func(p operator.Part) {
		_, err := o.Submit(t.Context(), p)
		first <- err
	}
	sent := part(t, "x")
	sent.Message, sent.Number, sent.Total = 77, 2, 3
	go submit(sent)
	late := p.next()
	if err := <-first; !errors.Is(err, operator.ErrDoubt) {
		t.Errorf("%v", err)
	}
	go submit(part(t, "y"))
	next := p.next()
	answer, want := answerTo(late, "1"), operator.Late{Operator: "first", Message: 77, Number: 2, Total: 3, ID: "1"}
	if refused {
		answer = pdu.Header{Command: pdu.GenericNack, Status: pdu.SystemError, Sequence: late.Sequence}.Append(nil)
		want.Refused, want.ID = true, ""
	}
	p.write(answer, answer, answerTo(next, "2"))
	if err := <-first; err != nil {
		t.Errorf("the part after it: %v", err)
	}
	got := <-sink.lates
	got.At = time.Time{}
	if synctest.Wait(); got != want || len(sink.lates) != 0 {
		t.Errorf("the sink heard %+v, and %d more", got, len(sink.lates))
	}
	closeNow(t, o)
}

// Who sent a part and waits no longer need not be there for its id to be kept.
func TestAnswerAfterTheSenderLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		peers := make(chan *peer, 10)
		sink := newInbox()
		o := open(t, scripted(peers), sink)
		p := <-peers
		ctx, leave := context.WithCancel(t.Context())
		left := make(chan error)
		go func() {
			_, err := o.Submit(ctx, part(t, "x"))
			left <- err
		}()
		sent := p.next()
		leave()
		if err := <-left; !errors.Is(err, operator.ErrDoubt) {
			t.Errorf("%v", err)
		}
		p.write(answerTo(sent, "1"))
		if got := <-sink.lates; got.ID != "1" || got.Refused {
			t.Errorf("the sink heard %+v", got)
		}
		closeNow(t, o)
	})
}
