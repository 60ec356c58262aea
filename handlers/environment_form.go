package handlers

import (
	"maps"
	"slices"
	"strings"
	"time"

	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// changeForm fills the form of one change with what is true of the environment.
func changeForm(now time.Time, x changing, in views.ChangeForm, answers map[string]string) views.EnvironmentChange {
	e := x.page.Environment
	c := views.EnvironmentChange{Kind: x.kind, Tenant: e.TenantSlug, Name: e.Name, Stage: e.Stage, Version: e.Stack.Blueprint + " " + e.Stack.Version, Image: e.Image, Status: e.Stack.Status,
		Repository: e.Repository, In: in, Questions: blueprintFields(x.fields, answers, in.Errors, nil), Blocked: whyNot(now, x.page, x.kind)}
	if !e.ExpiresAt.IsZero() {
		c.Ends = e.ExpiresAt.UTC().Format("2 Jan 2006, 15:04 UTC")
	}
	switch x.kind {
	case models.UpdateEnvironment:
		c.Usage = ui.UsageFields(usagePrefix, x.uses, usageTyped(e, answers), in.Errors)
	case models.UpgradeEnvironment:
		c.In.Version, c.Notes, c.Breaking = x.version, strings.TrimSpace(x.next.UpgradeNotes), x.next.Breaking
		for _, v := range x.page.Newer {
			c.Versions = append(c.Versions, views.VersionLink{Version: v, Chosen: v == x.version, URL: urls.With(urls.ChangeEnvironment(e.TenantSlug, e.Name, "upgrade"), "version", v)})
		}
		c.Dropped = dropped(x)
	case models.AcceptDrift:
		if x.page.Drift != nil {
			for _, r := range x.page.Drift.Unexpected() {
				c.Drift = append(c.Drift, driftRows(r)...)
			}
		}
	case models.RecoverEnvironment:
		c.Stuck = stuck(e, "UPDATE_FAILED")
	case models.DeleteEnvironment:
		c.Stuck = stuck(e, "DELETE_FAILED")
		for _, r := range e.Stack.Resources {
			if r.Type == "AWS::S3::Bucket" && r.PhysicalID != "" && r.Status != "DELETE_COMPLETE" {
				c.Buckets = append(c.Buckets, r.PhysicalID)
			}
		}
	}
	return c
}

// usageTyped are the amounts as they were typed, or as the environment has them.
func usageTyped(e models.Environment, answers map[string]string) map[string]string {
	typed := maps.Clone(e.Usage)
	for name, value := range answers {
		if key, ok := strings.CutPrefix(name, usagePrefix); ok {
			if typed == nil {
				typed = map[string]string{}
			}
			typed[key] = value
		}
	}
	return typed
}

// dropped are the titles of questions that the newer version does not ask any more.
func dropped(x changing) []string {
	was, err := x.now.Fields()
	if err != nil { // a stored version has a schema that compiled
		return nil
	}
	is, err := x.next.Fields()
	if err != nil {
		return nil
	}
	names, gone := fieldNames(is), []string(nil)
	for _, f := range was {
		if !slices.Contains(names, f.Name) {
			gone = append(gone, f.Title)
		}
	}
	return gone
}

// stuck are the resources that a stack stopped at.
func stuck(e models.Environment, status string) []views.StackResource {
	var rows []views.StackResource
	for _, r := range e.Stack.Resources {
		if r.Status == status {
			rows = append(rows, views.StackResource{LogicalID: r.LogicalID, PhysicalID: r.PhysicalID, Type: r.Type, Reason: r.Reason})
		}
	}
	return rows
}
