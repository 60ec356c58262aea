package stream

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/a-h/templ"
	"github.com/gofiber/fiber/v2"

	"slipway/handlers/visit"
)

// EndEvent follows the last fragment of something that has settled; sse-close="end" keeps the browser from coming back.
const EndEvent = "end"

// Source is what one stream shows.
type Source struct {
	Event   string          // name of the events, as sse-swap has it; empty means "message"
	Changes <-chan struct{} // a token for each change; several may fall together
	Close   func()          // ends the subscription to Changes; called once, also when the stream is refused
	// Render makes the whole fragment as it is now. done ends the stream after it.
	Render func(ctx context.Context) (fragment templ.Component, done bool, err error)
}

// Serve answers with the stream, or with 204 when there are too many, on which the page polls instead. The first
// fragment is rendered before the answer begins, so that its error becomes an ordinary error page.
func (h *Hub) Serve(c *fiber.Ctx, src Source) error {
	session := visit.Of(c).SessionID
	if !h.take(session) {
		src.Close()
		return c.SendStatus(http.StatusNoContent)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.UserContext()), h.limits.Life)
	stop := context.AfterFunc(h.ctx, cancel)
	w := &writer{src: src, limits: h.limits}
	finish := func() {
		stop()
		cancel()
		src.Close()
		h.release(session)
	}
	first, done, err := w.render(ctx)
	if err != nil {
		finish()
		return err
	}
	c.Set(fiber.HeaderContentType, "text/event-stream; charset=utf-8")
	c.Set("X-Accel-Buffering", "no")
	r, pipe := io.Pipe()
	w.out = pipe
	Send(c, r, h.limits.Write)
	go func() {
		defer finish()
		w.run(ctx, first, done)
	}()
	return nil
}

type writer struct {
	src    Source
	limits Limits
	out    *io.PipeWriter
	last   []byte
}

// run writes fragments until the life of the stream ends, the client leaves or the thing shown settles.
func (w *writer) run(ctx context.Context, fragment []byte, done bool) {
	defer w.out.Close()
	unblock := context.AfterFunc(ctx, func() { w.out.Close() }) // a client that reads nothing cannot hold a shutdown up
	defer unblock()
	if _, err := fmt.Fprint(w.out, "retry: 1000\n\n"); err != nil {
		return
	}
	heartbeat := time.NewTimer(w.limits.Heartbeat)
	defer heartbeat.Stop()
	for {
		if err := w.send(fragment); err != nil {
			return
		}
		if done {
			fmt.Fprintf(w.out, "event: %s\ndata: settled\n\n", EndEvent)
			return
		}
		heartbeat.Reset(w.limits.Heartbeat)
		if !w.await(ctx, heartbeat) {
			return
		}
		var err error
		if fragment, done, err = w.render(ctx); err != nil {
			if ctx.Err() == nil {
				slog.WarnContext(ctx, "stream ended", "err", err)
			}
			return
		}
	}
}

// await blocks until something changed, writing heartbeats meanwhile; false when the stream is over.
func (w *writer) await(ctx context.Context, heartbeat *time.Timer) bool {
	for {
		select {
		case <-ctx.Done():
			return false
		case <-heartbeat.C:
			if _, err := io.WriteString(w.out, ": alive\n\n"); err != nil {
				return false
			}
			heartbeat.Reset(w.limits.Heartbeat)
		case _, open := <-w.src.Changes:
			if !open {
				return false
			}
			return w.settle(ctx)
		}
	}
}

// settle lets a burst of changes pass, then forgets it: one render shows them all.
func (w *writer) settle(ctx context.Context) bool {
	gap := time.NewTimer(w.limits.Gap)
	defer gap.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-gap.C:
			return true
		case _, open := <-w.src.Changes:
			if !open {
				return false
			}
		}
	}
}

// send writes a fragment as one event, unless the client has it already.
func (w *writer) send(fragment []byte) error {
	if bytes.Equal(fragment, w.last) {
		return nil
	}
	w.last = fragment
	var b bytes.Buffer
	if w.src.Event != "" {
		fmt.Fprintf(&b, "event: %s\n", w.src.Event)
	}
	for line := range bytes.Lines(fragment) {
		b.WriteString("data: ")
		b.Write(bytes.TrimRight(line, "\r\n"))
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	_, err := w.out.Write(b.Bytes())
	return err
}

// renderTime bounds one render, which asks the database.
const renderTime = 10 * time.Second

// render makes one fragment. It runs outside the request's own recover, so a panic becomes an error here.
func (w *writer) render(ctx context.Context) (fragment []byte, done bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, renderTime)
	defer cancel()
	part, done, err := w.src.Render(ctx)
	if err != nil {
		return nil, false, err
	}
	var b bytes.Buffer
	if err := part.Render(ctx, &b); err != nil {
		return nil, false, fmt.Errorf("render stream fragment: %w", err)
	}
	return b.Bytes(), done, nil
}
