package handlers

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// Networks shows networks.
type Networks struct {
	*Desk
	Store interface {
		NetworkPage(ctx context.Context, a models.Actor, tenant, name string) (models.NetworkPage, error)
	}
}

// Show handles GET /tenants/:tenant/networks/:network.
func (h *Networks) Show(c *fiber.Ctx) error {
	n, err := h.Store.NetworkPage(c.UserContext(), actor(c), c.Params("tenant"), c.Params("network"))
	if err != nil {
		return err
	}
	d := networkView(h.Clock.Now(), actor(c), n)
	if isFragment(c) {
		return render(c, http.StatusOK, views.NetworkContent(d))
	}
	p, err := h.page(c)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, views.NetworkPage(p, d))
}

func networkView(now time.Time, a models.Actor, p models.NetworkPage) views.Network {
	n := p.Network
	d := views.Network{
		Tenant: n.TenantSlug, Name: n.Name, State: n.State, Registered: n.Registered, Version: n.Stack.Version, Made: ui.Ago(now, n.CreatedAt),
		Stack: stackFacts(now, n.Stack), VPC: n.Stack.Outputs["VpcId"], Zones: strings.Join(listed(n.Stack.Outputs["AvailabilityZones"]), ", "), Failure: views.FailureOf(p.Failure),
		Estimate: objectEstimate(n.Estimate), Environments: rowsOf(now, p.Environments, environmentRow), Groups: resourceGroups(now, n.Stack.Resources), Resources: len(n.Stack.Resources),
		Open: rowsOf(now, p.Open, requestRow), Requests: rowsOf(now, p.Requests, requestRow), Runs: rowsOf(now, p.Runs, runRow), Activity: activities(now, p.Entries),
		Receipt: receiptView(now, p.Receipt), SeesAll: a.SeesAll(), CIDR: networkBlock(n), Zone: zoneFacts(now, p.Zone),
	}
	for _, g := range []views.SubnetGroup{{Label: "Public subnets", IDs: listed(n.Stack.Outputs["PublicSubnetIds"])}, {Label: "Private subnets", IDs: listed(n.Stack.Outputs["PrivateSubnetIds"])}} {
		if len(g.IDs) > 0 {
			d.Subnets = append(d.Subnets, g)
		}
	}
	d.RunID, d.Progress = lastRun(p.Runs)
	if a.MayOrderFor(n.TenantID) && n.State != models.Deleted {
		d.OrderURL = urls.With(urls.NewEnvironment, "tenant", n.TenantSlug, "stage", string(stageFor(n.Class)), "region", n.Region)
		d.Actions = networkActions(p)
	}
	return d
}

// stageFor is the first stage that an account of the class accepts.
func stageFor(class models.Class) models.Stage {
	if class == models.Prod {
		return models.Production
	}
	return models.Dev
}

func networkActions(p models.NetworkPage) []ui.Action {
	n := p.Network
	end := ui.Action{ID: "delete", Label: "Delete", Text: "VPC, subnets and ways out go; its block becomes free.", Icon: ui.IconTrash, URL: urls.DeleteNetwork(n.TenantSlug, n.Name), Bad: true, Why: busyWhy(n.State)}
	if k := len(p.Environments); k > 0 && end.Why == "" {
		end.Why = ui.Plural(k, "environment stands", "environments stand") + " on it. Delete them first."
	}
	if n.Registered {
		end.Label, end.Text = "Forget it", "Slipway forgets the VPC; the VPC stays as it is."
		return []ui.Action{end}
	}
	return []ui.Action{{ID: "update", Label: "Change", Text: "Another size or other answers.", Icon: ui.IconPencil, URL: urls.UpdateNetwork(n.TenantSlug, n.Name), Why: busyWhy(n.State)}, end}
}

func networkBlock(n models.Network) string {
	if n.CIDR != "" {
		return n.CIDR
	}
	return n.Stack.Outputs["VpcCidr"]
}

func zoneFacts(now time.Time, z *models.Zone) *views.ZoneFacts {
	if z == nil {
		return nil
	}
	return &views.ZoneFacts{Name: z.Name, State: z.State, Delegated: ui.Ago(now, z.DelegatedAt), Servers: listed(z.Stack.Outputs["NameServers"])}
}

// listed reads a comma-separated output.
func listed(output string) []string {
	var all []string
	for _, s := range strings.Split(output, ",") {
		if s = strings.TrimSpace(s); s != "" {
			all = append(all, s)
		}
	}
	return all
}
