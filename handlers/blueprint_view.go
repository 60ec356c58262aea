package handlers

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"slipway/models"
	"slipway/models/blueprint"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// shownVersion is the version that stands for a blueprint: the newest that is offered, else the newest that could be read.
func shownVersion(b blueprint.Listing) (blueprint.Listed, bool) {
	if v, ok := b.Newest(); ok {
		return v, true
	}
	for _, v := range b.Versions {
		if v.Digest != "" {
			return v, true
		}
	}
	return b.Versions[0], false
}

func (h *Blueprints) card(b blueprint.Listing) views.BlueprintCard {
	v, readable := shownVersion(b)
	card := views.BlueprintCard{Name: b.Name, Title: cmp.Or(b.Meta.Title, b.Name), Icon: views.BlueprintIcon(b.Meta.Icon), Text: strings.TrimSpace(b.Meta.Description), State: views.BlueprintState(b.State),
		Version: v.Version, Versions: len(b.Versions), Stages: v.Meta.Stages}
	if readable {
		card.From = fromPrice(h.Costs, v)
	}
	if slices.Contains(v.Meta.Needs, blueprint.NeedsZone) && h.BaseDomain == "" {
		card.Why = "It needs HTTPS, and so a name of its own. The platform team has not configured a base domain (SLIPWAY_BASE_DOMAIN)."
	}
	return card
}

func (h *Blueprints) view(ctx context.Context, b blueprint.Listing, q costParams, uses []models.BlueprintUse) (views.Blueprint, error) {
	v, readable := shownVersion(b)
	d := views.Blueprint{BlueprintCard: h.card(b), Kind: v.Meta.Kind, Needs: v.Meta.Needs}
	of := map[string][]models.EnvironmentRow{}
	for _, u := range uses {
		of[u.Version] = u.Environments
		d.Uses += len(u.Environments)
	}
	for _, x := range b.Versions {
		d.Releases = append(d.Releases, h.release(x, of[x.Version]))
	}
	if len(d.Releases) > 0 {
		d.Releases[0].Open = true
	}
	if !readable {
		return d, nil
	}
	full, err := h.Versions.BlueprintByDigest(ctx, v.Digest)
	if err != nil {
		return d, err
	}
	t, err := full.Parse()
	if err != nil {
		return d, err
	}
	d.Built, d.BuiltN = built(t), len(t.Resources)
	for _, g := range v.Meta.Gates {
		how, missed := strings.CutPrefix(g.How, "Not met by the stack:")
		d.Gates = append(d.Gates, views.GateRow{Gate: g.Gate, How: upperFirst(strings.TrimSpace(how)), Met: !missed})
	}
	for _, x := range v.Meta.Controls {
		d.Controls = append(d.Controls, views.ControlRow{ID: x.ID, Title: x.Title, Resource: x.Resource})
	}
	d.Cost = h.cost(full, q)
	return d, nil
}

func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// built puts a template's resources under their services.
func built(t *blueprint.Template) []views.BuiltGroup {
	at := map[string]int{}
	var groups []views.BuiltGroup
	for _, r := range t.Resources {
		service := awsService(r.Type)
		i, known := at[service]
		if !known {
			i = len(groups)
			at[service] = i
			groups = append(groups, views.BuiltGroup{ID: "svc-" + strings.ToLower(service), Service: cmp.Or(serviceWords[service], service)})
		}
		groups[i].Resources = append(groups[i].Resources, views.Built{ID: r.ID, Type: r.Type, Condition: r.Condition})
	}
	slices.SortFunc(groups, func(a, b views.BuiltGroup) int {
		return cmp.Compare(strings.ToLower(a.Service), strings.ToLower(b.Service))
	})
	return groups
}

func (h *Blueprints) release(x blueprint.Listed, uses []models.EnvironmentRow) views.BlueprintVersion {
	now := h.Clock.Now()
	v := views.BlueprintVersion{Version: x.Version, State: views.BlueprintState(x.State), Reason: x.Reason, Digest: x.Digest, Seen: ui.Ago(now, x.FirstSeen), From: x.Meta.UpgradeFrom,
		Breaking: x.Meta.Breaking, Notes: strings.TrimSpace(x.Meta.UpgradeNotes), Problems: problemRows(x.Problems)}
	switch x.Origin {
	case blueprint.Shipped:
		v.Origin = "shipped with Slipway"
	case blueprint.Directory:
		v.Origin = "the platform team's directory"
	}
	for i, check := range x.Checks {
		v.Checks = append(v.Checks, views.CheckRow{ID: fmt.Sprintf("v-%s-check-%d", x.Version, i+1), Tool: check.Tool, Version: check.Version, State: views.CheckState(check.State),
			Problems: problemRows(check.Problems), Accepted: problemRows(check.Accepted)})
	}
	for _, e := range uses {
		v.Uses = append(v.Uses, environmentRow(now, e))
	}
	return v
}

