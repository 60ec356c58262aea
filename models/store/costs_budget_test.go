package store

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"slipway/models"
)

// TestCapHolds takes calls from many workers at once, past the cap: not one more is let through, and the refusal is known.
func TestCapHolds(t *testing.T) {
	t.Parallel()
	s, _, _ := costWorld(t)
	book := s.CostBook(usd("0.25"))
	results := make(chan bool)
	for range 8 {
		go func() {
			for range 5 {
				ok, err := book.TakeCall(t.Context())
				if err != nil {
					t.Error(err)
				}
				results <- ok
			}
		}()
	}
	taken := 0
	for range 40 {
		if <-results {
			taken++
		}
	}
	if taken != 25 {
		t.Errorf("%d calls were let through, want 25", taken)
	}
	admin, _ := signIn(t, s, "admin", "platform-admins")
	m, err := s.CostMeter(t.Context(), admin, usd("0.25"))
	if err != nil || m.Calls != 25 || !m.Spent.Equal(usd("0.25")) || m.Refused.IsZero() {
		t.Errorf("the meter says %+v, %v", m, err)
	}
	member, _ := signIn(t, s, "member", "payments-viewers")
	if _, err := s.CostMeter(t.Context(), member, usd("1")); models.KindOf(err) != models.NotFound {
		t.Errorf("a member reads the meter: %v", err)
	}
	if ok, err := s.CostBook(decimal.Zero).TakeCall(t.Context()); ok || err != nil {
		t.Errorf("a cap of nothing lets a call through: %v", err)
	}
}

// TestBudgetIsToldOnce passes 80 and 100 %, again and again: the owners are told once for each figure and share.
func TestBudgetIsToldOnce(t *testing.T) {
	t.Parallel()
	s, wall, month := costWorld(t)
	tenant := spender(t, s, "payments", "111111111111", false, wall)
	spender(t, s, "absent", "222222222222", false, wall)
	at := month.AddDate(0, 0, 5)
	say := func(at time.Time, actual, forecast string) {
		t.Helper()
		b := models.BudgetReading{TenantSlug: "payments", State: models.BudgetOK, Limit: usd("1000")}
		if a := usd(actual); true {
			b.Actual = &a
		}
		if forecast != "" {
			f := usd(forecast)
			b.Forecast = &f
		}
		keep(t, s, models.Reading{At: at, Budgets: []models.BudgetReading{b}})
	}
	told := func() (all []string) {
		rows, err := s.pool.Query(t.Context(), `SELECT state FROM notification_events WHERE kind = 'budget' ORDER BY at, id`)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var state string
			if err := errors.Join(rows.Scan(&state)); err != nil {
				t.Fatal(err)
			}
			all = append(all, state)
		}
		return all
	}
	for i, step := range []struct {
		actual, forecast string
		want             int
	}{{"799.99", "", 0}, {"800", "", 1}, {"900", "1100", 2}, {"900", "1100", 2}, {"700", "700", 2}, {"1000", "1200", 3}, {"1500", "1700", 3}} {
		say(at.Add(time.Duration(i)*time.Hour), step.actual, step.forecast)
		if got := told(); len(got) != step.want {
			t.Errorf("after %v: told %v, want %d", step, got, step.want)
		}
	}
	if got := fmt.Sprint(told()); got != "[actual 80 forecast 100 actual 100]" {
		t.Errorf("told %s", got)
	}
	say(month.AddDate(0, 1, 0).Add(time.Hour), "1500", "") // the first of the next month: AWS still gives the old one
	if got := told(); len(got) != 3 {
		t.Errorf("the last month's figures were told as the new one's: %v", got)
	}
	say(month.AddDate(0, 1, 2), "850", "")
	if got := told(); len(got) != 4 {
		t.Errorf("the new month is not told: %v", got)
	}
	if n := count(t, s, `SELECT count(*) FROM tenant_spends WHERE tenant_id <> $1 AND state = 'absent'`, tenant); n == 0 {
		t.Error("a tenant without a budget in AWS is not noted")
	}
}
