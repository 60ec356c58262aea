package aws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"slipway/models"
	"slipway/models/blueprint"
	"slipway/provisioners"
)

// Plan says what making the tenant would do, account by account, each change with what is there already. The same world and the same
// inputs give the same content.
func (t *Tenants) Plan(ctx context.Context, p provisioners.Planning) (provisioners.Draft, error) {
	d, err := t.plan(ctx, p)
	return d, judge(err, 0, false)
}

func (t *Tenants) plan(ctx context.Context, p provisioners.Planning) (provisioners.Draft, error) {
	var in models.TenantInputs
	if err := json.Unmarshal(p.Request.Inputs, &in); err != nil {
		return provisioners.Draft{}, fmt.Errorf("read the inputs of request %s: %w", p.Request.ID, err)
	}
	tenant, err := t.registry.Tenant(ctx, p.Request.ObjectID)
	if err != nil && models.KindOf(err) != models.NotFound {
		return provisioners.Draft{}, err
	}
	d, err := t.accountParts(ctx, p, in, tenant)
	if err != nil {
		return d, err
	}
	d.Parts = append(d.Parts, t.budgetPart(in))
	return d, t.compare(ctx, p, tenant, &d)
}

// accountParts are the accounts that a request brings, with their cost.
func (t *Tenants) accountParts(ctx context.Context, p provisioners.Planning, in models.TenantInputs, tenant models.Tenant) (provisioners.Draft, error) {
	found, err := t.preflight(ctx, askedBy(p), in, tenant)
	if err != nil {
		return provisioners.Draft{}, err
	}
	d := provisioners.Draft{Region: t.clients.Region, PriceDate: t.prices.Date, PriceDigest: t.prices.Digest}
	for _, class := range models.Classes() {
		if !slices.Contains(in.Classes, class) {
			continue
		}
		part, err := t.accountPart(in, class, found[class], awsID(tenant, class))
		if err == nil {
			err = t.letPeopleIn(ctx, askedBy(p), &part, groupsOf(in), &d)
		}
		if err != nil {
			return d, err
		}
		d.Parts = append(d.Parts, part)
		d.Notes = append(d.Notes, found[class].notes...)
		estimate := t.prices.Estimate(part.Name, t.clients.Region, t.baseline.Costs)
		d.Region, d.PriceDate = estimate.Region, estimate.Date
		d.Cost = append(d.Cost, estimate.CostLines()...)
		d.NotEstimated = append(d.NotEstimated, estimate.NotEstimated...)
	}
	d.NotEstimated = append(d.NotEstimated, t.baseline.NotEstimated...)
	d.NotEstimated = unique(append(d.NotEstimated, "What the team runs in its accounts: each environment has an estimate of its own",
		"What your organization switches on in every account, such as AWS Config, CloudTrail and GuardDuty", "Taxes, credits and AWS Support"))
	return d, nil
}

