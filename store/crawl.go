package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// State returns what is remembered of a source's crawl. A state behind what
// this machine has seen before, or gone, is lost.
func (s *Store) State(ctx context.Context, source string) (crawler.State, error) {
	r := &engine.HGet{Key: metaKey("sources"), Field: source}
	if err := s.eng.Read(ctx, metaSlot, r); err != nil {
		return crawler.State{}, err
	}
	var st crawler.State
	if r.OK {
		if err := decode(r.Val, &st); err != nil {
			return crawler.State{}, fmt.Errorf("state of source %s: %w", source, err)
		}
	}
	if s.stamp.ahead(source, st.Runs) {
		return crawler.State{Lost: true, Stopped: st.Stopped, Gate: st.Gate, HTMLForbidden: st.HTMLForbidden}, nil
	}
	return st, nil
}

// Begin gives a source a new epoch. Vacancies that are remembered stay so; a
// state that was lost in part is a baseline for what it has forgotten.
func (s *Store) Begin(ctx context.Context, source, reason string, at time.Time) (crawler.State, error) {
	epoch := newToken()
	for _, slot := range s.allSlots() {
		err := s.eng.Update(ctx, slot, func(tx engine.Tx) error {
			tx.HSet(slotKey(slot, "epoch"), source, []byte(epoch))
			return nil
		})
		if err != nil {
			return crawler.State{}, err
		}
	}
	var st crawler.State
	err := s.eng.Update(ctx, metaSlot, func(tx engine.Tx) error {
		r := &engine.HGet{Key: metaKey("sources"), Field: source}
		if err := tx.Read(r); err != nil {
			return err
		}
		st = crawler.State{}
		if r.OK {
			// Manners outlive the state: a gate or a stop is the site's word.
			var before crawler.State
			if err := decode(r.Val, &before); err == nil {
				st.Runs, st.Gate, st.Stopped, st.Backoff = before.Runs, before.Gate, before.Stopped, before.Backoff
				st.HTMLForbidden = before.HTMLForbidden
			}
		}
		st.Epoch = epoch
		st.Runs = max(st.Runs, s.stamp.runs(source)) + 1
		if reason != "" {
			st.Baseline = &crawler.Baseline{Reason: reason, Since: at.UTC()}
		}
		tx.HSet(metaKey("sources"), source, encode(st))
		return nil
	})
	if err != nil {
		return crawler.State{}, err
	}
	return st, s.stamp.note(source, st.Runs)
}

// savedState is what is stored of a source.
type savedState struct {
	crawler.State
	// Ended is the number of the last run that has ended.
	Ended uint64 `json:"ended,omitempty"`
}

func sameRun(a, b *crawler.Report) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.ID == b.ID && a.Started.Equal(b.Started)
}

// reportMember is a report as a member of a set, whose length is limited: of a
// run that met very many faults the first are kept.
func reportMember(rep crawler.Report) string {
	const most, long = 20, 500
	if len(rep.Defects) > most {
		rep.Defects = append(slices.Clone(rep.Defects[:most]), fmt.Sprintf("and %d more", len(rep.Defects)-most))
	}
	rep.Err = strings.ToValidUTF8(rep.Err[:min(len(rep.Err), long)], "")
	b, err := json.Marshal(rep)
	if err != nil {
		// Unreachable: a report is plain data.
		panic(fmt.Sprintf("store: encode a report: %v", err))
	}
	return string(b)
}

// Mark stores the state of a source after a step of a run.
func (s *Store) Mark(ctx context.Context, source string, st crawler.State) error {
	err := s.eng.Update(ctx, metaSlot, func(tx engine.Tx) error {
		r := &engine.HGet{Key: metaKey("sources"), Field: source}
		if err := tx.Read(r); err != nil {
			return err
		}
		var before savedState
		if r.OK {
			if err := decode(r.Val, &before); err != nil {
				return err
			}
		}
		if before.Epoch != st.Epoch {
			return errStateLost
		}
		// A holder of the lease that was paused must not turn time back.
		if before.Runs > st.Runs {
			return fmt.Errorf("source %s has gone on without this run: run %d is stored, this is %d", source, before.Runs, st.Runs)
		}
		// Two holders that began from the same state gave their runs the same
		// number. The one that ended first has it.
		if before.Ended == st.Runs && !sameRun(before.Last, st.Last) {
			return fmt.Errorf("source %s has gone on without this run: another run %d has ended", source, st.Runs)
		}
		after := savedState{State: st, Ended: before.Ended}
		if rep := st.Last; rep != nil && !sameRun(before.Last, rep) {
			after.Ended = st.Runs
			tx.ZAdd(metaKey("runs:"+source), engine.Z{Member: reportMember(*rep), Score: ms(rep.Started)})
		}
		tx.HSet(metaKey("sources"), source, encode(after))
		return nil
	})
	if err != nil {
		return err
	}
	return s.stamp.note(source, st.Runs)
}

// Reports returns the last runs of a source, newest first.
func (s *Store) Reports(ctx context.Context, source string, limit int) ([]crawler.Report, error) {
	r := &engine.ZRange{Key: metaKey("runs:" + source), Min: never, Max: forever, Reverse: true, Limit: limit}
	if err := s.eng.Read(ctx, metaSlot, r); err != nil {
		return nil, err
	}
	out := make([]crawler.Report, 0, len(r.Zs))
	for _, z := range r.Zs {
		var rep crawler.Report
		if err := json.Unmarshal([]byte(z.Member), &rep); err != nil {
			return nil, fmt.Errorf("stored report of source %s is damaged: %w", source, err)
		}
		out = append(out, rep)
	}
	return out, nil
}

