package provisioners

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"slipway/models"
)

// healthLimit is how long one check may take, in wall time.
const healthLimit = 30 * time.Minute

// accountChecksAtOnce bounds one sweep of daily checks; the next goes on.
const accountChecksAtOnce = 50

// HealthBook is where checks of Slipway's roles are kept. Checks are journaled work (models.HealthWork).
type HealthBook interface {
	// StartDue starts the checks whose turn it is in product time, and puts each one's next turn off.
	StartDue(ctx context.Context, limit int) (int, error)
	// HealthAccount reads the account of a check that goes on.
	HealthAccount(ctx context.Context, job Job) (models.Account, error)
	// EndHealth writes what a check of an account found, or why it could not be made.
	EndHealth(ctx context.Context, job Job, roles []models.RoleCheck, failure string) error
	// EndPlatform writes how the organization's set-up stands.
	EndPlatform(ctx context.Context, job Job, found models.PlatformHealth) error
}

// HealthChecker looks at Slipway's roles. What it may not see is part of the answer; an error means that AWS did not answer.
type HealthChecker interface {
	// HealthRoles names the roles of an account, in the order in which they are checked.
	HealthRoles() []string
	CheckRole(ctx context.Context, a models.Account, role string) (models.RoleCheck, error)
	// PlatformRoles names the roles outside of accounts of tenants.
	PlatformRoles() []string
	CheckPlatformRole(ctx context.Context, role string) (models.RoleCheck, error)
	CheckPlatform(ctx context.Context) []models.Prerequisite
}

// healthState is what a check keeps between calls. Losing it costs a look.
type healthState struct {
	Roles []models.RoleCheck    `json:"roles,omitempty"`
	Items []models.Prerequisite `json:"items,omitempty"`
	Since time.Time             `json:"since,omitzero"` // wall time of the first call
}

// health looks at one role per wake-up, and writes down the whole when the last was looked at.
func (e *Engine) health(ctx context.Context, h *held) error {
	var mem healthState
	if len(h.job.State) > 0 {
		if err := json.Unmarshal(h.job.State, &mem); err != nil {
			return fmt.Errorf("read the state of role check %s: %w", h.job.ObjectID, err)
		}
	}
	if mem.Since.IsZero() {
		mem.Since = e.Clock.Wall()
	}
	if h.job.ObjectID == models.PlatformHealthID {
		return e.platformHealth(ctx, h, mem)
	}
	account, err := e.HealthBook.HealthAccount(ctx, h.job)
	if err != nil {
		return err
	}
	roles := e.HealthChecker.HealthRoles()
	switch {
	case account.AWSID == "" || account.State == models.Deleted:
		return e.endHealth(ctx, h, mem, "The account is not there any more.")
	case len(mem.Roles) >= len(roles):
		return e.endHealth(ctx, h, mem, "")
	}
	return e.nextRole(ctx, h, mem, len(roles), func(ctx context.Context) (models.RoleCheck, error) {
		return e.HealthChecker.CheckRole(ctx, account, roles[len(mem.Roles)])
	})
}

// platformHealth looks at the organization first, then at the roles in it.
func (e *Engine) platformHealth(ctx context.Context, h *held, mem healthState) error {
	roles := e.HealthChecker.PlatformRoles()
	if mem.Items == nil {
		err := e.call(ctx, h, "find", "platform", func(ctx context.Context) error {
			mem.Items = e.HealthChecker.CheckPlatform(ctx)
			return ctx.Err()
		})
		if err != nil {
			return e.healthError(ctx, h, mem, err)
		}
		h.stop()
		return e.Journal.End(ctx, h.job, Next{State: mem})
	}
	if len(mem.Roles) >= len(roles) {
		return e.endHealth(ctx, h, mem, "")
	}
	return e.nextRole(ctx, h, mem, len(roles), func(ctx context.Context) (models.RoleCheck, error) {
		return e.HealthChecker.CheckPlatformRole(ctx, roles[len(mem.Roles)])
	})
}

func (e *Engine) nextRole(ctx context.Context, h *held, mem healthState, all int, look func(context.Context) (models.RoleCheck, error)) error {
	var seen models.RoleCheck
	err := e.call(ctx, h, "find", "role", func(ctx context.Context) (err error) {
		seen, err = look(ctx)
		return err
	})
	e.Crash("rolehealth", "role", "after-aws-call")
	if err != nil {
		return e.healthError(ctx, h, mem, err)
	}
	if mem.Roles = append(mem.Roles, seen); len(mem.Roles) >= all {
		return e.endHealth(ctx, h, mem, "")
	}
	h.stop()
	return e.Journal.End(ctx, h.job, Next{State: mem})
}

// healthError goes on after an error, or writes down why the check could not be made.
func (e *Engine) healthError(ctx context.Context, h *held, mem healthState, err error) error {
	if errors.Is(context.Cause(ctx), ErrStale) || errors.Is(err, ErrStale) {
		return ErrStale
	}
	e.Logger.WarnContext(ctx, "role check call failed", "object", h.job.ObjectID, "tries", h.job.Attempts+1, "err", err)
	if h.job.Attempts+1 >= maxTries || e.Clock.Wall().Sub(mem.Since) >= healthLimit {
		f := describe(err)
		if f.What == "" {
			f.What = "The check could not be made: " + sentence(err)
		}
		return e.endHealth(ctx, h, mem, words(f))
	}
	h.stop()
	return e.Journal.End(ctx, h.job, Next{Delay: e.backOff(h.job.Attempts), Attempts: h.job.Attempts + 1, State: mem})
}

func (e *Engine) endHealth(ctx context.Context, h *held, mem healthState, failure string) error {
	h.stop()
	var err error
	if h.job.ObjectID == models.PlatformHealthID {
		err = e.HealthBook.EndPlatform(ctx, h.job, models.PlatformHealth{Items: mem.Items, Roles: mem.Roles, Failure: failure})
	} else {
		err = e.HealthBook.EndHealth(ctx, h.job, mem.Roles, failure)
	}
	if err != nil {
		return err
	}
	e.Crash("rolehealth", "role", "after-outcome-commit")
	return nil
}

// SweepHealth starts the checks that are due. The book spreads them over the day.
func SweepHealth(book HealthBook) func(context.Context) error {
	return func(ctx context.Context) error {
		for {
			n, err := book.StartDue(ctx, accountChecksAtOnce)
			if err != nil || n < accountChecksAtOnce {
				return err
			}
		}
	}
}
