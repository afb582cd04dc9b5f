package crawler

import (
	"context"
	"testing"
)

// No class eats what is reserved for a more urgent one in the rest of the day,
// and none of it is left over at night.
func TestAllows(t *testing.T) {
	const limit = 4000 // 800 for listings, 1,400 for adverts, 1,300 for sweeps, 100 for probes
	for _, test := range []struct {
		name  string
		class string
		taken map[string]int
		rest  float64
		want  bool
	}{
		{"the first", classHot, nil, 1, true},
		{"the last", classHot, map[string]int{classHot: 3999}, 1, true},
		{"none left", classHot, map[string]int{classHot: 4000}, 0.1, false},
		{"adverts, up to what listings may need", classAdvert, map[string]int{classAdvert: 3199}, 1, true},
		{"and no further", classAdvert, map[string]int{classAdvert: 3200}, 1, false},
		{"further at noon", classAdvert, map[string]int{classAdvert: 3599}, .5, true},
		{"but not as far as that", classAdvert, map[string]int{classAdvert: 3600}, .5, false},
		{"what listings have used they need no more", classAdvert, map[string]int{classHot: 700, classAdvert: 3199}, 1, true},
		{"a sweep leaves the adverts theirs", classSweep, map[string]int{classSweep: 1800}, 1, false},
		{"a sweep of many pages", classSweep, map[string]int{classSweep: 1799}, 1, true},
		{"reading again in the morning", classReread, map[string]int{classReread: 399}, 1, true},
		{"too much of it", classReread, map[string]int{classReread: 400}, 1, false},
		{"more in the evening", classReread, map[string]int{classHot: 200, classAdvert: 1000, classSweep: 130, classReread: 1500}, .1, true},
		{"an old state's count", classProbe, map[string]int{"": 4000}, 0, false},
	} {
		if got := allows(limit, test.class, test.taken, test.rest); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func TestClassOf(t *testing.T) {
	for _, test := range []struct{ class, kind, want string }{
		{classSweep, KindXML, classSweep}, {classSweep, KindAdvert, classAdvert}, {classHot, KindAdvert, classAdvert},
		{classReread, KindAdvert, classReread}, {classProbe, KindHTML, classProbe}, {classReread, KindRobots, classHot},
		{"", KindXML, classHot},
	} {
		ctx := context.Background()
		if test.class != "" {
			ctx = withClass(ctx, test.class)
		}
		if got := classOf(ctx, test.kind); got != test.want {
			t.Errorf("%s in a run of %q counts as %s, want %s", test.kind, test.class, got, test.want)
		}
	}
}
