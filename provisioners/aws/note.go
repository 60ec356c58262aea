package aws

import (
	"context"
	"fmt"
	"time"

	"slipway/models"
	"slipway/provisioners"
)

// The properties that a note's change names, and which its step writes exactly as they were approved.
const (
	propExpires = "/ExpiresAt"
	propUntil   = "/AcceptedUntil"
	propBy      = "/AcceptedBy"
	propReason  = "/Reason"

	logicalExpiry = "Expiry"
	logicalDrift  = "Drift"
	logicalPause  = "Pause"
)

// planNote plans what changes only Slipway's own row of an environment: a later end, or drift that may stay until a day.
func (s *Stacks) planNote(ctx context.Context, p provisioners.Planning) (provisioners.Draft, error) {
	in, err := environmentInputs(p)
	if err != nil {
		return provisioners.Draft{}, err
	}
	tenant, err := s.books.Tenant(ctx, p.Request.TenantID)
	if err != nil {
		return provisioners.Draft{}, err
	}
	env, err := s.books.Environment(ctx, p.Request.ObjectID)
	if err != nil {
		return provisioners.Draft{}, err
	}
	if env.State == models.Deleted {
		return provisioners.Draft{}, lacking("The environment %s is deleted.", "Order it anew.", env.Name)
	}
	o := object{Stacks: s, typ: models.EnvironmentObject, part: models.PlanPart{Name: "Environment " + env.Name, Account: env.Stack.Account, Class: env.Stage.Class(), Region: env.Stack.Region,
		Tags: stackTags(tenant, env.Stage.Class(), env.Stack.Blueprint, env.ID, models.TagEnvironment, env.Name)}}
	if p.Request.Kind == models.ExtendEnvironment {
		o.part.Changes, err = o.planExtension(p, env, in)
	} else {
		o.part.Changes, err = o.planAcceptance(ctx, p, in)
	}
	return provisioners.Draft{Parts: []models.PlanPart{o.part}, Region: o.part.Region, PriceDigest: s.prices.Digest}, err
}

// planExtension counts from when the request was made, so that the same request gives the same end however often it is planned.
func (o object) planExtension(p provisioners.Planning, env models.Environment, in models.EnvironmentInputs) ([]models.Change, error) {
	from := p.Request.SubmittedAt
	if from.IsZero() {
		from = p.Now
	}
	until := from.AddDate(0, 0, in.Days)
	ch := models.Change{Step: o.step(stepNote), LogicalID: logicalExpiry, Type: "End of life", Action: models.Modify, Properties: []models.PropertyChange{{Path: propExpires, Before: moment(env.ExpiresAt), After: moment(until)}}}
	if env.ExpiresAt.IsZero() {
		return nil, lacking("The environment %s has no end, so there is nothing to extend.", "Cancel the request.", env.Name)
	}
	switch {
	case moment(env.ExpiresAt) != nil && *moment(env.ExpiresAt) == *moment(until):
		ch.Action = models.Exists
	case until.Before(env.ExpiresAt):
		return nil, lacking("The environment %s lives until %s already, which is later.", "Ask for more days.", env.Name, env.ExpiresAt.UTC().Format(time.DateOnly))
	}
	return []models.Change{ch}, nil
}

// moment is a time as a plan shows it; nil when there is none.
func moment(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := t.UTC().Truncate(time.Second).Format(time.RFC3339)
	return &s
}

// planAcceptance shows what would be let be, beside until when and why.
func (o object) planAcceptance(ctx context.Context, p provisioners.Planning, in models.EnvironmentInputs) ([]models.Change, error) {
	until, err := time.Parse(time.DateOnly, in.Until)
	if err != nil {
		return nil, lacking("%q is no day.", "Give the day until which the drift may stay, like 2026-12-31.", clip(in.Until, 40))
	}
	switch latest := p.Now.AddDate(0, 0, models.MaxAccept); {
	case !until.After(p.Now):
		return nil, lacking("%s is over.", "Give a day to come, then plan again.", in.Until)
	case until.After(latest):
		return nil, lacking("Drift may be let be for %d days, until %s.", "Give an earlier day, then plan again.", models.MaxAccept, latest.UTC().Format(time.DateOnly))
	}
	drift, err := o.books.Drift(ctx, o.id())
	if err != nil && models.KindOf(err) != models.NotFound {
		return nil, err
	}
	if len(drift.Unexpected()) == 0 {
		return nil, lacking("The newest check found no drift, so there is nothing to accept.", "Check the drift again, or cancel the request.")
	}
	ch := models.Change{Step: o.step(stepNote), LogicalID: logicalDrift, Type: "Accepted drift", Action: models.Modify, Properties: []models.PropertyChange{
		{Path: propUntil, Before: moment(drift.Accepted), After: moment(until)}, after(propBy, p.Request.RequesterName), after(propReason, in.Reason)}}
	changes := []models.Change{ch}
	for _, r := range drift.Unexpected() {
		is := models.Change{Step: o.step(stepNote), LogicalID: r.LogicalID, Type: r.Type, Action: models.Exists, Note: "Stays as it is in the account (" + r.Status + ")."}
		for _, prop := range r.Properties {
			is.Properties = append(is.Properties, models.PropertyChange{Path: prop.Path, Before: &prop.Declared, After: &prop.Actual})
		}
		changes = append(changes, is)
	}
	return changes, nil
}

