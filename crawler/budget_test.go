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
		{"the first", ClassHot, nil, 1, true},
		{"the last", ClassHot, map[string]int{ClassHot: 3999}, 1, true},
		{"none left", ClassHot, map[string]int{ClassHot: 4000}, 0.1, false},
		{"adverts, up to what listings may need", ClassAdvert, map[string]int{ClassAdvert: 3199}, 1, true},
		{"and no further", ClassAdvert, map[string]int{ClassAdvert: 3200}, 1, false},
		{"further at noon", ClassAdvert, map[string]int{ClassAdvert: 3599}, .5, true},
		{"but not as far as that", ClassAdvert, map[string]int{ClassAdvert: 3600}, .5, false},
		{"what listings have used they need no more", ClassAdvert, map[string]int{ClassHot: 700, ClassAdvert: 3199}, 1, true},
		{"a sweep leaves the adverts theirs", ClassSweep, map[string]int{ClassSweep: 1800}, 1, false},
		{"a sweep of many pages", ClassSweep, map[string]int{ClassSweep: 1799}, 1, true},
		{"reading again in the morning", ClassReread, map[string]int{ClassReread: 399}, 1, true},
		{"too much of it", ClassReread, map[string]int{ClassReread: 400}, 1, false},
		{"more in the evening", ClassReread, map[string]int{ClassHot: 200, ClassAdvert: 1000, ClassSweep: 130, ClassReread: 1500}, .1, true},
		{"an old state's count", ClassProbe, map[string]int{"": 4000}, 0, false},
	} {
		if got := allows(limit, test.class, test.taken, test.rest); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func TestClassOf(t *testing.T) {
	for _, test := range []struct{ class, kind, want string }{
		{ClassSweep, KindXML, ClassSweep}, {ClassSweep, KindAdvert, ClassAdvert}, {ClassHot, KindAdvert, ClassAdvert},
		{ClassReread, KindAdvert, ClassReread}, {ClassProbe, KindHTML, ClassProbe}, {ClassReread, KindRobots, ClassHot},
		{"", KindXML, ClassHot},
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
