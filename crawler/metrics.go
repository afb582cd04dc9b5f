package crawler

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/vacancywatch/vacancywatch/crawler/page"
	"github.com/vacancywatch/vacancywatch/crawler/polite"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// Metrics are those of the crawl. Label values come from closed lists and the
// configured names of sources, and exist at zero from the start; a timestamp
// is absent until its event has happened once.
type Metrics struct {
	runs          *prometheus.CounterVec
	lastSuccess   *prometheus.GaugeVec
	lastAttempt   *prometheus.GaugeVec
	duration      *prometheus.HistogramVec
	pages         *prometheus.CounterVec
	freshness     *prometheus.GaugeVec
	requests      *prometheus.CounterVec
	requestTime   *prometheus.HistogramVec
	bodyBytes     *prometheus.CounterVec
	retries       *prometheus.CounterVec
	throttleWait  *prometheus.CounterVec
	backoffUntil  *prometheus.GaugeVec
	clockDiff     *prometheus.GaugeVec
	robotsFile    *prometheus.GaugeVec
	sightings     *prometheus.CounterVec
	foundTotal    *prometheus.CounterVec
	reported      *prometheus.GaugeVec
	stopped       *prometheus.GaugeVec
	baseline      *prometheus.GaugeVec
	parsed        *prometheus.CounterVec
	defects       *prometheus.CounterVec
	clamped       prometheus.Counter
	leader        prometheus.Gauge
	budgetPerDay  *prometheus.GaugeVec
	cronRuns      *prometheus.CounterVec
	cronSkipped   *prometheus.CounterVec
	cronPanics    *prometheus.CounterVec
	progress      prometheus.Gauge
	coverage      *prometheus.GaugeVec
	expectedNew   *prometheus.GaugeVec
	skippedClose  *prometheus.CounterVec
	closedTotal   *prometheus.CounterVec
	probes        *prometheus.CounterVec
	canaryUp      *prometheus.GaugeVec
	circuit       *prometheus.GaugeVec
	feedInUse     *prometheus.GaugeVec
	fallbacks     *prometheus.CounterVec
	detection     *prometheus.HistogramVec
	operator      *prometheus.GaugeVec
	baselineState map[string]string // by source
	sources       map[string]bool
}

// Origins of a new vacancy, by whether a hot run could have found it: label
// values.
const (
	originFresh     = "fresh"
	originBackdated = "backdated"
)

// States of the circuit between us and a site: label values.
var circuitStates = []string{"closed", "half_open", "open"}

// What a person is waited for: label values.
const (
	needResume = "resume" // the source is stopped or paused
	needFlood  = "flood"  // accept or release
	needAccept = "accept" // three nights say that the board has shrunk
)

// job is the name of the planner's tick in the cron metrics.
const job = "plan"

