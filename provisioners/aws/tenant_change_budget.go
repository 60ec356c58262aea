package aws

import (
	"context"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/budgets"
	budgettypes "github.com/aws/aws-sdk-go-v2/service/budgets/types"
	"github.com/shopspring/decimal"

	"slipway/models"
	"slipway/provisioners"
)

// otherBudget sets the budget of a tenant that has one, over the accounts that the plan names by class.
type otherBudget struct{ place }

// want is the budget with a limit.
func (b otherBudget) want(ctx context.Context, run *provisioners.Run, limit string) (*budgettypes.Budget, error) {
	tenant, err := b.registry.Tenant(ctx, run.ObjectID)
	if err != nil {
		return nil, err
	}
	var ids []string
	classes := strings.Split(b.property(budgetAccounts), ", ")
	for _, a := range livingAccounts(tenant) {
		if slices.Contains(classes, string(a.Class)) {
			ids = append(ids, a.AWSID)
		}
	}
	slices.Sort(ids)
	return budgetFor(b.slug, limit, ids), nil
}

// planBudget reads the budget that AWS holds.
func (c Changing) planBudget(ctx context.Context, w who, then models.Tenant, accounts []models.Account) (models.PlanPart, error) {
	part := c.budgetPart(models.TenantInputs{Slug: then.Slug, Budget: then.Budget, Classes: classesOf(accounts)})
	name := budgetName(then.Slug)
	out, err := budgets.NewFromConfig(c.clients.org(w, c.clients.setBudget(name))).DescribeBudget(ctx, &budgets.DescribeBudgetInput{AccountId: &c.clients.management, BudgetName: &name})
	if is(err, "NotFoundException") {
		part.Changes[0].Note = "AWS has no such budget any more, so it is made again."
		return part, nil
	}
	if err != nil || out.Budget.BudgetLimit == nil {
		return part, err
	}
	limit := amount(out.Budget)
	ch := &part.Changes[0]
	ch.Action, ch.Properties = models.Modify, slices.DeleteFunc(ch.Properties, func(p models.PropertyChange) bool { return p.Path == "/Notifications" })
	for i := range ch.Properties {
		if ch.Properties[i].Path == "/Limit" {
			ch.Properties[i].Before = &limit
		}
	}
	return part, nil
}

// amount is a budget's limit as plans write it: AWS answers 500.0 for 500.
func amount(b *budgettypes.Budget) string {
	text := sdk.ToString(b.BudgetLimit.Amount)
	if n, err := decimal.NewFromString(text); err == nil {
		return n.String()
	}
	return text
}

func classesOf(accounts []models.Account) []models.Class {
	var all []models.Class
	for _, a := range accounts {
		all = append(all, a.Class)
	}
	return all
}

func (b otherBudget) step() provisioners.Step {
	return provisioners.Step{Title: "Set the budget of " + b.slug, Find: b.look(func(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
		return b.find(ctx, run, b.property("/Limit"))
	}), Start: b.act(func(ctx context.Context, run *provisioners.Run) error {
		return b.set(ctx, run, b.property("/Limit"))
	}), Undo: b.look(b.undo)}
}

func (b otherBudget) find(ctx context.Context, run *provisioners.Run, limit string) (provisioners.Result, error) {
	want, err := b.want(ctx, run, limit)
	if err != nil {
		return absent, err
	}
	out, err := b.budgets(run).DescribeBudget(ctx, &budgets.DescribeBudgetInput{AccountId: &b.clients.management, BudgetName: want.BudgetName, ShowFilterExpression: sdk.Bool(true)})
	if is(err, "NotFoundException") {
		return provisioners.Result{Found: provisioners.Absent, Outputs: map[string]string{"exists": ""}}, nil
	}
	if err != nil {
		return absent, err
	}
	if sameBudget(out.Budget, want) {
		return present, nil
	}
	return provisioners.Result{Found: provisioners.Absent, Outputs: map[string]string{"exists": "yes"}}, nil
}

func (b otherBudget) set(ctx context.Context, run *provisioners.Run, limit string) error {
	want, err := b.want(ctx, run, limit)
	if err != nil {
		return err
	}
	api := b.budgets(run)
	if run.Outputs["exists"] != "" {
		_, err := api.UpdateBudget(ctx, &budgets.UpdateBudgetInput{AccountId: &b.clients.management, NewBudget: want})
		return err
	}
	_, err = api.CreateBudget(ctx, &budgets.CreateBudgetInput{AccountId: &b.clients.management, Budget: want, NotificationsWithSubscribers: b.notifications(),
		ResourceTags: []budgettypes.ResourceTag{{Key: sdk.String(tagTenant), Value: &b.slug}}}, func(o *budgets.Options) { o.Retryer = once() })
	return ignore(err, "DuplicateRecordException") // made by a call whose answer was lost: the next look compares it
}

// undo sets the limit again that the plan found. A budget that the run had to make stays: the tenant is watched by it.
func (b otherBudget) undo(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	limit := b.was("/Limit")
	if limit == "" {
		return present, nil
	}
	res, err := b.find(ctx, run, limit)
	if err != nil || res.Found == provisioners.Present {
		return res, err
	}
	run.Outputs["exists"] = res.Outputs["exists"]
	return provisioners.Result{Found: provisioners.Working}, b.set(ctx, run, limit)
}