func problemRows(problems []blueprint.Problem) []views.ProblemRow {
	var rows []views.ProblemRow
	for _, p := range problems {
		place := p.File
		if p.Line > 0 {
			place = fmt.Sprintf("%s:%d", cmp.Or(p.File, "template.yaml"), p.Line)
		}
		if place == "" {
			place = p.Path
		}
		rows = append(rows, views.ProblemRow{Place: place, Rule: p.Rule, Text: p.Message, Fatal: len(blueprint.Errors([]blueprint.Problem{p})) > 0})
	}
	return rows
}

// cost estimates the version for every stage and size. A cell without a price says so; one that was asked for is shown in full.
func (h *Blueprints) cost(v blueprint.Version, q costParams) views.BlueprintCost {
	d := views.BlueprintCost{Version: v.Ref(), Region: h.Region, Sizes: choicesOf(v.Meta, "Size")}
	if len(d.Sizes) == 0 {
		d.Sizes = []string{""}
	}
	var shown *models.Estimate
	for _, s := range stagesOf(v.Meta) {
		row := views.CostByStage{Label: s.label}
		for _, size := range d.Sizes {
			cell := views.CostCell{Size: size, URL: urls.With(urls.Blueprint(v.Name), "stage", string(s.stage), "size", size) + "#cost"}
			e, err := h.Costs.EstimateVersion(v, s.stage, size)
			if err != nil {
				d.Failed = models.Message(err)
				row.Cells = append(row.Cells, cell)
				continue
			}
			if len(e.Lines) > 0 || !e.Unpriced {
				cell.Amount = ui.USD(e.Monthly())
			}
			if wanted := string(s.stage) == q.Stage && size == q.Size; wanted || shown == nil {
				shown, d.Chosen = &e, strings.TrimPrefix(s.label+", "+sizeWords(size), ", ")
				if size == "" {
					d.Chosen = s.label
				}
				for i := range d.Rows {
					for j := range d.Rows[i].Cells {
						d.Rows[i].Cells[j].Chosen = false
					}
				}
				for j := range row.Cells {
					row.Cells[j].Chosen = false
				}
				cell.Chosen = true
			}
			row.Cells = append(row.Cells, cell)
		}
		d.Rows = append(d.Rows, row)
	}
	if shown != nil {
		assumed := sizeWords(cmp.Or(chosenSize(d), "S"))
		e := ui.EstimateFrom(*shown, ui.EstimateOptions{ID: "estimate", Assumed: upperFirst(assumed)})
		d.Estimate = &e
	}
	return d
}

func chosenSize(d views.BlueprintCost) string {
	for _, r := range d.Rows {
		for _, x := range r.Cells {
			if x.Chosen {
				return x.Size
			}
		}
	}
	return ""
}

func sizeWords(size string) string {
	if size == "" {
		return ""
	}
	return "size " + size
}

type costStage struct {
	stage models.Stage
	label string
}

// stagesOf are the rows of the cost table: stages of an environment, classes where the class counts, else one row for all.
func stagesOf(m blueprint.Meta) []costStage {
	var rows []costStage
	for _, s := range m.Stages {
		rows = append(rows, costStage{models.Stage(s), s})
	}
	if len(rows) > 0 {
		return rows
	}
	for _, source := range m.Given {
		if source == "class" {
			return []costStage{{models.Dev, string(models.NonProd)}, {models.Production, string(models.Prod)}}
		}
	}
	return []costStage{{"", "Every account"}}
}

func choicesOf(m blueprint.Meta, name string) []string {
	fields, err := m.Fields()
	if err != nil { // a stored version has a schema that compiled
		return nil
	}
	var values []string
	for _, f := range fields {
		if f.Name == name {
			for _, x := range f.Choices {
				values = append(values, x.Value)
			}
		}
	}
	return values
}
