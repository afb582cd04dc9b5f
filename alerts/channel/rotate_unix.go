//go:build unix

package channel

import (
	"io/fs"
	"os"
	"syscall"
)

// ownedLike gives f the owner and the group of another file.
func ownedLike(f *os.File, like fs.FileInfo) error {
	st, ok := like.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return f.Chown(int(st.Uid), int(st.Gid))
}
