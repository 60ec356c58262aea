package aws

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/budgets"
	"github.com/aws/aws-sdk-go-v2/service/organizations"

	"slipway/models"
	"slipway/provisioners"
)

// Bounds of planning the end of a tenant with very much in it: a job is one short call, so that the plan is made over several.
const (
	sliceTime = 25 * time.Second
	sliceLife = 10 * time.Minute
)

// slice is what was read of a tenant's contents so far. It is only ever a shortcut: without it the plan is made from the beginning.
type slice struct {
	began time.Time
	done  map[string]provisioners.Draft // by object
	bad   map[string]models.Failure
}

// Plan says what the end of the tenant would do: part by part all that it has, then its accounts. The same world gives the same content.
func (c *Closing) Plan(ctx context.Context, p provisioners.Planning) (provisioners.Draft, error) {
	d, err := c.plan(ctx, p)
	return d, judge(err, 0, false)
}

func (c *Closing) plan(ctx context.Context, p provisioners.Planning) (provisioners.Draft, error) {
	d := provisioners.Draft{Region: c.clients.Region, PriceDate: c.prices.Date, PriceDigest: c.prices.Digest}
	if err := json.Unmarshal(p.Request.Inputs, &models.CloseTenantInputs{}); err != nil {
		return d, fmt.Errorf("read the inputs of request %s: %w", p.Request.ID, err)
	}
	wish, err := wishesOf(p.Request.Kind, p.Request.Inputs)
	if err != nil {
		return d, err
	}
	tenant, err := c.registry.Tenant(ctx, p.Request.ObjectID)
	if err != nil {
		return d, err
	}
	w := askedBy(p)
	accounts, err := c.standing(ctx, w, tenant)
	if err != nil {
		return d, err
	}
	if err := c.planContents(ctx, p, w, wish, accounts, &d); err != nil {
		return d, err
	}
	for _, a := range accounts {
		if err := c.planAccount(ctx, w, tenant, a, wish, &d); err != nil {
			return d, err
		}
	}
	if err := c.suspendable(ctx, w, accounts, &d); err != nil {
		return d, err
	}
	part, err := c.planOrganization(ctx, w, tenant)
	d.Parts, d.NotEstimated = append(d.Parts, part), unique(d.NotEstimated)
	return d, err
}

// standing is an account of the tenant with what AWS says of it now.
type standing struct {
	models.Account
	state, unit string // AWS's words; state is left for one that has left the organization
}

// dead tells whether nothing in the account can be reached any more.
func (s standing) dead() bool {
	return s.state == left || s.state == "SUSPENDED" || s.state == "PENDING_CLOSURE" || s.state == "CLOSED"
}

// closes tells whether closing it is Slipway's to do. What was there before Slipway stays: it is its owner's, holds what Slipway never
// saw, and nobody who enrolled it asked for its end.
func (s standing) closes() bool { return !s.Enrolled && !s.dead() && s.AWSID != "" }

// standing looks how each living account of the tenant is doing. One that is still being made is waited for.
func (c *Closing) standing(ctx context.Context, w who, tenant models.Tenant) ([]standing, error) {
	org := organizationsClient(c.clients.org(w, lookAtOrganization))
	var all []standing
	for _, class := range models.Classes() {
		i := slices.IndexFunc(tenant.Accounts, func(a models.Account) bool { return a.Class == class && a.State != models.Deleted })
		if i < 0 {
			continue
		}
		s := standing{Account: tenant.Accounts[i]}
		if s.AWSID == "" {
			slot, err := c.registry.Slot(ctx, s.ID)
			if err == nil && slot.Open() {
				err = provisioners.Wait{For: "AWS", Words: "the creation of account " + s.Name + " to end"}
			}
			if err != nil {
				return nil, err
			}
			all = append(all, s)
			continue
		}
		out, err := org.DescribeAccount(ctx, &organizations.DescribeAccountInput{AccountId: &s.AWSID})
		switch {
		case is(err, "AccountNotFoundException"):
			s.state = left
		case err != nil:
			return nil, err
		default:
			parent, err := parentOf(ctx, org, s.AWSID)
			if err != nil {
				return nil, err
			}
			s.state, s.unit = stateOf(out.Account), *parent.Id
		}
		all = append(all, s)
	}
	return all, nil
}

// planContents plans everything in the accounts, as far as one short call gets. What forbids it is named all at once.
func (c *Closing) planContents(ctx context.Context, p provisioners.Planning, w who, wish wishes, accounts []standing, d *provisioners.Draft) error {
	contents, err := c.registry.Contents(ctx, p.Request.ObjectID)
	if err != nil {
		return err
	}
	now := c.clients.Clock.Wall()
	s := c.sliceOf(p.Request.ID, now)
	for _, st := range contents {
		if _, ok := s.done[st.ObjectID]; ok {
			continue
		}
		if c.clients.Clock.Wall().Sub(now) > sliceTime {
			return provisioners.Wait{For: "AWS", Words: fmt.Sprintf("what the tenant's accounts hold (%d of %d things so far)", len(s.done), len(contents))}
		}
		one, err := c.planContent(ctx, w, st, wish, accounts)
		if f, ok := isFinal(judge(err, 0, false)); ok {
			s.bad[st.ObjectID] = f.Failure
		} else if err != nil {
			return err
		}
		s.done[st.ObjectID] = one
	}
	c.forget(p.Request.ID)
	var bad []models.Failure
	for _, st := range contents {
		one := s.done[st.ObjectID]
		d.Parts, d.Cost, d.Notes = append(d.Parts, one.Parts...), append(d.Cost, one.Cost...), append(d.Notes, one.Notes...)
		if f, ok := s.bad[st.ObjectID]; ok {
			bad = append(bad, f)
		}
	}
	return refusals(p.Request.ObjectName, bad)
}

