package vacancy

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const duties = "Book clinics, keep the ward's papers in order, greet visitors and answer the telephone with patience."

// advert is a page that was read in full, of an employer with or without
// numbers of its own.
func advert(ref, number string, edit ...func(*Vacancy)) Vacancy {
	v := read()
	v.Reference, v.EmployerReference, v.Text.Duties = ref, number, duties
	v.Sponsorship, v.PayScheme = NotOffered, "Agenda for change"
	for _, e := range edit {
		e(&v)
	}
	return v
}

// kept is the record of an advert that was first seen at a time.
func kept(v Vacancy, seen time.Time, edit ...func(*Record)) Record {
	v.FirstSeen = seen
	r := Record{Vacancy: v, Text: v.Text, Version: 1}
	r.Vacancy.Text = Text{}
	for _, e := range edit {
		e(&r)
	}
	return r
}

func over(at time.Time) func(*Record) {
	return func(r *Record) { *r, _, _ = r.Close(Expired, at) }
}

func banded(b string) func(*Vacancy) { return func(v *Vacancy) { v.Band = b } }
func unread(v *Vacancy)              { v.PageUnread = true }

func TestRelate(t *testing.T) {
	now := time.Date(2026, time.April, 20, 9, 0, 0, 0, time.UTC)
	ago := func(days int) time.Time { return now.AddDate(0, 0, -days) }
	const number = "900-7758849SBH-A"
	open := closes(LondonDay(now).Add(10))
	fresh := func(number string, edit ...func(*Vacancy)) Vacancy {
		return advert("C9001-26-0200", number, append([]func(*Vacancy){open, posted(AtTime(now))}, edit...)...)
	}
	past := func(number string, edit ...func(*Vacancy)) Record {
		return kept(advert("C9001-26-0123", number, edit...), ago(50), over(ago(36)))
	}
	live := func(ref, number string, edit ...func(*Vacancy)) Record {
		return kept(advert(ref, number, append([]func(*Vacancy){open, posted(AtTime(now.Add(-time.Minute)))}, edit...)...), now.Add(-time.Minute))
	}
	leeds := sites(Location{Town: "Leeds", Postcode: "LS1 3EX"})
	again := Link{Kind: LinkReadvert, Reference: "C9001-26-0123"}
	twin := Link{Kind: LinkTwin, Reference: "C9001-26-0123"}
	sibling := Link{Kind: LinkSibling, Reference: "C9001-26-0199"}

	for name, tt := range map[string]struct {
		v      Vacancy
		others []Record
		want   Link // Why aside
	}{
		"nobody": {fresh(number), nil, Link{}},
		"itself": {fresh(number), []Record{kept(fresh(number), ago(3))}, Link{}},

		// The employer's number.
		"same number, over":                   {fresh(number), []Record{past(number)}, again},
		"next letter":                         {fresh("900-7758849SBH-B"), []Record{past(number)}, again},
		"a letter after none":                 {fresh(number), []Record{past("900-7758849SBH")}, again},
		"next letter, title put right":        {fresh("900-7758849SBH-B", titled("Senior Ward Clerk")), []Record{past(number)}, again},
		"next letter, another post":           {fresh("900-7758849SBH-B", titled("Consultant in Cardiology")), []Record{past(number)}, Link{}},
		"same number, another post":           {fresh(number, titled("Senior Ward Clerk")), []Record{past(number)}, Link{}},
		"next letter, another place":          {fresh("900-7758849SBH-B", leeds), []Record{past(number)}, again},
		"an earlier letter":                   {fresh(number), []Record{past("900-7758849SBH-B")}, Link{}},
		"next letter, not read when it ended": {fresh("900-7758849SBH-B"), []Record{past(number, unread)}, again},
		"next letter, the first one open":     {fresh("900-7758849SBH-B"), []Record{live("C9001-26-0123", number)}, Link{}},
		"next letter on the last day": {fresh("900-7758849SBH-B"),
			[]Record{kept(advert("C9001-26-0123", number, closes(LondonDay(now))), ago(14))}, again},
		"next letter on the day before": {fresh("900-7758849SBH-B"),
			[]Record{kept(advert("C9001-26-0123", number, closes(LondonDay(now).Add(1))), ago(14))}, Link{}},
		"another number, all else equal": {fresh("900-7758850SBH-A"), []Record{past(number)}, Link{}},
		"a number that is none":          {fresh("JOBREF-B", banded("4")), []Record{past("JOBREF-A")}, Link{}},
		"a run of runs": {fresh("900-7758849SBH-C"), []Record{past(number),
			kept(advert("C9001-26-0150", "900-7758849SBH-B"), ago(30), over(ago(16)))}, Link{Kind: LinkReadvert, Reference: "C9001-26-0150"}},
		"another account": {func() Vacancy { v := fresh(number); v.Reference = "C9002-26-0200"; return v }(), []Record{past(number)}, Link{}},
		"another source":  {func() Vacancy { v := fresh(number); v.Source = "other"; return v }(), []Record{past(number)}, Link{}},
		"closed after this one had come": {func() Vacancy { v := fresh("900-7758849SBH-B"); v.FirstSeen = ago(40); return v }(),
			[]Record{kept(advert("C9001-26-0123", number, open), ago(50), over(ago(36)))}, Link{}},

		// Listed twice.
		"twin":                         {fresh(number), []Record{live("C9001-26-0123", number)}, twin},
		"twin in another place":        {fresh(number, leeds), []Record{live("C9001-26-0123", number)}, twin},
		"twin of another title":        {fresh(number, titled("Clerk")), []Record{live("C9001-26-0123", number)}, Link{}},
		"twin and an earlier run":      {fresh(number), []Record{past("900-7758849SBH"), live("C9001-26-0124", number)}, Link{Kind: LinkTwin, Reference: "C9001-26-0124"}},
		"the first of two twins":       {fresh(number), []Record{live("C9001-26-0130", number), kept(advert("C9001-26-0123", number, open), ago(3))}, twin},
		"a twin that is over":          {fresh(number, closes(LondonDay(ago(1)))), []Record{live("C9001-26-0123", number)}, Link{}},
		"twins under a number of none": {fresh("NURSE"), []Record{live("C9001-26-0123", "NURSE")}, Link{}},

		// One post, several sites.
		"sibling":                     {fresh("", leeds), []Record{live("C9001-26-0199", "")}, sibling},
		"sibling with its own number": {fresh("900-7758849SBH-2", leeds), []Record{live("C9001-26-0199", "900-7758849SBH")}, sibling},
		"sibling far in the sequence": {fresh("", leeds), []Record{live("C9001-26-0189", "")}, Link{}},
		"sibling, not read":           {fresh("", leeds, unread), []Record{live("C9001-26-0199", "")}, Link{}},
		"sibling of another band":     {fresh("", leeds, banded("4")), []Record{live("C9001-26-0199", "")}, Link{}},
		"sibling of another text": {fresh("", leeds, func(v *Vacancy) { v.Text.Duties = "Drive the van between our laboratories, by day and by night." }),
			[]Record{live("C9001-26-0199", "")}, Link{}},
		"sibling of the same place": {fresh(""), []Record{live("C9001-26-0199", "")}, Link{}},
		"sibling two hours later":   {fresh("", leeds, posted(AtTime(now.Add(2*time.Hour)))), []Record{live("C9001-26-0199", "")}, Link{}},
		"sibling that has closed": {fresh("", leeds), []Record{func() Record { r := live("C9001-26-0199", ""); over(now)(&r); return r }()},
			Link{}},

		// What both print, where neither has a number.
		"copy":                       {fresh(""), []Record{past("")}, again},
		"copy with a remark":         {fresh("", titled("RE-ADVERTISEMENT: Ward Clerk")), []Record{past("")}, again},
		"copy of another band":       {fresh("", banded("4")), []Record{past("")}, Link{}},
		"copy of another pay":        {fresh("", paid("£27,000 to £28,000 a year")), []Record{past("")}, Link{}},
		"copy elsewhere":             {fresh("", leeds), []Record{past("")}, Link{}},
		"copy with one place more":   {fresh("", sites(Location{Town: "London", Postcode: "E1 1BB"}, Location{Town: "Leeds", Postcode: "LS1 3EX"})), []Record{past("")}, Link{}},
		"copy with a comma":          {fresh("", titled("Ward, Clerk")), []Record{past("")}, Link{}},
		"copy not read":              {fresh("", unread), []Record{past("")}, Link{}},
		"copy of one not read":       {fresh(""), []Record{past("", unread)}, Link{}},
		"copy with a number now":     {fresh(number), []Record{past("")}, Link{}},
		"copy of an open one":        {fresh(""), []Record{live("C9001-26-0123", "")}, Link{}},
		"copy within a day":          {fresh(""), []Record{kept(advert("C9001-26-0123", "", closes(LondonDay(now))), now.Add(-20*time.Hour))}, Link{}},
		"copy after a season":        {fresh(""), []Record{kept(advert("C9001-26-0123", ""), ago(91), over(ago(80)))}, Link{}},
		"copy of either of two":      {fresh(""), []Record{past(""), kept(advert("C9001-26-0150", ""), ago(30), over(ago(16)))}, Link{}},
		"copy of one and beside one": {fresh(""), []Record{past(""), live("C9001-26-0150", "")}, Link{}},
		"copy of a copy": {fresh(""), []Record{past(""), kept(advert("C9001-26-0150", ""), ago(30), over(ago(16)),
			func(r *Record) { r.Link = again })}, Link{Kind: LinkReadvert, Reference: "C9001-26-0150"}},
	} {
		got := Relate(&tt.v, now, tt.others)
		if (got.Why == "") != (got.Kind == "") || got.First {
			t.Errorf("%s: link %+v, want it to say why, and not that it was the first", name, got)
		}
		got.Why = ""
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		// Two that are tied share a name, else they would never meet.
		if i := slices.IndexFunc(tt.others, func(o Record) bool { return o.Vacancy.Reference == got.Reference }); i >= 0 {
			theirs := KinNames(&tt.others[i].Vacancy)
			if !slices.ContainsFunc(KinNames(&tt.v), func(n string) bool { return slices.Contains(theirs, n) }) {
				t.Errorf("%s: the two have no name in common", name)
			}
		}
	}

	says := fresh("", func(v *Vacancy) { v.Text.Summary = "Previous applicants need not apply. " + v.Text.Summary })
	if got := Relate(&says, now, []Record{past("")}); got.Why != "same title, place and terms, and previous applicants need not apply" {
		t.Errorf("one that says so is tied because of %q", got.Why)
	}
}

