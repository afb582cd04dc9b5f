package store

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/store/engine"
)

// oldKey names a key that signs no more, in the hash where the one that does
// stands under its purpose alone. What was signed with it is still good.
func oldKey(purpose string, replaced time.Time) string {
	return fmt.Sprintf("%s/%020d", purpose, replaced.UnixMilli())
}

// SigningKeys returns the key of a purpose, made at the first call, and after it
// those that it has replaced, the newest first.
func (s *Store) SigningKeys(ctx context.Context, purpose string) ([][]byte, error) {
	first, err := s.SigningKey(ctx, purpose)
	if err != nil {
		return nil, err
	}
	found := map[string][]byte{} // a scan may repeat a field
	err = s.scan(ctx, metaSlot, metaKey("keys"), func(name string, key []byte) error {
		if strings.HasPrefix(name, purpose+"/") {
			found[name] = key
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var names []string
	for name := range found {
		names = append(names, name)
	}
	slices.Sort(names)
	slices.Reverse(names)
	keys := [][]byte{first}
	for _, name := range names {
		keys = append(keys, found[name])
	}
	return keys, nil
}

// RotateSigningKey makes a new key for a purpose, and keeps the one before for
// what was signed with it. A process that runs goes on with those that it knows
// until it is started again, and does not believe the new one before that.
func (s *Store) RotateSigningKey(ctx context.Context, purpose string, now time.Time) error {
	fresh := make([]byte, 32)
	rand.Read(fresh)
	return s.eng.Update(ctx, metaSlot, func(tx engine.Tx) error {
		r := &engine.HGet{Key: metaKey("keys"), Field: purpose}
		if err := tx.Read(r); err != nil {
			return err
		}
		if r.OK && string(r.Val) != string(fresh) { // else the reply was lost
			tx.HSet(metaKey("keys"), oldKey(purpose, now), r.Val)
		}
		tx.HSet(metaKey("keys"), purpose, fresh)
		return nil
	})
}
