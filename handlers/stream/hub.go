// Package stream writes server-sent events: each one a whole fragment of current state, so that missing one loses nothing.
package stream

import (
	"context"
	"sync"
	"time"
)

// Limits bound what open streams may cost. The zero value of a field means its default.
type Limits struct {
	PerSession int           // streams one session may hold: 4
	PerProcess int           // streams of everybody: 500
	Life       time.Duration // a stream ends itself and the browser comes back: 60 s
	Heartbeat  time.Duration // longest silence; a client that left is only noticed by writing: 15 s
	Gap        time.Duration // shortest time between two renders, so that a burst of changes is one: 200 ms
	Write      time.Duration // longest time one write may take: 10 s
}

func (l Limits) orDefault() Limits {
	for _, d := range []struct {
		field *int
		value int
	}{{&l.PerSession, 4}, {&l.PerProcess, 500}} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{{&l.Life, time.Minute}, {&l.Heartbeat, 15 * time.Second}, {&l.Gap, 200 * time.Millisecond}, {&l.Write, 10 * time.Second}} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	return l
}

// Hub counts open streams and ends them all at shutdown.
type Hub struct {
	limits Limits
	ctx    context.Context
	end    context.CancelFunc
	wg     sync.WaitGroup

	mu       sync.Mutex
	sessions map[string]int
	total    int
	closed   bool
}

// NewHub makes the one hub of a process.
func NewHub(l Limits) *Hub {
	ctx, end := context.WithCancel(context.Background())
	return &Hub{limits: l.orDefault(), ctx: ctx, end: end, sessions: map[string]int{}}
}

// Open tells how many streams are open now.
func (h *Hub) Open() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.total
}

// Close ends every stream, refuses new ones and waits until the last writer has let go, or until ctx ends.
func (h *Hub) Close(ctx context.Context) error {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	h.end()
	done := make(chan struct{})
	go func() { h.wg.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// take reserves a place; false when the session or the process has none left, or the process is ending.
func (h *Hub) take(session string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || h.total >= h.limits.PerProcess || h.sessions[session] >= h.limits.PerSession {
		return false
	}
	h.total++
	h.sessions[session]++
	h.wg.Add(1)
	return true
}

func (h *Hub) release(session string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.total--
	if h.sessions[session]--; h.sessions[session] <= 0 {
		delete(h.sessions, session)
	}
	h.wg.Done()
}
