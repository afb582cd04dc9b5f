package vacancy

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vacancywatch/vacancywatch/vacancy/role"
	"github.com/vacancywatch/vacancywatch/vacancy/specialty"
	"github.com/vacancywatch/vacancywatch/vacancy/words"
)

// BandUnstated among the bands of a search stands for adverts that state none.
const BandUnstated = "unstated"

// Prepare checks the search and brings its values into their known spelling,
// each once. The error names every fault and what to do about it, also that a
// search can never match. What is merely unwise is for Advise. A search must
// be prepared before Matches is called.
func (s *Search) Prepare() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if s.ID == "" || strings.ContainsAny(s.ID, "|/# \t\n") {
		bad("id %q: give an id without spaces and without | / #", s.ID)
	}
	s.Bands = prepareBands(s.Bands, bad)
	s.StaffGroups = prepareStaffGroups(s.StaffGroups, bad)
	s.Specialties = prepareSpecialties(s.Specialties, bad)
	s.Employers, s.NotEmployers = prepareEmployers(s.Employers, bad), prepareEmployers(s.NotEmployers, bad)
	s.Contracts = prepareTerms("contract", s.Contracts, ParseContract, Contracts(), bad)
	s.Patterns = prepareTerms("working pattern", s.Patterns, ParsePattern, WorkingPatterns(), bad)
	for _, k := range s.Kinds {
		if !slices.Contains(Kinds(), k) {
			bad("event %q is unknown: use one of %v", k, Kinds())
		}
	}
	s.Kinds = once(s.Kinds)
	for _, name := range slices.Sorted(maps.Keys(s.Unstated)) {
		if !slices.ContainsFunc(criteria, func(c criterion) bool { return c.Name == name }) {
			bad("unstated: there is no criterion %q", name)
		}
	}
	if s.MinSalary < 0 || s.MinSalary > 1_000_000 {
		bad("min_salary %d: give pounds a year", s.MinSalary)
	}
	if s.DaysLeft < 0 || s.DaysLeft > 365 {
		bad("days_left %d: give 0 to 365 days", s.DaysLeft)
	}
	if s.MinMonths < 0 || s.MinMonths > 120 || s.MaxMonths < 0 || s.MaxMonths > 120 {
		bad("min_months %d, max_months %d: give 0 to 120 months", s.MinMonths, s.MaxMonths)
	}
	s.preparePlaces(bad)
	s.query = nil
	if strings.TrimSpace(s.Keywords) != "" {
		q, err := words.Parse(s.Keywords)
		if err != nil {
			bad("keywords: %w", err)
		}
		s.query = q
	}
	s.Notify = prepareNotify(s.Notify, bad)
	if len(errs) == 0 {
		s.impossible(bad)
	}
	if len(errs) == 0 && !s.narrow() {
		bad("the search asks for nothing that narrows it: give at least one of places, bands, specialties, keywords, employers")
	}
	return errors.Join(errs...)
}

// impossible names what no vacancy can ever meet.
func (s *Search) impossible(bad func(string, ...any)) {
	if len(s.Employers) > 0 {
		left := slices.DeleteFunc(slices.Clone(s.Employers), func(e string) bool {
			return slices.ContainsFunc(s.NotEmployers, func(n string) bool { return fold(n) == fold(e) })
		})
		if len(left) == 0 {
			bad("this can never match: %s is both asked for and left out, so take it out of one of the two lists of employers", either(s.Employers))
		}
	}
	if s.query != nil {
		if word, never := s.query.Never(); never {
			bad("keywords: this can never match: %q is both asked for and excluded, so take it out of one of the two", word)
		}
	}
	if flipped, ok := s.Unstated["band"]; ok && !flipped && slices.Contains(s.Bands, BandUnstated) {
		bad("this contradicts itself: the bands include %q, and unstated says that adverts without a band do not pass", BandUnstated)
	}
	if s.MaxMonths > 0 && s.MinMonths > s.MaxMonths {
		bad("this can never match: no contract lasts at least %s and at most %s", count(s.MinMonths, "month"), count(s.MaxMonths, "month"))
	}
	if s.MaxMonths > 0 && len(s.Contracts) == 1 && s.Contracts[0] == "Permanent" {
		bad("this can never match: a permanent contract has no end, so none lasts at most %s; leave out max_months or add Fixed term", count(s.MaxMonths, "month"))
	}
}

