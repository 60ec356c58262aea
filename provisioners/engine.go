package provisioners

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"slipway/models"
)

// maxTries is how many calls of one step may end in an error in one attempt before the run stops in failed.
const maxTries = 8

// EngineOptions are the engine's parts and limits.
type EngineOptions struct {
	Journal       Journal
	Rules         Rules
	Provisioners  []Provisioner
	Vendor        Vendor // nil: no account can be created, AskSlot work fails in words
	DriftBook     DriftBook
	DriftChecker  DriftChecker // nil, like the book: drift work is not known to this worker
	HealthBook    HealthBook
	HealthChecker HealthChecker               // nil, like the book: checks of roles are not known to this worker
	Works         map[models.JournalKind]Work // kinds of work that other packages do
	Clock         models.Clock
	Logger        *slog.Logger
	Metrics       *Metrics                       // nil: none
	Owner         string                         // name of this worker process in leases; unique
	Lease         time.Duration                  // 0: 10 s
	Pace          float64                        // scales every delay between calls; 0: 1
	CallTimeout   time.Duration                  // one call of a step; 0: 60 s
	Slots         int                            // account creations at a time; 0: 1
	Crash         func(kind, step, point string) // development only: may end the process
}

// Engine plans requests, runs approved plans and takes failed ones back: one short call per wake-up, everything it knows in the journal.
type Engine struct {
	EngineOptions
	kinds        map[models.JournalKind]func(context.Context, *held) error
	provisioners map[models.RequestKind]Provisioner
}

// NewEngine makes an engine; two provisioners of one kind are a mistake of the program.
func NewEngine(o EngineOptions) (*Engine, error) {
	if o.Lease == 0 {
		o.Lease = 10 * time.Second
	}
	if o.Pace == 0 {
		o.Pace = 1
	}
	if o.CallTimeout == 0 {
		o.CallTimeout = time.Minute
	}
	if o.Slots == 0 {
		o.Slots = 1
	}
	if o.Crash == nil {
		o.Crash = func(string, string, string) {}
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	e := &Engine{EngineOptions: o, provisioners: map[models.RequestKind]Provisioner{}}
	for _, p := range o.Provisioners {
		if e.provisioners[p.Kind()] != nil {
			return nil, fmt.Errorf("two provisioners for %s", p.Kind())
		}
		e.provisioners[p.Kind()] = p
	}
	e.kinds = map[models.JournalKind]func(context.Context, *held) error{
		models.PlanWork: e.plan, models.RunWork: e.run, models.UndoWork: e.undo, models.VendWork: e.vend,
	}
	if o.DriftBook != nil && o.DriftChecker != nil {
		e.kinds[models.DriftWork] = e.drift
	}
	if o.HealthBook != nil && o.HealthChecker != nil {
		e.kinds[models.HealthWork] = e.health
	}
	for kind, work := range o.Works {
		if e.kinds[kind] != nil {
			return nil, fmt.Errorf("two ways to do %s work", kind)
		}
		e.kinds[kind] = func(ctx context.Context, h *held) error { return work(ctx, &Turn{h: h, e: e}) }
	}
	return e, nil
}

// Wake does one call's worth of work on a journal row. An error means that the journal could not be read; everything else is journaled.
func (e *Engine) Wake(ctx context.Context, wake models.WakeArgs) error {
	from := e.Clock.Wall() // before the database sets the lease: this worker may sleep at any point after
	job, err := e.Journal.Take(ctx, wake, e.Owner, e.Lease)
	if err != nil || job == nil {
		return err
	}
	ctx, h := e.hold(ctx, *job, from)
	defer h.stop()
	err = e.dispatch(ctx, h)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrStale) || errors.Is(context.Cause(ctx), ErrStale):
		e.Logger.InfoContext(ctx, "journal row lost to another worker", "kind", job.Kind, "object", job.ObjectID, "generation", job.Generation)
		return nil
	}
	e.Logger.ErrorContext(ctx, "journal row not worked", "kind", job.Kind, "object", job.ObjectID, "attempts", job.Attempts+1, "err", err)
	h.stop()
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), e.Lease) // after that another has the row anyway
	defer cancel()
	return e.Journal.End(ending, *job, Next{Delay: e.backOff(job.Attempts), Attempts: job.Attempts + 1})
}

func (e *Engine) dispatch(ctx context.Context, h *held) error {
	work := e.kinds[h.job.Kind]
	if work == nil {
		return fmt.Errorf("journal row of unknown kind %q", h.job.Kind)
	}
	return guard(func() error { return work(ctx, h) })
}

// call makes one outside call with its own deadline and span; a panic in it is an error like any other, so that it is counted.
func (e *Engine) call(ctx context.Context, h *held, what, step string, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, e.CallTimeout)
	defer cancel()
	ctx, span := otel.Tracer("slipway/provisioners").Start(ctx, string(h.job.Kind)+"."+what, trace.WithAttributes(
		attribute.String("slipway.object", h.job.ObjectID), attribute.String("slipway.step", step), attribute.Int64("slipway.generation", h.job.Generation)))
	defer span.End()
	err := guard(func() error { return do(ctx) })
	if err != nil {
		span.SetStatus(codes.Error, sentence(err))
	}
	return err
}

func guard(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return do()
}

// memory is what the engine keeps of one step between its calls; losing it costs a look, never a doubled change.
type memory struct {
	Step  string    `json:"step"`
	Poll  bool      `json:"poll,omitempty"` // Start was answered, or Find saw it working: Poll is asked next
	Looks int       `json:"looks,omitempty"`
	Stage int       `json:"stage,omitempty"` // Starts that were answered
	Gone  int       `json:"gone,omitempty"`  // looks in a row after Start that showed nothing
	Since time.Time `json:"since"`           // wall time of the first look in this attempt
}

func (e *Engine) recall(state json.RawMessage, step string) memory {
	var m memory
	if err := json.Unmarshal(state, &m); err != nil || m.Step != step {
		return memory{Step: step, Since: e.Clock.Wall()}
	}
	return m
}

func decodeUndo(state json.RawMessage) undoing {
	var u undoing
	if err := json.Unmarshal(state, &u); err != nil {
		return undoing{} // begins at the last step again; what is undone is skipped
	}
	return u
}
