package awssim

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// autoDeployDelay is how long the service takes to notice an account that moved.
const autoDeployDelay = 20 * time.Second

// deliverOnMove is the part of StackSets in an account's move: it schedules what the new
// place brings and takes back what the old one brought.
func deliverOnMove(ctx context.Context, c *Call, account, from, to string) error {
	sets, err := c.stackSets(ctx, `true`)
	if err != nil {
		return err
	}
	for _, set := range sets {
		here, err := c.covers(ctx, set, to)
		if err != nil {
			return err
		}
		there, err := c.covers(ctx, set, from)
		if err != nil {
			return err
		}
		switch {
		case here != "" && there == "":
			err = c.deliver(ctx, set, []string{account}, set.Regions, []string{here}, c.Now.Add(c.Sim.scaled(autoDeployDelay)))
		case here == "" && there != "":
			err = c.withdraw(ctx, set, account, set.Retain)
		}
		if err != nil {
			return fmt.Errorf("stack set %s, account %s: %w", set.Name, account, err)
		}
	}
	return nil
}

// deliver schedules instances in accounts that have none that works.
func (c *Call) deliver(ctx context.Context, set *stackSet, accounts, regions, units []string, at time.Time) error {
	o := &stackSetOperation{ID: newRequestID(), Set: set.ID, Action: "CREATE", Status: "RUNNING", Created: c.Now, Units: units, Accounts: accounts, Regions: regions}
	for _, account := range accounts {
		a, ok, err := c.account(ctx, account)
		if err != nil {
			return err
		}
		if !ok || account == demoManagement { // never deployed to by service-managed sets
			continue
		}
		for _, region := range regions {
			old, err := c.instances(ctx, `stack_set = $1 AND account = $2 AND region = $3`, set.ID, account, region)
			if err != nil {
				return err
			}
			if len(old) > 0 && old[0].Detailed != "FAILED" {
				continue
			}
			i := &stackInstance{Set: set.ID, Account: account, Region: region, Unit: a.Parent, Status: "OUTDATED", Detailed: "PENDING", Operation: o.ID, Start: at, Stamp: c.Now}
			if len(old) > 0 {
				i.Stack = old[0].Stack
			}
			if err := c.saveInstance(ctx, i); err != nil {
				return err
			}
		}
	}
	return c.saveSetOperation(ctx, o)
}

// withdraw ends an account's instances, with their stacks unless they are to stay.
func (c *Call) withdraw(ctx context.Context, set *stackSet, account string, retain bool) error {
	all, err := c.instances(ctx, `stack_set = $1 AND account = $2`, set.ID, account)
	if err != nil || len(all) == 0 {
		return err
	}
	end := c.Now
	o := &stackSetOperation{ID: newRequestID(), Set: set.ID, Action: "DELETE", Status: "SUCCEEDED", Created: c.Now, Ended: &end, Accounts: []string{account}, Retain: retain}
	for _, i := range all {
		if err := c.dropInstance(ctx, i); err != nil {
			return err
		}
		if retain || i.Stack == "" {
			continue
		}
		s, err := c.stackByID(ctx, i.Stack)
		if err != nil {
			return err
		}
		if err := c.destroy(ctx, s, o.ID); err != nil {
			return err
		}
	}
	return c.saveSetOperation(ctx, o)
}

// runStackSets is the ticker of the stack sets. It runs before and after the stacks' own,
// so that a long silence ends where a busy time would have.
func runStackSets(ctx context.Context, c *Call) error {
	due, err := c.instances(ctx, `detailed = 'PENDING' AND start_at <= $1`, c.Now)
	if err != nil {
		return err
	}
	for _, i := range due {
		if err := c.startInstance(ctx, i); err != nil {
			return fmt.Errorf("stack instance in %s: %w", i.Account, err)
		}
	}
	if len(due) > 0 {
		if err := runStacks(ctx, c); err != nil {
			return err
		}
	}
	running, err := c.instances(ctx, `detailed = 'RUNNING' AND EXISTS (SELECT 1 FROM stacks s WHERE s.id = stack AND s.status !~ '_IN_PROGRESS$')`)
	if err != nil {
		return err
	}
	for _, i := range running {
		if err := c.endInstance(ctx, i); err != nil {
			return fmt.Errorf("stack instance in %s: %w", i.Account, err)
		}
	}
	return nil
}

