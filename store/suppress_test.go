package store_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/alerts/bounce"
	"github.com/vacancywatch/vacancywatch/store"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/store/engine/enginetest"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

const aDay = 24 * time.Hour

// suppressing gives a rig a suppression list.
func suppressing(r *rig) *store.Suppressions {
	r.t.Helper()
	l, err := r.store.Suppressions(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	r.deliver.Suppressions = l
	return l
}

func bounced(t *testing.T, l *store.Suppressions, a vacancy.Address, sent, now time.Time) bool {
	t.Helper()
	began, err := l.Bounced(t.Context(), l.ID(a), sent, now)
	if err != nil {
		t.Fatal(err)
	}
	return began
}

func complained(t *testing.T, l *store.Suppressions, a vacancy.Address, now time.Time) bool {
	t.Helper()
	began, err := l.Complained(t.Context(), l.ID(a), now)
	if err != nil {
		t.Fatal(err)
	}
	return began
}

func isSuppressed(t *testing.T, l *store.Suppressions, a vacancy.Address, now time.Time) (bounce.Suppression, bool) {
	t.Helper()
	s, ok, err := l.Suppressed(t.Context(), a, now)
	if err != nil {
		t.Fatal(err)
	}
	return s, ok
}

// What leads to a suppression, and what does not. A day is that of the mail, so
// a report that comes again, or late, is no other bounce.
func TestSuppression(t *testing.T) {
	const jo vacancy.Address = "Jo.Canary@reader.example"
	for _, tt := range []struct {
		name string
		sent []time.Duration // after noon, each told an hour later
		want bool
	}{
		{"nothing", nil, false},
		{"two days", []time.Duration{0, aDay}, false},
		{"three mails of one day", []time.Duration{0, time.Hour, 2 * time.Hour}, false},
		{"one mail told on three days", []time.Duration{0, 0, 0, 0}, false},
		{"three days", []time.Duration{0, aDay, 2 * aDay}, true},
		{"three days, late and out of order", []time.Duration{0, 5 * aDay, aDay}, true},
		{"three days in a quarter", []time.Duration{0, 40 * aDay, 80 * aDay}, true},
		{"three days in more than a quarter", []time.Duration{0, 50 * aDay, 100 * aDay}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onAll(t, func(t *testing.T, eng engine.Engine) {
				r := newRig(t, eng)
				l := suppressing(r)
				now, last := noon, false
				for _, d := range tt.sent {
					if at := noon.Add(d + time.Hour); at.After(now) {
						now = at
					}
					last = bounced(t, l, jo, noon.Add(d), now)
				}
				if last != tt.want {
					t.Errorf("the last bounce began a suppression: %v, want %v", last, tt.want)
				}
				s, ok := isSuppressed(t, l, "jo.canary@reader.EXAMPLE", now)
				if ok != tt.want {
					t.Fatalf("suppressed: %v, want %v", ok, tt.want)
				}
				if !ok {
					return
				}
				want := bounce.Suppression{Reason: bounce.Bounced, Since: now, Until: now.Add(90 * aDay)}
				if diff := cmp.Diff(want, s); diff != "" {
					t.Errorf("suppression (-want +got):\n%s", diff)
				}
				if bounced(t, l, jo, now, now.Add(aDay)) {
					t.Error("a bounce of a suppressed address began another suppression")
				}
				if _, ok := isSuppressed(t, l, jo, now.Add(90*aDay)); ok {
					t.Error("still suppressed after 90 days")
				}
				if _, ok := isSuppressed(t, l, "sam@reader.example", now); ok {
					t.Error("another address is suppressed with it")
				}
			})
		})
	}
}

// A complaint holds at once and for good, over bounces and years. It is kept
// when all else that has ended is removed, and no address is kept with it.
func TestComplaintIsForGood(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng)
		l := suppressing(r)
		const jo, sam, kim vacancy.Address = "jo.canary@reader.example", "sam.canary@reader.example", "kim.canary@reader.example"
		bounced(t, l, jo, noon, noon) // the end of that is not the complaint's
		if !complained(t, l, jo, noon) || complained(t, l, jo, noon.Add(aDay)) {
			t.Error("want the first complaint alone to begin a suppression")
		}
		for i := range 3 {
			if bounced(t, l, jo, noon.Add(time.Duration(i)*aDay), noon.Add(72*time.Hour)) {
				t.Error("bounces replaced a complaint")
			}
			bounced(t, l, sam, noon.Add(time.Duration(i)*aDay), noon.Add(72*time.Hour))
		}
		bounced(t, l, kim, noon, noon)
		want := map[bounce.Reason]int{bounce.Complained: 1, bounce.Bounced: 1}
		if got, err := l.Count(t.Context(), noon.Add(73*time.Hour)); err != nil || !cmp.Equal(want, got) {
			t.Errorf("count: got %v, %v, want %v", got, err, want)
		}
		if got := stored(t, eng); strings.Contains(got, "canary") || !strings.Contains(got, l.ID(jo).String()) || !strings.Contains(got, l.ID(kim).String()) {
			t.Errorf("what is stored holds an address, or not its hash:\n%s", got)
		}
		years := noon.Add(3 * 365 * aDay)
		if err := r.store.Prune(t.Context(), years); err != nil {
			t.Fatal(err)
		}
		got, ok := isSuppressed(t, l, jo, years)
		if diff := cmp.Diff(bounce.Suppression{Reason: bounce.Complained, Since: noon}, got); !ok || diff != "" {
			t.Errorf("after years: %v (-want +got):\n%s", ok, diff)
		}
		if got := stored(t, eng); strings.Contains(got, l.ID(sam).String()) || strings.Contains(got, l.ID(kim).String()) {
			t.Errorf("what has ended is still stored:\n%s", got)
		}
		for _, want := range []bool{true, false} {
			if found, err := l.Lift(t.Context(), jo); err != nil || found != want {
				t.Errorf("lift: %v, %v, want %v", found, err, want)
			}
		}
		if _, ok := isSuppressed(t, l, jo, years); ok || stored(t, eng) != "" {
			t.Errorf("after it was lifted: suppressed %v, stored:\n%s", ok, stored(t, eng))
		}
	})
}

