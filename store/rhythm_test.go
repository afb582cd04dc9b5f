package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/alerts/channel"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/store/engine/enginetest"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// summer is a time on a day in July 2026, by the clock in London.
func summer(day, hour, minute int) time.Time {
	return time.Date(2026, 7, day, hour-1, minute, 0, 0, time.UTC)
}

// notifying is a mail with something set.
func notifying(who string, edit func(*vacancy.Notify)) vacancy.Notify {
	n := mailTo(who)
	edit(&n)
	return n
}

func quietTo(who string) vacancy.Notify {
	return notifying(who, func(n *vacancy.Notify) { n.Quiet = vacancy.Quiet{From: 22, To: 7} })
}

func cappedTo(who string, most int) vacancy.Notify {
	return notifying(who, func(n *vacancy.Notify) { n.DailyCap = most })
}

// letters returns what arrived as one line a message: its items, and to whom.
func (r *rig) letters() []string {
	r.far.mu.Lock()
	defer r.far.mu.Unlock()
	var out []string
	for _, id := range r.far.got {
		lines := strings.Split(r.far.bodies[id], "\n")
		_, who, _ := strings.Cut(lines[0], " to ")
		var refs []string
		for _, l := range lines[1:] {
			kind, ref, _ := strings.Cut(l, " ")
			if refs = append(refs, strings.TrimPrefix(ref, "C9001-26-")); kind != "new" {
				refs[len(refs)-1] += " " + kind
			}
		}
		out = append(out, strings.Join(refs, ", ")+" to "+strings.NewReplacer("@reader.example", "", "\t", ", ").Replace(who))
	}
	return out
}

func (r *rig) wantLetters(want ...string) {
	r.t.Helper()
	if got, want := strings.Join(r.letters(), "\n"), strings.Join(want, "\n"); got != want {
		r.t.Errorf("letters:\n%s\nwant:\n%s", got, want)
	}
}

// fieldsOf are the fields of a hash, over all slots.
func (r *rig) fieldsOf(name string) []string {
	r.t.Helper()
	var out []string
	for i := range r.eng.Slots() {
		slot := fmt.Sprintf("vw:%02d", i)
		h := &engine.HScan{Key: "{" + slot + "}:" + name, Count: 1000}
		if err := r.eng.Read(r.t.Context(), slot, h); err != nil {
			r.t.Fatal(err)
		}
		for _, p := range h.Pairs {
			out = append(out, p.Field)
		}
	}
	return out
}

// to turns the clock to a time and delivers.
func (r *rig) to(at time.Time) {
	r.t.Helper()
	r.now = at
	r.pass()
}

// What is matched in quiet hours comes at their end in one mail; a program is
// told at once, and before and after so is the reader.
func TestQuietHours(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", quietTo("jo"), hook))
		r.now = summer(14, 21, 59)
		r.see(vac(1))
		r.to(summer(14, 22, 0).Add(-time.Second))
		r.now = summer(14, 22, 30)
		r.see(vac(2))
		r.pass()
		r.open() // a restart
		r.now = summer(15, 3, 0)
		r.see(vac(3))
		r.see(vac(2))
		r.to(summer(15, 7, 0).Add(-time.Second))
		r.to(summer(15, 7, 0))
		r.see(vac(4))
		r.pass()
		want := map[string]int{"0001 to jo for a": 1, "0002, 0003 to jo for a": 1, "0004 to jo for a": 1, "0001 to  for a": 1, "0002 to  for a": 1, "0003 to  for a": 1, "0004 to  for a": 1}
		for _, l := range r.letters() {
			want[l]--
		}
		for l, n := range want {
			if n != 0 {
				t.Errorf("%q: %d too few", l, n)
			}
		}
	})
}

// A mail that comes to its turn in quiet hours waits for their end: one that
// was worded before as it is, for it may have arrived, others in one digest.
func TestTurnInQuietHours(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", quietTo("jo")))
		r.far.answer = answer(channel.Unknown, channel.ReasonTimeout)
		r.now = summer(14, 21, 59)
		r.see(vac(1))
		r.pass()
		r.far.answer = nil
		r.see(vac(2), vac(3)) // these wait, for the relay is paused
		r.pass()
		for range 90 { // to half past five
			r.later(5 * time.Minute)
		}
		if got := r.letters(); len(got) != 1 {
			t.Errorf("in the night there came %v, want the first attempt alone", got)
		}
		r.to(summer(15, 7, 0))
		got := r.letters()
		slices.Sort(got) // the two of the morning are due together
		if diff := cmp.Diff([]string{"0001 to jo for a", "0001 to jo for a", "0002, 0003 to jo for a"}, got); diff != "" {
			t.Errorf("letters (-want +got):\n%s", diff)
		}
	})
}

