package preview

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	// keepBoard is how long a board is fresh at least.
	keepBoard = time.Minute
	// maxShare is how much of the time may go into reading boards, one part in
	// so many: a board that takes long to read is read less often.
	maxShare = 20
	// oldest is how old a board may be to be shown while the next is read.
	oldest = 10 * time.Minute
	// readTime bounds the reading of a board.
	readTime = time.Minute
	// keepError is how long a source that failed is left alone.
	keepError = 5 * time.Second
)

// Boards keeps one board for all visitors, so that however many there are, the
// source is read once a minute at most. A visitor who comes when the board is
// stale is shown it all the same, while the next one is read; only the first
// waits. Without visitors nothing is read, and after ten minutes nothing is
// kept: a board of 12,000 open adverts, with their texts, takes over a hundred
// megabytes.
type Boards struct {
	Source Source
	Now    func() time.Time

	mu      sync.Mutex
	board   *Board
	took    time.Duration // to read the board
	loading chan struct{} // closed when what is being read has been; nil while nothing is
	err     error         // of the last reading
	failed  time.Time
	forget  *time.Timer
}

// Get returns the board. It may be up to ten minutes old, and is a minute old
// where visitors come all the time.
func (bs *Boards) Get(ctx context.Context) (*Board, error) {
	for {
		board, wait, err := bs.get()
		if board != nil || err != nil {
			return board, err
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for the vacancies to be read: %w", ctx.Err())
		}
	}
}

// get returns a board or an error, or what to wait for.
func (bs *Boards) get() (*Board, <-chan struct{}, error) {
	bs.mu.Lock()
	defer bs.mu.Unlock()
	now := bs.Now()
	usable := bs.board != nil && now.Sub(bs.board.at) < oldest
	if usable && now.Sub(bs.board.at) < max(keepBoard, maxShare*bs.took) {
		return bs.board, nil, nil
	}
	resting := bs.err != nil && now.Sub(bs.failed) < keepError
	if bs.loading == nil && !resting {
		bs.loading = make(chan struct{})
		go bs.load(bs.loading)
	}
	switch {
	case usable:
		return bs.board, nil, nil
	case bs.loading != nil:
		return nil, bs.loading, nil
	}
	return nil, nil, bs.err
}

// load reads a board. It does not end with the visitor who came first, for
// others wait too.
func (bs *Boards) load(done chan struct{}) {
	ctx, cancel := context.WithTimeout(context.Background(), readTime)
	defer cancel()
	start := bs.Now()
	board, err := bs.read(ctx, start)
	bs.mu.Lock()
	defer bs.mu.Unlock()
	defer close(done)
	bs.loading, bs.err = nil, err
	if err != nil {
		bs.failed = bs.Now()
		return
	}
	bs.board, bs.took = board, bs.Now().Sub(start)
	if bs.forget == nil {
		bs.forget = time.AfterFunc(oldest, bs.drop)
	} else {
		bs.forget.Reset(oldest)
	}
}

// read reads a board, and makes an error of a panic: it runs beside every
// handler, where one would end the process.
func (bs *Boards) read(ctx context.Context, now time.Time) (b *Board, err error) {
	defer func() {
		if v := recover(); v != nil {
			b, err = nil, errors.Join(err, fmt.Errorf("read the vacancies: panic of type %T", v))
		}
	}()
	b, err = Read(ctx, bs.Source, now)
	if err != nil {
		return nil, fmt.Errorf("read the vacancies: %w", err)
	}
	return b, nil
}

// drop forgets a board that nobody has asked for since it became stale: a
// visitor would have had the next one read.
func (bs *Boards) drop() {
	bs.mu.Lock()
	defer bs.mu.Unlock()
	bs.board = nil
}
