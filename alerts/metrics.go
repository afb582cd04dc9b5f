package alerts

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/vacancywatch/vacancywatch/alerts/channel"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// Metrics are the counters of this package. Every label value exists at zero
// from the start, else the first failure is invisible to increase().
type Metrics struct {
	events        *prometheus.CounterVec
	matches       *prometheus.CounterVec
	notifications *prometheus.CounterVec
	failed        *prometheus.CounterVec
	dropped       *prometheus.CounterVec
	alertLatency  *prometheus.HistogramVec
	checks        prometheus.Counter
	differences   prometheus.Counter
	endpoints     *prometheus.GaugeVec
	failing       *prometheus.GaugeVec
	paused        *prometheus.GaugeVec
}

// backdatedAfter is how long before it was first seen a vacancy must have been
// posted to count as back-dated: it was not there to be seen at its posting
// time. It is well over the longest time between two good polls.
const backdatedAfter = time.Hour

// NewMetrics registers the metrics of this package.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	auto := promauto.With(reg)
	m := &Metrics{
		events: auto.NewCounterVec(prometheus.CounterOpts{
			Name: "vacancywatch_events_total", Help: "Events of vacancies, by kind.",
		}, []string{"kind"}),
		matches: auto.NewCounterVec(prometheus.CounterOpts{
			Name: "vacancywatch_matches_total",
			Help: "Matches by what became of them: told, suppressed (dropped before sending), lapsed (the vacancy closed before anyone was told).",
		}, []string{"outcome"}),
		notifications: auto.NewCounterVec(prometheus.CounterOpts{
			Name: "vacancywatch_notifications_total", Help: "Settled attempts to deliver a message.",
		}, []string{"channel", "outcome"}),
		failed: auto.NewCounterVec(prometheus.CounterOpts{
			Name: "vacancywatch_notifications_failed_total", Help: "Failed attempts to deliver a message, by reason.",
		}, []string{"channel", "reason"}),
		dropped: auto.NewCounterVec(prometheus.CounterOpts{
			Name: "vacancywatch_notifications_dropped_total", Help: "Messages that were not sent, by reason.",
		}, []string{"channel", "reason"}),
		alertLatency: auto.NewHistogramVec(prometheus.HistogramOpts{
			Name:                            "vacancywatch_alert_latency_seconds",
			Help:                            "Time from the posting of a vacancy to the acceptance of its instant alert by the far side; only where the posting time is known to the second.",
			Buckets:                         []float64{30, 60, 120, 300, 600, 900, 1800, 3600, 10800, 43200},
			NativeHistogramBucketFactor:     1.1,
			NativeHistogramMaxBucketNumber:  100,
			NativeHistogramMinResetDuration: time.Hour,
		}, []string{"channel", "origin"}),
	}
	m.checks = auto.NewCounter(prometheus.CounterOpts{
		Name: "vacancywatch_match_checks_total", Help: "Vacancies with which the index of searches was compared with the definition of a match.",
	})
	m.differences = auto.NewCounter(prometheus.CounterOpts{
		Name: "vacancywatch_match_differences_total", Help: "Searches of which the index and the definition of a match said different things: must stay 0.",
	})
	m.endpoints = auto.NewGaugeVec(prometheus.GaugeOpts{
		Name: "vacancywatch_endpoints", Help: "Endpoints of webhooks and chats by state: on, pending (its challenge is not answered yet), disabled.",
	}, []string{"channel", "state"})
	m.failing = auto.NewGaugeVec(prometheus.GaugeOpts{
		Name: "vacancywatch_endpoint_failing_ratio",
		Help: "How much of the five days is over after which an endpoint that takes nothing is disabled: of the worst one, 0 to 1.",
	}, []string{"channel"})
	m.paused = auto.NewGaugeVec(prometheus.GaugeOpts{
		Name: "vacancywatch_destinations_paused", Help: "Relays and endpoints that are not tried for a while, because they failed or asked for it.",
	}, []string{"channel"})
	m.measured(newGauges())
	for _, k := range vacancy.Kinds() {
		m.events.WithLabelValues(string(k))
	}
	for _, o := range []string{"told", "suppressed", "lapsed"} {
		m.matches.WithLabelValues(o)
	}
	for _, kind := range channel.Kinds() {
		for _, s := range []Settlement{SettleDone, SettleRetry, SettleUnknown, SettleRelease, SettleDrop, SettleBury} {
			m.notifications.WithLabelValues(kind, string(s))
		}
		for _, r := range channel.Reasons() {
			m.failed.WithLabelValues(kind, r)
		}
		for _, r := range DropReasons() {
			m.dropped.WithLabelValues(kind, r)
		}
		for _, o := range []string{"fresh", "backdated"} {
			m.alertLatency.WithLabelValues(kind, o)
		}
	}
	return m
}

// Observe counts events that were stored.
func (m *Metrics) Observe(events []vacancy.Event) {
	for i := range events {
		m.events.WithLabelValues(string(events[i].Kind)).Inc()
	}
}

func (m *Metrics) lapsed(n int) { m.matches.WithLabelValues("lapsed").Add(float64(n)) }

// checked counts a comparison of the index with the definition of a match.
func (m *Metrics) checked(differences int) {
	m.checks.Inc()
	m.differences.Add(float64(differences))
}

// settled counts a settlement of a message that tells of n events.
func (m *Metrics) settled(kind string, s Settlement, reason string, n int) {
	m.notifications.WithLabelValues(kind, string(s)).Inc()
	switch s {
	case SettleDone:
		m.matches.WithLabelValues("told").Add(float64(n))
	case SettleDrop:
		m.dropped.WithLabelValues(kind, reason).Inc()
		if reason == DropClosed {
			m.lapsed(1)
		} else if reason != DropEmpty {
			m.matches.WithLabelValues("suppressed").Inc()
		}
	case SettleRetry, SettleUnknown, SettleBury, SettleRelease:
		if reason != "" {
			m.failed.WithLabelValues(kind, reason).Inc()
		}
	}
}

func (m *Metrics) latency(kind string, c *Claim, now time.Time) {
	if c.Event == nil || c.Record == nil || !announces(c.Event.Kind) {
		return
	}
	posted, seen := c.Record.Vacancy.Posted, c.Record.Vacancy.FirstSeen
	if posted.IsZero() || posted.DayOnly || posted.Time.After(now) {
		return
	}
	origin := "fresh"
	if seen.Sub(posted.Time) > backdatedAfter {
		origin = "backdated"
	}
	m.alertLatency.WithLabelValues(kind, origin).Observe(now.Sub(posted.Time).Seconds())
}

// gauges are what is measured of channels now and then, by their kind.
type gauges struct {
	endpoints map[[2]string]int // by kind and state
	failing   map[string]float64
	paused    map[string]int
}

func newGauges() gauges {
	return gauges{endpoints: map[[2]string]int{}, failing: map[string]float64{}, paused: map[string]int{}}
}

func (m *Metrics) measured(g gauges) {
	for _, kind := range channel.Kinds() {
		m.paused.WithLabelValues(kind).Set(float64(g.paused[kind]))
		if kind == "email" {
			continue // its relay is never given up
		}
		m.failing.WithLabelValues(kind).Set(g.failing[kind])
		for _, s := range EndpointStates() {
			m.endpoints.WithLabelValues(kind, string(s)).Set(float64(g.endpoints[[2]string{kind, string(s)}]))
		}
	}
}
