package store

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/alerts/people"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// Subscribers are the people who subscribe themselves. All that belongs to one
// of them lies in the slot of the address's keyed hash, for ids are made so
// that they lie there: what a person does is one atomic step.
type Subscribers struct {
	s    *Store
	list *Suppressions // whose hash names addresses
	key  []byte        // for what limits remember
}

// Subscribers returns the people who subscribe themselves.
func (s *Store) Subscribers(ctx context.Context) (*Subscribers, error) {
	if together%s.slots != 0 {
		return nil, fmt.Errorf("people cannot subscribe to a state of %d slots: their number must divide %d", s.slots, together)
	}
	list, err := s.Suppressions(ctx)
	if err != nil {
		return nil, err
	}
	key, err := s.SigningKey(ctx, "limits")
	if err != nil {
		return nil, fmt.Errorf("read the key of the limits: %w", err)
	}
	return &Subscribers{s, list, key}, nil
}

// subscriber is a person as stored.
type subscriber struct {
	people.Subscriber
	// Hash names the address in the index.
	Hash string `json:"hash,omitempty"`
	// InForce, Past and Wishes are ids of what belongs to the person.
	InForce []string `json:"in_force,omitempty"`
	Past    []string `json:"past,omitempty"`
	Wishes  []string `json:"wishes,omitempty"`
	// Erasing is set of a person of whom all is forgotten but what may still
	// lie in the outbox under the names of Digests.
	Erasing bool     `json:"erasing,omitempty"`
	Digests []string `json:"digests,omitempty"`
}

// wish is a search that waits for its confirmation.
type wish struct {
	Subscriber string         `json:"subscriber"`
	Search     vacancy.Search `json:"search"`
	Asked      time.Time      `json:"asked"`
	Made       string         `json:"made,omitempty"` // the search that it became
}

// together is for how many slots ids are made that lie together: the number of
// slots must divide it.
const together = 1024

// idNear makes an id at random that lies in the slot of another name, whatever
// the number of slots.
func idNear(prefix, name string) string {
	raw := make([]byte, 10)
	rand.Read(raw)
	random := prefix + strings.ToLower(base32.StdEncoding.EncodeToString(raw))
	begun, want := crc32.ChecksumIEEE([]byte(random)), crc32.ChecksumIEEE([]byte(name))%together
	var end []byte
	for n := int64(0x100); ; n++ {
		end = strconv.AppendInt(end[:0], n, 16)
		if crc32.Update(begun, crc32.IEEETable, end)%together == want {
			return random + string(end)
		}
	}
}

// last bounds a list of ids of what is forgotten by its own time: more than
// the limit of mails lets come about meanwhile.
func last(ids []string) []string {
	const most = 200
	return ids[max(0, len(ids)-most):]
}

func getSubscriber(tx engine.Tx, slot, id string) (*subscriber, error) {
	r := &engine.HGet{Key: slotKey(slot, "sub"), Field: id}
	if err := tx.Read(r); err != nil || !r.OK {
		return nil, err
	}
	return readSubscriber(id, r.Val)
}

// readSubscriber reads a stored person; nil where all of him is being forgotten.
func readSubscriber(id string, b []byte) (*subscriber, error) {
	sub := new(subscriber)
	if err := decode(b, sub); err != nil {
		return nil, fmt.Errorf("subscriber %s: %w", id, err)
	}
	if sub.Erasing {
		return nil, nil
	}
	return sub, nil
}

// seen takes note of a sign of life.
func (sub *subscriber) seen(now time.Time) { sub.Seen, sub.Asked = now.UTC(), time.Time{} }

