package index

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

func prepared(t testing.TB, s vacancy.Search) *vacancy.Search {
	t.Helper()
	if err := s.Prepare(); err != nil {
		t.Fatal(err)
	}
	return &s
}

// nurse is an advert that many searches below meet.
func nurse() *vacancy.Vacancy {
	v := vacancy.Vacancy{
		Source: "nhs-jobs", Reference: "C9001-26-0001", Title: "Staff Nurse, Oncology", Employer: "Marlowe Health NHS Trust",
		Band: "5", BandFrom: vacancy.FromPrinted, Contract: "Permanent", Closing: today.Add(9),
		Locations: []vacancy.Location{vacancy.ParseLocation("London EC1A 7BE")},
		Text:      vacancy.Text{Summary: "Join our Medical Oncology Service."},
	}
	v.Derive()
	return &v
}

// TestFields reminds whoever adds a criterion to teach it to the index. Until
// then, answers are right: a search that uses it is kept as it is and asked.
func TestFields(t *testing.T) {
	if got := otherSearchFields(); len(got) > 0 {
		t.Errorf("fields %v of a search cannot be said by a record: searches that use them are slow", got)
	}
	if got := otherPlaceFields(); len(got) > 0 {
		t.Errorf("fields %v of a place cannot be said by a record: searches that use them are slow", got)
	}
	if n := closedLists().specialties; len(n) > 32*setWords {
		t.Errorf("%d specialties, and a set has room for %d", len(n), 32*setWords)
	}
}

func TestUsesAnyOtherField(t *testing.T) {
	type grown struct{ Known, Added int }
	fields := fieldsBut(reflect.TypeFor[grown](), []string{"Known"})
	if diff := cmp.Diff([]int{1}, fields); diff != "" {
		t.Fatalf("fields (-want +got):\n%s", diff)
	}
	for added, want := range []bool{false, true} {
		if got := usesAny(reflect.ValueOf(grown{7, added}), fields); got != want {
			t.Errorf("usesAny with Added %d = %v, want %v", added, got, want)
		}
	}
}

func TestMatchStopsWhenTold(t *testing.T) {
	ix := New()
	for i := range 5 {
		ix.Add(prepared(t, vacancy.Search{ID: fmt.Sprint(i), Bands: []string{"5"}}))
	}
	n := 0
	ix.Match(nurse(), today, func(string) bool { n++; return n < 2 })
	if n != 2 {
		t.Errorf("yield was called %d times, want 2", n)
	}
}

// TestSeveralFiles has searches that are filed under several words, employers
// or specialties, all of which the vacancy has, and are met once.
func TestSeveralFiles(t *testing.T) {
	ix := New()
	for i := range 200 { // so that words are worth filing under
		ix.Add(prepared(t, vacancy.Search{ID: fmt.Sprint("other", i), Keywords: fmt.Sprint("word", i)}))
	}
	ix.Add(prepared(t, vacancy.Search{ID: "words", Keywords: "nurse OR oncology OR medical"}))
	ix.Add(prepared(t, vacancy.Search{ID: "employers", Employers: []string{"C9001", "Marlowe Health NHS Trust"}}))
	ix.Add(prepared(t, vacancy.Search{ID: "specialties", Specialties: []string{"cancer"}}))
	v := nurse()
	v.Specialties = append(v.Specialties, vacancy.Specialty{ID: "haematology", Confidence: "stated"})
	for range 3 {
		got := answer(ix, v)
		if diff := cmp.Diff([]string{"employers", "specialties", "words"}, got); diff != "" {
			t.Errorf("matches (-want +got):\n%s", diff)
		}
		ix.Compact()
	}
	if got := len(ix.state.Load().segments[0].files); got < 200 {
		t.Errorf("%d files: searches were filed under nothing", got)
	}
}

