package handlers

import (
	"cmp"
	"context"
	"slices"

	"github.com/gofiber/fiber/v2"

	"slipway/models"
	"slipway/views"
)

// Where says what runs where in a tenant.
type Where struct {
	*Desk
	Store interface {
		WhatIsWhere(ctx context.Context, a models.Actor, tenant string) ([]models.WhereRow, error)
	}
	Tenants tenantReader
}

// Show handles GET /tenants/:tenant/where.
func (h *Where) Show(c *fiber.Ctx) error {
	t, err := h.Tenants.Tenant(c.UserContext(), actor(c), c.Params("tenant"))
	if err != nil {
		return err
	}
	rows, err := h.Store.WhatIsWhere(c.UserContext(), actor(c), t.Slug)
	if err != nil {
		return err
	}
	p, err := h.page(c)
	if err != nil {
		return err
	}
	d := whereView(h.Clock, t.Slug, rows)
	d.MayAsk = actor(c).MayOrderFor(t.ID)
	return pageOr(c, views.WherePage(p, d), views.WhereContent(d))
}

// whereView puts each stage into a column of its own. Environments have names of their own, so a column is a stage, and a cell names them.
func whereView(clock models.Clock, tenant string, rows []models.WhereRow) views.Where {
	d := views.Where{Tenant: tenant}
	now := clock.Now()
	var columns []models.Stage
	for _, s := range models.Stages() {
		if slices.ContainsFunc(rows, func(r models.WhereRow) bool {
			return slices.ContainsFunc(r.Cells, func(x models.StageCell) bool { return x.Stage == s })
		}) {
			columns = append(columns, s)
			d.Columns = append(d.Columns, string(s))
		}
	}
	for _, r := range rows {
		row := views.WhereRow{Service: r.Service, Pipelines: r.Pipelines, Cells: make([][]views.StageCell, len(columns))}
		slices.SortStableFunc(r.Cells, func(a, b models.StageCell) int { return cmp.Compare(a.Environment, b.Environment) })
		for _, x := range r.Cells {
			if i := slices.Index(columns, x.Stage); i >= 0 {
				row.Cells[i] = append(row.Cells[i], stageCell(now, tenant, x))
			}
		}
		d.Rows = append(d.Rows, row)
	}
	return d
}