func (s *Search) preparePlaces(bad func(string, ...any)) {
	if len(s.Places) > 10 {
		bad("%d places: at most 10 make sense in one search", len(s.Places))
		return
	}
	places := slices.Clone(s.Places)
	ok := true
	for i := range places {
		if err := places[i].prepare(); err != nil {
			bad("%w", err)
			ok = false
		}
	}
	if ok {
		places = mergePlaces(places)
	}
	s.Places = places
}

func prepareBands(in []string, bad func(string, ...any)) []string {
	values := append(Bands(), BandUnstated)
	var out []string
	for _, b := range in {
		name, ok := ParseBandName(b)
		switch fold(b) {
		case "unstated", "notstated", "none", "noband":
			name, ok = BandUnstated, true
		}
		if !ok {
			bad("band %q is unknown: use one of %s", b, strings.Join(values, ", "))
			continue
		}
		out = append(out, name)
	}
	out = once(out)
	slices.SortStableFunc(out, func(a, b string) int { return slices.Index(values, a) - slices.Index(values, b) })
	return out
}

func prepareStaffGroups(in []string, bad func(string, ...any)) []string {
	var out []string
	for _, g := range in {
		found := false
		for _, k := range role.StaffGroups() {
			// Code 10 has no filter, and an empty text must not be taken for it.
			if k.Code == g || fold(k.Name) == fold(g) || k.Filter != "" && fold(k.Filter) == fold(g) {
				out, found = append(out, k.Code), true
			}
		}
		if !found {
			bad("staff group %q is unknown: use a code from 01 to 10 or its name", g)
		}
	}
	return once(out)
}

