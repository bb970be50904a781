package store

import "errors"

// errOutdated: the group was decided by what was remembered, and that is not
// what the database has.
var errOutdated = errors.New("others have written meanwhile")

// memory is what the last group left: the head, and the balances that were met
// since. It lets the next group do without asking.
//
// Everything that moves money or makes a record moves the head, in the same
// transaction. So the statement that moves it from where it is remembered
// proves all that was remembered; where it does not find it there the group
// has done nothing, and is run again with questions.
type memory struct {
	good     bool
	alone    bool // the head that was read last was the one that this node wrote
	entrySeq int64
	fence    int64
	balances map[string]int64
}

// read notes whether a head that was read was moved by others. While others
// write too, what is remembered is seldom right, and a group that has to be run
// twice costs more than the questions.
func (m *memory) read(foreign bool) {
	m.alone = !foreign
	if foreign {
		clear(m.balances)
	}
}

// recall takes the head and the wallets from memory, if they are there.
func (g *group) recall() bool {
	m := &g.memory
	if !m.good {
		return false
	}
	for _, o := range g.orders {
		account := o.wallet()
		if account == "" || g.wallets[account] != nil {
			continue
		}
		balance, known := m.balances[account]
		if !known {
			clear(g.wallets)
			return false
		}
		g.wallets[account] = &wallet{account: account, old: balance, balance: balance}
	}
	g.entrySeq, g.entryFrom, g.fence = m.entrySeq, m.entrySeq, m.fence
	g.trail.resume()
	return true
}

// remember keeps what the group has written, once it is durable.
func (g *group) remember() {
	m := &g.memory
	m.good, m.entrySeq, m.fence = m.alone, g.entrySeq, g.fence
	if m.balances == nil {
		m.balances = map[string]int64{}
	}
	for _, w := range g.wallets {
		if w.balance != none {
			m.balances[w.account] = w.balance
		}
	}
}

// forget has the next group ask.
func (g *group) forget() { g.memory.good = false }
