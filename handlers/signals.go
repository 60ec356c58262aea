package handlers

import (
	"context"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// Signals draws the four golden signals of an environment. They are read from CloudWatch when somebody looks: metrics are charged for.
type Signals struct {
	*Desk
	Store interface {
		SignalSource(ctx context.Context, a models.Actor, tenant, name string, back models.SignalRange) (models.SignalSource, error)
	}
	// AWS reads the series; what cannot be read is a gap in them.
	AWS interface {
		Signals(context.Context, models.Stack, models.SignalRange) models.Signals
	}
	Portal Portal
}

type signalParams struct {
	Range string `form:"range"`
}

// span is the range that an address names.
func (p signalParams) span() (models.SignalRange, error) {
	r, ok := models.SignalRangeOf(p.Range)
	if !ok {
		return r, models.InvalidFields(map[string]string{"range": "Signals are shown over 1h, 3h, 12h, 1d or 7d."})
	}
	return r, nil
}

// Show handles GET /tenants/:tenant/environments/:env/signals: the fragment that an environment's page loads after itself, or a page.
func (h *Signals) Show(c *fiber.Ctx) error {
	in, err := form.Query[signalParams](c)
	if err != nil {
		return err
	}
	r, err := in.span()
	if err != nil {
		return err
	}
	src, err := h.Store.SignalSource(c.UserContext(), actor(c), c.Params("tenant"), c.Params("env"), r)
	if err != nil {
		return err
	}
	env := src.Environment
	d := signalsView(h.Clock, env, h.AWS.Signals(c.UserContext(), env.Stack, r))
	fragment := isFragment(c)
	for _, x := range models.SignalRanges() {
		link := views.RangeLink{Words: x.Words, Current: x.Name == r.Name, URL: urls.Signals(env.TenantSlug, env.Name, x.Name)}
		if fragment {
			link.URL = urls.EnvironmentOver(env.TenantSlug, env.Name, x.Name) + "#signals-h"
		}
		d.Ranges = append(d.Ranges, link)
	}
	mark(&d, h.Clock, src.Deployed)
	if fragment { // the page around it has the links into AWS
		return render(c, http.StatusOK, views.SignalsContent(d))
	}
	d.Links = consoleOf{portal: h.Portal.URL, account: env.Stack.Account, set: src.Access, region: env.Stack.Region}.overview(env.Stack)
	p, err := h.page(c)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, views.SignalsPage(p, d))
}

// mark draws what was deployed into every chart, and lists it. Runs have product time, which is ahead of the wall clock only where
// somebody moved it.
func mark(d *views.Signals, clock models.Clock, runs []models.Deployed) {
	wall, ahead := clock.Wall(), clock.Now().Sub(clock.Wall())
	for i := len(runs) - 1; i >= 0; i-- { // newest first
		x := runs[i]
		at := x.Started.Add(-ahead)
		title := number(x.Number) + " " + x.Title
		d.Deployed = append(d.Deployed, views.Deployed{Title: title, URL: urls.Run(x.RunID), State: views.RequestState(x.State), At: ui.Ago(wall, at)})
		for n := range d.Charts {
			if c := &d.Charts[n].Chart; !at.Before(c.From) && !at.After(c.To) {
				c.Marks = append(c.Marks, chartMark(at, title))
			}
		}
	}
}
