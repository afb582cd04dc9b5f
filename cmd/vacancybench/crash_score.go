package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts/mailbox"
)

// score compares what the far sides accepted with what was posted.
func (s *crash) score(out io.Writer) error {
	type told struct{ ref, to string }
	ids := map[told][]string{}
	unverified := 0
	for _, m := range s.box.Mails() {
		for _, ref := range s.posted {
			if strings.Contains(m.Text, "/"+ref) {
				ids[told{ref, m.To}] = append(ids[told{ref, m.To}], m.MessageID)
			}
		}
	}
	for _, h := range s.box.Hooks() {
		if !h.Verified {
			unverified++
		}
		var body struct {
			Data struct {
				Vacancy struct{ Reference string }
			}
		}
		if err := json.Unmarshal(h.Body, &body); err != nil {
			return fmt.Errorf("a webhook's body is no JSON: %w", err)
		}
		t := told{body.Data.Vacancy.Reference, "hook"}
		ids[t] = append(ids[t], h.ID)
	}
	lost, inside, outside := 0, 0, 0
	for _, ref := range s.posted {
		for _, to := range []string{"a@reader.example", "b@reader.example", "hook"} {
			got := ids[told{ref, to}]
			delete(ids, told{ref, to})
			switch {
			case len(got) == 0:
				lost++
				fmt.Fprintf(out, "LOST    %s to %s\n", ref, to)
			case len(got) > 1:
				if slices.ContainsFunc(got, func(id string) bool { return id != got[0] }) || !s.explained(got[0], len(got)) {
					outside++
					fmt.Fprintf(out, "DOUBLED %s to %s: %v\n", ref, to, got)
				} else {
					inside++
				}
			}
		}
	}
	stray := len(ids)
	leaks, err := s.leaks()
	if err != nil {
		return err
	}
	engine := s.State
	fmt.Fprintf(out, "\nvacancybench crash --state %s --kills %d --seed %d\n", engine, s.Kills, s.Seed)
	fmt.Fprintf(out, "%-44s %d\n", "kills of the daemon", len(s.kills))
	if s.redis != nil {
		fmt.Fprintf(out, "%-44s %d\n", "kills of the Redis", s.redisKills)
	}
	if s.Faults {
		fmt.Fprintf(out, "%-44s %d\n", "faults of the far sides", s.faults)
	}
	fmt.Fprintf(out, "%-44s %d\n", "adverts posted after the baseline", len(s.posted))
	fmt.Fprintf(out, "%-44s %d\n", "messages due", perAdvert*len(s.posted))
	fmt.Fprintf(out, "%-44s %d\n", "messages accepted", s.journal.len())
	fmt.Fprintf(out, "%-44s %d\n", "lost", lost)
	fmt.Fprintf(out, "%-44s %d\n", "doubled, same id, in the unavoidable window", inside)
	fmt.Fprintf(out, "%-44s %d\n", "doubled otherwise", outside)
	fmt.Fprintf(out, "%-44s %d\n", "told of what was there before", stray)
	fmt.Fprintf(out, "%-44s %d\n", "webhooks with a bad signature", unverified)
	fmt.Fprintf(out, "%-44s %d\n", "lines of the log with an address or secret", leaks)
	if lost+outside+stray+unverified+leaks > 0 {
		return errors.New("a promise was broken")
	}
	return nil
}

// leaks counts the lines of all daemons' log that hold what no log may hold:
// an address, a secret, or where a webhook goes.
func (s *crash) leaks() (n int, err error) {
	b, err := os.ReadFile(s.log.Name())
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(b) {
		for _, no := range []string{"reader.example", strings.TrimPrefix(hookSecret, "whsec_"), "/hook/hook"} {
			if bytes.Contains(line, []byte(no)) {
				n++
			}
		}
	}
	return n, nil
}

// explained reports whether every delivery of a message but the first had to
// be: the daemon died between the far side's answer and the settling, or the
// far side had hung up before it answered.
func (s *crash) explained(id string, times int) bool {
	at := s.journal.of(id)
	if len(at) != times {
		return false
	}
	for i := 1; i < len(at); i++ {
		killed := slices.ContainsFunc(s.kills, func(k time.Time) bool { return k.After(at[i-1].At) && k.Before(at[i].At) })
		if !killed && !at[i-1].Unanswered {
			return false
		}
	}
	return true
}

// journal is what the far sides accepted, line by line.
type journal struct {
	mu      sync.Mutex
	entries []mailbox.Entry
	ids     map[string]bool
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for line := range bytes.Lines(b) {
		var e mailbox.Entry
		if err := json.Unmarshal(line, &e); err != nil {
			return 0, err
		}
		if j.ids == nil {
			j.ids = map[string]bool{}
		}
		j.entries = append(j.entries, e)
		j.ids[e.ID] = true
	}
	return len(b), nil
}

func (j *journal) len() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.entries)
}

func (j *journal) distinct() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.ids)
}

// of returns the deliveries of a message, in their order.
func (j *journal) of(id string) []mailbox.Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	var out []mailbox.Entry
	for _, e := range j.entries {
		if e.ID == id {
			out = append(out, e)
		}
	}
	return out
}