// Needs tells what each listed vacancy asks for.
func (s *Store) Needs(ctx context.Context, source, feed string, listed []vacancy.Vacancy) ([]vacancy.Need, error) {
	keys := make([]vacancy.Key, len(listed))
	for i := range listed {
		keys[i] = vacancy.Key{Source: source, Reference: listed[i].Reference}
	}
	records, err := s.Records(ctx, keys)
	if err != nil {
		return nil, err
	}
	out := make([]vacancy.Need, len(listed))
	for i := range listed {
		var r *vacancy.Record
		if rec, ok := records[keys[i]]; ok {
			r = &rec
		}
		out[i] = r.Needs(feed, &listed[i])
	}
	return out, nil
}

// Touch notes that live vacancies were listed.
func (s *Store) Touch(ctx context.Context, source string, references []string, at time.Time) error {
	keys := make([]vacancy.Key, len(references))
	for i, r := range references {
		keys[i] = vacancy.Key{Source: source, Reference: r}
	}
	return s.bySlot(ctx, keys, func(slot string, keys []vacancy.Key) error {
		return s.eng.Update(ctx, slot, func(tx engine.Tx) error {
			live := &engine.ZMScore{Key: slotKey(slot, "live"), Members: names(keys)}
			if err := tx.Read(live); err != nil {
				return err
			}
			var zs []engine.Z
			for i, k := range keys {
				if live.OK[i] {
					zs = append(zs, engine.Z{Member: k.String(), Score: ms(at)})
				}
			}
			if len(zs) > 0 {
				tx.ZAdd(slotKey(slot, "seen"), zs...)
			}
			return nil
		})
	})
}

// Unread notes that an advert could not be read, and returns since when.
func (s *Store) Unread(ctx context.Context, key vacancy.Key, at time.Time) (since time.Time, err error) {
	slot := s.vacancySlot(key)
	err = s.eng.Update(ctx, slot, func(tx engine.Tx) error {
		r := &engine.HGet{Key: slotKey(slot, "unread"), Field: key.String()}
		if err := tx.Read(r); err != nil {
			return err
		}
		since = at.UTC()
		if r.OK {
			return since.UnmarshalText(r.Val)
		}
		b, err := since.MarshalText()
		if err != nil {
			return err
		}
		tx.HSet(slotKey(slot, "unread"), key.String(), b)
		return nil
	})
	return since, err
}

// lease is who crawls, until when.
type lease struct {
	Holder string    `json:"holder"`
	Until  time.Time `json:"until"`
}

// Hold acquires or renews the lease on crawling.
func (s *Store) Hold(ctx context.Context, holder string, now time.Time, term time.Duration) (ok bool, err error) {
	err = s.eng.Update(ctx, metaSlot, func(tx engine.Tx) error {
		ok = false
		r := &engine.HGet{Key: metaKey("lease"), Field: "crawl"}
		if err := tx.Read(r); err != nil {
			return err
		}
		var l lease
		if r.OK {
			if err := decode(r.Val, &l); err != nil {
				return err
			}
		}
		if l.Holder != holder && l.Until.After(now) {
			return nil
		}
		ok = true
		tx.HSet(metaKey("lease"), "crawl", encode(lease{holder, now.Add(term).UTC()}))
		return nil
	})
	return ok, err
}

// Yield gives the lease back, so that another process need not wait for its
// end.
func (s *Store) Yield(ctx context.Context, holder string) error {
	return s.eng.Update(ctx, metaSlot, func(tx engine.Tx) error {
		r := &engine.HGet{Key: metaKey("lease"), Field: "crawl"}
		if err := tx.Read(r); err != nil || !r.OK {
			return err
		}
		var l lease
		if err := decode(r.Val, &l); err != nil {
			return err
		}
		if l.Holder == holder {
			tx.HDel(metaKey("lease"), "crawl")
		}
		return nil
	})
}

// spent is how many requests of a day's budget are gone.
type spent struct {
	Day   vacancy.Day `json:"day"`
	Taken int         `json:"taken"`
}

// Take counts a request against the budget of a day.
func (s *Store) Take(ctx context.Context, source string, day vacancy.Day, limit, reserve int) (ok bool, err error) {
	err = s.eng.Update(ctx, metaSlot, func(tx engine.Tx) error {
		b, err := readSpent(tx.Read, source, day)
		if err != nil {
			return err
		}
		if ok = b.Taken < limit-reserve; !ok {
			return nil
		}
		b.Taken++
		tx.HSet(metaKey("budget"), source, encode(b))
		return nil
	})
	return ok, err
}

// Taken is how many requests of a day's budget are gone.
func (s *Store) Taken(ctx context.Context, source string, day vacancy.Day) (int, error) {
	b, err := readSpent(func(r ...engine.Read) error { return s.eng.Read(ctx, metaSlot, r...) }, source, day)
	return b.Taken, err
}

func readSpent(read func(...engine.Read) error, source string, day vacancy.Day) (spent, error) {
	r := &engine.HGet{Key: metaKey("budget"), Field: source}
	if err := read(r); err != nil {
		return spent{}, err
	}
	var b spent
	if r.OK {
		if err := decode(r.Val, &b); err != nil {
			return spent{}, err
		}
	}
	// A day behind the stored one is a clock turned back: it is not given a
	// second budget.
	if b.Day.Before(day) || b.Day.IsZero() {
		b = spent{Day: day}
	}
	return b, nil
}
