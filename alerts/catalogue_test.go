package alerts

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// shelf gives searches, and hides some from whoever takes over changes.
type shelf struct {
	searches []*vacancy.Search
	hidden   string
	damaged  string
}

func (s *shelf) Search(context.Context, string) (*vacancy.Search, bool, error) {
	return nil, false, errors.New("not asked for")
}

func (s *shelf) Find(_ context.Context, ids []string) ([]*vacancy.Search, error) {
	return slices.DeleteFunc(slices.Clone(s.searches), func(o *vacancy.Search) bool { return !slices.Contains(ids, o.ID) }), nil
}

func (s *shelf) Changed(_ context.Context, since Mark, each func(Change)) (Mark, error) {
	if since == nil {
		for _, o := range s.searches {
			if o.ID != s.hidden {
				each(Change{ID: o.ID, Search: o})
			}
		}
		if s.damaged != "" {
			each(Change{ID: s.damaged, Err: errors.New("is damaged")})
		}
	}
	return Mark{1}, nil
}

func (s *shelf) Sample(context.Context, int) ([]*vacancy.Search, error) { return s.searches, nil }

func prepared(t *testing.T, s vacancy.Search) *vacancy.Search {
	t.Helper()
	if err := s.Prepare(); err != nil {
		t.Fatal(err)
	}
	return &s
}

// What the index overlooks is found by the sample, told of, counted and mended;
// a search that cannot be read keeps no other.
func TestCatalogueChecksItself(t *testing.T) {
	var logged bytes.Buffer
	reg := prometheus.NewRegistry()
	m := NewMetrics(reg)
	s := &shelf{hidden: "b", damaged: "d", searches: []*vacancy.Search{
		prepared(t, vacancy.Search{ID: "a", Bands: []string{"5"}}),
		prepared(t, vacancy.Search{ID: "b", Bands: []string{"5"}}),
		prepared(t, vacancy.Search{ID: "c", Bands: []string{"6"}}),
	}}
	c := NewCatalogue(s, slog.New(slog.NewTextHandler(&logged, nil)), m)
	if err := c.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	v := vacancy.Vacancy{Source: "s", Reference: "r", Title: "Nurse", Band: "5", BandFrom: vacancy.FromPrinted}
	v.Derive()
	day := vacancy.Day{Year: 2026, Month: 7, Day: 14}
	// The first vacancy is among those that are checked, the second is not.
	for range 2 {
		got, err := c.Match(t.Context(), &v, day)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(got)
		if want := []string{"a", "b"}; !slices.Equal(got, want) {
			t.Errorf("matched %q, want %q", got, want)
		}
	}
	for name, want := range map[string]float64{"vacancywatch_match_checks_total": 1, "vacancywatch_match_differences_total": 1} {
		if got := counted(t, reg, name); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	for _, want := range []string{"search=b", "search=d"} {
		if !strings.Contains(logged.String(), want) {
			t.Errorf("the log does not name %s:\n%s", want, &logged)
		}
	}
}

// counted is the value of a counter without labels.
func counted(t *testing.T, reg *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}
