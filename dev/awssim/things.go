package awssim

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// thing is something that exists in an account's service, whichever stack made it.
type thing struct {
	Account, Region, Type, Physical, ARN string
	Stack, StackName, Logical            string // empty for what was made beside all stacks
	Properties, Attributes               map[string]any
	Tags                                 map[string]string // all of them, the stack's too
	State                                map[string]any    // what its service knows beyond the properties
	Made                                 time.Time
	Gone                                 *time.Time // when it is going to be deleted for good
}

const thingColumns = `account, region, type, physical, arn, stack, stack_name, logical, properties, attributes, tags, state, made_at, gone_at`

// things reads what exists, oldest first. What was to be deleted later is not there any more
// when its time has come.
func (c *Call) things(ctx context.Context, where string, args ...any) ([]*thing, error) {
	query := fmt.Sprintf(`SELECT %s FROM things WHERE %s AND (gone_at IS NULL OR gone_at > $%d) ORDER BY made_at, physical`, thingColumns, where, len(args)+1)
	rows, err := c.Tx.Query(ctx, query, append(slices.Clone(args), c.Now)...)
	if err != nil {
		return nil, fmt.Errorf("read what exists: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[thing])
	if err != nil {
		return nil, fmt.Errorf("read what exists: %w", err)
	}
	out := make([]*thing, len(all))
	for i := range all {
		out[i] = &all[i]
		out[i].Made = all[i].Made.UTC()
	}
	return out, nil
}

// own are the caller's things of one type, in the region of the call.
func (c *Call) own(ctx context.Context, typ string) ([]*thing, error) {
	return c.things(ctx, `account = $1 AND region = $2 AND type = $3`, c.Account, c.Region, typ)
}

// thing finds one by its physical id; nil when there is none.
func (c *Call) thing(ctx context.Context, account, region, typ, physical string) (*thing, error) {
	all, err := c.things(ctx, `account = $1 AND region = $2 AND type = $3 AND physical = $4`, account, region, typ, physical)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return all[0], nil
}

// byARN finds one of a type by its ARN, in any account.
func (c *Call) byARN(ctx context.Context, typ, arn string) (*thing, error) {
	all, err := c.things(ctx, `type = $1 AND arn = $2`, typ, arn)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return all[0], nil
}

func (c *Call) putThing(ctx context.Context, t *thing) error {
	_, err := c.Tx.Exec(ctx, `INSERT INTO things (`+thingColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
		ON CONFLICT (account, region, type, physical) DO UPDATE SET arn = EXCLUDED.arn, stack = EXCLUDED.stack, stack_name = EXCLUDED.stack_name, logical = EXCLUDED.logical,
			properties = EXCLUDED.properties, attributes = EXCLUDED.attributes, tags = EXCLUDED.tags, state = EXCLUDED.state, made_at = EXCLUDED.made_at, gone_at = EXCLUDED.gone_at`,
		t.Account, t.Region, t.Type, t.Physical, t.ARN, t.Stack, t.StackName, t.Logical, object(t.Properties), object(t.Attributes), jsonText(t.Tags), object(t.State), t.Made, t.Gone)
	if err != nil {
		return fmt.Errorf("store %s %s: %w", t.Type, t.Physical, err)
	}
	return nil
}

func object(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

// know stores what a service knows of a thing.
func (c *Call) know(ctx context.Context, t *thing) error {
	_, err := c.Tx.Exec(ctx, `UPDATE things SET state = $5 WHERE account = $1 AND region = $2 AND type = $3 AND physical = $4`, t.Account, t.Region, t.Type, t.Physical, object(t.State))
	if err != nil {
		return fmt.Errorf("store state of %s %s: %w", t.Type, t.Physical, err)
	}
	return nil
}

// keepThing records what a stack made, changed or removed, after the type's own effect.
func (c *Call) keepThing(ctx context.Context, s *cfnStack, r *cfnResource, verb string, at time.Time) error {
	t, err := c.thing(ctx, s.Account, s.Region, r.Type, r.Physical)
	if err != nil {
		return err
	}
	switch {
	case verb == "delete" && t == nil:
		return nil
	case verb == "delete":
		return c.dropThing(ctx, t, at)
	case t == nil || verb == "create":
		before := t
		t = &thing{Account: s.Account, Region: s.Region, Type: r.Type, Physical: r.Physical, Made: at, State: map[string]any{}}
		if before != nil && before.Gone == nil {
			t.State = before.State
		}
	}
	t.Stack, t.StackName, t.Logical = s.ID, s.Name, r.ID
	t.Properties, t.Attributes, t.Tags = r.Properties, r.Attributes, maps.Clone(r.Tags)
	t.ARN = textOf(r.Attributes["Arn"])
	if t.ARN == "" {
		t.ARN = r.Physical
	}
	if len(t.Tags) > 0 {
		t.Tags["aws:cloudformation:stack-name"], t.Tags["aws:cloudformation:stack-id"], t.Tags["aws:cloudformation:logical-id"] = s.Name, s.ID, r.ID
	}
	return c.putThing(ctx, t)
}

// dropThing ends a thing: a KMS key waits for its deletion, everything else is gone at once.
func (c *Call) dropThing(ctx context.Context, t *thing, at time.Time) error {
	if t.Type == "AWS::KMS::Key" {
		days, ok := t.Properties["PendingWindowInDays"].(float64)
		if !ok {
			days = 30
		}
		gone := at.Add(time.Duration(days) * 24 * time.Hour)
		t.Gone = &gone
		return c.putThing(ctx, t)
	}
	if _, err := c.Tx.Exec(ctx, `DELETE FROM things WHERE account = $1 AND region = $2 AND type = $3 AND physical = $4`, t.Account, t.Region, t.Type, t.Physical); err != nil {
		return fmt.Errorf("remove %s %s: %w", t.Type, t.Physical, err)
	}
	return nil
}

// decoded reads JSON a thing holds into a structure of the SDK, whose members have the same
// names as CloudFormation's where the two agree.
func decoded[T any](v any) (T, error) {
	var out T
	b, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		return out, fmt.Errorf("read what exists: %w", err)
	}
	return out, nil
}

// listOf is a property that is a list of structures.
func listOf(v any) []map[string]any {
	var out []map[string]any
	list, _ := v.([]any)
	for _, item := range list {
		if m, ok := item.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

// numberOf is a property that is a number, or one in text, as CloudFormation takes both.
func numberOf(v any, otherwise float64) float64 {
	switch x := v.(type) {
	case float64:
		return x
	case string:
		var n float64
		if _, err := fmt.Sscanf(x, "%g", &n); err == nil {
			return n
		}
	}
	return otherwise
}

// yes is a property that is true, or "true".
func yes(v any) bool { return v == true || v == "true" }

// mapOf is a property that is a structure.
func mapOf(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}
