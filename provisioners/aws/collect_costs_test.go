package aws

import (
	"context"
	"errors"
	"testing"
	"time"

	cetypes "github.com/aws/aws-sdk-go-v2/service/costexplorer/types"
	"github.com/shopspring/decimal"

	"slipway/models"
)

// purse is a book of costs in memory.
type purse struct {
	known []models.CostDayKnown
	left  int
	taken int
}

func (p *purse) KnownDays(context.Context, models.CostSource) ([]models.CostDayKnown, error) {
	return p.known, nil
}

func (p *purse) TakeCall(context.Context) (bool, error) {
	if p.left == 0 {
		return false, nil
	}
	p.left--
	p.taken++
	return true, nil
}

// TestCostsOfTheSimulatedOrganization reads thirteen months against the simulator, piece by piece, and compares the two cuts.
func TestCostsOfTheSimulatedOrganization(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1000)
	book := &purse{left: 200}
	c := NewCosts(w.clients(asWorker, nil), book)
	target := models.CollectTarget{}
	var days int
	byService, byEnvironment, apart := decimal.Zero, decimal.Zero, decimal.Zero
	for calls := 0; ; calls++ {
		r, err := c.Collect(t.Context(), target)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Gaps) > 0 {
			t.Errorf("gaps: %+v", r.Gaps)
		}
		days += len(r.Costs.Days)
		for _, row := range r.Costs.Rows {
			switch {
			case row.Cut == models.ByEnvironment:
				byEnvironment = byEnvironment.Add(row.Billed)
			case row.Category == models.Usage:
				byService = byService.Add(row.Billed)
			default:
				apart = apart.Add(row.Billed)
			}
		}
		if r.Next == nil {
			break
		}
		if target.Cursor = r.Next; calls > 20 {
			t.Fatal("the round does not end")
		}
	}
	wall := time.Now().UTC()
	if want := int(models.DayOf(wall).Sub(models.FirstCostDay(wall)).Hours() / 24); days != want {
		t.Errorf("%d days were read, want %d", days, want)
	}
	if !byService.IsPositive() || byService.Sub(byEnvironment).Abs().GreaterThan(decimal.New(1, 0)) {
		t.Errorf("by service %s, by environment %s", byService, byEnvironment)
	}
	if apart.IsZero() {
		t.Error("no credits, refunds or tax")
	}
}

// TestCostsStopAtTheCap holds that nothing is asked beyond the cap, and that nothing half-read is handed on.
func TestCostsStopAtTheCap(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1000)
	book := &purse{left: 2}
	r, err := NewCosts(w.clients(asWorker, nil), book).Collect(t.Context(), models.CollectTarget{})
	var why unreadable
	if !errors.As(err, &why) || why.Gap().Kind != models.GapCapped || r.Costs != nil || book.taken != 2 {
		t.Errorf("%+v, %v after %d calls", r, err, book.taken)
	}
}

// TestCostsThatAreDenied says which permission is missing.
func TestCostsThatAreDenied(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1000)
	for op, collect := range map[string]func() error{
		"GetCostAndUsage": func() error {
			_, err := NewCosts(w.clients(asWorker, nil), &purse{left: 5}).Collect(t.Context(), models.CollectTarget{})
			return err
		},
		"DescribeBudgets": func() error {
			_, err := NewBudgets(w.clients(asWorker, nil)).Collect(t.Context(), models.CollectTarget{})
			return err
		},
	} {
		w.fault(map[string]any{"op": op, "action": "access_denied"})
		err := collect()
		var call *CallError
		if !errors.As(err, &call) || call.Gap().Kind != models.GapDenied || call.Gap().Permission == "" {
			t.Errorf("%s: %v", op, err)
		}
		w.mend()
	}
}

// TestBudgetsOfTheSimulatedOrganization reads what budgets there are.
func TestBudgetsOfTheSimulatedOrganization(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1000)
	r, err := NewBudgets(w.clients(asWorker, nil)).Collect(t.Context(), models.CollectTarget{})
	if err != nil || r.Budgets == nil {
		t.Fatalf("%+v, %v", r, err)
	}
}

func TestMoney(t *testing.T) {
	usd, other := "USD", "CNY"
	for amount, want := range map[string]string{"12.3456789012345": "12.3456789012", "-0.00000001": "-0.00000001", "1E-7": "0.0000001", "1e999999": "", "x": "", "": ""} {
		got, err := money(metric(amount, usd))
		if want == "" && err == nil || want != "" && got.String() != want {
			t.Errorf("%q: %s, %v", amount, got, err)
		}
	}
	var why unreadable
	if _, err := money(metric("1", other)); !errors.As(err, &why) {
		t.Errorf("another currency: %v", err)
	}
}

func metric(amount, unit string) cetypes.MetricValue {
	return cetypes.MetricValue{Amount: &amount, Unit: &unit}
}
