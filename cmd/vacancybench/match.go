package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"slices"
)

type matchCmd struct {
	Searches  int    `default:"1000000" help:"How many searches are saved."`
	Sizes     bool   `help:"Measure 100,000, 1,000,000 and 3,000,000 searches, one after the other, in place of --searches. Takes some gigabytes."`
	Vacancies int    `default:"2000" help:"How many vacancies are matched."`
	Changes   int    `default:"100000" help:"How many searches are added, and as many removed, while matching goes on."`
	Plain     int    `default:"5" help:"With how many vacancies the plain loop is measured. It is slow."`
	Seed      uint64 `default:"42" help:"The world."`
	Stored    bool   `help:"Measure the matching through an embedded store too."`
	JSON      string `type:"path" placeholder:"FILE" help:"Write the figures as JSON too."`
	Profile   string `type:"path" placeholder:"FILE" help:"Write a profile of the processor's time."`
}

// A contender is one way to find the searches that a vacancy meets.
type contender struct {
	Name       string  `json:"name"`
	Vacancies  int     `json:"vacancies"`
	Mean       float64 `json:"mean_us"`
	P50        float64 `json:"p50_us"`
	P99        float64 `json:"p99_us"`
	PerSecond  float64 `json:"vacancies_per_second"`
	TwoCores   float64 `json:"vacancies_per_second_two_cores,omitempty"`
	Bytes      float64 `json:"bytes_a_search,omitempty"`
	Build      float64 `json:"build_s,omitempty"`
	Candidates float64 `json:"candidates_a_match,omitempty"`
	Ideal      float64 `json:"times_ideal"`
}

// matchFigures are those of one number of searches.
type matchFigures struct {
	Searches   int          `json:"searches"`
	Vacancies  int          `json:"vacancies"`
	Matches    float64      `json:"matches_a_vacancy"`
	Read       float64      `json:"read_us"` // of a vacancy, text and all, before it is matched
	Engines    []*contender `json:"engines"`
	Records    float64      `json:"records_a_match"`
	Blocks     float64      `json:"blocks_a_vacancy"`
	Files      float64      `json:"files_a_vacancy"`
	AddP50     float64      `json:"add_p50_us"`
	AddP99     float64      `json:"add_p99_us"`
	AddMean    float64      `json:"add_mean_us"`
	BusyAddP99 float64      `json:"add_p99_us_while_matching"`
	RemoveP50  float64      `json:"remove_p50_us"`
	RemoveP99  float64      `json:"remove_p99_us"`
	Pause      float64      `json:"longest_matching_ms_while_changing"`
	PauseP999  float64      `json:"matching_p999_ms_while_changing"`
	Control    float64      `json:"longest_matching_ms_beside_mere_computing"`
	Stopped    float64      `json:"longest_stop_of_the_world_ms"`
	Rebuild    float64      `json:"rebuild_while_matching_s"`
	Wrong      int          `json:"wrong_answers"`
	Compared   int          `json:"answers_compared"`
}

// The promises of matching, at a million searches.
const (
	mostTimesIdeal = 4
	mostCandidates = 3
	mostBytes      = 160
	mostAdd        = 20  // µs
	mostPause      = 100 // ms
)

