package alerts

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The ID of a notice says what it is about, and is taken for no alert's.
func TestNoticeID(t *testing.T) {
	id := NoticeID("w1", "confirm", "1", "mail#p1")
	m, ok := ParseID(id)
	if diff := cmp.Diff(Message{ID: id, Search: "w1", Dest: "mail#p1", Notice: "confirm"}, m); !ok || diff != "" {
		t.Errorf("%t (-want +got):\n%s", ok, diff)
	}
	if m.Channel() != "mail" || IsDigestID("notice confirm 1|mail#p1") {
		t.Errorf("channel %s", m.Channel())
	}
	for _, bad := range []string{"w1|notice confirm|mail", "w1|notice  1|mail", "w1|notice|mail"} {
		if _, ok := ParseID(bad); ok {
			t.Errorf("%q is taken for an ID", bad)
		}
	}
}
