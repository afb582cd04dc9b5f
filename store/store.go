// Package store keeps all state of vacancywatch: what was seen, what happened,
// what is queued, who was told. Its rules are written once, over the small
// transactional engine of store/engine, and run unchanged on Redis and on the
// embedded bbolt file.
//
// What must not be lost or done twice is one atomic step each: a vacancy is
// remembered, its event logged and its messages queued together or not at
// all. keys.go lists every key with its lifetime, and every pair of steps
// with what a crash between them means. The package reads no clock: all times
// that are stored are passed in.
package store

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/crawler"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// schema is the version of what is stored. A store of another version is
// refused rather than misread.
const schema = 1

// How long settled and closed things are kept.
const (
	keepClosed = 400 * 24 * time.Hour
	keepEvents = 400 * 24 * time.Hour
	keepTold   = 30 * 24 * time.Hour
	keepTomb   = 30 * 24 * time.Hour
	keepBuried = 30 * 24 * time.Hour
	keepRuns   = 30 * 24 * time.Hour
)

// A Store is all state.
type Store struct {
	eng    engine.Engine
	slots  int
	stamp  *stamp
	holder string

	glances  *glances
	prepared *preparedSearches
	// keepChanges is keepChanges, but for tests.
	keepChanges int

	damaged func(Damage) // may be nil

	mu     sync.Mutex
	told   map[Damage]bool // what of the damage that stays was told
	turn   int             // the slot that the next claim begins with
	sample place           // where the next sample of searches begins
}

var (
	_ crawler.Memory  = (*Store)(nil)
	_ alerts.Log      = (*Store)(nil)
	_ alerts.Outbox   = (*Store)(nil)
	_ alerts.Searches = (*Store)(nil)
)

// Options are what a Store may know of the process that opens it.
type Options struct {
	// Stamp is the file where this machine notes how far the state had come,
	// so that a state emptied or replaced behind its back is noticed; ""
	// notes nothing.
	Stamp string
	// Holder names the process for its claims, the same after a restart, and
	// never shared with one that runs. "" takes back no claims.
	Holder string
	// Damaged is told of everything stored that cannot be read and was set
	// aside for it. May be nil.
	Damaged func(Damage)
}

// Open prepares the state behind eng.
func Open(ctx context.Context, eng engine.Engine, opts Options) (*Store, error) {
	s := &Store{eng: eng, slots: eng.Slots(), holder: opts.Holder, damaged: opts.Damaged, glances: newGlances(), prepared: newPreparedSearches(), keepChanges: keepChanges}
	err := eng.Update(ctx, metaSlot, func(tx engine.Tx) error {
		r := &engine.HMGet{Key: metaKey("store"), Fields: []string{"schema", "slots"}}
		if err := tx.Read(r); err != nil {
			return err
		}
		if r.Vals[0] == nil {
			tx.HSet(metaKey("store"), "schema", []byte(strconv.Itoa(schema)))
			tx.HSet(metaKey("store"), "slots", []byte(strconv.Itoa(s.slots)))
			return nil
		}
		if got := string(r.Vals[0]); got != strconv.Itoa(schema) {
			return fmt.Errorf("the stored state has schema %s and this program reads %d: use the program that wrote it", got, schema)
		}
		n, err := strconv.Atoi(string(r.Vals[1]))
		if err != nil || n < 1 || n > 1024 {
			return fmt.Errorf("the stored number of slots is %q: the state is damaged", r.Vals[1])
		}
		s.slots = n
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("open the state: %w", err)
	}
	if opts.Stamp != "" {
		if s.stamp, err = openStamp(opts.Stamp); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Ping returns nil if the state can be reached.
func (s *Store) Ping(ctx context.Context) error { return s.eng.Ping(ctx) }

// Close releases the engine.
func (s *Store) Close() error { return s.eng.Close() }

// encode writes a value as JSON, compressed where that pays. JSON begins with
// a brace, a bracket or a quote, so the first byte tells the two apart.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		// Unreachable: what is stored is plain data of our own types.
		panic(fmt.Sprintf("store: encode %T: %v", v, err))
	}
	return squeeze(b)
}

const squeezeFrom = 400 // bytes: shorter values hardly shrink

// squeeze compresses a value where that pays, and where it begins with the
// byte that marks a compressed one.
func squeeze(b []byte) []byte {
	marked := len(b) > 0 && b[0] == 0
	if len(b) < squeezeFrom && !marked {
		return b
	}
	var buf bytes.Buffer
	buf.WriteByte(0)
	w := squeezers.Get().(*flate.Writer)
	defer squeezers.Put(w)
	w.Reset(&buf)
	w.Write(b) // To a buffer: neither this nor Close can fail.
	w.Close()
	if buf.Len() >= len(b) && !marked {
		return b
	}
	return buf.Bytes()
}

func unsqueeze(b []byte) ([]byte, error) {
	if len(b) == 0 || b[0] != 0 {
		return b, nil
	}
	r := unsqueezers.Get().(io.Reader)
	defer unsqueezers.Put(r)
	if err := r.(flate.Resetter).Reset(bytes.NewReader(b[1:]), nil); err != nil {
		return nil, fmt.Errorf("stored value cannot be read: %w", err)
	}
	buf := bytes.NewBuffer(make([]byte, 0, 4*len(b)))
	if _, err := buf.ReadFrom(r); err != nil {
		return nil, fmt.Errorf("stored value is damaged: %w", err)
	}
	return buf.Bytes(), nil
}

// A compressor takes more than half a megabyte to set up, and a page of the
// listing asks for a hundred records: they are used again.
var (
	squeezers = sync.Pool{New: func() any {
		w, err := flate.NewWriter(nil, flate.BestSpeed)
		if err != nil {
			panic(err) // Unreachable: the level is a constant of the package.
		}
		return w
	}}
	unsqueezers = sync.Pool{New: func() any { return flate.NewReader(nil) }}
)

func decode(b []byte, v any) error {
	b, err := unsqueeze(b)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("stored %T is damaged: %w", v, err)
	}
	return nil
}

// ms is a time as a score.
func ms(t time.Time) float64 { return float64(t.UnixMilli()) }

func fromMS(score float64) time.Time { return time.UnixMilli(int64(score)).UTC() }

var (
	never   = math.Inf(-1)
	forever = math.Inf(1)
)

// lost turns the engine-neutral error of a lost state into the one that each
// consumer knows.
var errStateLost = errors.Join(crawler.ErrStateLost, alerts.ErrStateLost)

// decodeRecord reads a stored record; nil bytes give nil.
func decodeRecord(b []byte) (*vacancy.Record, error) {
	if b == nil {
		return nil, nil
	}
	var r vacancy.Record
	if err := decode(b, &r); err != nil {
		return nil, err
	}
	return &r, nil
}
