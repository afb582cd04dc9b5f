package world

import (
	"math"
	"time"
)

// payRange is the lowest and highest full-time pay a year, in pounds.
type payRange struct{ min, max float64 }

// Agenda for Change in England, basic pay. Sources: NHS Employers pay scales
// 2025/26 (3.6 % award) and 2026/27 (3.3 % award).
var (
	england2025 = map[string]payRange{
		"2": {24465, 24465}, "3": {24937, 26598}, "4": {27485, 30162}, "5": {31049, 37796},
		"6": {38682, 46580}, "7": {47810, 54710}, "8a": {55690, 62682}, "8b": {64455, 74896},
		"8c": {76965, 88682}, "8d": {91342, 105337}, "9": {109179, 125637},
	}
	england2026 = map[string]payRange{
		"2": {25272, 25272}, "3": {25760, 27476}, "4": {28392, 31157}, "5": {32073, 39043},
		"6": {39959, 48117}, "7": {49387, 56515}, "8a": {57528, 64750}, "8b": {66582, 77368},
		"8c": {79504, 91609}, "8d": {94356, 108814}, "9": {112782, 129783},
	}
	// Wales, as printed in adverts of August 2026. Other bands are not known
	// to us, so Welsh boards advertise only these.
	wales2026 = map[string]payRange{"5": {32557, 39631}, "6": {40559, 48841}, "7": {50129, 57365}, "8a": {58379, 65723}}
)

// supplement is a high cost area supplement: a share of basic pay between a
// least and a most, in pounds a year.
type supplement struct{ share, least, most float64 }

var (
	supplements2025 = map[string]supplement{"inner": {.20, 5609, 8466}, "outer": {.15, 4714, 5941}, "fringe": {.05, 1303, 2198}}
	supplements2026 = map[string]supplement{"inner": {.20, 5794, 8746}, "outer": {.15, 4870, 6137}, "fringe": {.05, 1346, 2270}}
)

// fringe lists outward codes whose employers pay the fringe supplement. The
// true zones follow primary care trusts of 2005; these towns lie within.
var fringe = map[string]bool{"SL1": true, "SL4": true, "WD17": true, "GU1": true, "GU22": true, "GU15": true, "GU16": true,
	"KT16": true, "RH1": true, "DA1": true, "CM14": true, "CM20": true, "RM17": true, "SG14": true, "AL10": true}

// newYear reports whether the pay of 2026/27 is due. Adverts of Wales before
// it are printed with the later figures, as ours are the only ones known.
func newYear(t time.Time) bool { return !t.Before(time.Date(2026, 4, 1, 0, 0, 0, 0, London())) }

// bandPay returns the pay of a band for an advert posted at t in a town, with
// the supplement of high cost areas, rounded up as adverts print it.
func bandPay(band string, town Town, t time.Time) payRange {
	if town.Nation == "Wales" {
		return wales2026[band]
	}
	scale, extra := england2025, supplements2025
	if newYear(t) {
		scale, extra = england2026, supplements2026
	}
	pay := scale[band]
	if s, ok := extra[zone(town)]; ok {
		pay.min += math.Ceil(min(max(pay.min*s.share, s.least), s.most))
		pay.max += math.Ceil(min(max(pay.max*s.share, s.least), s.most))
	}
	return pay
}

func zone(t Town) string {
	switch {
	case t.Region == "London" && isInner(t.Outcode):
		return "inner"
	case t.Region == "London":
		return "outer"
	case fringe[t.Outcode]:
		return "fringe"
	}
	return ""
}

// gradePay is the pay of doctors and other grades without a band, 2026/27 and
// 2025/26. Source: NHS Employers pay and conditions circulars (M&D).
var gradePay = map[string][2]payRange{
	"FOUNDATION_DOCTOR":   {{40190, 45994}, {38831, 44439}},
	"SPECIALTY_REGISTRAR": {{67325, 76582}, {65048, 73992}},
	"DOCTOR_OTHER":        {{54499, 67325}, {52656, 65048}},
	"SPECIALTY_DOCTOR":    {{63696, 102689}, {61542, 99216}},
	"SPECIALIST":          {{104401, 115341}, {100870, 111441}},
	"CONSULTANT":          {{113565, 150569}, {109725, 145478}},
}

func doctorPay(grade string, t time.Time) payRange {
	pay := gradePay[grade]
	if newYear(t) {
		return pay[0]
	}
	return pay[1]
}
