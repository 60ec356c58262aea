package delivery

import (
	"context"
	"encoding/json"
	"fmt"

	"slipway/models"
	"slipway/provisioners"
)

// Watch does what a person asked of a pipeline's executions, one thing a call, and then reads them. A look that takes several calls goes on with
// its cursor; a worker that dies repeats one call, and what it kept before stays.
func (d *Delivery) Watch(ctx context.Context, turn *provisioners.Turn) error {
	job := turn.Job()
	look, err := d.Book.Watched(ctx, job)
	if models.KindOf(err) == models.NotFound {
		turn.Rest()
		return d.Book.End(ctx, job, models.NextCall{Done: true})
	}
	if err != nil {
		return err
	}
	if look.Order != nil {
		return d.steer(ctx, turn, look)
	}
	var round models.WatchRound
	if len(job.State) > len("{}") {
		if err := json.Unmarshal(job.State, &round); err != nil {
			return fmt.Errorf("read where the look at pipeline %s stands: %w", look.Pipeline.ID, err)
		}
	}
	return d.read(ctx, turn, look.Pipeline, round)
}

func (d *Delivery) steer(ctx context.Context, turn *provisioners.Turn, look models.WatchLook) error {
	job := turn.Job()
	err := turn.Call(ctx, "steer", look.Order.Verb, func(ctx context.Context) error { return d.Cloud.Steer(ctx, look.Pipeline, *look.Order) })
	turn.Crash("watch", look.Order.Verb, "after-aws-call")
	if err != nil && turn.Lost(ctx, err) {
		return provisioners.ErrStale
	}
	failure := ""
	if err != nil {
		gap := gapOf("the order", err)
		d.Logger.WarnContext(ctx, "execution not steered", "pipeline", look.Pipeline.ID, "verb", look.Order.Verb, "tries", job.Attempts+1, "err", err)
		if gap.Kind.Passes() && job.Attempts+1 < maxTries {
			turn.Rest()
			return d.Book.End(ctx, job, models.NextCall{Delay: turn.BackOff(job.Attempts), Attempts: job.Attempts + 1})
		}
		failure = gap.Words
	}
	turn.Rest()
	if err := d.Book.EndOrder(ctx, job, *look.Order, failure, models.NextCall{State: models.WatchRound{}}); err != nil {
		return err
	}
	turn.Crash("watch", look.Order.Verb, "after-outcome-commit")
	return nil
}

func (d *Delivery) read(ctx context.Context, turn *provisioners.Turn, p models.Pipeline, round models.WatchRound) error {
	job := turn.Job()
	var reading models.PipelineReading
	err := turn.Call(ctx, "read", "executions", func(ctx context.Context) (err error) {
		reading, err = d.Cloud.ReadPipeline(ctx, p, round.Cursor)
		return err
	})
	turn.Crash("watch", "read", "after-aws-call")
	if err != nil && turn.Lost(ctx, err) {
		return provisioners.ErrStale
	}
	next := models.NextCall{Done: true, State: models.WatchRound{}}
	if err != nil {
		gap := gapOf("its executions", err)
		d.Logger.WarnContext(ctx, "pipeline not read", "pipeline", p.ID, "tries", job.Attempts+1, "why", gap.Kind, "err", err)
		if gap.Kind.Passes() && job.Attempts+1 < maxTries {
			turn.Rest()
			return d.Book.End(ctx, job, models.NextCall{Delay: turn.BackOff(job.Attempts), Attempts: job.Attempts + 1})
		}
		reading = models.PipelineReading{Gap: &gap}
	} else if reading.Next != nil {
		next = models.NextCall{State: models.WatchRound{Cursor: reading.Next}}
	}
	turn.Rest()
	if err := d.Book.KeepReading(ctx, job, p.ID, reading, next); err != nil {
		return err
	}
	turn.Crash("watch", "read", "after-outcome-commit")
	return nil
}
