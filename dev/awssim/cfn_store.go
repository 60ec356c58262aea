package awssim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// cfnStack is a stack. Its row holds it as JSON beside the columns that are searched.
type cfnStack struct {
	ID, Account, Region, Name string
	Status, Reason            string
	Description               string
	Definition                cfnDefinition // what it was last made from
	Next                      *cfnDefinition
	RoleARN                   string
	RunAs                     Principal // who its resources are made by
	Outputs                   []cfnOutput
	ChangeSet                 string // the one executed last, or under review
	Created                   time.Time
	Updated, Deleted          *time.Time
	Protected                 bool
	DisableRollback           bool
	OnFailure                 string
	Operation, OperationType  string
	Token                     string
	Instant                   bool // seeded: takes no time
	Failed                    []string
	SkipDelete                []string // RetainResources of a delete
	SkipRestore               []string // ResourcesToSkip of a continued rollback
	RetainExceptOnCreate      bool
	Operations                []cfnOperation // newest first
	Making                    string         // the operation whose resources a rollback takes back
	Detailed                  string         // CONFIGURATION_COMPLETE near the end of an operation
	ForceDelete               bool           // what cannot be removed is left behind
	Drift                     *cfnStackDrift `json:",omitempty"` // by the last detection since the last change
}

type cfnOperation struct{ ID, Type string }

// cfnDefinition is all that decides what a stack holds.
type cfnDefinition struct {
	Template     string `json:",omitempty"`
	Digest       string `json:",omitempty"` // of the template, once it is stored
	Parameters   map[string]string
	Tags         map[string]string
	Capabilities []string
	Outputs      []cfnOutput
}

type cfnOutput struct{ Name, Value, Description, Export string }

// cfnResource is one resource of a stack.
type cfnResource struct {
	ID, Type, Physical  string
	Status, Reason      string
	At                  time.Time
	Properties          map[string]any
	Tags                map[string]string
	Attributes          map[string]any
	Depends             []string
	DeletionPolicy      string
	UpdateReplacePolicy string
	Operation           string       // the one that made it
	Old                 *cfnResource // as it was before the update under way
	Restored            bool         // by the rollback under way; Old is what was made in its place
	Detailed            string       `json:",omitempty"`

	byHand map[string]any // what was changed behind the stack's back: JSON pointers and what is there now
	gone   bool           // the same: deleted
	drift  *cfnDrift      // as last detected
}

// live says whether the resource is there, or may be.
func (r cfnResource) live() bool {
	return r.Status != "DELETE_COMPLETE" && r.Status != "DELETE_SKIPPED"
}

const deleted = "DELETE_COMPLETE"

// row is the stack without the texts of templates that are stored.
func (s *cfnStack) row() cfnStack {
	row := *s
	if row.Definition.Digest != "" {
		row.Definition.Template = ""
	}
	if s.Next != nil && s.Next.Digest != "" {
		next := *s.Next
		next.Template, row.Next = "", &next
	}
	return row
}

// saveStack writes a stack, new or not.
func (c *Call) saveStack(ctx context.Context, s *cfnStack) error {
	if err := errors.Join(c.keepTemplate(ctx, &s.Definition), c.keepTemplate(ctx, s.Next)); err != nil {
		return err
	}
	_, err := c.Tx.Exec(ctx, `INSERT INTO stacks (id, account, region, name, status, created_at, body) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (id) DO UPDATE SET status = EXCLUDED.status, body = EXCLUDED.body`,
		s.ID, s.Account, s.Region, s.Name, s.Status, s.Created, s.row())
	if err != nil {
		return fmt.Errorf("store stack %s: %w", s.Name, err)
	}
	return nil
}

// stacks reads stacks, newest first.
func (c *Call) stacks(ctx context.Context, where string, args ...any) ([]*cfnStack, error) {
	all, err := bodies[*cfnStack](ctx, c.Tx, `SELECT body FROM stacks WHERE `+where+` ORDER BY created_at DESC, id`, args...)
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		if err := errors.Join(c.fetchTemplate(ctx, &s.Definition), c.fetchTemplate(ctx, s.Next)); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (c *Call) stackByID(ctx context.Context, id string) (*cfnStack, error) {
	all, err := c.stacks(ctx, `id = $1`, id)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("stack %s is gone", id)
	}
	return all[0], nil
}

// bodies decodes a column of JSON.
func bodies[T any](ctx context.Context, tx pgx.Tx, query string, args ...any) ([]T, error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read the stacks' world: %w", err)
	}
	texts, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	if err != nil {
		return nil, fmt.Errorf("read the stacks' world: %w", err)
	}
	out := make([]T, len(texts))
	for i, text := range texts {
		if err := json.Unmarshal(text, &out[i]); err != nil {
			return nil, fmt.Errorf("decode the stacks' world: %w", err)
		}
	}
	return out, nil
}

// resources reads a stack's resources in the order they were first made.
func (c *Call) resources(ctx context.Context, stack string) ([]*cfnResource, error) {
	return c.resourcesWhere(ctx, `stack = $1`, stack)
}

func (c *Call) resource(ctx context.Context, stack, id string) (*cfnResource, error) {
	all, err := c.resourcesWhere(ctx, `stack = $1 AND id = $2`, stack, id)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return all[0], nil
}

