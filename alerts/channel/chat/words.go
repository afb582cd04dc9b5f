package chat

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/vacancywatch/vacancywatch/alerts/message"
)

// A run is a piece of a line. Its text is inert, its url clean or "".
type run struct {
	text, url string
	strong    bool
}

// A line is written as a whole or not at all.
type line []run

// A detail is how much is said of each vacancy.
type detail int

const (
	full  detail = iota // everything that a mail says
	brief               // closing date, title, why, employer, place
	bare                // closing date and title: fits whatever the advert says
)

// room is how many characters of text a vacancy may take, title and closing
// date apart. An honest one takes a third; the lines of a hostile one end
// there, so that it does not take the room of its neighbours.
var room = map[detail]int{full: 1500, brief: 400, bare: 0}

// A draft is a message of a service before it is marked up.
type draft struct {
	heading string
	head    []line // without the heading
	items   [][]line
	more    line
	foot    []line
	// advert is the link of the only vacancy, "" where there are several.
	advert, stop string
}

// A writer marks up a draft. It reports false if that is over a cap.
type writer func(d draft) (body any, fits bool)

// fit returns the fullest message that is within the caps: all vacancies in
// full, else as many as there is room for in brief, and the number of the rest.
func fit(p message.Plain, write writer) ([]byte, error) {
	for _, d := range []detail{full, brief, bare} {
		for n := len(p.Items); n >= 0; n-- {
			if n < len(p.Items) && (d == full || n == 0) {
				break
			}
			body, fits := write(newDraft(&p, n, d))
			if !fits {
				continue
			}
			return encode(body)
		}
	}
	return nil, errors.New("not even one vacancy fits into a message")
}