// sliceOf is what this process has read for a request, if that is not long ago. Only one job ever plans a request.
func (c *Closing) sliceOf(request string, now time.Time) *slice {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.plans, func(_ string, s *slice) bool { return now.Sub(s.began) > sliceLife })
	if c.plans[request] == nil {
		c.plans[request] = &slice{began: now, done: map[string]provisioners.Draft{}, bad: map[string]models.Failure{}}
	}
	return c.plans[request]
}

func (c *Closing) forget(request string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.plans, request)
}

// refusals are all that forbids a tenant's end, in one.
func refusals(tenant string, bad []models.Failure) error {
	if len(bad) == 0 {
		return nil
	}
	if len(bad) == 1 {
		return provisioners.Final{Failure: bad[0]}
	}
	var said []string
	for _, f := range bad {
		said = append(said, strings.TrimSpace(f.What+" "+f.Cause))
	}
	return provisioners.Final{Failure: models.Failure{What: fmt.Sprintf("%d things keep tenant %s from being closed.", len(bad), tenant), Cause: some(said), Owner: bad[0].Owner, Next: bad[0].Next}}
}

// planContent plans the end of one thing.
func (c *Closing) planContent(ctx context.Context, w who, st models.Stack, wish wishes, accounts []standing) (provisioners.Draft, error) {
	var d provisioners.Draft
	o := c.content(c.endOf(st, "").part)
	if i := slices.IndexFunc(accounts, func(a standing) bool { return a.AWSID == st.Account }); i >= 0 && accounts[i].dead() {
		o.part.StackName, o.part.Blueprint, o.part.Digest = "", "", ""
		o.part.Parameters = map[string]string{accountState: accounts[i].state}
		o.part.Changes = []models.Change{{LogicalID: o.name(), Type: "Slipway's record", Action: models.Delete, Note: "Nothing of it can be looked at: account " + st.Account + " is " + accounts[i].state + "."}}
		d.Parts = []models.PlanPart{o.part}
		return d, nil
	}
	if o.typ == models.ZoneObject {
		z, err := c.books.ZoneOf(ctx, st.AccountID)
		if err != nil {
			return d, err
		}
		if !z.DelegatedAt.IsZero() {
			o.part.Changes = append(o.part.Changes, models.Change{Step: o.step(verbUndelegate), LogicalID: z.Name, Type: "Delegation", Action: models.Delete,
				Note: "The zone of " + c.clients.BaseDomain + " names its servers no more, before they are given to somebody else."})
		}
	}
	return d, c.planEndOf(ctx, w, o, wish, &d)
}

// accountState marks parts in accounts that cannot be reached any more.
const accountState = "AccountState"

// planAccount plans the end of one account: its baseline, what is looked for in it, and itself.
func (c *Closing) planAccount(ctx context.Context, w who, tenant models.Tenant, a standing, wish wishes, d *provisioners.Draft) error {
	if !a.dead() && a.AWSID != "" {
		o := c.baseline(models.PlanPart{Name: "Baseline " + a.Name, Account: a.AWSID, Class: a.Class, Region: c.clients.Region, Blueprint: c.tenants.baseline.Name + "@" + c.tenants.baseline.Version,
			Digest: c.tenants.baseline.Digest, StackName: baselineStackName(tenant.Slug), Mode: models.StackDelete, Tags: map[string]string{models.TagTenant: tenant.Slug, models.TagClass: string(a.Class)}})
		if err := o.planEnd(ctx, w, wish, d); err != nil {
			return err
		}
		if len(o.part.Changes) > 0 {
			d.Parts = append(d.Parts, o.part)
			for _, l := range c.prices.Estimate(o.part.Name, o.part.Region, c.tenants.baseline.Costs).CostLines() {
				d.Cost = append(d.Cost, models.CostLine{Item: l.Item, Part: o.part.Name, Now: l.Planned})
			}
		}
	}
	part := models.PlanPart{Name: "Account " + a.Name, Account: a.AWSID, Class: a.Class, Region: c.clients.Region, Tags: map[string]string{models.TagTenant: tenant.Slug, tagAccountRow: a.ID}}
	e := ending{Closing: c, part: part}
	changes, err := e.accountChanges(ctx, w, tenant, a)
	e.part.Changes = changes
	d.Parts = append(d.Parts, e.part)
	return err
}

// planOrganization plans what ends in the management account and in Slipway itself.
func (c *Closing) planOrganization(ctx context.Context, w who, tenant models.Tenant) (models.PlanPart, error) {
	part := models.PlanPart{Name: "Organization", Account: c.clients.management, Tags: map[string]string{models.TagTenant: tenant.Slug}}
	name := budgetName(tenant.Slug)
	out, err := budgets.NewFromConfig(c.clients.org(w, c.clients.setBudget(name))).DescribeBudget(ctx,
		&budgets.DescribeBudgetInput{AccountId: &c.clients.management, BudgetName: &name, ShowFilterExpression: sdk.Bool(true)})
	if err != nil && !is(err, "NotFoundException") {
		return part, err
	}
	if err == nil {
		part.Changes = append(part.Changes, models.Change{Step: stepBudgetRemove, LogicalID: name, Type: "Monthly budget", Action: models.Delete, Properties: budgetAsItWas(out.Budget)})
	}
	part.Changes = append(part.Changes, models.Change{LogicalID: tenant.Slug, Type: "Slipway's record", Action: models.Delete,
		Note: "Its name stays taken for ever. What was asked, approved and done stays on record."})
	return part, nil
}
