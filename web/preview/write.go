package preview

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/vacancy"
	"github.com/vacancywatch/vacancywatch/vacancy/gazetteer"
	"github.com/vacancywatch/vacancywatch/vacancy/specialty"
)

// Query is the query that the form reads as the search's criteria. It is false
// where no query does: the form cannot say all that a configuration can.
func Query(s *vacancy.Search) (string, bool) {
	q := url.Values{}
	add := func(field string, values ...string) {
		for _, v := range values {
			q.Add(field, v)
		}
	}
	number := func(field string, n int) {
		if n != 0 {
			add(field, strconv.Itoa(n))
		}
	}
	check := func(field string, on bool) {
		if on {
			add(field, "1")
		}
	}
	if len(s.Places) > MaxPlaces {
		return "", false
	}
	row := 0
	for i := range s.Places {
		p := &s.Places[i]
		if p.Remote {
			q.Set(FieldRemote, "1")
		}
		if p.Region == "" && p.Area == "" && p.Miles == 0 {
			continue // work from home alone
		}
		row++
		add(Near(row), p.Name)
		number(Miles(row), p.Miles)
	}
	bands := slices.Clone(s.Bands)
	if s.Unstated["band"] && len(bands) > 0 && !slices.Contains(bands, vacancy.BandUnstated) {
		bands = append(bands, vacancy.BandUnstated) // which says the same
	}
	add(FieldBand, bands...)
	add(FieldSpecialty, grouped(s.Specialties)...)
	check(FieldStatedOnly, s.StatedOnly)
	if s.Keywords != "" {
		add(FieldKeywords, s.Keywords)
	}
	add(FieldStaffGroup, s.StaffGroups...)
	if len(s.Employers) > 0 {
		add(FieldEmployers, strings.Join(s.Employers, "\n"))
	}
	if len(s.NotEmployers) > 0 {
		add(FieldNotEmployers, strings.Join(s.NotEmployers, "\n"))
	}
	add(FieldContract, s.Contracts...)
	number(FieldMinMonths, s.MinMonths)
	number(FieldMaxMonths, s.MaxMonths)
	add(FieldPattern, s.Patterns...)
	number(FieldMinSalary, s.MinSalary)
	check(FieldSponsorship, s.Sponsorship)
	number(FieldDaysLeft, s.DaysLeft)
	check(FieldInternal, s.Internal)
	for _, c := range vacancy.Criteria() {
		if pass, ok := s.Unstated[c.Name]; ok && pass != c.UnstatedPasses && c.Name != "band" {
			add(map[bool]string{true: FieldUnstated, false: FieldStated}[pass], c.Name)
		}
	}
	query := q.Encode()
	back, faults := ReadForm(q).Search(gazetteer.Default())
	return query, len(faults) == 0 && len(query) <= MaxQuery && sameCriteria(s, &back)
}

// sameCriteria reports whether two prepared searches ask for the same.
func sameCriteria(a, b *vacancy.Search) bool {
	return reflect.DeepEqual(criteria(a), criteria(b))
}

// criteria is a search without what is not asked of vacancies, in the one
// spelling that Query and a form can tell.
func criteria(s *vacancy.Search) vacancy.Search {
	c := s.Clone()
	c.ID, c.Name, c.Subscriber, c.Notify, c.Kinds, c.Provisioned, c.Created = "", "", "", nil, nil, false, time.Time{}
	remote := false
	for i := range c.Places {
		// Which of the places it is said of makes no difference, and the
		// points of a place differ with what was imported.
		p := &c.Places[i]
		remote, p.Remote, p.Lat, p.Lon = remote || p.Remote, false, 0, 0
	}
	if remote && len(c.Places) > 0 {
		c.Places[0].Remote = true
	}
	if c.Unstated["band"] && len(c.Bands) > 0 && !slices.Contains(c.Bands, vacancy.BandUnstated) {
		c.Bands = append(c.Bands, vacancy.BandUnstated)
	}
	for _, known := range vacancy.Criteria() {
		if pass, ok := c.Unstated[known.Name]; ok && (pass == known.UnstatedPasses || pass && known.Name == "band") {
			delete(c.Unstated, known.Name)
		}
	}
	if len(c.Unstated) == 0 {
		c.Unstated = nil
	}
	for _, list := range []*[]string{&c.Bands, &c.StaffGroups, &c.Specialties, &c.Employers, &c.NotEmployers, &c.Contracts, &c.Patterns} {
		slices.Sort(*list)
		if len(*list) == 0 {
			*list = nil
		}
	}
	return c
}

