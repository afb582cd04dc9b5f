package rate

import (
	"fmt"
	"testing"
	"time"
)

// Lumps are learned where there are some, to a quarter of a minute.
func TestLumps(t *testing.T) {
	begin := at("2026-06-01T00:00:00+01:00")
	for _, weekday := range []float64{20, 300, 3000} {
		for _, minute := range []float64{0, 2, 4.5, 17, 34.6, 59.5} {
			t.Run(fmt.Sprintf("%g a weekday, minute %g", weekday, minute), func(t *testing.T) {
				b := office(weekday, 5)
				b.lump, b.minute = .5, minute
				l := learn(Learned{}, b, begin, begin.AddDate(0, 0, 10), 6*time.Minute)
				centres := l.lumps.centres()
				want := time.Duration((minute + .5) * float64(time.Minute))
				off := 30 * time.Minute // around the full hour
				if len(centres) == 1 {
					off = (centres[0] - want + 90*time.Minute) % time.Hour
				}
				if (off-30*time.Minute).Abs() > 15*time.Second || len(centres) != 1 {
					t.Errorf("lumps at %v, want one at %s", centres, want)
				}
				// Half of the hour's adverts are expected there.
				h := begin.AddDate(0, 0, 14).Add(10 * time.Hour)
				share := l.Expected(h.Add(want).Truncate(5*time.Minute), h.Add(want).Truncate(5*time.Minute).Add(5*time.Minute)) / l.Expected(h, h.Add(time.Hour))
				if minute != 4.5 && minute != 34.6 && minute != 59.5 { // those lie in two slots
					near(t, "share of the lump's slot", share, .5+.5/12, .15)
				}
			})
		}
	}
}

func TestTwoLumps(t *testing.T) {
	begin := at("2026-06-01T00:00:00+01:00")
	a, b := office(300, 1), office(300, 2)
	a.lump, a.minute, b.lump, b.minute = .5, 7, .5, 42
	var l Learned
	for h := begin; h.Before(begin.AddDate(0, 0, 7)); h = h.Add(time.Hour) {
		l = l.Observe(h, h.Add(time.Hour), append(a.post(h, h.Add(time.Hour)), b.post(h, h.Add(time.Hour))...))
	}
	centres := l.lumps.centres()
	if len(centres) != 2 || (centres[0]-450*time.Second).Abs() > 20*time.Second || (centres[1]-2550*time.Second).Abs() > 20*time.Second {
		t.Errorf("lumps at %v, want 7m30s and 42m30s", centres)
	}
}

// A board without lumps has none, however often one asks.
func TestNoLumps(t *testing.T) {
	begin := at("2026-06-01T00:00:00+01:00")
	for seed := range uint64(60) {
		b := office([]float64{5, 15, 60, 1000}[seed%4], seed)
		days := []int{90, 90, 60, 14}[seed%4]
		for n, l := 0, (Learned{}); n < days; n++ {
			l = learn(l, b, begin.AddDate(0, 0, n), begin.AddDate(0, 0, n+1), time.Hour)
			if c := l.lumps.centres(); c != nil {
				t.Errorf("seed %d, %g a weekday, day %d: a lump at %v", seed, b.weekday, n, c)
				break
			}
		}
	}
}

