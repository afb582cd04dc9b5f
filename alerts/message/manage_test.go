package message

import (
	"strings"
	"testing"
)

// Both parts of every mail to a person who subscribed lead to that person's own
// page, and those to others to none.
func TestManageLink(t *testing.T) {
	const manage, stop = "https://watch.example/m/TOKEN", "https://watch.example/u/TOKEN"
	for _, digest := range []bool{false, true} {
		a := Alert{ID: "a", StopURL: stop, Digest: digest}
		for _, url := range []string{"", manage, "javascript:alert(1)"} {
			a.ManageURL = url
			html, err := HTML(a)
			if err != nil {
				t.Fatal(err)
			}
			text, err := Text(a)
			if err != nil {
				t.Fatal(err)
			}
			want := map[bool]int{true: 1}[url == manage]
			for _, part := range []string{string(html), string(text)} {
				if got := strings.Count(part, "/m/TOKEN"); got != want || strings.Contains(part, "javascript") || strings.Count(part, stop) != 1 {
					t.Errorf("%q stands there %d times:\n%s", url, got, part)
				}
			}
		}
	}
}
