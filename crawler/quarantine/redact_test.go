package quarantine

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestRedact(t *testing.T) {
	const hex = "9f86d081884c7d659a2feaa0c55ad015"
	tests := []struct{ name, text, want string }{
		{"mail", "Write to jo.planted@norhaven.example. Now.", "Write to removed@mail.invalid. Now."},
		{"mail in a link", `<a href="mailto:jo@norhaven.example?subject=Ward">jo@norhaven.example</a>`, `<a href="mailto:removed@mail.invalid?subject=Ward">removed@mail.invalid</a>`},
		{"mail in single quotes", `<a title='jo@norhaven.example'>`, `<a title='removed@mail.invalid'>`},
		{"mail of an O'Neill", "Write to m.o'neill@norhaven.example", "Write to removed@mail.invalid"},
		{"mail with accents", "josé@norhaven.example", "removed@mail.invalid"},
		{"mail without a domain", "jo@norhaven", "removed@mail.invalid"},
		{"mail as entities", "jo&#46;planted&#64;norhaven&#x2e;example &commat; jo&commat;norhaven.example;", "removed@mail.invalid &commat; removed@mail.invalid;"},
		{"mail escaped twice", "&lt;b&gt;jo&amp;#64;norhaven.example&lt;/b&gt;", "&lt;b&gt;removed@mail.invalid&lt;/b&gt;"},
		{"mail percent-encoded", `href="/contact?to=jo%40norhaven.example&x=1"`, `href="/contact?to=removed@mail.invalid&x=1"`},
		{"mail in JSON", `{"to":"jo\u0040norhaven.example","cc":"\nmo@norhaven.example"}`, `{"to":"removed@mail.invalid","cc":"\nremoved@mail.invalid"}`},
		{"mail written out", "jo.planted (at) norhaven.example, mo[AT]norhaven.example", "removed@mail.invalid, removed@mail.invalid"},
		{"mail spaced", "jo.planted @norhaven.example or mo@ norhaven.example", "removed@mail.invalid or removed@mail.invalid"},
		{"mail across a tag", "<b>jo</b>@norhaven.example", "<b>jo</b>removed@mail.invalid"},
		{"account name", "Follow us @norhaven", "Follow us @norhaven"},
		{"style sheet", "p{x:y}\n@media print{}", "p{x:y}\n@media print{}"},

		{"number", "Ring 0113 496 0000.", "Ring 01632960000."},
		{"number in brackets", "Ring (0113) 496-0000 now", "Ring (01632960000 now"},
		{"number of London", "020 7946 0000", "01632960000"},
		{"number in one", "<p>01134960000</p>", "<p>01632960000</p>"},
		{"number of ten digits", "01539 12345", "01632960000"},
		{"mobile", "07700 900123", "01632960000"},
		{"country code", "+44 (0)113 496 0000, +441134960000, 0044 113 496 0000", "01632960000, 01632960000, 01632960000"},
		{"number with stops", "0113.496.0000", "01632960000"},
		{"number with odd spaces", "0113&nbsp;496\u00a00000 and 0113\n496\u20110000", "01632960000 and 01632960000"},
		{"number in a link", `href="tel:+44%20113%20496%200000"`, `href="tel:01632960000"`},
		{"number in a query", `?tel=0113+496+0000&x=1`, `?tel=01632960000&x=1`},
		{"number abroad", "+353 1 234 5678", "01632960000"},
		{"number before a word", "01134960000ext 4567", "01632960000ext 000"},
		{"extension", "ext. 4567, Bleep 123, tel no: 496000", "ext. 000, Bleep 000, tel no: 000"},
		{"extension in JSON", `{"phone":"496000"}`, `{"phone":"000"}`},
		{"two numbers", "0113 496 0000 0113 496 0001", "01632960000 01632960000"},

		{"name of a contact", `<p id="contact_details_name">Dr Ada Planted</p><p>Ada Planted leads.</p>`, `<p id="contact_details_name">Name Removed</p><p>Name Removed leads.</p>`},
		{"no name", `<p id="contact_details_name">the ward</p>`, `<p id="contact_details_name">the ward</p>`},

		{"hidden input", `<input type="hidden" name="_csrf" value="short1">`, `<input type="hidden" name="_csrf" value="removed">`},
		{"hidden input the other way round", `<INPUT value='a > b' NAME=_csrf>`, `<INPUT value='removed' NAME=_csrf>`},
		{"hidden input without quotes", `<input value=abcdefg name=_csrf><p>`, `<input value=removed name=_csrf><p>`},
		{"other input", `<input type="hidden" name="sort" value="publicationDateDesc">`, `<input type="hidden" name="sort" value="publicationDateDesc">`},
		{"password", `<input type="password" value="sesame">`, `<input type="password" value="removed">`},
		{"meta", `<meta name="csrf-token" content="abc-def">`, `<meta name="csrf-token" content="removed">`},
		{"session in a path", `/candidate/search;jsessionid=0A1B2C3D.node1?page=2`, `/candidate/search;jsessionid=removed?page=2`},
		{"query", `?_csrf=abcdef&page=2&access_token=xyz789`, `?_csrf=removed&page=2&access_token=removed`},
		{"query as entities", `?_csrf&#61;abcdef&amp;page=2`, `?_csrf&#61;removed&amp;page=2`},
		{"random value", `href="/a?state=` + hex[:24] + `&page=2"`, `href="/a?state=removed&page=2"`},
		{"random word", `<script>go("` + hex + `")</script>`, `<script>go("removed")</script>`},
		{"universal id", `<p>123e4567-e89b-42d3-a456-426614174000</p>`, `<p>removed</p>`},
		{"JSON", `{"csrfToken":"abcdef","sessionId" : "ghijkl","status":406}`, `{"csrfToken":"removed","sessionId" : "removed","status":406}`},
		{"JSON in a script", `{\"csrf\":\"abcdefg\"}`, `{\"csrf\":\"removed\"}`},
		{"element", `<token>abcdefgh</token>`, `<token>removed</token>`},
		{"cookie", `Set-Cookie: JSESSIONID=abcdefgh; Path=/`, `Set-Cookie: JSESSIONID=removed; Path=/`},
		{"bearer", `Authorization: Bearer abcdefgh.ijk`, `Authorization: Bearer removed`},
	}
	for _, tt := range tests {
		got, _ := redact([]byte(tt.text))
		if string(got) != tt.want {
			t.Errorf("%s: redact(%q)\n got %q\nwant %q", tt.name, tt.text, got, tt.want)
		}
		if again, n := redact(got); !bytes.Equal(again, got) || n != (counts{}) {
			t.Errorf("%s: redacted twice it is %q, %+v", tt.name, again, n)
		}
	}
}

