package crawler

import (
	"context"
	"time"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// Classes of work that share the requests of a day, the most urgent first:
// keys of what is stored.
const (
	ClassHot    = "hot"    // listings of hot and deep runs, robots.txt
	ClassAdvert = "advert" // adverts of vacancies that are new or changed
	ClassSweep  = "sweep"  // listings of sweeps
	ClassProbe  = "probe"  // looking whether a vacancy is gone, canaries
	ClassReread = "reread" // adverts read once more
)

// shares is what part of the day's requests each class has for itself, in
// thousandths. What is left over goes to whoever comes first.
var shares = []struct {
	class string
	part  int
}{
	{class: ClassHot, part: 200},
	{class: ClassAdvert, part: 350},
	{class: ClassSweep, part: 325},
	{class: ClassProbe, part: 25},
	{class: ClassReread, part: 0},
}

// allows reports whether a request of a class may be made, with what was taken
// of the day's limit by each class so far, and the part of the day that is
// left: never where it would eat what is reserved for more urgent work in the
// rest of the day and not used yet.
func allows(limit int, class string, taken map[string]int, rest float64) bool {
	left := limit
	for _, n := range taken {
		left -= n
	}
	for _, s := range shares {
		if s.class == class {
			break
		}
		reserved := limit * s.part / 1000
		left -= max(0, min(reserved-taken[s.class], int(float64(reserved)*rest)))
	}
	return left > 0
}

// classKey is the key of a context's class of work.
type classKey struct{}

// withClass names the work for which requests under the context are made.
func withClass(ctx context.Context, class string) context.Context {
	return context.WithValue(ctx, classKey{}, class)
}

// classOf is the class that a request counts against. An advert that a listing
// led to counts as such, whichever run it was.
func classOf(ctx context.Context, kind string) string {
	class, _ := ctx.Value(classKey{}).(string)
	switch {
	case kind == KindRobots || class == "":
		return ClassHot
	case kind == KindAdvert && class != ClassReread:
		return ClassAdvert
	default:
		return class
	}
}

// Budget counts the requests to a source against its UTC day, in the memory,
// so that no restart is given a second day.
func Budget(mem Memory, src Source, now func() time.Time) func(ctx context.Context, kind string) (bool, error) {
	return func(ctx context.Context, kind string) (bool, error) {
		class, at := classOf(ctx, kind), now().UTC()
		rest := 1 - float64(at.Sub(at.Truncate(24*time.Hour)))/float64(24*time.Hour)
		return mem.Take(ctx, src.Name, vacancy.DayOf(at, time.UTC), class, func(taken map[string]int) bool {
			return allows(src.Budget, class, taken, rest)
		})
	}
}
