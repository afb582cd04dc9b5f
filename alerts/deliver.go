package alerts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts/bounce"
	"github.com/vacancywatch/vacancywatch/alerts/channel"
	"github.com/vacancywatch/vacancywatch/alerts/message"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// mailLife ends a mail that could not be sent: what it tells goes into the
// next digest, worded anew. Webhooks end by their own schedule.
const mailLife = 24 * time.Hour

// A Deliverer sends what is due in the outbox.
type Deliverer struct {
	Outbox   Outbox
	Searches Searches
	Channels map[string]channel.Channel // by configured name
	// StopURL gives the page that ends a search; nil where none is served.
	StopURL func(search string) string
	// ManageURL gives the page on which a person sees to the searches that he
	// saved himself, "" for a search of nobody's. May be nil.
	ManageURL func(ctx context.Context, search *vacancy.Search) (string, error)
	// Notices words messages that are no alerts. Where it is nil there are none.
	Notices Notices
	PageURL string
	Now     func() time.Time
	Logger  *slog.Logger
	Metrics *Metrics
	// Sent is called after each settled attempt. May be nil.
	Sent func(m *Message, s Settlement)
	// Suppressions are the addresses that get no mail. May be nil.
	Suppressions Suppressions
	// Endpoints keep how the endpoints do that are no mail relays. Where it is
	// nil none is asked to answer a challenge, and none is disabled.
	Endpoints Endpoints
	// Rates are the most messages a second, by the name of the channel; one
	// that is not there is sent to as fast as it takes them.
	Rates map[string]float64

	once sync.Once
	wake chan struct{} // for a look at the outbox
	open chan struct{} // for a look at the digests

	mu           sync.Mutex
	destinations map[string]*destination
	given        int               // turns
	health       map[string]Health // by channel, as it was read or changed last
	asked        map[string]int    // by channel: how often a challenge was sent
	askAt        map[string]time.Time
}

func (d *Deliverer) init() {
	d.once.Do(func() {
		d.wake, d.open = make(chan struct{}, 1), make(chan struct{}, 1)
		d.destinations, d.health = map[string]*destination{}, map[string]Health{}
		d.asked, d.askAt = map[string]int{}, map[string]time.Time{}
	})
}

// Wake makes Run look at the outbox now.
func (d *Deliverer) Wake() {
	d.init()
	wink(d.wake)
}