// Run measures the index over saved searches against a plain loop, bit sets,
// and what is ideal.
func (c *matchCmd) Run(e *env) error {
	if c.Searches < 1000 || c.Vacancies < 10 {
		return errors.New("give at least 1000 searches and 10 vacancies")
	}
	if c.Profile != "" {
		f, err := os.Create(c.Profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return fmt.Errorf("profile: %w", err)
		}
		defer pprof.StopCPUProfile()
	}
	sizes := []int{c.Searches}
	if c.Sizes {
		sizes = []int{100_000, 1_000_000, 3_000_000}
	}
	fmt.Fprintf(e.stdout, "%s, %d processors, seed %d\n", runtime.Version(), runtime.GOMAXPROCS(0), c.Seed)
	var all []*matchFigures
	var broken error
	for _, n := range sizes {
		f, err := c.measure(e.ctx, n)
		if err != nil {
			return err
		}
		all = append(all, f)
		f.print(e.stdout)
		if c.Stored {
			if err := c.stored(e.ctx, n, e.stdout); err != nil {
				return err
			}
		}
		if n == 1_000_000 || f.Wrong > 0 {
			broken = errors.Join(broken, f.holds(e.stdout))
		}
		debug.FreeOSMemory()
	}
	if c.JSON != "" {
		b, err := json.MarshalIndent(all, "", "\t")
		if err == nil {
			err = os.WriteFile(c.JSON, append(b, '\n'), 0o644)
		}
		broken = errors.Join(broken, err)
	}
	return broken
}

func (f *matchFigures) print(w io.Writer) {
	fmt.Fprintf(w, "\n%d searches x %d vacancies, %.0f matches a vacancy; reading a vacancy takes %.0f µs more, in every row but the plain loop\n\n",
		f.Searches, f.Vacancies, f.Matches, f.Read)
	rows := [][]string{{"", "µs a vacancy", "p50", "p99", "a second", "2 cores", "B a search", "build s", "candidates a match", "x ideal"}}
	number := func(format string, v float64) string {
		if v == 0 {
			return "-"
		}
		return fmt.Sprintf(format, v)
	}
	for _, e := range f.Engines {
		rows = append(rows, []string{e.Name, number("%.0f", e.Mean), number("%.0f", e.P50), number("%.0f", e.P99), number("%.0f", e.PerSecond),
			number("%.0f", e.TwoCores), number("%.0f", e.Bytes), number("%.1f", e.Build), number("%.2f", e.Candidates), number("%.1f", e.Ideal)})
	}
	align(w, rows)
	fmt.Fprintf(w, `
index: %.0f files, %.0f summaries of blocks a vacancy; %.1f records looked at a match
add: %.1f µs mean, %.1f p50, %.1f p99, %.1f p99 while matching; remove: %.1f µs p50, %.1f p99
longest matching while %s: %.1f ms (p99.9 %.1f, longest stop of the world %.1f); beside mere computing: %.1f ms
whole rebuild meanwhile: %.1f s
wrong answers: %d of %d compared
`, f.Files, f.Blocks, f.Records, f.AddMean, f.AddP50, f.AddP99, f.BusyAddP99, f.RemoveP50, f.RemoveP99,
		"searches change and the index is rebuilt", f.Pause, f.PauseP999, f.Stopped, f.Control, f.Rebuild, f.Wrong, f.Compared)
}

// holds prints the promises that were broken, and returns an error if there
// are any.
func (f *matchFigures) holds(w io.Writer) error {
	ix := f.Engines[slices.IndexFunc(f.Engines, func(e *contender) bool { return e.Name == "index" })]
	bad := false
	say := func(broken bool, format string, a ...any) {
		if broken {
			bad = true
			fmt.Fprintf(w, "BROKEN  "+format+"\n", a...)
		}
	}
	say(f.Wrong > 0, "%d wrong answers", f.Wrong)
	say(ix.Ideal > mostTimesIdeal, "%.1f times the ideal, not %d", ix.Ideal, mostTimesIdeal)
	say(ix.Candidates >= mostCandidates, "%.2f candidates a match, not under %d", ix.Candidates, mostCandidates)
	say(ix.Bytes > mostBytes, "%.0f bytes a search, not %d", ix.Bytes, mostBytes)
	say(f.AddP99 >= mostAdd, "%.1f µs to add a search (p99), not under %d", f.AddP99, mostAdd)
	say(f.Pause-f.Control > mostPause, "matching took %.0f ms while searches changed, %.0f ms beside mere computing, not at most %d more", f.Pause, f.Control, mostPause)
	if bad {
		return errBroken
	}
	fmt.Fprintln(w, "every promise was held")
	return nil
}
