package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/netip"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vacancywatch/vacancywatch/alerts/channel"
)

func loopbackNets() []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }

// farSide is everything that the suite sends to.
type farSide struct {
	*arrivals
	plain, secure *mailSink
	hooks         []*hookSink
	cert          *certificate
	open          []io.Closer
}

func (r *deliverRun) newFarSide() (f *farSide, err error) {
	f = &farSide{arrivals: &arrivals{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	if f.cert, err = newCertificate(r.dir); err != nil {
		return f, err
	}
	if f.plain, err = newMailSink(f.arrivals, nil); err != nil {
		return f, err
	}
	f.open = append(f.open, f.plain)
	if f.secure, err = newMailSink(f.arrivals, f.cert); err != nil {
		return f, err
	}
	f.open = append(f.open, f.secure)
	for i := range farSides + 1 { // the last one is for bystanders
		h, err := newHookSink(f.arrivals, i, r.secret)
		if err != nil {
			return f, err
		}
		f.hooks, f.open = append(f.hooks, h), append(f.open, h)
	}
	return f, nil
}

func (f *farSide) Close() error {
	var errs []error
	for _, c := range f.open {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// channels opens the mail channel to a relay, where one is given, and those to
// some endpoints.
func (f *farSide) channels(to *relay, secret string, endpoints ...int) (_ map[string]channel.Channel, err error) {
	out := map[string]channel.Channel{}
	if to != nil {
		if out[mailChannel], err = openMail(*to); err != nil {
			return nil, err
		}
	}
	for _, i := range endpoints {
		if out[hookChannel(i)], err = openHook(f.hooks[i], secret); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// A way is one by which alerts leave.
type way struct {
	name     string
	employer string // whose vacancies go this way
	relay    *relay
	hooks    int
	exim     *eximRelay    // counts in place of the arrivals
	answer   time.Duration // after which the far side answers
	share    int           // of the messages, one in so many
	// mailsPerConn is after how many mails the bare library makes a new
	// connection to the relay.
	mailsPerConn int
}

// A rate is what was measured of a way.
type rate struct {
	name       string
	ours, bare []float64 // messages a second, by round
	steps      steps     // a message, of the last round
	took       float64   // ns a message, of the last round
	others     map[string]int
}

// ratio compares round by round, for the machine may be slower in one.
func (f *rate) ratio() float64 {
	var out []float64
	for i := range f.ours {
		out = append(out, f.ours[i]/f.bare[i])
	}
	return middle(out)
}

func middle(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

// ofEach is how many searches want each vacancy of a rate.
const ofEach = 50

// rates measures every way over every state.
func (r *deliverRun) rates(ctx context.Context, states []string) (err error) {
	far, err := r.newFarSide()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, far.Close()) }()
	ways := r.ways(ctx, far)
	rows := [][]string{{"messages a second", "state", "bare", "ours", "ratio", "µs a message", "sending bare", "store steps", "in them", "reads", "in them"}}
	for _, state := range states {
		searches := slices.Concat(benchSearches("mailers", ofEach, mailChannel), benchSearches("single", ofEach, hookChannel(0)),
			benchSearches("several", ofEach, hookChannels(farSides)...))
		s, err := r.newStage(ctx, state, searches)
		if err != nil {
			return err
		}
		for _, w := range ways {
			f, err := r.measureWay(ctx, s, far, w)
			if err != nil {
				return errors.Join(fmt.Errorf("%s, %s: %w", w.name, state, err), s.Close())
			}
			rows = append(rows, f.row(state))
			r.promiseSpeed(f.ratio() >= leastRatio, "%s, %s: %.2f times the bare library's rate, not %.1f", w.name, state, f.ratio(), leastRatio)
			for what, n := range f.others {
				fmt.Fprintf(r.out, "%s, %s: %d times %s\n", w.name, state, n, what)
			}
		}
		if err := s.Close(); err != nil {
			return err
		}
	}
	fmt.Fprintf(r.out, "\nup to %d messages a round, %d rounds; the bare library sends the same bytes, over one connection to each relay and endpoint\n\n", r.Messages, r.Rounds)
	align(r.out, rows)
	return nil
}

// ways are all that are measured. Where a far side takes its time there are
// fewer messages.
func (r *deliverRun) ways(ctx context.Context, far *farSide) []way {
	var out []way
	for _, answer := range r.Answer {
		note, share := "", 1
		if answer > 0 {
			note, share = fmt.Sprintf(", answers after %v", answer), 5
		}
		out = append(out,
			way{name: "mail, in the clear" + note, employer: "mailers", relay: &far.plain.relay, mailsPerConn: math.MaxInt, answer: answer, share: share},
			way{name: "mail, STARTTLS" + note, employer: "mailers", relay: &far.secure.relay, mailsPerConn: math.MaxInt, answer: answer, share: share},
			way{name: "webhook, 1 endpoint" + note, employer: "single", hooks: 1, answer: answer, share: share},
			way{name: fmt.Sprintf("webhook, %d endpoints", farSides) + note, employer: "several", hooks: farSides, answer: answer, share: share})
	}
	if r.Quick {
		return out
	}
	exim, err := startExim(ctx, filepath.Join(r.dir, "exim"), far.cert)
	if err != nil {
		fmt.Fprintf(r.out, "Exim is left out: %v\n", err)
		return out
	}
	far.open = append(far.open, exim)
	// With each mail of one connection Exim gets slower: 201 a second over one,
	// 222 where every tenth comes over a new one. The harder baseline counts.
	return append(out, way{name: "mail, STARTTLS, Exim", employer: "mailers", relay: &exim.relay, exim: exim, share: 5, mailsPerConn: 10})
}

func (f *rate) row(state string) []string {
	micros := func(ns float64) string { return fmt.Sprintf("%.0f", ns/1e3) }
	return []string{f.name, state, fmt.Sprintf("%.0f", middle(f.bare)), fmt.Sprintf("%.0f", middle(f.ours)), fmt.Sprintf("%.2f", f.ratio()),
		micros(f.took), micros(1e9 / f.bare[len(f.bare)-1]),
		fmt.Sprintf("%.2f", f.steps.updates), micros(f.steps.updating), fmt.Sprintf("%.2f", f.steps.reads), micros(f.steps.reading)}
}

// measureWay measures one way, and the bare library behind it, in each round.
func (r *deliverRun) measureWay(ctx context.Context, s *deliverStage, far *farSide, w way) (*rate, error) {
	f := &rate{name: w.name, others: map[string]int{}}
	vacancies := max(1, r.Messages/w.share/ofEach)
	want := vacancies * ofEach
	for range r.Rounds {
		if _, err := s.sight(ctx, w.employer, vacancies); err != nil {
			return nil, err
		}
		if n, err := s.queued(ctx); err != nil || n != want {
			return nil, fmt.Errorf("%d messages were queued, want %d: %w", n, want, err)
		}
		far.expect(want, true)
		far.answer.Store(int64(w.answer))
		if w.exim != nil {
			if err := w.exim.skip(); err != nil {
				return nil, err
			}
		}
		d := newDelivery(want)
		before := s.meter.read()
		took, bytes, err := r.deliverAll(ctx, s, far, w, d)
		if err != nil {
			return nil, err
		}
		f.steps, f.took = s.meter.read().since(before, want), float64(took)/float64(want)
		f.ours = append(f.ours, float64(want)/took.Seconds())
		for what, n := range d.other {
			f.others[what] += n
		}
		came, again, err := w.counts(far)
		if err != nil {
			return nil, err
		}
		r.promise(came == want, "%s, %s: %d of %d messages arrived", w.name, s.state, came, want)
		r.promise(again == 0, "%s, %s: %d messages arrived again", w.name, s.state, again)

		far.expect(want, false)
		if w.relay != nil {
			took, err = bareMail(ctx, *w.relay, bytes, w.mailsPerConn)
		} else {
			took, err = bareHooks(ctx, far.hooks[:w.hooks], bytes)
		}
		if err != nil {
			return nil, fmt.Errorf("bare: %w", err)
		}
		f.bare = append(f.bare, float64(want)/took.Seconds())
	}
	return f, nil
}

// counts are what the way's far side has accepted.
func (w *way) counts(far *farSide) (came, again int, err error) {
	if w.exim != nil {
		return w.exim.counts()
	}
	came, again = far.counts()
	return came, again, nil
}

// deliverAll has a deliverer of the daemon bring away what is queued, and
// returns how long that took, to the last settling, and the bytes.
func (r *deliverRun) deliverAll(ctx context.Context, s *deliverStage, far *farSide, w way, d *delivery) (time.Duration, []sent, error) {
	var endpoints []int
	for i := range w.hooks {
		endpoints = append(endpoints, i)
	}
	channels, err := far.channels(w.relay, r.secret, endpoints...)
	if err != nil {
		return 0, nil, err
	}
	record := &recorder{}
	if w.exim != nil {
		channels[mailChannel] = record.over(channels[mailChannel])
	}
	running, stop := context.WithCancel(ctx)
	var g errgroup.Group
	deliverer := s.deliverFrom(s.store, channels, d.settled)
	began := time.Now()
	g.Go(func() error { return deliverer.Run(running) })
	err = d.wait(ctx)
	took := time.Since(began)
	stop()
	err = errors.Join(err, g.Wait(), closeChannels(channels))
	if w.exim != nil {
		return took, record.mails, err
	}
	return took, far.kept, err
}

// A recorder keeps what a mail channel sends to a relay that shows us nothing.
type recorder struct{ mails []sent }

func (r *recorder) over(ch channel.Channel) channel.Channel { return recorded{ch, r} }

type recorded struct {
	channel.Channel
	*recorder
}

// Send is called for one mail at a time: it is one relay.
func (r recorded) Send(ctx context.Context, m channel.Message) channel.Result {
	r.mails = append(r.mails, sent{from: "b+" + channel.Token(m.ID) + "@bench.example", to: m.To, body: m.Body})
	return r.Channel.Send(ctx, m)
}

// Close ends the channel's connection.
func (r recorded) Close() error {
	if c, ok := r.Channel.(io.Closer); ok {
		return c.Close()
	}
	return nil
}
