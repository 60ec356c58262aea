// Package notify brings notifications to people: by e-mail and by webhook, at least once, each destination apart from the others.
package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"runtime/debug"
	"sync"
	"time"

	"slipway/models"
)

const (
	usualEvery   = time.Second
	usualTimeout = 20 * time.Second
	usualAtOnce  = 4
	leaseMargin  = 20 * time.Second // between a call's end by time-out and its lease's
	softStop     = 2 * time.Second  // how long calls in flight may end by themselves when the courier stops
)

// Book is the outbox. The store implements it.
type Book interface {
	Spread(ctx context.Context, ways models.Ways) (int, error)
	Due(ctx context.Context) ([]string, error)
	Take(ctx context.Context, owner, destination string, limit int, lease time.Duration) ([]models.Delivery, error)
	End(ctx context.Context, d models.Delivery, r models.Result) error
	Release(ctx context.Context, owner string) error
	Networks(ctx context.Context) ([]netip.Prefix, error)
}

// Options are a courier's parts.
type Options struct {
	Book      Book
	Owner     string // names this process in leases
	Clock     models.Clock
	Logger    *slog.Logger
	Metrics   *Metrics
	PublicURL string
	Link      func(models.Delivery) string // the path of the page that a message is about

	Mail     *MailServer    // nil: not configured
	Hook     models.Webhook // of SLIPWAY_WEBHOOK_URL; without URL: not configured
	Networks []netip.Prefix // that webhooks may reach besides the public ones and those of the book

	Wake    <-chan struct{}    // something was written to the outbox; nil: looked for every Every only
	Every   time.Duration      // 0: 1 s
	Timeout time.Duration      // of one whole call, from dialling to the last byte; 0: 20 s
	AtOnce  int                // calls at a time to one destination; 0: 4
	Crash   func(point string) // nil outside of tests
}

// Courier works the outbox. Destinations do not wait for each other: each has its own places, and its own circuit in the book.
type Courier struct {
	Options
	guard  *hookClient
	mu     sync.Mutex
	busy   map[string]int // calls in flight by destination
	calls  sync.WaitGroup
	ended  chan struct{} // a call has ended: there may be more for its destination
	failed map[string]bool
}

// New wires a courier; nothing runs before Run.
func New(o Options) *Courier {
	if o.Every == 0 {
		o.Every = usualEvery
	}
	if o.Timeout == 0 {
		o.Timeout = usualTimeout
	}
	if o.AtOnce == 0 {
		o.AtOnce = usualAtOnce
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Crash == nil {
		o.Crash = func(string) {}
	}
	if o.Link == nil {
		o.Link = func(models.Delivery) string { return "/" }
	}
	return &Courier{Options: o, guard: &hookClient{}, busy: map[string]int{}, ended: make(chan struct{}, 1), failed: map[string]bool{}}
}

// Run works until the context ends. Calls in flight then have a moment to end; the messages of those that do not go back to the outbox.
func (c *Courier) Run(ctx context.Context) {
	calls, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	tick := time.NewTicker(c.Every)
	defer tick.Stop()
	for {
		if c.round(ctx, calls) && ctx.Err() == nil {
			continue // there may be more to spread
		}
		select {
		case <-ctx.Done():
			c.stop(cancel)
			return
		case <-tick.C:
		case <-c.Wake:
		case <-c.ended:
		}
	}
}

func (c *Courier) stop(cancel context.CancelFunc) {
	over := make(chan struct{})
	go func() { defer close(over); c.calls.Wait() }()
	last := time.NewTimer(softStop)
	defer last.Stop()
	select {
	case <-over:
	case <-last.C:
	}
	cancel()
	<-over // every call ends with its context
	within, done := context.WithTimeout(context.Background(), softStop)
	defer done()
	c.note(within, "release", c.Book.Release(within, c.Owner))
}

// round spreads what has happened and takes what is due, as far as there are free places. It tells whether anything was spread.
func (c *Courier) round(ctx, calls context.Context) bool {
	within, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	n, err := c.Book.Spread(within, models.Ways{Mail: c.Mail != nil, Webhook: c.Hook.URL != ""})
	c.Metrics.spread(n)
	c.note(within, "spread", err)
	names, err := c.Book.Due(within)
	c.note(within, "due", err)
	for _, name := range names {
		free := c.free(name)
		if free == 0 {
			continue
		}
		taken, err := c.Book.Take(within, c.Owner, name, free, c.Timeout+leaseMargin)
		c.note(within, "take", err)
		for _, d := range taken {
			c.hold(name, 1)
			c.calls.Go(func() {
				defer c.leave(name)
				c.deliver(calls, d)
			})
		}
	}
	return n > 0
}

// note logs an error of the outbox once until it goes away, so that a database that is gone does not flood the log.
func (c *Courier) note(ctx context.Context, what string, err error) {
	if err != nil && ctx.Err() == nil && !c.failed[what] {
		c.Logger.ErrorContext(ctx, "notifications", "doing", what, "err", err)
	}
	c.failed[what] = err != nil
}

func (c *Courier) free(destination string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.AtOnce - c.busy[destination]
}

func (c *Courier) hold(destination string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.busy[destination] += n; c.busy[destination] == 0 {
		delete(c.busy, destination)
	}
}

func (c *Courier) leave(destination string) {
	c.hold(destination, -1)
	select {
	case c.ended <- struct{}{}:
	default:
	}
}

// deliver sends one message and writes what came of it. A crash between the two has it sent again, under the same id.
func (c *Courier) deliver(ctx context.Context, d models.Delivery) {
	c.Crash("before-send")
	began := c.Clock.Wall()
	sending, cancel := context.WithTimeout(ctx, c.Timeout)
	r := c.send(sending, d)
	cancel()
	c.Crash("after-send")
	if ctx.Err() != nil && !r.OK {
		return // the courier stops: the message goes back untouched
	}
	c.Metrics.delivered(d.Channel, r, c.Clock.Wall().Sub(began))
	if !r.OK {
		c.Logger.WarnContext(ctx, "notification not delivered", "notification", d.ID, "channel", d.Channel, "destination", d.Destination, "attempt", d.Attempts, "permanent", r.Permanent, "why", r.Error)
	}
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaseMargin/2)
	defer cancel()
	if err := c.Book.End(within, d, r); err != nil && !errors.Is(err, models.ErrStale) {
		c.Logger.ErrorContext(ctx, "write the outcome of a notification", "notification", d.ID, "err", err)
	}
}

// send hands the message to its channel. A panic in there is a failure of this message alone.
func (c *Courier) send(ctx context.Context, d models.Delivery) (r models.Result) {
	defer func() {
		if p := recover(); p != nil {
			c.Logger.ErrorContext(ctx, "panic while sending a notification", "notification", d.ID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			r = models.Result{Error: "Sending it failed on our side. The log says more."}
		}
	}()
	m := c.compose(d)
	switch {
	case d.Channel == models.ByMail && c.Mail == nil:
		return models.Result{Unset: true, Error: "No mail server is configured (SLIPWAY_SMTP_URL)."}
	case d.Channel == models.ByMail:
		return c.Mail.send(ctx, c.Clock.Wall(), m)
	}
	return c.callHook(ctx, d, m)
}
