package aws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/organizations"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"

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
	policies, err := t.preflight(ctx, who{person: p.Request.RequesterID, job: p.Request.ID}, in, tenant)
	if err != nil {
		return provisioners.Draft{}, err
	}
	d := provisioners.Draft{Region: t.clients.Region, PriceDate: t.prices.Date, PriceDigest: t.prices.Digest}
	for _, class := range models.Classes() {
		if !slices.Contains(in.Classes, class) {
			continue
		}
		part, err := t.accountPart(in, class, policies[class], awsID(tenant, class))
		if err != nil {
			return d, err
		}
		d.Parts = append(d.Parts, part)
		estimate := t.prices.Estimate(part.Name, t.clients.Region, t.baseline.Costs)
		d.Region, d.PriceDate = estimate.Region, estimate.Date
		d.Cost = append(d.Cost, estimate.CostLines()...)
		d.NotEstimated = append(d.NotEstimated, estimate.NotEstimated...)
	}
	d.Parts = append(d.Parts, t.budgetPart(in))
	d.NotEstimated = append(d.NotEstimated, t.baseline.NotEstimated...)
	d.NotEstimated = unique(append(d.NotEstimated, "What the team runs in its accounts: each environment has an estimate of its own",
		"What your organization switches on in every account, such as AWS Config, CloudTrail and GuardDuty", "Taxes, credits and AWS Support"))
	return d, t.compare(ctx, p, tenant, &d)
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
		if a.Class == class {
			return a.AWSID
		}
	}
	return ""
}

// preflight refuses a plan that could not be carried out, and reads the policies that new accounts will inherit.
func (t *Tenants) preflight(ctx context.Context, w who, in models.TenantInputs, tenant models.Tenant) (map[models.Class][]string, error) {
	org := organizationsClient(t.clients.org(w, lookAtOrganization))
	o, err := org.DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{})
	if err != nil {
		return nil, err
	}
	if o.Organization.FeatureSet != orgtypes.OrganizationFeatureSetAll {
		return nil, finalf("The organization has only consolidated billing switched on, so nothing would protect a new account.", "Enable all features in AWS Organizations, then plan again.")
	}
	policies, missing := map[models.Class][]string{}, 0
	for _, class := range in.Classes {
		if awsID(tenant, class) == "" {
			missing++
		}
		if policies[class], err = t.unitPolicies(ctx, org, class); err != nil {
			return nil, err
		}
	}
	if missing == 0 {
		return policies, nil
	}
	have, quota, err := t.clients.room(ctx, w, org)
	if err != nil {
		return nil, err
	}
	if quota > 0 && have+missing > quota {
		return nil, provisioners.Final{Failure: models.Failure{What: "The organization has no room for more accounts.", Owner: platform,
			Cause: fmt.Sprintf("It has %d of the %d accounts that AWS allows, and this tenant needs %d more.", have, quota, missing),
			Next:  "Ask AWS for more accounts (Service Quotas, AWS Organizations, L-E619E033; closed accounts count for 90 days), then plan again."}}
	}
	return policies, nil
}

func (t *Tenants) unitPolicies(ctx context.Context, org *organizations.Client, class models.Class) ([]string, error) {
	unit := t.clients.OUs[class]
	if unit == "" {
		return nil, finalf("No organizational unit is configured for %s accounts.", "Set SLIPWAY_OU_NONPROD and SLIPWAY_OU_PROD, then plan again.", class)
	}
	_, err := org.DescribeOrganizationalUnit(ctx, &organizations.DescribeOrganizationalUnitInput{OrganizationalUnitId: &unit})
	if is(err, "OrganizationalUnitNotFoundException", "InvalidInputException") {
		return nil, finalf("The organizational unit %s for %s accounts does not exist.", "Correct SLIPWAY_OU_NONPROD or SLIPWAY_OU_PROD, then plan again.", unit, class)
	}
	if err != nil {
		return nil, err
	}
	names, err := policiesOver(ctx, org, unit)
	if err == nil && len(names) == 0 {
		err = finalf("The organizational unit %s hands no policy down, so nothing would protect a new %s account.", "Attach the platform's policies to it, then plan again.", unit, class)
	}
	return names, err
}

