package handlers

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/shopspring/decimal"

	"slipway/models"
	"slipway/models/blueprint"
	"slipway/views"
	"slipway/views/ui"
)

// panel says what the order would cost, who would approve it and how long it usually takes.
func (h *Orders) panel(c *fiber.Ctx, o ordering) (views.OrderPanel, models.Estimate, error) {
	p := views.OrderPanel{}
	if o.version.Name == "" {
		p.Waits = "Choose a golden path to see what it costs."
		return p, models.Estimate{}, nil
	}
	in, err := h.inputs(o)
	if err != nil {
		p.Waits = "No estimate while an answer needs a change: Lives for."
		return p, models.Estimate{}, nil
	}
	e, err := h.Costs.Estimate(o.version, in)
	if wrong := models.Fields(err); wrong != nil {
		p.Waits = "No estimate while an answer needs a change: " + strings.Join(titles(o.fields, wrong), ", ") + "."
		return p, models.Estimate{}, nil
	}
	if err != nil {
		return p, e, err
	}
	p.Estimate = ui.EstimateFrom(e, ui.EstimateOptions{ID: "estimate", Assumed: assumedBy(o, in), Folded: true})
	if p.Running, err = h.running(o, in, e); err != nil {
		return p, e, err
	}
	if in.Days > 0 && len(e.Lines) > 0 {
		p.Over = fmt.Sprintf("%s over its %s.", ui.USD(e.Monthly().Mul(decimal.NewFromInt(int64(in.Days))).Div(decimal.NewFromInt(30))), ui.Plural(in.Days, "day", "days"))
	}
	p.Share = budgetShare(o.choices, e.Monthly())
	err = h.judged(c, o, in, e, &p)
	return p, e, err
}

// titles are what people call the answers that are wrong.
func titles(fields []blueprint.Field, wrong map[string]string) []string {
	var some []string
	for _, name := range slices.Sorted(maps.Keys(wrong)) {
		title := "Usage assumed by the estimate"
		for _, f := range fields {
			if f.Name == name {
				title = f.Title
			}
		}
		if !slices.Contains(some, title) {
			some = append(some, title)
		}
	}
	return some
}

func assumedBy(o ordering, in models.EnvironmentInputs) string {
	if len(in.Usage) > 0 {
		return "With amounts of your own"
	}
	size := o.answers["Size"]
	for _, f := range o.fields {
		if f.Name == "Size" && size == "" {
			size = f.Default
		}
	}
	if size == "" {
		return ""
	}
	return "Size " + size
}

// running is what the order costs once an image runs, while none is named.
func (h *Orders) running(o ordering, in models.EnvironmentInputs, e models.Estimate) (string, error) {
	if !o.asks().Image || in.Image != "" {
		return "", nil
	}
	in.Image = "example@sha256:" + strings.Repeat("0", 64)
	with, err := h.Costs.Estimate(o.version, in)
	if err != nil || with.Monthly().Equal(e.Monthly()) {
		return "", err
	}
	return fmt.Sprintf("No task runs before a first image. With one it is %s per month.", ui.USD(with.Monthly())), nil
}

// budgetShare draws the tenant's budget: what its environments are estimated at, and this one beside it.
func budgetShare(x models.OrderChoices, monthly decimal.Decimal) *views.OrderShare {
	budget := x.Tenant.Budget
	if !budget.IsPositive() {
		return nil
	}
	before, after := share(x.Monthly, budget), share(x.Monthly.Add(monthly), budget)
	scale := 100 / max(after, 100)
	tone := "1"
	if after > 100 {
		tone = "fail"
	} else if after > 80 {
		tone = "warn"
	}
	s := &views.OrderShare{Words: fmt.Sprintf("The environments of %s are estimated at %s of %s a month. This makes it %.0f %%.", x.Tenant.Slug, ui.USD(x.Monthly), ui.Dollars(budget), after)}
	s.Bar = ui.Bar{Label: fmt.Sprintf("Budget of %s: %.0f percent before, %.0f percent after", x.Tenant.Slug, before, after), Mark: 100 * scale,
		Segs: []ui.Seg{{Width: before * scale, Tone: tone}, {From: before * scale, Width: (after - before) * scale, Tone: tone, Planned: true}}}
	if after <= 100 {
		s.Bar.Mark = 0
	}
	return s
}

