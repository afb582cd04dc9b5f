package crawler

import (
	"log/slog"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler/polite"
)

// Observer counts what the transport of a source does, and logs what a person
// should know of it.
func (m *Metrics) Observer(source string, log *slog.Logger) polite.Observer {
	return observer{m, source, log}
}

type observer struct {
	*Metrics
	source string
	log    *slog.Logger
}

func (o observer) Request(kind, code string, took time.Duration) {
	o.requests.WithLabelValues(o.source, kind, code).Inc()
	o.requestTime.WithLabelValues(kind).Observe(took.Seconds())
}

func (o observer) Bytes(kind string, n int) { o.bodyBytes.WithLabelValues(kind).Add(float64(n)) }

func (o observer) Throttled(wait time.Duration) {
	o.throttleWait.WithLabelValues(o.source).Add(wait.Seconds())
}

func (o observer) ClockDifference(d time.Duration) {
	o.clockDiff.WithLabelValues(o.source).Set(d.Seconds())
}

func (o observer) RobotsRules(rules bool) {
	o.robotsFile.WithLabelValues(o.source).Set(oneIf(rules))
}

func (o observer) CrawlDelay(asked, kept time.Duration) {
	if asked > kept {
		o.log.Warn("robots.txt asks for a longer pause between requests than a crawl can keep: a site that wants this wants no crawler, ask its owner or take the source out",
			"source", o.source, "asked", asked, "kept", kept)
		return
	}
	o.log.Info("robots.txt asks for a pause between requests", "source", o.source, "asked", asked)
}
