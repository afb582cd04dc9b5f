package vacancy

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/vacancy/gazetteer"
)

// advertised is a vacancy with the places of a card and an employer's seat.
func advertised(places, seat string) *Vacancy {
	v := &Vacancy{Source: "nhs-jobs", Reference: "C9001-26-0001", Title: "Nurse", Employer: "Marlowe Health NHS Trust",
		Locations: ParsePlaces(places), EmployerPostcode: seat}
	v.Derive()
	return v
}

// seeking is a prepared search for one place.
func seeking(t *testing.T, place string, miles int) *Search {
	t.Helper()
	p, err := NewPlace(place, miles)
	if err != nil {
		t.Fatal(err)
	}
	s := &Search{ID: "s", Places: []Place{p}}
	if err := s.Prepare(); err != nil {
		t.Fatal(err)
	}
	return s
}

// Where an advert names no place that can be found, its employer's seat is the
// last resort. It never overrules a place.
func TestSeat(t *testing.T) {
	for _, tt := range []struct {
		name, places, seat string
		place              string
		miles              int
		pass, stated       bool
		reason             string
	}{
		{"no place", "", "LS1 3EX", "Leeds", 5, true, true, "the advert names no place; its employer is at LS1, 0.3 miles from Leeds"},
		{"to be confirmed", "TBC", "LS1 3EX", "Leeds", 5, true, true,
			`the advert says no more of the place than "TBC"; its employer is at LS1, 0.3 miles from Leeds`},
		{"various sites", "Various sites", "LS1 3EX", "Yorkshire", 0, true, true,
			`the advert says no more of the place than "Various sites"; its employer is at LS1, in Yorkshire and The Humber`},
		{"a county", "TBC", "ME14 1XX", "Kent", 0, true, true, `the advert says no more of the place than "TBC"; its employer is at ME14, in Kent`},
		{"from home", "Remote", "LS1 3EX", "Leeds", 5, true, true,
			`the advert says no more of the place than "Remote"; its employer is at LS1, 0.3 miles from Leeds`},
		{"across its nation", "Across Wales", "CF14 4XW", "Cardiff", 5, true, true,
			`the advert says no more of the place than "Across Wales"; its employer is at CF14, 3.1 miles from Cardiff`},
		{"in its region", "Yorkshire", "LS1 3EX", "Leeds", 5, true, true,
			`the advert says no more of the place than "Yorkshire"; its employer is at LS1, 0.3 miles from Leeds`},

		// The employer elsewhere says nothing of the place of work.
		{"a seat elsewhere", "TBC", "LS1 3EX", "Truro", 5, false, false,
			`the advert says no more of the place than "TBC"; its employer is at LS1, 286.1 miles from Truro`},
		{"a seat in another region", "", "LS1 3EX", "London region", 0, false, false, "no place stated"},
		{"work from home alone", "TBC", "LS1 3EX", "remote", 0, false, false, "we do not know where TBC is"},
		{"no seat", "TBC", "", "Leeds", 5, false, false, "we do not know where TBC is"},
		{"a seat that nobody knows", "TBC", "LS40 9ZZ", "Truro", 5, false, false, "we do not know where TBC is"},

		// A place that is known counts alone.
		{"a postcode", "Truro TR1 3LJ", "LS1 3EX", "Leeds", 5, false, true, ""},
		{"a town", "Truro", "LS1 3EX", "Leeds", 5, false, true, ""},
		{"one site of two", "TBC,\nTruro TR1 3LJ", "LS1 3EX", "Leeds", 5, false, true, ""},
		{"another nation", "Across Wales", "LS1 3EX", "Leeds", 5, false, false, "we do not know where Across Wales is"},
		{"Northern Ireland", "Belfast BT9 6AY", "LS1 3EX", "Leeds", 5, false, false, "we do not know where Belfast BT9 6AY is"},
		{"an island", "St Helier JE2 3QA", "LS1 3EX", "Leeds", 5, false, false, "we do not know where St Helier JE2 3QA is"},
		{"another region", "Across Wales", "LS1 3EX", "Yorkshire", 0, false, true, ""},
	} {
		v := advertised(tt.places, tt.seat)
		s := seeking(t, tt.place, tt.miles)
		o := Explain(s, v, Day{})[0]
		if o.Pass != tt.pass || o.Stated != tt.stated || tt.reason != "" && o.Reason != tt.reason {
			t.Errorf("%s: pass %t, stated %t, %q, want %t, %t, %q", tt.name, o.Pass, o.Stated, o.Reason, tt.pass, tt.stated, tt.reason)
		}
		if got := Matches(s, v, Day{}); got != tt.pass {
			t.Errorf("%s: Matches is %t, Explain says %t", tt.name, got, tt.pass)
		}
		if strings.Contains(o.Reason, "its employer is at") && o.Miles != 0 {
			t.Errorf("%s: %v miles to a seat are told as the distance", tt.name, o.Miles)
		}
		// Who accepts adverts without a known place still gets those of a seat
		// elsewhere.
		s.Unstated = map[string]bool{"place": true}
		if got, want := Matches(s, v, Day{}), tt.pass || !tt.stated; got != want {
			t.Errorf("%s: with unstated places Matches is %t, want %t", tt.name, got, want)
		}
	}
}

// The seat is derived, so that it is there once and for all, and only where it
// is needed.
func TestSeatDerived(t *testing.T) {
	v := advertised("TBC", "ls13ex")
	if v.EmployerPostcode != "LS1 3EX" || v.Seat == nil || v.Seat.PointFrom != "sector" || v.Seat.Region != "Yorkshire and The Humber" {
		t.Fatalf("%q, %+v", v.EmployerPostcode, v.Seat)
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var back Vacancy
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	again := back.Clone()
	again.Derive()
	if diff := cmp.Diff(back, again); diff != "" {
		t.Errorf("derived again (-first +again):\n%s", diff)
	}
	copied := back.Clone()
	*copied.Seat.Lat = 0
	copied.Seat.Postcode = "BD1 1AA"
	if back.Seat.Postcode != "LS1 3EX" {
		t.Error("a clone shares the seat")
	}
	if v := advertised("Leeds", "BD1 1AA"); v.Seat != nil {
		t.Errorf("a seat %+v beside a place that is known", v.Seat)
	}

	v.Locate(gazetteer.Default().With(whole{}))
	if v.Seat.PointFrom != "postcode" || *v.Seat.Lat != 53.7 {
		t.Errorf("with imported postcodes the seat lies at %+v", v.Seat)
	}
	v.Locate(gazetteer.Default())
	if v.Seat.PointFrom != "sector" {
		t.Errorf("without them it lies at %+v", v.Seat)
	}

	// A listing that knows the place, and a page that does not.
	listed := advertised("Truro TR1 3LJ,\nBodmin", "")
	listed.Merge(advertised("TBC", "LS1 3EX"))
	if listed.EmployerPostcode != "LS1 3EX" || Matches(seeking(t, "Leeds", 5), listed, Day{}) || !Matches(seeking(t, "Truro", 5), listed, Day{}) {
		t.Errorf("the seat overrules the listing's place: %+v", listed)
	}
	// And the other way round.
	listed = advertised("TBC", "")
	listed.Merge(advertised("", "LS1 3EX"))
	if !Matches(seeking(t, "Leeds", 5), listed, Day{}) {
		t.Errorf("the seat of the page is lost: %+v", listed)
	}
}
