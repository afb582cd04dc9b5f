package nhsjobs

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/crawler/page"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// stripped returns a listing without its vacancies, which the golden files hold.
func stripped(l page.Listing) page.Listing {
	l.Vacancies = nil
	return l
}

func TestReadAPIListing(t *testing.T) {
	tests := []struct {
		file, url string
		number    int
		entries   int
		want      page.Listing
	}{
		{"api-page.xml", APIURL("", 118), 118, 4, page.Listing{Total: 11704, Pages: 118, Last: true}},
		{"api-page.xml", APIURL("", 117), 117, 4, page.Listing{Total: 11704, Pages: 118, Defects: []string{page.DefectShort}}},
		{"api-page.xml", "https://www.jobs.nhs.uk/api/v1/search_xml?limit=4&page=1", 1, 4, page.Listing{Total: 11704, Pages: 118}},
		{"api-page.xml", "", 0, 4, page.Listing{Total: 11704, Pages: 118}},
		{"api-empty.xml", "", 1, 0, page.Listing{Empty: true, Last: true}},
		{"api-clocks.xml", APIURL("", 1), 1, 4, page.Listing{Total: 4, Pages: 1, Last: true, Clamped: 2}},
		{"api-defects.xml", APIURL("", 1), 1, 3, page.Listing{Total: -1, Defects: []string{page.DefectReference, page.DefectTitle,
			page.DefectClosing, page.DefectEmployer, page.DefectPosted, page.DefectOrder, page.DefectTotal, page.DefectShort}}},
		// The order is judged only where newest first was asked for.
		{"api-defects.xml", "", 0, 3, page.Listing{Total: -1, Defects: []string{page.DefectReference, page.DefectTitle,
			page.DefectClosing, page.DefectEmployer, page.DefectPosted, page.DefectTotal}}},
	}
	for _, tt := range tests {
		p := load(t, tt.file, tt.url)
		p.ContentType = "application/xml;charset=UTF-8"
		l, err := ReadAPI(p, tt.number, fetched)
		if err != nil {
			t.Errorf("%s page %d: %v", tt.file, tt.number, err)
			continue
		}
		if len(l.Vacancies) != tt.entries {
			t.Errorf("%s page %d: %d vacancies, want %d", tt.file, tt.number, len(l.Vacancies), tt.entries)
		}
		if diff := cmp.Diff(tt.want, stripped(l)); diff != "" {
			t.Errorf("%s page %d (-want +got):\n%s", tt.file, tt.number, diff)
		}
	}
}

func TestReadAPIPages(t *testing.T) {
	read := func(body string, number int) page.Listing {
		t.Helper()
		l, err := ReadAPI(page.Page{Body: []byte(body)}, number, fetched)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	// Far beyond the last page the API answers totals without adverts.
	l := read("<nhsJobs><totalPages>2</totalPages><totalResults>154</totalResults></nhsJobs>", 9)
	if diff := cmp.Diff(page.Listing{Total: 154, Pages: 2, Last: true}, l); diff != "" {
		t.Errorf("beyond the last page (-want +got):\n%s", diff)
	}
	// No adverts and no total is not the same as nothing found.
	l = read("<nhsJobs></nhsJobs>", 1)
	if diff := cmp.Diff(page.Listing{Total: -1, Defects: []string{page.DefectTotal, page.DefectShort}}, l); diff != "" {
		t.Errorf("silent answer (-want +got):\n%s", diff)
	}
	// A total smaller than what is there lies.
	body := strings.Replace(string(load(t, "api-page.xml", "").Body), "11704", "3", 1)
	if l = read(body, 118); !cmp.Equal(l.Defects, []string{page.DefectTotal}) {
		t.Errorf("lying total: defects %q", l.Defects)
	}
}

func TestReadAPICut(t *testing.T) {
	whole := load(t, "api-page.xml", "").Body
	end := strings.LastIndex(string(whole), "</nhsJobs>")
	for _, n := range []int{len("<nhsJobs>"), 40, end / 2, end - 30, end, end + 5} {
		l, err := ReadAPI(page.Page{Body: whole[:n]}, 1, fetched)
		if !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, page.ErrLayout) || l.Vacancies != nil {
			t.Errorf("cut after %d bytes: %d vacancies, %v; want none and an unexpected EOF", n, len(l.Vacancies), err)
		}
	}
	_, err := ReadAPI(page.Page{Body: []byte("<nhsJobs><vacancyDetails></nhsJobs>")}, 1, fetched)
	if !errors.Is(err, page.ErrLayout) {
		t.Errorf("broken XML: %v, want an unknown layout", err)
	}
}

