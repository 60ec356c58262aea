package awssim

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// stackSet delivers one template to many accounts.
type stackSet struct {
	ID, Name, Account, Region string
	Description               string
	Definition                cfnDefinition
	Model                     string // SERVICE_MANAGED or SELF_MANAGED
	Auto, Retain, Managed     bool
	Units, Regions            []string // targets of auto-deployment
	Token                     string
	Created                   time.Time
}

func (set *stackSet) arn() string {
	return arn(cloudformation, set.Region, set.Account, "stackset/"+set.ID)
}

// stackInstance is a stack set in one account and region.
type stackInstance struct {
	Set, Account, Region string
	Unit                 string // the organizational unit it came by
	Status, Detailed     string
	Reason               string
	Stack                string
	Operation            string
	Start                time.Time // a pending one begins then
	Stamp                time.Time // when its state was last known to change
	Instant              bool
}

// stackSetOperation is one piece of work on a set.
type stackSetOperation struct {
	ID, Set, Action, Status, Reason string
	Created                         time.Time
	Ended                           *time.Time
	Units, Accounts, Regions        []string
	Retain                          bool
	Failed                          int
}

func (c *Call) saveSet(ctx context.Context, set *stackSet) error {
	_, err := c.Tx.Exec(ctx, `INSERT INTO stack_sets (id, account, region, name, created_at, body) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO UPDATE SET body = EXCLUDED.body`,
		set.ID, set.Account, set.Region, set.Name, set.Created, set)
	if err != nil {
		return fmt.Errorf("store stack set %s: %w", set.Name, err)
	}
	return nil
}

func (c *Call) stackSets(ctx context.Context, where string, args ...any) ([]*stackSet, error) {
	return bodies[*stackSet](ctx, c.Tx, `SELECT body FROM stack_sets WHERE `+where+` ORDER BY created_at, id`, args...)
}

func (c *Call) saveInstance(ctx context.Context, i *stackInstance) error {
	var stack *string
	if i.Stack != "" {
		stack = &i.Stack
	}
	_, err := c.Tx.Exec(ctx, `INSERT INTO stack_instances (stack_set, account, region, detailed, start_at, stack, body) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (stack_set, account, region) DO UPDATE SET detailed = EXCLUDED.detailed, start_at = EXCLUDED.start_at, stack = EXCLUDED.stack, body = EXCLUDED.body`,
		i.Set, i.Account, i.Region, i.Detailed, i.Start, stack, i)
	if err != nil {
		return fmt.Errorf("store stack instance in %s: %w", i.Account, err)
	}
	return nil
}

func (c *Call) instances(ctx context.Context, where string, args ...any) ([]*stackInstance, error) {
	return bodies[*stackInstance](ctx, c.Tx, `SELECT body FROM stack_instances WHERE `+where+` ORDER BY account, region`, args...)
}

func (c *Call) dropInstance(ctx context.Context, i *stackInstance) error {
	if _, err := c.Tx.Exec(ctx, `DELETE FROM stack_instances WHERE stack_set = $1 AND account = $2 AND region = $3`, i.Set, i.Account, i.Region); err != nil {
		return fmt.Errorf("drop stack instance in %s: %w", i.Account, err)
	}
	return nil
}

func (c *Call) saveSetOperation(ctx context.Context, o *stackSetOperation) error {
	_, err := c.Tx.Exec(ctx, `INSERT INTO stack_set_operations (id, stack_set, status, created_at, body) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO UPDATE SET status = EXCLUDED.status, body = EXCLUDED.body`,
		o.ID, o.Set, o.Status, o.Created, o)
	if err != nil {
		return fmt.Errorf("store operation of stack set %s: %w", o.Set, err)
	}
	return nil
}

func (c *Call) setOperations(ctx context.Context, where string, args ...any) ([]*stackSetOperation, error) {
	return bodies[*stackSetOperation](ctx, c.Tx, `SELECT body FROM stack_set_operations WHERE `+where+` ORDER BY created_at DESC, id`, args...)
}

// covers says whether a set delivers to accounts under a node, and by which of its targets.
func (c *Call) covers(ctx context.Context, set *stackSet, parent string) (string, error) {
	if parent == "" || !set.Auto {
		return "", nil
	}
	line, err := c.ancestry(ctx, parent)
	if err != nil {
		return "", err
	}
	for _, id := range append([]string{parent}, line...) {
		if slices.Contains(set.Units, id) {
			return id, nil
		}
	}
	return "", nil
}
