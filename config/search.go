package config

import (
	"cmp"
	"errors"
	"fmt"
	"net/mail"
	"os"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/vacancywatch/vacancywatch/vacancy"
	"github.com/vacancywatch/vacancywatch/vacancy/gazetteer"
)

// A word is a scalar taken as it is written: in "bands: [4, 8a]" the 4 is a
// name and no number.
type word string

// UnmarshalYAML keeps the text of any scalar.
func (w *word) UnmarshalYAML(unmarshal func(any) error) error {
	var v any
	if err := unmarshal(&v); err != nil {
		return err
	}
	switch v := v.(type) {
	case string:
		*w = word(v)
	case uint64:
		*w = word(strconv.FormatUint(v, 10))
	case int64:
		*w = word(strconv.FormatInt(v, 10))
	default:
		return fmt.Errorf("%v is not a word", v)
	}
	return nil
}

func strs(ws []word) []string {
	if len(ws) == 0 {
		return nil
	}
	out := make([]string, len(ws))
	for i, w := range ws {
		out[i] = string(w)
	}
	return out
}

// search turns the entry of the file into a prepared search. kinds are the
// kinds of the channels by name; nil leaves the notifies unchecked. Places are
// looked up in g.
func (s *Search) search(kinds map[string]string, g *gazetteer.Gazetteer) (vacancy.Search, error) {
	out := vacancy.Search{
		ID: s.ID, Name: s.Name, Subscriber: s.Subscriber,
		Bands: strs(s.Bands), StaffGroups: strs(s.StaffGroups), Specialties: strs(s.Specialties), StatedOnly: s.StatedOnly,
		Keywords: s.Keywords, Employers: strs(s.Employers), NotEmployers: strs(s.NotEmployers),
		Contracts: strs(s.Contracts), MinMonths: s.MinMonths, MaxMonths: s.MaxMonths, Patterns: strs(s.Patterns),
		MinSalary: s.MinSalary, Sponsorship: s.Sponsorship, DaysLeft: s.DaysLeft, Internal: s.Internal, Unstated: s.Unstated, Provisioned: true,
	}
	var errs []error
	for i := range s.Places {
		place, err := s.Places[i].place(g)
		if err != nil {
			errs = append(errs, fmt.Errorf("places: %w", err))
			continue
		}
		out.Places = append(out.Places, place)
	}
	for _, e := range s.Events {
		out.Kinds = append(out.Kinds, vacancy.Kind(e))
	}
	if len(s.Places) == 0 || len(out.Places) > 0 {
		// With a place that cannot be read the search may seem to ask for
		// nothing; that fault is told already.
		errs = append(errs, out.Prepare())
	}
	if kinds != nil && len(s.Notify) == 0 {
		errs = append(errs, errors.New("notify is missing: nobody would be told"))
	}
	for i := range s.Notify {
		n, err := s.Notify[i].notify(kinds)
		if err != nil {
			errs = append(errs, fmt.Errorf("notify[%d]: %w", i, err))
			continue
		}
		out.Notify = append(out.Notify, n)
	}
	return out, errors.Join(errs...)
}

// place turns the entry of the file into a place. It must be one of the
// built-in gazetteer, so that whether a file is valid does not hang on what was
// imported. Where g knows more of its postcode, such as a new sector or a point
// in Northern Ireland, that counts.
func (p *Place) place(g *gazetteer.Gazetteer) (vacancy.Place, error) {
	near := p.Near
	if near == "" && p.Remote && p.Miles == 0 {
		near = "remote"
	}
	place, err := vacancy.NewPlace(near, p.Miles)
	if err != nil {
		return place, err
	}
	if at, err := g.Locate(near); err == nil && (at.Precision == gazetteer.BySector || at.Precision == gazetteer.ByOutcode) {
		place = vacancy.Place{Name: at.Name, Lat: at.Point.Lat, Lon: at.Point.Lon, Miles: cmp.Or(p.Miles, vacancy.DefaultMiles)}
	}
	place.Remote = place.Remote || p.Remote
	return place, nil
}

func (n *Notify) notify(kinds map[string]string) (vacancy.Notify, error) {
	out := vacancy.Notify{Channel: n.Channel, To: vacancy.Address(n.To), Rhythm: vacancy.Rhythm(n.Rhythm), Hour: 8}
	if out.Rhythm == "" {
		out.Rhythm = vacancy.Instant
	}
	kind, ok := kinds[n.Channel]
	if kinds != nil && !ok {
		return out, fmt.Errorf("there is no channel %q", n.Channel)
	}
	switch {
	case kind == "email":
		// The address itself stands in no message.
		a, err := mail.ParseAddress(n.To)
		if n.To == "" || err != nil || a.Address != n.To || strings.HasPrefix(n.To, `"`) {
			return out, errors.New("to is not a mail address that can be written to")
		}
	case kind == "webhook" && n.To != "":
		return out, errors.New("a webhook goes to its own url: leave out to")
	case kind != "" && n.To != "":
		return out, fmt.Errorf("a channel of kind %s goes to its own room: leave out to", kind)
	case kind == "webhook" && out.Rhythm != vacancy.Instant:
		return out, errors.New("a webhook is always instant: leave out rhythm")
	case kind != "" && (n.Quiet != nil || n.DailyCap != nil || n.RemindDays != 0):
		return out, errors.New("quiet, daily_cap and remind_days are for mail: take them out")
	}
	digest := out.Rhythm == vacancy.Daily || out.Rhythm == vacancy.Weekly
	switch {
	case digest && n.Hour != nil:
		out.Hour = *n.Hour
	case !digest && n.Hour != nil:
		return out, errors.New("hour is for rhythm: daily or weekly")
	case !digest:
		out.Hour = 0
	}
	if out.Day = strings.ToLower(n.Day); out.Day == "" && out.Rhythm == vacancy.Weekly {
		out.Day = vacancy.Weekdays()[0]
	}
	if q := n.Quiet; q != nil {
		if q.From == nil || q.To == nil {
			return out, errors.New("quiet: give both from and to, as in {from: 22, to: 7}")
		}
		if *q.From == *q.To {
			return out, errors.New("quiet: from and to are the same hour: leave out quiet for none")
		}
		out.Quiet = vacancy.Quiet{From: *q.From, To: *q.To}
	}
	if n.DailyCap != nil {
		out.DailyCap = *n.DailyCap
	}
	out.RemindDays = n.RemindDays
	return out, out.Check()
}

// LoadSearches reads a file of searches for trying them out: the searches key
// of a configuration file, whose other keys are ignored, so that either a
// whole configuration or a file with searches alone will do. Notifies are not
// looked at. Places are looked up in g as by VacancySearches.
func LoadSearches(file string, g *gazetteer.Gazetteer) ([]vacancy.Search, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, &Error{file, []string{"cannot be read: " + pathless(err)}}
	}
	var doc struct {
		Searches []Search `yaml:"searches"`
	}
	if err := yaml.Unmarshal(b, &doc); err != nil {
		return nil, &Error{file, []string{yamlFault(err)}}
	}
	var f faults
	var out []vacancy.Search
	for i := range doc.Searches {
		s, err := doc.Searches[i].search(nil, g)
		if err != nil {
			f.add(fmt.Sprintf("searches[%d] (%s)", i, doc.Searches[i].ID), "%v", err)
		}
		out = append(out, s)
	}
	if len(doc.Searches) == 0 {
		f.add("searches", "there are none")
	}
	if len(f) > 0 {
		return nil, &Error{file, f}
	}
	return out, nil
}
