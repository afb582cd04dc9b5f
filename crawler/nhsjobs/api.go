package nhsjobs

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler/page"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// isRoot reports whether name is a root of the XML answer: nhsJobs in every
// real one, nhsSearch in what one client expects.
func isRoot(name string) bool { return name == "nhsJobs" || name == "nhsSearch" }

// An entry is one advert in the XML answer. Its url is not read: the link is
// made from the reference, for the one given may lead to another host.
type entry struct {
	Reference   string `xml:"reference"`
	Title       string `xml:"title"`
	Description string `xml:"description"`
	Employer    string `xml:"employer"`
	Type        string `xml:"type"`
	Salary      string `xml:"salary"`
	CloseDate   string `xml:"closeDate"`
	PostDate    string `xml:"postDate"`
	Places      places `xml:"locations"`
}

// places are the texts of the elements in <locations> that hold text. Real
// answers nest <locations><location>, the site's own document nests
// <locations><locations>.
type places []string

// UnmarshalXML collects the texts of the innermost elements.
func (ps *places) UnmarshalXML(d *xml.Decoder, _ xml.StartElement) error {
	var text strings.Builder
	for depth := 1; depth > 0; {
		t, err := d.Token()
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.StartElement:
			depth++
			text.Reset()
		case xml.CharData:
			text.Write(t)
		case xml.EndElement:
			depth--
			if s := squeeze(text.String()); s != "" {
				*ps = append(*ps, s)
			}
			text.Reset()
		}
	}
	return nil
}

// ReadAPI reads page pageNo of the XML API, counted from 1; 0 if the number is
// not known. Posting times are London's without a zone: one that does not
// exist or comes twice, on the nights when the clocks change, is set to
// fetched and counted. If fetched is the zero time its day is kept instead.
//
// It returns page.ErrLayout for JSON, HTML and other answers that are not the
// API's, and another error for an answer that is cut off.
func ReadAPI(p page.Page, pageNo int, fetched time.Time) (page.Listing, error) {
	d, err := newDecoder(p)
	if err != nil {
		return page.Listing{}, err
	}
	r := apiReader{listing: page.Listing{Total: -1}, fetched: fetched, url: p.URL, ordered: newestFirstAsked(p.URL)}
	if err := r.read(d); err != nil {
		return page.Listing{}, xmlError(err)
	}
	r.conclude(pageNo)
	return r.listing, nil
}

// xmlError tells an answer that ends too early, which is worth another try,
// from one that is no XML.
func xmlError(err error) error {
	if errors.Is(err, page.ErrLayout) {
		return err
	}
	var syntax *xml.SyntaxError
	if errors.As(err, &syntax) && syntax.Msg != "unexpected EOF" {
		return page.Layoutf("read the XML answer: %v", err)
	}
	return fmt.Errorf("the XML answer is cut off: %w", io.ErrUnexpectedEOF)
}

type apiReader struct {
	listing page.Listing
	defects defects
	fetched time.Time
	url     string
	ordered bool // the newest were asked for first
	entries int  // with those left out for want of a reference
}

func (r *apiReader) read(d *xml.Decoder) error {
	inside := false
	for {
		t, err := d.Token()
		if err == io.EOF {
			return page.Layoutf("no element in what is said to be XML")
		}
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.StartElement:
			switch name := t.Name.Local; {
			case !inside && isRoot(name):
				inside = true
			case !inside:
				return page.Layoutf("XML with the root %q where nhsJobs is due", name)
			case name == "vacancyDetails":
				var e entry
				if err := d.DecodeElement(&e, &t); err != nil {
					return err
				}
				r.add(e)
			case name == "totalResults":
				if err := r.number(d, &t, &r.listing.Total); err != nil {
					return err
				}
			case name == "totalPages":
				if err := r.number(d, &t, &r.listing.Pages); err != nil {
					return err
				}
			default:
				if err := d.Skip(); err != nil {
					return err
				}
			}
		case xml.EndElement:
			return nil // of the root: all else is consumed whole
		}
	}
}

