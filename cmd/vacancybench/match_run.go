package main

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vacancywatch/vacancywatch/crawler/simulator/world"
	"github.com/vacancywatch/vacancywatch/vacancy"
	"github.com/vacancywatch/vacancywatch/vacancy/index"
)

// heap is the memory in use after a collection.
func heap() uint64 {
	runtime.GC()
	runtime.GC() // what a pool held goes with the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// matchRun is one number of searches under measurement.
type matchRun struct {
	cmd *matchCmd
	*matchFigures
	crowd *crowd
	ix    *index.Index
	vs    []*vacancy.Vacancy
	read  []*index.Reading
	refs  map[string]index.Ref
	met   [][]string // by vacancy, in the order of the index
}

func (c *matchCmd) measure(ctx context.Context, n int) (*matchFigures, error) {
	w := world.New(c.Seed)
	r := &matchRun{cmd: c, matchFigures: &matchFigures{Searches: n, Vacancies: c.Vacancies}}
	// Adverts that searches are modelled on, adverts that tell what is
	// frequent, and adverts that are matched are three different lots.
	r.crowd = newCrowd(c.Seed, matchVacancies(w, 0, 3000))
	recent := matchVacancies(w, 10_000, 1500)
	r.vs = matchVacancies(w, 20_000, c.Vacancies)

	var indexed, ideal, scan, plain *contender
	var bitSets *bitContender
	for _, step := range []func(){
		func() { indexed = r.build(ctx, recent) },
		func() { bitSets = r.bits() },
		r.readAll,
		func() { r.matchAll(indexed) },
		func() { ideal = r.ideal() },
		func() { r.bitsAll(bitSets) },
		func() { scan = r.scan() },
		func() { plain = r.plain() },
	} {
		if step(); ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	r.Engines = []*contender{plain, scan, bitSets.contender, indexed, ideal}
	for _, e := range r.Engines {
		e.Ideal = e.Mean / ideal.Mean
	}
	bitSets.sets = nil
	if err := r.twoCores(ctx, indexed); err != nil {
		return nil, err
	}
	r.changeAlone()
	if err := r.changeBusy(ctx); err != nil {
		return nil, err
	}
	return r.matchFigures, ctx.Err()
}

// build adds all searches and compacts, as a daemon does at its start.
func (r *matchRun) build(ctx context.Context, recent []*vacancy.Vacancy) *contender {
	before := heap()
	r.ix = index.New()
	running, stop := context.WithCancel(ctx)
	var g errgroup.Group
	g.Go(func() error { return r.ix.Run(running) })
	var took time.Duration
	const lot = 50_000
	for from := 0; from < r.Searches; from += lot {
		searches := make([]*vacancy.Search, 0, lot)
		for i := from; i < min(from+lot, r.Searches); i++ {
			searches = append(searches, r.crowd.search(i))
		}
		began := time.Now()
		for _, s := range searches {
			r.ix.Add(s)
		}
		took += time.Since(began)
	}
	began := time.Now()
	for _, v := range recent {
		r.ix.Learn(v, matchDay)
	}
	r.ix.Compact()
	took += time.Since(began)
	stop()
	_ = g.Wait() // Run fails never
	return &contender{Name: "index", Bytes: float64(heap()-before) / float64(r.Searches), Build: took.Seconds()}
}

// bitContender is a contender and its sets.
type bitContender struct {
	*contender
	sets *bitSets
}

func (r *matchRun) bits() *bitContender {
	r.refs = make(map[string]index.Ref, r.Searches)
	b := newBitSets()
	var took time.Duration
	for id, ref := range r.ix.Refs {
		r.refs[id] = ref
		var n int
		if _, err := fmt.Sscanf(id, "s%d", &n); err != nil {
			panic(err) // Unreachable: the crowd's ids are like that.
		}
		s := r.crowd.search(n)
		began := time.Now()
		b.add(s, ref)
		took += time.Since(began)
	}
	began := time.Now()
	b.finish()
	took += time.Since(began)
	return &bitContender{&contender{Name: "bit sets", Bytes: float64(b.bytes()) / float64(r.Searches), Build: took.Seconds()}, b}
}

func (r *matchRun) readAll() {
	runtime.GC()
	began := time.Now()
	for _, v := range r.vs {
		r.read = append(r.read, r.ix.Read(v, matchDay))
	}
	r.Read = micro(time.Since(began)) / float64(len(r.vs))
}

// rounds is how often each vacancy is matched. Its best time counts, for on a
// machine that others use too the rest measures them.
const rounds = 3

// times runs a contender for each vacancy and notes its figures.
func (e *contender) times(n int, match func(i int)) {
	runtime.GC()
	took := make([]time.Duration, n)
	for round := range rounds {
		for i := range took {
			began := time.Now()
			match(i)
			if t := time.Since(began); round == 0 || t < took[i] {
				took[i] = t
			}
		}
	}
	sum := time.Duration(0)
	for _, t := range took {
		sum += t
	}
	e.Vacancies, e.Mean = n, micro(sum)/float64(n)
	e.PerSecond = 1e6 / e.Mean
	e.P50, e.P99 = quantiles(took)
}

func quantiles(took []time.Duration) (p50, p99 float64) {
	slices.Sort(took)
	return micro(took[len(took)/2]), micro(took[len(took)*99/100])
}

func micro(d time.Duration) float64 { return float64(d) / 1e3 }

func (r *matchRun) matchAll(e *contender) {
	r.met = make([][]string, len(r.vs))
	var work index.Work
	for i, f := range r.read {
		w := r.ix.MatchReading(f, func(id string) bool {
			r.met[i] = append(r.met[i], id)
			return true
		})
		work.Files, work.Blocks, work.Records = work.Files+w.Files, work.Blocks+w.Blocks, work.Records+w.Records
		work.Candidates, work.Matches = work.Candidates+w.Candidates, work.Matches+w.Matches
	}
	vs, matches := float64(len(r.vs)), float64(work.Matches)
	r.Matches, r.Files, r.Blocks = matches/vs, float64(work.Files)/vs, float64(work.Blocks)/vs
	r.Records, e.Candidates = float64(work.Records)/matches, float64(work.Candidates)/matches
	var sink int
	e.times(len(r.vs), func(i int) {
		r.ix.MatchReading(r.read[i], func(id string) bool { sink += len(id); return true })
	})
}

// ideal is told which searches are met, and has only to verify and report
// them.
func (r *matchRun) ideal() *contender {
	answers := make([][]index.Ref, len(r.met))
	for i, ids := range r.met {
		for _, id := range ids {
			answers[i] = append(answers[i], r.refs[id])
		}
	}
	r.refs = nil
	var sink int
	e := &contender{Name: "ideal", Candidates: 1}
	e.times(len(r.vs), func(i int) {
		for _, ref := range answers[i] {
			if id, ok := r.read[i].Verify(ref); ok {
				sink += len(id)
			}
		}
	})
	return e
}

func (r *matchRun) bitsAll(b *bitContender) {
	keys := make([][][]string, len(r.vs))
	for i, v := range r.vs {
		keys[i] = b.sets.keys(v)
	}
	candidates, matches := 0, 0
	for i := range r.vs {
		var ids []string
		candidates += b.sets.match(r.read[i], keys[i], func(id string) { ids = append(ids, id) })
		matches += len(ids)
		r.compare(i, ids)
	}
	b.Candidates = float64(candidates) / float64(max(matches, 1))
	var sink int
	b.times(len(r.vs), func(i int) {
		b.sets.match(r.read[i], keys[i], func(id string) { sink += len(id) })
	})
}

// compare counts where an answer differs from that of the index.
func (r *matchRun) compare(i int, ids []string) {
	slices.Sort(ids)
	want := slices.Sorted(slices.Values(r.met[i]))
	r.Compared++
	if !slices.Equal(ids, want) {
		r.Wrong++
	}
}

// scan verifies all records, one after the other.
func (r *matchRun) scan() *contender {
	var refs []index.Ref
	for _, ref := range r.ix.Refs {
		refs = append(refs, ref)
	}
	e := &contender{Name: "scan of records"}
	n := min(len(r.vs), 50)
	answers := make([][]string, n)
	e.times(n, func(i int) {
		answers[i] = answers[i][:0]
		for _, ref := range refs {
			if id, ok := r.read[i].Verify(ref); ok {
				answers[i] = append(answers[i], id)
			}
		}
	})
	for i, ids := range answers {
		r.compare(i, ids)
	}
	return e
}

// plain asks vacancy.Matches about every search. Searches are made anew in
// lots, for all of them take gigabytes, and only the asking is timed.
func (r *matchRun) plain() *contender {
	e := &contender{Name: "plain loop", Vacancies: min(r.cmd.Plain, len(r.vs))}
	took := make([]time.Duration, e.Vacancies)
	answers := make([][]string, e.Vacancies)
	const lot = 10_000
	var bytes uint64
	for from := 0; from < r.Searches; from += lot {
		var before uint64
		if from == 0 {
			before = heap()
		}
		searches := make([]*vacancy.Search, 0, lot)
		for i := from; i < min(from+lot, r.Searches); i++ {
			searches = append(searches, r.crowd.search(i))
		}
		if from == 0 {
			bytes = heap() - before
		}
		for i := range took {
			began := time.Now()
			for _, s := range searches {
				if vacancy.Matches(s, r.vs[i], matchDay) {
					answers[i] = append(answers[i], s.ID)
				}
			}
			took[i] += time.Since(began)
		}
		runtime.KeepAlive(searches)
	}
	sum := time.Duration(0)
	for i, t := range took {
		sum += t
		r.compare(i, answers[i])
	}
	e.Mean = micro(sum) / float64(max(len(took), 1))
	e.PerSecond, e.Bytes = 1e6/e.Mean, float64(bytes)/float64(min(lot, r.Searches))
	if len(took) > 0 {
		e.P50, e.P99 = quantiles(took)
	}
	return e
}

// twoCores matches with two workers at a time.
func (r *matchRun) twoCores(ctx context.Context, e *contender) error {
	runtime.GC()
	var next atomic.Int64
	g, _ := errgroup.WithContext(ctx)
	began := time.Now()
	for range 2 {
		g.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(r.read) {
					return nil
				}
				r.ix.MatchReading(r.read[i], func(string) bool { return true })
			}
		})
	}
	err := g.Wait()
	e.TwoCores = float64(len(r.read)) / time.Since(began).Seconds()
	return err
}
