package specialty

import (
	"fmt"
	"strconv"
	"strings"
)

// Explain returns the whole scoring, a line for each specialty that is named
// anywhere, best first. A line is kept short enough for a log:
//
//	oncology, stated (10): lead "join our Medical Oncology Service" 5; summary oncology, chemotherapy 3; duties 2
func Explain(in Input) string {
	var b strings.Builder
	for i, t := range judge(in) {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(t.line())
	}
	return b.String()
}

func (t *tally) line() string {
	verdict := t.verdict
	switch {
	case verdict != "":
	case t.yields:
		verdict = "gives way to a more exact one"
	default:
		verdict = "none"
	}
	var parts []string
	add := func(points int, format string, args ...string) {
		if points == 0 {
			return
		}
		s := format
		for _, a := range args {
			s = strings.Replace(s, "%", a, 1)
		}
		parts = append(parts, s+" "+decimal(points))
	}
	add(t.title, "title %", t.titleWord)
	add(t.department, "department %", t.departmentWord)
	add(t.lead, `lead "%"`, t.leadQuote)
	add(t.employer, "employer %", t.employerName)
	add(t.summary, "summary %", strings.Join(t.summaryAliases, ", "))
	add(t.body, "duties")
	line := fmt.Sprintf("%s, %s (%d)", taxonomy().list[t.specialty].ID, verdict, t.score())
	if len(parts) == 0 {
		return line
	}
	return line + ": " + strings.Join(parts, "; ")
}

// decimal prints thousandths with at most one decimal place.
func decimal(points int) string {
	if points%1000 == 0 {
		return strconv.Itoa(points / 1000)
	}
	return strconv.FormatFloat(float64(points)/1000, 'f', 1, 64)
}

// evidence is the strongest part of the scoring, in words for people.
func (t *tally) evidence() string {
	switch {
	case t.title >= titlePoints*1000:
		return "title: " + t.titleWord
	case t.department > 0:
		return "department: " + t.departmentWord
	case t.lead > 0:
		return "summary: " + t.leadName
	case t.employer > 0:
		return "employer: " + t.employerName
	case t.title > 0:
		return "title: " + t.titleWord
	case t.summary > 0:
		return "summary: " + t.summaryWord
	}
	return t.bodyName + ": " + t.bodyWord
}

// leadName quotes a lead without its cue and article.
func (p *passage) leadName(h *hit) string {
	l := load()
	from := h.leadFrom + 1
	for from < h.from && l.article[p.tokens[from].Word] {
		from++
	}
	return p.quote(from, h.leadTo)
}
