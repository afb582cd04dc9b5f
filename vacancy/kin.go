package vacancy

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
)

// How one vacancy is tied to another: values of Link.Kind.
const (
	LinkReadvert = "readvertised" // the same post again, under a new reference
	LinkTwin     = "twin"         // the same vacancy, listed twice at a time
	LinkSibling  = "sibling"      // one post, advertised once for each of its sites
)

// A Link ties a vacancy to one that was known before. Linked vacancies are
// never merged: each keeps its identity.
type Link struct {
	Kind      string `json:"kind,omitempty"`
	Reference string `json:"reference,omitempty"`
	// Why says in a few words what the two have in common.
	Why string `json:"why,omitempty"`
	// First is set where the link was known when the vacancy was announced.
	First bool `json:"first,omitempty"`
}

const (
	// A vacancy without a number of its employer's is taken for one advertised
	// again this long after the first advert appeared, neither sooner nor
	// later: what comes within a day is a second post, what comes after a
	// season is a new one.
	readvertAfter, readvertWithin = 24 * time.Hour, 90 * 24 * time.Hour
	// siblingsWithin is how far apart the adverts of one post are published.
	siblingsWithin = time.Hour
)

// KinNames returns the names under which relatives of a vacancy are found:
// two that are tied share at least one. A name is made of source, employer and
// either the employer's reference without its run, or the title.
func KinNames(v *Vacancy) []string {
	var out []string
	if stem, _ := SplitRun(v.EmployerReference); telling(stem) && v.Account() != "" {
		out = append(out, "number|"+v.Source+"|"+v.Account()+"|"+fold(stem))
	}
	if title, owner := plainTitle(v.Title), ownerOf(v); title != "" && owner != "" {
		out = append(out, "title|"+v.Source+"|"+owner+"|"+title)
	}
	return out
}

// ownerOf names the employer: by account where the reference has one, for that
// is the same however the name is spelt.
func ownerOf(v *Vacancy) string { return cmp.Or(v.Account(), fold(v.Employer)) }

// againRemark is what some titles say beside the post: "(Re-advertisement)".
var againRemark = regexp.MustCompile(`(?i)[\s(\[*:–-]*\bre[\s-]?advert\w*[\s)\]*:–-]*`)

// bareTitle is a title in lower case with single spaces, and without the
// remark that it is advertised again.
func bareTitle(title string) string {
	return strings.Join(strings.Fields(strings.ToLower(againRemark.ReplaceAllString(title, " "))), " ")
}

