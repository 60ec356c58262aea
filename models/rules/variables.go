package rules

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/ext"

	"slipway/models"
)

// What expressions may read. Each struct is one variable; a field that is not here does not compile. Amounts are doubles in USD per
// month: rules compare with thresholds, they never add up money.
type (
	requestVariable struct {
		Kind       string `cel:"kind"` // tenant.create
		ObjectType string `cel:"object_type"`
		Object     string `cel:"object"` // the object's name
		By         string `cel:"by"`     // person, or the component that asks: expiry
	}
	requesterVariable struct {
		Name   string   `cel:"name"`
		Roles  []string `cel:"roles"` // platform roles
		Groups []string `cel:"groups"`
	}
	tenantVariable struct {
		Slug           string        `cel:"slug"`
		CostCentre     string        `cel:"cost_centre"`
		OwnerGroup     string        `cel:"owner_group"`
		DeveloperGroup string        `cel:"developer_group"`
		ViewerGroup    string        `cel:"viewer_group"`
		Budget         float64       `cel:"budget"`
		Classes        []string      `cel:"classes"`
		NewGroups      []string      `cel:"new_groups"`   // groups that no sign-in has ever carried
		Environments   int64         `cel:"environments"` // that exist beside the one that is asked about
		Monthly        float64       `cel:"monthly"`      // what those are estimated to cost
		Spend          spendVariable `cel:"spend"`
	}
	spendVariable struct { // this month against the budget, by AWS Budgets; what is not known is beyond every limit
		Known           bool    `cel:"known"`
		ActualPercent   float64 `cel:"actual_percent"`
		ForecastKnown   bool    `cel:"forecast_known"`
		ForecastPercent float64 `cel:"forecast_percent"`
	}
	environmentVariable struct {
		Name       string `cel:"name"`
		Stage      string `cel:"stage"`     // dev, staging, prod; empty when the request is about something else
		Blueprint  string `cel:"blueprint"` // as it will be
		Version    string `cel:"version"`
		Region     string `cel:"region"`
		Days       int64  `cel:"days"` // that are asked for: create, extend, wake
		Hibernated bool   `cel:"hibernated"`

		Pipelines []string `cel:"pipelines"` // names of those that deliver to it
	}
	promotionVariable struct { // what a deployment is the promotion of; a person's own deployment is of none
		Exists    bool   `cel:"exists"`
		Rollback  bool   `cel:"rollback"`
		Automatic bool   `cel:"automatic"` // the stage lets a rule approve
		Pipeline  string `cel:"pipeline"`  // name
		AskedBy   string `cel:"asked_by"`  // codepipeline, workflow, person
		Failing   int64  `cel:"failing"`   // gates, as they were judged when it asked
		Waiting   int64  `cel:"waiting"`
		Waived    int64  `cel:"waived"`
	}
	planVariable struct {
		Adds     int64            `cel:"adds"`
		Changes  int64            `cel:"changes"`
		Replaces int64            `cel:"replaces"`
		Deletes  int64            `cel:"deletes"`
		Items    []changeVariable `cel:"items"`
	}
	changeVariable struct {
		Part    string `cel:"part"`
		Class   string `cel:"class"`
		Region  string `cel:"region"`
		Step    string `cel:"step"`
		Type    string `cel:"type"`
		Action  string `cel:"action"` // add, change, replace, delete, exists
		Logical string `cel:"logical_id"`
	}
	costVariable struct {
		Now      float64 `cel:"now"`
		Planned  float64 `cel:"planned"`
		Increase float64 `cel:"increase"`
		Unpriced bool    `cel:"unpriced"` // things without a price in their region are left out, so the figures are too low
	}
)

// Variable documents one variable for the rules page.
type Variable struct{ Name, Fields, Words string }

