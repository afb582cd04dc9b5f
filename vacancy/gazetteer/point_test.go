package gazetteer

import (
	"math"
	"math/rand/v2"
	"testing"
)

func codePoint(t *testing.T, text string) Point {
	t.Helper()
	p, _, ok := Default().lookup(text)
	if !ok {
		t.Fatalf("lookup(%q): not held", text)
	}
	return p
}

func TestMiles(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want float64
	}{
		{"LS1", "BD1", 8.32},
		{"LS1", "YO1", 22.23},
		{"EC1A 7", "E15", 4.38},
		{"CF14", "NP20", 9.65},
		{"M13", "LS1", 35.71},
		{"LS1", "LS1", 0},
	} {
		a, b := codePoint(t, tt.a), codePoint(t, tt.b)
		if got := Miles(a, b); math.Abs(got-tt.want) > 0.005 {
			t.Errorf("Miles(%s, %s) = %.4f, want %.2f", tt.a, tt.b, got, tt.want)
		}
		if got, back := Metres2(a, b), Metres2(b, a); got != back {
			t.Errorf("Metres2(%s, %s) = %d, but %d the other way", tt.a, tt.b, got, back)
		}
	}
}

func TestWithin(t *testing.T) {
	leeds, bradford := codePoint(t, "LS1"), codePoint(t, "BD1") // 8.32 miles
	for _, tt := range []struct {
		name  string
		a, b  Point
		miles int
		want  bool
	}{
		{"a ward away", codePoint(t, "E1 6"), codePoint(t, "EC1A 7"), 10, true},
		{"inside", leeds, bradford, 9, true},
		{"outside", leeds, bradford, 8, false},
		{"no radius, same point", leeds, leeds, 0, true},
		{"no radius, other point", leeds, bradford, 0, false},
		{"negative radius", leeds, leeds, -1, false},
		{"round the earth", leeds, bradford, math.MaxInt, true},
		{"from nowhere", Point{}, bradford, math.MaxInt, false},
		{"nowhere to nowhere", Point{}, Point{}, math.MaxInt, false},
	} {
		if got := Within(tt.a, tt.b, tt.miles); got != tt.want {
			t.Errorf("%s: Within(%v, %v, %d) = %v, want %v", tt.name, tt.a, tt.b, tt.miles, got, tt.want)
		}
	}
	if got := Miles(Point{}, leeds); !math.IsInf(got, 1) {
		t.Errorf("Miles from no point = %v, want +Inf", got)
	}
}

func TestRadius(t *testing.T) {
	for miles, want := range map[int]int64{-1: -1, 0: 0, 1: 1609, 5: 8046, 10: 16093, 100: 160934} {
		if got := Radius(miles); got != want {
			t.Errorf("Radius(%d) = %d, want %d", miles, got, want)
		}
	}
}

// The rim belongs to the circle: a point exactly so many metres away is in.
func TestWithinRim(t *testing.T) {
	a := Point{Lat: 52, Lon: -3} // on the meridian, so north is all that counts
	_, from := a.Project()
	step := 180 / math.Pi / earthRadius // degrees a metre
	for _, tt := range []struct {
		metres int64
		want   bool
	}{{16093, true}, {16094, false}} {
		b := Point{Lat: a.Lat + float64(tt.metres)*step, Lon: a.Lon}
		if _, to := b.Project(); to-from != tt.metres {
			t.Fatalf("built a point %d m away, want %d", to-from, tt.metres)
		}
		if got := Within(a, b, 10); got != tt.want {
			t.Errorf("Within 10 miles at %d m = %v, want %v", tt.metres, got, tt.want)
		}
	}
}

// The plane is within 0.15 % of the great circle between all towns, beside
// the metre to which it is rounded.
func TestProjectAgainstGreatCircle(t *testing.T) {
	haversine := func(a, b Point) float64 {
		const rad = math.Pi / 180
		s, u := math.Sin((b.Lat-a.Lat)*rad/2), math.Sin((b.Lon-a.Lon)*rad/2)
		return 2 * earthRadius * math.Asin(math.Sqrt(s*s+math.Cos(a.Lat*rad)*math.Cos(b.Lat*rad)*u*u))
	}
	places, worst := Default().places, 0.0
	for _, a := range places {
		for _, b := range places {
			if a.point.IsZero() || b.point.IsZero() || a.point == b.point {
				continue
			}
			want := haversine(a.point, b.point)
			got := math.Sqrt(float64(Metres2(a.point, b.point)))
			worst = max(worst, (math.Abs(got-want)-1)/want)
		}
	}
	if worst > 0.0015 {
		t.Errorf("worst error %.4f %%, want at most 0.15 %%", worst*100)
	}
}

// Nothing that could be imported overflows.
func TestProjectAnywhere(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	points := []Point{{0, 87}, {0, -93}, {90, 0}, {-90, 0}, {math.NaN(), 1}, {math.Inf(1), 1}, {1e300, -1e300}}
	for range 1000 {
		points = append(points, Point{r.Float64()*180 - 90, r.Float64()*360 - 180})
	}
	uk := codePoint(t, "LS1")
	for _, p := range points {
		if got := Metres2(uk, p); got < 0 {
			t.Errorf("Metres2(LS1, %v) = %d, overflowed", p, got)
		}
	}
}

func TestMilesToReach(t *testing.T) {
	for _, tt := range []struct {
		metres2 int64
		want    int
	}{
		{0, 0}, {1, 1}, {1609 * 1609, 1}, {1610 * 1610, 2}, {Radius(10) * Radius(10), 10}, {Radius(10)*Radius(10) + 1, 11},
	} {
		if got, ok := MilesToReach(tt.metres2); got != tt.want || !ok {
			t.Errorf("MilesToReach(%d) = %d, %v, want %d", tt.metres2, got, ok, tt.want)
		}
	}
	if _, ok := MilesToReach(Metres2(Point{}, Point{})); ok {
		t.Error("no point can be reached")
	}
}