// noteStep writes Slipway's own row as it was approved.
func (o object) noteStep() provisioners.Step {
	return provisioners.Step{Title: "Note it for " + o.words(), Find: o.look(o.note), Stays: "what was noted"}
}

func (o object) note(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	for _, ch := range o.changes(run.Step) {
		var err error
		switch {
		case ch.Action == models.Exists:
			continue
		case ch.LogicalID == logicalExpiry:
			err = o.extend(ctx, run, ch)
		case ch.LogicalID == logicalDrift:
			err = o.accept(ctx, run, ch)
		case ch.LogicalID == logicalPause:
			err = o.settlePipeline(ctx, run, nil)
		default:
			err = fmt.Errorf("the plan would note %s, which this version does not know", ch.LogicalID)
		}
		if err != nil {
			return absent, err
		}
	}
	return present, nil
}

// extend gives the environment the end that was approved, unless somebody gave it another one meanwhile.
func (o object) extend(ctx context.Context, run *provisioners.Run, ch models.Change) error {
	until, err := momentOf(ch, propExpires)
	if err != nil {
		return err
	}
	env, err := o.books.Environment(ctx, o.id())
	if err != nil {
		return err
	}
	now, was := moment(env.ExpiresAt), beforeOf(ch, propExpires)
	if now != nil && *now == *moment(until) {
		return nil
	}
	if now == nil || was == nil || *now != *was {
		return provisioners.Mismatch{Words: fmt.Sprintf("%s got another end since it was planned", o.words())}
	}
	return o.books.SaveEnvironment(ctx, actorOf(run), o.id(), func(e *models.Environment) {
		e.ExpiresAt, e.ExpiryWarned, e.HibernatedAt = until, "", time.Time{}
	})
}

// accept lets what the newest check found be, if it is still what was approved.
func (o object) accept(ctx context.Context, run *provisioners.Run, ch models.Change) error {
	until, err := momentOf(ch, propUntil)
	if err != nil {
		return err
	}
	drift, err := o.books.Drift(ctx, o.id())
	if err != nil {
		return err
	}
	approved := map[string]models.Change{}
	for _, c := range o.changes(run.Step) {
		if c.Action == models.Exists {
			approved[c.LogicalID] = c
		}
	}
	for _, r := range drift.Unexpected() {
		c, ok := approved[r.LogicalID]
		if !ok || !sameDrift(c, r) {
			return provisioners.Mismatch{Words: fmt.Sprintf("%s of %s has drifted otherwise since it was planned", r.LogicalID, o.words())}
		}
	}
	return o.books.AcceptDrift(ctx, actorOf(run), o.id(), until, afterOf(ch, propBy), afterOf(ch, propReason))
}

// sameDrift tells whether a resource differs in exactly what was approved.
func sameDrift(c models.Change, r models.ResourceDrift) bool {
	if len(c.Properties) != len(r.Properties) {
		return false
	}
	for i, p := range r.Properties {
		if a := c.Properties[i]; a.Path != p.Path || a.After == nil || *a.After != p.Actual {
			return false
		}
	}
	return true
}

func afterOf(ch models.Change, path string) string {
	for _, p := range ch.Properties {
		if p.Path == path && p.After != nil {
			return *p.After
		}
	}
	return ""
}

func beforeOf(ch models.Change, path string) *string {
	for _, p := range ch.Properties {
		if p.Path == path {
			return p.Before
		}
	}
	return nil
}

func momentOf(ch models.Change, path string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, afterOf(ch, path))
	if err != nil {
		return t, fmt.Errorf("the plan's %s is no moment: %w", path, err)
	}
	return t, nil
}