// number reads a total into dst, which keeps its value if it is none.
func (r *apiReader) number(d *xml.Decoder, start *xml.StartElement, dst *int) error {
	var text string
	if err := d.DecodeElement(&text, start); err != nil {
		return err
	}
	if n, ok := parseCount(text); ok {
		*dst = n
	}
	return nil
}

func (r *apiReader) add(e entry) {
	r.entries++
	v, ok := r.defects.vacancy(squeeze(e.Reference), squeeze(e.Title), squeeze(e.Employer))
	if !ok {
		return
	}
	v.Salary = vacancy.ParseSalary(e.Salary)
	v.Contract = vacancy.ParseContract(e.Type)
	v.Text.Summary = redact(wholeWords(e.Description), nil)
	for _, text := range e.Places {
		v.Locations = append(v.Locations, vacancy.ParseLocations(text)...)
	}
	day, _, _ := strings.Cut(strings.TrimSpace(e.CloseDate), "T")
	v.Closing = r.defects.closing(day)
	posted, clamped, err := parsePosted(e.PostDate, r.fetched)
	switch {
	case err != nil:
		r.defects.add(page.DefectPosted)
	case clamped:
		r.listing.Clamped++
	case r.ordered:
		r.defects.order(posted)
	}
	v.Posted = posted
	r.listing.Vacancies = append(r.listing.Vacancies, v)
}

// conclude judges the page as a whole, once its totals are known: they stand
// at its end.
func (r *apiReader) conclude(pageNo int) {
	l := &r.listing
	if l.Total < 0 || l.Total < r.entries {
		r.defects.add(page.DefectTotal)
	}
	l.Empty = l.Total == 0 && r.entries == 0
	l.Last = l.Empty || l.Pages == 1 || l.Pages > 0 && pageNo >= l.Pages
	if pageNo > 0 && !l.Last && r.entries < limitAsked(r.url) {
		r.defects.add(page.DefectShort)
	}
	l.Defects = r.defects.list
}

// limitAsked is the number of entries that make a full page.
func limitAsked(address string) int {
	if u, err := url.Parse(address); err == nil {
		if n, err := strconv.Atoi(u.Query().Get("limit")); err == nil && n > 0 {
			return min(n, APISize)
		}
	}
	return APISize
}

// newestFirstAsked reports whether an address asks for the newest first: only
// then is a rising posting time a defect.
func newestFirstAsked(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Query().Get("sort") == newestFirst
}

// wholeWords drops the last word of a description that the API cut at 150
// characters, for the half of a word is another word.
func wholeWords(s string) string {
	s = squeeze(s)
	cut, ok := strings.CutSuffix(s, "...")
	if !ok {
		return s
	}
	return strings.TrimSpace(cut[:strings.LastIndex(cut, " ")+1])
}

// parsePosted reads a posting time of the API, "2024-02-12T15:57:11.165" in
// London with any number of fraction digits, seconds or none. Clamped is set
// where the time was impossible or ambiguous and fetched took its place.
func parsePosted(s string, fetched time.Time) (m vacancy.Moment, clamped bool, err error) {
	s = strings.Replace(strings.TrimSpace(s), " ", "T", 1)
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil && t.Year() >= 1900 {
		return vacancy.AtTime(t), false, nil
	}
	var wall time.Time
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04"} {
		if wall, err = time.Parse(layout, s); err == nil {
			break
		}
	}
	if err != nil || wall.Year() < 1900 {
		d, err := vacancy.ParseDay(s)
		return vacancy.OnDay(d), false, err
	}
	t := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), wall.Nanosecond(), vacancy.London())
	if sameWall(t, wall) && !sameWall(t.Add(time.Hour), wall) && !sameWall(t.Add(-time.Hour), wall) {
		return vacancy.AtTime(t), false, nil
	}
	if fetched.IsZero() {
		return vacancy.OnDay(vacancy.DayOf(wall, time.UTC)), true, nil
	}
	return vacancy.AtTime(fetched), true, nil
}

// sameWall reports whether clocks in London show wall at t.
func sameWall(t, wall time.Time) bool {
	const clock = "2006-01-02T15:04:05.999999999"
	return t.In(vacancy.London()).Format(clock) == wall.Format(clock)
}
