package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"slipway/models"
)

type slotRow struct {
	AccountID string
	RunID     string
	AskedAt   time.Time
	TakenAt   *time.Time
	FreedAt   *time.Time
	Outcome   string
	Failure   jsonb
}

func (r slotRow) model() (models.CreationSlot, error) {
	m := models.CreationSlot{AccountID: r.AccountID, RunID: r.RunID, AskedAt: r.AskedAt, TakenAt: value(r.TakenAt), FreedAt: value(r.FreedAt), Outcome: r.Outcome}
	if len(r.Failure) > 0 {
		m.Failure = &models.Failure{}
	}
	return m, r.Failure.decode(m.Failure)
}

func findSlot(db *gorm.DB, accountID string) (models.CreationSlot, error) {
	r, err := one[slotRow](db, `SELECT account_id, run_id, asked_at, taken_at, freed_at, outcome, failure FROM creation_slots WHERE account_id = ?`, accountID)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return models.CreationSlot{}, nil
	}
	if err != nil {
		return models.CreationSlot{}, fmt.Errorf("read the creation slot of %s: %w", accountID, err)
	}
	return r.model()
}

// Slot reads an account's claim on a creation slot; the zero value when none was ever made.
func (g *Registry) Slot(ctx context.Context, accountID string) (models.CreationSlot, error) {
	slot, err := findSlot(g.s.read(ctx), accountID)
	return slot, translate(err)
}

// AskSlot queues an account for a creation slot. An open claim stays in its place; one that was freed without an account goes to the end.
func (g *Registry) AskSlot(ctx context.Context, actor models.Actor, runID, accountID string) error {
	return g.s.tx(ctx, func(t *tx) error {
		if err := t.slotQueue(); err != nil {
			return err
		}
		account, err := one[accountRecord](t.db, `SELECT `+accountColumns+` FROM accounts a WHERE id = ? FOR UPDATE`, accountID)
		if err != nil {
			return fmt.Errorf("read account %s: %w", accountID, err)
		}
		slot, err := findSlot(t.db, accountID)
		if err != nil || slot.Open() || account.AWSID != nil {
			return err
		}
		err = t.db.Exec(`INSERT INTO creation_slots (account_id, run_id, asked_at) VALUES (?, ?, ?)
			ON CONFLICT (account_id) DO UPDATE SET run_id = EXCLUDED.run_id, asked_at = EXCLUDED.asked_at, taken_at = NULL, freed_at = NULL, outcome = '', failure = NULL`,
			accountID, runID, t.now()).Error
		if err != nil {
			return fmt.Errorf("ask for a creation slot for %s: %w", account.Name, err)
		}
		err = t.audit(actor, "account.slot", about{string(models.AccountObject), accountID, account.Name, account.TenantID}, nil, map[string]any{"run": runID})
		if err != nil {
			return err
		}
		return t.enqueue(models.VendWork, accountID, 0)
	})
}

// slotQueue lets one at a time change who holds and who waits, across all processes.
func (t *tx) slotQueue() error {
	if _, err := t.pgx.Exec(t.ctx, `SELECT pg_advisory_xact_lock(hashtextextended('creation_slots', 0))`); err != nil {
		return fmt.Errorf("queue for creation slots: %w", err)
	}
	return nil
}

// SlotPlace tells how many accounts wait in front of this one, and how many creations are under way.
func (g *Registry) SlotPlace(ctx context.Context, accountID string) (models.QueuePlace, error) {
	p, err := one[models.QueuePlace](g.s.read(ctx), `SELECT count(*) FILTER (WHERE o.taken_at IS NULL AND mine.taken_at IS NULL
				AND (o.asked_at, o.account_id) < (mine.asked_at, mine.account_id)) AS ahead,
			count(*) FILTER (WHERE o.taken_at IS NOT NULL) AS busy
		FROM creation_slots mine LEFT JOIN creation_slots o ON o.freed_at IS NULL AND o.account_id <> mine.account_id
		WHERE mine.account_id = ? AND mine.freed_at IS NULL`, accountID)
	if err != nil {
		return models.QueuePlace{}, translate(fmt.Errorf("read the place of %s in the queue: %w", accountID, err))
	}
	p.Slots = g.s.opt.Slots
	return p, nil
}

// TakeSlot gives the account a creation slot when one is free and nobody waits in front, and loads what its creation needs.
func (j *Journal) TakeSlot(ctx context.Context, job models.Job, slots int) (rec models.VendRecord, ok bool, err error) {
	err = j.s.tx(ctx, func(t *tx) (err error) {
		ok = false
		if err := t.slotQueue(); err != nil {
			return err
		}
		if err := t.fence(job); err != nil {
			return err
		}
		if rec, err = t.vendRecord(job.ObjectID); err != nil || !rec.Slot.Open() {
			return err
		}
		if !rec.Slot.TakenAt.IsZero() {
			ok = true
			return nil
		}
		type queue struct{ Busy, Ahead int }
		q, err := one[queue](t.db, `SELECT count(*) FILTER (WHERE taken_at IS NOT NULL) AS busy,
				count(*) FILTER (WHERE taken_at IS NULL AND (asked_at, account_id) < (?, ?::uuid)) AS ahead
			FROM creation_slots WHERE freed_at IS NULL AND account_id <> ?`, rec.Slot.AskedAt, job.ObjectID, job.ObjectID)
		if err != nil {
			return fmt.Errorf("read the queue for creation slots: %w", err)
		}
		if q.Busy+q.Ahead >= slots {
			return nil
		}
		if err := t.db.Exec(`UPDATE creation_slots SET taken_at = ? WHERE account_id = ?`, t.now(), job.ObjectID).Error; err != nil {
			return fmt.Errorf("take a creation slot: %w", err)
		}
		ok = true
		return nil
	})
	return rec, ok, err
}