// NewMetrics registers the metrics of the crawl of the given sources.
func NewMetrics(reg prometheus.Registerer, sources []Source) *Metrics {
	auto := promauto.With(reg)
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return auto.NewCounterVec(prometheus.CounterOpts{Name: "vacancywatch_" + name, Help: help}, labels)
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return auto.NewGaugeVec(prometheus.GaugeOpts{Name: "vacancywatch_" + name, Help: help}, labels)
	}
	histogram := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		return auto.NewHistogramVec(prometheus.HistogramOpts{Name: "vacancywatch_" + name, Help: help, Buckets: buckets,
			NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100, NativeHistogramMinResetDuration: time.Hour}, labels)
	}
	m := &Metrics{
		runs:         counter("crawl_runs_total", "Runs by their verdict.", "source", "feed", "tier", "outcome"),
		lastSuccess:  gauge("crawl_last_success_timestamp_seconds", "When a run of the tier last did all it promises. A partial, aborted or quarantined run does not count.", "source", "tier"),
		lastAttempt:  gauge("crawl_last_attempt_timestamp_seconds", "When a run of the tier last ended, whatever its verdict.", "source", "tier"),
		duration:     histogram("crawl_duration_seconds", "Duration of a run.", []float64{1, 5, 15, 60, 180, 300, 600, 1800, 3600}, "source", "tier"),
		pages:        counter("crawl_pages_total", "Listing pages read.", "source", "feed", "tier"),
		freshness:    gauge("freshness_limit_seconds", "The promise now in force: the age of the last good hot run that must not be passed.", "source"),
		requests:     counter("http_requests_total", "Requests to the site by the class of the answer.", "source", "kind", "code"),
		requestTime:  histogram("http_request_duration_seconds", "Time from a request to the header of its answer.", []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 20}, "kind"),
		bodyBytes:    counter("http_response_bytes_total", "Bytes of answers, as decoded.", "kind"),
		retries:      counter("http_retries_total", "Requests asked again within a run.", "reason"),
		throttleWait: counter("http_throttle_wait_seconds_total", "Time that requests waited for their turn.", "source"),
		backoffUntil: gauge("http_backoff_until_timestamp_seconds", "No request is made before then; 0 if there is no such time.", "source"),
		clockDiff:    gauge("clock_difference_seconds", "The site's clock minus ours, from its last answer.", "source"),
		robotsFile:   gauge("robots_rules", "1 where the site has a robots.txt with rules, 0 where it answers something else.", "source"),
		sightings:    counter("sightings_total", "Entries of listings, by what they ask for: known, noted (the first time in this feed), moved (another closing date), page (never read), amended, new.", "source", "result"),
		foundTotal:   counter("vacancies_found_total", "New vacancies by the tier that found them.", "source", "tier"),
		reported:     gauge("site_reported_vacancies", "The number of live vacancies that the site states.", "source"),
		stopped:      gauge("source_stopped", "1 where only a person may resume the source.", "source", "reason"),
		baseline:     gauge("baseline_active", "Sources in a silent baseline, by reason.", "reason"),
		parsed:       counter("parse_items_total", "Entries read from listings.", "feed"),
		defects:      counter("page_defects_total", "Breaches of what a good page holds.", "feed", "reason"),
		clamped: auto.NewCounter(prometheus.CounterOpts{Name: "vacancywatch_post_time_clamped_total",
			Help: "Posting times that were impossible or ambiguous and were set to the time of fetching."}),
		leader: auto.NewGauge(prometheus.GaugeOpts{Name: "vacancywatch_leader",
			Help: "1 while this process holds the right to crawl."}),
		budgetPerDay: gauge("request_budget_per_day", "Requests that a UTC day may bring.", "source"),
		coverage:     gauge("sweep_coverage_ratio", "Vacancies that the last whole sweep has listed, as a part of those the site states.", "source"),
		expectedNew:  gauge("expected_new_since_last", "Vacancies that the learned rate would have brought since the last good hot run, or since the last new one, whichever is older.", "source"),
		skippedClose: counter("closing_skipped_total", "Sweeps and looks by name that closed nothing, by the guard that kept them from it.", "source", "guard"),
		closedTotal:  counter("vacancies_closed_total", "Vacancies that closed: expired by their date, early or withdrawn before it.", "source", "reason"),
		probes:       counter("probes_total", "Vacancies asked for by their reference, by what the site answered.", "source", "result"),
		canaryUp:     gauge("canary_up", "1 where the last look at both listings of the site found them to agree, 0 where not.", "source"),
		circuit:      gauge("circuit_state", "1 for the state of the circuit: open after five failures in a row, half open while the first page is tried.", "source", "state"),
		feedInUse:    gauge("feed_in_use", "1 for the listing that is read.", "source", "feed"),
		fallbacks:    counter("feed_fallback_total", "Times that the second listing took over, for the first could not be read.", "source"),
		detection:    histogram("detection_latency_seconds", "Time from an advert's posting to its being handed on; back-dated ones were posted before the last good hot run.", []float64{30, 60, 120, 180, 300, 600, 900, 1200, 1800, 3600, 10800, 86400}, "source", "origin"),
		operator:     gauge("operator_needed", "1 where a person has to decide.", "source", "decision"),
		cronRuns:     counter("cron_runs_total", "Ticks of the schedule.", "job", "outcome"),
		cronSkipped:  counter("cron_skipped_total", "Ticks that fell into a running one.", "job"),
		cronPanics:   counter("cron_panics_total", "Ticks that panicked.", "job"),
		progress: auto.NewGauge(prometheus.GaugeOpts{Name: "vacancywatch_scheduler_progress_timestamp_seconds",
			Help: "The last sign of life of the schedule."}),
		baselineState: map[string]string{}, sources: map[string]bool{},
	}
	for _, src := range sources {
		m.sources[src.Name] = true
		for _, t := range Tiers() {
			for i := range src.Site.Feeds {
				for _, v := range Verdicts() {
					m.runs.WithLabelValues(src.Name, src.Site.Feeds[i].Name, string(t), v)
				}
				m.pages.WithLabelValues(src.Name, src.Site.Feeds[i].Name, string(t))
			}
			m.duration.WithLabelValues(src.Name, string(t))
			m.foundTotal.WithLabelValues(src.Name, string(t))
		}
		for _, k := range RequestKinds() {
			for _, c := range polite.RequestCodes() {
				m.requests.WithLabelValues(src.Name, k, c)
			}
		}
		for _, r := range sightingResults {
			m.sightings.WithLabelValues(src.Name, r)
		}
		for _, r := range StopReasons() {
			m.stopped.WithLabelValues(src.Name, r)
		}
		for _, g := range Guards() {
			m.skippedClose.WithLabelValues(src.Name, g)
		}
		for _, p := range []string{probeFound, probeGone, probeUnclear} {
			m.probes.WithLabelValues(src.Name, p)
		}
		for _, o := range []string{originFresh, originBackdated} {
			m.detection.WithLabelValues(src.Name, o)
		}
		for _, d := range []string{needResume, needFlood, needAccept} {
			m.operator.WithLabelValues(src.Name, d)
		}
		for _, c := range circuitStates {
			m.circuit.WithLabelValues(src.Name, c)
		}
		for _, r := range []string{vacancy.Expired, vacancy.Early, vacancy.Withdrawn} {
			m.closedTotal.WithLabelValues(src.Name, r)
		}
		m.fallbacks.WithLabelValues(src.Name)
		m.throttleWait.WithLabelValues(src.Name)
		m.backoffUntil.WithLabelValues(src.Name)
		m.budgetPerDay.WithLabelValues(src.Name).Set(float64(src.Budget))
		m.freshness.WithLabelValues(src.Name)
	}
	for _, k := range RequestKinds() {
		m.requestTime.WithLabelValues(k)
		m.bodyBytes.WithLabelValues(k)
	}
	for _, r := range []string{"timeout", "server_error", "network"} {
		m.retries.WithLabelValues(r)
	}
	for _, r := range BaselineReasons() {
		m.baseline.WithLabelValues(r)
	}
	for _, f := range []string{FeedXML, FeedHTML} {
		m.parsed.WithLabelValues(f)
		for _, d := range Defects() {
			m.defects.WithLabelValues(f, d)
		}
	}
	for _, o := range []string{"ok", "panic"} {
		m.cronRuns.WithLabelValues(job, o)
	}
	m.cronSkipped.WithLabelValues(job)
	m.cronPanics.WithLabelValues(job)
	return m
}

