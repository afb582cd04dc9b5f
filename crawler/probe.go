package crawler

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler/page"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

const (
	// probesANight bounds the vacancies that are asked for by name after a
	// sweep, probeBatch those of one run, which fits a slice.
	probesANight, probeBatch = 80, 18
	// probeAgain passes after a batch whose controls were not found.
	probeAgain = time.Hour
	// probeTries is how many such batches there are before the night is given
	// up.
	probeTries = 3
	// MaxClockDifference between us and a site is the largest with which a
	// day is told to be over, or a vacancy to be gone.
	MaxClockDifference = 2 * time.Minute
)

// Probing is the look, by name, for vacancies that two nights' sweeps have not
// listed.
type Probing struct {
	// Since is the start of the earlier sweep: what was listed since is not
	// missing.
	Since time.Time `json:"since"`
	Sweep string    `json:"sweep"` // the run that missed them
	// Controls are the first and the last vacancy of that sweep: where they
	// are not found either, the search does not work.
	Controls [2]string `json:"controls"`
	// Left is how many may still be asked for this night.
	Left int `json:"left"`
	// Unclear were asked for without an answer that counts.
	Unclear   []string  `json:"unclear,omitempty"`
	Failed    int       `json:"failed,omitempty"`
	NotBefore time.Time `json:"not_before,omitzero"`
}

// What asking for a vacancy by its reference showed: label values.
const (
	probeFound   = "found"
	probeGone    = "gone"
	probeUnclear = "unclear"
)

// probes reports whether the source can be asked for a vacancy by name.
func (r *run) probes() bool { return r.Source.Site.ProbeURL != nil && !r.st.HTMLForbidden }

// probe asks for a batch of missing vacancies by name, between two that are
// known to be there, and closes those that the site says it does not have.
func (r *run) probe() error {
	p := *r.st.Probing
	a, err := r.Memory.Absent(r.ctx, r.Source.Name, p.Since, r.Now(), probesANight)
	if err != nil {
		return fmt.Errorf("look for what was not listed: %w", err)
	}
	missing := slices.DeleteFunc(a.References, func(ref string) bool { return slices.Contains(p.Unclear, ref) })
	missing = missing[:min(len(missing), probeBatch, max(p.Left, 0))]
	if len(missing) == 0 || !r.probes() {
		r.st.Probing = nil
		r.complete = true
		return nil
	}
	if r.clockIsOff() {
		r.notProbed(&p, GuardClock)
		return nil
	}
	p.Left -= len(missing)
	r.st.Probing = &p
	if err := r.number(); err != nil { // before they are asked for: a restart asks for no more
		return err
	}
	// The controls come first and last: an outage in between is seen by one.
	found, _, err := r.lookFor(p.Controls[0])
	if err != nil {
		return err
	}
	works := found == probeFound
	var gone, listed []string
	for _, ref := range missing {
		if !works {
			break
		}
		switch found, _, err = r.lookFor(ref); {
		case err != nil:
			return err
		case found == probeGone:
			gone = append(gone, ref)
		case found == probeFound:
			listed = append(listed, ref)
		default:
			p.Unclear = append(slices.Clone(p.Unclear), ref)
		}
	}
	if works {
		if found, _, err = r.lookFor(p.Controls[1]); err != nil {
			return err
		}
		works = found == probeFound
	}
	if !works {
		r.defect(DefectControl)
		r.notProbed(&p, GuardProbe)
		return nil
	}
	if len(listed) > 0 {
		// Two sweeps have missed them, and they are there: no more than a fact
		// about sweeps.
		r.Logger.Warn("vacancies that two sweeps have not listed are still there", "source", r.Source.Name, "number", len(listed))
		if err := r.Memory.Touch(r.ctx, r.Source.Name, listed, r.Now()); err != nil {
			return fmt.Errorf("note what was found: %w", err)
		}
	}
	r.complete = true
	return r.close(gone)
}

// notProbed takes a batch that has shown nothing, for the site's search does
// not find what is there, or our clock and the site's differ. It is tried again
// later, a few times.
func (r *run) notProbed(p *Probing, guard string) {
	r.rep.Guard = guard
	r.Metrics.closingSkipped(r.Source.Name, guard)
	p.Failed++
	p.NotBefore = r.Now().UTC().Add(probeAgain)
	if r.st.Probing = p; p.Failed >= probeTries {
		r.st.Probing = nil // the next night's sweep begins again
	}
	r.Logger.Error("nothing is closed that was not listed", "source", r.Source.Name, "guard", guard, "tries", p.Failed)
}

// clockIsOff reports whether our clock and the site's differ by so much that
// no day should be told to be over.
func (r *run) clockIsOff() bool { return r.Transport.ClockDifference().Abs() > MaxClockDifference }

// lookFor asks for one vacancy by its reference.
func (r *run) lookFor(ref string) (found string, v vacancy.Vacancy, err error) {
	if err := r.renew(); err != nil {
		return "", v, err
	}
	site := &r.Source.Site
	p, err := r.get(site.ProbeURL(r.Source.Base, ref), "text/html")
	var l page.Listing
	if err == nil {
		if l, err = site.ReadProbe(p); err != nil {
			err = siteError{err}
			r.keep(p, page.DefectLayout, err)
		}
	}
	i := slices.IndexFunc(l.Vacancies, func(v vacancy.Vacancy) bool { return v.Reference == ref })
	switch {
	case err == nil && i >= 0:
		found, v = probeFound, l.Vacancies[i]
	case err == nil && l.Empty && len(l.Vacancies) == 0:
		found = probeGone
	case err == nil || errors.Is(err, page.ErrLayout):
		found, err = probeUnclear, nil // other vacancies than the one asked for, or a notice
	default:
		return "", v, fmt.Errorf("look for %s: %w", ref, r.refused(err))
	}
	r.rep.Probes++
	r.Metrics.probed(r.Source.Name, found)
	return found, v, nil
}

// close hands on that vacancies are gone before their closing date.
func (r *run) close(refs []string) error {
	if len(refs) == 0 {
		return nil
	}
	keys := make([]vacancy.Key, len(refs))
	for i, ref := range refs {
		keys[i] = vacancy.Key{Source: r.Source.Name, Reference: ref}
	}
	events, err := r.Sink.Close(r.ctx, keys, vacancy.Early, r.Now(), r.st.Epoch)
	r.rep.Closed += len(events)
	r.rep.Events += len(events)
	r.Metrics.Closed(events)
	if err != nil {
		return fmt.Errorf("close what is gone: %w", err)
	}
	r.Logger.Info("vacancies have left the site before their closing dates", "source", r.Source.Name, "number", len(events))
	return nil
}
