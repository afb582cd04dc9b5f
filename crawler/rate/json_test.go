package rate

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// What is stored comes back as it was, as a part of a larger state too.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := anyLearned().Draw(t, "learned")
		type state struct {
			Rate Learned `json:"rate,omitzero"`
		}
		stored, err := json.Marshal(state{want})
		if err != nil {
			t.Fatal(err)
		}
		got := state{Learned{}.Observe(time.Unix(0, 1), time.Unix(100, 0), nil)}
		if want == (Learned{}) {
			got = state{}
		}
		if err := json.Unmarshal(stored, &got); err != nil {
			t.Fatal(err)
		}
		if got.Rate != want {
			t.Fatalf("%s came back as\n%v\nwant\n%v", stored, got.Rate, want)
		}
	})
}

func TestSize(t *testing.T) {
	begin := at("2026-06-01T00:00:00+01:00")
	b := office(3000, 1)
	b.lump, b.minute = .5, 17
	full := Learned{lumps: lumps{squares: mostSquares, last: latest / slot, batch: mostCount}}
	for h := range week {
		full.seconds[h], full.found[h] = mostSeconds, mostCount
	}
	for s := range slots {
		full.lumps.found[s], full.lumps.within[s] = mostCount, (slot-1)*mostCount
	}
	for name, test := range map[string]struct {
		l    Learned
		most int
	}{
		"the prior":             {Learned{}, 2},
		"a busy board":          {learn(Learned{}, b, begin, begin.AddDate(0, 0, 100), 10*time.Minute), 2600},
		"all there can ever be": {full, 3600},
	} {
		stored, err := json.Marshal(test.l)
		if err != nil || len(stored) > test.most {
			t.Errorf("%s: %d bytes (%v), want %d at most", name, len(stored), err, test.most)
		}
		var back Learned
		if json.Unmarshal(stored, &back); back != test.l {
			t.Errorf("%s did not come back", name)
		}
	}
}

