package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/alerts/people"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// Person returns a person with the searches in force, and why the address gets
// no mail now where it does not.
func (p *Subscribers) Person(ctx context.Context, id string) (people.Subscriber, error) {
	slot := p.s.slotOf(id)
	r := &engine.HGet{Key: slotKey(slot, "sub"), Field: id}
	if err := p.s.eng.Read(ctx, slot, r); err != nil {
		return people.Subscriber{}, err
	}
	if !r.OK {
		return people.Subscriber{}, people.ErrGone
	}
	sub, err := readSubscriber(id, r.Val)
	if err != nil {
		return people.Subscriber{}, err
	}
	if sub == nil {
		return people.Subscriber{}, people.ErrGone
	}
	sub.Searches, err = p.inForce(reader{ctx, p.s.eng, slot}, slot, sub)
	return sub.Subscriber, err
}

// reader reads outside of a step.
type reader struct {
	ctx  context.Context
	eng  engine.Engine
	slot string
}

func (r reader) Read(reads ...engine.Read) error { return r.eng.Read(r.ctx, r.slot, reads...) }

// change makes a person's change one step. fn may run more than once; it
// returns the ids of the searches that it changed.
func (p *Subscribers) change(ctx context.Context, id string, now time.Time, fn func(tx engine.Tx, slot string, sub *subscriber) ([]string, error)) error {
	slot := p.s.slotOf(id)
	return p.s.eng.Update(ctx, slot, func(tx engine.Tx) error {
		sub, err := getSubscriber(tx, slot, id)
		if err != nil {
			return err
		}
		if sub == nil {
			return people.ErrGone
		}
		sub.seen(now)
		changed, err := fn(tx, slot, sub)
		if err != nil {
			return err
		}
		putSubscriber(tx, slot, sub)
		return p.s.noteChanges(tx, slot, changed)
	})
}

// Change changes a search of a person by fn, which may run more than once. Its
// id, its owner and whom it tells stay as they are.
func (p *Subscribers) Change(ctx context.Context, id, search string, fn func(*vacancy.Search), now time.Time) error {
	var was, is vacancy.Search
	err := p.change(ctx, id, now, func(tx engine.Tx, slot string, sub *subscriber) ([]string, error) {
		all, err := p.inForce(tx, slot, sub)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(all, func(s vacancy.Search) bool { return s.ID == search })
		if i < 0 {
			return nil, people.ErrGone
		}
		was = all[i]
		is = was.Clone()
		fn(&is)
		is.ID, is.Subscriber, is.Created, is.Provisioned = was.ID, was.Subscriber, was.Created, false
		if err := is.Prepare(); err != nil {
			return nil, fmt.Errorf("change search %s: %w", search, err)
		}
		for i := range is.Notify {
			if err := is.Notify[i].Check(); err != nil {
				return nil, fmt.Errorf("change search %s: %w", search, err)
			}
		}
		if err := fits(all, &is); err != nil {
			return nil, err
		}
		putSearch(tx, slot, sub, &is)
		return []string{search}, nil
	})
	if err != nil {
		return err
	}
	return p.hasten(ctx, &was, &is, now)
}

// Pause keeps searches of a person, all of them where none is named, from
// telling anything until a time; zero goes on at once. What was matched
// meanwhile comes then, in one mail a search.
func (p *Subscribers) Pause(ctx context.Context, id string, searches []string, until, now time.Time) error {
	var was, is []vacancy.Search
	err := p.change(ctx, id, now, func(tx engine.Tx, slot string, sub *subscriber) ([]string, error) {
		was, is = nil, nil
		all, err := p.inForce(tx, slot, sub)
		if err != nil {
			return nil, err
		}
		var changed []string
		for i := range all {
			if searches != nil && !slices.Contains(searches, all[i].ID) {
				continue
			}
			c := all[i].Clone()
			for j := range c.Notify {
				c.Notify[j].Paused = until
			}
			putSearch(tx, slot, sub, &c)
			was, is, changed = append(was, all[i]), append(is, c), append(changed, c.ID)
		}
		if searches != nil && len(changed) == 0 {
			return nil, people.ErrGone
		}
		return changed, nil
	})
	if err != nil {
		return err
	}
	for i := range is {
		if err := p.hasten(ctx, &was[i], &is[i], now); err != nil {
			return err
		}
	}
	return nil
}

