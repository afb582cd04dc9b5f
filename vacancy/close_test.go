package vacancy

import (
	"testing"
	"time"
)

func linked(kind string) func(*Sighting) {
	return func(s *Sighting) { s.Link = Link{Kind: kind, Reference: "C9001-26-0042", Why: "they look alike"} }
}

// A link that is known when a vacancy is announced is part of the announcement,
// for good; one that is learnt later is kept, and changes no event.
func TestSeeLink(t *testing.T) {
	for _, tt := range []struct {
		kind string
		want Kind
	}{{LinkReadvert, Readvertised}, {LinkTwin, New}, {LinkSibling, New}, {"", New}} {
		s := sight(listed())
		if tt.kind != "" {
			linked(tt.kind)(s)
		}
		r, events, _ := (*Record)(nil).See(s)
		if len(events) != 1 || events[0].Kind != tt.want || events[0].Related != s.Link.Reference || events[0].Relation != tt.kind {
			t.Errorf("%q: events %+v, want one of %s", tt.kind, events, tt.want)
		}
		if r.Link.First != (tt.kind != "") {
			t.Errorf("%q: the record says %+v", tt.kind, r.Link)
		}
		after, _, again := r.See(sight(read(), linked(LinkSibling)))
		first := after.First(noon)
		if want := events[0].ID(); !again || first.ID() != want {
			t.Errorf("%q: the first event is %s when the page has been read, want %s", tt.kind, first.ID(), want)
		}
		if first.Vacancy.Text != after.Text {
			t.Errorf("%q: the first event has no text to match", tt.kind)
		}
		if tt.kind == "" && (after.Link.Kind != LinkSibling || after.Link.First) {
			t.Errorf("a link that was learnt later is kept as %+v", after.Link)
		}
		if tt.kind != "" && after.Link != r.Link {
			t.Errorf("%q: the link became %+v", tt.kind, after.Link)
		}
	}
}

func TestClose(t *testing.T) {
	r, _, _ := (*Record)(nil).See(sight(read()))
	after, event, ok := r.Close(Early, noon)
	if !ok || after.Closed != Early || !after.ClosedAt.Equal(noon) || after.Text != (Text{}) || after.Version != 2 {
		t.Errorf("closed %v: %+v", ok, after)
	}
	if event.ID() != "nhs-jobs/C9001-26-0123|closed|2" || event.Reason != Early || !event.At.Equal(noon) {
		t.Errorf("event %s for %q at %s", event.ID(), event.Reason, event.At)
	}
	if _, _, ok := after.Close(Withdrawn, noon); ok {
		t.Error("closed twice")
	}
	if r.Closed != "" || r.Text == (Text{}) {
		t.Error("Close altered its receiver")
	}
}

// A vacancy taken in silence is released once, as new; of one that has changed
// since, the event has a version of its own, for the old one may be told.
func TestRelease(t *testing.T) {
	silent, _, _ := (*Record)(nil).See(sight(listed(), baseline))
	after, event, ok := silent.Release(noon.Add(time.Hour))
	if !ok || after.Silent || event.ID() != "nhs-jobs/C9001-26-0123|new|1" || after.Version != 1 || !event.At.Equal(noon.Add(time.Hour)) {
		t.Errorf("released %v: %s, %+v", ok, event.ID(), after)
	}
	if _, _, ok := after.Release(noon); ok || !silent.Silent {
		t.Errorf("released twice: %v; silent before: %v", ok, silent.Silent)
	}
	moved, _, _ := silent.See(sight(listed(closes(closing.Add(3)))))
	after, event, ok = moved.Release(noon)
	if !ok || event.ID() != "nhs-jobs/C9001-26-0123|new|3" || after.Version != 3 {
		t.Errorf("one that has changed: released %v: %s, version %d", ok, event.ID(), after.Version)
	}
	again, _, _ := (*Record)(nil).See(sight(listed(), baseline, linked(LinkReadvert)))
	after, event, ok = again.Release(noon)
	if !ok || event.Kind != Readvertised || event.Related != "C9001-26-0042" || !after.Link.First {
		t.Errorf("one that is advertised again: released %v: %s beside %s, %+v", ok, event.ID(), event.Related, after.Link)
	}
	over, _, _ := silent.Close(Expired, noon)
	if _, _, ok := over.Release(noon); ok {
		t.Error("released one that is over")
	}
	told, _, _ := (*Record)(nil).See(sight(read()))
	if _, _, ok := told.Release(noon); ok {
		t.Error("released one that was told of")
	}
}

// A vacancy that was closed early comes back when it is listed twice, ten
// minutes apart or more, and within two days: one listing may be an old page.
func TestRelistedAfterEarlyClose(t *testing.T) {
	r, _, _ := (*Record)(nil).See(sight(read()))
	closed, _, _ := r.Close(Early, noon)
	after := func(d time.Duration) time.Time { return noon.Add(d) }
	for _, tt := range []struct {
		name string
		at   []time.Duration // since it was closed
		want bool            // reopened by the last
	}{
		{"once", []time.Duration{time.Hour}, false},
		{"twice in ten minutes", []time.Duration{time.Hour, time.Hour + 9*time.Minute}, false},
		{"twice", []time.Duration{time.Hour, time.Hour + 10*time.Minute}, true},
		{"in two sweeps", []time.Duration{time.Hour, 25 * time.Hour}, true},
		{"too far apart", []time.Duration{time.Hour, 51 * time.Hour}, false},
		{"too far apart, then twice", []time.Duration{time.Hour, 51 * time.Hour, 52 * time.Hour}, true},
	} {
		rec := closed
		var events []Event
		for i, d := range tt.at {
			s := sight(read(), at(after(d)))
			need := rec.Needs("xml", &s.Vacancy, s.At)
			rec, events, _ = rec.See(s)
			last := i == len(tt.at)-1
			reopened := len(events) == 1 && events[0].Kind == Reopened
			if want := last && tt.want; reopened != want || (rec.Closed == "") != want || (need == NeedPage) != want {
				t.Errorf("%s, listing %d: events %v, closed %q, need %d; want it reopened: %v", tt.name, i+1, tell(events), rec.Closed, need, want)
			}
		}
		if tt.want && !rec.Relisted.IsZero() {
			t.Errorf("%s: still remembered as relisted at %s", tt.name, rec.Relisted)
		}
	}
}
