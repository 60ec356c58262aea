package handlers

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"time"

	"slipway/models"
	"slipway/models/blueprint"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// environmentView turns what the store knows of an environment into its page for one reader.
func environmentView(now time.Time, a models.Actor, p models.EnvironmentPage, meta blueprint.Meta, token string) views.Environment {
	e := p.Environment
	d := views.Environment{
		Tenant: e.TenantSlug, Name: e.Name, Stage: e.Stage, State: e.State, Hibernated: e.Hibernated, Made: ui.Ago(now, e.CreatedAt),
		Stack: stackFacts(now, e.Stack), Blueprint: e.Stack.Blueprint, Version: e.Stack.Version, MayChange: a.MayOrderFor(e.TenantID), Service: e.ServiceName, Image: e.Image,
		Failure: views.FailureOf(p.Failure), Groups: resourceGroups(now, e.Stack.Resources), Resources: len(e.Stack.Resources), Estimate: objectEstimate(e.Estimate),
		Open: rowsOf(now, p.Open, requestRow), Requests: rowsOf(now, p.Requests, requestRow), Runs: rowsOf(now, p.Runs, runRow), Log: logOf(p.Events), Activity: activities(now, p.Entries),
		Receipt: receiptView(now, p.Receipt), SeesAll: a.SeesAll(), CSRF: token, Key: models.NewID(),
	}
	if len(p.Newer) > 0 && e.State != models.Deleted {
		d.Newest = p.Newer[len(p.Newer)-1]
	}
	if e.NetworkID != "" {
		d.Network = models.NetworkName(e.Stage.Class(), e.Stack.Region)
	}
	d.RunID, d.Progress = lastRun(p.Runs)
	d.Endpoints, d.Outputs = outputs(e.Stack.Outputs, meta)
	d.Actions = environmentActions(now, a, p, token)
	d.Expiry = expiry(now, e, d)
	d.First = firstImage(a, p)
	d.Drift = driftView(now, p, d)
	return d
}

// outputs tells those that are links from the rest, each with the blueprint's words for it.
func outputs(all map[string]string, meta blueprint.Meta) (links []views.NamedOut, rest []views.Output) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		switch value := all[name]; {
		case value == "" || value == "-":
		case slices.Contains(meta.Endpoints, name):
			links = append(links, views.NamedOut{Name: name, Text: meta.Outputs[name], Out: ui.Out{URL: value}})
		default:
			rest = append(rest, views.Output{Name: name, Text: meta.Outputs[name], Value: value})
		}
	}
	return links, rest
}

func expiry(now time.Time, e models.Environment, d views.Environment) *views.Expiry {
	if e.ExpiresAt.IsZero() || e.State == models.Deleted {
		return nil
	}
	x := &views.Expiry{At: ui.In(now, e.ExpiresAt), Soon: e.ExpiresAt.Sub(now) < soon, Past: !e.HibernatedAt.IsZero() && e.Hibernated, Empties: e.EmptyBuckets}
	if x.Past {
		x.Deletes = ui.In(now, e.HibernatedAt.Add(models.HibernateFor))
	}
	for _, act := range d.Actions {
		if act.ID == "extend" && act.Why == "" {
			x.ExtendURL = act.URL
		}
	}
	return x
}

// firstImage is set while an environment that runs a service has no image.
func firstImage(a models.Actor, p models.EnvironmentPage) *views.FirstImage {
	e := p.Environment
	if e.ServiceID == "" || e.Image != "" || e.State == models.Deleted || e.State == models.Deleting {
		return nil
	}
	f := &views.FirstImage{Service: e.ServiceName, ServiceURL: urls.Service(e.TenantSlug, e.ServiceName), Repository: e.Repository, Commands: pushCommands(e.Repository)}
	if a.MayOrderFor(e.TenantID) && e.State == models.Ready && f.Repository != "" {
		f.DeployURL = urls.ChangeEnvironment(e.TenantSlug, e.Name, "deploy")
	}
	return f
}

// secretRows are the secrets that a person must fill, as far as the stack has made them. known says that whatever is not among the
// empty ones has a value.
func secretRows(e models.Environment, meta blueprint.Meta, empty []models.EmptySecret, known bool) []views.Secret {
	var rows []views.Secret
	for _, r := range e.Stack.Resources {
		if !slices.Contains(meta.Secrets, r.LogicalID) || r.PhysicalID == "" {
			continue
		}
		s := views.Secret{Name: r.LogicalID, Known: known, Filled: known,
			Console: ui.Out{Word: "Fill it in the AWS console", URL: fmt.Sprintf("https://%s.console.aws.amazon.com/secretsmanager/secret?name=%s&region=%s", url.PathEscape(e.Stack.Region),
				url.QueryEscape(r.PhysicalID), url.QueryEscape(e.Stack.Region))},
			Command: ui.Command{Label: "Or with the value in a file", Lines: []string{fmt.Sprintf("aws secretsmanager put-secret-value --region %s --secret-id %s --secret-string file://value.txt",
				e.Stack.Region, r.PhysicalID)}}}
		for _, x := range empty {
			if x.LogicalID == r.LogicalID {
				s.Known, s.Filled, s.Console.URL, s.Command.Lines = true, false, x.ConsoleURL, []string{x.Command}
			}
		}
		rows = append(rows, s)
	}
	return rows
}

func driftView(now time.Time, p models.EnvironmentPage, d views.Environment) views.Drift {
	tenant, name := d.Tenant, d.Name
	var v views.Drift
	if x := p.Drift; x != nil {
		v = views.Drift{State: x.State, At: ui.Ago(now, x.EndedAt), By: x.By, Checked: x.Checked, All: len(p.Environment.Stack.Resources), Blind: x.NotChecked, Failure: x.Failure}
		if x.EndedAt.IsZero() {
			v.At = ui.Ago(now, x.StartedAt)
		}
		if x.Accepted.After(now) {
			v.Accepted, v.AcceptedBy, v.Reason = ui.At(x.Accepted), x.AcceptedBy, x.Reason
		}
		for _, r := range x.Resources {
			if r.Expected {
				v.Expected = append(v.Expected, driftRows(r)...)
			} else {
				v.Rows = append(v.Rows, driftRows(r)...)
			}
		}
	}
	for _, act := range d.Actions {
		switch {
		case act.Why != "":
		case act.ID == "revert":
			v.RevertURL = act.URL
		case act.ID == "accept":
			v.AcceptURL = act.URL
		}
	}
	if d.MayChange && p.Environment.MayNot(models.RevertEnvironment, now) == "" && v.State != models.DriftChecking {
		v.CheckURL = urls.CheckDrift(tenant, name)
	}
	return v
}

func driftRows(r models.ResourceDrift) []views.DriftRow {
	if r.Status == "DELETED" || len(r.Properties) == 0 {
		return []views.DriftRow{{Resource: r.LogicalID, Type: r.Type, Gone: r.Status == "DELETED"}}
	}
	var rows []views.DriftRow
	for _, x := range r.Properties {
		rows = append(rows, views.DriftRow{Resource: r.LogicalID, Type: r.Type, Path: x.Path, Declared: x.Declared, Found: x.Actual, Kind: x.Kind})
	}
	return rows
}
