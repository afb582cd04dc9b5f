package store

// KeepChanges makes a store list so many changes of searches in a slot.
func (s *Store) KeepChanges(n int) { s.keepChanges = n }

// IDNear is idNear.
func IDNear(prefix, name string) string { return idNear(prefix, name) }
