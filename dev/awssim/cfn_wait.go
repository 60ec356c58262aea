package awssim

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// runCloudFormation is the ticker of stacks, stack sets and detections: mostly nothing is due,
// and one question tells.
func runCloudFormation(ctx context.Context, c *Call) error {
	var steps, instances, detections bool
	err := c.Tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM stack_steps WHERE due_at <= $1), EXISTS (SELECT 1 FROM stack_instances WHERE detailed = 'RUNNING' OR detailed = 'PENDING' AND start_at <= $1),
		EXISTS (SELECT 1 FROM drift_detections WHERE NOT done AND due_at <= $1)`, c.Now).Scan(&steps, &instances, &detections)
	if err != nil {
		return fmt.Errorf("look for what is due: %w", err)
	}
	for _, t := range []struct {
		due bool
		run ticker
	}{{steps, runDueSteps}, {instances, runStackSets}, {detections, runDetections}} {
		if !t.due {
			continue
		}
		if err := t.run(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// schedule keeps steps until they are due. One that waits for others has no time before the
// last of them is done, and then takes its pause.
func (c *Call) schedule(ctx context.Context, s *cfnStack, steps ...cfnStep) error {
	b := &pgx.Batch{}
	for _, step := range steps {
		waits := step.waits
		if waits == nil {
			waits = []string{}
		}
		b.Queue(`INSERT INTO stack_steps (stack, due_at, body, waits, pause) VALUES ($1, CASE WHEN cardinality($4::text[]) = 0 THEN $2::timestamptz ELSE 'infinity' END, $3, $4, $5)`,
			s.ID, step.due, step, waits, step.pause)
	}
	if err := c.Tx.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("schedule %s: %w", s.Name, err)
	}
	return nil
}

// release lets go on what waited for a resource.
func (c *Call) release(ctx context.Context, s *cfnStack, id string, at time.Time) error {
	_, err := c.Tx.Exec(ctx, `UPDATE stack_steps SET waits = array_remove(waits, $2), due_at = CASE WHEN waits <@ ARRAY[$2] THEN $3::timestamptz + pause ELSE due_at END
		WHERE stack = $1 AND waits @> ARRAY[$2]`, s.ID, id, at)
	if err != nil {
		return fmt.Errorf("go on after %s of %s: %w", id, s.Name, err)
	}
	return nil
}

// abandon gives up what waits for a resource that could not be removed, and what waits for
// that; only the end of the operation still comes.
func (c *Call) abandon(ctx context.Context, s *cfnStack, id string, at time.Time) error {
	for left := []string{id}; len(left) > 0; left = left[1:] {
		rows, err := c.Tx.Query(ctx, `DELETE FROM stack_steps WHERE stack = $1 AND waits @> ARRAY[$2] AND body->>'Kind' <> 'finish' RETURNING body->>'ID'`, s.ID, left[0])
		if err != nil {
			return fmt.Errorf("give up what waits for %s of %s: %w", left[0], s.Name, err)
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return fmt.Errorf("give up what waits for %s of %s: %w", left[0], s.Name, err)
		}
		left = append(left, ids...)
		if err := c.release(ctx, s, left[0], at); err != nil {
			return err
		}
	}
	return nil
}

// settled asks a type whether its resource may go on. When it may not, the step is put off:
// after a while that grows with the time waited, so that a long silence costs few questions.
func (c *Call) settled(ctx context.Context, s *cfnStack, r *cfnResource, step cfnStep, verb string) (ok bool, why string, err error) {
	b := behaviourOf(r.Type)
	if b.ready == nil || s.Instant {
		return true, "", nil
	}
	since := step.due
	if step.Since != nil {
		since = *step.Since
	}
	asked := c.asked // the caller's own question is not answered by what happens to be due
	waits, err := b.ready(ctx, c, s, r, verb, since, step.due)
	c.asked = asked
	var refused *APIError
	switch {
	case errors.As(err, &refused):
		return false, handlerWords(r, refused), nil
	case err != nil:
		return false, "", fmt.Errorf("ask whether %s is ready: %w", r.ID, err)
	case waits == "":
		return true, "", nil
	}
	patience := b.patience
	if patience == 0 {
		patience = usualPatience
	}
	end := since.Add(c.pause(s, patience))
	if !step.due.Before(end) {
		return false, fmt.Sprintf(`Resource handler returned message: "%s" (RequestToken: %s, HandlerErrorCode: NotStabilized)`, waits, newRequestID()), nil
	}
	next := step.due.Add(max(c.pause(s, lookAgain), step.due.Sub(since)/10, time.Microsecond))
	if next.After(end) {
		next = end
	}
	step.Since, step.Waits, step.due = &since, waits, next
	return false, "", c.schedule(ctx, s, step)
}

// slow is how much longer a rule makes the next change of a resource.
func (c *Call) slow(ctx context.Context, s *cfnStack, id string) (time.Duration, error) {
	r, err := c.faultOf(ctx, s.Account, s.Name, id, slowResource)
	if err != nil || r == nil {
		return 0, err
	}
	return time.Duration(r.DelayMS) * time.Millisecond, nil
}

// waits says what keeps the resources of a stack from going on.
func (c *Call) waits(ctx context.Context, s *cfnStack) (map[string]string, error) {
	rows, err := c.Tx.Query(ctx, `SELECT body->>'ID', body->>'Waits' FROM stack_steps WHERE stack = $1 AND body->>'Waits' <> ''`, s.ID)
	if err != nil {
		return nil, fmt.Errorf("read what %s waits for: %w", s.Name, err)
	}
	out := map[string]string{}
	var id, why string
	_, err = pgx.ForEachRow(rows, []any{&id, &why}, func() error { out[id] = why; return nil })
	if err != nil {
		return nil, fmt.Errorf("read what %s waits for: %w", s.Name, err)
	}
	return out, nil
}
