package crawler

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

func planned() *Source {
	return &Source{Name: "nhs-jobs", Site: sites["nhs-jobs"], PollsPerDay: 200, HotMin: 2 * time.Minute, HotMax: 30 * time.Minute, SweepHour: 3}
}

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

func TestDue(t *testing.T) {
	noon := at("2026-09-01T12:00:00Z") // 13:00 in London
	ago := func(d time.Duration) time.Time { return noon.Add(-d) }
	// settled is a state in which nothing is due.
	settled := func() *State {
		made := func() map[Tier]time.Time {
			return map[Tier]time.Time{Hot: ago(time.Minute), Deep: ago(30 * time.Minute), Sweep: ago(10 * time.Hour),
				Canary: ago(9 * time.Hour), Reread: ago(5 * time.Minute)}
		}
		return &State{NextHot: noon.Add(time.Minute), LastGood: made(), LastAttempt: made()}
	}
	for _, test := range []struct {
		name   string
		change func(*State)
		want   []Tier
	}{
		{"nothing", func(*State) {}, nil},
		{"hot", func(s *State) { s.NextHot = noon }, []Tier{Hot}},
		{"hot, never made", func(s *State) { s.NextHot = time.Time{} }, []Tier{Hot}},
		{"deep", func(s *State) {
			s.LastGood[Deep], s.LastAttempt[Deep] = ago(time.Hour), ago(time.Hour)
		}, []Tier{Deep}},
		{"deep failed just now", func(s *State) {
			s.LastGood[Deep], s.LastAttempt[Deep] = ago(2*time.Hour), ago(14*time.Minute)
		}, nil},
		{"deep failed a while ago", func(s *State) {
			s.LastGood[Deep], s.LastAttempt[Deep] = ago(2*time.Hour), ago(15*time.Minute)
		}, []Tier{Deep}},
		{"sweep missed", func(s *State) {
			s.LastGood[Sweep], s.LastAttempt[Sweep] = ago(34*time.Hour), ago(34*time.Hour)
		}, []Tier{Sweep}},
		{"sweep failed just now", func(s *State) {
			s.LastGood[Sweep], s.LastAttempt[Sweep] = ago(34*time.Hour), ago(29*time.Minute)
		}, nil},
		{"sweep goes on", func(s *State) { s.Cursor = &Cursor{Page: 40}; s.LastAttempt[Sweep] = ago(time.Minute) }, []Tier{Sweep}},
		{"sweep without a budget", func(s *State) { s.Cursor = &Cursor{Page: 40, NotBefore: noon.Add(time.Second)} }, nil},
		{"all at once", func(s *State) { *s = State{} }, []Tier{Hot, Deep, Sweep, Canary, Reread}},
		{"behind a gate", func(s *State) { *s = State{Gate: noon.Add(time.Second)} }, nil},
		{"the gate opens", func(s *State) { *s = State{Gate: noon} }, []Tier{Hot, Deep, Sweep, Canary, Reread}},
		{"paused", func(s *State) { *s = State{Paused: true} }, nil},
		{"the circuit is open", func(s *State) { *s = State{Failures: 5} }, []Tier{Hot}},
		{"a flood", func(s *State) { s.Baseline, s.NextHot = &Baseline{Reason: Flood}, noon }, []Tier{Hot}},
		{"a sweep not good a while ago", func(s *State) {
			s.SweepFails, s.LastGood[Sweep], s.LastAttempt[Sweep] = 2, ago(34*time.Hour), ago(119*time.Minute)
		}, nil},
		{"a sweep not good long ago", func(s *State) {
			s.SweepFails, s.LastGood[Sweep], s.LastAttempt[Sweep] = 2, ago(34*time.Hour), ago(2*time.Hour)
		}, []Tier{Sweep}},
		{"something is missing", func(s *State) { s.Probing = &Probing{} }, []Tier{Probe}},
		{"something is missing, not yet", func(s *State) { s.Probing = &Probing{NotBefore: noon.Add(time.Second)} }, nil},
		{"canary", func(s *State) { s.LastGood[Canary], s.LastAttempt[Canary] = ago(33*time.Hour), ago(time.Hour) }, []Tier{Canary}},
		{"canary failed just now", func(s *State) {
			s.LastGood[Canary], s.LastAttempt[Canary] = ago(33*time.Hour), ago(59*time.Minute)
		}, nil},
		{"canary, pages forbidden", func(s *State) { s.HTMLForbidden, s.LastGood[Canary] = true, ago(33*time.Hour) }, nil},
		{"reread", func(s *State) { s.LastAttempt[Reread] = ago(rereadEvery) }, []Tier{Reread}},
		{"the second feed, the first not tried yet", func(s *State) { s.Fallback = &Fallback{Since: ago(29 * time.Minute)} }, nil},
		{"the second feed, the first to be tried", func(s *State) {
			s.Fallback, s.LastAttempt[Trial] = &Fallback{Since: ago(3 * time.Hour)}, ago(trialEvery)
		}, []Tier{Trial}},
		{"the second feed, deep", func(s *State) {
			s.Fallback, s.LastGood[Deep], s.LastAttempt[Trial] = &Fallback{Since: noon}, ago(5*time.Hour), ago(time.Minute)
		}, nil},
		{"stopped", func(s *State) { *s = State{Stopped: StoppedForbidden} }, nil},
		{"stopped in a baseline", func(s *State) { *s = State{Stopped: StoppedRobots, Baseline: &Baseline{}} }, nil},
		{"pages forbidden", func(s *State) { *s = State{HTMLForbidden: true} }, []Tier{Hot, Deep, Sweep}},
		{"baseline first", func(s *State) { *s = State{Baseline: &Baseline{}} }, []Tier{Sweep}},
		{"baseline goes on", func(s *State) {
			*s = State{Baseline: &Baseline{}, Cursor: &Cursor{Page: 20}, LastAttempt: map[Tier]time.Time{Sweep: ago(time.Minute)}}
		}, []Tier{Sweep}},
		{"baseline failed just now", func(s *State) {
			*s = State{Baseline: &Baseline{}, LastAttempt: map[Tier]time.Time{Sweep: ago(29 * time.Minute)}}
		}, nil},
		{"baseline failed a while ago", func(s *State) {
			*s = State{Baseline: &Baseline{}, LastAttempt: map[Tier]time.Time{Sweep: ago(30 * time.Minute)}}
		}, []Tier{Sweep}},
		{"after a night's sleep", func(s *State) {
			for _, tier := range Tiers() {
				s.LastGood[tier], s.LastAttempt[tier] = ago(26*time.Hour), ago(26*time.Hour)
			}
			s.NextHot = ago(25 * time.Hour)
		}, []Tier{Hot, Deep, Sweep, Canary, Reread}},
	} {
		t.Run(test.name, func(t *testing.T) {
			st := settled()
			test.change(st)
			var got []Tier
			for _, w := range Due(noon, st, planned()) {
				got = append(got, w.Tier)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("due (-want +got)\n%s", diff)
			}
		})
	}
}

