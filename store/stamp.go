package store

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"sync"
)

// A stamp notes on this machine how far the state had come. State that is
// behind it was emptied, or replaced by an old copy: what it does not know is
// not new. A machine that loses its stamp takes the state at its word.
type stamp struct {
	file string

	mu   sync.Mutex
	last map[string]uint64 // runs by source
}

func openStamp(file string) (*stamp, error) {
	s := &stamp{file: file, last: map[string]uint64{}}
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the stamp of the state: %w", err)
	}
	if err := json.Unmarshal(b, &s.last); err != nil {
		return nil, fmt.Errorf("the stamp %s is damaged: %w: remove it, and the state is taken as it is", file, err)
	}
	if s.last == nil { // the file says null
		s.last = map[string]uint64{}
	}
	return s, nil
}

// ahead reports whether the state is behind what this machine has seen.
func (s *stamp) ahead(source string, runs uint64) bool { return s.runs(source) > runs }

func (s *stamp) runs(source string) uint64 {
	if s == nil {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last[source]
}

// note writes the stamp after the state. A crash between leaves it behind the
// state, which says nothing.
func (s *stamp) note(source string, runs uint64) error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last[source] >= runs {
		return nil
	}
	next := maps.Clone(s.last)
	next[source] = runs
	b, err := json.Marshal(next)
	if err != nil {
		return err
	}
	if err := writeFile(s.file, b); err != nil {
		return fmt.Errorf("write the stamp of the state: %w", err)
	}
	s.last = next // only now: what was not written is written the next time
	return nil
}

// writeFile replaces a file whole, or not at all.
func writeFile(name string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// newToken is a name that nobody else makes.
func newToken() string { return rand.Text()[:16] }
