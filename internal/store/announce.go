package store

// OnChange has f called after each change by this store that other nodes should
// look at. It must not wait for anything.
func (s *Store) OnChange(f func()) { s.changed.Store(&f) }

func (s *Store) announce() {
	if f := s.changed.Load(); f != nil {
		(*f)()
	}
}
