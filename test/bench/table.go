package main

import (
	"fmt"
	"slices"
	"time"
)

// load is one row of the table.
type load struct {
	name     string
	server   *server
	requests [][]byte // sent in turn
	want     string   // what a right answer holds
	after    func()   // lets what was begun come to its end; nil where nothing was

	// disk is a file to be flushed instead of a server to be called.
	disk string
	// alone says that the row is measured with one connection only, beside which
	// others with one are compared.
	alone bool
	// person says that the row is of the person inquiry on an engine, with so
	// many people.
	person string
	people int
}

// table measures every row at every number of connections, the rows in turn
// so that a slow minute of the machine hits all of them.
func table(s settings, loads []load) error {
	fmt.Print("The time of the processor is the server's, and its PostgreSQL's.\n\n")
	fmt.Println("| what | connections | calls/s | ratio to bare | p50 | p99 | µs of processor per call |")
	fmt.Println("|---|---|---|---|---|---|---|")
	var said []string
	measured, disturbed := 0, 0
	for _, conns := range s.conns {
		rows := slices.DeleteFunc(slices.Clone(loads), func(l load) bool { return l.alone && conns > 1 })
		results, lost, err := rounds(s, rows, conns)
		if err != nil {
			return err
		}
		measured, disturbed = measured+s.rounds*len(rows), disturbed+lost
		for i, l := range rows {
			ratio := make([]float64, s.rounds)
			for k := range ratio {
				ratio[k] = results[i][k].rate / results[0][k].rate
			}
			m := medians(results[i])
			fmt.Printf("| %s | %d | %.0f | %.2f | %s | %s | %.0f |\n", l.name, conns, m.rate, median(ratio), short(m.p50), short(m.p99), m.cpu)
		}
		said = append(said, compare(rows, results, conns)...)
	}
	fmt.Println()
	for _, line := range said {
		fmt.Println(line)
	}
	if disturbed > 0 {
		fmt.Printf("- %d of %d measurements are the calmest of %d in which the machine's host took more than %.0f %% of the processors.\n",
			disturbed, measured, s.tries, 100*calmShare)
	}
	return nil
}

// rounds measures each row so often, and tells how many measurements were
// disturbed.
func rounds(s settings, rows []load, conns int) (results [][]result, disturbed int, err error) {
	results = make([][]result, len(rows))
	for range s.rounds {
		for i, l := range rows {
			r, lost, err := calm(s.tries, func() (result, error) { return once(l, conns, s.seconds) })
			if err != nil {
				return nil, 0, fmt.Errorf("%s at %d connections: %w", l.name, conns, err)
			}
			if lost {
				disturbed++
			}
			results[i] = append(results[i], r)
		}
	}
	return results, disturbed, nil
}

func once(l load, conns int, length time.Duration) (result, error) {
	if l.disk != "" {
		return flush(l, length)
	}
	r, err := run(l, conns, length)
	if err == nil && l.after != nil {
		l.after()
	}
	return r, err
}

// compare says how the person inquiry does with more people, and how long it
// takes beside one flush of the disk.
func compare(rows []load, results [][]result, conns int) (said []string) {
	for i, l := range rows {
		if l.person == "" && !l.alone || l.disk != "" {
			continue
		}
		what := l.name
		if l.person != "" {
			what = l.person + ", " + grouped(l.people) + " people"
		}
		m := medians(results[i])
		for k := range rows {
			switch before := rows[k]; {
			case l.person != "" && before.person == l.person && before.people < l.people:
				said = append(said, fmt.Sprintf("- %s, %d connections: the median with %s people is %.2f times that with %s.",
					l.person, conns, grouped(l.people), float64(m.p50)/float64(medians(results[k]).p50), grouped(before.people)))
			case before.disk != "":
				said = append(said, fmt.Sprintf("- %s, one connection: the median is %s above that of one flush.",
					what, short(m.p50-medians(results[k]).p50)))
			}
		}
	}
	return said
}

func medians(rs []result) result {
	pick := func(f func(result) float64) float64 {
		v := make([]float64, len(rs))
		for i, r := range rs {
			v[i] = f(r)
		}
		return median(v)
	}
	return result{
		rate: pick(func(r result) float64 { return r.rate }),
		cpu:  pick(func(r result) float64 { return r.cpu }),
		p50:  time.Duration(pick(func(r result) float64 { return float64(r.p50) })),
		p99:  time.Duration(pick(func(r result) float64 { return float64(r.p99) })),
	}
}

func median(v []float64) float64 {
	v = slices.Clone(v)
	slices.Sort(v)
	return v[len(v)/2]
}

func short(d time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond))
}

// grouped is a number with commas.
func grouped(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
