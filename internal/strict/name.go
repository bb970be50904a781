package strict

// few is how many names are compared one by one before a map takes over: real
// bodies stay below it, and a body made of names cannot cost quadratic time.
const few = 16

// names finds the second use of a name.
type names struct {
	fold  bool
	count int
	first [few]string
	rest  map[string]struct{} // all names, once first is full
}

// add reports whether the name is new.
func (n *names) add(name string) bool {
	if n.rest != nil {
		return n.addToRest(name)
	}
	for _, known := range n.first[:n.count] {
		if sameName(known, name, n.fold) {
			return false
		}
	}
	if n.count == few {
		n.rest = make(map[string]struct{}, 4*few)
		for _, known := range n.first {
			n.addToRest(known)
		}
		return n.addToRest(name)
	}
	n.first[n.count] = name
	n.count++
	return true
}

func (n *names) addToRest(name string) bool {
	if n.fold {
		name = lower(name)
	}
	if _, known := n.rest[name]; known {
		return false
	}
	n.rest[name] = struct{}{}
	return true
}

// sameName compares two names. Folding is for A to Z alone: strings.EqualFold
// would take a long s for an s, and two names that look different to the next
// reader of the message would be one here.
func sameName(a, b string, fold bool) bool {
	if !fold || a == b {
		return a == b
	}
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lowerByte(a[i]) != lowerByte(b[i]) {
			return false
		}
	}
	return true
}

func lower(name string) string {
	for i := range len(name) {
		if lowerByte(name[i]) != name[i] {
			folded := []byte(name)
			for j := i; j < len(folded); j++ {
				folded[j] = lowerByte(folded[j])
			}
			return string(folded)
		}
	}
	return name
}

func lowerByte(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}
