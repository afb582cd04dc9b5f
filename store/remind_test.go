package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/store"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/store/engine/enginetest"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

func remindedTo(n vacancy.Notify, days int) vacancy.Notify {
	n.RemindDays = days
	return n
}

// runs turns the clock on to a time, hour by hour as the upkeep does, and
// returns when what arrived did: "15 08:00 0001 to jo for a".
func (r *rig) runs(until time.Time) []string {
	r.t.Helper()
	var out []string
	for r.now.Before(until) {
		r.now = r.now.Truncate(time.Hour).Add(time.Hour)
		if _, err := r.store.Expire(r.t.Context(), vacancy.LondonDay(r.now), r.now); err != nil {
			r.t.Fatal(err)
		}
		if _, err := r.sink.Remind(r.t.Context()); err != nil {
			r.t.Fatal(err)
		}
		before := len(r.letters())
		r.pass()
		for _, l := range r.letters()[before:] {
			out = append(out, r.now.In(vacancy.London()).Format("2 15:04 ")+l)
		}
	}
	return out
}

// Of a vacancy that a reader was told of he is reminded once, so many days
// before it closes: at his own hour where he has one.
func TestReminder(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		weekly := notifying("kim", func(n *vacancy.Notify) { n.Rhythm, n.Hour, n.Day = vacancy.Weekly, 9, "thursday" })
		r := newRig(t, eng,
			band5("a", "jo", remindedTo(mailTo("jo"), 3), hook),
			band5("b", "sam", remindedTo(dailyTo("sam", 7), 2)),
			band5("c", "kim", remindedTo(weekly, 5)),
			band5("d", "lee", mailTo("lee")),
			band5("e", "ann", remindedTo(quietTo("ann"), 1)))
		r.see(vac(1))
		got := r.runs(summer(24, 0, 0))
		r.open() // a restart
		gone, short := vac(2), vac(3)
		short.Closing = vacancy.Day{Year: 2026, Month: 7, Day: 26} // two days: too few for jo's three
		r.see(gone, short)
		r.pass()
		if _, err := r.sink.Close(t.Context(), []vacancy.Key{gone.Key()}, vacancy.Early, r.now, ""); err != nil {
			t.Fatal(err)
		}
		got = append(got, r.runs(summer(31, 0, 0))...)
		var reminders, others []string
		for _, l := range got {
			if strings.Contains(l, "closing_soon") {
				reminders = append(reminders, l)
			} else {
				others = append(others, l)
			}
		}
		want := []string{
			"23 09:00 0001 closing_soon to kim for c",
			"25 07:00 0003 closing_soon to ann for e",
			"25 08:00 0001 closing_soon to jo for a",
			"26 07:00 0001 closing_soon to sam for b",
			"27 07:00 0001 closing_soon to ann for e",
		}
		if diff := cmp.Diff(want, reminders); diff != "" {
			t.Errorf("reminders (-want +got):\n%s", diff)
		}
		// A reminder brings nothing along that waits for its own window.
		for _, l := range others {
			if strings.Contains(l, "to kim") && !strings.HasPrefix(l, "16 09:00 ") && !strings.HasPrefix(l, "30 09:00") {
				t.Errorf("kim got his weekly mail at another time: %s", l)
			}
		}
		if c := r.counts(); c.Digests != 0 || c.Queued != 0 {
			t.Errorf("counts %+v, want nothing left", c)
		}
	})
}

