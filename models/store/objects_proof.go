package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"slipway/models"
)

// SaveRunResources upserts the resources of a run's steps and wakes its page. One without a start keeps the one it had.
func (g *Registry) SaveRunResources(ctx context.Context, runID string, resources []models.RunResource) error {
	if len(resources) == 0 {
		return nil
	}
	return g.s.tx(ctx, func(t *tx) error {
		for _, r := range resources {
			_, err := t.pgx.Exec(t.ctx, `INSERT INTO run_resources (run_id, step, logical_id, physical_id, type, status, reason, started_at, ended_at, root)
				VALUES ($1, $2, $3, $4, $5, $6, left($7, 2000), COALESCE($8::timestamptz, $11), $9, $10) ON CONFLICT (run_id, step, logical_id) DO UPDATE SET physical_id = EXCLUDED.physical_id,
				type = EXCLUDED.type, status = EXCLUDED.status, reason = EXCLUDED.reason, started_at = COALESCE($8, run_resources.started_at), ended_at = EXCLUDED.ended_at, root = EXCLUDED.root`,
				runID, r.Step, r.LogicalID, r.PhysicalID, r.Type, r.Status, r.Reason, timeOrNull(r.StartedAt), timeOrNull(r.EndedAt), r.Root, t.s.clock.Wall())
			if err != nil {
				return fmt.Errorf("write resource %s of run %s: %w", r.LogicalID, runID, err)
			}
		}
		return t.notify("run:" + runID)
	})
}

func readRunResources(db *gorm.DB, runID string) ([]models.RunResource, error) {
	type row struct {
		models.RunResource `gorm:"embedded"`
		Ended              *time.Time
	}
	rows, err := many[row](db, `SELECT step, logical_id, physical_id, type, status, reason, started_at, ended_at AS ended, root FROM run_resources
		WHERE run_id = ? ORDER BY step, root DESC, started_at, logical_id LIMIT 2000`, runID)
	if err != nil {
		return nil, fmt.Errorf("read the resources of run %s: %w", runID, err)
	}
	list := make([]models.RunResource, 0, len(rows))
	for _, r := range rows {
		r.EndedAt = value(r.Ended)
		list = append(list, r.RunResource)
	}
	return list, nil
}

// receiptContent is what a receipt's row keeps as one document.
type receiptContent struct {
	Gone      []models.ReceiptLine `json:"gone"`
	Left      []models.ReceiptLine `json:"left"`
	ScannedIn []string             `json:"scanned_in"`
	CannotSee []string             `json:"cannot_see,omitempty"`
	Emptied   []string             `json:"emptied,omitempty"`
}

// WriteReceipt writes the receipt of a request, once.
func (g *Registry) WriteReceipt(ctx context.Context, actor models.Actor, r models.Receipt) error {
	return g.s.tx(ctx, func(t *tx) error {
		doc, err := document(receiptContent{r.Gone, r.Left, r.ScannedIn, r.CannotSee, r.Emptied})
		if err != nil {
			return err
		}
		res := t.db.Exec(`INSERT INTO receipts (id, object_type, object_id, object_name, tenant_id, request_id, content, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (request_id) DO NOTHING`, models.NewID(), r.ObjectType, r.ObjectID, r.ObjectName, r.TenantID, r.RequestID, doc, t.now())
		if res.Error != nil {
			return fmt.Errorf("write the receipt of %s: %w", r.ObjectName, res.Error)
		}
		if res.RowsAffected == 0 {
			return nil
		}
		return t.audit(actor, string(r.ObjectType)+".receipt", about{string(r.ObjectType), r.ObjectID, r.ObjectName, r.TenantID}, nil,
			map[string]any{"gone": len(r.Gone), "left": r.Left, "cannot_see": r.CannotSee})
	})
}

// readReceipt is the newest receipt of an object, or of the tenant that it was deleted with; nil when there is none.
func readReceipt(db *gorm.DB, objectID string) (*models.Receipt, error) {
	type row struct {
		ID, ObjectID, ObjectName, TenantID, RequestID string
		ObjectType                                    models.ObjectType
		Content                                       jsonb
		At                                            time.Time
	}
	rows, err := many[row](db, `SELECT id, object_type, object_id, object_name, tenant_id, request_id, content, at FROM receipts
		WHERE object_id = ? OR object_type = 'tenant' AND object_id = (SELECT tenant_id FROM stacks WHERE object_id = ?) ORDER BY object_id = ? DESC, at DESC LIMIT 1`,
		objectID, objectID, objectID)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	r := rows[0]
	var c receiptContent
	if err := r.Content.decode(&c); err != nil {
		return nil, err
	}
	return &models.Receipt{ID: r.ID, ObjectType: r.ObjectType, ObjectID: r.ObjectID, ObjectName: r.ObjectName, TenantID: r.TenantID, RequestID: r.RequestID,
		Gone: c.Gone, Left: c.Left, ScannedIn: c.ScannedIn, CannotSee: c.CannotSee, Emptied: c.Emptied, At: r.At}, nil
}

// OpenChangeSets lists the request's change sets that have not ended, newest first.
func (g *Registry) OpenChangeSets(ctx context.Context, requestID string) ([]models.ChangeSet, error) {
	sets, err := many[models.ChangeSet](g.s.read(ctx), `SELECT id, request_id, account, region, stack_name, name, type, made_at FROM change_sets
		WHERE request_id = ? AND ended_at IS NULL ORDER BY made_at DESC, id`, requestID)
	if err != nil {
		return nil, translate(fmt.Errorf("list the change sets of %s: %w", requestID, err))
	}
	return sets, nil
}
