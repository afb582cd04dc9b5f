package drift

import (
	"encoding/json"
	"maps"
	"math"
	"time"
)

// Learned is what good runs have taught of a source, by feed. It is part of
// the source's state. The zero value has learned nothing, and what has been
// learned of one feed says nothing of another. It is never changed: a Check
// returns a new one.
type Learned struct {
	Feeds map[string]Feed `json:"feeds,omitempty"`
}

// Feed is what was learned of one feed.
type Feed struct {
	// At is when it last learned.
	At time.Time `json:"at,omitzero"`
	// Items is how many entries the rates rest on. Old ones count ever less.
	Items float64 `json:"items,omitempty"`
	// Rates are the shares of entries that state an optional field.
	Rates map[string]float64 `json:"rates,omitempty"`
	// Front is what stood first.
	Front Front `json:"front,omitzero"`
}

const (
	// halfLife is how long it takes until an entry counts half.
	halfLife = 14 * 24 * time.Hour
	// fullWeight is the time since the last lesson after which each entry of a
	// run counts as one. Hot runs list the same hundred entries every few
	// minutes: without it a morning would displace what weeks have taught.
	fullWeight = 6 * time.Hour
	// mostItems bounds Items, so that what a site has become wins in the end.
	mostItems = 10000
	// mostFeeds bounds what is taken from a damaged state.
	mostFeeds = 8
	// alike is how much more alike the entries of one run are than they would
	// be by chance (the intraclass correlation): employers post in lumps, and
	// other ones at weekends. With it a hundred entries weigh as fifty, and any
	// number as less than a hundred.
	alike = 0.01
	// improbable is the natural logarithm of the probability of five standard
	// deviations, one in 3.5 million.
	improbable = -15.06
)

// Front returns what stood first in a feed at the last good run.
func (l Learned) Front(feed string) Front { return l.Feeds[feed].Front }

// Without returns what was learned, but for one feed. It is for the operator
// who has seen that the site has changed for good: nothing else unlocks runs
// that differ from what was learned.
func (l Learned) Without(feed string) Learned {
	l.Feeds = maps.Clone(l.Feeds)
	delete(l.Feeds, feed)
	return l
}

// UnmarshalJSON reads what was stored. What cannot be right is left out, and
// is no error: rates are learned again within a day, while a state that cannot
// be read is lost with all else in it.
func (l *Learned) UnmarshalJSON(b []byte) error {
	*l = Learned{}
	var stored struct {
		Feeds map[string]json.RawMessage `json:"feeds"`
	}
	if json.Unmarshal(b, &stored) != nil || len(stored.Feeds) > mostFeeds {
		return nil
	}
	for name, raw := range stored.Feeds {
		var f Feed
		if json.Unmarshal(raw, &f) != nil {
			continue
		}
		if l.Feeds == nil {
			l.Feeds = map[string]Feed{}
		}
		l.Feeds[name] = f.clean()
	}
	return nil
}

// clean returns f with only what can be right in it, and nothing shared.
func (f Feed) clean() Feed {
	out := Feed{At: f.At, Front: f.Front.clean()}
	if !(f.Items >= 0) { // negative or NaN
		return out
	}
	out.Items = min(f.Items, mostItems)
	for _, o := range optional {
		if r, ok := f.Rates[o.name]; ok && r >= 0 && r <= 1 {
			if out.Rates == nil {
				out.Rates = map[string]float64{}
			}
			out.Rates[o.name] = r
		}
	}
	return out
}

// learn returns f with the entries of one more run.
func (f Feed) learn(now time.Time, items int, have map[string]int) Feed {
	f = f.clean()
	old, weight := 0.0, 1.0
	if f.Items > 0 {
		// A clock that went back makes no time pass.
		passed := max(now.Sub(f.At), 0)
		old = f.Items * math.Exp2(-float64(passed)/float64(halfLife))
		weight = min(float64(passed)/float64(fullWeight), 1)
	}
	all := old + weight*float64(items)
	if all > 0 {
		rates := make(map[string]float64, len(optional))
		for _, o := range optional {
			r, known := f.Rates[o.name]
			switch seen := float64(have[o.name]); {
			case known:
				r = (old*r + weight*seen) / all
			case weight > 0 && items > 0:
				r = seen / float64(items) // a field that an older version did not learn
			default:
				continue
			}
			rates[o.name] = min(max(math.Round(r*1e5)/1e5, 0), 1)
		}
		f.Rates = rates
	}
	f.Items = math.Round(min(all, mostItems)*100) / 100
	if now.After(f.At) {
		f.At = now.UTC()
	}
	return f
}

// short reports whether have of items is improbably few for a rate that was
// learned from so many entries. It is the bound of Chernoff, which holds where
// a multiple of the standard deviation says little: near the rates of 0 and 1
// where fields lie.
func short(have, items int, rate, learnedFrom float64) bool {
	if items < enough || learnedFrom < enough {
		return false
	}
	// One success and one failure more than were seen: a rate of 1 is one that
	// has not failed yet.
	p := (rate*learnedFrom + 1) / (learnedFrom + 2)
	x := float64(have) / float64(items)
	if !(x < p) {
		return false
	}
	weight := 1 / (1/effective(float64(items)) + 1/effective(learnedFrom))
	return -weight*divergence(x, p) < improbable
}

// effective is the number of independent entries that n of one run weigh.
func effective(n float64) float64 { return n / (1 + (n-1)*alike) }

// divergence is that of Kullback and Leibler between two shares, p within (0, 1).
func divergence(x, p float64) float64 {
	d := 0.0
	if x > 0 {
		d += x * math.Log(x/p)
	}
	if x < 1 {
		d += (1 - x) * math.Log((1-x)/(1-p))
	}
	return d
}
