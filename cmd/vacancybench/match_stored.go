package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/crawler/simulator/world"
	"github.com/vacancywatch/vacancywatch/store"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// stored measures matching as the daemon does it: the searches lie in an
// embedded store, the index is filled from it, and what a vacancy meets is
// fetched by id.
func (c *matchCmd) stored(ctx context.Context, n int, out io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "vacancybench-match-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	eng, err := engine.OpenBolt(filepath.Join(dir, "state"), engine.BoltOptions{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, eng.Close()) }()
	st, err := store.Open(ctx, eng, store.Options{})
	if err != nil {
		return err
	}
	w := world.New(c.Seed)
	crowd, now := newCrowd(c.Seed, matchVacancies(w, 0, 3000)), time.Now()
	// Provision takes all for what the configuration file holds, so they are
	// saved in one call; a copy of each is all that is held of them here.
	searches := make([]vacancy.Search, n)
	for i := range searches {
		searches[i] = *crowd.search(i)
		searches[i].Subscriber = fmt.Sprint("reader", i)
		searches[i].Notify = []vacancy.Notify{{Channel: "hook"}}
	}
	began := time.Now()
	if _, err := st.Provision(ctx, searches, now); err != nil {
		return err
	}
	saved := time.Since(began)
	searches = nil

	catalogue := alerts.NewCatalogue(st, slog.New(slog.DiscardHandler), alerts.NewMetrics(prometheus.NewRegistry()))
	for _, v := range matchVacancies(w, 10_000, 500) {
		catalogue.Learn(v, matchDay)
	}
	before := heap()
	began = time.Now()
	if err := catalogue.Refresh(ctx); err != nil {
		return err
	}
	filled, held := time.Since(began), heap()-before

	var times []time.Duration
	found := 0
	for _, v := range matchVacancies(w, 20_000, min(c.Vacancies, 200)) {
		began := time.Now()
		met, err := catalogue.Meeting(ctx, v, matchDay)
		if err != nil {
			return err
		}
		times = append(times, time.Since(began))
		found += len(met)
	}
	p50, p99 := quantiles(times)
	fmt.Fprintf(out, "\nthrough the store, %d searches: saved in %.1f s, index filled in %.1f s, %.0f B a search held with what was found last\n"+
		"looked for changes, matched and fetched %d searches a vacancy: %.0f µs p50, %.0f p99\n",
		n, saved.Seconds(), filled.Seconds(), float64(held)/float64(n), found/len(times), p50, p99)
	return nil
}
