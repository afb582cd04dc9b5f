package web

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/vacancywatch/vacancywatch/vacancy"
	"github.com/vacancywatch/vacancywatch/vacancy/role"
	"github.com/vacancywatch/vacancywatch/vacancy/specialty"
	"github.com/vacancywatch/vacancywatch/web/preview"
)

// searchView is the page that tries a search, as its template wants it.
type searchView struct {
	Errors []preview.Fault
	Sorry  string // instead of a result
	Places []placeRow
	Remote option
	Known  option // whether adverts count whose place is not known
	Bands  choices
	Words  input
	Read   option // whether adverts count whose page could not be read
	// Groups are the specialties, group by group.
	Groups []choices
	// Specialty has the fault of any of them, and what else is asked of them.
	Specialty choices
	More      []section
	Result    *resultView
	// Offer is the form below the result that signs an address up for it.
	Offer *offerView
	// Edit is the id of the search that is being changed.
	Edit string
}

// An input is a field for text, with its label.
type input struct {
	ID, Label, Hint, Value, Error string
	Prefix, Suffix                string // units
	Numeric                       bool
	Lines                         bool // several of them
	Max                           int  // characters
}

// Described are the ids of what describes the field, for aria-describedby.
func (f input) Described() string { return described(f.ID, f.Hint, f.Error) }

func described(id, hint, fault string) string {
	var ids []string
	if hint != "" {
		ids = append(ids, id+"-hint")
	}
	if fault != "" {
		ids = append(ids, id+"-error")
	}
	return strings.Join(ids, " ")
}

type placeRow struct{ Near, Miles input }

// Choices are boxes to tick, with their legend.
type choices struct {
	ID, Legend, Hint, Error string
	Options                 []option
	Chosen                  string // in the line that is shown while the boxes are not
	Open                    bool
}

// Described is that of input.
func (c choices) Described() string { return described(c.ID, c.Hint, c.Error) }

// An option is one box.
type option struct {
	ID, Name, Value, Label, Hint string
	Checked                      bool
}

// A section is a part of the form that is folded until it is used.
type section struct {
	Title, Chosen string
	Open          bool
	Choices       *choices
	Inputs        []input
	Options       []option
}

// newSearchView shows a form as it was filled in, each fault at its field.
func newSearchView(f *preview.Form, faults []preview.Fault) *searchView {
	b := builder{f, faults}
	v := &searchView{}
	for _, fault := range faults {
		// The link leads to what can be typed into or ticked.
		target := fault.Field
		switch target {
		case preview.FieldUnstated, preview.FieldStated:
			target = preview.Near(1)
		}
		v.Errors = append(v.Errors, preview.Fault{Field: target, Text: fault.Text})
	}
	for row := range f.Rows() {
		n := strconv.Itoa(row + 1)
		near := b.input(preview.Near(row+1), "Place "+n, "", 80)
		miles := b.input(preview.Miles(row+1), "Miles from place "+n, "", 4)
		miles.Numeric = true
		v.Places = append(v.Places, placeRow{near, miles})
	}
	v.Remote = b.box(preview.FieldRemote, "1", "Work from home counts too", "With no place above, nothing but work from home.")
	v.Known = b.turn("place")
	v.Bands = b.choices(preview.FieldBand, "Band or grade", "Several are joined by “or”.", bandOptions())
	v.Words = b.input(preview.FieldKeywords, "Words in the advert", "", 500)
	v.Read = b.turn("keywords")
	v.Specialty = b.choices(preview.FieldSpecialty, "Specialty", "Choose whole groups, single ones, or none.", nil)
	for _, g := range specialty.Groups() {
		v.Groups = append(v.Groups, b.specialties(g))
	}
	v.Specialty.Options = append(v.Specialty.Options, b.box(preview.FieldStatedOnly, "1", "Only adverts that name the specialty clearly", "Leaves out what we merely guess from the text."),
		b.turn("specialty"))
	v.More = b.sections()
	return v
}

// A builder makes the parts of a form.
type builder struct {
	form   *preview.Form
	faults []preview.Fault
}

func (b builder) fault(field string) string {
	for _, f := range b.faults {
		if f.Field == field {
			return f.Text
		}
	}
	return ""
}

func (b builder) input(field, label, hint string, most int) input {
	return input{ID: field, Label: label, Hint: hint, Value: b.form.Value(field), Error: b.fault(field), Max: most}
}

// box is a single box, not one of a list.
func (b builder) box(field, value, label, hint string) option {
	return option{ID: field, Name: field, Value: value, Label: label, Hint: hint, Checked: b.form.Value(field) != ""}
}

// turn is the box that turns round how adverts count that do not state the
// fact.
func (b builder) turn(criterion string) option {
	i := slices.IndexFunc(preview.Turnable(), func(c vacancy.Criterion) bool { return c.Name == criterion })
	field, label := preview.FieldUnstated, "Adverts that do not state it count too"
	switch {
	case preview.Turnable()[i].UnstatedPasses:
		field, label = preview.FieldStated, "Only adverts that state it"
	case criterion == "place":
		label = "Adverts whose place we do not know count too"
	case criterion == "keywords":
		label = "Adverts whose page we could not read count too"
	case criterion == "specialty":
		label = "Adverts that name no specialty count too"
	case criterion == "sponsorship":
		label = "Adverts of which we do not know it count too"
	}
	return option{ID: field + "-" + criterion, Name: field, Value: criterion, Label: label, Checked: b.form.Has(field, criterion)}
}