func TestKinNames(t *testing.T) {
	for _, tt := range []struct {
		name string
		v    Vacancy
		want []string
	}{
		{"number and title", advert("C9001-26-0123", "900-7758849SBH-A"), []string{"number|nhs-jobs|C9001|9007758849sbh", "title|nhs-jobs|C9001|ward clerk"}},
		{"no run", advert("C9001-26-0123", "900-7758849sbh"), []string{"number|nhs-jobs|C9001|9007758849sbh", "title|nhs-jobs|C9001|ward clerk"}},
		{"no number", advert("C9001-26-0123", "NURSE"), []string{"title|nhs-jobs|C9001|ward clerk"}},
		{"title in other words", advert("C9001-26-0123", "", titled(" WARD–Clerk (Re-advert) ")), []string{"title|nhs-jobs|C9001|ward clerk"}},
		{"no account", advert("900123", "900-7758849SBH-A"), []string{"title|nhs-jobs|marlowehealthnhstrust|ward clerk"}},
		{"nothing", Vacancy{Source: "nhs-jobs", Reference: "C9001-26-0123"}, nil},
		{"no employer", Vacancy{Source: "nhs-jobs", Reference: "1", Title: "Clerk"}, nil},
	} {
		if diff := cmp.Diff(tt.want, KinNames(&tt.v)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestBareTitle(t *testing.T) {
	for title, want := range map[string]string{
		"Ward  Clerk ":                      "ward clerk",
		"Ward Clerk (Re-Advertised)":        "ward clerk",
		"Ward Clerk - readvertisement":      "ward clerk",
		"READVERT Ward Clerk":               "ward clerk",
		"**RE ADVERTISEMENT** Ward Clerk":   "ward clerk",
		"Ward Clerk, Advertising Team":      "ward clerk, advertising team",
		"Care Advertising Lead":             "care advertising lead",
		"Ward Clerk [re-advert] - Band 3":   "ward clerk band 3",
		"Pre-Advertised Role Administrator": "pre-advertised role administrator",
	} {
		if got := bareTitle(title); got != want {
			t.Errorf("%q: got %q, want %q", title, got, want)
		}
	}
}

// FuzzRelate puts any words into two adverts: names and tie must be found
// without a panic, and what is tied shares a name.
func FuzzRelate(f *testing.F) {
	f.Add("C9001-26-0200", "900-7758849SBH-B", "Ward Clerk", "C9001-26-0199", "900-7758849SBH-A", "Ward Clerk")
	f.Add("C9001-26-052a", "-A", "re-advert", "C9001-26-053a", "", "")
	f.Fuzz(func(t *testing.T, ref, number, title, ref2, number2, title2 string) {
		v, o := advert(ref, number, titled(title)), kept(advert(ref2, number2, titled(title2)), noon.AddDate(0, 0, -30), over(noon.AddDate(0, 0, -20)))
		link := Relate(&v, noon, []Record{o})
		if link.Kind == "" {
			return
		}
		if ref == ref2 {
			t.Errorf("%q is tied to itself", ref)
		}
		theirs := KinNames(&o.Vacancy)
		if !slices.ContainsFunc(KinNames(&v), func(n string) bool { return slices.Contains(theirs, n) }) {
			t.Errorf("%+v ties %q %q and %q %q, which have no name in common", link, number, title, number2, title2)
		}
	})
}
