package vacancy

import (
	"encoding/json"
	"testing"
)

func TestNotifyCheck(t *testing.T) {
	mail := func(edit func(*Notify)) Notify {
		n := Notify{Channel: "mail", To: "jo@ward.example"}
		edit(&n)
		return n
	}
	for name, tt := range map[string]struct {
		n    Notify
		want string
	}{
		"as it is":        {mail(func(*Notify) {}), ""},
		"hourly, quiet":   {mail(func(n *Notify) { n.Rhythm, n.Quiet = Hourly, Quiet{22, 7} }), ""},
		"twelve hours":    {mail(func(n *Notify) { n.Quiet = Quiet{19, 7} }), ""},
		"within the day":  {mail(func(n *Notify) { n.Quiet = Quiet{9, 17} }), ""},
		"from midnight":   {mail(func(n *Notify) { n.Quiet = Quiet{0, 7} }), ""},
		"weekly":          {mail(func(n *Notify) { n.Rhythm, n.Hour, n.Day = Weekly, 23, "sunday" }), ""},
		"weekly, no day":  {mail(func(n *Notify) { n.Rhythm = Weekly }), `day "": give one of monday, tuesday, wednesday, thursday, friday, saturday, sunday`},
		"cap and remind":  {mail(func(n *Notify) { n.DailyCap, n.RemindDays = 100, 14 }), ""},
		"thirteen hours":  {mail(func(n *Notify) { n.Quiet = Quiet{18, 7} }), "quiet: from 18 to 7: give at least an hour and at most 12"},
		"no hour at all":  {mail(func(n *Notify) { n.Quiet = Quiet{7, 7} }), "quiet: from 7 to 7: give at least an hour and at most 12"},
		"several at once": {mail(func(n *Notify) { n.Rhythm, n.DailyCap, n.RemindDays = Hourly, 3, -1 }), "daily_cap is for rhythm: instant; remind_days -1: give 1 to 14, or 0 for no reminder"},
		"hour of quiet":   {mail(func(n *Notify) { n.Quiet = Quiet{1, 24} }), "quiet: from 1: give 0 to 23, but not 1, which comes twice one night a year and not at all another; quiet: to 24: give 0 to 23, but not 1, which comes twice one night a year and not at all another"},
	} {
		got := ""
		if err := tt.n.Check(); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", name, got, tt.want)
		}
	}
}

// Midnight as the beginning of quiet hours is kept, and none is left out.
func TestQuietJSON(t *testing.T) {
	for _, tt := range []struct {
		n    Notify
		want string
	}{
		{Notify{Channel: "mail", Quiet: Quiet{0, 7}}, `{"channel":"mail","quiet":{"from":0,"to":7}}`},
		{Notify{Channel: "mail"}, `{"channel":"mail"}`},
	} {
		b, err := json.Marshal(tt.n)
		if err != nil || string(b) != tt.want {
			t.Errorf("got %s, %v, want %s", b, err, tt.want)
		}
		var back Notify
		if err := json.Unmarshal(b, &back); err != nil || back != tt.n {
			t.Errorf("%s is read as %+v, %v", b, back, err)
		}
	}
}