// A reader gets so many single mails in a London day, whatever the number of
// his searches and of restarts; the last one says so, and the rest is told in
// one mail the next morning. Everybody has a count of his own.
func TestDailyCap(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", cappedTo("jo", 3), hook), band5("b", "sam", cappedTo("sam", 4)),
			vacancy.Search{ID: "c", Subscriber: "jo", Bands: []string{"6"}, Notify: []vacancy.Notify{cappedTo("jo", 3)}})
		six := vac(2)
		six.Band = "6"
		r.see(vac(1))
		r.pass()
		r.see(six)
		r.pass()
		r.open()
		for i := 3; i <= 6; i++ {
			r.see(vac(i))
			r.later(time.Minute)
		}
		var jo []string
		for _, l := range r.letters() {
			if strings.Contains(l, "to jo") {
				jo = append(jo, l)
			}
		}
		const last = ", the last of 3 before 2026-07-15T07:00:00Z"
		want := "0001 to jo for a\n0002 to jo for c\n0003 to jo for a" + last
		if got := strings.Join(jo, "\n"); got != want {
			t.Errorf("on the day:\n%s\nwant:\n%s", got, want)
		}
		if got := r.told(" to sam"); len(got) != 4 {
			t.Errorf("sam was told %v, want 4", got)
		}
		if got := r.told(" to  for a"); len(got) != 5 {
			t.Errorf("the program was told %v, want 5", got)
		}
		r.to(summer(14, 23, 59))
		r.to(summer(15, 7, 59))
		if got := r.told(" to jo"); len(got) != 3 {
			t.Errorf("by the morning jo was told %v, want 3", got)
		}
		r.to(summer(15, 8, 0))
		r.see(vac(7)) // the first single one of a new day
		r.later(time.Minute)
		if want := "0004, 0005, 0006 to jo for a"; !slices.Contains(r.letters(), want) {
			t.Errorf("in the morning there is no %q: %v", want, r.letters())
		}
		if got := r.told(" to jo"); len(got) != 7 || !strings.HasPrefix(got[6], "new C9001-26-0007") {
			t.Errorf("in all jo was told %v", got)
		}
		// What nobody needs to know is forgotten.
		if err := r.store.Prune(t.Context(), r.now.Add(72*time.Hour)); err != nil {
			t.Fatal(err)
		}
		if got := r.setOf("placesend"); len(got) != 0 {
			t.Errorf("of whom mails are counted still: %v", got)
		}
	})
}

// told returns the lines of what was told that hold a text.
func (r *rig) told(text string) []string {
	var out []string
	for _, l := range r.far.told() {
		if strings.Contains(l, text) {
			out = append(out, l)
		}
	}
	return out
}

// Every step fails once, failed and failed but done, while a reader gets more
// than his single mails. The law: he gets exactly so many, the last of them
// says so, and everything is told once.
func TestEveryStepOfACapFails(t *testing.T) {
	for _, done := range []bool{false, true} {
		t.Run(fmt.Sprintf("done=%v", done), func(t *testing.T) {
			for at := 1; ; at++ {
				f := &faulty{Engine: enginetest.OpenMiniredis(t)}
				r := newRig(t, f, band5("a", "jo", cappedTo("jo", 2)))
				r.see(vac(1), vac(2), vac(3), vac(4))
				f.arm(at, done)
				for range 12 {
					// A pass that fails leaves its claims to lapse.
					_, _ = r.deliver.Pass(t.Context())
					r.now = r.now.Add(5 * time.Minute)
				}
				r.now = eight
				for range 12 {
					_, _ = r.deliver.Pass(t.Context())
					r.now = r.now.Add(5 * time.Minute)
				}
				fired := f.calls.Load() >= int64(at)
				f.arm(0, false)
				singles, last := 0, 0
				for _, l := range r.letters() {
					if !strings.Contains(l, ", 00") {
						singles++
					}
					if strings.Contains(l, "the last of 2") {
						last++
					}
				}
				if got := r.told("new "); len(got) != 4 || singles != 2 || last != 1 {
					t.Fatalf("at step %d: %v: %d single mails, of which %d say that they are the last", at, r.letters(), singles, last)
				}
				if !fired {
					if at < 20 {
						t.Errorf("only %d steps were tried: the story is not whole", at-1)
					}
					return
				}
			}
		})
	}
}

