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

// budgetName is the tenant's budget in the management account; slugs are never reused, so the name says whose it is.
func budgetName(slug string) string { return "slw-" + slug }

// budgetAccounts is the property of the plan that lists the classes whose accounts the budget is over.
const budgetAccounts = "/Accounts"

// budget watches what the tenant's accounts cost together.
func (p place) budget() provisioners.Step {
	step := provisioners.Step{Title: "Set the budget of " + p.slug, Find: p.look(p.findBudget), Start: p.act(p.startBudget), Undo: p.look(p.undoBudget)}
	if _, widens := p.narrower(); widens {
		step.Title, step.Undo = "Let the budget of "+p.slug+" watch one more account", p.look(p.narrowBudget)
	}
	return step
}

func (p place) budgets(run *provisioners.Run) *budgets.Client {
	return budgets.NewFromConfig(p.clients.org(workOf(run), p.clients.setBudget(budgetName(p.slug))))
}

// wanted is the budget as it was approved, over the accounts that the run made and those that the tenant had.
func (p place) wanted(ctx context.Context, run *provisioners.Run) (*budgettypes.Budget, error) {
	return p.budgetOver(ctx, run, p.property(budgetAccounts))
}

// budgetOver is the budget as it was approved, over the accounts of some classes.
func (p place) budgetOver(ctx context.Context, run *provisioners.Run, classes string) (*budgettypes.Budget, error) {
	limit := p.property("/Limit")
	var ids []string
	for class := range strings.SplitSeq(classes, ", ") {
		id, err := p.accountOf(ctx, run, models.Class(class))
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return budgetFor(p.slug, limit, ids), nil
}

// budgetFor is a tenant's monthly budget over its accounts.
func budgetFor(slug, limit string, accounts []string) *budgettypes.Budget {
	return &budgettypes.Budget{BudgetName: sdk.String(budgetName(slug)), BudgetType: budgettypes.BudgetTypeCost, TimeUnit: budgettypes.TimeUnitMonthly,
		BudgetLimit: &budgettypes.Spend{Amount: &limit, Unit: sdk.String("USD")}, Metrics: []budgettypes.Metric{budgettypes.MetricUnblendedCost},
		FilterExpression: &budgettypes.Expression{Dimensions: &budgettypes.ExpressionDimensionValues{Key: budgettypes.DimensionLinkedAccount, Values: accounts}}}
}

func (p place) findBudget(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	want, err := p.wanted(ctx, run)
	if err != nil {
		return absent, err
	}
	out, err := p.budgets(run).DescribeBudget(ctx, &budgets.DescribeBudgetInput{AccountId: &p.clients.management, BudgetName: want.BudgetName, ShowFilterExpression: sdk.Bool(true)})
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

func sameBudget(have, want *budgettypes.Budget) bool {
	if have.BudgetLimit == nil || have.FilterExpression == nil || have.FilterExpression.Dimensions == nil {
		return false
	}
	a, err := decimal.NewFromString(sdk.ToString(have.BudgetLimit.Amount))
	b, err2 := decimal.NewFromString(sdk.ToString(want.BudgetLimit.Amount))
	ids := slices.Sorted(slices.Values(have.FilterExpression.Dimensions.Values))
	return err == nil && err2 == nil && a.Equal(b) && sdk.ToString(have.BudgetLimit.Unit) == "USD" && have.TimeUnit == want.TimeUnit &&
		have.FilterExpression.Dimensions.Key == budgettypes.DimensionLinkedAccount && slices.Equal(ids, want.FilterExpression.Dimensions.Values)
}

func (p place) startBudget(ctx context.Context, run *provisioners.Run) error {
	want, err := p.wanted(ctx, run)
	if err != nil {
		return err
	}
	api := p.budgets(run)
	if run.Outputs["exists"] != "" {
		_, err := api.UpdateBudget(ctx, &budgets.UpdateBudgetInput{AccountId: &p.clients.management, NewBudget: want})
		return err
	}
	_, err = api.CreateBudget(ctx, &budgets.CreateBudgetInput{AccountId: &p.clients.management, Budget: want, NotificationsWithSubscribers: p.notifications(),
		ResourceTags: []budgettypes.ResourceTag{{Key: sdk.String(tagTenant), Value: &p.slug}}}, func(o *budgets.Options) { o.Retryer = once() })
	if is(err, "DuplicateRecordException") {
		return nil // made by a call whose answer was lost: the next look compares it
	}
	return err
}

// notifications go to the platform team's address; AWS takes none without a subscriber.
func (p place) notifications() []budgettypes.NotificationWithSubscribers {
	mail := ""
	for _, ch := range p.changes() {
		for _, prop := range ch.Properties {
			if prop.Path == "/Notifications" && prop.After != nil {
				_, mail, _ = strings.Cut(*prop.After, " to ")
			}
		}
	}
	if mail == "" {
		return nil
	}
	to := []budgettypes.Subscriber{{SubscriptionType: budgettypes.SubscriptionTypeEmail, Address: &mail}}
	note := func(kind budgettypes.NotificationType, percent float64) budgettypes.NotificationWithSubscribers {
		return budgettypes.NotificationWithSubscribers{Subscribers: to, Notification: &budgettypes.Notification{NotificationType: kind,
			ComparisonOperator: budgettypes.ComparisonOperatorGreaterThan, Threshold: percent, ThresholdType: budgettypes.ThresholdTypePercentage}}
	}
	return []budgettypes.NotificationWithSubscribers{note(budgettypes.NotificationTypeActual, 80), note(budgettypes.NotificationTypeForecasted, 100)}
}

func (p place) undoBudget(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	name := budgetName(p.slug)
	_, err := p.budgets(run).DeleteBudget(ctx, &budgets.DeleteBudgetInput{AccountId: &p.clients.management, BudgetName: &name})
	if is(err, "NotFoundException") {
		return present, nil
	}
	return presence(err == nil), err
}