// Variables lists what expressions may read.
func Variables() []Variable {
	fields := func(v any) string {
		t, s := reflect.TypeOf(v), ""
		for i := range t.NumField() {
			if i > 0 {
				s += ", "
			}
			s += t.Field(i).Tag.Get("cel")
		}
		return s
	}
	return []Variable{
		{"request", fields(requestVariable{}), "what is asked for"},
		{"requester", fields(requesterVariable{}), "who asks, with platform roles and groups"},
		{"tenant", fields(tenantVariable{}), "the tenant it is for, as it will be; budget in USD per month"},
		{"tenant.spend", fields(spendVariable{}), "what it has spent this month, and is expected to, in percent of its budget; what is not known is infinite, so that no limit lets it pass"},
		{"environment", fields(environmentVariable{}), "the environment that is asked about"},
		{"promotion", fields(promotionVariable{}), "the promotion that a deployment is of, with how many of its gates fail, wait or are waived"},
		{"inputs", "", "the form's fields by name; a field that is missing is an error, so test has(inputs.x) first"},
		{"plan", fields(planVariable{}), "what would be done; items: " + fields(changeVariable{})},
		{"cost", fields(costVariable{}), "estimate in USD per month"},
		{"now", "", "the time of the evaluation"},
	}
}

func environment() (*cel.Env, error) {
	return cel.NewEnv(
		ext.NativeTypes(reflect.TypeFor[requestVariable](), reflect.TypeFor[requesterVariable](), reflect.TypeFor[tenantVariable](), reflect.TypeFor[spendVariable](), reflect.TypeFor[environmentVariable](), reflect.TypeFor[promotionVariable](),
			reflect.TypeFor[planVariable](), reflect.TypeFor[changeVariable](), reflect.TypeFor[costVariable](), ext.ParseStructTags(true)),
		cel.Variable("request", cel.ObjectType("rules.requestVariable")),
		cel.Variable("requester", cel.ObjectType("rules.requesterVariable")),
		cel.Variable("tenant", cel.ObjectType("rules.tenantVariable")),
		cel.Variable("environment", cel.ObjectType("rules.environmentVariable")),
		cel.Variable("promotion", cel.ObjectType("rules.promotionVariable")),
		cel.Variable("inputs", cel.MapType(cel.StringType, cel.DynType)),
		cel.Variable("plan", cel.ObjectType("rules.planVariable")),
		cel.Variable("cost", cel.ObjectType("rules.costVariable")),
		cel.Variable("now", cel.TimestampType),
		cel.ParserExpressionSizeLimit(maxExpression),
		cel.ParserRecursionLimit(50),
		ext.Strings(),
	)
}

// values fills the variables. The tenant of a request that makes one is read from the inputs, so that a rule says the same before and
// after the tenant's row exists.
func values(f models.RuleFacts) (map[string]any, error) {
	inputs := map[string]any{}
	if len(f.Request.Inputs) > 0 {
		if err := json.Unmarshal(f.Request.Inputs, &inputs); err != nil {
			return nil, fmt.Errorf("read the request's inputs: %w", err)
		}
	}
	tenant, err := tenantOf(f)
	if err != nil {
		return nil, err
	}
	env, promotion, err := environmentOf(f)
	if err != nil {
		return nil, err
	}
	roles := make([]string, len(f.Roles))
	for i, r := range f.Roles {
		roles[i] = string(r)
	}
	now, planned := f.Content.Monthly()
	return map[string]any{
		"request":     requestVariable{Kind: string(f.Request.Kind), ObjectType: string(f.Request.ObjectType), Object: f.Request.ObjectName, By: askedBy(f.Requester)},
		"requester":   requesterVariable{Name: f.Requester.Name, Roles: roles, Groups: f.Requester.Groups},
		"tenant":      tenant,
		"environment": env,
		"promotion":   promotion,
		"inputs":      inputs,
		"plan":        planOf(f.Content),
		"cost":        costVariable{Now: now.InexactFloat64(), Planned: planned.InexactFloat64(), Increase: planned.Sub(now).InexactFloat64(), Unpriced: f.Unpriced},
		"now":         f.Now.UTC().Truncate(time.Microsecond),
	}, nil
}

// askedBy is "person", or the component whose row stands for a requester.
func askedBy(p models.Person) string {
	if p.Issuer == models.SystemIssuer {
		return p.Subject
	}
	return "person"
}

