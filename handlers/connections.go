package handlers

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// Connections shows connections to source hosts, and asks for them and for their end.
type Connections struct {
	*Desk
	Store interface {
		ConnectionPage(ctx context.Context, a models.Actor, tenant, name string) (models.ConnectionPage, error)
		RequestConnection(ctx context.Context, a models.Actor, tenant, key string, in models.ConnectionInputs) (models.Request, error)
		ChangeConnection(ctx context.Context, a models.Actor, tenant, name string, kind models.RequestKind, key string, in models.ConnectionInputs) (models.Request, error)
	}
	Tenants tenantReader
}

// Show handles GET /tenants/:tenant/connections/:connection.
func (h *Connections) Show(c *fiber.Ctx) error {
	page, err := h.Store.ConnectionPage(c.UserContext(), actor(c), c.Params("tenant"), c.Params("connection"))
	if err != nil {
		return err
	}
	d := connectionView(h.Clock, actor(c), page)
	if isFragment(c) {
		return render(c, http.StatusOK, views.ConnectionContent(d))
	}
	p, err := h.page(c)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, views.ConnectionPage(p, d))
}

func connectionView(clock models.Clock, a models.Actor, p models.ConnectionPage) views.Connection {
	now, wall, x := clock.Now(), clock.Wall(), p.Connection
	d := views.Connection{
		Tenant: x.TenantSlug, Name: x.Name, Provider: x.Provider, Class: x.Class, Status: x.Status, StatusAt: ui.Ago(wall, x.StatusAt), State: x.State, Made: ui.Ago(now, x.CreatedAt), Stack: stackFacts(now, x.Stack),
		Failure: views.FailureOf(p.Failure), Pipelines: pipelineRows(clock, p.Pipelines), Estimate: objectEstimate(x.Estimate), Groups: resourceGroups(now, x.Stack.Resources), Resources: len(x.Stack.Resources),
		Open: rowsOf(now, p.Open, requestRow), Requests: rowsOf(now, p.Requests, requestRow), Runs: rowsOf(now, p.Runs, runRow), Activity: activities(now, p.Entries), Receipt: receiptView(now, p.Receipt), SeesAll: a.SeesAll(),
	}
	d.RunID, d.Progress = lastRun(p.Runs)
	d.Finish = connectionConsole(now, p)
	if a.MayOrderFor(x.TenantID) && x.State != models.Deleted {
		end := ui.Action{ID: "delete", Label: "Delete", Text: "Pushes are no longer seen through it.", Icon: ui.IconTrash, URL: urls.DeleteConnection(x.TenantSlug, x.Name), Bad: true, Why: busyWhy(x.State)}
		if n := len(p.Pipelines); n > 0 && end.Why == "" {
			end.Why = "It starts " + ui.Plural(n, "pipeline", "pipelines") + ". Change or delete them first."
		}
		d.Actions = []ui.Action{end}
	}
	return d
}

// connectionConsole is where a person finishes or looks at a connection: what its run waits for says where, else the console's own page.
func connectionConsole(now time.Time, p models.ConnectionPage) ui.Out {
	for _, r := range p.Open {
		if w := waiting(now, r.Waiting); w != nil && w.Person && w.Link.URL != "" {
			return w.Link
		}
	}
	if p.Connection.Stack.Region == "" {
		return ui.Out{}
	}
	return ui.Out{URL: console(p.Connection.Stack.Region, "codesuite/settings/connections", ""), Word: "The connections in the AWS console"}
}

type connectionParams struct {
	Back string `form:"back"`
}

// New handles GET /tenants/:tenant/connections/new.
func (h *Connections) New(c *fiber.Ctx) error {
	q, err := form.Query[connectionParams](c)
	if err != nil {
		return err
	}
	t, err := tenantToAsk(c, h.Tenants, "connections")
	if err != nil {
		return err
	}
	return h.showObjectForm(c, http.StatusOK, views.NewConnection(t.Slug, views.ConnectionForm{Provider: string(models.GitHub), Name: "github", Back: backTo(q.Back)}), "")
}

// Create handles POST /tenants/:tenant/connections/new.
func (h *Connections) Create(c *fiber.Ctx) error {
	t, err := tenantToAsk(c, h.Tenants, "connections")
	if err != nil {
		return err
	}
	in, err := form.Decode[views.ConnectionForm](c)
	in.Back = backTo(in.Back)
	if err == nil {
		var req models.Request
		name := strings.TrimSpace(in.Name)
		if req, err = h.Store.RequestConnection(c.UserContext(), actor(c), t.Slug, in.Key, models.ConnectionInputs{Name: name, Provider: models.SourceHost(in.Provider)}); err == nil {
			return redirect(c, comeBack(in.Back, req, "connection", name))
		}
	}
	if in.Errors = models.Fields(err); in.Errors == nil {
		return err
	}
	return h.showObjectForm(c, http.StatusUnprocessableEntity, views.NewConnection(t.Slug, in), in.Key)
}

// deleting reads the connection that is to go, and what is still started through it.
func (h *Connections) deleting(c *fiber.Ctx) (models.ConnectionPage, error) {
	p, err := h.Store.ConnectionPage(c.UserContext(), actor(c), c.Params("tenant"), c.Params("connection"))
	if err != nil {
		return p, err
	}
	switch {
	case !actor(c).MayOrderFor(p.Connection.TenantID):
		return p, models.Errorf(models.Forbidden, "Owners and developers of %s ask for the end of its connections.", p.Connection.TenantSlug)
	case p.Connection.State == models.Deleted:
		return p, models.Errorf(models.Conflict, "This connection is deleted already.")
	}
	return p, nil
}

func (h *Connections) showDelete(c *fiber.Ctx, status int, p models.ConnectionPage, in views.ConnectionForm) error {
	var users []ui.Pair
	for _, x := range p.Pipelines {
		users = append(users, ui.Pair{Label: x.TenantSlug + " / " + x.Name, Value: urls.Pipeline(x.TenantSlug, x.Name)})
	}
	return h.showObjectForm(c, status, views.DeleteConnection(p.Connection.TenantSlug, p.Connection.Name, users, in), in.Key)
}

// AskDelete handles GET /tenants/:tenant/connections/:connection/delete.
func (h *Connections) AskDelete(c *fiber.Ctx) error {
	p, err := h.deleting(c)
	if err != nil {
		return err
	}
	return h.showDelete(c, http.StatusOK, p, views.ConnectionForm{})
}

// Delete handles POST /tenants/:tenant/connections/:connection/delete.
func (h *Connections) Delete(c *fiber.Ctx) error {
	p, err := h.deleting(c)
	if err != nil {
		return err
	}
	in, err := form.Decode[views.ConnectionForm](c)
	if err == nil {
		err = typedName(in.Confirm, p.Connection.Name)
	}
	if err == nil {
		var req models.Request
		if req, err = h.Store.ChangeConnection(c.UserContext(), actor(c), p.Connection.TenantSlug, p.Connection.Name, models.DeleteConnection, in.Key, models.ConnectionInputs{Confirm: strings.TrimSpace(in.Confirm)}); err == nil {
			return redirect(c, urls.Request(req.ID))
		}
	}
	if in.Errors = models.Fields(err); in.Errors == nil {
		return err
	}
	return h.showDelete(c, http.StatusUnprocessableEntity, p, in)
}
