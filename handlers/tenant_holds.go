package handlers

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
)

// holdsUpTo is how many services and environments a tenant's page lists before it leads to the whole list.
const holdsUpTo = 10

// holds reads what a tenant's accounts hold.
func (h *Tenants) holds(c *fiber.Ctx, t models.Tenant) (views.Holds, error) {
	ctx, a, now := c.UserContext(), actor(c), h.Clock.Now()
	out := views.Holds{MayAsk: a.MayOrderFor(t.ID) && len(t.Accounts) > 0}
	networks, err := h.Holds.Networks(ctx, a, t.Slug)
	if err != nil {
		return out, err
	}
	out.Networks = rowsOf(now, networks, networkRow)
	q := models.ListQuery{Filters: map[string]string{"tenant": t.Slug}, Limit: holdsUpTo}
	services, err := h.Holds.Services(ctx, a, q)
	if err != nil {
		return out, err
	}
	out.Services, out.ServicesAll = rowsOf(now, services.Rows, serviceRow), services.Total
	environments, err := h.Holds.Environments(ctx, a, q)
	if err != nil {
		return out, err
	}
	out.Environments, out.EnvsAll = rowsOf(now, environments.Rows, environmentRow), environments.Total
	return out, h.delivery(c, t, &out)
}

func networkRow(_ time.Time, n models.Network) views.NetworkRow {
	row := views.NetworkRow{Name: n.Name, State: n.State, CIDR: networkBlock(n), Registered: n.Registered}
	if n.Estimate != nil {
		row.Monthly = ui.USD(n.Estimate.Monthly()) + "/mo"
	}
	return row
}
