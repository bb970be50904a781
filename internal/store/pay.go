package store

import (
	"fmt"
	"strings"
)

// payAtOnce is how many wallets one statement changes at most.
const payAtOnce = 32

// pay prepares the change of n wallets: n times account and new balance, then
// n times account and old balance.
func (p *statements) pay(n int) *query {
	var set, where strings.Builder
	mark := p.mark
	for i := range n {
		fmt.Fprintf(&set, " WHEN %s THEN cast(%s AS BIGINT)", mark(2*i+1), mark(2*i+2))
		if i > 0 {
			where.WriteString(" OR ")
		}
		fmt.Fprintf(&where, "(account = %s AND balance = %s)", mark(2*n+2*i+1), mark(2*n+2*i+2))
	}
	return p.prepare("UPDATE wallet SET balance = CASE account" + set.String() + " END WHERE " + where.String())
}

// payAll writes the balances that the group changed. Each statement asks for
// the old balances once more: whatever else writes to wallets, a change that
// this group did not see stops it.
func (g *group) payAll() {
	touched := make([]*wallet, 0, 16)
	for _, w := range g.wallets {
		if w.balance != w.old {
			touched = append(touched, w)
		}
	}
	for len(touched) > 0 {
		n := min(len(touched), payAtOnce)
		args := make([]any, 0, 4*n)
		for _, w := range touched[:n] {
			args = append(args, w.account, w.balance)
		}
		for _, w := range touched[:n] {
			args = append(args, w.account, w.old)
		}
		g.tell(g.sql.pay[n-1], int64(n), errMoved, args...)
		touched = touched[n:]
	}
}
