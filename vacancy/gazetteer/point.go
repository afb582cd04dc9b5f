package gazetteer

import "math"

// A Point is a place on the earth in degrees, WGS84. The zero Point lies in
// the Gulf of Guinea and stands for "no point": it is infinitely far from
// everything, itself included.
type Point struct{ Lat, Lon float64 }

// IsZero reports whether p is no point at all.
func (p Point) IsZero() bool { return p == Point{} }

const (
	earthRadius     = 6_371_009 // mean radius in metres
	centralMeridian = -3        // degrees; runs through the middle of Great Britain
	metresPerMile   = 1609.344  // the international mile, exactly
	farthest        = 1 << 27   // metres; no two points of the plane's use come near it
)

// Project returns p on a plane, in metres east and north: the spherical
// transverse Mercator projection about 3° W. Over the United Kingdom distances
// on the plane are within 0.15 % of the great circle. All distances of the
// project are taken on it, so that every way of searching agrees.
func (p Point) Project() (e, n int64) {
	lat := p.Lat * math.Pi / 180
	lon := (p.Lon - centralMeridian) * math.Pi / 180
	east := earthRadius * math.Atanh(math.Cos(lat)*math.Sin(lon))
	north := earthRadius * math.Atan2(math.Sin(lat), math.Cos(lat)*math.Cos(lon))
	return metres(east), metres(north)
}

// metres rounds, and keeps what is not on the plane (a quarter of the earth
// away, or not a number) at its far edge, so that squares cannot overflow.
func metres(v float64) int64 {
	if math.IsNaN(v) || v > farthest {
		return farthest
	}
	return int64(math.Round(max(v, -farthest)))
}

// Metres2 returns the squared distance of a and b on the plane of
// [Point.Project], in square metres; math.MaxInt64 if either is no point.
func Metres2(a, b Point) int64 {
	if a.IsZero() || b.IsZero() {
		return math.MaxInt64
	}
	ae, an := a.Project()
	be, bn := b.Project()
	return (ae-be)*(ae-be) + (an-bn)*(an-bn)
}

// Miles returns the distance of a and b in miles, as the crow flies, for
// people to read; +Inf if either is no point. Compare with [Within].
func Miles(a, b Point) float64 {
	return MilesOf(Metres2(a, b))
}

// MilesOf returns a squared distance as of [Metres2] in miles; +Inf for that
// of no point.
func MilesOf(metres2 int64) float64 {
	if metres2 == math.MaxInt64 {
		return math.Inf(1)
	}
	return math.Sqrt(float64(metres2)) / metresPerMile
}

// MilesToReach returns the fewest whole miles of a circle that takes in a
// point at a squared distance as of [Metres2], and false for no point.
func MilesToReach(metres2 int64) (int, bool) {
	if metres2 == math.MaxInt64 {
		return 0, false
	}
	miles := int(MilesOf(metres2))
	for r := Radius(miles); r*r < metres2; r = Radius(miles) {
		miles++
	}
	return miles, true
}

// Radius returns a number of miles in whole metres, rounded down: what a
// squared distance is compared with. It is -1 for a negative number.
func Radius(miles int) int64 {
	if miles < 0 {
		return -1
	}
	const most = 25_000 // right round the earth
	return int64(min(miles, most)) * 1_609_344 / 1000
}

// Within reports whether b lies inside a circle of so many miles about a, its
// rim included. It is false if either is no point.
func Within(a, b Point, miles int) bool {
	r := Radius(miles)
	return r >= 0 && Metres2(a, b) <= r*r
}
