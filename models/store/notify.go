package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// pollEvery is how often everybody who waits is woken while no connection listens: a missed notification costs two seconds.
const pollEvery = 2 * time.Second

// quietFor is how long the listening connection may be silent before it is asked whether it still lives.
const quietFor = 10 * time.Second

// Changes tells who waits that something has changed: one listening connection per process, fanned out by topic.
type Changes struct {
	s      *Store
	mu     sync.Mutex
	topics map[string]map[chan struct{}]bool
}

// Listen makes the process's fan-out; Run feeds it.
func (s *Store) Listen() *Changes {
	return &Changes{s: s, topics: map[string]map[chan struct{}]bool{}}
}

// Subscribe gives a channel that gets a value after each change of the topic (run:<id>, request:<id>, journal, clock). Changes that
// come while nobody reads are one. The function ends the subscription and can be called again.
func (c *Changes) Subscribe(topic string) (<-chan struct{}, func()) {
	wake := make(chan struct{}, 1)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.topics[topic] == nil {
		c.topics[topic] = map[chan struct{}]bool{}
	}
	c.topics[topic][wake] = true
	return wake, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.topics[topic], wake)
		if len(c.topics[topic]) == 0 {
			delete(c.topics, topic)
		}
	}
}

func (c *Changes) tell(topic string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for wake := range c.topics[topic] {
		nudgeChannel(wake)
	}
}

func (c *Changes) tellAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, waiting := range c.topics {
		for wake := range waiting {
			nudgeChannel(wake)
		}
	}
}

func nudgeChannel(wake chan struct{}) {
	select {
	case wake <- struct{}{}:
	default: // one is waiting already
	}
}

// Run listens until the context ends. While there is no connection everybody is woken every two seconds.
func (c *Changes) Run(ctx context.Context) {
	lost := false
	for ctx.Err() == nil {
		err := c.listen(ctx, func() { lost = false })
		if ctx.Err() != nil {
			return
		}
		if !lost {
			c.s.log.WarnContext(ctx, "notifications lost, polling", "err", err)
		}
		lost = true
		select {
		case <-ctx.Done():
		case <-time.After(pollEvery):
			c.tellAll()
		}
	}
}

// listen feeds the fan-out until the connection ends. What was missed before is made up for by waking everybody once.
func (c *Changes) listen(ctx context.Context, connected func()) error {
	within, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := c.s.connect(within)
	if err != nil {
		return err
	}
	defer closeQuietly(conn)
	if _, err := conn.Exec(within, `LISTEN slipway`); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	connected()
	c.tellAll()
	for {
		quiet, cancel := context.WithTimeout(ctx, quietFor)
		note, err := conn.WaitForNotification(quiet)
		cancel()
		switch {
		case err == nil:
			c.tell(note.Payload)
			continue
		case ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded):
			return err
		}
		alive, cancel := context.WithTimeout(ctx, pollEvery)
		err = conn.Ping(alive)
		cancel()
		if err != nil {
			return fmt.Errorf("ask the listening connection: %w", err)
		}
	}
}

// connect opens a connection outside of the pool, for what must hold one for long.
func (s *Store) connect(ctx context.Context) (*pgx.Conn, error) {
	conn, err := pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return conn, timesInUTC(ctx, conn)
}

func closeQuietly(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Close(ctx) // it may be broken already; nothing depends on how it ends
}