// accountPart lists everything that is made for one account.
func (t *Tenants) accountPart(in models.TenantInputs, class models.Class, policies []string, id string) (models.PlanPart, error) {
	name := in.Slug + "-" + string(class)
	part := models.PlanPart{Name: "Account " + name, Account: id, Class: class, Region: t.clients.Region, Blueprint: t.baseline.Name + "@" + t.baseline.Version,
		Digest: t.baseline.Digest, TemplateHash: templateHash(t.baseline.Template), StackName: baselineStackName(in.Slug),
		Tags: map[string]string{tagTenant: in.Slug, "slipway:class": string(class), "slipway:cost-centre": in.CostCentre, "slipway:blueprint": t.baseline.Name}}
	add := func(step, logical, kind, note string, props ...models.PropertyChange) {
		part.Changes = append(part.Changes, models.Change{Step: step, LogicalID: logical, Type: kind, Action: models.Add, Note: note, Properties: props})
	}
	suffix := "." + string(class)
	add(stepCreate+suffix, "Account", "AWS account", "An AWS account cannot be deleted, only closed.", after("/Name", name))
	add(stepMove+suffix, "OrganizationalUnit", "Organizational unit", "", after("/OrganizationalUnit", t.clients.OUs[class]))
	for _, p := range policies {
		part.Changes = append(part.Changes, models.Change{Step: stepPolicies + suffix, LogicalID: p, Type: "Inherited policy", Action: models.Exists, Note: "Verified, never written."})
	}
	add(stepAccess+suffix, "Access", "Roles of "+t.clients.StackSet, "Delivered by the stack set; Slipway waits for them.")
	if c := t.clients.Contact; c != (Contact{}) {
		for _, kind := range contactKinds {
			add(stepContacts+suffix, string(kind), "Alternate contact", "", after("/Name", c.Name), after("/Title", c.Title), after("/EmailAddress", c.Email), after("/PhoneNumber", c.Phone))
		}
	}
	for _, region := range t.clients.Regions {
		add(stepEBS+suffix+"."+region, "EbsEncryption-"+region, "Default encryption of volumes", "", after("/Enabled", "true"))
	}
	add(stepS3+suffix, "PublicAccessBlock", "Public access block of S3", "", after("/BlockPublicAccess", "true"))
	add(stepPassword+suffix, "PasswordPolicy", "Password rules of IAM", "", after("/MinimumPasswordLength", fmt.Sprint(*passwordPolicy.MinimumPasswordLength)),
		after("/MaxPasswordAge", fmt.Sprint(*passwordPolicy.MaxPasswordAge)), after("/PasswordReusePrevention", fmt.Sprint(*passwordPolicy.PasswordReusePrevention)))
	return part, t.addBaseline(in, &part)
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
	props := []models.PropertyChange{after("/Limit", in.Budget.String()), after("/Unit", "USD a month"), after("/Accounts", join(classes))}
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
	if tenant.ID == "" || !slices.ContainsFunc(tenant.Accounts, func(a models.Account) bool { return a.AWSID != "" }) {
		return nil
	}
	plan := models.Plan{Content: models.PlanContent{Inputs: p.Request.Inputs, Parts: d.Parts}}
	steps, err := t.Steps(plan)
	if err != nil {
		return err
	}
	run := &provisioners.Run{ID: p.Request.ID, RequestID: p.Request.ID, ObjectID: p.Request.ObjectID, TenantID: tenant.ID, StartedBy: p.Request.RequesterID, Plan: plan,
		Earlier: map[string]map[string]string{}}
	there := map[string]bool{}
	for _, s := range steps {
		run.Step, run.Outputs = s.Name, map[string]string{}
		res, err := s.Find(ctx, run)
		var call *CallError
		if err != nil && (errors.As(err, &call) && call.verdict(true) == retry || run.Output(stepRecord, "account."+string(models.NonProd))+run.Output(stepRecord, "account."+string(models.Prod)) == "") {
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
