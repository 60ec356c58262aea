package store

import (
	"testing"

	"slipway/models"
)

// TestReadCostsAgain makes every day due without taking anything away, for platform admins only.
func TestReadCostsAgain(t *testing.T) {
	t.Parallel()
	s, wall, month := costWorld(t)
	keep(t, s, costsOf(wall, month.AddDate(0, -1, 0), month.AddDate(0, 0, -1), "111111111111"))
	c := players(t, s)
	book := s.CostBook(usd("2"))
	for who, want := range map[*models.Actor]models.Kind{&c.outsider: models.NotFound, &c.auditor: models.Forbidden} {
		if err := s.ReadCostsAgain(t.Context(), *who); models.KindOf(err) != want {
			t.Errorf("%s: %v", who.Name(), err)
		}
	}
	known, err := book.KnownDays(t.Context(), models.CostExplorer)
	if err != nil || len(known) != models.DaysIn(month.AddDate(0, -1, 0)) {
		t.Fatalf("%d days are known, %v", len(known), err)
	}
	rows := count(t, s, `SELECT count(*) FROM cost_days`)
	if err := s.ReadCostsAgain(t.Context(), c.admin); err != nil {
		t.Fatal(err)
	}
	if known, err = book.KnownDays(t.Context(), models.CostExplorer); err != nil || len(known) != 0 {
		t.Errorf("%d days are not due, %v", len(known), err)
	}
	if n := count(t, s, `SELECT count(*) FROM cost_days`); n != rows || rows == 0 {
		t.Errorf("%d of %d rows are left", n, rows)
	}
	keep(t, s, costsOf(wall, month.AddDate(0, -1, 0), month.AddDate(0, 0, -1), "111111111111"))
	if known, err = book.KnownDays(t.Context(), models.CostExplorer); err != nil || len(known) == 0 {
		t.Errorf("what was read again is still due, %v", err)
	}
}
