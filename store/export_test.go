package store

// KeepChanges makes a store list so many changes of searches in a slot.
func (s *Store) KeepChanges(n int) { s.keepChanges = n }
