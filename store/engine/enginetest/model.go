package enginetest

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/vacancywatch/vacancywatch/store/engine"
)

// errStop is what a random step fails with.
var errStop = errors.New("stop")

// model is what an engine should hold: a few keys that are hashes and a few
// that are sorted sets.
type model struct {
	hashes map[string]map[string]string
	sets   map[string]map[string]float64
}

func (m model) clone() model {
	c := model{hashes: map[string]map[string]string{}, sets: map[string]map[string]float64{}}
	for k, v := range m.hashes {
		c.hashes[k] = maps.Clone(v)
	}
	for k, v := range m.sets {
		c.sets[k] = maps.Clone(v)
	}
	return c
}

// testModel runs random steps and compares the engine with two maps after each.
func testModel(t *testing.T, e engine.Engine) {
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++ // Each run works on keys of its own.
		names := rapid.SampledFrom([]string{"", "a", "b", "c", "\x00", "\xff\xff"})
		scores := rapid.SampledFrom([]float64{0, 1, -1, 1.5, -1.5, 1e18, math.Inf(1), math.Inf(-1)})
		hashes := []string{key(fmt.Sprint("h1.", run)), key(fmt.Sprint("h2.", run))}
		sets := []string{key(fmt.Sprint("z1.", run)), key(fmt.Sprint("z2.", run))}
		m := model{}.clone()
		for _, k := range hashes {
			m.hashes[k] = map[string]string{}
		}
		for _, k := range sets {
			m.sets[k] = map[string]float64{}
		}
		for range rapid.IntRange(1, 8).Draw(t, "steps") {
			next := m.clone()
			fail := rapid.IntRange(0, 4).Draw(t, "fail") == 0
			var writes []func(engine.Tx)
			for range rapid.IntRange(0, 6).Draw(t, "writes") {
				h, z := rapid.SampledFrom(hashes).Draw(t, "hash"), rapid.SampledFrom(sets).Draw(t, "set")
				name, score := names.Draw(t, "name"), scores.Draw(t, "score")
				switch rapid.IntRange(0, 9).Draw(t, "verb") {
				case 0, 1, 2:
					next.hashes[h][name] = fmt.Sprint(score)
					writes = append(writes, func(tx engine.Tx) { tx.HSet(h, name, []byte(fmt.Sprint(score))) })
				case 3:
					delete(next.hashes[h], name)
					writes = append(writes, func(tx engine.Tx) { tx.HDel(h, name) })
				case 4, 5, 6:
					next.sets[z][name] = score
					writes = append(writes, func(tx engine.Tx) { tx.ZAdd(z, engine.Z{Member: name, Score: score}) })
				case 7:
					delete(next.sets[z], name)
					writes = append(writes, func(tx engine.Tx) { tx.ZRem(z, name) })
				case 8:
					clear(next.hashes[h])
					writes = append(writes, func(tx engine.Tx) { tx.Del(h) })
				case 9:
					clear(next.sets[z])
					writes = append(writes, func(tx engine.Tx) { tx.Del(z) })
				}
			}
			err := e.Update(t.Context(), slot, func(tx engine.Tx) error {
				for _, w := range writes {
					w(tx)
				}
				if fail {
					return errStop
				}
				return nil
			})
			if fail != errors.Is(err, errStop) || !fail && err != nil {
				t.Fatalf("step: got %v", err)
			}
			if !fail {
				m = next
			}
			m.compare(t, e, scores.Draw(t, "from"), scores.Draw(t, "to"))
		}
	})
}

// compare reads everything back, and the part of the sets between two scores.
func (m model) compare(t *rapid.T, e engine.Engine, lo, hi float64) {
	for k, want := range m.hashes {
		scan, size := &engine.HScan{Key: k}, &engine.HLen{Key: k}
		if err := e.Read(t.Context(), slot, scan, size); err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, p := range scan.Pairs {
			got[p.Field] = string(p.Val)
		}
		if !maps.Equal(got, want) || size.N != len(want) || scan.Next != "" {
			t.Fatalf("hash: got %v, %d fields, next %q, want %v", got, size.N, scan.Next, want)
		}
	}
	for k, set := range m.sets {
		var want []engine.Z
		for member, score := range set {
			if lo <= score && score <= hi {
				want = append(want, engine.Z{Member: member, Score: score})
			}
		}
		slices.SortFunc(want, func(a, b engine.Z) int {
			return cmp.Or(cmp.Compare(a.Score, b.Score), strings.Compare(a.Member, b.Member))
		})
		up, down := &engine.ZRange{Key: k, Min: lo, Max: hi}, &engine.ZRange{Key: k, Min: lo, Max: hi, Reverse: true}
		card, count := &engine.ZCard{Key: k}, &engine.ZCount{Key: k, Min: lo, Max: hi}
		if err := e.Read(t.Context(), slot, up, down, card, count); err != nil {
			t.Fatal(err)
		}
		slices.Reverse(down.Zs)
		if !slices.Equal(up.Zs, want) || !slices.Equal(down.Zs, want) || card.N != len(set) || count.N != len(want) {
			t.Fatalf("set from %v to %v: got %v, reversed %v, %d of %d, want %v of %d", lo, hi, up.Zs, down.Zs, count.N, card.N, want, len(set))
		}
	}
}
