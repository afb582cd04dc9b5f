//go:build !unix

package store

import "os"

// lockFile opens the file. Without flock two processes are kept apart by the
// lock of the embedded state alone.
func lockFile(name string) (*os.File, error) {
	return os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
}