// plainTitle is a bare title without punctuation.
func plainTitle(title string) string {
	words := strings.FieldsFunc(bareTitle(title), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return strings.Join(words, " ")
}

// Relate returns the strongest tie of a vacancy, as it stands at a time, to one
// of others; the zero Link where it stands alone. The vacancy was first seen at
// v.FirstSeen, or just now where that is zero. In order of strength:
//
//	twin          both live, one account, one whole employer's reference, one title
//	readvertised  the other was over when v appeared; one account, and the same
//	              employer's reference or an earlier run of it
//	sibling       both live, references side by side, published within the hour,
//	              one title, text and terms, another place
//	readvertised  the other was over when v appeared, a day to 90 days before;
//	              no reference of the employer's, but one title, one place and
//	              one set of printed terms, shared by no third vacancy
//
// A wrong tie is worse than none: what is not known, for a page has not been
// read, is taken for different, and of two that fit as well neither is taken.
func Relate(v *Vacancy, at time.Time, others []Record) Link {
	k := kinship{v: v, today: LondonDay(at), since: v.FirstSeen}
	if k.since.IsZero() {
		k.since = at
	}
	near := slices.DeleteFunc(slices.Clone(others), func(o Record) bool {
		return o.Vacancy.Source != v.Source || o.Vacancy.Reference == v.Reference || ownerOf(&o.Vacancy) != ownerOf(v)
	})
	// Oldest first: a twin is told of its first listing, a run of its last.
	slices.SortStableFunc(near, func(a, b Record) int {
		return cmp.Or(a.Vacancy.FirstSeen.Compare(b.Vacancy.FirstSeen), strings.Compare(a.Vacancy.Reference, b.Vacancy.Reference))
	})
	for i := range near {
		if k.twin(&near[i]) {
			return k.link(LinkTwin, &near[i], "same employer reference "+v.EmployerReference)
		}
	}
	for i := range slices.Backward(near) {
		if k.nextRun(&near[i]) {
			why := "same employer reference " + v.EmployerReference
			if earlier := near[i].Vacancy.EmployerReference; earlier != v.EmployerReference {
				why = "the employer reference follows " + earlier
			}
			return k.link(LinkReadvert, &near[i], why)
		}
	}
	for i := range near {
		if k.sibling(&near[i]) {
			return k.link(LinkSibling, &near[i], "same title and text, another place")
		}
	}
	if o := k.again(near); o != nil {
		why := "same title, place and terms"
		if saysAgain(v) {
			why += ", and previous applicants need not apply"
		}
		return k.link(LinkReadvert, o, why)
	}
	return Link{}
}

// A kinship is a vacancy whose relatives are looked for.
type kinship struct {
	v     *Vacancy
	today Day
	since time.Time // first seen
}

func (k *kinship) link(kind string, o *Record, why string) Link {
	return Link{Kind: kind, Reference: o.Vacancy.Reference, Why: why}
}

// live reports whether both can be applied for.
func (k *kinship) live(o *Record) bool {
	return o.Closed == "" && o.Vacancy.Open(k.today) && k.v.Open(k.today)
}

// before reports whether o was there first and over, or in its last day, when
// v appeared.
func (k *kinship) before(o *Record) bool {
	day := LondonDay(k.since)
	over := o.Closed != "" && !o.ClosedAt.After(k.since) ||
		!o.Vacancy.Closing.IsZero() && !day.Before(o.Vacancy.Closing)
	return over && o.Vacancy.FirstSeen.Before(k.since)
}

func (k *kinship) twin(o *Record) bool {
	return k.live(o) && SameListing(k.v, &o.Vacancy) && telling(k.v.EmployerReference) &&
		plainTitle(k.v.Title) == plainTitle(o.Vacancy.Title)
}

func (k *kinship) nextRun(o *Record) bool {
	if !k.before(o) || !Readvertises(k.v, &o.Vacancy) || !telling(o.Vacancy.EmployerReference) {
		return false
	}
	// A number used twice may be a slip of the pen; its next letter is none,
	// and the title may then have been put right.
	title, earlier := plainTitle(k.v.Title), plainTitle(o.Vacancy.Title)
	return title == earlier || k.v.EmployerReference != o.Vacancy.EmployerReference && shared(title, earlier) >= 0.5
}

func (k *kinship) sibling(o *Record) bool {
	apart := k.appeared(k.v).Sub(k.appeared(&o.Vacancy)).Abs()
	return k.live(o) && Adjacent(k.v.Reference, o.Vacancy.Reference) && apart <= siblingsWithin &&
		plainTitle(k.v.Title) == plainTitle(o.Vacancy.Title) && sameTerms(k.v, &o.Vacancy) &&
		sameProse(k.v.Text, o.Text) && !commonPlace(k.v, &o.Vacancy)
}

// appeared is when a vacancy was published, as near as that is known.
func (k *kinship) appeared(v *Vacancy) time.Time {
	switch {
	case !v.Posted.IsZero() && !v.Posted.DayOnly:
		return v.Posted.Time
	case v.FirstSeen.IsZero():
		return k.since
	}
	return v.FirstSeen
}

// again returns the one vacancy that v advertises again, judged by what both
// print; nil where none or more than one fits.
func (k *kinship) again(others []Record) *Record {
	var found *Record
	for i := range others {
		o := &others[i]
		// To the comma: an advert that is used again keeps its title, and of
		// two posts one is "Nurse, Oncology" and the other "Nurse (Oncology)".
		if bareTitle(k.v.Title) != bareTitle(o.Vacancy.Title) || !commonPlace(k.v, &o.Vacancy) || !samePlaces(k.v.Locations, o.Vacancy.Locations) ||
			!sameTerms(k.v, &o.Vacancy) || k.v.EmployerReference != "" || o.Vacancy.EmployerReference != "" {
			continue
		}
		apart := k.since.Sub(o.Vacancy.FirstSeen)
		if !k.before(o) || apart < readvertAfter {
			return nil // one title for several posts
		}
		if apart > readvertWithin {
			continue
		}
		if found != nil && !(o.Link.Kind == LinkReadvert && o.Link.Reference == found.Vacancy.Reference) {
			return nil
		}
		found = o // an earlier one is that one's own forerunner
	}
	return found
}

// telling reports whether an employer's reference has the digits of a number
// that is given once: "259-7758849SBH" has, "NURSE-A" has not.
func telling(ref string) bool {
	digits := 0
	for _, c := range ref {
		if c >= '0' && c <= '9' {
			digits++
		}
	}
	return digits >= 5
}

// sameTerms reports whether two pages print the same terms: who advertises
// again reuses the advert, and so repeats them all.
func sameTerms(a, b *Vacancy) bool {
	return !a.PageUnread && !b.PageUnread && sameSet(a.AllBands(), b.AllBands()) && fold(a.PayScheme) == fold(b.PayScheme) &&
		a.Salary.Equal(b.Salary) && fold(a.Salary.String()) == fold(b.Salary.String()) &&
		fold(a.Contract) == fold(b.Contract) && fold(a.Duration) == fold(b.Duration) &&
		sameSet(a.WorkingPatterns, b.WorkingPatterns) && a.Sponsorship == b.Sponsorship && a.DBSRequired == b.DBSRequired &&
		sameSet(specialtyIDs(a), specialtyIDs(b))
}

func specialtyIDs(v *Vacancy) []string {
	out := make([]string, len(v.Specialties))
	for i := range v.Specialties {
		out[i] = v.Specialties[i].ID
	}
	return out
}

// commonPlace reports whether two vacancies share a place: by postcode where
// both have one, else by town.
func commonPlace(a, b *Vacancy) bool {
	for _, x := range a.Locations {
		for _, y := range b.Locations {
			if cx, cy := fold(x.Postcode), fold(y.Postcode); cx != "" && cy != "" {
				if cx == cy {
					return true
				}
			} else if x.Town != "" && fold(x.Town) == fold(y.Town) {
				return true
			}
		}
	}
	return false
}

// sameProse reports whether two adverts have one text, but for a name here and
// there. The summary is left out: it is where an advert is introduced anew.
func sameProse(a, b Text) bool {
	x := strings.Join([]string{a.Duties, a.Description, a.Requirements}, " ")
	y := strings.Join([]string{b.Duties, b.Description, b.Requirements}, " ")
	return shared(x, y) >= 0.9
}

// shared is the part of the words of two texts that both have.
func shared(a, b string) float64 {
	words := map[string]int{}
	for _, w := range strings.Fields(strings.ToLower(a)) {
		words[w] |= 1
	}
	for _, w := range strings.Fields(strings.ToLower(b)) {
		words[w] |= 2
	}
	both := 0
	for _, in := range words {
		if in == 3 {
			both++
		}
	}
	if len(words) == 0 {
		return 0
	}
	return float64(both) / float64(len(words))
}

// saysAgain reports whether an advert says of itself that it is not the first.
func saysAgain(v *Vacancy) bool {
	for _, text := range []string{v.Title, v.Text.Summary, v.Text.Duties, v.Text.Description} {
		text = strings.ToLower(text)
		if strings.Contains(text, "previous applicants need not") || strings.Contains(text, "previous applicants should not") {
			return true
		}
	}
	return false
}