// A closing date that moves moves the reminder, and none comes twice.
func TestReminderMoves(t *testing.T) {
	july := func(d int) vacancy.Day { return vacancy.Day{Year: 2026, Month: 7, Day: d} }
	type move struct {
		at time.Time
		to vacancy.Day
	}
	for name, tt := range map[string]struct {
		moves []move
		want  string // day and hour of the reminder
	}{
		"not":                          {nil, "25 08:00"},
		"sooner":                       {[]move{{summer(16, 10, 0), july(22)}}, "19 08:00"},
		"later":                        {[]move{{summer(16, 10, 0), july(30)}}, "27 08:00"},
		"later, after it":              {[]move{{summer(25, 12, 0), july(31)}}, "25 08:00"},
		"later, just before it":        {[]move{{summer(25, 7, 0), july(30)}}, "27 08:00"},
		"sooner than the days":         {[]move{{summer(20, 12, 0), july(21)}}, "21 08:00"},
		"later and back":               {[]move{{summer(16, 10, 0), july(31)}, {summer(17, 10, 0), july(28)}}, "25 08:00"},
		"to a day that is not stated":  {[]move{{summer(16, 10, 0), vacancy.Day{}}}, "25 08:00"}, // a date left out is no move
		"sooner, while it was waiting": {[]move{{summer(25, 7, 0), july(27)}}, "25 08:00"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, enginetest.OpenBolt(t), band5("a", "jo", remindedTo(mailTo("jo"), 3)))
			r.see(vac(1))
			var got []string
			for _, m := range tt.moves {
				got = append(got, r.runs(m.at)...)
				v := vac(1)
				v.Closing = m.to
				r.see(v)
			}
			got = append(got, r.runs(summer(31, 20, 0))...)
			var reminders []string
			for _, l := range got {
				if at, ok := strings.CutSuffix(l, " 0001 closing_soon to jo for a"); ok {
					reminders = append(reminders, at)
				}
			}
			if strings.Join(reminders, ", ") != tt.want {
				t.Errorf("reminded at %v, want %s; all: %q", reminders, tt.want, got)
			}
		})
	}
}

// A day on which nothing was running is made up for, as long as the vacancy is
// open; whose search has ended, or who asks no more, is not reminded.
func TestReminderAfterStandstill(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		searches := []vacancy.Search{band5("a", "jo", remindedTo(mailTo("jo"), 3)), band5("b", "sam", remindedTo(mailTo("sam"), 3)), band5("c", "kim", remindedTo(mailTo("kim"), 3))}
		r := newRig(t, eng, searches...)
		over := vac(2)
		over.Closing = vacancy.Day{Year: 2026, Month: 7, Day: 25}
		r.see(vac(1), over)
		r.runs(summer(16, 0, 0))
		if _, err := r.store.EndSearch(t.Context(), "b", store.EndedByReader, r.now); err != nil {
			t.Fatal(err)
		}
		searches[2] = band5("c", "kim", mailTo("kim"))
		r.provision(searches...)
		r.open()
		r.now = summer(26, 14, 10)
		got := r.runs(summer(31, 0, 0))
		if diff := cmp.Diff([]string{"26 15:00 0001 closing_soon to jo for a"}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// Every step fails once, failed and failed but done: one reminder comes.
func TestEveryStepOfAReminderFails(t *testing.T) {
	for _, done := range []bool{false, true} {
		t.Run(fmt.Sprintf("done=%v", done), func(t *testing.T) {
			for at := 1; ; at++ {
				f := &faulty{Engine: enginetest.OpenMiniredis(t)}
				r := newRig(t, f, band5("a", "jo", remindedTo(mailTo("jo"), 3)), band5("b", "jo", remindedTo(dailyTo("jo", 8), 3)))
				r.see(vac(1), vac(2))
				r.pass()
				r.now = summer(25, 0, 10)
				f.arm(at, done)
				for range 40 {
					// What fails is repeated, by the next upkeep or the next pass.
					_, _ = r.sink.Remind(t.Context())
					_, _ = r.deliver.Pass(t.Context())
					r.now = r.now.Add(15 * time.Minute)
				}
				fired := f.calls.Load() >= int64(at)
				f.arm(0, false)
				var got []string
				for _, l := range r.far.told() {
					if strings.HasPrefix(l, "closing_soon") {
						got = append(got, l)
					}
				}
				if len(got) != 2 || got[0] == got[1] {
					t.Fatalf("at step %d: %q, want one reminder of each", at, got)
				}
				if !fired {
					if at < 8 {
						t.Errorf("only %d steps were tried: the story is not whole", at-1)
					}
					return
				}
			}
		})
	}
}