// startInstance makes the instance's stack, as of the time it was due.
func (c *Call) startInstance(ctx context.Context, i *stackInstance) error {
	sets, err := c.stackSets(ctx, `id = $1`, i.Set)
	if err != nil || len(sets) == 0 {
		return err
	}
	set := sets[0]
	a, ok, err := c.account(ctx, i.Account)
	if err != nil {
		return err
	}
	if !ok || a.State != "ACTIVE" {
		i.Detailed, i.Reason, i.Stamp = "SKIPPED_SUSPENDED_ACCOUNT", "Account is suspended", c.Now
		return c.saveInstance(ctx, i)
	}
	if i.Stack != "" { // what an earlier attempt left goes first, at once
		if err := c.clearFailed(ctx, i.Stack); err != nil {
			return err
		}
	}
	then := *c
	then.Now = i.Start.UTC()
	s := &cfnStack{Account: i.Account, Region: i.Region, Name: "StackSet-" + set.Name + "-" + newRequestID(), Created: then.Now, Instant: i.Instant,
		RunAs: Principal{Account: i.Account, Admin: true, ARN: arn("iam", "", i.Account, "role/aws-service-role/member.org.stacksets.cloudformation.amazonaws.com/AWSServiceRoleForCloudFormationStackSetsOrgMember")}}
	s.ID = stackARN(i.Region, i.Account, s.Name+"/"+newRequestID())
	if err := then.saveStack(ctx, s); err != nil {
		return err
	}
	i.Stack, i.Detailed, i.Reason, i.Stamp = s.ID, "RUNNING", "", then.Now
	err = then.launch(ctx, s, set.Definition, "CREATE", "", false)
	var refused *APIError
	if errors.As(err, &refused) { // its parameters or its template do not fit: nothing was made
		i.Stack, i.Detailed, i.Reason = "", "FAILED", refused.Message
		s.Status = deleted
		if err := c.saveStack(ctx, s); err != nil {
			return err
		}
		if err := c.saveInstance(ctx, i); err != nil {
			return err
		}
		return c.endSetOperation(ctx, i)
	}
	if err != nil {
		return err
	}
	return c.saveInstance(ctx, i)
}

// clearFailed removes a rolled-back stack and its name.
func (c *Call) clearFailed(ctx context.Context, id string) error {
	s, err := c.stackByID(ctx, id)
	if err != nil {
		return err
	}
	if s.Status == deleted {
		return nil
	}
	instant := s.Instant
	s.Instant = true
	if err := c.destroy(ctx, s, ""); err != nil {
		return err
	}
	s.Instant = instant
	return runStacks(ctx, c)
}

// endInstance takes over the result of the instance's stack.
func (c *Call) endInstance(ctx context.Context, i *stackInstance) error {
	s, err := c.stackByID(ctx, i.Stack)
	if err != nil {
		return err
	}
	i.Stamp = c.Now
	if s.Status == "CREATE_COMPLETE" || s.Status == "UPDATE_COMPLETE" {
		i.Status, i.Detailed, i.Reason = "CURRENT", "SUCCEEDED", ""
	} else {
		i.Status, i.Detailed = "OUTDATED", "FAILED"
		if i.Reason, err = c.firstFailure(ctx, s); err != nil {
			return err
		}
	}
	if err := c.saveInstance(ctx, i); err != nil {
		return err
	}
	return c.endSetOperation(ctx, i)
}

// firstFailure is the reason of the first resource that failed.
func (c *Call) firstFailure(ctx context.Context, s *cfnStack) (string, error) {
	all, err := c.events(ctx, s.ID, `status LIKE '%\_FAILED' AND reason NOT LIKE '%cancelled' AND logical_id <> $2 ORDER BY seq DESC`, s.Name)
	if err != nil || len(all) == 0 {
		return s.Reason, err
	}
	e := all[len(all)-1]
	return fmt.Sprintf("ResourceLogicalId:%s, ResourceType:%s, ResourceStatusReason:%s.", e.Logical, e.Type, e.Reason), nil
}

func (c *Call) endSetOperation(ctx context.Context, i *stackInstance) error {
	all, err := c.setOperations(ctx, `id = $1`, i.Operation)
	if err != nil || len(all) == 0 {
		return err
	}
	o := all[0]
	mates, err := c.instances(ctx, `stack_set = $1 AND body->>'Operation' = $2`, i.Set, o.ID)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(mates, func(m *stackInstance) bool { return m.Detailed == "PENDING" || m.Detailed == "RUNNING" }) {
		return nil
	}
	end := c.Now
	o.Ended, o.Status, o.Failed = &end, "SUCCEEDED", 0
	for _, m := range mates {
		if m.Detailed == "FAILED" {
			o.Status, o.Failed = "FAILED", o.Failed+1
		}
	}
	return c.saveSetOperation(ctx, o)
}
