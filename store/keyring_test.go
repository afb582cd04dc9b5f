package store_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/vacancywatch/vacancywatch/store/engine"
)

// A new key signs, and those before it stay, the newest first.
func TestRotateSigningKey(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r, ctx := newRig(t, eng), t.Context()
		var signed [][]byte
		for i := range 3 {
			keys, err := r.store.SigningKeys(ctx, "links")
			if err != nil || len(keys) != i+1 {
				t.Fatalf("%d keys after %d rotations: %v", len(keys), i, err)
			}
			for j, old := range signed {
				if !bytes.Equal(keys[len(signed)-j], old) {
					t.Errorf("after %d rotations key %d is not in its place", i, j)
				}
			}
			signed = append(signed, keys[0])
			if err := r.store.RotateSigningKey(ctx, "links", noon.Add(time.Duration(i)*time.Hour)); err != nil {
				t.Fatal(err)
			}
			r.open()
		}
		if keys, err := r.store.SigningKeys(ctx, "other"); err != nil || len(keys) != 1 {
			t.Errorf("another purpose has %d keys, %v", len(keys), err)
		}
	})
}