func putSubscriber(tx engine.Tx, slot string, sub *subscriber) {
	stored := *sub
	stored.Searches = nil // they lie beside it
	tx.HSet(slotKey(slot, "sub"), sub.ID, encode(stored))
	switch {
	case sub.State != people.Active:
		tx.ZRem(slotKey(slot, "subask"), sub.ID)
	case sub.Asked.IsZero():
		tx.ZAdd(slotKey(slot, "subask"), engine.Z{Member: sub.ID, Score: ms(sub.Seen.Add(people.AskAfter))})
	default:
		tx.ZAdd(slotKey(slot, "subask"), engine.Z{Member: sub.ID, Score: ms(sub.Asked.Add(people.EndAfter))})
	}
}

// SignUp keeps what somebody asks for, and queues the mail that asks for its
// confirmation, in one step. What becomes of it is told to nobody: an address
// that is known, full, suppressed or asked too often looks the same. It reports
// whether a mail was queued, for the metrics.
func (p *Subscribers) SignUp(ctx context.Context, up people.SignUp, now time.Time) (queued bool, err error) {
	hash := p.list.ID(up.Address).String()
	slot := p.s.slotOf(hash)
	fresh, id := idNear("p", hash), idNear("w", hash)
	w := wish{Search: up.Search.Clone(), Asked: now.UTC()}
	n := up.Notify
	n.To, n.Key = "", ""
	w.Search.Notify, w.Search.Provisioned = []vacancy.Notify{n}, false
	err = p.s.eng.Update(ctx, slot, func(tx engine.Tx) error {
		queued = false
		sub, allowed, err := p.look(tx, slot, hash, now)
		if err != nil || !allowed {
			return err
		}
		if sub == nil {
			sub = &subscriber{Hash: hash, Subscriber: people.Subscriber{ID: fresh, State: people.Pending, Created: now.UTC()}}
			tx.HSet(slotKey(slot, "subaddr"), hash, []byte(fresh))
		}
		if sub.State != people.Active {
			// Who has confirmed keeps the spelling that worked.
			sub.Address = up.Address
			end := &engine.ZScore{Key: slotKey(slot, "subend"), Member: sub.ID}
			if err := tx.Read(end); err != nil {
				return err
			}
			tx.ZAdd(end.Key, engine.Z{Member: sub.ID, Score: max(end.Score, ms(now.Add(people.KeepWish)))})
		}
		w.Subscriber = sub.ID
		sub.Wishes = last(append(sub.Wishes, id))
		putSubscriber(tx, slot, sub)
		tx.HSet(slotKey(slot, "wish"), id, encode(w))
		tx.ZAdd(slotKey(slot, "wishend"), engine.Z{Member: id, Score: ms(now.Add(people.KeepWish))})
		putNotice(tx, slot, id, people.NoticeConfirm, "1", sub.ID, up.Notify.Channel, now)
		queued = true
		return nil
	})
	return queued, err
}

// SendLink queues the mail with the link to a person's own page, where there is
// one of that address. It tells nobody whether there is.
func (p *Subscribers) SendLink(ctx context.Context, a vacancy.Address, channel string, now time.Time) (queued bool, err error) {
	hash := p.list.ID(a).String()
	slot := p.s.slotOf(hash)
	word := idNear("", hash)
	err = p.s.eng.Update(ctx, slot, func(tx engine.Tx) error {
		queued = false
		sub, allowed, err := p.look(tx, slot, hash, now)
		if err != nil || !allowed || sub == nil || sub.State == people.Pending {
			return err
		}
		putNotice(tx, slot, sub.ID, people.NoticeManage, word, sub.ID, channel, now)
		queued = true
		return nil
	})
	return queued, err
}