// encode is JSON without the escapes of <, > and &, which are six bytes each.
// U+2028 stays escaped.
func encode(body any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(body); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// size is the length of a body, in bytes.
func size(body any) int {
	b, err := encode(body)
	if err != nil {
		return 1 << 30 // Unreachable: bodies are texts and lists.
	}
	return len(b)
}

func newDraft(p *message.Plain, n int, d detail) draft {
	out := draft{heading: inert(p.Heading), stop: link(p.StopURL)}
	page := ""
	if d != bare {
		page = link(p.PageURL)
		out.head = append(out.head, plain("For your search: "+p.Search))
		for _, n := range p.Notices {
			out.head = append(out.head, plain(n))
		}
	}
	if d == full {
		if p.Words != "" {
			out.head = append(out.head, plain(p.Words))
		}
		if len(p.Also) > 0 {
			out.head = append(out.head, plain("It also meets your searches: "+strings.Join(p.Also, "; ")))
		}
	}
	for i := range p.Items[:n] {
		out.items = append(out.items, itemLines(&p.Items[i], d))
	}
	if n == 1 && p.More == 0 && len(p.Items) == 1 {
		out.advert = link(p.Items[0].URL)
	}
	switch more := p.More + len(p.Items) - n; {
	case more == 1:
		out.more = plain("And 1 more vacancy.")
	case more > 1:
		out.more = plain(fmt.Sprintf("And %d more vacancies.", more))
	}
	if out.more != nil && page != "" {
		out.more = append(out.more, run{text: " "}, run{text: "See them all", url: page})
	}
	if out.stop != "" {
		out.foot = append(out.foot, line{{text: "Stop this search", url: out.stop}})
	}
	if page != "" {
		out.foot = append(out.foot, line{{text: "About this service", url: page}})
	}
	if d != bare {
		out.foot = append(out.foot,
			plain("An independent service, not part of the NHS and not NHS Jobs. Check every fact on the advert before you apply."),
			plain("Distances: data of the Office for National Statistics, OS and Royal Mail, © Crown copyright, database right and Royal Mail copyright 2025, Open Government Licence v3."))
	}
	return out
}

// itemLines says what a vacancy is, the most important first.
func itemLines(it *message.PlainItem, d detail) []line {
	lines := []line{{{text: inert(it.Closing), strong: true}}, {{text: inert(it.Title), url: link(it.URL), strong: true}}}
	left := room[d]
	add := func(l line) {
		n := 0
		for _, r := range l {
			n += units(r.text) + len(r.url)
		}
		// A line that does not fit ends the vacancy: what comes behind it
		// matters less.
		if left -= n; left >= 0 && n > 0 {
			lines = append(lines, l)
		}
	}
	list := func(name string, texts []string) {
		if len(texts) > 0 {
			add(plain(name + ": " + strings.Join(texts, " · ")))
		}
	}
	list("Why", it.Why)
	add(plain(it.Note))
	if d == full {
		for _, t := range it.Tied[:min(len(it.Tied), 1)] {
			add(tied(t))
		}
	}
	for _, c := range it.Changes {
		add(plain(c))
	}
	add(plain(strings.Join(filled(it.Employer, it.Place), " · ")))
	if d != full {
		return lines
	}
	add(plain(strings.Join(it.Facts, " · ")))
	list("Could not be checked", it.Unknown)
	add(plain(it.Posted))
	for _, t := range it.Tied[min(len(it.Tied), 1):] {
		add(tied(t))
	}
	return lines
}

func filled(texts ...string) []string {
	var out []string
	for _, t := range texts {
		if t != "" {
			out = append(out, t)
		}
	}
	return out
}

func plain(text string) line {
	if text == "" {
		return nil
	}
	return line{{text: inert(text)}}
}

func tied(t message.PlainLink) line {
	return line{{text: inert(t.Before)}, {text: inert(t.Text), url: link(t.URL)}, {text: inert(t.After)}}
}

// units is the length of s as JavaScript counts it, and so most services: a
// character outside the basic plane is two.
func units(s string) int {
	n := 0
	for _, r := range s {
		n += max(utf16.RuneLen(r), 1)
	}
	return n
}

// joiner is an invisible character (zero width space) that no program takes
// for a part of a name or an address.
const joiner = "\u200b"

// inert breaks with an invisible character what programs turn into a link, a
// mention or a picture by themselves, markup or not:
//
//	@everyone, a@example.org   behind every @
//	#ward, $GBP                before a letter or digit
//	https://, tel:5, :smile:   behind the colon, but in 9:30
//	evil.example, 10.0.0.1     behind the dot, where no number with decimals
//	/start                     a command, where no word stands before
//
// What a person reads stays the same.
func inert(s string) string {
	var b strings.Builder
	for i, word := range strings.Split(s, " ") {
		if i > 0 {
			b.WriteByte(' ')
		}
		inertWord(&b, word)
	}
	return b.String()
}

func inertWord(b *strings.Builder, word string) {
	dots := strings.Count(word, ".")
	var before rune
	rs := []rune(word)
	for i, r := range rs {
		b.WriteRune(r)
		after := rune(' ')
		if i+1 < len(rs) {
			after = rs[i+1]
		}
		named := unicode.IsLetter(after) || unicode.IsDigit(after)
		split := false
		switch r {
		case '@':
			split = true
		case '#', '$':
			split = named
		case ':':
			split = after != ' ' && !(unicode.IsDigit(before) && unicode.IsDigit(after))
		case '.':
			split = named && (dots > 1 || !unicode.IsDigit(after))
		case '。', '．', '｡': // dots of names too, says IDNA
			split = true
		case '/':
			split = named && !unicode.IsLetter(before) && !unicode.IsDigit(before)
		}
		if split {
			b.WriteString(joiner)
		}
		before = r
	}
}

// maxLink bounds a link as the service with the longest escapes would write
// it. An address cut short leads elsewhere; a longer one is left out.
const maxLink = 600

// link returns u with everything escaped that could end a link in any markup,
// or "".
func link(u string) string {
	var b strings.Builder
	long := 0
	for _, c := range []byte(u) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-._~/?=%:+#,;@[]", c) >= 0:
			b.WriteByte(c)
		case c == '&':
			b.WriteByte(c)
			long += len("amp;")
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	if b.Len()+long > maxLink {
		return ""
	}
	return b.String()
}
