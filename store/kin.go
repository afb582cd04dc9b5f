package store

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

const (
	// keepKin is how long a name is kept after the last vacancy was noted under
	// it: as long as that one is remembered, for none is live for longer than
	// 90 days before its 400 begin.
	keepKin = keepClosed + 90*24*time.Hour
	// kinOfName is how many vacancies are kept under one name. A title that more
	// share tells nothing.
	kinOfName = 20
)

// Kin notes vacancies under their names, and returns for each those that were
// noted there before it. Each name lies in a slot of its own, so this is one
// step for each slot that the batch touches, and no step of Accept's: a crash
// between the two leaves a note of a vacancy that is not known yet, and the
// repeated batch finds the same relatives.
func (s *Store) Kin(ctx context.Context, named []alerts.Named, at time.Time) ([][]vacancy.Key, error) {
	type place struct{ vacancy, name int } // in named
	groups := map[string][]place{}
	found := make([][][]string, len(named)) // by vacancy and name
	for i := range named {
		found[i] = make([][]string, len(named[i].Names))
		for j, name := range named[i].Names {
			slot := s.slotOf(name)
			groups[slot] = append(groups[slot], place{i, j})
		}
	}
	var g errgroup.Group
	g.SetLimit(8)
	for slot, places := range groups {
		var fields []string
		for _, p := range places {
			if f := kinField(named[p.vacancy].Names[p.name]); !slices.Contains(fields, f) {
				fields = append(fields, f)
			}
		}
		g.Go(func() error {
			return s.eng.Update(ctx, slot, func(tx engine.Tx) error {
				noted := &engine.HMGet{Key: slotKey(slot, "kin"), Fields: fields}
				if err := tx.Read(noted); err != nil {
					return err
				}
				lists, changed := map[string][]string{}, map[string]bool{}
				for i, f := range fields {
					if noted.Vals[i] == nil {
						continue
					}
					var list []string
					if err := decode(noted.Vals[i], &list); err != nil {
						return err
					}
					lists[f] = list
				}
				for _, p := range places {
					f, id := kinField(named[p.vacancy].Names[p.name]), named[p.vacancy].Key.String()
					list := lists[f]
					if i := slices.Index(list, id); i >= 0 {
						found[p.vacancy][p.name] = list[i+1:]
						continue
					}
					found[p.vacancy][p.name] = list
					list = append([]string{id}, list...)
					lists[f], changed[f] = list[:min(len(list), kinOfName)], true
				}
				for _, f := range fields {
					if changed[f] {
						tx.HSet(slotKey(slot, "kin"), f, encode(lists[f]))
						tx.ZAdd(slotKey(slot, "kinold"), engine.Z{Member: f, Score: ms(at)})
					}
				}
				return nil
			})
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	out := make([][]vacancy.Key, len(named))
	for i := range found {
		for _, list := range found[i] {
			for _, id := range list {
				key, err := vacancy.ParseKey(id)
				if err != nil {
					return nil, err
				}
				if !slices.Contains(out[i], key) {
					out[i] = append(out[i], key)
				}
			}
		}
	}
	return out, nil
}

// kinField is a name as it is stored: short, and without the employer's words.
// Two names that meet in it would cost a look at vacancies that are no
// relatives, and nothing else.
func kinField(name string) string {
	sum := sha256.Sum256([]byte(name))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

func dropKin(tx engine.Tx, slot string, fields []string) {
	tx.HDel(slotKey(slot, "kin"), fields...)
	tx.ZRem(slotKey(slot, "kinold"), fields...)
}