func (c *Call) resourcesWhere(ctx context.Context, where string, args ...any) ([]*cfnResource, error) {
	rows, err := c.Tx.Query(ctx, `SELECT body, live, gone, drift FROM stack_resources WHERE `+where+` ORDER BY seq`, args...)
	if err != nil {
		return nil, fmt.Errorf("read resources: %w", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (*cfnResource, error) {
		r := &cfnResource{}
		return r, row.Scan(r, &r.byHand, &r.gone, &r.drift)
	})
	if err != nil {
		return nil, fmt.Errorf("read resources: %w", err)
	}
	return all, nil
}

func (c *Call) saveResource(ctx context.Context, s *cfnStack, r *cfnResource) error {
	b := &pgx.Batch{}
	queueResource(b, s, r, r.Physical)
	return c.send(ctx, s, b)
}

// queueResource stores a resource; shown is the id by which callers find it.
func queueResource(b *pgx.Batch, s *cfnStack, r *cfnResource, shown string) {
	b.Queue(`INSERT INTO stack_resources (stack, id, account, region, type, physical_id, status, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (stack, id) DO UPDATE SET type = EXCLUDED.type, physical_id = EXCLUDED.physical_id, status = EXCLUDED.status, body = EXCLUDED.body`,
		s.ID, r.ID, s.Account, s.Region, r.Type, shown, r.Status, r)
}

func (c *Call) send(ctx context.Context, s *cfnStack, b *pgx.Batch) error {
	if err := c.Tx.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("store what happens to %s: %w", s.Name, err)
	}
	return nil
}

// taken says whether some live resource, of any stack, has this physical id.
func (c *Call) taken(ctx context.Context, s *cfnStack, typ, physical string) (bool, error) {
	if behaviourOf(typ).sharesID {
		return false, nil
	}
	var yes bool
	err := c.Tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM stack_resources WHERE type = $1 AND physical_id = $2 AND account = $3 AND (region = $4 OR $5) AND status <> 'DELETE_COMPLETE' AND NOT gone)`,
		typ, physical, s.Account, s.Region, behaviourOf(typ).everywhere).Scan(&yes)
	if err != nil {
		return false, fmt.Errorf("look for %s %s: %w", typ, physical, err)
	}
	return yes, nil
}

// cfnEvent is what happened to a stack or a resource.
type cfnEvent struct {
	Stack, ID, Logical, Physical, Type, Status, Reason string
	Properties, Token, Operation, Kind                 string
	At                                                 time.Time
	Validation                                         *cfnValidation
	Detailed                                           string
	Seq                                                int64
}

// cfnValidation is what a check of a change set found.
type cfnValidation struct{ Name, Path, Reason string }

func (c *Call) event(ctx context.Context, s *cfnStack, e cfnEvent) error {
	b := &pgx.Batch{}
	queueEvent(b, s, e)
	return c.send(ctx, s, b)
}

func queueEvent(b *pgx.Batch, s *cfnStack, e cfnEvent) {
	if e.Kind == "" {
		e.Kind = "STACK_EVENT"
	}
	if e.Operation == "" {
		e.Operation = s.Operation
	}
	id := e.Logical + "-" + e.Status + "-" + newRequestID()
	if e.Logical == s.Name {
		id = newRequestID()
	}
	b.Queue(`INSERT INTO stack_events (stack, event_id, at, logical_id, physical_id, type, status, reason, properties, token, operation, kind, validation, detailed)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		s.ID, id, e.At, e.Logical, e.Physical, e.Type, e.Status, e.Reason, e.Properties, s.Token, e.Operation, e.Kind, e.Validation, e.Detailed)
}

// turn gives the stack a status, with its event.
func (c *Call) turn(ctx context.Context, s *cfnStack, status, reason string, at time.Time) error {
	s.Status, s.Reason, s.Detailed = status, reason, ""
	if !strings.HasSuffix(status, "_IN_PROGRESS") {
		if err := c.bill(ctx, s, at); err != nil {
			return err
		}
	}
	return c.event(ctx, s, cfnEvent{Logical: s.Name, Physical: s.ID, Type: "AWS::CloudFormation::Stack", Status: status, Reason: reason, At: at})
}

// turnResource gives a resource a status, with its event, and stores it.
func (c *Call) turnResource(ctx context.Context, s *cfnStack, r *cfnResource, status, reason string, at time.Time) error {
	return c.turnShown(ctx, s, r, r.Physical, status, reason, at)
}

// turnShown is the same for a resource whose id callers do not see yet.
func (c *Call) turnShown(ctx context.Context, s *cfnStack, r *cfnResource, shown, status, reason string, at time.Time) error {
	r.Status, r.Reason, r.At, r.Detailed = status, reason, at, ""
	properties, err := json.Marshal(r.Properties)
	if err != nil {
		return fmt.Errorf("properties of %s: %w", r.ID, err)
	}
	b := &pgx.Batch{}
	queueEvent(b, s, cfnEvent{Logical: r.ID, Physical: shown, Type: r.Type, Status: status, Reason: reason, Properties: string(properties), At: at})
	queueResource(b, s, r, shown)
	return c.send(ctx, s, b)
}
