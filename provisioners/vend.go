package provisioners

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"slipway/models"
)

// lostAfter is how long a creation that nothing was ever seen of holds its slot.
const lostAfter = 15 * time.Minute

// settleLooks is how often Find must show nothing before a call whose answer was lost is made again: AWS's lists lag behind. A doubled
// call could not make a second account, for the e-mail address is taken by the first.
const settleLooks = 2

// vending is what an account's creation keeps between calls.
type vending struct {
	Intent   bool            `json:"intent,omitempty"`   // CreateAccount may have been called
	IntentAt time.Time       `json:"intent_at,omitzero"` // wall time of the first call
	Poll     bool            `json:"poll,omitempty"`     // AWS has shown the creation
	Looks    int             `json:"looks,omitempty"`
	Nothing  int             `json:"nothing,omitempty"` // looks in a row that showed nothing since the last call
	Tries    int             `json:"tries,omitempty"`
	PutOff   time.Time       `json:"put_off,omitzero"` // wall time since when AWS answers CreateAccount with "not now"
	Cursor   json.RawMessage `json:"cursor,omitempty"`
}

// vend creates one account: it waits for a creation slot, calls once and goes on looking whatever becomes of the run.
func (e *Engine) vend(ctx context.Context, h *held) error {
	var mem vending
	if err := json.Unmarshal(h.job.State, &mem); err != nil {
		return fmt.Errorf("read the state of creation %s: %w", h.job.ObjectID, err)
	}
	state, ok, err := e.Journal.TakeSlot(ctx, h.job, e.Slots)
	if err != nil {
		return err
	}
	if !ok {
		h.stop()
		if !state.Slot.Open() {
			return e.Journal.End(ctx, h.job, Next{Done: true})
		}
		mem.Looks++
		return e.Journal.End(ctx, h.job, Next{Delay: e.delay("slot", mem.Looks), State: mem})
	}
	if e.Vendor == nil {
		return e.endVend(ctx, h, VendOutcome{Outcome: "refused", Failure: &models.Failure{What: "This worker cannot create accounts.", Owner: "Platform team",
			Next: "Configure the organization role, then retry."}, Next: Next{Done: true}})
	}
	v := Vending{Account: state.Account, Tenant: state.Tenant, RequestID: state.RequestID, RunID: state.RunID, StartedBy: state.StartedBy, Cursor: mem.Cursor}
	if !mem.PutOff.IsZero() {
		v.PutOff = e.Clock.Wall().Sub(mem.PutOff)
	}
	return e.vendLook(ctx, h, v, mem)
}

// vendLook asks once how the creation stands, and calls CreateAccount when nothing is there.
func (e *Engine) vendLook(ctx context.Context, h *held, v Vending, mem vending) error {
	ask, what := e.Vendor.Find, "find"
	if mem.Poll {
		ask, what = e.Vendor.Poll, "poll"
	}
	seen, err := e.askVendor(ctx, h, what, v, ask)
	if err != nil {
		return e.vendError(ctx, h, mem, err, false)
	}
	mem.Looks++
	mem.Cursor = seen.Cursor
	out := VendOutcome{CreateID: seen.CreateID, AWSID: seen.AWSID, AWSState: seen.AWSState, Next: Next{Delay: seen.Delay}}
	switch {
	case seen.Failure != nil:
		out.Outcome, out.Failure, out.Next.Done = "failed", seen.Failure, true
	case seen.Found == Present:
		out.Outcome, out.Next.Done = "created", true
	case seen.Found == Working:
		mem.Poll, mem.Nothing = true, 0
	case seen.Found == Absent:
		mem.Poll, mem.Cursor = false, nil
		return e.vendAbsent(ctx, h, v, mem)
	}
	if !out.Next.Done {
		if out.Next.Delay == 0 && seen.Found != More {
			out.Next.Delay = e.delay("vend", mem.Looks)
		}
		out.Next.State = mem
	}
	return e.endVend(ctx, h, out)
}

