package alerts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vacancywatch/vacancywatch/alerts/channel"
	"github.com/vacancywatch/vacancywatch/alerts/message"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

const (
	// claimLimit is how many messages are claimed at a time. One relay takes
	// them one after another, so a claim must not hold more than it can send.
	claimLimit = 100
	// lookEvery is how long the loop rests when nothing is due: another
	// process, or a digest's hour, may make something due meanwhile.
	lookEvery = 5 * time.Second
	// mailLife ends a mail that could not be sent: what it tells goes into the
	// next digest, worded anew. Webhooks end by their own schedule.
	mailLife = 24 * time.Hour
	// parallel is how many destinations are sent to at a time.
	parallel = 8
)

// A Deliverer sends what is due in the outbox.
type Deliverer struct {
	Outbox   Outbox
	Searches Searches
	Channels map[string]channel.Channel // by configured name
	// StopURL gives the page that ends a search; nil where none is served.
	StopURL func(search string) string
	PageURL string
	Now     func() time.Time
	Logger  *slog.Logger
	Metrics *Metrics
	// Sent is called after each settled attempt. May be nil.
	Sent func(m *Message, s Settlement)

	wake   chan struct{}
	once   sync.Once
	mu     sync.Mutex
	paused map[string]pause // by destination
}

func (d *Deliverer) init() {
	d.once.Do(func() {
		d.wake = make(chan struct{}, 1)
		d.paused = map[string]pause{}
	})
}