// judged asks the rules about the order as it stands, with the estimate as its cost.
func (h *Orders) judged(c *fiber.Ctx, o ordering, in models.EnvironmentInputs, e models.Estimate, p *views.OrderPanel) error {
	ctx, a := c.UserContext(), actor(c)
	inputs, err := json.Marshal(in)
	if err != nil {
		return err
	}
	content := models.PlanContent{Kind: models.CreateEnvironment, ObjectType: models.EnvironmentObject, Object: in.Name, Inputs: inputs, Cost: e.CostLines(),
		Parts: []models.PlanPart{{Name: in.Name, Class: in.Stage.Class(), Region: in.Region, Blueprint: o.version.Ref(), Digest: o.version.Digest, Mode: models.StackCreate}}}
	facts, err := h.Facts.RulesFor(ctx, a, o.choices.Tenant.Slug, models.CreateEnvironment, in.Name, inputs, content)
	if err != nil {
		return err
	}
	facts.Unpriced = e.Unpriced
	verdict := h.Rules.Evaluate(facts)
	p.Rules = orderRules(verdict, o.choices.Tenant.Slug)
	quiet := 0
	for _, x := range verdict.Outcomes {
		if !x.Matched {
			quiet++
		}
	}
	p.Passed = fmt.Sprintf("%d of %s have nothing to say. They are asked again with the plan.", quiet, ui.Plural(len(verdict.Outcomes), "rule", "rules"))
	times, err := h.Facts.UsualTime(ctx, a, models.CreateEnvironment)
	if err != nil {
		return err
	}
	p.Usual = usualWords(times)
	return nil
}

func usualWords(n models.PlanNotes) string {
	if n.UsualTime <= 0 {
		return fmt.Sprintf("How long it takes is known after five runs; so far there were %s.", ui.Count(n.PastRuns))
	}
	return fmt.Sprintf("After the approval usually %s, %s at worst.", ui.Span(n.UsualTime.Std().Round(time.Second)), ui.Span(n.WorstTime.Std().Round(time.Second)))
}

// orderRules puts what the rules say first that stands against the order, then who approves, then what they warn of.
func orderRules(v models.Verdict, tenant string) []views.OrderRule {
	var rows []views.OrderRule
	for _, x := range v.Outcomes {
		if x.Matched && x.Effect == "deny" {
			rows = append(rows, views.OrderRule{State: ui.State{Label: "Would be refused", Tone: ui.Fail}, Text: cmp.Or(x.Message, x.Error), IDs: []string{x.ID}})
		}
	}
	switch {
	case v.Denied:
	case v.ApprovedBy != "":
		rows = append(rows, views.OrderRule{State: ui.State{Label: "Starts by itself", Tone: ui.OK, Icon: ui.IconScale}, Text: "A rule approves it, no person has to look.", IDs: []string{v.ApprovedBy}})
	default:
		for _, d := range v.Demands {
			rows = append(rows, views.OrderRule{State: ui.State{Label: demandWords(d, tenant), Tone: ui.Wait}, Text: because(v, d), IDs: d.Rules})
		}
	}
	for _, x := range v.Outcomes {
		if x.Matched && x.Effect == "warn" {
			rows = append(rows, views.OrderRule{State: ui.State{Label: "Warns", Tone: ui.Warn}, Text: x.Message, IDs: []string{x.ID}})
		}
	}
	return rows
}

func demandWords(d models.Demand, tenant string) string {
	who := "A " + d.Role
	if d.Role == string(models.Owner) {
		who = "An owner of " + tenant
	}
	if d.Count > 1 {
		who = fmt.Sprintf("%d people who are %s", d.Count, d.Role)
	}
	return who + " must approve"
}

// because are the words of the rules that ask for a person, and that it cannot be who orders.
func because(v models.Verdict, d models.Demand) string {
	var said []string
	for _, x := range v.Outcomes {
		if x.Matched && slices.Contains(d.Rules, x.ID) && x.Message != "" {
			said = append(said, x.Message)
		}
	}
	return strings.TrimSpace(strings.Join(said, " ") + " Not you: who asks does not approve.")
}