// grouped writes ids of specialties as the names of groups where a whole group
// is there.
func grouped(ids []string) []string {
	left := slices.Clone(ids)
	var out []string
	for _, g := range specialty.Groups() {
		all, _ := specialty.Expand(g)
		missing := slices.ContainsFunc(all, func(id string) bool { return !slices.Contains(left, id) })
		if len(all) < 2 || missing {
			continue
		}
		out = append(out, g)
		left = slices.DeleteFunc(left, func(id string) bool { return slices.Contains(all, id) })
	}
	return append(out, left...)
}

// YAML is the search as the configuration file wants it, an entry of its
// searches. Who is told is for whoever pastes it, and stands there as a
// comment. It is false where the file would read a place otherwise.
func YAML(s *vacancy.Search) (string, bool) {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, "    "+format+"\n", args...) }
	fmt.Fprintf(&b, "searches:\n  - id: %s\n", quoted(s.ID))
	if len(s.Places) > 0 {
		line("places:")
	}
	for i := range s.Places {
		p := &s.Places[i]
		var parts []string
		if p.Region != "" || p.Area != "" || p.Miles != 0 {
			again, err := vacancy.NewPlace(p.Name, p.Miles)
			if err != nil || again.Region != p.Region || again.Area != p.Area || again.Name != p.Name {
				return "", false
			}
			parts = append(parts, "near: "+quoted(p.Name))
		}
		if p.Miles != 0 {
			parts = append(parts, "miles: "+strconv.Itoa(p.Miles))
		}
		if p.Remote {
			parts = append(parts, "remote: true")
		}
		line("  - {%s}", strings.Join(parts, ", "))
	}
	list := func(key string, values []string) {
		if len(values) == 0 {
			return
		}
		out := make([]string, len(values))
		for i, v := range values {
			out[i] = quoted(v)
		}
		line("%s: [%s]", key, strings.Join(out, ", "))
	}
	number := func(key string, n int) {
		if n != 0 {
			line("%s: %d", key, n)
		}
	}
	check := func(key string, on bool) {
		if on {
			line("%s: true", key)
		}
	}
	list("bands", s.Bands)
	list("specialties", grouped(s.Specialties))
	check("stated_only", s.StatedOnly)
	if s.Keywords != "" {
		line("keywords: %s", quoted(s.Keywords))
	}
	list("staff_groups", s.StaffGroups)
	list("employers", s.Employers)
	list("not_employers", s.NotEmployers)
	list("contracts", s.Contracts)
	number("min_months", s.MinMonths)
	number("max_months", s.MaxMonths)
	list("working_patterns", s.Patterns)
	number("min_salary", s.MinSalary)
	check("sponsorship", s.Sponsorship)
	number("days_left", s.DaysLeft)
	check("internal", s.Internal)
	if len(s.Unstated) > 0 {
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(s.Unstated)) {
			parts = append(parts, fmt.Sprintf("%s: %t", name, s.Unstated[name]))
		}
		line("unstated: {%s}", strings.Join(parts, ", "))
	}
	line("# Who is told, by a channel of the file:")
	line("# notify: [{channel: mail, to: you@example.org}]")
	return b.String(), true
}

// quoted is a text as a YAML scalar. A word of letters, digits, hyphens and
// inner spaces that begins with a letter stays as it is, but for those that
// YAML takes for something else; every JSON string is a YAML one.
func quoted(s string) string {
	plain := s != ""
	for i, r := range s {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		inner := '0' <= r && r <= '9' || r == '-' || r == ' '
		plain = plain && (letter || inner && i > 0)
	}
	switch strings.ToLower(s) {
	case "true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf":
		plain = false
	}
	if plain && !strings.HasSuffix(s, " ") {
		return s
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err) // Unreachable: a text can always be encoded.
	}
	return strings.TrimSuffix(b.String(), "\n")
}
