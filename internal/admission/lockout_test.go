package admission_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"dargah.dev/dargah/internal/admission"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/password"
)

func TestLockoutGrows(t *testing.T) {
	t.Parallel()
	l := admission.NewLockout(3)
	now := noon
	fail := func() {
		t.Helper()
		if !l.Open("u", now) {
			t.Fatal("closed")
		}
		l.Verdict("u", false, now)
	}
	fail()
	fail()
	fail()
	for _, wait := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 15 * time.Minute, 15 * time.Minute} {
		if l.Open("u", now.Add(wait-time.Millisecond)) {
			t.Fatalf("open before %v have passed", wait)
		}
		now = now.Add(wait)
		fail()
	}
	if !l.Open("other", now) {
		t.Error("another name is closed")
	}
}

func TestRightPasswordForgetsFailures(t *testing.T) {
	t.Parallel()
	l := admission.NewLockout(2)
	l.Verdict("u", false, noon)
	if !l.Verdict("u", true, noon) {
		t.Fatal("a right password is refused")
	}
	l.Verdict("u", false, noon)
	if !l.Open("u", noon) {
		t.Error("closed after one failure since the last success")
	}
}

func TestGuessesCheckedWhileTheNameWasLockedGainNothing(t *testing.T) {
	t.Parallel()
	l := admission.NewLockout(1)
	l.Verdict("u", false, noon)
	if l.Verdict("u", true, noon) {
		t.Error("a right guess counted although the name was locked meanwhile")
	}
}

// TestSharedChecksAreCountedOneByOne: the same wrong password many times at once
// is checked once, and is as many failures.
func TestSharedChecksAreCountedOneByOne(t *testing.T) {
	t.Parallel()
	const at = 50
	who := admission.Need{Checks: []admission.Check{admission.Who}}
	for free, want := range map[int]bool{at: false, at + 1: true} {
		d := world(t)
		d.Lockout, d.Passwords = admission.NewLockout(free), password.New(password.Cost{}) // the real cost, so that they meet
		var wg sync.WaitGroup
		for range at {
			wg.Go(func() {
				_, err := d.Admit(context.Background(), admission.Password{Domain: "a", Username: "good", Password: "wrong"}, who)
				if err == nil || fault.From(err).Code != fault.Credentials {
					t.Errorf("a wrong password: %v", err)
				}
			})
		}
		wg.Wait()
		_, err := d.Admit(context.Background(), admission.Password{Domain: "a", Username: "good", Password: "console-pw-1"}, who)
		if got := err == nil; got != want {
			t.Errorf("%d wrong ones of %d that are free: the right one is accepted: %v, want %v", at, free, got, want)
		}
	}
}

func TestEverySpellingSharesOneCounter(t *testing.T) {
	t.Parallel()
	d := world(t)
	d.Lockout = admission.NewLockout(4)
	who := admission.Need{Checks: []admission.Check{admission.Who}}
	for _, spelling := range []string{"good", "GOOD", " good ", "Good\u200c"} {
		_, err := d.Admit(context.Background(), admission.Password{Domain: "a", Username: spelling, Password: "wrong"}, who)
		if fault.From(err).Code != fault.Credentials {
			t.Fatal(err)
		}
	}
	for name, shown := range map[string]admission.Credential{
		"password": admission.Password{Domain: "a", Username: "good", Password: "console-pw-1"},
		"client":   admission.ClientPassword{Client: "c1", Secret: "s1", Username: "good", Password: "console-pw-1"},
	} {
		if _, err := d.Admit(context.Background(), shown, who); fault.From(err).Code != fault.Credentials || err == nil {
			t.Errorf("%s: the right password opens a locked name: %v", name, err)
		}
	}
}
