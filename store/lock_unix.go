//go:build unix

package store

import (
	"errors"
	"os"
	"syscall"
)

// lockFile takes a file for this process alone, until it is closed or the
// process dies.
func lockFile(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, errors.New("it is locked")
	}
	return f, nil
}
