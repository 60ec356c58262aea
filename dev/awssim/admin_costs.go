package awssim

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/shopspring/decimal"
)

// showCostSettings lists what makes costs other than the list prices of what stands.
func (s *Sim) showCostSettings(w http.ResponseWriter, r *http.Request) {
	all := []costSetting{}
	err := s.within(r.Context(), func(ctx context.Context, c *Call) error {
		some, err := c.costSettings(ctx)
		all = append(all, some...)
		return err
	})
	if err != nil {
		s.adminFail(w, r, err)
		return
	}
	s.adminJSON(w, r, http.StatusOK, all)
}

func (s *Sim) addCostSetting(w http.ResponseWriter, r *http.Request) {
	var set costSetting
	if err := adminBody(w, r, "setting", 64<<10, &set); err != nil {
		s.adminFail(w, r, err)
		return
	}
	if err := s.putCostSetting(r.Context(), &set); err != nil {
		s.adminFail(w, r, err)
		return
	}
	s.adminJSON(w, r, http.StatusCreated, set)
}

// putCostSetting stores a setting; one without a beginning begins now.
func (s *Sim) putCostSetting(ctx context.Context, set *costSetting) error {
	if err := set.check(); err != nil {
		return err
	}
	return s.within(ctx, func(ctx context.Context, c *Call) error {
		if set.Account != "" {
			if _, ok, err := c.account(ctx, set.Account); err != nil || !ok {
				return orElse(err, adminError{http.StatusNotFound, "There is no such account."})
			}
		}
		if set.From.IsZero() {
			set.From = c.Now
		}
		err := c.Tx.QueryRow(ctx, `INSERT INTO cost_settings (kind, account, tenant, environment, price, amount, from_at, to_at) VALUES ($1, $2, $3, $4, $5, $6::text::numeric, $7, $8) RETURNING id`,
			set.Kind, set.Account, set.Tenant, set.Environment, set.Price, set.Amount.String(), set.From, set.To).Scan(&set.ID)
		if err != nil {
			return fmt.Errorf("store cost setting: %w", err)
		}
		return nil
	})
}

// check refuses a setting that could never mean anything.
func (set *costSetting) check() error {
	bad := func(text string) error { return adminError{http.StatusBadRequest, text} }
	most := decimal.NewFromInt(1_000_000)
	switch {
	case !slices.Contains(costSettingKinds(), set.Kind):
		return bad(fmt.Sprintf("kind %q is none of %v", set.Kind, costSettingKinds()))
	case set.Amount.IsNegative() || set.Amount.GreaterThan(most) || set.Amount.Exponent() < -6 || set.Amount.Exponent() > 6:
		return bad("amount is a number from 0 to 1000000")
	case (set.Kind == leakSetting || set.Kind == creditSetting) && set.Account == "":
		return bad(set.Kind + " needs an account")
	case set.Kind == historySetting && (set.Tenant == "" || !set.Amount.IsInteger() || set.Amount.GreaterThan(decimal.NewFromInt(monthsBack))):
		return bad("history needs a tenant and a number of months, at most 14")
	case set.Kind == taxSetting && set.Amount.GreaterThan(decimal.NewFromInt(100)):
		return bad("tax is a percentage")
	case set.To != nil && !set.To.After(set.From):
		return bad("to is after from")
	case set.From.After(time.Now().AddDate(1, 0, 0)):
		return bad("from is within a year")
	}
	return nil
}

// dropCostSetting takes a setting back as if it had never been.
func (s *Sim) dropCostSetting(w http.ResponseWriter, r *http.Request) {
	if err := s.removeCostSetting(r.Context(), r.PathValue("id")); err != nil {
		s.adminFail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Sim) removeCostSetting(ctx context.Context, text string) error {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return adminError{http.StatusBadRequest, "a setting's id is a number"}
	}
	return s.within(ctx, func(ctx context.Context, c *Call) error {
		tag, err := c.Tx.Exec(ctx, `DELETE FROM cost_settings WHERE id = $1`, id)
		if err != nil {
			return fmt.Errorf("delete cost setting %d: %w", id, err)
		}
		if tag.RowsAffected() == 0 {
			return adminError{http.StatusNotFound, fmt.Sprintf("there is no cost setting %d", id)}
		}
		return nil
	})
}