// spoilt is a good stored value with one thing changed.
func spoilt(t *testing.T, change func(*stored)) []byte {
	t.Helper()
	l := learn(Learned{}, office(1000, 1), at("2026-06-01T00:00:00Z"), at("2026-06-09T00:00:00Z"), time.Hour)
	good, _ := json.Marshal(l)
	var s stored
	if err := json.Unmarshal(good, &s); err != nil {
		t.Fatal(err)
	}
	change(&s)
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Damage is no learning, and no error.
func TestDamage(t *testing.T) {
	var good Learned
	if good.UnmarshalJSON(spoilt(t, func(*stored) {})); good == (Learned{}) {
		t.Fatal("an undamaged value was refused")
	}
	tests := map[string]string{
		"null": "null", "a number": "17", "a string": `"x"`, "a list": "[]", "nothing": "{}", "no JSON": "{", "no text": "",
		"another shape":  `{"rates":[1,2,3]}`,
		"no lumps":       `{"seconds":[` + strings.Repeat("0,", week-1) + `0],"found":[` + strings.Repeat("0,", week-1) + `0]}`,
		"halves":         strings.Replace(string(spoilt(t, func(*stored) {})), `"seconds":[`, `"seconds":[0.5,`, 1),
		"a huge number":  strings.Replace(string(spoilt(t, func(*stored) {})), `"squares":`, `"squares":1e400,"x":`, 1),
		"words":          strings.Replace(string(spoilt(t, func(*stored) {})), `"found":[`, `"found":["NaN",`, 1),
		"short":          string(spoilt(t, func(s *stored) { s.Seconds = s.Seconds[1:] })),
		"long":           string(spoilt(t, func(s *stored) { s.Seconds = append(s.Seconds, 0) })),
		"short found":    string(spoilt(t, func(s *stored) { s.Found = s.Found[1:] })),
		"absent found":   string(spoilt(t, func(s *stored) { s.Found = nil })),
		"negative time":  string(spoilt(t, func(s *stored) { s.Seconds[3] = -1 })),
		"too much time":  string(spoilt(t, func(s *stored) { s.Seconds[3] = mostSeconds + 1 })),
		"negative count": string(spoilt(t, func(s *stored) { s.Found[3] = -1 })),
		"too many":       string(spoilt(t, func(s *stored) { s.Found[3] = math.MaxInt64 })),
		"eleven slots":   string(spoilt(t, func(s *stored) { s.Lumps.Found = s.Lumps.Found[1:] })),
		"eleven sums":    string(spoilt(t, func(s *stored) { s.Lumps.Within = s.Lumps.Within[1:] })),
		"a bad slot":     string(spoilt(t, func(s *stored) { s.Lumps.Found[3] = -1 })),
		"outside a slot": string(spoilt(t, func(s *stored) { s.Lumps.Within[3] = slot * s.Lumps.Found[3] })),
		"before a slot":  string(spoilt(t, func(s *stored) { s.Lumps.Within[3] = -1 })),
		"bad squares":    string(spoilt(t, func(s *stored) { s.Lumps.Squares = -1 })),
		"a bad last":     string(spoilt(t, func(s *stored) { s.Lumps.Last = math.MaxInt64 })),
		"a bad batch":    string(spoilt(t, func(s *stored) { s.Lumps.Batch = -1 })),
	}
	for name, data := range tests {
		got := good
		if err := got.UnmarshalJSON([]byte(data)); err != nil || got != (Learned{}) {
			t.Errorf("%s: error %v, learned %v, want neither", name, err, got != (Learned{}))
		}
		if !json.Valid([]byte(data)) {
			continue
		}
		var state struct {
			Rate  Learned
			Other int
		}
		if err := json.Unmarshal(fmt.Appendf(nil, `{"Rate":%s,"Other":1}`, data), &state); err != nil || state.Rate != (Learned{}) || state.Other != 1 {
			t.Errorf("%s: in a state: %v", name, err)
		}
	}
}

// sound fails where a method does not keep what it promises of any value.
func sound(t testing.TB, l Learned) {
	t.Helper()
	now := at("2026-10-23T09:00:00Z")
	for _, l := range []Learned{l, l.Observe(now, now.Add(time.Hour), []time.Time{now.Add(time.Minute)})} {
		for h, r := range l.rates() {
			if !(r > 0) || math.IsInf(r, 0) {
				t.Fatalf("a rate of %g in hour %d", r, h)
			}
		}
		sum := 0.0
		for _, share := range l.lumps.shares() {
			if sum += share; !(share > 0) {
				t.Fatalf("a share of %g", share)
			}
		}
		if math.Abs(sum-1) > 1e-9 {
			t.Fatalf("the shares add up to %g", sum)
		}
		for _, c := range l.lumps.centres() {
			if c < 0 || c >= time.Hour {
				t.Fatalf("a lump at %s", c)
			}
		}
		e := l.Expected(now, now.AddDate(0, 0, 60))
		if !(e > 0) || math.IsInf(e, 0) {
			t.Fatalf("%g adverts expected", e)
		}
		for h := time.Duration(0); h < week; h += 13 {
			then := now.Add(h * time.Hour)
			if d := l.Next(then, 200, least, most).Sub(then); d < least || d > most || Working(then) && d > promised {
				t.Fatalf("a spacing of %s at %s", d, then)
			}
		}
		l.Silence(now, now.AddDate(0, 0, 20), 0)
		if l.Flood(now, now, 300) || !l.Flood(now, now, 301) {
			t.Fatal("a flood is more than 300")
		}
		data, err := json.Marshal(l)
		if err != nil || len(data) > 4000 {
			t.Fatalf("stored in %d bytes: %v", len(data), err)
		}
		var back Learned
		if err := json.Unmarshal(data, &back); err != nil || back != l {
			t.Fatalf("%s did not come back: %v", data, err)
		}
	}
}

// Any value within the ranges that are read is sound.
func TestAnyStored(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		ranged := func(n int, most int64) []int64 {
			return rapid.SliceOfN(rapid.OneOf(rapid.Int64Range(0, most), rapid.SampledFrom([]int64{0, most})), n, n).Draw(r, "values")
		}
		s := stored{ranged(week, mostSeconds), ranged(week, mostCount), &storedLumps{ranged(slots, mostCount), make([]int64, slots), ranged(1, mostSquares)[0], ranged(1, latest/slot)[0], ranged(1, mostCount)[0]}}
		for i, n := range s.Lumps.Found {
			s.Lumps.Within[i] = rapid.Int64Range(0, (slot-1)*n).Draw(r, "within")
		}
		data, _ := json.Marshal(s)
		var l Learned
		if l.UnmarshalJSON(data); l == (Learned{}) && s.Seconds[0]+s.Found[0] > 0 {
			r.Fatal("a value within its ranges was refused")
		}
		sound(t, l)
	})
}

func FuzzUnmarshal(f *testing.F) {
	l := learn(Learned{}, office(1000, 1), at("2026-06-01T00:00:00Z"), at("2026-06-09T00:00:00Z"), time.Hour)
	good, _ := json.Marshal(l)
	f.Add(good)
	f.Add([]byte(strings.Replace(string(good), "00,", "99999999,", 5)))
	for _, data := range []string{"", "{}", "null", `{"seconds":[]}`, `{"seconds":[1],"found":[-1],"lumps":{}}`} {
		f.Add([]byte(data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var l Learned
		if err := l.UnmarshalJSON(data); err != nil {
			t.Fatal(err)
		}
		sound(t, l)
	})
}