// The sweep comes once a London day, at the first tick from three o'clock on,
// on the nights when the clocks change as well; if it was missed, at any time
// but around midnight.
func TestSweepDue(t *testing.T) {
	for _, test := range []struct {
		name       string
		from, last string // minutes are tried from here on, after the last good sweep
		want       string // the first one at which it is due, in UTC
	}{
		{"winter", "2026-01-14T00:31:00Z", "2026-01-13T03:04:00Z", "2026-01-14T03:00:00Z"},
		{"summer", "2026-07-14T00:31:00Z", "2026-07-13T02:04:00Z", "2026-07-14T02:00:00Z"},
		{"clocks go forward", "2026-03-28T23:31:00Z", "2026-03-28T03:04:00Z", "2026-03-29T02:00:00Z"},
		{"the day after", "2026-03-29T12:00:00Z", "2026-03-29T02:04:00Z", "2026-03-30T02:00:00Z"},
		{"clocks go back", "2026-10-24T23:31:00Z", "2026-10-24T02:04:00Z", "2026-10-25T03:00:00Z"},
		{"the day after that", "2026-10-25T12:00:00Z", "2026-10-25T03:04:00Z", "2026-10-26T03:00:00Z"},
		{"missed in the night", "2026-07-14T15:12:00Z", "2026-07-13T02:04:00Z", "2026-07-14T15:12:00Z"},
		{"missed until late", "2026-07-14T22:29:00Z", "2026-07-13T02:04:00Z", "2026-07-14T22:29:00Z"},
		{"not around midnight", "2026-07-14T22:30:00Z", "2026-07-13T02:04:00Z", "2026-07-15T02:00:00Z"},
		{"made late", "2026-07-15T00:00:00Z", "2026-07-14T21:04:00Z", "2026-07-15T02:00:00Z"},
		{"made just before three", "2026-07-15T01:59:00Z", "2026-07-15T01:58:00Z", "2026-07-15T02:28:00Z"},
	} {
		t.Run(test.name, func(t *testing.T) {
			last := at(test.last)
			st := &State{LastGood: map[Tier]time.Time{Sweep: last}, LastAttempt: map[Tier]time.Time{Sweep: last}}
			now := at(test.from)
			for end := now.Add(30 * time.Hour); now.Before(end) && !sweepDue(now, st, planned()); now = now.Add(time.Minute) {
			}
			if got := now.UTC().Format(time.RFC3339); got != test.want {
				t.Errorf("due at %s, want %s", got, test.want)
			}
		})
	}
}

// Each sweep hour that can be configured comes once on each day, the two
// odd ones included.
func TestSweepOncePerDay(t *testing.T) {
	for hour := range 24 {
		src := planned()
		src.SweepHour = hour
		for _, month := range []string{"2026-03-27T12:00:00Z", "2026-10-23T12:00:00Z"} {
			st := &State{LastGood: map[Tier]time.Time{Sweep: at(month)}, LastAttempt: map[Tier]time.Time{Sweep: at(month)}}
			made := map[vacancy.Day]int{}
			for now := at(month); now.Before(at(month).Add(96 * time.Hour)); now = now.Add(time.Minute) {
				if sweepDue(now, st, src) {
					made[vacancy.LondonDay(now)]++
					st.LastGood = map[Tier]time.Time{Sweep: now}
					st.LastAttempt = st.LastGood
				}
			}
			for day, n := range made {
				if n != 1 {
					t.Errorf("hour %d: %d sweeps on %s", hour, n, day)
				}
			}
			if len(made) < 3 { // from noon to noon these are the whole days
				t.Errorf("hour %d from %s: sweeps on %v", hour, month, made)
			}
		}
	}
}

func TestJitter(t *testing.T) {
	least, most := time.Hour, time.Duration(0)
	for range 1000 {
		d := jitter(10 * time.Minute)
		least, most = min(least, d), max(most, d)
	}
	if least < 9*time.Minute || most > 11*time.Minute || most-least < time.Minute {
		t.Errorf("from %s to %s", least, most)
	}
}