func (t *tx) vendRecord(accountID string) (models.VendRecord, error) {
	var rec models.VendRecord
	a, err := one[accountRecord](t.db, `SELECT `+accountColumns+` FROM accounts a WHERE id = ?`, accountID)
	if err != nil {
		return rec, fmt.Errorf("read account %s: %w", accountID, err)
	}
	rec.Account = a.model()
	if rec.Slot, err = findSlot(t.db, accountID); err != nil || rec.Slot.RunID == "" {
		return rec, err
	}
	tenant, err := findTenant(t.db, a.TenantID)
	if err != nil {
		return rec, err
	}
	rec.Tenant = *tenant // accounts.tenant_id references it
	type run struct{ RequestID, StartedBy string }
	r, err := one[run](t.db, `SELECT request_id, started_by FROM runs WHERE id = ?`, rec.Slot.RunID)
	rec.RunID, rec.RequestID, rec.StartedBy = rec.Slot.RunID, r.RequestID, r.StartedBy
	return rec, err
}

// EndVend writes what one call made of a creation: what AWS said of the account, and the slot freed when it is over. An account that
// comes after its run has given up is recorded all the same, and marked.
func (j *Journal) EndVend(ctx context.Context, job models.Job, out models.VendOutcome) error {
	return j.s.tx(ctx, func(t *tx) error {
		if err := t.slotQueue(); err != nil {
			return err
		}
		rec, err := t.vendRecord(job.ObjectID)
		if err != nil {
			return err
		}
		// The run's request is locked before the journal row, in the order of everybody else.
		req, err := t.loadRequest(rec.RequestID)
		if err != nil {
			return err
		}
		if err := t.fence(job); err != nil {
			return err
		}
		actor := engine(req)
		late := out.AWSID != "" && req.State != models.Running && req.State != models.Stopping
		err = t.saveAccount(actor, job.ObjectID, func(a *models.Account) {
			if out.CreateID != "" {
				a.CreateID = out.CreateID
			}
			if out.AWSState != "" {
				a.AWSState, a.AWSStateAt = out.AWSState, t.s.clock.Wall()
			}
			if out.AWSID != "" {
				a.AWSID, a.Late = out.AWSID, a.Late || late
			}
		})
		if err != nil {
			return err
		}
		if out.Outcome != "" {
			if err := t.freeSlot(req, rec, out, late); err != nil {
				return err
			}
		}
		if err := t.wakeRequest(req); err != nil {
			return err
		}
		return t.endJob(job, out.Next)
	})
}

// freeSlot gives the slot back and wakes who waits for it: the run of this account and the next accounts in the queue.
func (t *tx) freeSlot(req models.Request, rec models.VendRecord, out models.VendOutcome, late bool) error {
	failure, err := document(out.Failure)
	if err != nil {
		return err
	}
	err = t.db.Exec(`UPDATE creation_slots SET freed_at = ?, outcome = ?, failure = ?::jsonb WHERE account_id = ?`, t.now(), out.Outcome, failure, rec.Account.ID).Error
	if err != nil {
		return fmt.Errorf("free the creation slot of %s: %w", rec.Account.Name, err)
	}
	if late {
		if err := t.lateEvent(req, rec, out); err != nil {
			return err
		}
	}
	if err := t.nudge(models.RunWork, req.ID); err != nil {
		return err
	}
	waiting, err := many[string](t.db, `SELECT account_id FROM creation_slots WHERE freed_at IS NULL AND taken_at IS NULL ORDER BY asked_at, account_id LIMIT 5`)
	if err != nil {
		return fmt.Errorf("read who waits for a creation slot: %w", err)
	}
	for _, id := range waiting {
		if err := t.nudge(models.VendWork, id); err != nil {
			return err
		}
	}
	return nil
}

// lateEvent tells in the run's log that an account came after the run had given up on it.
func (t *tx) lateEvent(req models.Request, rec models.VendRecord, out models.VendOutcome) error {
	type row struct{ ID string }
	steps, err := many[row](t.db, `SELECT id FROM steps WHERE run_id = ? AND name = ?`, rec.RunID, "account.create."+string(rec.Account.Class))
	if err != nil || len(steps) == 0 {
		return err
	}
	return t.writeEvents(rec.RunID, steps[0].ID, []models.StepEvent{{Key: "late", Level: "warn",
		Text: fmt.Sprintf("Account %s (%s) has arrived after this run had ended. It is recorded on the tenant; a retry goes on with it.", rec.Account.Name, out.AWSID)}})
}