// vendAbsent calls CreateAccount, unless a call that may have been made needs more looks first, or has shown nothing for too long.
func (e *Engine) vendAbsent(ctx context.Context, h *held, v Vending, mem vending) error {
	mem.Nothing++
	switch {
	case mem.Intent && e.Clock.Wall().Sub(mem.IntentAt) >= lostAfter:
		return e.endVend(ctx, h, VendOutcome{Outcome: "lost", Next: Next{Done: true}, Failure: &models.Failure{
			What:  "AWS shows neither a creation nor an account for " + v.Account.Name + ".",
			Cause: fmt.Sprintf("CreateAccount was called %s ago and nothing came of it.", lostAfter), Owner: "Platform team",
			Next: "Look into AWS Organizations for the e-mail address " + v.Account.Email + ", then retry."}})
	case mem.Intent && mem.Nothing <= settleLooks:
		return e.endVend(ctx, h, VendOutcome{Next: Next{Delay: e.delay("vend", 0), State: mem}})
	}
	mem.Nothing = 0
	before := mem
	if !mem.Intent {
		mem.Intent, mem.IntentAt = true, e.Clock.Wall()
	}
	if err := e.Journal.Keep(ctx, h.job, mem); err != nil {
		return err
	}
	e.Crash("vend", "create", "after-intent-commit")
	if err := h.sure(); err != nil {
		return err
	}
	made, err := e.askVendor(ctx, h, "start", v, e.Vendor.Start)
	e.Crash("vend", "create", "after-aws-call")
	if err != nil {
		var wait Wait
		if errors.As(err, &wait) { // AWS has answered, so this call made nothing: it does not count towards lostAfter
			mem = before
			if mem.PutOff.IsZero() {
				mem.PutOff = e.Clock.Wall()
			}
		}
		return e.vendError(ctx, h, mem, err, true)
	}
	mem.Poll = true
	return e.endVend(ctx, h, VendOutcome{CreateID: made.CreateID, AWSID: made.AWSID, AWSState: made.AWSState, Next: Next{Delay: e.delay("vend", 0), State: mem}})
}

// vendError goes on after an error: only a refused call frees the slot, for anything else may have made the account.
func (e *Engine) vendError(ctx context.Context, h *held, mem vending, err error, calling bool) error {
	if errors.Is(context.Cause(ctx), ErrStale) || errors.Is(err, ErrStale) {
		return ErrStale
	}
	var wait Wait
	var final Final
	switch {
	case errors.As(err, &wait):
		delay := wait.Delay
		if delay == 0 {
			delay = e.delay("vend", mem.Looks)
		}
		return e.endVend(ctx, h, VendOutcome{Next: Next{Delay: delay, State: mem}})
	case errors.As(err, &final) && (calling || !mem.Intent):
		return e.endVend(ctx, h, VendOutcome{Outcome: "refused", Failure: &final.Failure, Next: Next{Done: true}})
	}
	mem.Tries++
	e.Logger.WarnContext(ctx, "account creation call failed", "account", h.job.ObjectID, "tries", mem.Tries, "err", err)
	return e.endVend(ctx, h, VendOutcome{Next: Next{Delay: e.backOff(mem.Tries - 1), Attempts: mem.Tries, State: mem}})
}

func (e *Engine) askVendor(ctx context.Context, h *held, what string, v Vending, ask func(context.Context, Vending) (Creation, error)) (seen Creation, err error) {
	err = e.call(ctx, h, what, "account", func(ctx context.Context) (err error) {
		seen, err = ask(ctx, v)
		return err
	})
	return seen, err
}

func (e *Engine) endVend(ctx context.Context, h *held, out VendOutcome) error {
	h.stop()
	if err := e.Journal.EndVend(ctx, h.job, out); err != nil {
		return err
	}
	e.Crash("vend", "create", "after-outcome-commit")
	return nil
}