func unique(list []string) []string {
	var out []string
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func awsID(tenant models.Tenant, class models.Class) string {
	for _, a := range tenant.Accounts {
		if a.Class == class && a.State != models.Deleted {
			return a.AWSID
		}
	}
	return ""
}

// accountPart lists everything that is done for one account.
func (t *Tenants) accountPart(in models.TenantInputs, class models.Class, f findings, id string) (models.PlanPart, error) {
	name := in.Slug + "-" + string(class)
	part := models.PlanPart{Name: "Account " + name, Account: id, Class: class, Region: t.clients.Region, Blueprint: t.baseline.Name + "@" + t.baseline.Version,
		Digest: t.baseline.Digest, TemplateHash: templateHash(t.baseline.Template), StackName: baselineStackName(in.Slug),
		Tags: map[string]string{tagTenant: in.Slug, "slipway:class": string(class), "slipway:cost-centre": in.CostCentre, "slipway:blueprint": t.baseline.Name}}
	suffix := "." + string(class)
	if f.enrol != nil {
		t.addEnrolment(in, &part, f)
	} else {
		adding(&part, stepCreate+suffix, "Account", "AWS account", "An AWS account cannot be deleted, only closed.", after("/Name", name))
		adding(&part, stepMove+suffix, "OrganizationalUnit", "Organizational unit", "", after("/OrganizationalUnit", t.clients.OUs[class]))
		inherits(&part, f.policies)
		t.addAccess(&part)
	}
	t.addSettings(&part)
	if f.enrol != nil {
		f.enrol.overwrites(&part)
	}
	return part, t.addBaseline(in, &part)
}

// adding appends a change that makes something.
func adding(part *models.PlanPart, step, logical, kind, note string, props ...models.PropertyChange) {
	part.Changes = append(part.Changes, models.Change{Step: step, LogicalID: logical, Type: kind, Action: models.Add, Note: note, Properties: props})
}

// inherits appends the policies that the account's unit hands down, which the run verifies.
func inherits(part *models.PlanPart, policies []string) {
	for _, p := range policies {
		part.Changes = append(part.Changes, models.Change{Step: stepPolicies + "." + string(part.Class), LogicalID: p, Type: "Inherited policy", Action: models.Exists, Note: "Verified, never written."})
	}
}

func (t *Tenants) addAccess(part *models.PlanPart) {
	adding(part, stepAccess+"."+string(part.Class), "Access", "Roles of "+t.clients.StackSet, "Delivered by the stack set; Slipway waits for them.")
}

// addSettings appends what is set in every account beside its baseline.
func (t *Tenants) addSettings(part *models.PlanPart) {
	suffix := "." + string(part.Class)
	if c := t.clients.Contact; c != (Contact{}) {
		for _, kind := range contactKinds {
			adding(part, stepContacts+suffix, string(kind), "Alternate contact", "", after("/Name", c.Name), after("/Title", c.Title), after("/EmailAddress", c.Email), after("/PhoneNumber", c.Phone))
		}
	}
	for _, region := range t.clients.Regions {
		adding(part, stepEBS+suffix+"."+region, "EbsEncryption-"+region, "Default encryption of volumes", "", after("/Enabled", "true"))
	}
	adding(part, stepS3+suffix, "PublicAccessBlock", "Public access block of S3", "", after("/BlockPublicAccess", "true"))
	adding(part, stepPassword+suffix, "PasswordPolicy", "Password rules of IAM", "", after("/MinimumPasswordLength", fmt.Sprint(*passwordPolicy.MinimumPasswordLength)),
		after("/MaxPasswordAge", fmt.Sprint(*passwordPolicy.MaxPasswordAge)), after("/PasswordReusePrevention", fmt.Sprint(*passwordPolicy.PasswordReusePrevention)))
}

// addBaseline resolves the template as far as it can be known before the account exists.
func (t *Tenants) addBaseline(in models.TenantInputs, part *models.PlanPart) error {
	given := map[string]string{"Tenant": in.Slug, "Class": string(part.Class), "CostCentre": in.CostCentre, "AlarmEmail": t.clients.AlertEmail}
	for name := range given {
		if _, ok := t.template.Parameter(name); !ok {
			delete(given, name)
		}
	}
	r, err := t.template.Resolve(blueprint.Inputs{Parameters: given, Account: part.Account, Region: part.Region, StackName: part.StackName, Tags: part.Tags, Masked: true, Partition: t.clients.partition})
	if err != nil {
		return finalf("The baseline %s cannot be planned: %v.", "Correct the blueprint, then plan again.", part.Blueprint, err)
	}
	part.Parameters = r.Parameters
	for _, c := range blueprint.Diff(nil, r) {
		ch := models.Change{Step: stepBaseline + "." + string(part.Class), LogicalID: c.ID, Type: c.Type, Action: models.Add}
		for _, prop := range c.Details {
			ch.Properties = append(ch.Properties, after(prop.Path, text(prop.After)))
		}
		part.Changes = append(part.Changes, ch)
	}
	return nil
}

func after(path, value string) models.PropertyChange {
	return models.PropertyChange{Path: path, After: &value}
}

// text is a property as the plan shows it: words as they are, anything else as JSON with sorted keys.
func text(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

// budgetPart is what is set in the management account.
func (t *Tenants) budgetPart(in models.TenantInputs) models.PlanPart {
	var classes []string
	for _, c := range models.Classes() {
		if slices.Contains(in.Classes, c) {
			classes = append(classes, string(c))
		}
	}
	props := []models.PropertyChange{after("/Limit", in.Budget.String()), after("/Unit", "USD a month"), after(budgetAccounts, join(classes))}
	if t.clients.AlertEmail != "" {
		props = append(props, after("/Notifications", budgetNotes(t.clients.AlertEmail)))
	}
	return models.PlanPart{Name: "Organization", Account: t.clients.management, Changes: []models.Change{{Step: stepBudget, LogicalID: budgetName(in.Slug),
		Type: "Monthly budget", Action: models.Add, Properties: props}}}
}

// budgetNotes says when a budget tells whom.
func budgetNotes(mail string) string { return "at 80 % spent and 100 % forecast to " + mail }

func join(list []string) string {
	s := ""
	for i, l := range list {
		if i > 0 {
			s += ", "
		}
		s += l
	}
	return s
}

// compare asks each step whether its change is there already. Nothing is there before the tenant has an account.
func (t *Tenants) compare(ctx context.Context, p provisioners.Planning, tenant models.Tenant, d *provisioners.Draft) error {
	exists := func(part models.PlanPart) bool { return part.Class != "" && part.Account != "" }
	if !slices.ContainsFunc(d.Parts, exists) {
		return nil
	}
	return t.compareWith(ctx, p, tenant, d, t.Steps)
}

// compareWith marks what is there, step by step. What cannot be looked at yet, because Slipway has no way into the account, counts as not
// there: its own step looks again before it changes anything.
func (t *Tenants) compareWith(ctx context.Context, p provisioners.Planning, tenant models.Tenant, d *provisioners.Draft, stepsOf func(models.Plan) ([]provisioners.Step, error)) error {
	plan := models.Plan{Content: models.PlanContent{Kind: p.Request.Kind, Object: p.Request.ObjectName, Inputs: p.Request.Inputs, Parts: d.Parts}}
	steps, err := stepsOf(plan)
	if err != nil {
		return err
	}
	run := &provisioners.Run{ID: p.Request.ID, RequestID: p.Request.ID, Kind: p.Request.Kind, ObjectID: p.Request.ObjectID, TenantID: tenant.ID, StartedBy: p.Request.RequesterID, Plan: plan,
		Earlier: map[string]map[string]string{}}
	there := map[string]bool{}
	for _, s := range steps {
		run.Step, run.Outputs = s.Name, map[string]string{}
		res, err := s.Find(ctx, run)
		var call *CallError
		own := err != nil && !errors.As(err, &call) && s.Name == stepRecord
		if err != nil && (own || errors.As(err, &call) && call.verdict(true) == retry) {
			return err // AWS did not answer, or Slipway's own rows could not be read
		}
		there[s.Name] = err == nil && res.Found == provisioners.Present
		run.Earlier[s.Name] = res.Outputs
	}
	for i := range d.Parts {
		for j := range d.Parts[i].Changes {
			if ch := &d.Parts[i].Changes[j]; there[ch.Step] {
				ch.Action = models.Exists
			}
		}
	}
	return nil
}