// look returns who has an address, nil where nobody does, and whether it may be
// sent a mail that is no alert: that is counted, and written whoever has it.
func (p *Subscribers) look(tx engine.Tx, slot, hash string, now time.Time) (*subscriber, bool, error) {
	known := &engine.HGet{Key: slotKey(slot, "subaddr"), Field: hash}
	supp := &engine.HGet{Key: slotKey(slot, "supp"), Field: hash}
	if err := tx.Read(known, supp); err != nil {
		return nil, false, err
	}
	allowed, err := takeOne(tx, slot, mailLimit(hash), people.MailsPerDay, people.KeepLimit, now)
	if err != nil {
		return nil, false, err
	}
	if supp.OK {
		var kept suppressed
		if err := decode(supp.Val, &kept); err != nil {
			return nil, false, fmt.Errorf("suppression %s: %w", hash, err)
		}
		allowed = allowed && !kept.holds(now)
	}
	sub, err := getSubscriber(tx, slot, string(known.Val)) // also where it is not known: the same work
	return sub, allowed, err
}

// putNotice queues a notice of a person, in the slot where all of him lies.
func putNotice(tx engine.Tx, slot, about, notice, word, sub, channel string, now time.Time) {
	dest := alerts.Dest(vacancy.Notify{Channel: channel, To: "-", Key: sub})
	m := &alerts.Message{ID: alerts.NoticeID(about, notice, word, dest), Search: about, Subscriber: sub, Dest: dest, Notice: notice, Created: now.UTC()}
	putMessage(tx, slot, m)
	putLane(tx, slot, channel)
	putDue(tx, slot, m.ID, now)
}

// Noticed returns to whom a notice goes and, for one that brings a link to the
// person's page, of which generation. It is false where it is not to be sent.
func (p *Subscribers) Noticed(ctx context.Context, m *alerts.Message, now time.Time) (a vacancy.Address, generation uint32, ok bool, err error) {
	slot := p.s.slotOf(m.Search)
	_, id, _ := strings.Cut(m.Dest, "#") // as it is known also of one that was damaged
	w := &engine.HGet{Key: slotKey(slot, "wish"), Field: m.Search}
	r := &engine.HGet{Key: slotKey(slot, "sub"), Field: id}
	if err := p.s.eng.Read(ctx, slot, w, r); err != nil || !r.OK {
		return "", 0, false, err
	}
	sub, err := readSubscriber(id, r.Val)
	if err != nil || sub == nil {
		return "", 0, false, err
	}
	if m.Notice == people.NoticeConfirm {
		var asked wish
		if !w.OK {
			return "", 0, false, nil
		}
		if err := decode(w.Val, &asked); err != nil {
			return "", 0, false, fmt.Errorf("sign-up %s: %w", m.Search, err)
		}
		if asked.Made != "" || now.Sub(asked.Asked) > people.KeepWish {
			return "", 0, false, nil
		}
	}
	if m.Notice == people.NoticeKeep && sub.Asked.IsZero() {
		return "", 0, false, nil // there was a sign of life meanwhile
	}
	return sub.Address, sub.Generation, true, nil
}

// Wish returns what a sign-up asked for.
func (p *Subscribers) Wish(ctx context.Context, id string, now time.Time) (people.Wish, error) {
	slot := p.s.slotOf(id)
	r := &engine.HGet{Key: slotKey(slot, "wish"), Field: id}
	if err := p.s.eng.Read(ctx, slot, r); err != nil {
		return people.Wish{}, err
	}
	if !r.OK {
		return people.Wish{}, people.ErrGone
	}
	var w wish
	if err := decode(r.Val, &w); err != nil {
		return people.Wish{}, fmt.Errorf("sign-up %s: %w", id, err)
	}
	if now.Sub(w.Asked) > people.KeepWish {
		return people.Wish{}, people.ErrGone
	}
	if err := w.Search.Prepare(); err != nil {
		return people.Wish{}, fmt.Errorf("sign-up %s was made by another version and cannot be used by this one: %w", id, err)
	}
	return people.Wish{ID: id, Search: w.Search, Asked: w.Asked, Done: w.Made != "", Subscriber: w.Subscriber}, nil
}

