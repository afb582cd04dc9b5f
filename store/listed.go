package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// clockLead is how far in the future a time of listing may lie and still be
// believed. One further ahead was written by a clock that was wrong, and would
// keep its vacancy from ever being found absent. It is longer than a process
// stands still that then goes on writing: what is late must change nothing.
const clockLead = 7 * 24 * time.Hour

// listedBefore reports whether a vacancy whose last listing is stored as had,
// if ok, was not known to be listed at a time or after it.
func listedBefore(had float64, ok bool, at time.Time) bool {
	return unknownListing(had, ok, at) || had < ms(at)
}

// Touch notes that live vacancies were listed. A later listing that is known
// already stays.
func (s *Store) Touch(ctx context.Context, source string, references []string, at time.Time) error {
	keys := make([]vacancy.Key, len(references))
	for i, r := range references {
		keys[i] = vacancy.Key{Source: source, Reference: r}
	}
	return s.bySlot(ctx, keys, func(slot string, keys []vacancy.Key) error {
		return s.noteListed(ctx, slot, names(keys), at, listedBefore)
	})
}

// noteListed sets the time of listing of live vacancies where wants says so of
// the one they have.
func (s *Store) noteListed(ctx context.Context, slot string, ids []string, at time.Time, wants func(had float64, ok bool, at time.Time) bool) error {
	for part := range slices.Chunk(ids, batch) {
		err := s.eng.Update(ctx, slot, func(tx engine.Tx) error {
			live := &engine.ZMScore{Key: slotKey(slot, "live"), Members: part}
			seen := &engine.ZMScore{Key: slotKey(slot, "seen"), Members: part}
			if err := tx.Read(live, seen); err != nil {
				return err
			}
			for i, id := range part {
				if live.OK[i] && wants(seen.Scores[i], seen.OK[i], at) {
					tx.ZAdd(slotKey(slot, "seen"), engine.Z{Member: id, Score: ms(at)})
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Absent tells which live vacancies of a source no run has listed since a time,
// and names up to limit of them, those that close soonest first. A vacancy
// whose date has passed by now, in London, is neither live nor absent: Expire
// closes it. Nor is one of which it is not known when it was listed, for an
// older program did not note it: it is left out of this answer, and from then
// on counts as listed now. So Live less Absent is what was listed since.
func (s *Store) Absent(ctx context.Context, source string, since, now time.Time, limit int) (a crawler.Absence, err error) {
	var absent []engine.Z
	for _, slot := range s.allSlots() {
		live := &engine.ZRange{Key: slotKey(slot, "live"), Min: ms(vacancy.LondonDay(now).UTC()), Max: forever}
		seen := &engine.ZRange{Key: slotKey(slot, "seen"), Min: never, Max: forever}
		if err := s.eng.Read(ctx, slot, live, seen); err != nil {
			return crawler.Absence{}, fmt.Errorf("look for what source %s lists no more: %w", source, err)
		}
		listed := make(map[string]float64, len(seen.Zs))
		for _, z := range seen.Zs {
			listed[z.Member] = z.Score
		}
		var unknown []string
		for _, z := range live.Zs {
			if !isOf(source, z.Member) {
				continue
			}
			had, ok := listed[z.Member]
			if unknownListing(had, ok, now) {
				unknown = append(unknown, z.Member)
				continue
			}
			if a.Live++; had < ms(since) {
				absent = append(absent, z)
			}
		}
		if err := s.noteListed(ctx, slot, unknown, now, unknownListing); err != nil {
			return crawler.Absence{}, fmt.Errorf("note when vacancies of source %s were listed: %w", source, err)
		}
	}
	slices.SortFunc(absent, byScore)
	a.Absent = len(absent)
	for _, z := range absent[:min(len(absent), max(limit, 0))] {
		a.References = append(a.References, z.Member[len(source)+1:])
	}
	return a, nil
}

// unknownListing reports whether what is stored of a vacancy's last listing
// tells nothing at a time.
func unknownListing(had float64, ok bool, at time.Time) bool {
	return !ok || had > ms(at.Add(clockLead))
}

// isOf reports whether the vacancy of a name belongs to a source.
func isOf(source, id string) bool {
	return len(id) > len(source) && id[len(source)] == '/' && strings.HasPrefix(id, source)
}

func byScore(a, b engine.Z) int {
	return cmp.Or(cmp.Compare(a.Score, b.Score), strings.Compare(a.Member, b.Member))
}

// Rereads returns up to limit live vacancies of a source whose page is to be
// read once more by now, those that have waited longest first.
func (s *Store) Rereads(ctx context.Context, source string, now time.Time, limit int) ([]vacancy.Record, error) {
	today := ms(vacancy.LondonDay(now).UTC())
	var due []engine.Z
	for _, slot := range s.allSlots() {
		wishes := &engine.ZRange{Key: slotKey(slot, "reread"), Min: never, Max: ms(now)}
		if err := s.eng.Read(ctx, slot, wishes); err != nil {
			return nil, fmt.Errorf("look for pages of source %s to be read again: %w", source, err)
		}
		if len(wishes.Zs) == 0 {
			continue
		}
		live := &engine.ZMScore{Key: slotKey(slot, "live"), Members: members(wishes.Zs)}
		if err := s.eng.Read(ctx, slot, live); err != nil {
			return nil, fmt.Errorf("look for pages of source %s to be read again: %w", source, err)
		}
		for i, z := range wishes.Zs {
			if isOf(source, z.Member) && live.OK[i] && live.Scores[i] >= today {
				due = append(due, z)
			}
		}
	}
	slices.SortFunc(due, byScore)
	return s.liveRecords(ctx, members(due[:min(len(due), max(limit, 0))]))
}

// liveRecords returns the records of vacancies, in order, without those that
// are closed or gone meanwhile.
func (s *Store) liveRecords(ctx context.Context, ids []string) ([]vacancy.Record, error) {
	keys := make([]vacancy.Key, len(ids))
	for i, id := range ids {
		key, err := vacancy.ParseKey(id)
		if err != nil {
			return nil, err // Unreachable: the name was made from a key.
		}
		keys[i] = key
	}
	records, err := s.Records(ctx, keys)
	if err != nil {
		return nil, err
	}
	out := make([]vacancy.Record, 0, len(keys))
	for _, key := range keys {
		if r, ok := records[key]; ok && r.Closed == "" {
			out = append(out, r)
		}
	}
	return out, nil
}

// PutOff has the page of a vacancy read again at a later time, or not at all
// where until is zero. Where nobody wishes it read any more, it does nothing.
func (s *Store) PutOff(ctx context.Context, key vacancy.Key, until time.Time) error {
	slot, id := s.vacancySlot(key), key.String()
	err := s.eng.Update(ctx, slot, func(tx engine.Tx) error {
		wish := &engine.ZScore{Key: slotKey(slot, "reread"), Member: id}
		live := &engine.ZScore{Key: slotKey(slot, "live"), Member: id}
		if err := tx.Read(wish, live); err != nil {
			return err
		}
		switch {
		case !wish.OK:
		case until.IsZero() || !live.OK:
			tx.ZRem(slotKey(slot, "reread"), id)
		default:
			tx.ZAdd(slotKey(slot, "reread"), engine.Z{Member: id, Score: ms(until)})
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("put off the reading of %s: %w", key, err)
	}
	return nil
}

// silentScore orders the vacancies of which nobody was told by the time of
// their posting, for a baseline finds them all within minutes of each other.
func silentScore(r *vacancy.Record) float64 {
	if r.Vacancy.Posted.IsZero() {
		return ms(r.Vacancy.FirstSeen)
	}
	return ms(r.Vacancy.Posted.Time)
}

// Silent returns live vacancies of a source that were taken in silence and
// first seen at or after a time, whether their pages have been read or not:
// those posted last first, up to limit. Next is where to go on, "" at the end;
// while it is not, there may be fewer than limit. After is "" to begin, else
// the last next. A vacancy that is released or closed meanwhile does not
// disturb the order; one that is posted anew meanwhile may be left out.
func (s *Store) Silent(ctx context.Context, source string, since time.Time, limit int, after string) (records []vacancy.Record, next string, err error) {
	if err := s.listSilent(ctx); err != nil {
		return nil, "", fmt.Errorf("list the vacancies taken in silence: %w", err)
	}
	from := engine.Z{Score: forever}
	if after != "" {
		score, id, _ := strings.Cut(after, "|")
		if from.Score, err = strconv.ParseFloat(score, 64); err != nil {
			return nil, "", fmt.Errorf("vacancies taken in silence after %q: not a place to go on from", after)
		}
		from.Member = id
	}
	var all []engine.Z
	for _, slot := range s.allSlots() {
		r := &engine.ZRange{Key: slotKey(slot, "silent"), Min: never, Max: from.Score}
		if err := s.eng.Read(ctx, slot, r); err != nil {
			return nil, "", fmt.Errorf("list the vacancies taken in silence: %w", err)
		}
		for _, z := range r.Zs {
			if isOf(source, z.Member) && (after == "" || byScore(z, from) < 0) {
				all = append(all, z)
			}
		}
	}
	slices.SortFunc(all, func(a, b engine.Z) int { return byScore(b, a) })
	limit = max(limit, 1)
	for len(all) > 0 && len(records) < limit {
		part := all[:min(len(all), limit-len(records), batch)]
		all = all[len(part):]
		if last := part[len(part)-1]; len(all) > 0 {
			next = strconv.FormatFloat(last.Score, 'f', -1, 64) + "|" + last.Member
		} else {
			next = ""
		}
		live, err := s.liveRecords(ctx, members(part))
		if err != nil {
			return nil, "", fmt.Errorf("read vacancies taken in silence: %w", err)
		}
		for _, r := range live {
			if r.Silent && !r.Vacancy.FirstSeen.Before(since) {
				records = append(records, r)
			}
		}
	}
	return records, next, nil
}

// listSilent makes the list of vacancies taken in silence whole, once in the
// life of a state: an older program kept none.
func (s *Store) listSilent(ctx context.Context) error {
	whole := &engine.HGet{Key: metaKey("store"), Field: "silent"}
	if err := s.eng.Read(ctx, metaSlot, whole); err != nil || whole.OK {
		return err
	}
	for _, slot := range s.allSlots() {
		live := &engine.ZRange{Key: slotKey(slot, "live"), Min: never, Max: forever}
		if err := s.eng.Read(ctx, slot, live); err != nil {
			return err
		}
		for ids := range slices.Chunk(members(live.Zs), batch) {
			err := s.eng.Update(ctx, slot, func(tx engine.Tx) error {
				vac := &engine.HMGet{Key: slotKey(slot, "vac"), Fields: ids}
				if err := tx.Read(vac); err != nil {
					return err
				}
				for i, id := range ids {
					r, err := decodeRecord(vac.Vals[i])
					if err != nil {
						return fmt.Errorf("%s: %w", id, err)
					}
					if r != nil && r.Silent && r.Closed == "" {
						tx.ZAdd(slotKey(slot, "silent"), engine.Z{Member: id, Score: silentScore(r)})
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	return s.eng.Update(ctx, metaSlot, func(tx engine.Tx) error {
		tx.HSet(metaKey("store"), "silent", []byte("whole"))
		return nil
	})
}