// choices has the boxes of a list. What else was asked for by the address of
// the page has a box as well, so that it can be seen and taken away.
func (b builder) choices(field, legend, hint string, options []option) choices {
	c := choices{ID: field, Legend: legend, Hint: hint, Error: b.fault(field)}
	for i, o := range options {
		o.ID, o.Name = field+"-"+strconv.Itoa(i+1), field
		if i == 0 {
			o.ID = field // where a link to the field leads
		}
		o.Checked = b.form.Has(field, o.Value)
		c.Options = append(c.Options, o)
	}
	c.count()
	return c
}

// count says how many boxes are ticked.
func (c *choices) count() {
	n := 0
	for _, o := range c.Options {
		if o.Checked {
			n++
		}
	}
	if c.Open = n > 0 || c.Error != ""; n > 0 {
		c.Chosen = strconv.Itoa(n) + " chosen"
	}
}

func (b builder) specialties(group string) choices {
	ids, _ := specialty.Expand(group)
	c := choices{ID: "group-" + group, Legend: groupWords(group)}
	if len(ids) > 1 {
		c.Options = append(c.Options, option{ID: c.ID + "-all", Name: preview.FieldSpecialty, Value: group, Label: "All of these",
			Checked: b.form.Has(preview.FieldSpecialty, group)})
	}
	for _, id := range ids {
		s, _ := specialty.Lookup(id)
		c.Options = append(c.Options, option{ID: preview.FieldSpecialty + "-" + id, Name: preview.FieldSpecialty, Value: id, Label: s.Name,
			Checked: b.form.Has(preview.FieldSpecialty, id)})
	}
	c.count()
	return c
}

// groupWords names a group of specialties for people.
func groupWords(group string) string {
	switch group {
	case "heart-lung":
		return "Heart, lungs and blood vessels"
	case "women":
		return "Women’s health and maternity"
	case "children":
		return "Children and young people"
	case "critical":
		return "Emergency and critical care"
	case "support":
		return "Research, education and support"
	}
	return upper(strings.ReplaceAll(group, "-", " "))
}

// upper begins a label.
func upper(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + s[size:]
}

func bandOptions() []option {
	var out []option
	for _, band := range append(vacancy.Bands(), vacancy.BandUnstated) {
		// The words of a search for it: "band 8a", "foundation doctor".
		s := vacancy.Search{Bands: []string{band}}
		out = append(out, option{Value: band, Label: upper(s.Describe())})
	}
	return out
}

func plainOptions(values []string) []option {
	out := make([]option, len(values))
	for i, v := range values {
		out[i] = option{Value: v, Label: v}
	}
	return out
}

// sections are the parts of the form that most leave alone.
func (b builder) sections() []section {
	var groups []option
	for _, g := range role.StaffGroups() {
		groups = append(groups, option{Value: g.Code, Label: g.Name})
	}
	number := func(field, label, hint, prefix, suffix string) input {
		in := b.input(field, label, hint, 10)
		in.Numeric, in.Prefix, in.Suffix = true, prefix, suffix
		return in
	}
	several := func(field, label, hint string) input {
		in := b.input(field, label, hint, 2500)
		in.Lines = true
		return in
	}
	return []section{
		b.list(b.choices(preview.FieldStaffGroup, "Staff group", "", groups), b.turn("staff_group")),
		b.folded("Employers", []input{
			several(preview.FieldEmployers, "Only these employers", "One a line: the name as the advert gives it, or the first five characters of its reference, such as C9259."),
			several(preview.FieldNotEmployers, "Not these employers", "One a line."),
		}, b.turn("employer")),
		b.list(b.choices(preview.FieldContract, "Contract", "", plainOptions(vacancy.Contracts())), b.turn("contract")),
		b.folded("How long the contract lasts", []input{
			number(preview.FieldMinMonths, "At least", "A permanent contract has no end, so it lasts long enough.", "", "months"),
			number(preview.FieldMaxMonths, "At most", "", "", "months"),
		}, b.turn("duration")),
		b.list(b.choices(preview.FieldPattern, "Working pattern", "", plainOptions(vacancy.WorkingPatterns())), b.turn("working_pattern")),
		b.folded("Salary", []input{number(preview.FieldMinSalary, "At least",
			"Compared with the top of the range that the advert prints, or of its band. Pay by the hour is never turned into a year’s.", "£", "a year")}, b.turn("min_salary")),
		b.folded("Visa sponsorship", nil, b.box(preview.FieldSponsorship, "1", "Only where sponsorship is offered", ""), b.turn("sponsorship")),
		b.folded("Time left to apply", []input{number(preview.FieldDaysLeft, "Closes at least", "", "", "days from now")}, b.turn("days_left")),
		b.folded("Internal vacancies", nil, b.box(preview.FieldInternal, "1", "Also those for internal applicants only", "")),
	}
}

func (b builder) list(c choices, extra option) section {
	s := section{Title: c.Legend, Chosen: c.Chosen, Open: c.Open || extra.Checked, Choices: &c, Options: []option{extra}}
	return s
}

func (b builder) folded(title string, inputs []input, options ...option) section {
	s := section{Title: title, Inputs: inputs, Options: options}
	for _, in := range inputs {
		s.Open = s.Open || in.Value != "" || in.Error != ""
	}
	for _, o := range options {
		s.Open = s.Open || o.Checked
	}
	if s.Open {
		s.Chosen = "filled in"
	}
	return s
}
