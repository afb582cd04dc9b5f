package crawler_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

func (m *memory) Records(ctx context.Context, keys []vacancy.Key) (map[vacancy.Key]vacancy.Record, error) {
	after, err := m.call(ctx, "Records")
	if err != nil {
		return nil, err
	}
	out := map[vacancy.Key]vacancy.Record{}
	for _, k := range keys {
		if r, ok := m.records[k]; ok {
			out[k] = r
		}
	}
	return out, after(nil)
}

// live calls f for the vacancies that are open, the soonest to close first.
func (m *memory) live(source string, now time.Time, f func(k vacancy.Key, r *vacancy.Record)) {
	keys := slices.SortedFunc(maps.Keys(m.records), func(a, b vacancy.Key) int {
		x, y := m.records[a].Vacancy, m.records[b].Vacancy
		return vacancy.ClosesBy(&x, &y)
	})
	for _, k := range keys {
		if r := m.records[k]; k.Source == source && r.Closed == "" && r.Vacancy.Open(vacancy.LondonDay(now)) {
			f(k, &r)
		}
	}
}

func (m *memory) Absent(ctx context.Context, source string, since, now time.Time, limit int) (a crawler.Absence, err error) {
	after, err := m.call(ctx, "Absent")
	if err != nil {
		return a, err
	}
	m.live(source, now, func(k vacancy.Key, _ *vacancy.Record) {
		a.Live++
		if m.touched[k.Reference].Before(since) {
			if a.Absent++; len(a.References) < limit {
				a.References = append(a.References, k.Reference)
			}
		}
	})
	return a, after(nil)
}

func (m *memory) Live(ctx context.Context, source string) (n int, err error) {
	after, err := m.call(ctx, "Live")
	if err != nil {
		return 0, err
	}
	m.live(source, time.Time{}, func(vacancy.Key, *vacancy.Record) { n++ })
	return n, after(nil)
}

// Rereads takes everybody for told.
func (m *memory) Rereads(ctx context.Context, source string, now time.Time, limit int) (out []vacancy.Record, err error) {
	after, err := m.call(ctx, "Rereads")
	if err != nil {
		return nil, err
	}
	m.live(source, now, func(k vacancy.Key, r *vacancy.Record) {
		due, ok := m.putOff[k]
		if !ok {
			due = r.Vacancy.FirstSeen.Add(7 * 24 * time.Hour)
		}
		if !r.Silent && !due.IsZero() && !due.After(now) && len(out) < limit {
			out = append(out, *r)
		}
	})
	return out, after(nil)
}

func (m *memory) Silent(ctx context.Context, source string, since time.Time, limit int, from string) (out []vacancy.Record, next string, err error) {
	after, err := m.call(ctx, "Silent")
	if err != nil {
		return nil, "", err
	}
	skip := 0
	fmt.Sscan(from, &skip)
	i := 0
	m.live(source, time.Time{}, func(_ vacancy.Key, r *vacancy.Record) {
		if !r.Silent || r.Vacancy.FirstSeen.Before(since) {
			return
		}
		if i++; i > skip && len(out) < limit {
			out = append(out, *r)
		}
	})
	if skip+len(out) < i {
		next = fmt.Sprint(skip + len(out))
	}
	return out, next, after(nil)
}

func (m *memory) PutOff(ctx context.Context, key vacancy.Key, until time.Time) error {
	after, err := m.call(ctx, "PutOff")
	if err != nil {
		return err
	}
	m.putOff[key] = until
	return after(nil)
}

// Close closes each vacancy in a step of its own.
func (m *memory) Close(ctx context.Context, keys []vacancy.Key, reason string, at time.Time, epoch string) (all []vacancy.Event, err error) {
	for _, k := range keys {
		after, err := m.call(ctx, "Close")
		if err != nil {
			return all, err
		}
		if m.read(k.Source).Epoch != epoch {
			return all, after(crawler.ErrStateLost)
		}
		r := m.record(k)
		if r == nil {
			m.t.Errorf("closed %s, which nobody knows", k)
			continue
		}
		if rec, e, ok := r.Close(reason, at); ok {
			m.records[k] = rec
			m.events = append(m.events, e)
			all = append(all, e)
		}
		if err := after(nil); err != nil {
			return all, err
		}
	}
	return all, nil
}
