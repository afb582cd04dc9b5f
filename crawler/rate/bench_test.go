package rate

import (
	"encoding/json"
	"testing"
	"time"
)

func BenchmarkRate(b *testing.B) {
	begin := at("2026-06-01T00:00:00+01:00")
	board := office(1000, 1)
	board.lump, board.minute = .5, 17
	l := learn(Learned{}, board, begin, begin.AddDate(0, 0, 28), 10*time.Minute)
	now := at("2026-09-01T09:58:00Z")
	var posted []time.Time
	for n := range 5 {
		posted = append(posted, now.Add(time.Duration(n)*time.Minute))
	}
	for _, bench := range []struct {
		name string
		call func()
	}{
		{"Observe five in 5 minutes", func() { l.Observe(now, now.Add(5*time.Minute), posted) }},
		{"Observe none in 5 minutes", func() { l.Observe(now, now.Add(5*time.Minute), nil) }},
		{"Observe none in a week", func() { l.Observe(now, now.AddDate(0, 0, 7), nil) }},
		{"Expected in 5 minutes", func() { l.Expected(now, now.Add(5*time.Minute)) }},
		{"Expected in 60 days", func() { l.Expected(now, now.AddDate(0, 0, 60)) }},
		{"Silence", func() { l.Silence(now, now.AddDate(0, 0, 1), 0) }},
		{"Spacing", func() { l.Spacing(now, 200, least, most) }},
		{"Next", func() { l.Next(now, 200, least, most) }},
		{"JSON there and back", func() {
			data, _ := json.Marshal(l)
			var back Learned
			_ = json.Unmarshal(data, &back)
		}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				bench.call()
			}
		})
	}
}
