package simulator

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// ParseFaults reads a script: one fault a line, the kind of request, the
// fault, and when it happens. What follows a # is a comment.
//
//	xml     503 after=10 count=5 retry-after=120
//	advert  slow=3s rate=0.1
//	any     429 retry-after=date:300 from=2h until=3h
//	listing missing=closing from=2026-10-25T00:00:00Z
//
// Times are given as such or as durations from the start. Errors name the
// line.
func ParseFaults(r io.Reader) ([]Fault, error) {
	var faults []Fault
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		text, _, _ := strings.Cut(lines.Text(), "#")
		words := strings.Fields(text)
		if len(words) == 0 {
			continue
		}
		f, err := parseFault(words)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		faults = append(faults, f)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read the script of faults: %w", err)
	}
	return faults, nil
}

func parseFault(words []string) (Fault, error) {
	if len(words) < 2 {
		return Fault{}, errors.New("a fault needs a kind of request and a kind of fault")
	}
	f := Fault{Match: words[0]}
	f.Kind, f.Value, _ = strings.Cut(words[1], "=")
	for _, w := range words[2:] {
		key, value, ok := strings.Cut(w, "=")
		if !ok {
			return Fault{}, fmt.Errorf("%q is not of the form key=value", w)
		}
		var err error
		switch key {
		case "after":
			f.After, err = strconv.Atoi(value)
		case "count":
			f.Count, err = strconv.Atoi(value)
		case "rate":
			f.Rate, err = strconv.ParseFloat(value, 64)
		case "from":
			f.From, f.Begin, err = parseWhen(value)
		case "until":
			f.Until, f.End, err = parseWhen(value)
		case "retry-after":
			f.Args = map[string]string{key: value}
		default:
			err = errors.New("the keys are after, count, rate, from, until and retry-after")
		}
		if err != nil {
			return Fault{}, fmt.Errorf("%s: %w", w, err)
		}
	}
	if err := f.check(); err != nil {
		return Fault{}, err
	}
	return f, nil
}

// parseWhen reads a time or a duration from the start.
func parseWhen(s string) (time.Time, time.Duration, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, 0, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return time.Time{}, 0, errors.New("neither a time such as 2026-10-25T00:00:00Z nor a duration such as 2h30m")
	}
	return time.Time{}, d, nil
}
