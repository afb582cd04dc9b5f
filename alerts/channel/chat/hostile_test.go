package chat_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/vacancywatch/vacancywatch/alerts/message"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// hostile are titles that try to ping, to link, to format or to break out.
var hostile = []string{
	"<!channel> <!here> <@U012AB> <#C012AB> <!subteam^S1>", "@everyone @here <@123456789> <@&42> <#7> <t:0:R>", "[x](javascript:alert(1)) [y](https://evil.example/)",
	"`code` ```block``` *bold* _it_ ~gone~ ||spoiler|| # big > quote - list 1. one", "<b>x</b><a href=\"https://evil.example\">y</a><script>alert(1)</script> &lt;&amp;",
	"https://evil.example/x evil.example www.evil.example mailto:a@evil.example tel:5 10.0.0.1", "a\u2028b\u2029c\u0085d\x00e\r\nf", "\u202egnp.exe\u202c \u2066x\u2069 \u200f\ufeff",
	"/start /stop@bot $USD #hashtag :smile: (@bob) (/quit)", `"}],"text":"x","blocks":[{ \" \\ \u003c`, "<at>Jo</at> {{.}} ${x} %s %n", "> quoted", "\\*not\\* escaped\\", "|pipe|", "<url|label>",
	"Nurse \xff\xfe broken", strings.Repeat("A very long title ", 600), strings.Repeat("😀", 3000), "évil。example evil．example", "",
	"*", "_", "**", "[", "](", "&", "<", "\u200b@\u200beveryone",
}

// auto is what programs make a link, a mention or a command of by themselves.
var auto = regexp.MustCompile(`(?i)@[\pL\pN_]|://|[\pL\pN_-][.。．｡]\pL{2,}|(?:javascript|mailto|tel):[^\s\x{200b}]|(?:^|[^\pL\pN])/\pL|#[\pL\pN]|\$\pL`)

func hostileAlert(title, employer, reason, name string) message.Alert {
	a := digest(1)
	v := &a.Items[0].Event.Vacancy
	v.Title, v.Employer, v.Contract, a.Search.Name = title, employer, employer, name
	v.Locations = []vacancy.Location{{Site: title, Town: employer}}
	a.Items[0].Outcomes = append(a.Items[0].Outcomes, vacancy.Outcome{Pass: true, Stated: true, Reason: reason}, vacancy.Outcome{Pass: true, Reason: title})
	a.Items[0].Event.Related, a.Items[0].Event.Relation = "C9000-26-0042", vacancy.LinkTwin
	a.Items[0].RelatedWhy = title
	a.Items[0].Event.Changes = []vacancy.Change{{Field: "title", Before: employer, After: title}}
	a.Also = []vacancy.Search{{Name: title}, {Name: employer}}
	return a
}

// ours are the links that hostileAlert may have.
var ours = map[string]bool{
	"https://www.jobs.nhs.uk/candidate/jobadvert/C9000-26-0000": true, "https://www.jobs.nhs.uk/candidate/jobadvert/C9000-26-0042": true,
	"https://watch.example.org/u/c3RvcA": true, "https://watch.example.org/": true,
}

// harmless checks that a message is good, says what the advert says, and has
// nothing in it that acts.
func harmless(t *testing.T, kind string, a message.Alert) {
	t.Helper()
	body, err := newChat(t, kind, "http://127.0.0.1:1").Render(a, "")
	if err != nil {
		t.Fatalf("%s: %v", kind, err)
	}
	s, err := readers[kind](body)
	if err != nil {
		t.Fatalf("%s refuses %s\n%v", kind, body, err)
	}
	for _, l := range s.links {
		if !ours[l] {
			t.Errorf("%s: the link %q is not ours", kind, l)
		}
	}
	if m := auto.FindString(s.text); m != "" {
		t.Errorf("%s: a program would act on %q in\n%q", kind, m, s.text)
	}
	for _, r := range s.text {
		if r == 0x2028 || r == 0x2029 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r < ' ' && r != '\n' || r == 0x85 {
			t.Errorf("%s: the text holds %U", kind, r)
		}
	}
	// Slack's twins are undone in what was read, so they are in what is wanted.
	bare := func(s string) string { return slackTwins.Replace(strings.ReplaceAll(s, "\u200b", "")) }
	p := message.NewPlain(a)
	got := bare(s.text)
	for _, want := range []string{p.Heading, p.Items[0].Closing, p.Items[0].Title} {
		if !strings.Contains(got, bare(want)) {
			t.Errorf("%s: %q is not in\n%q", kind, want, got)
		}
	}
}

func TestHostile(t *testing.T) {
	for _, kind := range kinds {
		for i, title := range hostile {
			harmless(t, kind, hostileAlert(title, title, title, title))
			harmless(t, kind, hostileAlert(title, "Marlowe Vale NHS Foundation Trust", hostile[len(hostile)-1-i], "Mine"))
		}
	}
}

// A link that could break out of its markup is escaped, and one too long for a
// message is left out.
func TestLinks(t *testing.T) {
	a := digest(1)
	for in, want := range map[string]string{
		"https://www.jobs.nhs.uk/a)b|c'd":                     "https://www.jobs.nhs.uk/a%29b%7Cc%27d",
		"https://www.jobs.nhs.uk/?a=1&b=2":                    "https://www.jobs.nhs.uk/?a=1&b=2",
		"javascript:alert(1)":                                 "",
		"https://www.jobs.nhs.uk/" + strings.Repeat("x", 999): "",
	} {
		a.Items[0].Event.Vacancy.URL = in
		for _, kind := range kinds {
			s, _ := render(t, kind, a)
			got := ""
			for _, l := range s.links {
				if !ours[l] {
					got = l
				}
			}
			if got != want {
				t.Errorf("%s: %q became %q, want %q", kind, in, got, want)
			}
		}
	}
}

// FuzzHostile gives every service any text for what an advert and a
// subscriber write.
func FuzzHostile(f *testing.F) {
	for i, h := range hostile {
		f.Add(h, hostile[(i+5)%len(hostile)], hostile[(i+9)%len(hostile)], h)
	}
	f.Fuzz(func(t *testing.T, title, employer, reason, name string) {
		a := hostileAlert(title, employer, reason, name)
		for _, kind := range kinds {
			harmless(t, kind, a)
		}
	})
}