// environmentOf is the environment that the request asks for or is about, and the promotion that it is of; the zero values for other objects.
func environmentOf(f models.RuleFacts) (v environmentVariable, p promotionVariable, err error) {
	if f.Request.Kind.Object() != models.EnvironmentObject {
		return v, p, nil
	}
	var in models.EnvironmentInputs
	if err := json.Unmarshal(f.Request.Inputs, &in); err != nil {
		return v, p, fmt.Errorf("read the environment's inputs: %w", err)
	}
	v = environmentVariable{Name: f.Request.ObjectName, Stage: string(in.Stage), Blueprint: in.Blueprint, Version: in.Version, Region: in.Region, Days: int64(in.Days), Pipelines: f.Pipelines}
	if f.Environment != nil {
		v.Hibernated = f.Environment.Hibernated
	}
	if o := in.Promotion; o != nil {
		count := func(s models.GateState) int64 { return int64(o.Count(s)) }
		p = promotionVariable{Exists: true, Rollback: o.Rollback, Automatic: o.Automatic, Pipeline: o.Pipeline, AskedBy: string(o.AskedBy), Failing: count(models.GateFail), Waiting: count(models.GateWaiting),
			Waived: count(models.GateWaived)}
	}
	return v, p, nil
}

func tenantOf(f models.RuleFacts) (tenantVariable, error) {
	v := tenantVariable{NewGroups: f.NewGroups, Environments: int64(f.Environments), Monthly: f.Monthly.InexactFloat64(), Spend: spendOf(f)}
	if f.Request.Kind == models.CreateTenant {
		var in models.TenantInputs
		if err := json.Unmarshal(f.Request.Inputs, &in); err != nil {
			return v, fmt.Errorf("read the tenant's inputs: %w", err)
		}
		v.Slug, v.CostCentre, v.Budget = in.Slug, in.CostCentre, in.Budget.InexactFloat64()
		v.OwnerGroup, v.DeveloperGroup, v.ViewerGroup = in.OwnerGroup, in.DeveloperGroup, in.ViewerGroup
		for _, c := range in.Classes {
			v.Classes = append(v.Classes, string(c))
		}
		return v, nil
	}
	if t := f.Tenant; t != nil {
		v.Slug, v.CostCentre, v.Budget = t.Slug, t.CostCentre, t.Budget.InexactFloat64()
		v.OwnerGroup, v.DeveloperGroup, v.ViewerGroup = t.OwnerGroup, t.DeveloperGroup, t.ViewerGroup
		for _, a := range t.Accounts {
			if a.State != models.Deleted {
				v.Classes = append(v.Classes, string(a.Class))
			}
		}
	}
	if f.Request.Kind == models.ChangeTenant {
		var in models.ChangeTenantInputs
		if err := json.Unmarshal(f.Request.Inputs, &in); err != nil {
			return v, fmt.Errorf("read what of the tenant changes: %w", err)
		}
		v.Budget, v.OwnerGroup, v.DeveloperGroup, v.ViewerGroup = in.Budget.InexactFloat64(), in.OwnerGroup, in.DeveloperGroup, in.ViewerGroup
	}
	return v, nil
}

// spendOf is the tenant's month in percent of its budget. A tenant that does not exist yet has spent nothing; of one whose figures nobody
// knows, or only old ones, the share is infinite: a rule with a limit then holds, and one that approves below a limit does not.
func spendOf(f models.RuleFacts) spendVariable {
	if f.Tenant == nil {
		return spendVariable{Known: true, ForecastKnown: true}
	}
	v := spendVariable{ActualPercent: math.Inf(1), ForecastPercent: math.Inf(1)}
	if f.Spend == nil {
		return v
	}
	if p := f.Spend.Percent(models.SpendActual); p != nil {
		v.Known, v.ActualPercent = true, p.InexactFloat64()
	}
	if p := f.Spend.Percent(models.SpendForecast); p != nil {
		v.ForecastKnown, v.ForecastPercent = true, p.InexactFloat64()
	}
	return v
}

func planOf(c models.PlanContent) planVariable {
	n := c.Tally()
	v := planVariable{Adds: int64(n[models.Add]), Changes: int64(n[models.Modify]), Replaces: int64(n[models.Replace]), Deletes: int64(n[models.Delete])}
	for _, p := range c.Parts {
		for _, ch := range p.Changes {
			v.Items = append(v.Items, changeVariable{Part: p.Name, Class: string(p.Class), Region: p.Region, Step: ch.Step, Type: ch.Type,
				Action: string(ch.Action), Logical: ch.LogicalID})
		}
	}
	return v
}
