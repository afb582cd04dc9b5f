package rate

import (
	"encoding/json"
	"slices"
)

// stored is a Learned as JSON: counts in hundredths, times in seconds.
type stored struct {
	Seconds []int64      `json:"seconds"` // by the hour of London's week
	Found   []int64      `json:"found"`
	Lumps   *storedLumps `json:"lumps"`
}

type storedLumps struct {
	Found   []int64 `json:"found"` // by the slot of the hour
	Within  []int64 `json:"within"`
	Squares int64   `json:"squares"`
	Last    int64   `json:"last"`
	Batch   int64   `json:"batch"`
}

// MarshalJSON writes l in about two kilobytes, and the prior as {}.
func (l Learned) MarshalJSON() ([]byte, error) {
	if l == (Learned{}) {
		return []byte("{}"), nil
	}
	return json.Marshal(stored{l.seconds[:], l.found[:], &storedLumps{
		l.lumps.found[:], l.lumps.within[:], l.lumps.squares, l.lumps.last, l.lumps.batch}})
}

// UnmarshalJSON reads what MarshalJSON wrote. It never fails: whatever is
// absent, of another shape, or out of range is no learning at all and makes l
// the prior, for what was learned is soon learned again, and the state that
// it is part of must stay readable.
func (l *Learned) UnmarshalJSON(data []byte) error {
	*l = Learned{}
	var s stored
	if json.Unmarshal(data, &s) == nil && s.valid() {
		copy(l.seconds[:], s.Seconds)
		copy(l.found[:], s.Found)
		copy(l.lumps.found[:], s.Lumps.Found)
		copy(l.lumps.within[:], s.Lumps.Within)
		l.lumps.squares, l.lumps.last, l.lumps.batch = s.Lumps.Squares, s.Lumps.Last, s.Lumps.Batch
	}
	return nil
}

// valid reports whether Observe could have left such values.
func (s *stored) valid() bool {
	if len(s.Seconds) != week || len(s.Found) != week || s.Lumps == nil ||
		!within(s.Seconds, mostSeconds) || !within(s.Found, mostCount) {
		return false
	}
	l := s.Lumps
	if len(l.Found) != slots || len(l.Within) != slots || !within(l.Found, mostCount) ||
		!within([]int64{l.Squares}, mostSquares) || !within([]int64{l.Last}, (latest+late)/slot) || !within([]int64{l.Batch}, mostCount) {
		return false
	}
	for i, sum := range l.Within {
		if sum < 0 || sum > (slot-1)*l.Found[i] {
			return false
		}
	}
	return true
}

func within(ns []int64, most int64) bool {
	return !slices.ContainsFunc(ns, func(n int64) bool { return n < 0 || n > most })
}
