package bounce

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Where we learned of what came back.
const (
	originReply  = "reply"  // the relay's answer while a mail was sent
	originReport = "report" // a mail that came to the intake
)

// Why the intake refuses a recipient or a mail.
const (
	refusedForeign = "foreign" // no address of ours, or a forged one
	refusedExpired = "expired"
	refusedSize    = "size"
)

// Metrics are the counters of this package. Every label value exists at zero
// from the start.
type Metrics struct {
	returned *prometheus.CounterVec
	refused  *prometheus.CounterVec
}

// NewMetrics registers the metrics of this package.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	auto := promauto.With(reg)
	m := &Metrics{
		returned: auto.NewCounterVec(prometheus.CounterOpts{
			Name: "vacancywatch_mails_returned_total",
			Help: "What came back of our mails, by where we learned of it (reply: refused while it was sent; report: a bounce or complaint that came in) and by kind.",
		}, []string{"origin", "kind"}),
		refused: auto.NewCounterVec(prometheus.CounterOpts{
			Name: "vacancywatch_bounce_intake_refused_total",
			Help: "Recipients and mails that the intake of bounces refused: foreign (no address of ours, or a forged one), expired, size.",
		}, []string{"reason"}),
	}
	for _, k := range Kinds() {
		m.returned.WithLabelValues(originReport, string(k))
	}
	m.returned.WithLabelValues(originReply, string(Hard))
	for _, r := range []string{refusedForeign, refusedExpired, refusedSize} {
		m.refused.WithLabelValues(r)
	}
	return m
}
