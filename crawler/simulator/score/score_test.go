package score_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/vacancywatch/vacancywatch/crawler/simulator"
	"github.com/vacancywatch/vacancywatch/crawler/simulator/score"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

var (
	from    = time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	silence = score.Span{From: from, To: from.Add(10 * time.Minute)}
	to      = from.AddDate(0, 0, 14)
)

// after is a time of the watch, as "26h".
func after(s string) time.Time {
	d, err := time.ParseDuration(s)
	if err != nil {
		panic(err)
	}
	return from.Add(d)
}

// advert is the truth about one advert that appears an hour into the watch.
func advert(change ...func(*simulator.Record)) simulator.Record {
	r := simulator.Record{Reference: "C9101-26-0001", Visible: after("1h"), Live: true}
	r.Versions = []simulator.Version{{At: r.Visible, Event: "new", Advert: &simulator.Advert{Reference: r.Reference, Title: "Staff Nurse",
		Contract: "Permanent", Patterns: []string{"full-time"}, Posted: r.Visible, Closing: "2026-09-14"}}}
	for _, f := range change {
		f(&r)
	}
	return r
}

func named(ref string) func(*simulator.Record) {
	return func(r *simulator.Record) {
		r.Reference = ref
		r.Versions[0].Advert.Reference = ref
	}
}

func visible(at, posted string) func(*simulator.Record) {
	return func(r *simulator.Record) {
		r.Visible = after(at)
		r.Versions[0].At, r.Versions[0].Advert.Posted = r.Visible, after(posted)
	}
}

func left(at, why string) func(*simulator.Record) {
	return func(r *simulator.Record) {
		r.Left, r.Live = append(r.Left, simulator.Left{At: after(at), Why: why}), false
	}
}

// then adds a version.
func then(at, event string, change func(*simulator.Advert)) func(*simulator.Record) {
	return func(r *simulator.Record) {
		a := r.Now().Clone()
		change(a)
		r.Versions = append(r.Versions, simulator.Version{At: after(at), Event: event, Advert: a})
		r.Live = r.Live || event == "reopened"
	}
}

func closes(day simulator.Day) func(*simulator.Advert) {
	return func(a *simulator.Advert) { a.Closing = day }
}

func kin(parent, relation string) func(*simulator.Record) {
	return func(r *simulator.Record) { r.Parent, r.Relation = parent, relation }
}

// told is an alert about the advert.
func told(at string, kind vacancy.Kind, change ...func(*score.Alert)) score.Alert {
	a := score.Alert{Reference: "C9101-26-0001", Kind: kind, Closing: "2026-09-14", At: after(at)}
	for _, f := range change {
		f(&a)
	}
	if a.ID == "" {
		a.ID = fmt.Sprint(a.Reference, kind, at)
	}
	return a
}

func of(ref string) func(*score.Alert)      { return func(a *score.Alert) { a.Reference = ref } }
func under(id string) func(*score.Alert)    { return func(a *score.Alert) { a.ID = id } }
func says(day string) func(*score.Alert)    { return func(a *score.Alert) { a.Closing = day } }
func because(why string) func(*score.Alert) { return func(a *score.Alert) { a.Reason = why } }
func fields(fs ...string) func(*score.Alert) {
	return func(a *score.Alert) { a.Fields = fs }
}
func tied(relation, to string) func(*score.Alert) {
	return func(a *score.Alert) { a.Relation, a.Related = relation, to }
}

// counts are the figures that are not zero.
func counts(f score.Figures) map[string]int {
	all := map[string]int{"adverts": f.Adverts, "missed": len(f.Missed), "late": f.Late, "late fresh": f.LateFresh, "fleeting": f.Fleeting,
		"pending": f.Pending, "silent": f.Silent, "old": len(f.Old), "unknown": len(f.Unknown), "false": len(f.FalseClosed),
		"false stored": len(f.FalseStored), "date moved": f.DateMoved, "twice": len(f.Twice), "resent": f.Resent, "repeated": f.Repeated}
	for k, t := range f.Events {
		all[k+" due"], all[k+" right"], all[k+" missed"], all[k+" early"], all[k+" wrong"] = t.Due, t.Right, t.Missed, t.Early, t.Wrong
	}
	for k, n := range all {
		if n == 0 {
			delete(all, k)
		}
	}
	return all
}

