package channel

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// RotateTime is how long the secret that was replaced signs beside the new one.
const RotateTime = 24 * time.Hour

// A RotationError says that the last rotation of a secret has not ended.
type RotationError struct{ Until time.Time }

func (e *RotationError) Error() string {
	return fmt.Sprintf("the secret was rotated within the last day: the one before signs until %s, and a receiver may have no other yet", e.Until.UTC().Format(time.RFC3339))
}

// oldFile is where Rotate keeps the secret that was replaced: a line with it,
// and one with the end of its time.
func oldFile(file string) string { return file + ".old" }

// Rotate writes a new signing secret into a file, and keeps the one that was
// there beside it, in FILE.old, which signs until the time that is returned. A
// daemon that runs with the file signs with both from the next message on. It
// is refused with a *RotationError while the last one is open.
//
// The old one is kept first: a crash between the two leaves both files with one
// secret, and Rotate goes on from there.
func Rotate(file string, now time.Time) (until time.Time, err error) {
	current, err := ReadSecret(file)
	if err != nil {
		return time.Time{}, err
	}
	if _, err := signingKey(current); err != nil {
		return time.Time{}, fmt.Errorf("rotate the secret in %s: %w", file, err)
	}
	old, until, err := readOld(file)
	if err != nil {
		return time.Time{}, err
	}
	if until.After(now) && old.Reveal() != current.Reveal() {
		return time.Time{}, &RotationError{until}
	}
	until = now.Add(RotateTime).UTC().Truncate(time.Second)
	if err := replaceLike(file, oldFile(file), current.Reveal()+"\n"+until.Format(time.RFC3339)+"\n"); err != nil {
		return time.Time{}, err
	}
	key := make([]byte, 32)
	_, _ = rand.Read(key) // It never fails.
	return until, replaceLike(file, file, "whsec_"+base64.StdEncoding.EncodeToString(key)+"\n")
}

// readOld reads the secret that Rotate has replaced; the zero time where there
// is none.
func readOld(file string) (Secret, time.Time, error) {
	b, err := os.ReadFile(oldFile(file))
	if errors.Is(err, fs.ErrNotExist) {
		return Secret{}, time.Time{}, nil
	}
	if err != nil {
		return Secret{}, time.Time{}, fmt.Errorf("read the secret that was replaced: %w", err)
	}
	secret, end, _ := strings.Cut(string(b), "\n")
	until, err := time.Parse(time.RFC3339, strings.TrimSpace(end))
	if err != nil || secret == "" {
		// Nothing of the file may go into the error.
		return Secret{}, time.Time{}, fmt.Errorf("read the secret that was replaced: %s is not as a rotation writes it", oldFile(file))
	}
	return NewSecret(strings.TrimSpace(secret)), until, nil
}

// replaceLike writes a file in one step, with the mode and the owner of
// another: who may read that one, the daemon for one, may read it.
func replaceLike(like, file, text string) error {
	info, err := os.Stat(like)
	if err != nil {
		return fmt.Errorf("write a secret: %w", err)
	}
	if target, err := filepath.EvalSymlinks(file); err == nil {
		file = target
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), ".secret-*")
	if err != nil {
		return fmt.Errorf("write a secret: %w", err)
	}
	defer os.Remove(tmp.Name()) // Gone already where all went well.
	_, err = tmp.WriteString(text)
	if err == nil {
		err = tmp.Chmod(info.Mode().Perm())
	}
	if err == nil {
		err = ownedLike(tmp, info)
	}
	if err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), file)
	}
	if err != nil {
		return fmt.Errorf("write a secret: %w", err)
	}
	return nil
}

// fileKeys returns the keys that sign at a time, of a secret in a file: its own,
// the one that Rotate has replaced not long ago, and the others.
func fileKeys(file string, others [][]byte, at time.Time) ([][]byte, error) {
	secret, err := ReadSecret(file)
	if err != nil {
		return nil, err
	}
	key, err := signingKey(secret)
	if err != nil {
		return nil, err
	}
	keys := append([][]byte{key}, others...)
	old, until, err := readOld(file)
	if err != nil || !until.After(at) || old.Reveal() == secret.Reveal() {
		return keys, err
	}
	if key, err = signingKey(old); err != nil {
		return nil, fmt.Errorf("%s: %w", oldFile(file), err)
	}
	return append(keys, key), nil
}
