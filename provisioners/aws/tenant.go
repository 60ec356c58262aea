package aws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/account"

	"slipway/models"
	"slipway/models/blueprint"
	"slipway/models/price"
	"slipway/provisioners"
)

// Blueprint is the baseline of tenants' accounts, with what it costs.
type Blueprint struct {
	Name, Version string
	Digest        string // SHA-256 of its folder
	Template      []byte
	Costs         []price.Item
	NotEstimated  []string
}

// Tenants plans and makes tenants: their accounts, what is set in them, their baseline stacks and budget. It keeps no state of its own.
type Tenants struct {
	clients  *Clients
	registry provisioners.Registry
	baseline Blueprint
	template *blueprint.Template
	prices   *price.List
}

// NewTenantProvisioner makes the provisioner of tenant.create.
func NewTenantProvisioner(c *Clients, registry provisioners.Registry, baseline Blueprint, prices *price.List) (*Tenants, error) {
	t, err := blueprint.Parse(baseline.Template)
	if err != nil {
		return nil, fmt.Errorf("read the template of %s %s: %w", baseline.Name, baseline.Version, err)
	}
	if len(baseline.Template) > maxInlineTemplate {
		return nil, fmt.Errorf("the template of %s %s has %d bytes, more than the %d that CloudFormation takes inline", baseline.Name, baseline.Version, len(baseline.Template), maxInlineTemplate)
	}
	return &Tenants{clients: c, registry: registry, baseline: baseline, template: t, prices: prices}, nil
}

// Kind of request that it serves.
func (t *Tenants) Kind() models.RequestKind { return models.CreateTenant }

// The steps of a tenant. Names are stored: never rename one. Each but the first and last is followed by the account's class, and
// stepEBS by a region too.
const (
	stepRecord   = "tenant.record"
	stepCreate   = "account.create"
	stepMove     = "account.move"
	stepPolicies = "account.policies"
	stepAccess   = "account.access"
	stepContacts = "account.contacts"
	stepEBS      = "account.ebs"
	stepS3       = "account.s3block"
	stepPassword = "account.password"
	stepBaseline = "account.baseline"
	stepBudget   = "tenant.budget"
)

// place is where a step works: the tenant's part of the plan.
type place struct {
	*Tenants
	slug   string
	class  models.Class
	region string
	part   models.PlanPart
	step   string
}

// Steps are named by the plan's changes, in their order, so that what was approved decides what is done.
func (t *Tenants) Steps(plan models.Plan) ([]provisioners.Step, error) {
	var in models.TenantInputs
	if err := json.Unmarshal(plan.Content.Inputs, &in); err != nil {
		return nil, fmt.Errorf("read the inputs of plan %s: %w", plan.ID, err)
	}
	steps, err := t.stepsOf(plan, in.Slug)
	return append([]provisioners.Step{t.recordStep(in)}, steps...), err
}

// stepsOf builds each step that the changes name, once.
func (t *Tenants) stepsOf(plan models.Plan, slug string) ([]provisioners.Step, error) {
	var steps []provisioners.Step
	seen := map[string]bool{}
	for _, part := range plan.Content.Parts {
		for _, ch := range part.Changes {
			if seen[ch.Step] {
				continue
			}
			seen[ch.Step] = true
			s, err := t.stepOf(place{Tenants: t, slug: slug, class: part.Class, part: part, step: ch.Step})
			if err != nil {
				return nil, err
			}
			s.Name, s.Part = ch.Step, part.Name
			steps = append(steps, s)
		}
	}
	return steps, nil
}

// stepOf builds the step of a change by its name: prefix, class and perhaps region.
func (t *Tenants) stepOf(p place) (provisioners.Step, error) {
	if p.step == stepBudget {
		return p.budget(), nil
	}
	if s, ok := p.peopleStep(); ok {
		return s, nil
	}
	words := strings.SplitN(p.step, ".", 4)
	if len(words) < 3 || words[2] != string(p.class) {
		return provisioners.Step{}, fmt.Errorf("the plan names step %s in part %s", p.step, p.part.Name)
	}
	if len(words) == 4 {
		p.region = words[3]
	}
	build := map[string]func() provisioners.Step{stepCreate: p.create, stepMove: p.move, stepPolicies: p.policies, stepAccess: p.access,
		stepContacts: p.contacts, stepEBS: p.encryption, stepS3: p.accessBlock, stepPassword: p.passwords, stepBaseline: p.baselineStack,
		stepAccountRecord: p.recordAccount, stepEnrol: p.enrol, stepManual: p.manual, stepDetach: p.detach, stepGrant: p.grant}[words[0]+"."+words[1]]
	if build == nil || (p.region == "") == (words[1] == "ebs" || words[1] == "grant") {
		return provisioners.Step{}, fmt.Errorf("the plan names step %s, which no tenant has", p.step)
	}
	return build(), nil
}

