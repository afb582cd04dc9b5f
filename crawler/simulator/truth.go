package simulator

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"
)

// A Record is the truth about one advert.
type Record struct {
	Reference string `json:"reference"`
	// Visible is when it first could be found: not its posting time, where
	// that is earlier.
	Visible time.Time `json:"visible"`
	// Versions are in order; the first is the advert as it appeared.
	Versions []Version `json:"versions"`
	// Left tells each time it left the listings. It came back in between where
	// a version is "reopened".
	Left []Left `json:"left,omitempty"`
	Live bool   `json:"live"`
	// Story says that it was published by hand.
	Story bool `json:"story,omitempty"`
	// Parent is the reference it stands for again (Relation readvert) or
	// beside (sibling, twin).
	Parent   string `json:"parent,omitempty"`
	Relation string `json:"relation,omitempty"`
}

// A Version of an advert, in force from At. Event is new, amended, closing
// moved, re-sorted or reopened.
type Version struct {
	At     time.Time `json:"at"`
	Event  string    `json:"event"`
	Advert *Advert   `json:"advert"` // not to be changed
}

// Left says when and why an advert left: Expired or Early.
type Left struct {
	At  time.Time `json:"at"`
	Why string    `json:"why"`
}

// Now returns the version in force.
func (r Record) Now() *Advert { return r.Versions[len(r.Versions)-1].Advert }

// Truth returns what happened until now, in the order of becoming visible.
// What it holds must not be changed.
func (s *Site) Truth() []Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance(s.opts.Now())
	out := make([]Record, len(s.board.all))
	for i, e := range s.board.all {
		out[i] = Record{Reference: e.now().Reference, Visible: e.visible, Versions: slices.Clone(e.versions), Left: slices.Clone(e.left),
			Live: e.live, Story: e.story, Parent: e.parent, Relation: e.relation}
	}
	return out
}

// WriteTruth writes the truth as JSON, one record a line.
func (s *Site) WriteTruth(w io.Writer) error {
	enc := json.NewEncoder(w)
	for _, r := range s.Truth() {
		if err := enc.Encode(r); err != nil {
			return fmt.Errorf("write the truth about %s: %w", r.Reference, err)
		}
	}
	return nil
}
