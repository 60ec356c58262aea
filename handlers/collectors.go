package handlers

import (
	"context"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// Collectors shows what is read in all accounts, and how old it is.
type Collectors struct {
	*Desk
	Store interface {
		Collectors(context.Context, models.Actor, models.CollectFilter) (models.CollectPage, error)
		CollectNow(ctx context.Context, a models.Actor, name models.CollectorName, targetID string) error
	}
	Infos []models.CollectorInfo // in the order in which they are shown
}

type collectorParams struct {
	Collector string `form:"collector"`
	State     string `form:"state"`
	Q         string `form:"q"`
}

// List handles GET /admin/collectors.
func (h *Collectors) List(c *fiber.Ctx) error {
	in, err := form.Query[collectorParams](c)
	if err != nil {
		return err
	}
	if err := mayAdmin(c); err != nil {
		return err
	}
	found, err := h.Store.Collectors(c.UserContext(), actor(c), models.CollectFilter{Collector: models.CollectorName(in.Collector), State: models.CollectState(in.State), Text: in.Q})
	if err != nil {
		return err
	}
	now, wall := h.Clock.Now(), h.Clock.Wall()
	d := views.Collectors{All: found.All, CSRF: csrf(c), Filters: h.filters(in), Reload: urls.With(urls.Collectors, "collector", in.Collector, "state", in.State, "q", in.Q)}
	if actor(c).Has(models.PlatformAdmin) {
		d.RunURL = urls.RunCollector
	}
	for _, info := range h.Infos {
		row := collectorRow(wall, info, figuresOf(found.Collectors, info.Name))
		d.Working = d.Working || row.Working
		d.Rows = append(d.Rows, row)
	}
	for _, t := range found.Targets {
		info := h.info(t.Collector)
		d.Targets = append(d.Targets, collectTargetRow(now, wall, info, t))
	}
	p, err := h.page(c)
	if err != nil {
		return err
	}
	return pageOr(c, views.CollectorsPage(p, d), views.CollectorsContent(d))
}

func (h *Collectors) filters(in collectorParams) ui.Filters {
	collectors := []ui.Option{{Label: "All"}}
	for _, info := range h.Infos {
		collectors = append(collectors, ui.Option{Value: string(info.Name), Label: info.Title})
	}
	states := []ui.Option{{Label: "All"}}
	for _, s := range []models.CollectState{models.CollectDenied, models.CollectFailed, models.CollectPartial, models.CollectOK} {
		states = append(states, ui.Option{Value: string(s), Label: views.CollectState(s).Label})
	}
	return ui.Filters{URL: urls.Collectors, Label: "Filter targets", Set: in != (collectorParams{}), Fields: []ui.Filter{
		{Name: "collector", Label: "Collector", Kind: "select", Value: in.Collector, Options: collectors}, {Name: "state", Label: "State", Kind: "select", Value: in.State, Options: states},
		{Name: "q", Label: "Account or region", Kind: "search", Value: in.Q}}}
}

// info is what is known of a collector; one that this version does not know keeps its stored name.
func (h *Collectors) info(name models.CollectorName) models.CollectorInfo {
	i := slices.IndexFunc(h.Infos, func(c models.CollectorInfo) bool { return c.Name == name })
	if i < 0 {
		return models.CollectorInfo{Name: name, Title: string(name)}
	}
	return h.Infos[i]
}

func figuresOf(all []models.CollectorFigures, name models.CollectorName) models.CollectorFigures {
	i := slices.IndexFunc(all, func(f models.CollectorFigures) bool { return f.Name == name })
	if i < 0 {
		return models.CollectorFigures{Name: name}
	}
	return all[i]
}

func collectorRow(wall time.Time, info models.CollectorInfo, f models.CollectorFigures) views.CollectorRow {
	row := views.CollectorRow{Name: string(info.Name), Title: info.Title, Words: info.Words, URL: urls.With(urls.Collectors, "collector", string(info.Name)) + "#targets", Every: ui.Span(info.Every),
		Read: ui.Ago(wall, f.Oldest), Never: f.Never > 0, Targets: f.Targets, Fine: f.OK, Calls: ui.Count(int(f.Calls)), Throttles: ui.Count(int(f.Throttles)), Working: f.Working > 0}
	row.Late = f.Targets > 0 && models.CollectStatus{ReadAt: f.Oldest}.Late(wall, info.Every)
	if f.Metered > 0 {
		row.Metered = ui.Count(f.Metered)
	}
	for _, n := range []struct {
		state models.CollectState
		n     int
	}{{models.CollectDenied, f.Denied}, {models.CollectFailed, f.Fail}, {models.CollectPartial, f.Partial}} {
		if n.n > 0 {
			row.Troubled = append(row.Troubled, ui.Pair{Label: views.CollectState(n.state).Label, Value: ui.Count(n.n)})
		}
	}
	return row
}

func collectTargetRow(now, wall time.Time, info models.CollectorInfo, t models.CollectStatus) views.CollectTargetRow {
	row := views.CollectTargetRow{ID: t.ID, Collector: string(t.Collector), Title: info.Title, Account: t.Account, AWSID: t.AWSID, Region: t.Region, State: t.State,
		Late: info.Every > 0 && t.Late(wall, info.Every), Read: ui.Ago(wall, t.ReadAt), Since: ui.Ago(wall, t.Since), Due: ui.In(now, t.Due), Took: ui.Span(t.Took),
		Calls: ui.Count(int(t.Calls)), Throttles: ui.Count(int(t.Throttles)), By: t.By, Working: t.Working}
	if t.TenantSlug != "" {
		row.AccountURL = urls.Account(t.TenantSlug, string(t.Class))
	}
	for _, g := range t.Gaps {
		row.Gaps = append(row.Gaps, views.GapRow{What: g.What, Kind: g.Kind, Permission: g.Permission, Words: g.Words})
	}
	return row
}

type runCollectorForm struct {
	Collector string `form:"collector"`
	Target    string `form:"target"`
	CSRF      string `form:"_csrf"`
	Key       string `form:"_key"`
}

// Run handles POST /admin/collectors/run.
func (h *Collectors) Run(c *fiber.Ctx) error {
	in, err := form.Decode[runCollectorForm](c)
	if err != nil {
		return err
	}
	if err := h.Store.CollectNow(c.UserContext(), actor(c), models.CollectorName(in.Collector), in.Target); err != nil {
		return err
	}
	return redirect(c, urls.Collectors)
}