// TestRedactKeeps holds against redaction what readers live by.
func TestRedactKeeps(t *testing.T) {
	for _, s := range []string{
		"", "%", "&", "&#", `\u00`, "<", "<input", "@", "0", "+", "=", "\xff\xfe@\xff",
		`<reference>C9259-26-0123</reference><closeDate>2026-03-06</closeDate><postDate>2026-02-12T15:57:11.165123456</postDate>`,
		`<totalPages>120</totalPages><totalResults>12041</totalResults><id>3394135</id><salary>£37578.60 to £39709.50</salary>`,
		`<a href="/candidate/jobadvert/U0080-2026-20442-2?employer=Change%20Grow%20Live&amp;page=1&amp;language=en">`,
		`<li data-test="search-result-publicationDate">Date posted: <strong>02 September 2026</strong> 09:00</li>`,
		`<p id="essential_skill_10_criteria_11b22c33d44e55f66">Page 2 of 842, 12,972 jobs, 37.5 hours, £33,094 to £36,195 a year</p>`,
		`<p>Training session: Wednesday. Token: voucher. Ext, tel and mobile in 2026.</p>`,
		`London, NW1 2PG`,
	} {
		if got, n := redact([]byte(s)); string(got) != s || n != (counts{}) {
			t.Errorf("redact(%q) = %q, %+v", s, got, n)
		}
	}
}

func TestRedactCounts(t *testing.T) {
	_, got := redact([]byte(`jo@x.example 0113 496 0000 ext 123 <input name=_csrf value=abc><i id="contact-name">Jo Planted</i>`))
	if want := (counts{Mails: 1, Phones: 2, Names: 1, Tokens: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// hostile are the pieces of bodies that are made to take long.
var hostile = []string{"a", "@", "a@", "a @", "a(at)", "(at)a.", "0", "01", "0 ", "0 1 ", "+", "+4", "+44 0", "123 ", "ext 1", "tel ", "ext 123 ", "=", "=a", "a=",
	"token", "token ", "token=", "token:", "token=\"", "<token>", "csrf&#61;", "<", "<a ", "<a b='", "<input value=\"", "<input name=_csrf value=", "&", "&amp;", "&#0000", "%4", "\\u00",
	"contact", "contact name>A", "contact-name>Jo Planted<", "a1B2", "a1B2%", "=a1", ".", "-", "a.", "'", " ", "\n"}

// TestRedactIsBounded makes redaction go over bodies that are made to take
// long. One that took time by the square of its length would take a minute.
func TestRedactIsBounded(t *testing.T) {
	const size = 1 << 17
	worst, piece := time.Duration(0), ""
	for _, h := range hostile {
		body := bytes.Repeat([]byte(h), size/len(h))
		began := time.Now()
		redact(body)
		if took := time.Since(began); took > worst {
			worst, piece = took, h
		}
	}
	t.Logf("the worst piece %q takes %v", piece, worst)
	if worst > 10*time.Second {
		t.Errorf("a body of %q takes %v", piece, worst)
	}
}

// These look for what must not be left, and share no line with redaction.
var (
	leftMail  = regexp.MustCompile(`[\pL\d]@[\pL\d][\pL\d.-]*`)
	leftPhone = regexp.MustCompile(`(?:^|[^\pL\d_])0[1-9](?:[ .()-]{0,3}\d){8,9}(?:[^\pL\d_]|$)`)
)

func FuzzRedact(f *testing.F) {
	for _, h := range hostile {
		f.Add([]byte(h + h))
	}
	for _, s := range []string{"jo@x.example, 0113 496 0000 ext 45", "+44 (0) 113 496 0000 0113", `<input name="_csrf" value="0113 496 0000">`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		got, _ := redact(body)
		if !bytes.Equal(body, before) {
			t.Fatal("redact changes what it is given")
		}
		text := string(got)
		for _, m := range leftMail.FindAllString(text, -1) {
			if !strings.HasPrefix(m, "d@mail.invalid") && !strings.HasSuffix(m, "@removed") {
				t.Fatalf("redact(%q) = %q: the address %q is left", body, got, m)
			}
		}
		for _, m := range leftPhone.FindAllString(text, -1) {
			if !strings.Contains(m, noPhone) {
				t.Fatalf("redact(%q) = %q: the number %q is left", body, got, m)
			}
		}
	})
}
