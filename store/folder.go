package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/vacancywatch/vacancywatch/store/engine"
)

// A Folder is a data folder that this process alone uses.
type Folder struct {
	Path string
	// Holder names the folder's process, the same after every restart.
	Holder string

	lock *os.File
}

// OpenFolder takes a data folder for this process, and makes it where there is
// none. It fails where another process has it.
func OpenFolder(path string) (*Folder, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	lock, err := lockFile(filepath.Join(path, "lock"))
	if err != nil {
		return nil, fmt.Errorf("the data folder %s is used by another vacancywatch: %w", path, err)
	}
	f := &Folder{Path: path, lock: lock}
	file := filepath.Join(path, "instance")
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		b = []byte(newToken())
		err = writeFile(file, b)
	}
	if f.Holder = strings.TrimSpace(string(b)); err == nil && f.Holder == "" {
		err = errors.New("it is empty: remove it")
	}
	if err != nil {
		lock.Close()
		return nil, fmt.Errorf("read the instance's name in %s: %w", file, err)
	}
	return f, nil
}

// StateFile is the embedded state.
func (f *Folder) StateFile() string { return filepath.Join(f.Path, "state.db") }

// StampFile is how far the state had come.
func (f *Folder) StampFile() string { return filepath.Join(f.Path, "stamp.json") }

// Close gives the folder back. The operating system does so as well when the
// process dies.
func (f *Folder) Close() error { return f.lock.Close() }

// SigningKey returns the key for a purpose, made at the first call. It lies in
// the state, so that links in mails that were sent hold as long as it does,
// and on every machine that shares it.
func (s *Store) SigningKey(ctx context.Context, purpose string) (key []byte, err error) {
	fresh := make([]byte, 32)
	rand.Read(fresh)
	err = s.eng.Update(ctx, metaSlot, func(tx engine.Tx) error {
		r := &engine.HGet{Key: metaKey("keys"), Field: purpose}
		if err := tx.Read(r); err != nil {
			return err
		}
		if key = r.Val; !r.OK {
			key = fresh
			tx.HSet(metaKey("keys"), purpose, fresh)
		}
		return nil
	})
	return key, err
}