// Large batches are no hourly lumps, until they have come at the same minute
// more than a few times.
func TestBatches(t *testing.T) {
	day := at("2026-09-01T00:00:00+01:00")
	for _, test := range []struct {
		name    string
		batches []string // hour and minute
		every   time.Duration
		want    int
	}{
		{"none", nil, 5 * time.Minute, 0},
		{"one", []string{"09:31"}, 5 * time.Minute, 0},
		{"one, seen in many looks", []string{"09:31"}, time.Second, 0},
		{"three at one minute", []string{"09:31", "10:31", "14:31"}, 5 * time.Minute, 0},
		{"five at other minutes", []string{"09:31", "10:02", "11:55", "12:17", "15:43"}, 5 * time.Minute, 0},
		{"four at one minute", []string{"09:31", "10:31", "11:31", "14:31"}, 5 * time.Minute, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			var posted []time.Time
			for _, hm := range test.batches {
				for n := range 200 {
					p, _ := time.Parse("15:04", hm)
					posted = append(posted, day.Add(p.Sub(p.Truncate(24*time.Hour))).Add(time.Duration(n)*200*time.Millisecond))
				}
			}
			var l Learned
			for now := day.Add(9 * time.Hour); now.Before(day.Add(18 * time.Hour)); now = now.Add(test.every) {
				n := 0
				for n < len(posted) && !posted[n].After(now.Add(test.every)) {
					n++
				}
				l, posted = l.Observe(now, now.Add(test.every), posted[:n]), posted[n:]
			}
			if got := l.lumps.centres(); len(got) != test.want {
				t.Errorf("lumps at %v, want %d", got, test.want)
			}
		})
	}
}

// What is small, or wide, is worth no poll.
func TestLumpsNotWorthAPoll(t *testing.T) {
	begin := at("2026-06-01T00:00:00+01:00")
	small := office(3000, 1)
	small.lump, small.minute = .05, 17
	if l := learn(Learned{}, small, begin, begin.AddDate(0, 0, 14), 10*time.Minute); l.lumps.centres() != nil {
		t.Errorf("a twentieth: lumps at %v, want none", l.lumps.centres())
	}
	var wide Learned
	for h := begin; h.Before(begin.AddDate(0, 0, 7)); h = h.Add(time.Hour) {
		var posted []time.Time
		for n := range 60 { // in the first half of the hour
			posted = append(posted, h.Add(time.Duration(n)*30*time.Second))
		}
		wide = wide.Observe(h, h.Add(time.Hour), posted)
	}
	if in, _, _ := wide.lumps.significant(); !in[2] {
		t.Error("the half hour was not noticed")
	}
	if c := wide.lumps.centres(); c != nil {
		t.Errorf("half an hour: lumps at %v, want none", c)
	}
}

// A lump that has gone is forgotten.
func TestForgetALump(t *testing.T) {
	begin := at("2026-01-05T00:00:00Z")
	b := office(300, 3)
	b.lump, b.minute = .4, 20
	l := learn(Learned{}, b, begin, begin.AddDate(0, 0, 28), 10*time.Minute)
	if l.lumps.centres() == nil {
		t.Fatal("no lump was learned")
	}
	b.lump = 0
	if l = learn(l, b, begin.AddDate(0, 0, 28), begin.AddDate(0, 0, 100), 10*time.Minute); l.lumps.centres() != nil {
		t.Errorf("after ten weeks there is still one at %v", l.lumps.centres())
	}
}

// Few adverts prove nothing, though each came in another hour: chance does
// that too often.
func TestFewAdverts(t *testing.T) {
	begin := at("2026-09-01T00:00:00Z")
	var l Learned
	for n := 1; n <= 60; n++ {
		h := begin.Add(time.Duration(n) * time.Hour)
		l = l.Observe(h, h.Add(time.Hour), []time.Time{h.Add(31 * time.Minute)})
		if c := l.lumps.centres(); n <= 50 && c != nil || n == 60 && c == nil {
			t.Errorf("after %d adverts: lumps at %v", n, c)
		}
	}
}

// Fading makes a lump no more certain and no less: its deviation fades as the
// counts do.
func TestFadeLumps(t *testing.T) {
	l := lumps{squares: 800 * hundredth, found: [slots]int64{3: 200 * hundredth}, within: [slots]int64{3: 20000 * hundredth}, last: 7, batch: 3}
	l.fade(28)
	near(t, "adverts", float64(l.found[3]), 100*hundredth, .001)
	near(t, "their seconds", float64(l.within[3]), 10000*hundredth, .001)
	near(t, "squares", float64(l.squares), 200*hundredth, .001)
}
