package handlers

import (
	"context"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/handlers/visit"
	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// Home shows what waits, what fails and what runs, worst first.
type Home struct {
	*Desk
	Store interface {
		Home(context.Context, models.Actor) (models.HomePage, error)
		DeleteForm(ctx context.Context, a models.Actor, id string) error
	}
	Watch interface {
		WatchEnvironments(context.Context, models.Actor) (models.EnvironmentWatch, error)
	}
	Health interface {
		Unwell(ctx context.Context, a models.Actor, tenant string, most int) (models.Unwell, error)
	}
}

// Show handles GET /.
func (h *Home) Show(c *fiber.Ctx) error {
	a, now := actor(c), h.Clock.Now()
	x, err := h.Store.Home(c.UserContext(), a)
	if err != nil {
		return err
	}
	w, err := h.Watch.WatchEnvironments(c.UserContext(), a)
	if err != nil {
		return err
	}
	unwell, err := h.Health.Unwell(c.UserContext(), a, "", panelRows)
	if err != nil {
		return err
	}
	p, err := h.pageAbout(c, func(models.Freeze) bool { return true })
	if err != nil {
		return err
	}
	d := views.Home{
		Now: ui.At(now), Waiting: rowsOf(now, x.Waiting, queueRow), WaitingAll: x.WaitingAll, Failing: rowsOf(now, x.Failing, failRow), FailingAll: x.FailingAll,
		Running: rowsOf(now, x.Running, runRow), Mine: rowsOf(now, x.Mine, requestRow), MineAll: x.MineAll, Drafts: rowsOf(h.Clock.Wall(), x.Drafts, draftRow),
		Tenants: x.Tenants, MayRequest: a.MayRequestTenant(), MayDecide: mayDecide(a), CSRF: csrf(c), Health: healthPanelOf(h.Clock, unwell, ""),
		Watch: views.Watch{Broken: rowsOf(now, w.Broken, environmentRow), BrokenAll: w.BrokenAll, Expiring: rowsOf(now, w.Expiring, environmentRow), ExpiringAll: w.ExpiringAll,
			Drifted: rowsOf(now, w.Drifted, environmentRow), DriftedAll: w.DriftedAll},
	}
	for _, b := range x.Broken {
		d.Broken = append(d.Broken, views.BrokenGlass{Text: b.By + " broke the glass and approved " + number(b.Number) + ", " + b.Title + ", alone", Reason: b.Reason,
			URL: urls.Request(b.RequestID), At: ui.Ago(now, b.At)})
	}
	for _, t := range x.Budgets {
		if t.Estimate != nil {
			d.Budgets = append(d.Budgets, budgetCell(t))
		}
	}
	return pageOr(c, views.HomePage(p, d), views.HomeContent(d))
}

func mayDecide(a models.Actor) bool {
	if a.Has(models.PlatformAdmin) {
		return true
	}
	for _, m := range a.Memberships {
		if m.Role == models.Owner {
			return true
		}
	}
	return false
}

func draftRow(now time.Time, f models.SavedForm) views.DraftRow {
	row := views.DraftRow{ID: f.ID, Title: "New tenant, no name yet", Saved: ui.Ago(now, f.SavedAt)}
	if s := f.Fields["slug"]; len(s) > 0 && s[0] != "" {
		row.Title = "New tenant " + s[0]
	}
	switch f.Path {
	case urls.NewEnvironment, urls.NewPipeline:
		what := "environment"
		row.URL = urls.OrderDraft(f.ID)
		if f.Path == urls.NewPipeline {
			what, row.URL = "pipeline", urls.PipelineDraft(f.ID)
		}
		row.Title = "New " + what + ", no name yet"
		if s := f.Fields["name"]; len(s) > 0 && s[0] != "" {
			row.Title = "New " + what + " " + s[0]
		}
	case urls.NewTenant:
	default:
		row.Title, row.URL = strings.Replace(row.Title, "New tenant", "Changes to", 1), urls.With(visit.Local(f.Path), "draft", f.ID)
	}
	if f.Expired {
		row.Why = "Saved when your session ended"
	}
	return row
}

// DeleteDraft handles POST /drafts/:id/delete.
func (h *Home) DeleteDraft(c *fiber.Ctx) error {
	if _, err := form.Decode[bareForm](c); err != nil {
		return err
	}
	if err := h.Store.DeleteForm(c.UserContext(), actor(c), c.Params("id")); err != nil {
		return err
	}
	return redirect(c, urls.Home)
}