// TestOldReading matches a vacancy that was read before the words of a search
// were known.
func TestOldReading(t *testing.T) {
	for _, merge := range []bool{false, true} {
		ix := New()
		f := ix.Read(nurse(), today)
		ix.Add(prepared(t, vacancy.Search{ID: "a", Keywords: `"medical oncology"`}))
		ix.Add(prepared(t, vacancy.Search{ID: "b", Employers: []string{"marlowe health nhs trust"}}))
		if merge {
			ix.Compact()
		}
		got := map[string]bool{}
		ix.MatchReading(f, func(id string) bool { got[id] = true; return true })
		if diff := cmp.Diff(map[string]bool{"a": true, "b": true}, got); diff != "" {
			t.Errorf("merged %v: matches (-want +got):\n%s", merge, diff)
		}
	}
}

// TestRefs shows that every search has one place after Compact, and that
// verifying all of them one by one gives the answer.
func TestRefs(t *testing.T) {
	ix := New()
	for i := range 20 {
		ix.Add(prepared(t, vacancy.Search{ID: fmt.Sprint("a", i), Keywords: "nurse OR oncology OR unheard", Bands: []string{vacancy.Bands()[i%4]}}))
	}
	ix.Remove("a0")
	ix.Compact()
	ix.Remove("a7")
	f := ix.Read(nurse(), today)
	var all, met []string
	for id, ref := range ix.Refs {
		all = append(all, id)
		if got, ok := f.Verify(ref); ok {
			met = append(met, got)
		}
	}
	slices.Sort(met)
	if len(all) != 18 || slices.Contains(all, "a0") || slices.Contains(all, "a7") {
		t.Errorf("Refs gave %v", all)
	}
	if diff := cmp.Diff(answer(ix, nurse()), met); diff != "" || len(met) != 4 {
		t.Errorf("verified one by one (-index +got):\n%s", diff)
	}
	for range ix.Refs {
		break // must not go on
	}
}

// TestSkips shows that most of the searches are not looked at.
func TestSkips(t *testing.T) {
	ix := New()
	for i := range 10_000 {
		s := vacancy.Search{ID: fmt.Sprint(i), Bands: []string{vacancy.Bands()[i%11]},
			Places: []vacancy.Place{{Name: "x", Lat: 50.5 + float64(i%70)*.05, Lon: -3 + float64(i%37)*.1, Miles: 10}}}
		ix.Add(prepared(t, s))
	}
	for range 50 {
		ix.Learn(nurse(), today)
	}
	ix.Compact()
	work := ix.Match(nurse(), today, func(string) bool { return true })
	if work.Matches == 0 || work.Records > 10*work.Matches+100 {
		t.Errorf("%d records were looked at for %d matches of %d", work.Records, work.Matches, ix.Len())
	}
}

func TestCheck(t *testing.T) {
	ix := New()
	yes := prepared(t, vacancy.Search{ID: "yes", Bands: []string{"5"}})
	no := prepared(t, vacancy.Search{ID: "no", Bands: []string{"6"}})
	lost := prepared(t, vacancy.Search{ID: "lost", Bands: []string{"5"}})
	ix.Add(yes)
	ix.Add(no)
	if got := ix.Check(nurse(), today, []*vacancy.Search{yes, no}); got != nil {
		t.Errorf("Check() = %v, want no difference", got)
	}
	changed := prepared(t, vacancy.Search{ID: "no", Bands: []string{"5"}})
	got := ix.Check(nurse(), today, []*vacancy.Search{yes, changed, lost})
	want := []Difference{{"no", true, true}, {"lost", true, false}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("differences (-want +got):\n%s", diff)
	}
	changed.Bands = []string{"6"}
	ix.Add(prepared(t, vacancy.Search{ID: "no", Bands: []string{"5"}}))
	got = ix.Check(nurse(), today, []*vacancy.Search{changed})
	if diff := cmp.Diff([]Difference{{"no", false, true}}, got); diff != "" {
		t.Errorf("differences (-want +got):\n%s", diff)
	}
}