// Confirm makes a search of a wish. What is open already is told to nobody: the
// search meets what happens from now on. Confirming twice is the same as once.
func (p *Subscribers) Confirm(ctx context.Context, id string, now time.Time) (people.Wish, error) {
	slot := p.s.slotOf(id)
	made := idNear("s", id)
	var out people.Wish
	err := p.s.eng.Update(ctx, slot, func(tx engine.Tx) error {
		out = people.Wish{}
		r := &engine.HGet{Key: slotKey(slot, "wish"), Field: id}
		if err := tx.Read(r); err != nil {
			return err
		}
		if !r.OK {
			return people.ErrGone
		}
		var w wish
		if err := decode(r.Val, &w); err != nil {
			return fmt.Errorf("sign-up %s: %w", id, err)
		}
		sub, err := getSubscriber(tx, slot, w.Subscriber)
		if err != nil {
			return err
		}
		if sub == nil || now.Sub(w.Asked) > people.KeepWish {
			return people.ErrGone
		}
		search := w.Search.Clone()
		search.ID, search.Subscriber, search.Created = made, sub.ID, now.UTC()
		if err := search.Prepare(); err != nil {
			return fmt.Errorf("sign-up %s was made by another version and cannot be used by this one: %w", id, err)
		}
		out = people.Wish{ID: id, Search: search, Asked: w.Asked, Done: true, Subscriber: sub.ID, Generation: sub.Generation}
		if w.Made != "" {
			return nil
		}
		others, err := p.inForce(tx, slot, sub)
		if err != nil {
			return err
		}
		if err := fits(others, &search); err != nil {
			return err
		}
		w.Made = made
		tx.HSet(slotKey(slot, "wish"), id, encode(w))
		if sub.State != people.Active {
			sub.State, sub.EndedAt = people.Active, time.Time{}
			sub.Consent = &people.Consent{At: now.UTC(), Wording: people.Wording, Origin: "the page that confirms a sign-up"}
		}
		sub.InForce = append(sub.InForce, made)
		sub.seen(now)
		putSubscriber(tx, slot, sub)
		tx.ZRem(slotKey(slot, "subend"), sub.ID)
		putSearch(tx, slot, sub, &search)
		return p.s.noteChanges(tx, slot, []string{made})
	})
	return out, err
}

// putSearch stores a search that tells the person it belongs to.
func putSearch(tx engine.Tx, slot string, sub *subscriber, search *vacancy.Search) {
	for i := range search.Notify {
		search.Notify[i].To, search.Notify[i].Key = sub.Address, sub.ID
	}
	tx.HSet(slotKey(slot, "search"), search.ID, encode(savedSearch{Search: *search}))
}

// inForce returns the searches of a person, oldest first.
func (p *Subscribers) inForce(tx interface{ Read(...engine.Read) error }, slot string, sub *subscriber) ([]vacancy.Search, error) {
	if len(sub.InForce) == 0 {
		return nil, nil
	}
	r := &engine.HMGet{Key: slotKey(slot, "search"), Fields: sub.InForce}
	if err := tx.Read(r); err != nil {
		return nil, err
	}
	var out []vacancy.Search
	for i, id := range sub.InForce {
		if r.Vals[i] == nil {
			continue // Unreachable: both change in one step.
		}
		var saved savedSearch
		if err := decode(r.Vals[i], &saved); err != nil {
			return nil, fmt.Errorf("search %s: %w", id, err)
		}
		// One that another version has saved and this one cannot use is still its
		// owner's to see and to delete.
		_ = saved.Search.Prepare()
		out = append(out, saved.Search)
	}
	return out, nil
}

// fits reports why a search cannot stand beside others of one person.
func fits(others []vacancy.Search, search *vacancy.Search) error {
	others = slices.DeleteFunc(slices.Clone(others), func(o vacancy.Search) bool { return o.ID == search.ID })
	if slices.ContainsFunc(others, func(o vacancy.Search) bool { return people.Same(&o, search) }) {
		return people.ErrSame
	}
	if len(others) >= people.MaxSearches {
		return people.ErrFull
	}
	return nil
}
