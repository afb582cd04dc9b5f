//go:build !unix

package channel

import (
	"io/fs"
	"os"
)

// ownedLike does nothing: here a file is owned by who makes it.
func ownedLike(*os.File, fs.FileInfo) error { return nil }
