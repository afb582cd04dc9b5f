package store_test

import (
	"testing"
	"time"

	"github.com/vacancywatch/vacancywatch/store"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// A search is told of the kinds of event that it asks for, and of no others.
// Who was told through a search that has ended since hears of a new closing
// date through another one that the vacancy meets.
func TestWhoHearsOfAClosingDate(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		onlyNew := band5("a", "jo", mailTo("jo"))
		onlyNew.Kinds = []vacancy.Kind{vacancy.New}
		r := newRig(t, eng, onlyNew, band5("b", "sam", mailTo("sam")), band5("c", "sam", mailTo("sam")))
		v := vac(1)
		r.see(v)
		r.pass()
		if _, err := r.store.EndSearch(t.Context(), "b", store.EndedByReader, r.now); err != nil {
			t.Fatal(err)
		}
		r.now = r.now.Add(time.Hour)
		v.Closing = v.Closing.Add(3)
		r.see(v)
		r.pass()
		r.wantTold(
			"new C9001-26-0001 to jo@reader.example for a",
			"new C9001-26-0001 to sam@reader.example for b and c",
			"closing_moved C9001-26-0001 to sam@reader.example for c",
		)
	})
}

// A closing date that moves so that enough days are left is news, as new, to a
// search that asks for them and was never told. The end of an advert is told
// to nobody who did not ask, and one that expired to nobody at all.
func TestEnoughDaysLeftOnlyNow(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		patient := band5("a", "jo", mailTo("jo"))
		patient.DaysLeft = 20
		patient.Kinds = vacancy.Kinds()
		r := newRig(t, eng, patient)
		v := vac(1)
		r.see(v)
		r.pass()
		r.wantTold()
		r.now = r.now.Add(time.Hour)
		v.Closing = v.Closing.Add(10)
		r.see(v)
		r.see(v)
		r.pass()
		r.wantTold("new C9001-26-0001 to jo@reader.example for a")
		r.now = r.now.AddDate(0, 0, 40)
		if events, err := r.store.Expire(t.Context(), vacancy.LondonDay(r.now), r.now); err != nil || len(events) != 1 {
			t.Fatalf("closed %v, %v", events, err)
		}
		r.later(24 * time.Hour)
		r.wantTold("new C9001-26-0001 to jo@reader.example for a")
	})
}