// Wake makes Run look at the outbox now.
func (d *Deliverer) Wake() {
	d.init()
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// Run delivers until ctx ends. An attempt that is under way then is finished
// or given back.
func (d *Deliverer) Run(ctx context.Context) error {
	d.init()
	for ctx.Err() == nil {
		sent, err := d.Pass(ctx)
		if err != nil && ctx.Err() == nil {
			d.Logger.Warn("delivery pass failed, will be tried again", "err", err)
		}
		if sent > 0 && err == nil {
			continue
		}
		rest := time.NewTimer(d.rest(ctx))
		select {
		case <-ctx.Done():
		case <-d.wake:
		case <-rest.C:
		}
		rest.Stop()
	}
	return nil
}

// rest is how long nothing will be due.
func (d *Deliverer) rest(ctx context.Context) time.Duration {
	due, ok, err := d.Outbox.NextDue(ctx)
	if err != nil || !ok {
		return lookEvery
	}
	return min(max(due.Sub(d.Now()), 50*time.Millisecond), lookEvery)
}

// Pass claims what is due and sends it, once. It returns how many messages it
// ended; one that stays due does not count, so that a dead relay cannot keep
// the loop spinning.
func (d *Deliverer) Pass(ctx context.Context) (ended int, err error) {
	d.init()
	_, opening := d.Outbox.OpenDigests(ctx, d.Now())
	if opening != nil {
		// Whatever is wrong with a digest, it keeps back no other message.
		opening = fmt.Errorf("open digests: %w", opening)
	}
	claims, err := d.Outbox.Claim(ctx, d.Now(), d.lease(), claimLimit)
	if err != nil {
		return 0, errors.Join(opening, fmt.Errorf("claim messages: %w", err))
	}
	// One destination at a time gets one message at a time: what is dead or
	// slow holds up nobody else.
	groups := map[string][]*Claim{}
	for i := range claims {
		to := d.destination(&claims[i])
		groups[to] = append(groups[to], &claims[i])
	}
	var count sync.Map
	var g errgroup.Group
	g.SetLimit(parallel)
	for to, group := range groups {
		g.Go(func() error {
			for _, c := range group {
				s, err := d.deliver(ctx, c, to)
				if err != nil {
					return err
				}
				if s != SettleRelease {
					count.Store(c.Message.ID, true)
				}
			}
			return nil
		})
	}
	err = errors.Join(opening, g.Wait())
	count.Range(func(any, any) bool { ended++; return true })
	return ended, err
}

// lease is longer than twice the longest attempt of any channel.
func (d *Deliverer) lease() time.Duration {
	longest := 15 * time.Second
	for _, c := range d.Channels {
		longest = max(longest, c.Limit())
	}
	return 2*longest + 30*time.Second
}

// destination names what a message shares its fate with.
func (d *Deliverer) destination(c *Claim) string {
	ch, ok := d.Channels[c.Message.Channel()]
	if !ok {
		return c.Message.Dest
	}
	return c.Message.Channel() + "\x00" + ch.Destination("")
}

// deliver is the way of one message: check again, render once, send, settle.
func (d *Deliverer) deliver(ctx context.Context, c *Claim, destination string) (Settlement, error) {
	m := &c.Message
	ch := d.Channels[m.Channel()]
	if ctx.Err() != nil || ch != nil && d.Now().Add(ch.Limit()).After(c.Until) {
		// Shutting down, or the claim waited so long for its turn that it
		// could lapse while the message is under way.
		return d.settle(ctx, c, ch, SettleRelease, "", "not begun", d.Now())
	}
	search, notify, drop, err := d.recheck(ctx, c)
	if err != nil {
		return d.settle(ctx, c, ch, SettleRelease, "", "recheck failed", d.Now().Add(30*time.Second))
	}
	if drop != "" {
		return d.settle(ctx, c, ch, SettleDrop, drop, "", d.Now())
	}
	if ch == nil {
		// Configured again, it goes on; a typo in the file loses nothing.
		return d.settle(ctx, c, nil, SettleRelease, "", "channel is not configured", d.Now().Add(10*time.Minute))
	}
	if until, ok := d.pausedUntil(destination); ok {
		return d.settle(ctx, c, ch, SettleRelease, "", "destination is paused", until)
	}
	if c.Body == nil {
		drop, err := d.render(ctx, c, ch, search, notify)
		if err != nil && !errors.Is(err, errWording) {
			d.Logger.Warn("message could not be stored, will be tried again", "message", m.ID, "err", err)
			return d.settle(ctx, c, ch, SettleRelease, "", "not stored", d.Now().Add(5*time.Second))
		}
		if err != nil {
			d.Logger.Error("message cannot be made, it is kept for an operator", "message", m.ID, "err", err)
			return d.settle(ctx, c, ch, SettleBury, channel.ReasonRender, "", d.Now())
		}
		if drop != "" {
			return d.settle(ctx, c, ch, SettleDrop, drop, "", d.Now())
		}
		if c.Body == nil {
			return SettleRelease, nil // the claim is another's by now
		}
	}
	result := ch.Send(ctx, channel.Message{ID: m.ID, To: notify.To.Reveal(), Body: c.Body, Try: m.Tries, At: d.Now()})
	return d.conclude(ctx, c, ch, destination, result)
}

// recheck looks at what may have changed since the message was queued. It
// returns the reason to drop it, or "".
func (d *Deliverer) recheck(ctx context.Context, c *Claim) (*vacancy.Search, vacancy.Notify, string, error) {
	m := &c.Message
	search, ok, err := d.Searches.Search(ctx, m.Search)
	if err != nil {
		return nil, vacancy.Notify{}, "", err
	}
	if !ok {
		return nil, vacancy.Notify{}, DropEnded, nil
	}
	notify, ok := notifyFor(search, m.Dest)
	if !ok {
		return nil, vacancy.Notify{}, DropEnded, nil
	}
	if m.Event != "" {
		if c.Event == nil || c.Record == nil {
			return nil, vacancy.Notify{}, DropGone, nil
		}
		if over(c.Event, c.Record, vacancy.LondonDay(d.Now())) {
			return nil, vacancy.Notify{}, DropClosed, nil
		}
	}
	if notify.To != "" && d.Now().Sub(m.Created) > mailLife {
		return nil, vacancy.Notify{}, DropExpired, nil
	}
	return search, notify, "", nil
}

// over reports whether there is nothing to tell of an event any more, for its
// vacancy has closed.
func over(e *vacancy.Event, r *vacancy.Record, today vacancy.Day) bool {
	return e.Kind != vacancy.Closed && (r.Closed != "" || !r.Vacancy.Open(today))
}

// errWording means that a message cannot be put into words: trying again does
// not help.
var errWording = errors.New("word the message")

// render makes the bytes of the message and stores them before anything is
// sent, so that every attempt sends the same ones. c.Body stays nil where the
// claim is no longer held.
func (d *Deliverer) render(ctx context.Context, c *Claim, ch channel.Channel, search *vacancy.Search, notify vacancy.Notify) (drop string, err error) {
	now := d.Now()
	today := vacancy.LondonDay(now)
	a := message.Alert{ID: c.Message.ID, Search: *search, At: now, PageURL: d.PageURL, Digest: c.Message.Event == ""}
	if d.StopURL != nil {
		a.StopURL = d.StopURL(search.ID)
	}
	for _, id := range c.Message.Also {
		if s, ok, err := d.Searches.Search(ctx, id); err == nil && ok {
			a.Also = append(a.Also, *s)
		}
	}
	var events []string
	if a.Digest {
		c.Message.Subscriber = search.Subscriber
		items, err := d.gather(ctx, c, today)
		if err != nil {
			return "", err
		}
		if len(items) == 0 {
			return DropEmpty, nil
		}
		a.Items = entries(search, items, today)
		for i := range items {
			events = append(events, items[i].Event.ID())
		}
	} else {
		e := *c.Event
		if c.Message.AsNew {
			e.Kind, e.Changes = vacancy.New, nil
		}
		a.Items = []message.Item{item(search, e, *c.Record, today)}
	}
	body, err := ch.Render(a, notify.To.Reveal())
	if err != nil {
		return "", fmt.Errorf("%w: %w", errWording, err)
	}
	held, err := d.Outbox.Keep(ctx, c, body, events)
	if err != nil {
		return "", err
	}
	if held {
		c.Body, c.Message.Items = body, events
	}
	return "", nil
}

// gather returns what a digest tells of: what is still open, soonest closing
// date first, as much as one message holds. The rest stays for the next part.
func (d *Deliverer) gather(ctx context.Context, c *Claim, today vacancy.Day) ([]DigestItem, error) {
	items, err := d.Outbox.Gather(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("gather the digest: %w", err)
	}
	var closed []string
	items = slices.DeleteFunc(items, func(it DigestItem) bool {
		if !over(&it.Event, &it.Record, today) {
			return false
		}
		closed = append(closed, it.Event.ID())
		return true
	})
	if len(closed) > 0 {
		d.Metrics.lapsed(len(closed))
		if err := d.Outbox.Forget(ctx, c, closed); err != nil {
			return nil, fmt.Errorf("forget closed items of the digest: %w", err)
		}
	}
	soonest := func(a, b DigestItem) int { return vacancy.ClosesBy(&a.Record.Vacancy, &b.Record.Vacancy) }
	slices.SortFunc(items, func(a, b DigestItem) int {
		if a.Held != b.Held {
			if a.Held {
				return -1
			}
			return 1
		}
		return soonest(a, b)
	})
	items = items[:min(len(items), message.MaxItems)]
	slices.SortFunc(items, soonest)
	taken, err := d.Outbox.HoldItems(ctx, c, items)
	if err != nil {
		return nil, fmt.Errorf("hold the items of the digest: %w", err)
	}
	return slices.DeleteFunc(items, func(it DigestItem) bool { return slices.Contains(taken, it.Event.ID()) }), nil
}