func prepareSpecialties(in []string, bad func(string, ...any)) []string {
	var ids []string
	for _, sp := range in {
		got, ok := specialty.Expand(sp)
		if id, known := specialty.Resolve(sp); !ok && known {
			got, ok = []string{id}, true
		}
		if !ok {
			hint := ""
			if near := specialty.Suggest(sp); len(near) > 0 {
				hint = ": did you mean " + either(near) + "?"
			}
			bad("specialty %q is unknown%s", sp, hint)
			continue
		}
		ids = append(ids, got...)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func prepareEmployers(in []string, bad func(string, ...any)) []string {
	var out []string
	for _, e := range in {
		if fold(e) == "" {
			bad("employer %q: give an account code such as C9259 or a name", e)
			continue
		}
		e = strings.Join(strings.Fields(e), " ")
		// An account is the beginning of a reference, in capitals there.
		if code := strings.ToUpper(e); ValidReference(code+"-0") && len(code) == 5 {
			e = code
		}
		if !slices.ContainsFunc(out, func(o string) bool { return fold(o) == fold(e) }) {
			out = append(out, e)
		}
	}
	return out
}

func prepareTerms(what string, in []string, parse func(string) string, list []string, bad func(string, ...any)) []string {
	var out []string
	for _, t := range in {
		known := parse(t)
		if !slices.Contains(list, known) {
			bad("%s %q is unknown: use one of %s", what, t, strings.Join(list, ", "))
			continue
		}
		out = append(out, known)
	}
	return once(out)
}

// prepareNotify checks the ways of telling as far as they can be judged
// without the channels.
func prepareNotify(in []Notify, bad func(string, ...any)) []Notify {
	for i, n := range in {
		switch {
		case n.Channel == "":
			bad("notify %d: name the channel that tells the matches", i+1)
		case strings.ContainsAny(n.To.Reveal(), "\r\n"):
			bad("notify %d: the address goes over more than one line", i+1)
		}
		if err := n.Check(); err != nil {
			bad("notify %d: %w", i+1, err)
		}
	}
	return once(in)
}

// once leaves out what stands in a list before.
func once[T comparable](in []T) []T {
	var out []T
	for _, x := range in {
		if !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	return out
}

// narrow reports whether the search leaves anything out beyond a NOT.
func (s *Search) narrow() bool {
	return len(s.Places)+len(s.Bands)+len(s.StaffGroups)+len(s.Specialties)+len(s.Employers)+len(s.Contracts)+len(s.Patterns) > 0 ||
		s.MinSalary > 0 || s.Sponsorship || s.MinMonths+s.MaxMonths > 0 || s.query != nil && !s.query.OnlyNot()
}

// Advise says what is unwise about a prepared search, in sentences for whoever
// saves it: that it is so wide that nearly everything matches, or so narrow
// that hardly anything can, or that it may mean something else than was meant.
// It never keeps a search from being saved; what is impossible is an error of
// Prepare. How wide a search really is, Preview measures.
func (s *Search) Advise() []string {
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	s.adviseWidth(say)
	if top, ok := bandsPayTop(s.Bands); ok && s.MinSalary > 0 && Money(s.MinSalary)*100 > top {
		say("%s pays at most %s a year, so with at least %s a year hardly anything can match.",
			capital(bandWords(s.Bands)), top, Money(s.MinSalary)*100)
	}
	doctors := func(b string) bool {
		return slices.Contains([]string{Foundation, Registrar, SpecialtyDoctor, SpecialistGrade, Consultant, DoctorOther}, b)
	}
	afc := func(b string) bool { return slices.Contains(ladder, b) }
	medical := slices.Contains(s.StaffGroups, role.MedicalAndDental)
	switch {
	case len(s.Bands) == 0 || len(s.StaffGroups) == 0:
	case medical && len(s.StaffGroups) == 1 && all(s.Bands, afc):
		say("Doctors and dentists are not paid by bands 2 to 9, so in that staff group hardly anything can match.")
	case !medical && all(s.Bands, doctors):
		say("Only doctors and dentists have the grades asked for, so in another staff group hardly anything can match.")
	}
	if s.DaysLeft > 28 {
		say("Most adverts are open for two or three weeks, so with at least %s left hardly anything can match.", count(s.DaysLeft, "day"))
	}
	if len(s.Kinds) > 0 && all(s.Kinds, func(k Kind) bool { return k == ClosingMoved || k == Closed }) {
		say("New closing dates and early ends are told only to those who heard of the vacancy before; this search tells of no new vacancy.")
	}
	if s.query != nil {
		out = append(out, s.query.Hints()...)
	}
	return out
}

// adviseWidth warns of a search without a place or an employer, or with
// nothing beside one, and of lists that hold everything.
func (s *Search) adviseWidth(say func(string, ...any)) {
	placed := len(s.Places) > 0 || len(s.Employers) > 0
	other := len(s.Bands)+len(s.StaffGroups)+len(s.Specialties)+len(s.Contracts)+len(s.Patterns) > 0 ||
		s.MinSalary > 0 || s.Sponsorship || s.MinMonths+s.MaxMonths > 0 || s.query != nil && !s.query.OnlyNot()
	switch {
	case !placed:
		say("No place and no employer is named, so vacancies from all over the country will match: add a place.")
	case !other && len(s.Places) > 0:
		say("Only a place is named, so every vacancy there will match, whatever the work: add a band, a specialty or a word.")
	case !other:
		say("Only an employer is named, so all its vacancies will match, whatever the work: add a band, a specialty or a word.")
	}
	for _, list := range []struct {
		name        string
		chosen, all int
	}{
		{"band", len(s.Bands), len(Bands())},
		{"staff group", len(s.StaffGroups), len(role.StaffGroups())},
		{"specialty", len(s.Specialties), len(specialty.All())},
		{"contract", len(s.Contracts), len(Contracts())},
		{"working pattern", len(s.Patterns), len(WorkingPatterns())},
	} {
		if list.chosen >= list.all {
			say("Every %s is chosen, which narrows nothing: choose those you want, or none.", list.name)
		}
	}
}

func all[T any](list []T, ok func(T) bool) bool {
	return !slices.ContainsFunc(list, func(x T) bool { return !ok(x) })
}
