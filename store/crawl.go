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
		return crawler.State{Lost: true, Stopped: st.Stopped, Paused: st.Paused, Gate: st.Gate, HTMLForbidden: st.HTMLForbidden}, nil
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
			// Manners outlive the state: a gate or a stop is the site's word,
			// a pause the operator's.
			var before crawler.State
			if err := decode(r.Val, &before); err == nil {
				st.Runs, st.Gate, st.Stopped, st.Backoff = before.Runs, before.Gate, before.Stopped, before.Backoff
				st.HTMLForbidden, st.Paused, st.Failures = before.HTMLForbidden, before.Paused, before.Failures
				st.Rate = before.Rate // the site's rhythm is what it was
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
	// A byte may take six in JSON: the lot stays under engine.MaxName.
	const most, long, longErr = 20, 100, 500
	left := len(rep.Defects) - most
	rep.Defects = slices.Clone(rep.Defects[:min(len(rep.Defects), most)])
	for i, d := range rep.Defects {
		rep.Defects[i] = cut(d, long)
	}
	if left > 0 {
		rep.Defects = append(rep.Defects, fmt.Sprintf("and %d more", left))
	}
	rep.Err = cut(rep.Err, longErr)
	b, err := json.Marshal(rep)
	if err != nil {
		// Unreachable: a report is plain data.
		panic(fmt.Sprintf("store: encode a report: %v", err))
	}
	return string(b)
}

// cut shortens a text to at most n bytes, between two characters.
func cut(text string, n int) string {
	return strings.ToValidUTF8(text[:min(len(text), n)], "")
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
	Day vacancy.Day `json:"day"`
	// Taken is the sum over all classes. It stood alone before there were
	// classes, and a program of that time still goes by it.
	Taken int            `json:"taken"`
	By    map[string]int `json:"by,omitempty"`
}

// classes are the requests taken by class. Those of which no class is known
// count under "".
func (b *spent) classes() map[string]int {
	out, rest := make(map[string]int, len(b.By)+1), b.Taken
	for class, n := range b.By {
		out[class], rest = n, rest-n
	}
	if rest > 0 {
		out[""] += rest
	}
	return out
}

// Take counts one request of a class against the budget of a UTC day, where
// allows says so of what has been taken of that day by class; else it counts
// nothing and reports false. Counting and asking are one step, so that no two
// processes take the same last request. Allows may be called several times,
// and must do nothing but answer.
//
// A request is counted before it leaves: a crash between the two, or an error
// of Take, after which nothing may be sent, loses the budget one request and
// never makes one too many.
func (s *Store) Take(ctx context.Context, source string, day vacancy.Day, class string, allows func(taken map[string]int) bool) (ok bool, err error) {
	err = s.eng.Update(ctx, metaSlot, func(tx engine.Tx) error {
		ok = false
		b, moved, err := readSpent(tx.Read, source, day)
		if err != nil {
			return err
		}
		if allows(b.classes()) {
			ok = true
			b.By = b.classes()
			b.By[class]++
			b.Taken++
		}
		if ok || moved {
			tx.HSet(metaKey("budget"), source, encode(b))
		}
		return nil
	})
	return ok && err == nil, err
}

// Taken is how many requests of a UTC day's budget are gone, by class. What was
// counted by a program that knew no classes is under "".
func (s *Store) Taken(ctx context.Context, source string, day vacancy.Day) (map[string]int, error) {
	b, _, err := readSpent(func(r ...engine.Read) error { return s.eng.Read(ctx, metaSlot, r...) }, source, day)
	if err != nil {
		return nil, err
	}
	return b.classes(), nil
}

// readSpent returns what counts against a day. Moved is set where that was
// stored for a day far ahead, by a clock that was wrong: it is this day's then,
// and has to be stored as such lest it use up every day until that one.
func readSpent(read func(...engine.Read) error, source string, day vacancy.Day) (b spent, moved bool, err error) {
	r := &engine.HGet{Key: metaKey("budget"), Field: source}
	if err := read(r); err != nil {
		return spent{}, false, err
	}
	if r.OK {
		if err := decode(r.Val, &b); err != nil {
			return spent{}, false, fmt.Errorf("budget of source %s: %w", source, err)
		}
	}
	switch {
	case b.Day.IsZero() || b.Day.Before(day):
		return spent{Day: day}, false, nil
	case b.Day == day || b.Day == day.Add(1):
		return b, false, nil // a clock turned back by a day is given no second budget
	}
	b.Day = day
	return b, true, nil
}
