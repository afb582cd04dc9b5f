package bounce

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// A fakeList notes what it is told. It holds no address, as the real one.
type fakeList struct {
	mu    sync.Mutex
	notes []string
	fail  int // so many calls fail
}

func (l *fakeList) ID(a vacancy.Address) ID {
	sum := sha256.Sum256([]byte(strings.ToLower(a.Reveal())))
	return ID(sum[:16])
}

var errList = errors.New("the list is broken")

func (l *fakeList) note(format string, args ...any) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail > 0 {
		l.fail--
		return false, errList
	}
	l.notes = append(l.notes, fmt.Sprintf(format, args...))
	return true, nil
}

func (l *fakeList) Bounced(_ context.Context, id ID, sent, now time.Time) (bool, error) {
	return l.note("%s bounced, sent %s", id, sent.Format(time.DateOnly))
}

func (l *fakeList) Complained(_ context.Context, id ID, now time.Time) (bool, error) {
	return l.note("%s complained", id)
}

// take returns what was noted since the last call.
func (l *fakeList) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := l.notes
	l.notes = nil
	return out
}

// A scene is a running intake.
type scene struct {
	t    *testing.T
	addr string
	lmtp bool
	list *fakeList
	desk *Desk
	reg  *prometheus.Registry
	log  *syncBuffer
	stop func() error
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func newScene(t *testing.T, lmtp bool) *scene {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{t: t, addr: l.Addr().String(), lmtp: lmtp, list: &fakeList{}, reg: prometheus.NewRegistry(), log: &syncBuffer{}}
	s.desk = &Desk{List: s.list, Signer: newSigner(t), Metrics: NewMetrics(s.reg),
		Logger: slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	in := &Intake{Desk: s.desk, LMTP: lmtp, Now: func() time.Time { return noon }}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- in.Serve(ctx, l) }()
	s.stop = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Errorf("serve: %v", err)
		}
		// Whatever happened, no address and no secret is told to anybody.
		for what, text := range map[string]string{"log": s.log.String(), "metrics": fmt.Sprint(s.metrics())} {
			if strings.Contains(text, "canary") || strings.Contains(text, "@") {
				t.Errorf("the %s holds an address or a secret:\n%s", what, text)
			}
		}
	})
	return s
}

// metrics are the counters that are not zero.
func (s *scene) metrics() map[string]float64 {
	s.t.Helper()
	families, err := s.reg.Gather()
	if err != nil {
		s.t.Fatal(err)
	}
	out := map[string]float64{}
	for _, f := range families {
		for _, m := range f.Metric {
			if v := m.Counter.GetValue(); v != 0 {
				name := strings.TrimSuffix(strings.TrimPrefix(f.GetName(), "vacancywatch_"), "_total")
				for _, l := range m.Label {
					name += " " + l.GetValue()
				}
				out[name] = v
			}
		}
	}
	return out
}

func (s *scene) client() *smtp.Client {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	c := smtp.NewClient(conn)
	if s.lmtp {
		c = smtp.NewClientLMTP(conn)
	}
	s.t.Cleanup(func() { c.Close() })
	return c
}

// deliver brings a mail as a relay does, and returns the server's refusal.
func (s *scene) deliver(to string, raw []byte) error {
	s.t.Helper()
	c := s.client()
	defer c.Close()
	if err := c.Mail("", nil); err != nil {
		s.t.Fatal(err)
	}
	if err := c.Rcpt(to, nil); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(raw); err != nil {
		return err
	}
	return w.Close()
}

func code(err error) int {
	var se *smtp.SMTPError
	if errors.As(err, &se) {
		return se.Code
	}
	return 0
}