// hasten has what waits for the end of a pause come earlier, where the pause is
// now shorter.
func (p *Subscribers) hasten(ctx context.Context, was, is *vacancy.Search, now time.Time) error {
	for i, n := range is.Notify {
		if i >= len(was.Notify) || !was.Notify[i].Paused.After(now) || !n.Paused.Before(was.Notify[i].Paused) {
			continue
		}
		at := n.Paused
		if at.Before(now) {
			at = now
		}
		name := digestName(is.ID, alerts.Dest(n))
		for _, slot := range p.s.allSlots() {
			err := p.s.eng.Update(ctx, slot, func(tx engine.Tx) error {
				items := &engine.ZRange{Key: digestKey(slot, name), Min: ms(at) + 1, Max: forever}
				window := &engine.ZScore{Key: slotKey(slot, "digdue"), Member: name}
				if err := tx.Read(items, window); err != nil {
					return err
				}
				for _, z := range items.Zs {
					tx.ZAdd(items.Key, engine.Z{Member: z.Member, Score: ms(at)})
				}
				if window.OK && window.Score > ms(at) {
					tx.ZAdd(window.Key, engine.Z{Member: name, Score: ms(at)})
				}
				return nil
			})
			if err != nil {
				return fmt.Errorf("bring forward what waited for the end of a pause: %w", err)
			}
		}
	}
	return nil
}

// Stop ends searches of a person, all of them where none is named, at once: what
// is claimed already is looked at again before it is sent.
func (p *Subscribers) Stop(ctx context.Context, id string, searches []string, now time.Time) error {
	return p.change(ctx, id, now, func(tx engine.Tx, slot string, sub *subscriber) ([]string, error) {
		ids := slices.Clone(sub.InForce)
		if searches != nil {
			ids = slices.DeleteFunc(ids, func(s string) bool { return !slices.Contains(searches, s) })
		}
		return ids, p.s.endOwn(tx, slot, sub, ids, people.ByReader, now)
	})
}

// endOwn ends searches of a person, in a step that writes the person too. An
// ended search keeps its criteria for a while, and no address.
func (s *Store) endOwn(tx engine.Tx, slot string, sub *subscriber, ids []string, reason string, now time.Time) error {
	if len(ids) == 0 {
		return nil
	}
	r := &engine.HMGet{Key: slotKey(slot, "search"), Fields: ids}
	if err := tx.Read(r); err != nil {
		return err
	}
	end := now.Add(people.KeepEnded)
	for i, id := range ids {
		sub.InForce = slices.DeleteFunc(sub.InForce, func(s string) bool { return s == id })
		if r.Vals[i] == nil {
			continue
		}
		var saved savedSearch
		if err := decode(r.Vals[i], &saved); err != nil {
			return fmt.Errorf("end search %s: %w", id, err)
		}
		for _, n := range saved.Search.Notify {
			sub.Digests = append(sub.Digests, digestName(id, alerts.Dest(n)))
		}
		saved.Ended, saved.EndedAt, saved.Search.Notify = reason, now.UTC(), nil
		tx.HSet(slotKey(slot, "search"), id, encode(saved))
		tx.ZAdd(slotKey(slot, "searchend"), engine.Z{Member: id, Score: ms(end)})
		sub.Past = append(sub.Past, id)
	}
	sub.Past, sub.Digests = last(sub.Past), last(sub.Digests)
	if len(sub.InForce) == 0 && sub.State == people.Active {
		sub.State, sub.EndedAt = people.Ended, now.UTC()
		tx.ZAdd(slotKey(slot, "subend"), engine.Z{Member: sub.ID, Score: ms(end)})
	}
	return nil
}

// endFromLink ends a search that a person saved, by the link in a mail.
func (s *Store) endFromLink(tx engine.Tx, slot, id, owner, reason string, now time.Time) error {
	sub, err := getSubscriber(tx, slot, owner)
	if err != nil {
		return err
	}
	if sub == nil {
		// Unreachable: a person and his searches go in one step.
		return errors.New("the search belongs to nobody")
	}
	sub.seen(now)
	if err := s.endOwn(tx, slot, sub, []string{id}, reason, now); err != nil {
		return err
	}
	putSubscriber(tx, slot, sub)
	return s.noteChanges(tx, slot, []string{id})
}

// Revoke makes the links to a person's page worthless that were sent so far.
func (p *Subscribers) Revoke(ctx context.Context, id string, now time.Time) error {
	return p.change(ctx, id, now, func(_ engine.Tx, _ string, sub *subscriber) ([]string, error) {
		sub.Generation++
		return nil, nil
	})
}

// OwnerOf returns who saved a search, in force or ended, by its id; "" where
// that was nobody, or it is not remembered.
func (p *Subscribers) OwnerOf(ctx context.Context, search string) (id string, err error) {
	s, _, found, err := p.s.Saved(ctx, search)
	if err != nil || !found {
		return "", err
	}
	id, _, err = p.Owner(ctx, &s)
	return id, err
}

// Owner returns who saved a search, "" where that was nobody, and the
// generation of the person's links.
func (p *Subscribers) Owner(ctx context.Context, search *vacancy.Search) (id string, generation uint32, err error) {
	if search.Provisioned || search.Subscriber == "" {
		return "", 0, nil
	}
	sub, err := p.Person(ctx, search.Subscriber)
	if errors.Is(err, people.ErrGone) {
		return "", 0, nil
	}
	return sub.ID, sub.Generation, err
}