// TestRunMerges shows that Run keeps the tails short, and that searches which
// are removed do not stay for ever.
func TestRunMerges(t *testing.T) {
	ix := New()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- ix.Run(ctx) }()
	for i := range 5 * tailSize {
		ix.Add(prepared(t, vacancy.Search{ID: fmt.Sprint(i), Bands: []string{"5"}}))
	}
	deadline := time.Now().Add(30 * time.Second)
	for len(ix.state.Load().tails) > 1 && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond) // for Run to take its turn
	}
	stop()
	if err := <-done; err != nil {
		t.Errorf("Run() = %v", err)
	}
	now := ix.state.Load()
	if len(now.tails) != 1 || len(now.segments) == 0 || len(now.segments) > 3 {
		t.Errorf("%d tails, %d segments", len(now.tails), len(now.segments))
	}
	for i := range 5*tailSize - 1 {
		ix.Remove(fmt.Sprint(i))
	}
	ix.Compact()
	if got := len(ix.state.Load().segments[0].records); got != 1 || ix.Len() != 1 {
		t.Errorf("%d records and Len() = %d after all but one were removed", got, ix.Len())
	}
	ix.Remove(fmt.Sprint(5*tailSize - 1))
	ix.Compact()
	if got := ix.state.Load().segments; len(got) != 0 {
		t.Errorf("%d segments of an empty index", len(got))
	}
}

// TestChangesWhileMatching has four kinds of search: some stay, some are
// changed all the time but always meet the vacancy, some come and go, and some
// never meet it. The first two are met exactly once by every matching, the
// third at most once.
func TestChangesWhileMatching(t *testing.T) {
	const each, steps = 60, 6000
	ix := New()
	form := func(id string, n int) *vacancy.Search {
		forms := []vacancy.Search{
			{Bands: []string{"5"}}, {Keywords: "nurse"}, {Specialties: []string{"oncology"}}, {Employers: []string{"C9001"}},
			{Keywords: fmt.Sprintf("oncology NOT unheard%d", n)}, {Keywords: fmt.Sprintf("unheard%d OR nurse", n), Bands: []string{"5", "6"}},
		}
		s := forms[n%len(forms)]
		s.ID = id
		return prepared(t, s)
	}
	for i := range each {
		ix.Add(form(fmt.Sprint("stays", i), i))
		ix.Add(form(fmt.Sprint("changes", i), i))
		ix.Add(prepared(t, vacancy.Search{ID: fmt.Sprint("never", i), Bands: []string{"6"}}))
	}
	var changers, others sync.WaitGroup
	stop := make(chan struct{})
	running := func() bool {
		select {
		case <-stop:
			return false
		default:
			return true
		}
	}
	changers.Go(func() {
		dice := rand.New(rand.NewPCG(1, 2))
		for n := range steps {
			ix.Add(form(fmt.Sprint("changes", dice.IntN(each)), n))
			switch id := fmt.Sprint("goes", dice.IntN(each)); dice.IntN(2) {
			case 0:
				ix.Add(form(id, n))
			case 1:
				ix.Remove(id)
			}
		}
	})
	others.Go(func() {
		for n := 0; running(); n++ {
			if n%2 == 0 {
				ix.Compact()
				continue
			}
			ix.mu.Lock()
			ix.shut()
			ix.mu.Unlock()
			ix.merge(false)
		}
	})
	for range 2 {
		others.Go(func() {
			v := nurse()
			for running() {
				met := map[string]int{}
				ix.Match(v, today, func(id string) bool {
					met[id]++
					return true
				})
				for i := range each {
					for id, want := range map[string]int{fmt.Sprint("stays", i): 1, fmt.Sprint("changes", i): 1, fmt.Sprint("never", i): 0} {
						if met[id] != want {
							t.Errorf("%s was met %d times, want %d", id, met[id], want)
						}
					}
					if id := fmt.Sprint("goes", i); met[id] > 1 {
						t.Errorf("%s was met %d times", id, met[id])
					}
				}
				if t.Failed() {
					return
				}
			}
		})
	}
	changers.Wait()
	close(stop)
	others.Wait()
	if got := answer(ix, nurse()); slices.Contains(got, "never0") || len(got) < 2*each {
		t.Errorf("%d matches in the end", len(got))
	}
}