func wink(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// deliver is the way of one message: check again, render once, send, settle.
func (d *Deliverer) deliver(ctx context.Context, c *Claim, to *destination) (Settlement, error) {
	m := &c.Message
	ch := d.Channels[m.Channel()]
	if ctx.Err() != nil || ch != nil && d.Now().Add(ch.Limit()).After(c.Until) {
		// Shutting down, or the claim waited so long for its turn that it
		// could lapse while the message is under way.
		return d.settle(ctx, c, ch, SettleRelease, "", "not begun", c.Due)
	}
	if m.Notice != "" {
		return d.deliverNotice(ctx, c, ch, to)
	}
	search, notify, drop, err := d.recheck(ctx, c)
	if err != nil {
		return d.settle(ctx, c, ch, SettleRelease, "", "recheck failed", d.Now().Add(30*time.Second))
	}
	if drop != "" {
		return d.settle(ctx, c, ch, SettleDrop, drop, "", deferTo(notify, drop, d.Now()))
	}
	if until, ok := quietUntil(notify, d.Now()); ok {
		return d.settle(ctx, c, ch, SettleRelease, "", "quiet hours", until)
	}
	if ch == nil {
		// Configured again, it goes on; a typo in the file loses nothing.
		return d.settle(ctx, c, nil, SettleRelease, "", "channel is not configured", d.Now().Add(10*time.Minute))
	}
	if d.disabled(m.Channel()) {
		return d.settle(ctx, c, ch, SettleBury, channel.ReasonDisabled, "", d.Now())
	}
	if d.paused(to) {
		return d.settle(ctx, c, ch, SettleRelease, "", "destination is paused", c.Due)
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
			return d.settle(ctx, c, ch, SettleDrop, drop, "", deferTo(notify, drop, d.Now()))
		}
		if c.Body == nil {
			return SettleRelease, nil // the claim is another's by now
		}
	}
	result := ch.Send(ctx, channel.Message{ID: m.ID, To: notify.To.Reveal(), Body: c.Body, Try: m.Tries, At: d.Now()})
	s, err := d.conclude(ctx, c, ch, to, result)
	// Last: what becomes of the message does not hang on how its endpoint does.
	d.noteEndpoint(ctx, m.Channel(), ch, result)
	return s, err
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
	if notify.To != "" && d.Suppressions != nil {
		s, ok, err := d.Suppressions.Suppressed(ctx, notify.To, d.Now())
		switch {
		case err != nil:
			return nil, vacancy.Notify{}, "", err
		case ok && s.Reason == bounce.Complained:
			return nil, vacancy.Notify{}, DropComplaint, nil
		case ok:
			return nil, notify, DropSuppressed, nil
		}
	}
	if d.Now().Before(notify.Paused) {
		return nil, notify, DropPaused, nil
	}
	// What may have arrived is not told anew under another ID: it is tried with
	// the same bytes until its tries are used up.
	doubtful := m.Doubtful && c.Body != nil
	if notify.To != "" && !doubtful && d.Now().Sub(m.Begun()) > life(notify, m) {
		return nil, notify, DropExpired, nil
	}
	if _, quiet := quietUntil(notify, d.Now()); quiet && m.Event != "" && c.Body == nil {
		return nil, notify, DropQuiet, nil
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
	if d.ManageURL != nil {
		if a.ManageURL, err = d.ManageURL(ctx, search); err != nil {
			return "", fmt.Errorf("make the link to the reader's own page: %w", err)
		}
	}
	for _, id := range c.Message.Also {
		if s, ok, err := d.Searches.Search(ctx, id); err == nil && ok {
			a.Also = append(a.Also, *s)
		}
	}
	var events []string
	if a.Digest {
		c.Message.Subscriber = search.Subscriber
		a.Missed = message.Span{From: c.Message.Missed, To: c.Message.Created}
		items, err := d.gather(ctx, c, notify, today)
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
		if most := notify.DailyCap; most > 0 && notify.To != "" {
			place, err := d.Outbox.Place(ctx, c, today, most)
			switch {
			case err != nil:
				return "", fmt.Errorf("count the mails of the day: %w", err)
			case place == 0:
				return DropCapped, nil
			case place == most:
				a.LastOf, a.NextMail = most, deferTo(notify, DropCapped, now)
			}
		}
		a.Items = []message.Item{item(search, as(*c.Event, c.Message.AsNew), *c.Record, today)}
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
func (d *Deliverer) gather(ctx context.Context, c *Claim, notify vacancy.Notify, today vacancy.Day) ([]DigestItem, error) {
	c.Next = nextDigest(notify, d.Now())
	items, err := d.Outbox.Gather(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("gather the digest: %w", err)
	}
	var closed []string
	items = slices.DeleteFunc(items, func(it DigestItem) bool {
		if !over(&it.Event, &it.Record, today) && !outOfDate(&it, notify, today) {
			return false
		}
		closed = append(closed, it.Event.ID())
		if it.Event.Kind != vacancy.ClosingSoon {
			d.Metrics.lapsed(1)
		}
		return true
	})
	if len(closed) > 0 {
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
	items = inEntries(items, message.MaxItems)
	slices.SortFunc(items, soonest)
	taken, err := d.Outbox.HoldItems(ctx, c, items)
	if err != nil {
		return nil, fmt.Errorf("hold the items of the digest: %w", err)
	}
	return slices.DeleteFunc(items, func(it DigestItem) bool { return slices.Contains(taken, it.Event.ID()) }), nil
}
