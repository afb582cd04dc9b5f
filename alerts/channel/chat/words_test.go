package chat

import (
	"strings"
	"testing"
)

func TestInert(t *testing.T) {
	for in, want := range map[string]string{
		"Staff Nurse, Band 5 (St. Mary's)":       "Staff Nurse, Band 5 (St. Mary's)",
		"£33,094.50 a year, 9:30 to 17:30, 24/7": "£33,094.50 a year, 9:30 to 17:30, 24/7",
		"Secretary/Co-ordinator & Receptionist":  "Secretary/Co-ordinator & Receptionist",
		"Salary: £27,485":                        "Salary: £27,485",
		"@everyone":                              "@|everyone",
		"a@b.example":                            "a@|b.|example",
		"https://x.example":                      "https:|//|x.|example",
		"10.0.0.1 v1.2":                          "10.|0.|0.|1 v1.2",
		"/start (/stop)":                         "/|start (/|stop)",
		":smile: tel:5":                          ":|smile: tel:|5",
		"#1 $USD # $":                            "#|1 $|USD # $",
		"":                                       "",
	} {
		got := inert(in)
		if want := strings.ReplaceAll(want, "|", joiner); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
		if again := strings.ReplaceAll(got, joiner, ""); again != in {
			t.Errorf("without the breaks %q is %q", in, again)
		}
	}
}

func TestLink(t *testing.T) {
	for in, want := range map[string]string{
		"":                                  "",
		"https://a.example/x?y=1&z=%20#top": "https://a.example/x?y=1&z=%20#top",
		"https://a.example/(x)|<y>\"'*`\\é": "https://a.example/%28x%29%7C%3Cy%3E%22%27%2A%60%5C%C3%A9",
		"https://[2001:db8::1]/u":           "https://[2001:db8::1]/u",
		strings.Repeat("a", maxLink):        strings.Repeat("a", maxLink),
		strings.Repeat("a", maxLink+1):      "",
		strings.Repeat("&", maxLink/4):      "",
	} {
		if got := link(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}
