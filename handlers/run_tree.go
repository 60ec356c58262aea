package handlers

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// runTree puts a run's resources under their steps, and the steps under the parts of the plan they belong to. What failed first
// is also given by itself while the run stands still.
func runTree(now time.Time, r models.RunPage) (parts []views.TreePart, roots []views.TreeResource) {
	byStep := map[string][]models.RunResource{}
	for _, x := range r.Resources {
		byStep[x.Step] = append(byStep[x.Step], x)
	}
	for _, s := range r.Run.Steps {
		moved := byStep[s.Name]
		if len(moved) == 0 {
			continue
		}
		delete(byStep, s.Name)
		step := treeStep(now, fmt.Sprintf("tree-%d", s.Position), s.Title, moved)
		for _, x := range step.Resources {
			if x.Root && r.Request.State == models.Failed {
				roots = append(roots, x)
			}
		}
		if n := len(parts); n == 0 || parts[n-1].Name != s.Part {
			parts = append(parts, views.TreePart{Name: s.Part})
		}
		parts[len(parts)-1].Steps = append(parts[len(parts)-1].Steps, step)
	}
	return parts, roots
}

func treeStep(now time.Time, id, title string, moved []models.RunResource) views.TreeStep {
	step := views.TreeStep{ID: id, Title: title}
	var states []ui.State
	for _, x := range moved {
		row := views.TreeResource{LogicalID: x.LogicalID, Type: x.Type, State: views.StackStatus(x.Status), Word: x.Status, Reason: x.Reason, Root: x.Root, Took: took(x.StartedAt, x.EndedAt, now)}
		if cancelled(x) {
			row.State = ui.State{Label: "Cancelled", Tone: ui.Idle, Icon: ui.IconCircleMinus}
		}
		if !x.EndedAt.IsZero() {
			step.Moved++
		}
		states = append(states, row.State)
		step.Resources = append(step.Resources, row)
	}
	step.State = views.WorstState(states...)
	step.Open = step.State.Tone != ui.OK
	slices.SortStableFunc(step.Resources, func(a, b views.TreeResource) int { return cmp.Compare(rank(a), rank(b)) })
	return step
}

// rank puts the root first, then what failed, then what moves, then what is through.
func rank(r views.TreeResource) int {
	switch {
	case r.Root:
		return 0
	case r.State.Tone == ui.Fail:
		return 1
	case r.State.Tone == ui.Run:
		return 2
	case r.State.Tone == ui.Idle:
		return 3
	}
	return 4
}

// cancelled tells a resource that only stopped because another one failed from one that failed itself.
func cancelled(x models.RunResource) bool {
	return !x.Root && strings.HasSuffix(x.Status, "_FAILED") && strings.Contains(strings.ToLower(x.Reason), "cancelled")
}

// objectURL is the page of what a request is about; empty when it has none of its own.
func objectURL(q models.Request, tenant string) string {
	switch q.Kind.Object() {
	case models.EnvironmentObject:
		return urls.Environment(tenant, q.ObjectName)
	case models.ServiceObject:
		return urls.Service(tenant, q.ObjectName)
	case models.NetworkObject:
		return urls.Network(tenant, q.ObjectName)
	case models.PipelineObject:
		return urls.Pipeline(tenant, q.ObjectName)
	case models.ConnectionObject:
		return urls.Connection(tenant, q.ObjectName)
	}
	return ""
}
