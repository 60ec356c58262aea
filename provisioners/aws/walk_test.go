package aws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"slipway/models"
	"slipway/provisioners"
)

// walk drives a tenant's steps as the engine does: Find, the intent, Start, Poll, with what it remembers written down after each call.
type walk struct {
	t       *testing.T
	w       *world
	books   *books
	tenants *Tenants
	serves  provisioners.Provisioner // of the request's kind
	vendor  Vendor
	req     models.Request
	draft   provisioners.Draft
	plan    models.Plan
	runID   string
	attempt int

	done    map[string]bool
	outputs map[string]map[string]string
	polls   map[string]bool
	vends   map[string]provisioners.Vending
	called  map[string]bool // CreateAccount was called for the account
	events  []provisioners.Event
	cut     func(step, point string) bool // true: the process dies here
	person  func(step string, on models.WaitingOn)
}

var errDied = errors.New("the process died")

func newWalk(t *testing.T, w *world, c *Clients, slug string, classes ...models.Class) *walk {
	t.Helper()
	b := newBooks()
	tenants, err := NewTenantProvisioner(c, b, testBaseline(t), testPrices(t))
	if err != nil {
		t.Fatal(err)
	}
	in, err := json.Marshal(models.TenantInputs{Slug: slug, DisplayName: slug, OwnerGroup: "o", DeveloperGroup: "d", ViewerGroup: "v", CostCentre: "CC-4100", Budget: decimal.NewFromInt(500), Classes: classes})
	if err != nil {
		t.Fatal(err)
	}
	k := &walk{t: t, w: w, books: b, tenants: tenants, serves: tenants, vendor: Vendor{Clients: c}, runID: models.NewID(), attempt: 1,
		req:  models.Request{ID: models.NewID(), Kind: models.CreateTenant, ObjectType: models.TenantObject, ObjectID: models.NewID(), ObjectName: slug, Inputs: in, RequesterID: models.NewID()},
		done: map[string]bool{}, outputs: map[string]map[string]string{}, polls: map[string]bool{}, vends: map[string]provisioners.Vending{}, called: map[string]bool{}}
	b.requests[k.req.ID] = k.req
	return k
}

// makePlan plans and freezes.
func (k *walk) makePlan() error {
	d, err := k.serves.Plan(k.t.Context(), provisioners.Planning{Request: k.req, Now: time.Now()})
	var wait provisioners.Wait
	for errors.As(err, &wait) {
		d, err = k.serves.Plan(k.t.Context(), provisioners.Planning{Request: k.req, Now: time.Now()})
	}
	if err != nil {
		return err
	}
	k.draft = d
	k.plan = models.Plan{ID: models.NewID(), Content: models.PlanContent{Kind: k.req.Kind, ObjectType: k.req.ObjectType, Object: k.req.ObjectName, Inputs: k.req.Inputs, Parts: d.Parts, Cost: d.Cost}}
	return nil
}

func (k *walk) mustPlan() {
	k.t.Helper()
	if err := k.makePlan(); err != nil {
		k.t.Fatalf("plan: %v", err)
	}
}

func (k *walk) runOf(step string) *provisioners.Run {
	r := &provisioners.Run{ID: k.runID, RequestID: k.req.ID, Kind: k.req.Kind, ObjectID: k.req.ObjectID, TenantID: k.req.ObjectID, Attempt: k.attempt,
		StartedBy: k.req.RequesterID, Plan: k.plan, Step: step, Outputs: maps.Clone(k.outputs[step]), Earlier: map[string]map[string]string{}}
	if r.Outputs == nil {
		r.Outputs = map[string]string{}
	}
	for name, o := range k.outputs {
		if name != step {
			r.Earlier[name] = maps.Clone(o)
		}
	}
	return r
}

func (k *walk) keep(step string, res provisioners.Result) {
	if k.outputs[step] == nil {
		k.outputs[step] = map[string]string{}
	}
	maps.Copy(k.outputs[step], res.Outputs)
	k.events = append(k.events, res.Events...)
}

func (k *walk) dies(step, point string) bool { return k.cut != nil && k.cut(step, point) }

// run works the steps until the run ends, in an error or not. A process that dies is started again.
func (k *walk) run() error {
	k.t.Helper()
	for {
		err := k.life()
		if !errors.Is(err, errDied) {
			return err
		}
	}
}

func (k *walk) life() error {
	steps, err := k.serves.Steps(k.plan)
	if err != nil {
		return err
	}
	for _, s := range steps {
		if k.done[s.Name] {
			continue
		}
		if err := k.work(s); err != nil {
			return err
		}
		k.done[s.Name] = true
	}
	return nil
}

