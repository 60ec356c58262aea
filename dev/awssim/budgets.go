package awssim

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/budgets"
	budgettypes "github.com/aws/aws-sdk-go-v2/service/budgets/types"
)

func budgetsOperations() []operation {
	return []operation{
		handle("budgets", "CreateBudget", createBudget),
		handle("budgets", "UpdateBudget", updateBudget),
		handle("budgets", "DeleteBudget", deleteBudget),
		handle("budgets", "DescribeBudget", describeBudget),
		handle("budgets", "DescribeBudgets", describeBudgets),
		handle("budgets", "CreateNotification", createNotification),
		handle("budgets", "DeleteNotification", deleteNotification),
		handle("budgets", "CreateSubscriber", createSubscriber),
		handle("budgets", "DescribeNotificationsForBudget", describeNotifications),
		handle("budgets", "DescribeSubscribersForNotification", describeSubscribers),
		handle("budgets", "ListTagsForResource", listBudgetTags),
	}
}

// budgetOf asks for a budget of the caller's own account; IAM knows only two actions here.
func (c *Call) budgetOf(ctx context.Context, account *string, action, name string) error {
	if name == "" {
		name = "*"
	}
	if err := c.mayAs(ctx, c.Principal, "budgets:"+action, arn("budgets", "", c.Account, "budget/"+name), nil); err != nil {
		return err
	}
	if aws.ToString(account) != c.Account {
		return denied("budgets", "Account "+c.Account+" is not authorized to access the budgets of account "+aws.ToString(account)+".")
	}
	return nil
}

func badParameter(format string, args ...any) error {
	return refuse(http.StatusBadRequest, "InvalidParameterException", format, args...)
}

func noBudget(name string) error {
	return refuse(http.StatusBadRequest, "NotFoundException", "Unable to get budget: %s - the budget doesn't exist.", name)
}

var budgetNameForm = regexp.MustCompile(`^[^:\\]{1,100}$`)

// checkBudget refuses what AWS refuses, and fills in what AWS fills in.
func (c *Call) checkBudget(b *budgettypes.Budget) error {
	switch {
	case b == nil || !budgetNameForm.MatchString(aws.ToString(b.BudgetName)):
		return badParameter("The budget name must have 1 to 100 characters other than : and \\.")
	case b.BudgetType == "" || b.TimeUnit == "":
		return badParameter("BudgetType and TimeUnit are required.")
	case b.BudgetLimit == nil && len(b.PlannedBudgetLimits) == 0 && b.AutoAdjustData == nil:
		return badParameter("A budget needs a limit.")
	//lint:ignore SA1019 AWS still takes the old fields, but not beside the new ones
	case b.FilterExpression != nil && (len(b.CostFilters) > 0 || b.CostTypes != nil):
		return badParameter("FilterExpression cannot be combined with CostFilters or CostTypes.")
	case b.FilterExpression != nil && len(b.Metrics) == 0:
		return badParameter("Metrics are required with a FilterExpression.")
	}
	if b.BudgetLimit != nil {
		if amount, err := strconv.ParseFloat(aws.ToString(b.BudgetLimit.Amount), 64); err != nil || amount <= 0 || aws.ToString(b.BudgetLimit.Unit) == "" {
			return badParameter("The budget limit must be an amount above zero with its unit.")
		}
	}
	if b.TimePeriod == nil {
		b.TimePeriod = &budgettypes.TimePeriod{}
	}
	if b.TimePeriod.Start == nil {
		b.TimePeriod.Start = aws.Time(time.Date(c.Now.Year(), c.Now.Month(), 1, 0, 0, 0, 0, time.UTC))
	}
	if b.TimePeriod.End == nil {
		b.TimePeriod.End = aws.Time(time.Date(2087, 6, 15, 0, 0, 0, 0, time.UTC))
	}
	unit := "USD"
	if b.BudgetLimit != nil {
		unit = *b.BudgetLimit.Unit
	}
	b.CalculatedSpend = &budgettypes.CalculatedSpend{ActualSpend: &budgettypes.Spend{Amount: aws.String("0.0"), Unit: &unit}}
	b.LastUpdatedTime = &c.Now
	return nil
}