func (m *Metrics) retry(err error) {
	reason := "network"
	var status *polite.StatusError
	switch {
	case errors.As(err, &status):
		reason = "server_error"
	case errors.Is(err, polite.ErrTimeout):
		reason = "timeout"
	}
	m.retries.WithLabelValues(reason).Inc()
}

func (m *Metrics) page(source, feed string, t Tier, l page.Listing) {
	m.pages.WithLabelValues(source, feed, string(t)).Inc()
	m.parsed.WithLabelValues(feed).Add(float64(len(l.Vacancies)))
	for _, d := range l.Defects {
		m.defects.WithLabelValues(feed, d).Inc()
	}
	m.clamped.Add(float64(l.Clamped))
}

func (m *Metrics) defect(feed, reason string) { m.defects.WithLabelValues(feed, reason).Inc() }

func (m *Metrics) sweepCoverage(source string, s *SweepRecord) {
	if s.Total > 0 {
		m.coverage.WithLabelValues(source).Set(float64(s.Unique) / float64(s.Total))
	}
}

func (m *Metrics) closingSkipped(source, guard string) {
	m.skippedClose.WithLabelValues(source, guard).Inc()
}

// ClosingSkipped counts that vacancies whose closing dates have passed were
// left open, for a guard of Guards.
func (m *Metrics) ClosingSkipped(source, guard string) { m.closingSkipped(source, guard) }

func (m *Metrics) probed(source, result string) { m.probes.WithLabelValues(source, result).Inc() }

// Closed counts vacancies that closed. Those of a source that is not configured
// any more still expire, and are left out: their name is no label.
func (m *Metrics) Closed(events []vacancy.Event) {
	for i := range events {
		if e := &events[i]; m.sources[e.Vacancy.Source] {
			m.closedTotal.WithLabelValues(e.Vacancy.Source, e.Reason).Inc()
		}
	}
}

func (m *Metrics) canary(source string, agree bool) {
	m.canaryUp.WithLabelValues(source).Set(oneIf(agree))
}

func (m *Metrics) fellBack(source string) { m.fallbacks.WithLabelValues(source).Inc() }