// work makes calls of one step until it is done.
func (k *walk) work(s provisioners.Step) error {
	ctx, cancel := context.WithTimeout(k.t.Context(), 5*time.Minute)
	defer cancel()
	began, tries := time.Now(), 0
	for {
		if err := k.vend(ctx); err != nil {
			return err
		}
		run := k.runOf(s.Name)
		run.Waited = time.Since(began)
		ask := s.Find
		if k.polls[s.Name] && s.Poll != nil {
			ask = s.Poll
		}
		res, err := ask(ctx, run)
		if err == nil {
			err = k.answer(ctx, s, run, res)
		}
		var wait provisioners.Wait
		switch {
		case errors.Is(err, errDone):
			return nil
		case err == nil, errors.As(err, &wait):
		case errors.Is(err, errDied), ctx.Err() != nil:
			return err
		default:
			var final provisioners.Final
			var differs provisioners.Mismatch
			if tries++; tries >= 8 || errors.As(err, &final) || errors.As(err, &differs) {
				return err
			}
		}
		if err := pause(ctx); err != nil {
			return fmt.Errorf("step %s does not end: %w", s.Name, err)
		}
	}
}

var errDone = errors.New("done")

func (k *walk) answer(ctx context.Context, s provisioners.Step, run *provisioners.Run, res provisioners.Result) error {
	k.keep(s.Name, res)
	switch res.Found {
	case provisioners.Present:
		return errDone
	case provisioners.Working:
		k.polls[s.Name] = true
		if k.person != nil && res.Waiting != nil && res.Waiting.For == "a person" {
			k.person(s.Name, *res.Waiting)
		}
	case provisioners.Onward:
		k.polls[s.Name] = false
	case provisioners.Absent:
		if k.polls[s.Name] || s.Start == nil {
			k.polls[s.Name] = false
			return nil
		}
		maps.Copy(run.Outputs, res.Outputs)
		name := strings.Trim(s.Name+" "+run.Outputs["stage"], " ")
		if k.dies(name, "after-intent-commit") {
			return errDied
		}
		if err := s.Start(ctx, run); err != nil {
			return err
		}
		if k.dies(name, "after-aws-call") {
			return errDied
		}
		k.keep(s.Name, provisioners.Result{Outputs: run.Outputs})
		k.polls[s.Name] = true
		if k.dies(name, "after-outcome-commit") {
			return errDied
		}
	}
	return nil
}

// pause lets AWS work.
func pause(ctx context.Context) error {
	timer := time.NewTimer(15 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// proves checks that the world holds exactly one of everything that the run has made.
func (k *walk) proves(classes ...models.Class) {
	k.t.Helper()
	for _, c := range classes {
		name := k.req.ObjectName + "-" + string(c)
		if n := k.w.count(`SELECT count(*) FROM accounts WHERE name = $1`, name); n != 1 {
			k.t.Errorf("%d accounts %s", n, name)
		}
		id := k.outputs[stepCreate+"."+string(c)]["account"]
		if n := k.w.count(`SELECT count(*) FROM stacks WHERE account = $1 AND name = $2 AND status = 'CREATE_COMPLETE'`, id, "slw-"+k.req.ObjectName+"-baseline"); n != 1 {
			k.t.Errorf("%d complete baselines in %s", n, id)
		}
		if n := k.w.count(`SELECT count(*) FROM stacks WHERE account = $1 AND name = $2 AND status NOT IN ('CREATE_COMPLETE', 'DELETE_COMPLETE')`, id, "slw-"+k.req.ObjectName+"-baseline"); n != 0 {
			k.t.Errorf("%d broken baselines in %s", n, id)
		}
	}
	if n := k.w.count(`SELECT count(*) FROM budgets WHERE name = $1`, budgetName(k.req.ObjectName)); n != 1 {
		k.t.Errorf("%d budgets", n)
	}
	tenant, err := k.books.Tenant(k.t.Context(), k.req.ObjectID)
	if err != nil {
		k.t.Fatal(err)
	}
	for _, a := range tenant.Accounts {
		if a.AWSID == "" || a.AWSState != "ACTIVE" || a.OU != k.tenants.clients.OUs[a.Class] || a.BaselineAt.IsZero() {
			k.t.Errorf("account as Slipway knows it: %+v", a)
		}
	}
	k.books.mu.Lock()
	defer k.books.mu.Unlock()
	if open := slices.Sorted(maps.Values(k.books.sets)); slices.Contains(open, "open") {
		k.t.Errorf("owner rows of change sets: %v", open)
	}
}