type want map[string]int

func TestScore(t *testing.T) {
	twin := func(change ...func(*simulator.Record)) simulator.Record {
		return advert(append([]func(*simulator.Record){named("C9101-26-0002"), visible("20h", "20h"), kin("C9101-26-0001", simulator.Twin)}, change...)...)
	}
	sibling := func(ref string) simulator.Record { return advert(named(ref), kin("C9101-26-0001", simulator.Sibling)) }
	again := advert(named("C9101-26-0002"), visible("48h", "48h"), kin("C9101-26-0001", simulator.Readvert))
	stranger := advert(named("C9999-26-0009"))
	new3 := told("1h3m", vacancy.New)
	for _, tt := range []struct {
		name   string
		truth  []simulator.Record
		alerts []score.Alert
		kills  []time.Time
		want   want
	}{
		{"told", []simulator.Record{advert()}, []score.Alert{new3}, nil, want{"adverts": 1}},
		{"never told", []simulator.Record{advert()}, nil, nil, want{"adverts": 1, "missed": 1, "late": 1, "late fresh": 1}},
		{"told after a day", []simulator.Record{advert()}, []score.Alert{told("26h", vacancy.New)}, nil,
			want{"adverts": 1, "missed": 1, "late": 1, "late fresh": 1}},
		{"late", []simulator.Record{advert()}, []score.Alert{told("5h", vacancy.New)}, nil, want{"adverts": 1, "late": 1, "late fresh": 1}},
		{"back-dated and late", []simulator.Record{advert(visible("9h", "1h"))}, []score.Alert{told("13h", vacancy.New)}, nil, want{"adverts": 1, "late": 1}},
		{"further down than the last day, by the sweep", []simulator.Record{advert(visible("31h", "1h"))}, []score.Alert{told("56h", vacancy.New)}, nil,
			want{"adverts": 1, "late": 1}},
		{"gone before the next poll", []simulator.Record{advert(left("1h20m", simulator.Early))}, nil, nil, want{"fleeting": 1}},
		{"gone after the next poll", []simulator.Record{advert(left("1h40m", simulator.Early))}, nil, nil,
			want{"adverts": 1, "missed": 1, "late": 1, "late fresh": 1}},
		{"back-dated and gone before the next deep run", []simulator.Record{advert(visible("9h", "1h"), left("10h", simulator.Early))}, nil, nil,
			want{"fleeting": 1}},
		{"back-dated and gone after it", []simulator.Record{advert(visible("9h", "1h"), left("11h", simulator.Early))}, nil, nil,
			want{"adverts": 1, "missed": 1, "late": 1}},
		{"too late to be due", []simulator.Record{advert(visible("330h", "330h"))}, nil, nil, want{"pending": 1}},
		{"back-dated into the silence", []simulator.Record{advert(visible("5m", "-1h"))}, nil, nil, want{"silent": 1}},
		{"posted in the silence and missed", []simulator.Record{advert(visible("5m", "5m"))}, nil, nil,
			want{"adverts": 0, "missed": 1, "late": 1, "late fresh": 1}},
		{"posted in the silence and told", []simulator.Record{advert(visible("5m", "5m"))}, []score.Alert{told("12m", vacancy.New)}, nil, want{}},
		{"there before", []simulator.Record{advert(visible("-1h", "-1h"))}, []score.Alert{new3}, nil, want{"old": 1}},
		{"there before, and came back", []simulator.Record{advert(visible("-9h", "-9h"), left("-1h", simulator.Early),
			then("30m", "reopened", closes("2026-09-20")))}, []score.Alert{new3}, nil, want{"reopened early": 1}},
		{"never on the site", []simulator.Record{advert()}, []score.Alert{new3, told("2h", vacancy.New, of("C1"))}, nil, want{"adverts": 1, "unknown": 1}},
		{"not yet on the site", []simulator.Record{advert()}, []score.Alert{told("30m", vacancy.New), new3}, nil, want{"adverts": 1, "unknown": 1}},
		{"told twice", []simulator.Record{advert()}, []score.Alert{new3, told("3h", vacancy.New)}, nil, want{"adverts": 1, "twice": 1}},
		{"told again as advertised again", []simulator.Record{advert()}, []score.Alert{new3, told("3h", vacancy.Readvertised)}, nil,
			want{"adverts": 1, "twice": 1}},
		{"resent", []simulator.Record{advert()}, []score.Alert{told("2h", vacancy.New, under("a")), told("3h", vacancy.New, under("a"))}, nil,
			want{"adverts": 1, "resent": 1}},
		{"resent over a kill", []simulator.Record{advert()}, []score.Alert{told("2h", vacancy.New, under("a")), told("3h", vacancy.New, under("a"))},
			[]time.Time{after("150m")}, want{"adverts": 1, "repeated": 1}},

		{"date moved", []simulator.Record{advert(then("48h", "closing moved", closes("2026-09-20")))},
			[]score.Alert{new3, told("72h", vacancy.ClosingMoved, says("2026-09-20"))}, nil,
			want{"adverts": 1, "closing moved due": 1, "closing moved right": 1}},
		{"date moved, told of another", []simulator.Record{advert(then("48h", "closing moved", closes("2026-09-20")))},
			[]score.Alert{new3, told("72h", vacancy.ClosingMoved, says("2026-09-21"))}, nil,
			want{"adverts": 1, "closing moved due": 1, "closing moved missed": 1, "closing moved wrong": 1}},
		{"date moved and back within hours", []simulator.Record{advert(then("48h", "closing moved", closes("2026-09-20")),
			then("50h", "closing moved", closes("2026-09-14")))}, []score.Alert{new3}, nil, want{"adverts": 1}},
		{"date moved and back, and only the first seen", []simulator.Record{advert(then("48h", "closing moved", closes("2026-09-20")),
			then("50h", "closing moved", closes("2026-09-14")))}, []score.Alert{new3, told("49h", vacancy.ClosingMoved, says("2026-09-20"))}, nil,
			want{"adverts": 1, "closing moved early": 1, "closing moved due": 1, "closing moved missed": 1}},
		{"date moved, seen though it lasted hours", []simulator.Record{advert(then("48h", "closing moved", closes("2026-09-20")), left("50h", simulator.Early))},
			[]score.Alert{new3, told("49h", vacancy.ClosingMoved, says("2026-09-20")), told("106h", vacancy.Closed, because(vacancy.Early))}, nil,
			want{"adverts": 1, "closing moved early": 1, "closed early due": 1, "closed early right": 1}},
		{"date moved before it was told", []simulator.Record{advert(then("1h1m", "closing moved", closes("2026-09-20")))},
			[]score.Alert{told("1h3m", vacancy.New, says("2026-09-20"))}, nil, want{"adverts": 1, "closing moved early": 1}},
		{"date moved, told twice", []simulator.Record{advert(then("48h", "closing moved", closes("2026-09-20")))},
			[]score.Alert{new3, told("72h", vacancy.ClosingMoved, says("2026-09-20")), told("73h", vacancy.ClosingMoved, says("2026-09-20"))}, nil,
			want{"adverts": 1, "closing moved due": 1, "closing moved right": 1, "twice": 1}},
		{"date not moved", []simulator.Record{advert()}, []score.Alert{new3, told("72h", vacancy.ClosingMoved)}, nil,
			want{"adverts": 1, "closing moved wrong": 1}},
		{"re-sorted", []simulator.Record{advert(then("48h", "re-sorted", func(a *simulator.Advert) { a.Posted = after("48h") }))},
			[]score.Alert{new3, told("49h", vacancy.Amended, fields("title"))}, nil, want{"adverts": 1, "amended (listing) wrong": 1}},

		{"contract changed", []simulator.Record{advert(then("48h", "amended", func(a *simulator.Advert) { a.Contract, a.Duration = "Fixed-Term", "1 year" }))},
			[]score.Alert{new3, told("72h", vacancy.Amended, fields("contract", "duration"))}, nil,
			want{"adverts": 1, "amended (listing) due": 1, "amended (listing) right": 1}},
		{"contract changed, not told", []simulator.Record{advert(then("48h", "amended", func(a *simulator.Advert) { a.Contract = "Bank" }))},
			[]score.Alert{new3}, nil, want{"adverts": 1, "amended (listing) due": 1, "amended (listing) missed": 1}},
		{"contract changed once, told twice", []simulator.Record{advert(then("48h", "amended", func(a *simulator.Advert) { a.Contract = "Bank" }),
			then("50h", "amended", func(a *simulator.Advert) { a.Summary = []string{"Interviews are later."} }))},
			[]score.Alert{new3, told("49h", vacancy.Amended, fields("contract")), told("72h", vacancy.Amended, fields("contract"))}, nil,
			want{"adverts": 1, "amended (listing) due": 1, "amended (listing) right": 1, "amended (listing) wrong": 1}},
		{"pattern changed, seen when read again", []simulator.Record{advert(then("48h", "amended", func(a *simulator.Advert) { a.Patterns = []string{"part-time"} }))},
			[]score.Alert{new3, told("176h", vacancy.Amended, fields("working_patterns"))}, nil,
			want{"adverts": 1, "amended (page only) due": 1, "amended (page only) right": 1}},
		{"pattern changed, not seen", []simulator.Record{advert(then("48h", "amended", func(a *simulator.Advert) { a.Patterns = []string{"part-time"} }))},
			[]score.Alert{new3}, nil, want{"adverts": 1, "amended (page only) due": 1, "amended (page only) missed": 1}},
		{"pattern changed after it was read again", []simulator.Record{advert(then("200h", "amended", func(a *simulator.Advert) { a.Patterns = nil }))},
			[]score.Alert{new3}, nil, want{"adverts": 1}},
		{"pattern not changed", []simulator.Record{advert()}, []score.Alert{new3, told("176h", vacancy.Amended, fields("working_patterns"))}, nil,
			want{"adverts": 1, "amended (page only) wrong": 1}},

		{"left early", []simulator.Record{advert(left("48h", simulator.Early))},
			[]score.Alert{new3, told("96h", vacancy.Closed, because(vacancy.Early))}, nil, want{"adverts": 1, "closed early due": 1, "closed early right": 1}},
		{"left early, not told", []simulator.Record{advert(left("48h", simulator.Early))}, []score.Alert{new3}, nil,
			want{"adverts": 1, "closed early due": 1, "closed early missed": 1}},
		{"left early, a day before its date", []simulator.Record{advert(left("290h", simulator.Early))}, []score.Alert{new3}, nil, want{"adverts": 1}},
		{"left early and back", []simulator.Record{advert(left("48h", simulator.Early), then("60h", "reopened", closes("2026-09-14")))},
			[]score.Alert{new3}, nil, want{"adverts": 1}},
		{"closed while live", []simulator.Record{advert()}, []score.Alert{new3, told("72h", vacancy.Closed, because(vacancy.Early))}, nil,
			want{"adverts": 1, "false": 1, "closed early wrong": 1}},
		{"expired, told", []simulator.Record{advert(left("327h59m", simulator.Expired))},
			[]score.Alert{new3, told("329h", vacancy.Closed, because(vacancy.Expired))}, nil, want{"adverts": 1, "expired, told wrong": 1}},

		{"reopened", []simulator.Record{advert(left("48h", simulator.Early), then("120h", "reopened", closes("2026-09-16")))},
			[]score.Alert{new3, told("96h", vacancy.Closed, because(vacancy.Early)), told("130h", vacancy.Reopened, says("2026-09-16"))}, nil,
			want{"adverts": 1, "closed early due": 1, "closed early right": 1, "reopened due": 1, "reopened right": 1}},
		{"reopened, not told", []simulator.Record{advert(left("48h", simulator.Early), then("120h", "reopened", closes("2026-09-16")))},
			[]score.Alert{new3, told("96h", vacancy.Closed, because(vacancy.Early))}, nil,
			want{"adverts": 1, "closed early due": 1, "closed early right": 1, "reopened due": 1, "reopened missed": 1}},
		{"not reopened", []simulator.Record{advert(left("48h", simulator.Early))},
			[]score.Alert{new3, told("96h", vacancy.Closed, because(vacancy.Early)), told("97h", vacancy.Reopened)}, nil,
			want{"adverts": 1, "closed early due": 1, "closed early right": 1, "reopened wrong": 1}},
		{"moved on its last day, told as reopened", []simulator.Record{advert(then("326h", "closing moved", closes("2026-09-25")))},
			[]score.Alert{new3, told("331h", vacancy.Reopened, says("2026-09-25"))}, nil, want{"adverts": 1, "closing moved early": 1}},

		{"advertised again", []simulator.Record{advert(left("40h", simulator.Early)), again},
			[]score.Alert{new3, told("48h3m", vacancy.Readvertised, of("C9101-26-0002"), tied("readvertised", "C9101-26-0001")),
				told("96h", vacancy.Closed, because(vacancy.Early))}, nil,
			want{"adverts": 2, "readvertised due": 1, "readvertised right": 1, "closed early due": 1, "closed early right": 1}},
		{"advertised again, told as new", []simulator.Record{advert(), again}, []score.Alert{new3, told("48h3m", vacancy.New, of("C9101-26-0002"))}, nil,
			want{"adverts": 2, "readvertised due": 1, "readvertised missed": 1}},
		{"taken for advertised again", []simulator.Record{advert(), stranger},
			[]score.Alert{new3, told("2h", vacancy.Readvertised, of("C9999-26-0009"), tied("readvertised", "C9101-26-0001"))}, nil,
			want{"adverts": 2, "readvertised wrong": 1}},
		{"advertised again, the first one over before the watch", []simulator.Record{advert(visible("-99h", "-99h"), left("-9h", simulator.Early)), again},
			[]score.Alert{told("48h3m", vacancy.New, of("C9101-26-0002"))}, nil, want{"adverts": 1}},

		{"twin, not told", []simulator.Record{advert(), twin()}, []score.Alert{new3}, nil, want{"adverts": 1, "twin due": 1, "twin right": 1}},
		{"twin, told", []simulator.Record{advert(), twin()}, []score.Alert{new3, told("21h", vacancy.New, of("C9101-26-0002"))}, nil,
			want{"adverts": 2, "twin due": 1, "twin missed": 1}},
		{"twin, told with its link", []simulator.Record{advert(), twin()},
			[]score.Alert{new3, told("21h", vacancy.New, of("C9101-26-0002"), tied("twin", "C9101-26-0001"))}, nil,
			want{"adverts": 2, "twin due": 1, "twin right": 1}},
		{"twin of one that nobody was told of, not told", []simulator.Record{advert(visible("-1h", "-1h")), twin()}, nil, nil,
			want{"adverts": 1, "missed": 1, "late": 1, "late fresh": 1}},
		{"taken for a twin, and not told", []simulator.Record{advert(), stranger}, []score.Alert{new3}, nil,
			want{"adverts": 2, "missed": 1, "late": 1, "late fresh": 1}},
		{"taken for a twin, and told", []simulator.Record{advert(), stranger},
			[]score.Alert{new3, told("2h", vacancy.New, of("C9999-26-0009"), tied("twin", "C9101-26-0001"))}, nil, want{"adverts": 2, "twin wrong": 1}},
		{"siblings, told in one", []simulator.Record{advert(), sibling("C9101-26-0002"), sibling("C9101-26-0003")}, []score.Alert{new3}, nil,
			want{"adverts": 1, "sibling due": 2, "sibling right": 2}},
		{"siblings, the third told first", []simulator.Record{advert(), sibling("C9101-26-0002"), sibling("C9101-26-0003")},
			[]score.Alert{told("1h4m", vacancy.New, of("C9101-26-0003"))}, nil, want{"adverts": 1, "sibling due": 1, "sibling right": 1}},
		{"siblings, told one by one", []simulator.Record{advert(), sibling("C9101-26-0002")},
			[]score.Alert{new3, told("1h4m", vacancy.New, of("C9101-26-0002"))}, nil, want{"adverts": 2, "sibling due": 1, "sibling missed": 1}},
		{"siblings, none told", []simulator.Record{advert(), sibling("C9101-26-0002")}, nil, nil,
			want{"adverts": 2, "missed": 2, "late": 2, "late fresh": 2}},
		{"taken for a sibling", []simulator.Record{advert(), stranger},
			[]score.Alert{new3, told("2h", vacancy.New, of("C9999-26-0009"), tied("sibling", "C9101-26-0001"))}, nil, want{"adverts": 2, "sibling wrong": 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := score.Score(score.Input{Truth: tt.truth, Alerts: tt.alerts, Kills: tt.kills, From: from, To: to, Silences: []score.Span{silence}})
			for k, n := range tt.want {
				if n == 0 {
					delete(tt.want, k)
				}
			}
			if diff := cmp.Diff(map[string]int(tt.want), counts(f)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// After its state was lost, the watcher may take in silence what appeared
// before that and had not been told, but tells nothing a second time.
func TestScoreLostState(t *testing.T) {
	lost := []score.Span{silence, {From: after("48h"), To: after("49h")}}
	truth := []simulator.Record{
		advert(named("told")), advert(named("swallowed"), visible("47h58m", "47h58m")),
		advert(named("posted since"), visible("48h10m", "48h10m")), advert(named("told again")),
	}
	alerts := []score.Alert{told("1h3m", vacancy.New, of("told")), told("1h3m", vacancy.New, of("told again")), told("50h", vacancy.New, of("told again"))}
	f := score.Score(score.Input{Truth: truth, Alerts: alerts, From: from, To: to, Silences: lost})
	want := map[string]int{"adverts": 3, "silent": 1, "missed": 1, "late": 1, "late fresh": 1, "twice": 1}
	if diff := cmp.Diff(want, counts(f)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]string{"posted since"}, f.Missed); diff != "" {
		t.Errorf("missed (-want +got)\n%s", diff)
	}
}

func TestScoreStored(t *testing.T) {
	stored := func(ref, why, at string) score.Alert {
		return score.Alert{Reference: ref, Kind: vacancy.Closed, Reason: why, At: after(at)}
	}
	f := score.Score(score.Input{From: from, To: to,
		Truth: []simulator.Record{advert(), advert(named("gone"), left("48h", simulator.Early)), advert(named("moved"))},
		Stored: []score.Alert{stored("C9101-26-0001", vacancy.Early, "96h"), stored("gone", vacancy.Early, "96h"),
			stored("moved", vacancy.Expired, "96h"), stored("strange", vacancy.Early, "96h")}})
	if f.DateMoved != 1 || !cmp.Equal(f.FalseStored, []string{"C9101-26-0001"}) || len(f.FalseClosed) != 0 {
		t.Errorf("false %q, date moved %d, want one of each", f.FalseStored, f.DateMoved)
	}
}

func TestScoreWaits(t *testing.T) {
	var truth []simulator.Record
	var alerts []score.Alert
	for i := range 200 {
		ref := fmt.Sprint("C9101-26-", i)
		truth = append(truth, advert(named(ref)))
		a := told("1h", vacancy.New, of(ref))
		a.At = a.At.Add(time.Duration(200-i) * time.Second)
		alerts = append(alerts, a)
	}
	truth = append(truth, advert(visible("9h", "1h")))
	alerts = append(alerts, told("10h", vacancy.New))
	f := score.Score(score.Input{Truth: truth, Alerts: alerts, From: from, To: to})
	want := [3]score.Quantiles{
		{N: 201, P50: 101 * time.Second, P95: 191 * time.Second, P99: 199 * time.Second, Max: time.Hour},
		{N: 200, P50: 100 * time.Second, P95: 190 * time.Second, P99: 198 * time.Second, Max: 200 * time.Second},
		{N: 1, P50: time.Hour, P95: time.Hour, P99: time.Hour, Max: time.Hour},
	}
	if got := [3]score.Quantiles{f.Wait, f.WaitFresh, f.WaitBackdated}; got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if m := score.Merge(f, f); m.Wait.N != 402 || m.Wait.P50 != want[0].P50 || m.Adverts != 402 || m.WaitBackdated.N != 2 {
		t.Errorf("merged: %+v", m)
	}
}

func TestScoreRequests(t *testing.T) {
	var log []simulator.Request
	ask := func(at time.Time, url string) {
		log = append(log, simulator.Request{Time: at, Manners: at, URL: url, Bytes: 10})
	}
	ask(after("1m"), "/robots.txt") // in the silence
	for i := range 31 {
		ask(after("1h").Add(time.Duration(i)*1900*time.Millisecond), "/api/v1/search_xml?page=1&limit=100")
	}
	ask(after("2h"), "/candidate/search/results?page=1")
	ask(after("3h"), "/candidate/search/results?jobReference=C9101-26-0001")
	ask(after("4h"), "/candidate/jobadvert/C9101-26-0001")
	ask(after("30h"), "/robots.txt")
	ask(after("31h"), "/candidate/auth/login?returnTo=x")
	f := score.Score(score.Input{Truth: []simulator.Record{advert()}, Alerts: []score.Alert{told("1h3m", vacancy.New)}, Requests: log,
		Broken: []string{"a law"}, From: from, To: to, Silences: []score.Span{silence}, Budget: 34})
	want := map[string]int{score.KindListing: 31, score.KindHTML: 1, score.KindProbe: 1, score.KindAdvert: 1, score.KindRobots: 1, score.KindOther: 1}
	if diff := cmp.Diff(want, f.Requests); diff != "" {
		t.Errorf("requests (-want +got)\n%s", diff)
	}
	got := score.Figures{BusiestMinute: f.BusiestMinute, BusiestDay: f.BusiestDay, ShortestGap: f.ShortestGap, Bytes: f.Bytes, Overruns: f.Overruns, Broken: f.Broken}
	if diff := cmp.Diff(score.Figures{BusiestMinute: 31, BusiestDay: 35, ShortestGap: 1900 * time.Millisecond, Bytes: 360,
		Overruns: []string{"2026-09-01"}, Broken: []string{"a law"}}, got, cmpopts.IgnoreUnexported(score.Figures{})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if f.ListingPerNew() != 32 || f.PerNew(score.KindAdvert) != 1 || f.PerDay(score.KindListing) != 31/f.Days {
		t.Errorf("%v listing and %v adverts for each new one, %v listing a day", f.ListingPerNew(), f.PerNew(score.KindAdvert), f.PerDay(score.KindListing))
	}
	two := score.Merge(f, score.Figures{ShortestGap: time.Second, BusiestDay: 40, Requests: map[string]int{score.KindAdvert: 2}})
	if two.ShortestGap != time.Second || two.BusiestDay != 40 || two.Requests[score.KindAdvert] != 3 || len(two.Overruns) != 1 || two.Bytes != 360 {
		t.Errorf("merged: %+v", two)
	}
	if empty := score.Merge(); empty.ListingPerNew() != 0 || empty.PerDay(score.KindAdvert) != 0 {
		t.Error("nothing is not nothing")
	}
}