func (p place) name() string { return p.slug + "-" + string(p.class) }

func (p place) stepName(prefix string) string { return prefix + "." + string(p.class) }

// account is the AWS id of the place's account, as the step that made or bound it left it.
func (p place) account(run *provisioners.Run) (string, error) {
	for _, step := range []string{stepCreate, stepEnrol} {
		if id := run.Output(p.stepName(step), "account"); id != "" {
			return id, nil
		}
	}
	if p.part.Class == p.class && p.part.Account != "" {
		return p.part.Account, nil // the plan is about an account that the tenant has
	}
	return "", fmt.Errorf("step %s left no account id", p.stepName(stepCreate))
}

// fresh tells whether the account or its roles are so young that AWS may not know them and its services everywhere.
func (p place) fresh(run *provisioners.Run) bool {
	for _, step := range []string{stepCreate, stepAccess, stepManual} {
		born, err := time.Parse(time.RFC3339, run.Output(p.stepName(step), "born"))
		if err == nil && p.clients.Clock.Wall().Sub(born) < p.clients.FreshFor {
			return true
		}
	}
	return false
}

// changes are the plan's changes of the place's own step.
func (p place) changes() []models.Change {
	var own []models.Change
	for _, ch := range p.part.Changes {
		if ch.Step == p.step {
			own = append(own, ch)
		}
	}
	return own
}

func workOf(run *provisioners.Run) who { return who{person: run.StartedBy, job: run.ID} }

func actorOf(run *provisioners.Run) models.Actor {
	a := models.System("provisioner", run.StartedBy)
	a.RequestID = run.ID
	return a
}

// look and act put the meaning of AWS's errors around a step's functions.
func (p place) look(fn func(context.Context, *provisioners.Run) (provisioners.Result, error)) func(context.Context, *provisioners.Run) (provisioners.Result, error) {
	return func(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
		res, err := fn(ctx, run)
		return res, p.judge(err, run)
	}
}

func (p place) act(fn func(context.Context, *provisioners.Run) error) func(context.Context, *provisioners.Run) error {
	return func(ctx context.Context, run *provisioners.Run) error {
		return p.judge(fn(ctx, run), run)
	}
}

// judge knows that only the new account is fresh: the roles of the management account are as old as the installation.
func (p place) judge(err error, run *provisioners.Run) error {
	fresh := p.fresh(run)
	var e *CallError
	if errors.As(err, &e) && e.Account == p.clients.management && e.Service != account.ServiceID && e.meaning().what == forbidden.what {
		fresh = false
	}
	return judge(err, run.Waited, fresh)
}

var (
	absent  = provisioners.Result{Found: provisioners.Absent}
	present = provisioners.Result{Found: provisioners.Present}
)

// presence is Present or Absent.
func presence(there bool) provisioners.Result {
	if there {
		return present
	}
	return absent
}

// recordStep makes the tenant's and its accounts' rows: from here on the tenant exists for Slipway.
func (t *Tenants) recordStep(in models.TenantInputs) provisioners.Step {
	find := func(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
		tenant, err := t.registry.Tenant(ctx, run.ObjectID)
		if models.KindOf(err) == models.NotFound {
			return absent, nil
		}
		if err != nil {
			return absent, err
		}
		outputs := map[string]string{}
		for _, a := range tenant.Accounts {
			outputs["account."+string(a.Class)] = a.ID
		}
		for _, c := range in.Classes {
			if _, enrols := in.Enrolled(c); !enrols && outputs["account."+string(c)] == "" {
				return absent, nil
			}
		}
		return provisioners.Result{Found: provisioners.Present, Outputs: outputs}, nil
	}
	return provisioners.Step{Name: stepRecord, Title: "Register tenant " + in.Slug, Part: "Slipway", Find: find,
		Start: func(ctx context.Context, run *provisioners.Run) error {
			_, err := t.registry.EnsureTenant(ctx, actorOf(run), run.RequestID)
			return err
		},
		Stays: "the name " + in.Slug + " stays taken"}
}

// final makes an error that stops the run, in words.
func finalf(what, next string, args ...any) error {
	return provisioners.Final{Failure: models.Failure{What: fmt.Sprintf(what, args...), Owner: platform, Next: next}}
}

func isFinal(err error) (provisioners.Final, bool) {
	var f provisioners.Final
	return f, errors.As(err, &f)
}
