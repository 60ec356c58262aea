// Package rollup reads what happens in all accounts, again and again: costs, budgets, health. A collector reads one target per round;
// rounds are journaled like runs, so that any worker goes on where another died.
package rollup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"slipway/models"
	"slipway/provisioners"
)

// roundsAtOnce bounds one sweep; the next goes on.
const roundsAtOnce = 200

// maxTries is how many calls of a round may fail for reasons that pass by themselves. After that the next turn tries again.
const maxTries = 3

// Collector reads one kind of figures. Its calls are bounded by the context, and by AWS's own limits.
type Collector interface {
	Info() models.CollectorInfo
	// Collect makes one call's worth of reading. An error means that nothing could be read; one that is Unreadable says why.
	Collect(ctx context.Context, target models.CollectTarget) (models.Reading, error)
}

// Unreadable is an error that knows what it means for a reader.
type Unreadable interface {
	error
	Gap() models.ReadGap
}

// Book is where rounds are kept.
type Book interface {
	StartDue(ctx context.Context, collectors []models.CollectorInfo, limit int) (int, error)
	Target(ctx context.Context, job models.Job) (models.CollectTarget, error)
	Keep(ctx context.Context, job models.Job, target models.CollectTarget, reading models.Reading, round models.CollectRound, next models.NextCall) error
}

// Rounds are the collectors and their book.
type Rounds struct {
	Book       Book
	Clock      models.Clock
	Logger     *slog.Logger
	collectors map[models.CollectorName]Collector
	infos      []models.CollectorInfo
}

// New registers collectors; two of one name are a mistake of the program.
func New(book Book, clock models.Clock, logger *slog.Logger, collectors ...Collector) (*Rounds, error) {
	r := &Rounds{Book: book, Clock: clock, Logger: logger, collectors: map[models.CollectorName]Collector{}}
	for _, c := range collectors {
		info := c.Info()
		if r.collectors[info.Name] != nil {
			return nil, fmt.Errorf("two collectors of the name %s", info.Name)
		}
		r.collectors[info.Name] = c
		r.infos = append(r.infos, info)
	}
	return r, nil
}

// Infos lists the collectors in their order.
func (r *Rounds) Infos() []models.CollectorInfo {
	return append([]models.CollectorInfo(nil), r.infos...)
}

// Sweep starts the rounds that are due.
func (r *Rounds) Sweep(ctx context.Context) error {
	for {
		n, err := r.Book.StartDue(ctx, r.infos, roundsAtOnce)
		if err != nil || n < roundsAtOnce {
			return err
		}
	}
}

// Work makes one call of a round.
func (r *Rounds) Work(ctx context.Context, turn *provisioners.Turn) error {
	job := turn.Job()
	target, err := r.Book.Target(ctx, job)
	if models.KindOf(err) == models.NotFound {
		return r.keep(ctx, turn, target, models.Reading{}, models.CollectRound{}, models.NextCall{Done: true})
	}
	if err != nil {
		return err
	}
	round := models.CollectRound{Began: r.Clock.Wall()}
	if len(job.State) > len("{}") {
		if err := json.Unmarshal(job.State, &round); err != nil {
			return fmt.Errorf("read the round of collector %s: %w", target.Collector, err)
		}
	}
	c := r.collectors[target.Collector]
	if c == nil {
		return fmt.Errorf("collector %q is not known to this version", target.Collector)
	}
	target.Cursor = round.Cursor
	reading, err := collect(ctx, turn, c, target, &round)
	turn.Crash("collect", string(target.Collector), "after-aws-call")
	if err != nil && turn.Lost(ctx, err) {
		return provisioners.ErrStale
	}
	next := models.NextCall{Done: true}
	if err != nil {
		gap := gapOf(c.Info(), err)
		r.Logger.WarnContext(ctx, "collector could not read", "collector", target.Collector, "account", target.AWSID, "region", target.Region, "tries", job.Attempts+1, "why", gap.Kind, "err", err)
		if gap.Kind.Passes() && job.Attempts+1 < maxTries {
			next = models.NextCall{Delay: turn.BackOff(job.Attempts), Attempts: job.Attempts + 1}
			return r.keep(ctx, turn, target, models.Reading{}, round, next)
		}
		reading = models.Reading{Gaps: []models.ReadGap{gap}}
	}
	round.Add(reading)
	next.Done = reading.Next == nil
	return r.keep(ctx, turn, target, reading, round, next)
}

// collect makes the call and counts what it took.
func collect(ctx context.Context, turn *provisioners.Turn, c Collector, target models.CollectTarget, round *models.CollectRound) (reading models.Reading, err error) {
	counted, tally := provisioners.WithTally(ctx)
	err = turn.Call(counted, "read", string(target.Collector), func(ctx context.Context) (err error) {
		reading, err = c.Collect(ctx, target)
		return err
	})
	calls, throttles := tally.Counts()
	round.Calls += calls
	round.Throttles += throttles
	return reading, err
}

func (r *Rounds) keep(ctx context.Context, turn *provisioners.Turn, target models.CollectTarget, reading models.Reading, round models.CollectRound, next models.NextCall) error {
	turn.Rest()
	if err := r.Book.Keep(ctx, turn.Job(), target, reading, round, next); err != nil {
		return err
	}
	turn.Crash("collect", string(target.Collector), "after-outcome-commit")
	return nil
}

// gapOf says what an error means for whoever looks at the figures. What nobody knows the meaning of may pass by itself.
func gapOf(c models.CollectorInfo, err error) models.ReadGap {
	var known Unreadable
	if errors.As(err, &known) {
		g := known.Gap()
		if g.What == "" {
			g.What = strings.ToLower(c.Title)
		}
		return g
	}
	words, _, _ := strings.Cut(err.Error(), "\n")
	if errors.Is(err, context.DeadlineExceeded) {
		words = "AWS did not answer in time."
	}
	return models.ReadGap{What: strings.ToLower(c.Title), Kind: models.GapUnavailable, Words: words}
}
