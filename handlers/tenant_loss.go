package handlers

import (
	"context"
	"fmt"

	"github.com/gofiber/fiber/v2"

	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// holdsReader knows what a tenant's accounts hold.
type holdsReader interface {
	Networks(ctx context.Context, a models.Actor, tenant string) ([]models.Network, error)
	Services(context.Context, models.Actor, models.ListQuery) (models.List[models.ServiceRow], error)
	Environments(context.Context, models.Actor, models.ListQuery) (models.List[models.EnvironmentRow], error)
}

// deliveryReader knows what delivers into a tenant's accounts.
type deliveryReader interface {
	Pipelines(context.Context, models.Actor, models.ListQuery) (models.List[models.PipelineRow], error)
	Connections(ctx context.Context, a models.Actor, tenant string) ([]models.Connection, error)
}

// loss is what the end of a tenant takes away, read now: the plan says it once more, resource by resource.
func (h *TenantLife) loss(c *fiber.Ctx, t models.Tenant) (views.Loss, error) {
	ctx, a := c.UserContext(), actor(c)
	l := views.Loss{Title: "What goes with " + t.Slug + ", for good", Text: "As Slipway knows it now. The plan lists it once more, resource by resource."}
	q := models.ListQuery{Filters: map[string]string{"tenant": t.Slug}, Limit: holdsUpTo}
	environments, err := h.Holds.Environments(ctx, a, q)
	if err != nil {
		return l, err
	}
	services, err := h.Holds.Services(ctx, a, q)
	if err != nil {
		return l, err
	}
	networks, err := h.Holds.Networks(ctx, a, t.Slug)
	if err != nil {
		return l, err
	}
	envs := views.LossList{Label: "Environments", More: environments.Total - len(environments.Rows), URL: urls.With(urls.Environments, "tenant", t.Slug)}
	for _, e := range environments.Rows {
		envs.Items = append(envs.Items, views.LossItem{Name: e.Name, Text: string(e.Stage) + ", with its data", URL: urls.Environment(t.Slug, e.Name)})
	}
	its := views.LossList{Label: "Services", More: services.Total - len(services.Rows), URL: urls.With(urls.Services, "tenant", t.Slug)}
	for _, s := range services.Rows {
		its.Items = append(its.Items, views.LossItem{Name: s.Name, Text: "with its repository", URL: urls.Service(t.Slug, s.Name)})
	}
	nets := views.LossList{Label: "Networks"}
	for _, n := range networks {
		text := networkBlock(n)
		if n.Registered {
			text = "registered: the VPC itself is not deleted by this"
		}
		nets.Items = append(nets.Items, views.LossItem{Name: n.Name, Text: text, URL: urls.Network(t.Slug, n.Name)})
	}
	delivery, err := h.lostDelivery(c, t, q)
	if err != nil {
		return l, err
	}
	accounts, words := lostAccounts(t)
	l.Lists = append(append([]views.LossList{envs, its}, delivery...), nets, accounts)
	l.Words = append([]string{"What is deleted is not brought back: data in databases and buckets, images, addresses and host names."}, words...)
	return l, nil
}

// lostDelivery are the pipelines and connections of a tenant.
func (h *TenantLife) lostDelivery(c *fiber.Ctx, t models.Tenant, q models.ListQuery) ([]views.LossList, error) {
	pipelines, err := h.Delivery.Pipelines(c.UserContext(), actor(c), q)
	if err != nil {
		return nil, err
	}
	connections, err := h.Delivery.Connections(c.UserContext(), actor(c), t.Slug)
	if err != nil {
		return nil, err
	}
	pipes := views.LossList{Label: "Pipelines", More: pipelines.Total - len(pipelines.Rows), URL: urls.With(urls.Pipelines, "tenant", t.Slug)}
	for _, p := range pipelines.Rows {
		pipes.Items = append(pipes.Items, views.LossItem{Name: p.Name, Text: "of " + p.ServiceName, URL: urls.Pipeline(t.Slug, p.Name)})
	}
	cons := views.LossList{Label: "Connections"}
	for _, x := range connections {
		cons.Items = append(cons.Items, views.LossItem{Name: x.Name, Text: "to " + string(x.Provider), URL: urls.Connection(t.Slug, x.Name)})
	}
	return []views.LossList{pipes, cons}, nil
}

func lostAccounts(t models.Tenant) (views.LossList, []string) {
	list := views.LossList{Label: "AWS accounts"}
	enrolled, closed := false, false
	for _, a := range t.Accounts {
		if a.State == models.Deleted {
			continue
		}
		text := string(a.Class)
		if a.Enrolled {
			text, enrolled = text+", enrolled: released, not closed", true
		} else {
			closed = true
		}
		name := a.Name
		if a.AWSID != "" {
			name += ", " + ui.AccountNumber(a.AWSID)
		}
		list.Items = append(list.Items, views.LossItem{Name: name, Text: text})
	}
	days := int(models.ReinstateFor / aDay)
	var words []string
	if closed {
		words = append(words, fmt.Sprintf("Accounts that Slipway made are closed at AWS, with everything else that is in them. AWS can reinstate one for %d days; after that it is gone.", days))
	}
	if enrolled {
		words = append(words, "An enrolled account stays open with what Slipway did not make in it. It belongs to no tenant then and can be enrolled again.")
	}
	return list, append(words, fmt.Sprintf("The name %s and the e-mail addresses of its accounts are never used again.", t.Slug))
}
