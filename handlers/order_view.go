package handlers

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"slipway/models"
	"slipway/models/blueprint"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// view draws the order as far as it is filled in.
func (h *Orders) view(c *fiber.Ctx, o ordering) (views.Order, error) {
	o.in.CSRF = csrf(c)
	if o.in.Key == "" {
		o.in.Key = models.NewID()
	}
	d := views.Order{Form: o.in, Max: models.MaxLife, Asks: o.asks(), Questions: blueprintFields(o.fields, o.answers, o.in.Errors, nil)}
	for _, t := range o.tenants {
		d.Tenants = append(d.Tenants, ui.Option{Value: t.Slug, Label: tenantLabel(t)})
	}
	if o.restored.ID != "" {
		d.Restored = ui.Ago(h.Clock.Wall(), o.restored.SavedAt)
		if o.restored.Expired {
			d.RestoredWhy = "Your session had ended"
		}
	}
	if r := o.editing; r != nil {
		d.EditNumber, d.EditReason, d.EditBy, d.NameFixed = number(r.Request.Number), r.Request.Reason, decidedBy(*r), r.Request.HasRun()
	}
	if o.in.Tenant == "" {
		d.Panel.Waits = "There is nothing to estimate yet."
		return d, nil
	}
	for _, s := range o.stages() {
		d.Stages = append(d.Stages, ui.Option{Value: string(s), Label: stageLabel(s, o.choices.Tenant)})
	}
	for _, r := range h.Regions {
		d.Regions = append(d.Regions, ui.Option{Value: r, Label: r})
	}
	d.Paths = h.paths(o)
	d.Network = h.network(o)
	d.Services = services(o.choices.Services)
	panel, estimate, err := h.panel(c, o)
	if err != nil {
		return d, err
	}
	d.Panel = panel
	d.Usage = usageFields(o, estimate)
	return d, nil
}

func tenantLabel(t models.Tenant) string {
	if t.DisplayName == "" || t.DisplayName == t.Slug {
		return t.Slug
	}
	return t.Slug + ", " + t.DisplayName
}

// stageLabel names the account that the stage decides.
func stageLabel(s models.Stage, t models.Tenant) string {
	for _, a := range t.Accounts {
		if a.Class == s.Class() && a.AWSID != "" {
			return fmt.Sprintf("%s, account %s", s, ui.AccountNumber(a.AWSID))
		}
	}
	return fmt.Sprintf("%s, no %s account yet", s, s.Class())
}

// paths are the cards. What each costs at least is its smallest size in its first stage.
func (h *Orders) paths(o ordering) []views.OrderPath {
	var cards []views.OrderPath
	for _, b := range o.paths {
		v, _ := b.Newest()
		card := views.OrderPath{Name: b.Name, Title: v.Meta.Title, Version: v.Version, Text: strings.TrimSpace(v.Meta.Description), Chosen: b.Name == o.in.Blueprint, Why: h.why(b)}
		if card.Why == "" {
			if from := fromPrice(h.Costs, v); from != "" {
				card.From = from + "/mo"
			}
		}
		cards = append(cards, card)
	}
	return cards
}

// fromPrice is what a version costs at least; empty when that is not known.
func fromPrice(costs Estimator, v blueprint.Listed) string {
	e, ok := costs.From(v.Digest)
	if !ok || len(e.Lines) == 0 {
		return "" // the version's own page says why
	}
	return ui.USD(e.Monthly())
}

// network is what the order stands on in its account and region.
func (h *Orders) network(o ordering) *views.OrderNetwork {
	if !slices.Contains(o.version.Meta.Needs, blueprint.NeedsNetwork) {
		return nil
	}
	class := models.Stage(o.in.Stage).Class()
	n := &views.OrderNetwork{Class: string(class), Region: o.in.Region}
	for _, x := range o.choices.Networks {
		if x.Class == class && x.Region == o.in.Region {
			n.Ready = x.RequestID == ""
			if !n.Ready {
				n.RequestURL = urls.Request(x.RequestID)
			}
		}
	}
	return n
}

// services are those that exist, and those that are on their way.
func services(all []models.Choice) []ui.Option {
	options := []ui.Option{{Label: "Choose"}}
	for _, x := range all {
		label := x.Name
		if x.RequestID != "" {
			label += ", on its way: the order waits for it"
		}
		options = append(options, ui.Option{Value: x.Name, Label: label})
	}
	return options
}

// usageFields ask for the amounts that the estimate rests on, and say what each size assumes.
func usageFields(o ordering, e models.Estimate) []ui.Field {
	profile := o.version.Meta.Cost.Usage
	keys := e.Uses
	if len(keys) == 0 {
		for _, p := range profile {
			keys = slices.AppendSeq(keys, maps.Keys(p))
		}
	}
	fields := ui.UsageFields(usagePrefix, keys, o.usage, o.in.Errors)
	for i, f := range fields {
		key := strings.TrimPrefix(f.Name, usagePrefix)
		var assumed []string
		for _, size := range sizes(o.version.Meta) {
			if n := profile[size][key]; n != "" {
				assumed = append(assumed, n+" in "+size)
			}
		}
		if len(assumed) > 0 {
			fields[i].Hint = strings.TrimSpace(f.Hint + " Left open: " + personList(assumed, "and") + ".")
		}
	}
	return fields
}

// sizes are those that a blueprint has usage profiles for, small first.
func sizes(m blueprint.Meta) []string {
	var some []string
	for _, size := range []string{"S", "M", "L"} {
		if _, ok := m.Cost.Usage[size]; ok {
			some = append(some, size)
		}
	}
	return some
}

// host is the address that follows from a name; empty when the path has none of its own.
func (h *Orders) host(o ordering, name string) string {
	if h.BaseDomain == "" || !slices.Contains(o.version.Meta.Needs, blueprint.NeedsZone) {
		return o.choices.Tenant.Slug + " / " + name
	}
	return name + "." + models.ZoneName(o.choices.Tenant.Slug, models.Stage(o.in.Stage).Class(), h.BaseDomain)
}
