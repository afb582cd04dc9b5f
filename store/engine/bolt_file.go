package engine

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// A file is compacted when it is opened if it is larger than compactSize and
// more than compactFree percent of it is free.
const (
	compactSize = 64 << 20
	compactFree = 60
)

// OpenBolt opens the file at path, which it makes, with its folder, if there is
// none. A damaged file is moved aside to path.damaged-<UTC time>, and the newest
// good copy takes its place, or an empty file if there is none; o.Warn is told.
// Damage within a value cannot be seen here: bbolt keeps no checksums of it.
func OpenBolt(path string, o BoltOptions) (*Bolt, error) {
	if o.Warn == nil {
		o.Warn = func(string) {}
	}
	if o.Copies == "" {
		o.Copies = globEscape(path) + ".copy*"
	}
	if o.LockTimeout <= 0 {
		o.LockTimeout = time.Second
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db, file, err := openFile(path, o.LockTimeout)
	if errors.Is(err, ErrDamaged) {
		if err = replaceDamaged(path, o, err); err == nil {
			db, file, err = openFile(path, o.LockTimeout)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db.NoSync, db.NoGrowSync, db.NoFreelistSync = o.NoSync, o.NoSync, o.NoSync
	b := &Bolt{path: path, db: db, file: file, writer: make(chan struct{}, 1)}
	if size, free := usage(db); mostlyFree(size, free) {
		if err := b.compact(o); err != nil {
			if !samePath(b.file, path) {
				// What was to replace it is there but cannot be used, and the
				// file we hold has no name any more.
				_ = b.Close()
				return nil, fmt.Errorf("open %s once compacted: %w", path, err)
			}
			o.Warn(fmt.Sprintf("The state file %s could not be compacted: %v.", path, err))
		}
	}
	return b, nil
}

// openFile opens and reads through the file. The error wraps ErrDamaged if its
// contents are at fault.
func openFile(path string, wait time.Duration) (db *bolt.DB, file *os.File, err error) {
	for range 3 {
		err = guarded(func() (err error) {
			db, err = bolt.Open(path, 0o600, &bolt.Options{
				Timeout:         wait,
				FreelistType:    bolt.FreelistMapType,
				InitialMmapSize: mapSize(),
				OpenFile: func(name string, flag int, mode os.FileMode) (*os.File, error) {
					f, err := os.OpenFile(name, flag, mode)
					if file == nil {
						file = f
					}
					return f, err
				},
			})
			return err
		})
		fresh := false
		if err == nil {
			err = guarded(func() (err error) {
				fresh, err = inspect(db)
				return err
			})
		}
		if err == nil && fresh {
			if err = guarded(func() error { return mark(db) }); err != nil && !errors.Is(err, ErrDamaged) {
				_ = guarded(db.Close)
				return nil, nil, err // Such as a full disk, which bbolt does not always wrap.
			}
		}
		if err == nil && !samePath(file, path) {
			// While we waited for the lock its holder put another file here.
			_ = guarded(db.Close)
			file, err = nil, berrors.ErrTimeout
			continue
		}
		break
	}
	switch {
	case err == nil:
		return db, file, nil
	case errors.Is(err, berrors.ErrTimeout):
		err = fmt.Errorf("another vacancywatch is using %s", path)
	case isSystem(err), errors.Is(err, errForeign):
	case !errors.Is(err, ErrDamaged):
		err = fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	// After a panic bbolt may be unable to close; the file and with it the lock
	// are let go of all the same. Where it was closed already this is no harm.
	if db != nil && !errors.Is(err, ErrDamaged) {
		_ = guarded(db.Close)
	} else if file != nil {
		_ = file.Close()
	}
	return nil, nil, err
}

// mapSize is the address space to map. bbolt must wait for all readers, such as
// a copy, when the file outgrows it. Unused space costs nothing, but on Windows
// the file would grow to it, and small machines have none to give.
func mapSize() int {
	if runtime.GOOS == "windows" || strconv.IntSize == 32 {
		return 0
	}
	return 1 << 30
}

// isSystem tells what the operating system refuses from what is wrong with the
// contents.
func isSystem(err error) bool {
	var path *fs.PathError
	var call *os.SyscallError
	var no syscall.Errno
	return errors.As(err, &path) || errors.As(err, &call) || errors.As(err, &no)
}

func samePath(f *os.File, path string) bool {
	a, err := f.Stat()
	if err != nil {
		return false
	}
	b, err := os.Stat(path)
	return err == nil && os.SameFile(a, b)
}

// errForeign says that the file is sound but not ours to touch.
var errForeign = errors.New("not a state file this version can read")

// inspect checks that the file is a state file, or a fresh one, and reads every
// page of it.
func inspect(db *bolt.DB) (fresh bool, err error) {
	err = db.View(func(tx *bolt.Tx) error {
		meta := tx.Bucket(metaBucket)
		if meta == nil {
			first, _ := tx.Cursor().First()
			if fresh = first == nil; !fresh {
				return fmt.Errorf("%w: another program's", errForeign)
			}
			return nil
		}
		if got := meta.Get(formatKey); !bytes.Equal(got, format) {
			return fmt.Errorf("%w: its format is %q, not %q", errForeign, got, format)
		}
		return tx.ForEach(func(name []byte, b *bolt.Bucket) error { return inspectBucket(name, b) })
	})
	return fresh, err
}

// mark writes the format into a fresh file.
func mark(db *bolt.DB) error {
	return db.Update(func(tx *bolt.Tx) error {
		meta, err := tx.CreateBucket(metaBucket)
		if err != nil {
			return err
		}
		return meta.Put(formatKey, format)
	})
}

func inspectBucket(name []byte, b *bolt.Bucket) error {
	var last []byte
	var entries uint64
	var touched byte
	err := b.ForEach(func(k, v []byte) error {
		if entries > 0 && bytes.Compare(last, k) >= 0 {
			return fmt.Errorf("%w: entries of %q out of order", ErrDamaged, clip(string(name)))
		}
		last = append(last[:0], k...)
		entries++
		if len(v) > 0 {
			touched ^= v[len(v)-1] // Large values reach into pages of their own.
		}
		return nil
	})
	runtime.KeepAlive(touched)
	if err != nil {
		return err
	}
	want := b.Sequence()
	switch kind(name[0]) {
	case hash:
	case sortedSet:
		want *= 2
	default:
		return nil // meta
	}
	if entries != want {
		return fmt.Errorf("%w: %q has %d entries, not %d", ErrDamaged, clip(string(name)), entries, want)
	}
	return nil
}

// replaceDamaged moves the file aside and restores the newest good copy.
func replaceDamaged(path string, o BoltOptions, why error) error {
	aside := path + ".damaged-" + time.Now().UTC().Format("20060102T150405.000Z")
	if err := os.Rename(path, aside); err != nil {
		return fmt.Errorf("move the damaged file aside: %w", err)
	}
	names, err := filepath.Glob(o.Copies)
	if err != nil {
		return fmt.Errorf("look for copies: %w", err)
	}
	type candidate struct {
		name string
		made time.Time
	}
	var copies []candidate
	for _, name := range names {
		if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
			copies = append(copies, candidate{name, info.ModTime()})
		}
	}
	slices.SortFunc(copies, func(a, b candidate) int { return b.made.Compare(a.made) })
	for _, c := range copies {
		if err := restore(path, c.name, o.LockTimeout); err != nil {
			o.Warn(fmt.Sprintf("The copy %s of the state file cannot be used: %v.", c.name, err))
			continue
		}
		o.Warn(fmt.Sprintf("The state file %s was damaged (%v). It was moved to %s, and the copy %s of %s was restored: "+
			"what happened since is lost, and may be told again.",
			path, why, aside, c.name, c.made.UTC().Format(time.RFC3339)))
		return nil
	}
	o.Warn(fmt.Sprintf("The state file %s was damaged (%v). It was moved to %s. There is no good copy, so that "+
		"everything begins anew: saved searches, queued alerts and what was already told are lost.", path, why, aside))
	return nil
}

// restore puts a copy of the copy at path, if it is good.
func restore(path, from string, wait time.Duration) error {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	temp := path + ".restoring"
	if err := writeFile(temp, func(w io.Writer) error { _, err := io.Copy(w, src); return err }); err != nil {
		return err
	}
	defer os.Remove(temp) // It is gone once renamed.
	db, _, err := openFile(temp, wait)
	if err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	return moveInto(path, temp)
}

// Copy writes the whole state as it is at one moment to another file, for a
// backup, while steps go on. The file appears complete or not at all, and
// replaces one of its name.
func (b *Bolt) Copy(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("copy the state to %s: %w", path, err)
	}
	// Never a name that the pattern of copies would find half-written.
	temp := filepath.Join(filepath.Dir(path), ".writing-"+filepath.Base(path))
	defer os.Remove(temp) // It is gone once renamed.
	err := b.view(func(tx *bolt.Tx) error {
		return writeFile(temp, func(w io.Writer) error { _, err := tx.WriteTo(w); return err })
	})
	if err == nil {
		err = moveInto(path, temp)
	}
	if err != nil {
		return fmt.Errorf("copy the state to %s: %w", path, err)
	}
	return nil
}

// usage returns the size of the file and how much of it is free, in bytes.
func usage(db *bolt.DB) (size, free int64) {
	_ = db.View(func(tx *bolt.Tx) error {
		size = tx.Size()
		return nil
	})
	return size, int64(db.Stats().FreePageN) * int64(db.Info().PageSize)
}

func mostlyFree(size, free int64) bool {
	return size > compactSize && free*100 > size*compactFree
}

// compact rewrites the file without its free pages. The old one stays open, and
// locked, until the new one is in its place and locked too.
func (b *Bolt) compact(o BoltOptions) error {
	temp := b.path + ".compacting"
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	defer os.Remove(temp) // It is gone once renamed.
	dst, err := bolt.Open(temp, 0o600, &bolt.Options{Timeout: o.LockTimeout, NoSync: true, FreelistType: bolt.FreelistMapType})
	if err != nil {
		return err
	}
	err = guarded(func() error { return bolt.Compact(dst, b.db, 1<<20) })
	if err == nil {
		err = dst.Sync()
	}
	if err = errors.Join(err, dst.Close()); err != nil {
		return err
	}
	if err := moveInto(b.path, temp); err != nil {
		return err
	}
	db, file, err := openFile(b.path, o.LockTimeout)
	if err != nil {
		return err
	}
	old := b.db
	b.db, b.file = db, file
	_ = old.Close() // It has no name any more and nothing to lose.
	return nil
}

// writeFile makes a file and syncs it to the disk.
func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if err = write(f); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(path)
	}
	return err
}

// moveInto renames temp to path, durably.
func moveInto(path, temp string) error {
	if err := os.Rename(temp, path); err != nil {
		return err
	}
	if runtime.GOOS == "windows" {
		return nil // Folders cannot be synced there.
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// globEscape makes a path stand for itself in a pattern.
func globEscape(path string) string {
	if runtime.GOOS == "windows" {
		return path // Its separator is the escape, so there is none.
	}
	var out []byte
	for i := range len(path) {
		if bytes.IndexByte([]byte(`*?[\`), path[i]) >= 0 {
			out = append(out, '\\')
		}
		out = append(out, path[i])
	}
	return string(out)
}
