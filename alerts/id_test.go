package alerts

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// What an ID was made of is found in it again.
func TestParseID(t *testing.T) {
	const event, dest = "nhs-jobs/C9001-26-0001|closing_moved|2", "mail#0123456789ab"
	for id, want := range map[string]Message{
		InstantID("a", event, dest):           {ID: InstantID("a", event, dest), Search: "a", Event: event, Dest: dest},
		DigestID("b", "2026-07-15.1", "hook"): {ID: DigestID("b", "2026-07-15.1", "hook"), Search: "b", Window: "2026-07-15.1", Dest: "hook"},
	} {
		got, ok := ParseID(id)
		if diff := cmp.Diff(want, got); !ok || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", id, ok, diff)
		}
	}
	for _, id := range []string{"", "|", "||", "a|b", "a|b|c", "a||c", "|b|c|d|e", "a|b|c|d|", "a|digest |mail", "a|b|c|d|e|f"} {
		if m, ok := ParseID(id); ok {
			t.Errorf("%q is read as %+v", id, m)
		}
	}
}

func FuzzParseID(f *testing.F) {
	f.Add("a|nhs-jobs/C9001-26-0001|new|1|mail#0123456789ab")
	f.Add("a|digest 2026-07-15.1|hook")
	f.Fuzz(func(t *testing.T, id string) {
		m, ok := ParseID(id)
		if !ok {
			return
		}
		again := InstantID(m.Search, m.Event, m.Dest)
		if m.Event == "" {
			again = DigestID(m.Search, m.Window, m.Dest)
		}
		if again != id {
			t.Errorf("%q is read as %+v, which makes %q", id, m, again)
		}
	})
}

// The event of a told mark is found in it again, whatever its subscriber is
// called.
func TestMarkedEvent(t *testing.T) {
	e := vacancy.Event{Kind: vacancy.ClosingMoved, Version: 3}
	for _, subscriber := range []string{"", "jo", "j|o|"} {
		if got, ok := MarkedEvent(ToldMark(subscriber, "mail#0a", &e)); !ok || got != "closing_moved|3" {
			t.Errorf("subscriber %q: %q, %v", subscriber, got, ok)
		}
	}
	for _, mark := range []string{"", "x", "|", "x|1"} {
		if got, ok := MarkedEvent(mark); ok {
			t.Errorf("%q is read as %q", mark, got)
		}
	}
}
