package dispatch

import "slices"

// entry is a message and its number among those that came; 0 for those that
// were put back.
type entry struct {
	message *message
	number  uint64
}

// fifo is a queue that can be put back into.
type fifo struct {
	items []entry
	head  int
}

func (f *fifo) len() int { return len(f.items) - f.head }

func (f *fifo) front() entry { return f.items[f.head] }

func (f *fifo) push(e entry) {
	if f.head > 0 && len(f.items) == cap(f.items) {
		f.settle()
	}
	f.items = append(f.items, e)
}

func (f *fifo) unshift(e entry) {
	if f.head == 0 {
		f.items = slices.Insert(f.items, 0, e)
		return
	}
	f.head--
	f.items[f.head] = e
}

func (f *fifo) shift() entry {
	e := f.items[f.head]
	f.items[f.head] = entry{}
	if f.head++; f.head == len(f.items) {
		f.items, f.head = f.items[:0], 0
	}
	return e
}

// filter keeps what keep says, in its order.
func (f *fifo) filter(keep func(*message) bool) {
	f.settle()
	f.items = slices.DeleteFunc(f.items, func(e entry) bool { return !keep(e.message) })
}

// settle moves what there is to the beginning.
func (f *fifo) settle() {
	n := copy(f.items, f.items[f.head:])
	clear(f.items[n:])
	f.items, f.head = f.items[:n], 0
}