// detected takes the time from the posting of a new vacancy, where it is known
// to the second, to its being handed on.
func (m *Metrics) detected(source string, e *vacancy.Event, lastHot, now time.Time) {
	p := e.Vacancy.Posted
	if p.IsZero() || p.DayOnly {
		return
	}
	origin := originFresh
	if p.Time.Before(lastHot.Add(-margin)) {
		origin = originBackdated
	}
	m.detection.WithLabelValues(source, origin).Observe(now.Sub(p.Time).Seconds())
}

func (m *Metrics) advertDefect() {
	m.defects.WithLabelValues(FeedHTML, page.DefectLayout).Inc()
}

// sightingResults name what an entry asks for, by vacancy.Need.
var sightingResults = [...]string{"known", "noted", "moved", "page", "amended", "new"}

func (m *Metrics) sighting(source string, n vacancy.Need) {
	m.sightings.WithLabelValues(source, sightingResults[n]).Inc()
}

func (m *Metrics) found(source string, t Tier, events []vacancy.Event) {
	for i := range events {
		if events[i].Kind == vacancy.New || events[i].Kind == vacancy.Readvertised {
			m.foundTotal.WithLabelValues(source, string(t)).Inc()
		}
	}
}

func (m *Metrics) run(rep *Report) {
	m.runs.WithLabelValues(rep.Source, rep.Feed, string(rep.Tier), rep.Verdict).Inc()
	m.duration.WithLabelValues(rep.Source, string(rep.Tier)).Observe(rep.Took.Seconds())
}

// restore sets what the stored state says: it is the same after a restart.
func (m *Metrics) restore(src *Source, st *State, now time.Time) {
	for t, at := range st.LastGood {
		m.lastSuccess.WithLabelValues(src.Name, string(t)).Set(seconds(at))
	}
	for t, at := range st.LastAttempt {
		m.lastAttempt.WithLabelValues(src.Name, string(t)).Set(seconds(at))
	}
	if st.Total > 0 {
		m.reported.WithLabelValues(src.Name).Set(float64(st.Total))
	}
	for _, r := range StopReasons() {
		m.stopped.WithLabelValues(src.Name, r).Set(oneIf(st.Stopped == r || r == StoppedForbidden && st.HTMLForbidden))
	}
	until := 0.0
	if st.Gate.After(now) {
		until = seconds(st.Gate)
	}
	m.backoffUntil.WithLabelValues(src.Name).Set(until)
	m.freshness.WithLabelValues(src.Name).Set(FreshnessLimit(now).Seconds())
	m.baselineState[src.Name] = ""
	if st.Baseline != nil {
		m.baselineState[src.Name] = st.Baseline.Reason
	}
	for i := range src.Site.Feeds {
		f := &src.Site.Feeds[i]
		m.feedInUse.WithLabelValues(src.Name, f.Name).Set(oneIf(f == st.feedFor(Hot, &src.Site)))
	}
	circuit := "closed"
	switch {
	case st.Failures >= OpenAfter && st.Gate.After(now):
		circuit = "open"
	case st.Failures >= OpenAfter:
		circuit = "half_open"
	}
	for _, c := range circuitStates {
		m.circuit.WithLabelValues(src.Name, c).Set(oneIf(c == circuit))
	}
	_, flooded := st.Flooded()
	for decision, needed := range map[string]bool{
		needResume: st.Stopped != "" || st.Paused || st.HTMLForbidden, needFlood: flooded, needAccept: st.agree(),
	} {
		m.operator.WithLabelValues(src.Name, decision).Set(oneIf(needed))
	}
	if since := st.LastNew; !since.IsZero() {
		m.expectedNew.WithLabelValues(src.Name).Set(st.Rate.Expected(since, now))
	}
	for _, r := range BaselineReasons() {
		n := 0
		for _, active := range m.baselineState {
			if active == r {
				n++
			}
		}
		m.baseline.WithLabelValues(r).Set(float64(n))
	}
}

func (m *Metrics) lead(ok bool) { m.leader.Set(oneIf(ok)) }

func (m *Metrics) tick(now time.Time) { m.progress.Set(seconds(now)) }
func (m *Metrics) ticked(whole bool) {
	outcome := "ok"
	if !whole {
		outcome = "panic"
	}
	m.cronRuns.WithLabelValues(job, outcome).Inc()
	m.progress.SetToCurrentTime()
}
func (m *Metrics) skipped() { m.cronSkipped.WithLabelValues(job).Inc() }
func (m *Metrics) panicked() {
	m.cronPanics.WithLabelValues(job).Inc()
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
