package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

func (r *rig) rereads(at time.Time, limit int) []string {
	r.t.Helper()
	recs, err := r.store.Rereads(r.t.Context(), "nhs-jobs", at, limit)
	if err != nil {
		r.t.Fatal(err)
	}
	out := []string{}
	for _, rec := range recs {
		out = append(out, rec.Vacancy.Reference)
	}
	return out
}

// The page of a vacancy that somebody is told of is read once more after a
// week, unless it is over by then; reading it ends that.
func TestRereads(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", mailTo("jo")), vacancy.Search{ID: "d", Name: "d", Subscriber: "sam",
			Bands: []string{"6"}, Notify: []vacancy.Notify{dailyTo("sam", 8)}})
		digest, nobody, other := vac(2), vac(3), vac(4)
		digest.Band, nobody.Band, other.Source = "6", "7", "nhs"
		r.see(vac(1))
		r.now = r.now.Add(time.Minute)
		r.see(digest, nobody, other, closing(5, 20), closing(6, 30))
		week := r.now.AddDate(0, 0, 7)
		for _, tt := range []struct {
			what  string
			at    time.Time
			limit int
			want  []string
		}{
			{"before the week is over", noon.AddDate(0, 0, 7).Add(-time.Second), 9, []string{}},
			{"after a week", noon.AddDate(0, 0, 7), 9, []string{ref(1)}},
			{"of all", week, 9, []string{ref(1), ref(2), ref(6)}},
			{"at most two", week, 2, []string{ref(1), ref(2)}},
			{"none", week, 0, []string{}},
		} {
			if diff := cmp.Diff(tt.want, r.rereads(tt.at, tt.limit)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.what, diff)
			}
		}
		putOff := func(n int, until time.Time) {
			t.Helper()
			v := vac(n)
			if err := r.store.PutOff(t.Context(), v.Key(), until); err != nil {
				t.Fatal(err)
			}
		}
		putOff(1, week.Add(time.Hour))
		putOff(2, time.Time{})
		putOff(3, week) // nobody wishes it read
		if diff := cmp.Diff([]string{ref(6)}, r.rereads(week, 9)); diff != "" {
			t.Errorf("put off and forgotten (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{ref(6), ref(1)}, r.rereads(week.Add(time.Hour), 9)); diff != "" {
			t.Errorf("later (-want +got):\n%s", diff)
		}
		r.now = week
		r.see(closing(6, 30)) // its page is read
		if _, err := r.store.Expire(t.Context(), vacancy.LondonDay(week), week); err != nil {
			t.Fatal(err)
		}
		key := vac(1)
		if _, err := r.sink.Close(t.Context(), []vacancy.Key{key.Key()}, vacancy.Withdrawn, week, ""); err != nil {
			t.Fatal(err)
		}
		putOff(1, week)
		if got := r.setOf("reread"); len(got) != 1 || got[other.Key().String()].IsZero() {
			t.Errorf("wishes are left: %v, want that of the other source", got)
		}
	})
}

// A page that is read before its time ends the wish as well; one that was not
// read does not; and a sighting that is repeated, because the answer to it was
// lost, does not end the wish that it made.
func TestRereadsRepeated(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", mailTo("jo")))
		wished := func(what string, want time.Time) {
			t.Helper()
			v := vac(1)
			if got := r.setOf("reread")[v.Key().String()]; !got.Equal(want) {
				t.Errorf("%s: to be read at %s, want %s", what, got, want)
			}
		}
		unread := vac(1)
		unread.PageUnread = true
		r.see(unread)
		week := noon.AddDate(0, 0, 7)
		wished("announced", week)
		r.see(unread)
		wished("repeated", week)
		r.now = noon.Add(time.Hour)
		r.see(vac(1)) // read at last: matched again, and was told
		wished("read at last", week.Add(time.Hour))
		r.see(vac(1))
		wished("repeated", week.Add(time.Hour))
		r.now = noon.Add(2 * time.Hour)
		moved := closing(1, 30)
		moved.PageUnread = true
		r.see(moved)
		wished("listed anew, not read", week.Add(time.Hour))
		r.now = noon.Add(3 * time.Hour)
		r.see(closing(1, 31))
		wished("read before its time", time.Time{})
	})
}

// A message that was dropped tells nobody, so nothing is read for its sake.
func TestRereadOfADroppedMessage(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", mailTo("jo")))
		r.see(vac(1))
		claims, err := r.store.Claim(t.Context(), r.now, time.Minute, 1)
		if err != nil || len(claims) != 1 {
			t.Fatalf("claims %v, %v", claims, err)
		}
		m := claims[0].Message
		if held, err := r.store.Settle(t.Context(), &claims[0], alerts.SettleDrop, alerts.DropClosed, "", r.now, r.now); !held || err != nil {
			t.Fatalf("drop: %v, %v", held, err)
		}
		v := vac(1)
		if err := r.store.PutOff(t.Context(), v.Key(), time.Time{}); err != nil {
			t.Fatal(err)
		}
		recs, err := r.store.Records(t.Context(), []vacancy.Key{v.Key()})
		if err != nil {
			t.Fatal(err)
		}
		rec := recs[v.Key()]
		n, err := r.store.Accept(t.Context(), &alerts.Acceptance{Key: v.Key(), Revision: rec.Revision, Record: rec, Reread: noon.Add(time.Hour),
			Queue: []alerts.Queued{{ID: m.ID, Event: m.Event, Search: m.Search, Dest: m.Dest, Told: m.Told, Due: noon}}})
		if err != nil || n != 0 || len(r.setOf("reread")) != 0 {
			t.Errorf("queued %d, %v, to be read again: %v; want nothing", n, err, r.setOf("reread"))
		}
	})
}