// Hourly and weekly digests end at their hour, also on the days when the
// clocks change.
func TestHourlyAndWeekly(t *testing.T) {
	hourlyTo := notifying("jo", func(n *vacancy.Notify) { n.Rhythm = vacancy.Hourly })
	weeklyTo := notifying("sam", func(n *vacancy.Notify) { n.Rhythm, n.Hour, n.Day = vacancy.Weekly, 8, "sunday" })
	for _, tt := range []struct{ name, now, hour, next, sunday string }{
		{"summer", "2026-07-14T12:10:00Z", "2026-07-14T13:00:00Z", "2026-07-14T14:00:00Z", "2026-07-19T07:00:00Z"},
		{"to summer time", "2026-03-29T00:10:00Z", "2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z", "2026-03-29T07:00:00Z"},
		{"to winter time", "2026-10-25T00:10:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z", "2026-10-25T08:00:00Z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			at := func(s string) time.Time {
				v, err := time.Parse(time.RFC3339, s)
				if err != nil {
					t.Fatal(err)
				}
				return v
			}
			r := newRig(t, enginetest.OpenBolt(t), band5("a", "jo", hourlyTo), band5("b", "sam", weeklyTo))
			r.now = at(tt.now)
			see := func(n int) {
				v := vac(n)
				v.Closing = vacancy.LondonDay(r.now).Add(20)
				r.see(v)
			}
			see(1)
			r.to(at(tt.hour).Add(-time.Second))
			r.wantLetters()
			r.later(time.Second)
			r.wantLetters("0001 to jo for a")
			see(2)
			r.to(at(tt.next).Add(-time.Second))
			r.wantLetters("0001 to jo for a")
			r.later(time.Second)
			r.to(at(tt.sunday).Add(-time.Second))
			r.wantLetters("0001 to jo for a", "0002 to jo for a")
			r.later(time.Second)
			r.wantLetters("0001 to jo for a", "0002 to jo for a", "0001, 0002 to sam for b")
		})
	}
}

// After a standstill the windows that were missed become one digest for each
// search, which says from when to when; what is over by then is left out, and
// its second part says nothing of it, nor does the next day's.
func TestMissedWindows(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", dailyTo("jo", 8)), band5("b", "sam", quietTo("sam")))
		short := vac(100)
		short.Closing = vacancy.Day{Year: 2026, Month: 7, Day: 16}
		r.see(short)
		for i := 1; i <= 51; i++ {
			r.see(vac(i))
		}
		r.pass() // sam has his
		sam := len(r.far.got)
		r.now = summer(14, 23, 0)
		r.see(vac(60))
		r.open()
		r.to(summer(20, 12, 5)) // six days later
		var late []string
		for _, l := range r.letters()[sam:] {
			if _, what, ok := strings.Cut(l, ", missed "); ok {
				late = append(late, what)
			}
		}
		const to = " to 2026-07-20T11:05:00Z"
		if got, want := strings.Join(late, "\n"), "from 2026-07-15T07:00:00Z"+to+"\nfrom 2026-07-15T06:00:00Z"+to; got != want && strings.Join([]string{late[1], late[0]}, "\n") != want {
			t.Errorf("late are\n%s\nwant\n%s", got, want)
		}
		if got := r.told("to jo"); len(got) != 52 {
			t.Errorf("jo was told %d, want the 52 that are open", len(got))
		}
		if got := len(r.far.got) - sam; got != 3 {
			t.Errorf("%d mails, want two parts and the one of the quiet night", got)
		}
		r.see(vac(61))
		r.to(summer(21, 8, 0))
		if got := r.letters(); !slices.Contains(got, "0061 to jo for a") || !slices.Contains(got, "0061 to sam for b") {
			t.Errorf("the next day: %q", got[len(got)-2:])
		}
	})
}