func createBudget(ctx context.Context, c *Call, in *budgets.CreateBudgetInput) (*budgets.CreateBudgetOutput, error) {
	b := in.Budget
	if b == nil {
		return nil, badParameter("Budget is required.")
	}
	if err := c.budgetOf(ctx, in.AccountId, "ModifyBudget", aws.ToString(b.BudgetName)); err != nil {
		return nil, err
	}
	if err := c.checkBudget(b); err != nil {
		return nil, err
	}
	tags := map[string]string{}
	for _, t := range in.ResourceTags {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	if len(tags) > 0 {
		if err := c.mayAs(ctx, c.Principal, "budgets:TagResource", arn("budgets", "", c.Account, "budget/"+*b.BudgetName), tagKeys(tags)); err != nil {
			return nil, err
		}
	}
	body, err := json.Marshal(b)
	if err != nil {
		return nil, fmt.Errorf("budget: %w", err)
	}
	tag, err := c.Tx.Exec(ctx, `INSERT INTO budgets (account, name, body, tags, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT DO NOTHING`,
		c.Account, *b.BudgetName, body, jsonText(tags), c.Now)
	if err != nil {
		return nil, fmt.Errorf("store budget %s: %w", *b.BudgetName, err)
	}
	if tag.RowsAffected() == 0 {
		return nil, refuse(http.StatusBadRequest, "DuplicateRecordException", "Error creating budget: %s - the budget already exists.", *b.BudgetName)
	}
	for _, n := range in.NotificationsWithSubscribers {
		if err := c.addNotification(ctx, *b.BudgetName, n.Notification, n.Subscribers); err != nil {
			return nil, err
		}
	}
	return &budgets.CreateBudgetOutput{}, nil
}

func updateBudget(ctx context.Context, c *Call, in *budgets.UpdateBudgetInput) (*budgets.UpdateBudgetOutput, error) {
	if in.NewBudget == nil {
		return nil, badParameter("NewBudget is required.")
	}
	name := aws.ToString(in.NewBudget.BudgetName)
	if err := c.budgetOf(ctx, in.AccountId, "ModifyBudget", name); err != nil {
		return nil, err
	}
	if err := c.checkBudget(in.NewBudget); err != nil {
		return nil, err
	}
	body, err := json.Marshal(in.NewBudget)
	if err != nil {
		return nil, fmt.Errorf("budget: %w", err)
	}
	tag, err := c.Tx.Exec(ctx, `UPDATE budgets SET body = $3, updated_at = $4 WHERE account = $1 AND name = $2`, c.Account, name, body, c.Now)
	if err != nil {
		return nil, fmt.Errorf("update budget %s: %w", name, err)
	}
	if tag.RowsAffected() == 0 {
		return nil, noBudget(name)
	}
	return &budgets.UpdateBudgetOutput{}, nil
}

func deleteBudget(ctx context.Context, c *Call, in *budgets.DeleteBudgetInput) (*budgets.DeleteBudgetOutput, error) {
	name := aws.ToString(in.BudgetName)
	if err := c.budgetOf(ctx, in.AccountId, "ModifyBudget", name); err != nil {
		return nil, err
	}
	tag, err := c.Tx.Exec(ctx, `DELETE FROM budgets WHERE account = $1 AND name = $2`, c.Account, name)
	if err != nil {
		return nil, fmt.Errorf("delete budget %s: %w", name, err)
	}
	if tag.RowsAffected() == 0 {
		return nil, noBudget(name)
	}
	return &budgets.DeleteBudgetOutput{}, nil
}

func (c *Call) budgets(ctx context.Context, name string) ([]budgettypes.Budget, error) {
	rows, err := c.Tx.Query(ctx, `SELECT body FROM budgets WHERE account = $1 AND ($2 = '' OR name = $2) ORDER BY name`, c.Account, name)
	if err != nil {
		return nil, fmt.Errorf("read budgets: %w", err)
	}
	defer rows.Close()
	var all []budgettypes.Budget
	for rows.Next() {
		var raw []byte
		var b budgettypes.Budget
		if err := rows.Scan(&raw); err != nil {
			return nil, fmt.Errorf("read budget: %w", err)
		}
		if err := json.Unmarshal(raw, &b); err != nil {
			return nil, fmt.Errorf("read budget: %w", err)
		}
		all = append(all, b)
	}
	return all, rows.Err()
}

// plain leaves out the filter expression, which AWS shows only on request.
func plain(b budgettypes.Budget, show *bool) budgettypes.Budget {
	if !aws.ToBool(show) && b.FilterExpression != nil {
		b.FilterExpression, b.Metrics = nil, slices.Clip(b.Metrics[:0:0])
	}
	return b
}

func describeBudget(ctx context.Context, c *Call, in *budgets.DescribeBudgetInput) (*budgets.DescribeBudgetOutput, error) {
	name := aws.ToString(in.BudgetName)
	if err := c.budgetOf(ctx, in.AccountId, "ViewBudget", name); err != nil {
		return nil, err
	}
	all, err := c.budgets(ctx, name)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 || name == "" {
		return nil, noBudget(name)
	}
	if err := c.spend(ctx, &all[0]); err != nil {
		return nil, err
	}
	b := plain(all[0], in.ShowFilterExpression)
	return &budgets.DescribeBudgetOutput{Budget: &b}, nil
}

func describeBudgets(ctx context.Context, c *Call, in *budgets.DescribeBudgetsInput) (*budgets.DescribeBudgetsOutput, error) {
	if err := c.budgetOf(ctx, in.AccountId, "ViewBudget", ""); err != nil {
		return nil, err
	}
	all, err := c.budgets(ctx, "")
	if err != nil {
		return nil, err
	}
	all, next, err := page(all, in.NextToken, in.MaxResults, 1000)
	for i := range all {
		if err := c.spend(ctx, &all[i]); err != nil {
			return nil, err
		}
		all[i] = plain(all[i], in.ShowFilterExpression)
	}
	return &budgets.DescribeBudgetsOutput{Budgets: all, NextToken: next}, err
}

func listBudgetTags(ctx context.Context, c *Call, in *budgets.ListTagsForResourceInput) (*budgets.ListTagsForResourceOutput, error) {
	resource := aws.ToString(in.ResourceARN)
	if err := c.mayAs(ctx, c.Principal, "budgets:ListTagsForResource", resource, nil); err != nil {
		return nil, err
	}
	var tags map[string]string
	err := c.Tx.QueryRow(ctx, `SELECT tags FROM budgets WHERE account = $1 AND $2 = 'arn:aws:budgets::' || account || ':budget/' || name`, c.Account, resource).Scan(&tags)
	if isNoRows(err) {
		return nil, noBudget(resource)
	}
	if err != nil {
		return nil, fmt.Errorf("read budget tags: %w", err)
	}
	out := &budgets.ListTagsForResourceOutput{}
	for k, v := range tags {
		out.ResourceTags = append(out.ResourceTags, budgettypes.ResourceTag{Key: aws.String(k), Value: aws.String(v)})
	}
	return out, nil
}