func TestParsePosted(t *testing.T) {
	at := func(s string) vacancy.Moment {
		m, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return vacancy.AtTime(m)
	}
	day := func(s string) vacancy.Moment {
		var d vacancy.Day
		if err := d.UnmarshalText([]byte(s)); err != nil {
			t.Fatal(err)
		}
		return vacancy.OnDay(d)
	}
	now := vacancy.AtTime(fetched)
	tests := []struct {
		text    string
		want    vacancy.Moment
		clamped bool
	}{
		{"2024-02-12T15:57:11.165", at("2024-02-12T15:57:11.165Z"), false},
		{"2026-07-12T15:57:11.165", at("2026-07-12T14:57:11.165Z"), false},
		{"2026-07-12T15:57:11", at("2026-07-12T14:57:11Z"), false},
		{"2026-07-12T15:57", at("2026-07-12T14:57:00Z"), false},
		{"2026-07-12 15:57:00.1234", at("2026-07-12T14:57:00.1234Z"), false},
		{"2026-07-12T15:57:00.12345", at("2026-07-12T14:57:00.12345Z"), false},
		{"2026-07-12T15:57:00.123456", at("2026-07-12T14:57:00.123456Z"), false},
		{"2026-07-12T15:57:00.1234567", at("2026-07-12T14:57:00.1234567Z"), false},
		{"2026-07-12T15:57:00.12345678", at("2026-07-12T14:57:00.12345678Z"), false},
		{" 2026-07-12T15:57:00.123456789\n", at("2026-07-12T14:57:00.123456789Z"), false},
		{"2026-07-12T15:57:00Z", at("2026-07-12T15:57:00Z"), false},
		{"2026-07-12T15:57:00+01:00", at("2026-07-12T14:57:00Z"), false},
		{"2026-07-12", day("2026-07-12"), false},
		// The night the clocks go forward: 01:00 to 01:59 do not exist.
		{"2026-03-29T00:59:59.999", at("2026-03-29T00:59:59.999Z"), false},
		{"2026-03-29T01:00:00.000", now, true},
		{"2026-03-29T01:30", now, true},
		{"2026-03-29T02:00:00.000", at("2026-03-29T01:00:00Z"), false},
		// The night they go back: 01:00 to 01:59 come twice.
		{"2026-10-25T00:59:59.999", at("2026-10-24T23:59:59.999Z"), false},
		{"2026-10-25T01:00:00.000", now, true},
		{"2026-10-25T01:59:59.999999999", now, true},
		{"2026-10-25T02:00:00.000", at("2026-10-25T02:00:00Z"), false},
	}
	for _, tt := range tests {
		got, clamped, err := parsePosted(tt.text, fetched)
		if err != nil || !cmp.Equal(got, tt.want) || clamped != tt.clamped {
			t.Errorf("parsePosted(%q) = %v, %t, %v; want %v, %t", tt.text, got, clamped, err, tt.want, tt.clamped)
		}
	}
	// A saved answer does not tell when it was fetched: the day is sure.
	if got, clamped, err := parsePosted("2026-10-25T01:30:00.000", time.Time{}); err != nil || !clamped || !cmp.Equal(got, day("2026-10-25")) {
		t.Errorf("ambiguous time in a saved answer = %v, %t, %v", got, clamped, err)
	}
	for _, text := range []string{"", "yesterday", "2026-02-30T10:00:00", "2026-07-12T25:00:00", "0001-01-01T00:00:00", "0001-01-01T00:00:00Z", "12/07/2026"} {
		if got, clamped, err := parsePosted(text, fetched); err == nil || clamped || !got.IsZero() {
			t.Errorf("parsePosted(%q) = %v, %t, %v; want an error", text, got, clamped, err)
		}
	}
}

func TestReadAPIDescription(t *testing.T) {
	for text, want := range map[string]string{
		"Join our onco...":        "Join our",
		"Join our oncology ward.": "Join our oncology ward.",
		"Abc...":                  "",
		"Come. Please call Jo Planted on 0113 496 0000 or...": "Come.",
		"  two \n lines ":                    "two lines",
		"A tick \x00 and a bell &#7; inside": "A tick and a bell inside",
	} {
		body := "<nhsJobs><vacancyDetails><reference>C9901-26-0123</reference><description>" + text + "</description></vacancyDetails></nhsJobs>"
		l, err := ReadAPI(page.Page{Body: []byte(body)}, 0, fetched)
		if err != nil || len(l.Vacancies) != 1 {
			t.Errorf("%q: %d vacancies, %v", text, len(l.Vacancies), err)
			continue
		}
		if got := l.Vacancies[0].Text.Summary; got != want {
			t.Errorf("%q gives the summary %q, want %q", text, got, want)
		}
	}
}
