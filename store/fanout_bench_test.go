package store_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/alerts/channel"
	"github.com/vacancywatch/vacancywatch/alerts/message"
	"github.com/vacancywatch/vacancywatch/store"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// anySearch gives a search for every ID, told by mail.
type anySearch struct{ alerts.Searches }

func (anySearch) Search(_ context.Context, id string) (*vacancy.Search, bool, error) {
	s := band5(id, id, mailTo("jo"))
	return &s, true, nil
}

// sink takes every message, of the size of a usual mail.
type sink struct {
	channel.Channel
	sent int
	peek func(sent int)
}

func (*sink) Kind() string              { return "email" }
func (*sink) Destination(string) string { return "sink" }
func (*sink) Limit() time.Duration      { return 15 * time.Second }
func (*sink) Render(message.Alert, string) ([]byte, error) {
	return make([]byte, 8<<10), nil
}
func (s *sink) Send(context.Context, channel.Message) channel.Result {
	s.sent++
	s.peek(s.sent)
	return channel.Result{Outcome: channel.Done}
}

// BenchmarkFanOut delivers one vacancy to 100,000 searches, and measures how
// much the heap grows meanwhile: it must not hang on how many there are.
//
//	go test ./store -run - -bench FanOut -benchtime 1x
func BenchmarkFanOut(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				fanOut(b, n)
			}
		})
	}
}

func fanOut(b *testing.B, n int) {
	eng, err := engine.OpenBolt(filepath.Join(b.TempDir(), "state.db"), engine.BoltOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer eng.Close()
	st, err := store.Open(b.Context(), eng, store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	v := vac(1)
	v.Text = vacancy.Text{Summary: strings.Repeat("x", 8<<10)}
	dest := alerts.Dest(mailTo("jo"))
	e := vacancy.Event{Kind: vacancy.New, Version: 1, At: noon, Vacancy: v}
	var queue []alerts.Queued
	flush := func(first bool) {
		if first {
			_, err = st.Accept(b.Context(), &alerts.Acceptance{Key: v.Key(), Record: vacancy.Record{Vacancy: v}, Events: []vacancy.Event{e}, Queue: queue})
		} else {
			_, err = st.Enqueue(b.Context(), v.Key(), queue, nil)
		}
		if err != nil {
			b.Fatal(err)
		}
		queue = queue[:0]
	}
	for i := range n {
		id := fmt.Sprintf("s%06d", i)
		queue = append(queue, alerts.Queued{ID: alerts.InstantID(id, e.ID(), dest), Event: e.ID(), Search: id, Subscriber: id,
			Dest: dest, Told: alerts.ToldMark(id, dest, &e), Due: noon})
		if len(queue) == 2000 {
			flush(i < 2000)
		}
	}
	var before, peak runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	grown := uint64(0)
	s := &sink{peek: func(sent int) {
		if sent%(n/20) != 0 {
			return
		}
		runtime.GC()
		runtime.ReadMemStats(&peak)
		grown = max(grown, peak.HeapAlloc-min(before.HeapAlloc, peak.HeapAlloc))
	}}
	d := &alerts.Deliverer{Outbox: st, Searches: anySearch{}, Now: func() time.Time { return noon }, Logger: slog.New(slog.DiscardHandler),
		Metrics: alerts.NewMetrics(prometheus.NewRegistry()), Channels: map[string]channel.Channel{"mail": s}}
	begun := time.Now()
	ended, err := d.Pass(b.Context())
	if err != nil || ended != n {
		b.Fatalf("%d ended, %v, want %d", ended, err, n)
	}
	b.ReportMetric(float64(grown)/1e6, "MB-grown")
	b.ReportMetric(float64(n)/time.Since(begun).Seconds(), "messages/s")
}
