// Package quarantine keeps the pages that were not what they should be, so
// that a person can see why and try them again with better readers. It is a
// folder of few, small files that look after themselves: at most MaxFiles,
// MaxBytes and MaxAge, the oldest leaving first.
//
// It never keeps a secret or the way to reach a person: addresses, telephone
// numbers and tokens are taken out before anything is written, without
// changing what the page reads as. It knows no site, decides nothing about a
// run, and a failure of its own is for the log alone: a crawl goes on without
// it.
//
//   - quarantine.go: the folder
//   - room.go: what leaves when there is no room
//   - file.go: one file, from and to a page
//   - redact.go: addresses, telephone numbers and names of contacts
//   - tokens.go: what lets somebody in
//   - char.go: one character, however it is written
package quarantine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler/page"
)

// Limits of a folder.
const (
	// MaxFiles is the most files a folder holds.
	MaxFiles = 50
	// MaxBytes is the most bytes its files have together, compressed.
	MaxBytes = 50 << 20
	// MaxAge is how long a file stays.
	MaxAge = 14 * 24 * time.Hour
	// MaxAlike is the most files of one source and reason: a flood of one
	// defect must not wash out the others.
	MaxAlike = 10
)

// Names of files. A file being written has another ending.
const (
	ending     = ".page.gz"
	tempPrefix = ".writing-"
)

// A Folder is an open folder. Its methods may be called at the same time; two
// processes must not share one.
type Folder struct {
	dir string
	now func() time.Time
	mu  sync.Mutex // of all that changes the folder
}

// Open opens a folder and makes it where it does not exist. What a crash left
// half written is removed, and so is what is past its age. The folder is for
// its owner alone, and is made so if it was not.
func Open(dir string, now func() time.Time) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the quarantine folder: %w", err)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return nil, fmt.Errorf("close the quarantine folder to others: %w", err)
	}
	left, err := filepath.Glob(filepath.Join(dir, tempPrefix+"*"))
	if err != nil {
		return nil, fmt.Errorf("look for unfinished quarantine files: %w", err)
	}
	for _, file := range left {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("remove an unfinished quarantine file: %w", err)
		}
	}
	f := &Folder{dir: dir, now: now}
	return f, f.Expire()
}

// Keep writes a page down and returns the name of its file, without the
// folder. Older files make room for it. The page is redacted first; p itself
// is not changed. Once Keep returns nil the file survives a crash.
//
// The reason by which files are alike is the first of the defects. An error,
// as of a full or read-only disk, says that the page is not kept and nothing
// else: the caller logs it and goes on.
func (f *Folder) Keep(p page.Page, entry Entry) (file string, err error) {
	if entry.At.IsZero() {
		entry.At = f.now()
	}
	entry.At = entry.At.UTC()
	data, err := encode(p, entry)
	if err != nil {
		return "", fmt.Errorf("keep a page in quarantine: %w", err)
	}

	f.mu.Lock()
	defer f.mu.Unlock()
	files, err := f.files()
	if err != nil {
		return "", err
	}
	for n := 1; ; n++ {
		file = nameOf(entry, n)
		if !slices.ContainsFunc(files, func(k kept) bool { return k.name == file }) {
			break
		}
	}
	own, ok := parseName(file)
	if !ok {
		return "", fmt.Errorf("keep a page in quarantine: the name %q is none", file) // A time of no year with four digits.
	}
	own.size = int64(len(data))
	if err := f.remove(leaving(files, own, f.now())); err != nil {
		return "", err
	}
	if err := write(f.dir, file, data); err != nil {
		return "", fmt.Errorf("keep a page in quarantine: %w", err)
	}
	return file, nil
}

// Expire removes what is past its age. Keep does that too; a caller that may
// keep nothing for days calls Expire now and then.
func (f *Folder) Expire() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	files, err := f.files()
	if err != nil {
		return err
	}
	return f.remove(expired(files, f.now()))
}

// A Kept is a file of the folder.
type Kept struct {
	Entry
	// Name is the name of the file, without the folder.
	Name string
	// Size is its length in bytes.
	Size int64
}

// List returns what is kept, the oldest first. A file that cannot be read is
// left out, and the error says so.
func (f *Folder) List() ([]Kept, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	files, err := f.files()
	if err != nil {
		return nil, err
	}
	var out []Kept
	var errs []error
	for _, k := range files {
		entry, err := readEntry(filepath.Join(f.dir, k.name))
		if err != nil {
			errs = append(errs, fmt.Errorf("read %s: %w", k.name, err))
			continue
		}
		out = append(out, Kept{entry, k.name, k.size})
	}
	return out, errors.Join(errs...)
}

// Stats returns how many files there are and their bytes together; zero for a
// folder that cannot be read.
func (f *Folder) Stats() (files int, bytes int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	all, err := f.files()
	if err != nil {
		return 0, 0
	}
	for _, k := range all {
		bytes += k.size
	}
	return len(all), bytes
}

// files lists the files of the folder that are ours, the oldest first. Others
// are let alone.
func (f *Folder) files() ([]kept, error) {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return nil, fmt.Errorf("list the quarantine folder: %w", err)
	}
	var out []kept
	for _, e := range entries {
		k, ok := parseName(e.Name())
		if !ok || !e.Type().IsRegular() {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("list the quarantine folder: %w", err)
		}
		k.size = info.Size()
		out = append(out, k)
	}
	slices.SortFunc(out, kept.compare)
	return out, nil
}

func (f *Folder) remove(files []kept) error {
	for _, k := range files {
		if err := os.Remove(filepath.Join(f.dir, k.name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("make room in quarantine: %w", err)
		}
	}
	return nil
}

// write writes a file whole or not at all.
func write(dir, name string, data []byte) (err error) {
	temp, err := os.CreateTemp(dir, tempPrefix+"*") // 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			// The first error is the one that matters; Open tries again.
			_ = os.Remove(temp.Name())
		}
	}()
	_, err = temp.Write(data)
	if err == nil {
		err = temp.Sync()
	}
	if err = errors.Join(err, temp.Close()); err != nil {
		return err
	}
	if err := os.Rename(temp.Name(), filepath.Join(dir, name)); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// nameOf is the name of the n-th file of one time, source and reason.
func nameOf(e Entry, n int) string {
	reason := "unknown"
	if len(e.Defects) > 0 {
		reason = e.Defects[0]
	}
	name := e.At.UTC().Format(stamp) + "_" + safe(e.Source) + "_" + safe(reason)
	if n > 1 {
		name += fmt.Sprintf("_%d", n)
	}
	return name + ending
}

// safe makes a part of a file's name: no underscore, which parts them, and
// nothing that a shell or a file system takes for something else.
func safe(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			return r
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, s)
	if s = strings.Trim(s[:min(len(s), 40)], "-"); s == "" {
		return "unknown"
	}
	return s
}