// stored is all that the suppression list keeps.
func stored(t *testing.T, eng engine.Engine) string {
	t.Helper()
	var b strings.Builder
	for i := range eng.Slots() {
		slot := []string{"00", "01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12", "13", "14", "15"}[i]
		hash := &engine.HScan{Key: "{vw:" + slot + "}:supp", Count: 1000}
		set := &engine.ZRange{Key: "{vw:" + slot + "}:suppend", Min: -1e18, Max: 1e18}
		if err := eng.Read(t.Context(), "vw:"+slot, hash, set); err != nil {
			t.Fatal(err)
		}
		for _, p := range hash.Pairs {
			b.WriteString(p.Field + " " + string(p.Val) + "\n")
		}
		for _, z := range set.Zs {
			b.WriteString(z.Member + "\n")
		}
	}
	return b.String()
}

// The key of the hash lies in the state: the list holds over a restart, and
// another state's hashes are others.
func TestSuppressionKey(t *testing.T) {
	enginetest.All(t, func(t *testing.T, open enginetest.Open) {
		r := newRig(t, open(t))
		l := suppressing(r)
		complained(t, l, "jo@reader.example", noon)
		r.open()
		again := suppressing(r)
		if _, ok := isSuppressed(t, again, "jo@reader.example", noon); !ok {
			t.Error("the complaint is forgotten after a restart")
		}
		if l.ID("jo@reader.example") != again.ID("JO@reader.example") || l.ID("jo@reader.example") == l.ID("sam@reader.example") {
			t.Error("an address has not one ID, or two have the same")
		}
	})
}

// A mail to a suppressed address is not sent. What it would have told waits in
// the digest of its search, is not lost while the vacancy is open, and is told
// once when the address gets mail again.
func TestSuppressedIsTold(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", mailTo("jo")), band5("b", "sam", dailyTo("sam", 8)), band5("c", "kim", mailTo("kim")), band5("d", "lee", hook))
		l := suppressing(r)
		for i := range 3 {
			bounced(t, l, "jo@reader.example", noon.Add(time.Duration(i-4)*aDay), noon)
			bounced(t, l, "sam@reader.example", noon.Add(time.Duration(i-4)*aDay), noon)
		}
		long := vac(2)
		long.Closing = vacancy.DayOf(noon.Add(200*aDay), time.UTC)
		r.see(vac(1), long)
		r.pass()
		others := []string{"new C9001-26-0001 to kim@reader.example for c", "new C9001-26-0002 to kim@reader.example for c",
			"new C9001-26-0001 to  for d", "new C9001-26-0002 to  for d"}
		r.wantTold(others...)
		// Each day the digest is opened, once, and put off.
		passes := 0
		for day := range 20 {
			r.now = eight.Add(time.Duration(day) * aDay)
			for {
				n, err := r.deliver.Pass(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if n == 0 {
					break
				}
				passes += n
			}
		}
		if passes != 40 {
			t.Errorf("%d digests were dropped in 20 days, want one a day for each of two readers", passes)
		}
		r.wantTold(others...)
		if _, err := r.store.Expire(t.Context(), vacancy.LondonDay(noon.Add(90*aDay)), noon.Add(90*aDay)); err != nil {
			t.Fatal(err)
		}
		r.now = eight.Add(91 * aDay)
		r.pass()
		// The one that has closed meanwhile is told to nobody.
		r.wantTold(append(others, "new C9001-26-0002 to jo@reader.example for a", "new C9001-26-0002 to sam@reader.example for b")...)
		r.later(3 * aDay)
		if c := r.counts(); c.Queued != 0 || c.Buried != 0 {
			t.Errorf("left: %+v", c)
		}
	})
}

// After a complaint nothing is kept for a next mail: there is none.
func TestComplaintForgetsItems(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", mailTo("jo")), band5("b", "jo2", dailyTo("jo", 8)))
		l := suppressing(r)
		r.see(vac(1))
		complained(t, l, "jo@reader.example", noon)
		r.pass()
		r.see(vac(2))
		r.now = eight
		r.pass()
		for range 3 {
			r.later(aDay)
		}
		r.wantTold()
		if found, err := l.Lift(t.Context(), "jo@reader.example"); err != nil || !found {
			t.Fatalf("lift: %v, %v", found, err)
		}
		r.see(vac(3))
		r.later(aDay)
		r.wantTold("new C9001-26-0003 to jo@reader.example for a", "new C9001-26-0003 to jo@reader.example for b")
	})
}

// unlisted is a list that cannot be read.
type unlisted struct{}

func (unlisted) Suppressed(context.Context, vacancy.Address, time.Time) (bounce.Suppression, bool, error) {
	return bounce.Suppression{}, false, errBroken
}

// Where the list cannot be asked nothing is sent, and nothing is lost.
func TestSuppressionsBroken(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", mailTo("jo")))
		r.deliver.Suppressions = unlisted{}
		r.see(vac(1))
		r.pass()
		r.wantTold()
		suppressing(r)
		r.later(time.Minute)
		r.wantTold("new C9001-26-0001 to jo@reader.example for a")
	})
}
