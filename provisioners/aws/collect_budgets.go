package aws

import (
	"context"
	"fmt"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/budgets"
	budgettypes "github.com/aws/aws-sdk-go-v2/service/budgets/types"
	cetypes "github.com/aws/aws-sdk-go-v2/service/costexplorer/types"
	"github.com/shopspring/decimal"

	"slipway/models"
)

// The session policies of both collectors.
var (
	readCosts   = policy(statement{Action: []string{"ce:GetCostAndUsage"}})
	readBudgets = policy(statement{Action: []string{"budgets:ViewBudget"}})
)

// Budgets reads what AWS Budgets says of tenants' months. AWS charges nothing for that, and computes it a few times a day.
type Budgets struct{ clients *Clients }

// NewBudgets makes the collector of budgets.
func NewBudgets(c *Clients) *Budgets { return &Budgets{c} }

// Info says what the collector reads.
func (b *Budgets) Info() models.CollectorInfo {
	return models.CollectorInfo{Name: models.BudgetCollector, Title: "Budgets", Words: "What tenants have spent this month and are expected to, from AWS Budgets in the management account.",
		Source: "budgets", Every: models.BudgetCollectEvery, Scope: models.OverOrganization}
}

// Collect reads all budgets at once: a tenant that is not among them has none.
func (b *Budgets) Collect(ctx context.Context, _ models.CollectTarget) (models.Reading, error) {
	out := models.Reading{Source: "budgets", At: b.clients.Clock.Wall(), Budgets: []models.BudgetReading{}}
	api := budgets.NewFromConfig(b.clients.org(who{}, readBudgets))
	pages := budgets.NewDescribeBudgetsPaginator(api, &budgets.DescribeBudgetsInput{AccountId: &b.clients.management, MaxResults: sdk.Int32(1000)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return models.Reading{}, err
		}
		for _, found := range page.Budgets {
			slug, ours := strings.CutPrefix(sdk.ToString(found.BudgetName), budgetName(""))
			if !ours {
				continue
			}
			reading, err := budgetReading(slug, found)
			if err != nil {
				return models.Reading{}, err
			}
			out.Budgets = append(out.Budgets, reading)
		}
	}
	return out, nil
}

func budgetReading(slug string, b budgettypes.Budget) (r models.BudgetReading, err error) {
	r = models.BudgetReading{TenantSlug: slug, State: models.BudgetForeign}
	if b.BudgetLimit == nil || sdk.ToString(b.BudgetLimit.Unit) != "USD" || b.TimeUnit != budgettypes.TimeUnitMonthly || b.BudgetType != budgettypes.BudgetTypeCost {
		return r, nil
	}
	r.State = models.BudgetOK
	limit, err := spend(b.BudgetLimit)
	if err != nil {
		return r, fmt.Errorf("limit of budget %s: %w", slug, err)
	}
	r.Limit = *limit
	if b.CalculatedSpend == nil {
		return r, nil
	}
	if r.Actual, err = spend(b.CalculatedSpend.ActualSpend); err != nil {
		return r, fmt.Errorf("spend of budget %s: %w", slug, err)
	}
	if r.Forecast, err = spend(b.CalculatedSpend.ForecastedSpend); err != nil {
		return r, fmt.Errorf("forecast of budget %s: %w", slug, err)
	}
	return r, nil
}

// spend is an amount of a budget; nil: AWS gives none.
func spend(s *budgettypes.Spend) (*decimal.Decimal, error) {
	if s == nil || s.Amount == nil {
		return nil, nil
	}
	d, err := money(cetypes.MetricValue{Amount: s.Amount, Unit: s.Unit})
	return &d, err
}

// money reads an amount of AWS's, exactly.
func money(m cetypes.MetricValue) (decimal.Decimal, error) {
	if sdk.ToString(m.Unit) != "USD" {
		return decimal.Decimal{}, unreadable{models.ReadGap{Kind: models.GapAbsent, Words: fmt.Sprintf("AWS says it in %q. Slipway counts in US dollars only.", sdk.ToString(m.Unit))}}
	}
	d, err := decimal.NewFromString(sdk.ToString(m.Amount))
	if err != nil || d.Exponent() > 20 || d.Exponent() < -40 {
		return decimal.Decimal{}, fmt.Errorf("AWS gives the amount %q", clip(sdk.ToString(m.Amount), 40))
	}
	return d.Round(10), nil
}

// unreadable is an error of Slipway's own that says what it means for whoever looks at the figures.
type unreadable struct{ gap models.ReadGap }

func (u unreadable) Error() string { return u.gap.Words }

// Gap says it.
func (u unreadable) Gap() models.ReadGap { return u.gap }

var errCapped = unreadable{models.ReadGap{Kind: models.GapCapped,
	Words: "The daily cap on paid calls (SLIPWAY_COST_DAILY_CAP) is reached. What was read before stays; reading goes on tomorrow, UTC."}}
