package handlers

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
)

// What pages of environments, networks and services have in common.

func stackFacts(now time.Time, s models.Stack) views.StackFacts {
	f := views.StackFacts{Account: s.Account, Region: s.Region, Status: s.Status, Reason: s.Reason, At: ui.Ago(now, s.StatusAt)}
	if s.StackID != "" {
		f.Console = ui.Out{URL: console(s.Region, "cloudformation", "#/stacks/stackinfo?stackId="+url.QueryEscape(s.StackID)), Word: "The stack in AWS"}
	}
	return f
}

// console is a page of the AWS console. Whoever opens it signs in there with a role of their own.
func console(region, service, rest string) string {
	return fmt.Sprintf("https://%s.console.aws.amazon.com/%s/home?region=%s%s", url.PathEscape(region), service, url.QueryEscape(region), rest)
}

// awsService is the part of a resource type that names its service.
func awsService(kind string) string {
	parts := strings.Split(kind, "::")
	if len(parts) < 3 {
		return kind
	}
	return parts[1]
}

// serviceWords are the services whose name in a type is not what people call them.
var serviceWords = map[string]string{
	"ElasticLoadBalancingV2": "Load balancing", "CertificateManager": "Certificates", "ApplicationAutoScaling": "Autoscaling", "SecretsManager": "Secrets Manager",
	"WAFv2": "WAF", "Route53": "Route 53", "XRay": "X-Ray", "Logs": "CloudWatch Logs",
}

// resourceGroups puts a stack's resources under their services, those that want to be seen first.
func resourceGroups(now time.Time, resources []models.StackResource) []views.ResourceGroup {
	at := map[string]int{}
	var groups []views.ResourceGroup
	for _, r := range resources {
		service := awsService(r.Type)
		i, known := at[service]
		if !known {
			i = len(groups)
			at[service] = i
			groups = append(groups, views.ResourceGroup{ID: "res-" + strings.ToLower(service), Service: cmp.Or(serviceWords[service], service)})
		}
		groups[i].Resources = append(groups[i].Resources, views.StackResource{LogicalID: r.LogicalID, PhysicalID: r.PhysicalID, Type: r.Type, State: views.StackStatus(r.Status), Word: r.Status,
			Reason: r.Reason, At: ui.Ago(now, r.At)})
	}
	for i, g := range groups {
		var states []ui.State
		for _, r := range g.Resources {
			states = append(states, r.State)
		}
		groups[i].State = views.WorstState(states...)
		groups[i].Open = groups[i].State.Tone == ui.Fail || groups[i].State.Tone == ui.Run
		slices.SortFunc(groups[i].Resources, func(a, b views.StackResource) int { return cmp.Compare(a.LogicalID, b.LogicalID) })
	}
	slices.SortFunc(groups, func(a, b views.ResourceGroup) int {
		if a.Open != b.Open {
			return cmp.Compare(yes(b.Open), yes(a.Open))
		}
		return cmp.Compare(strings.ToLower(a.Service), strings.ToLower(b.Service))
	})
	return groups
}

func yes(b bool) int {
	if b {
		return 1
	}
	return 0
}

func objectEstimate(e *models.Estimate) *ui.Estimate {
	if e == nil {
		return nil
	}
	v := ui.EstimateFrom(*e, ui.EstimateOptions{ID: "estimate", Folded: true})
	return &v
}

func receiptView(now time.Time, r *models.Receipt) *views.Receipt {
	if r == nil {
		return nil
	}
	return &views.Receipt{At: ui.Ago(now, r.At), Gone: receiptLines(r.Gone), Left: receiptLines(r.Left), Emptied: r.Emptied, ScannedIn: r.ScannedIn, CannotSee: r.CannotSee,
		RequestID: r.RequestID}
}

func receiptLines(lines []models.ReceiptLine) []views.ReceiptLine {
	var out []views.ReceiptLine
	for _, l := range lines {
		out = append(out, views.ReceiptLine{Name: l.LogicalID, ID: l.ID, Type: l.Type, Why: l.Why, Cost: costWords(l.Cost)})
	}
	return out
}

// costWords writes what something still costs: an amount of dollars a month, or the words that stand in its place.
func costWords(cost string) string {
	if cost != "" && strings.Trim(cost, "0123456789.") == "" {
		return "$" + cost + "/mo"
	}
	return cost
}

// lastRun is the newest run of an object and what it is at.
func lastRun(runs []models.RunRow) (id, progress string) {
	if len(runs) == 0 {
		return "", ""
	}
	if runs[0].EndedAt.IsZero() {
		progress = runNote(runs[0])
	}
	return runs[0].ID, progress
}

// logOf are the latest events, oldest first, as logs are read.
func logOf(newestFirst []models.RunEvent) []ui.LogLine {
	var lines []ui.LogLine
	for i := len(newestFirst) - 1; i >= 0; i-- {
		e := newestFirst[i]
		lines = append(lines, ui.LogLine{N: len(lines) + 1, At: e.At, Level: e.Level, Text: e.Text})
	}
	return lines
}

// pushCommands are how an image gets into a repository and how its digest is read.
func pushCommands(repository string) []ui.Command {
	registry, name, ok := strings.Cut(repository, "/")
	parts := strings.Split(registry, ".") // <account>.dkr.ecr.<region>.amazonaws.com
	if !ok || len(parts) < 5 {
		return nil
	}
	region := parts[3]
	return []ui.Command{
		{Label: "Sign in to the registry, good for 12 hours", Lines: []string{fmt.Sprintf("aws ecr get-login-password --region %s | docker login --username AWS --password-stdin %s", region, registry)}},
		{Label: "Build and push; the tag is the commit", Lines: []string{"TAG=$(git rev-parse --short HEAD)", fmt.Sprintf("docker build -t %s:$TAG .", repository), fmt.Sprintf("docker push %s:$TAG", repository)}},
		{Label: "Read the digest to deploy", Lines: []string{fmt.Sprintf("aws ecr describe-images --region %s --repository-name %s --image-ids imageTag=$TAG --query 'imageDetails[0].imageDigest' --output text", region, name)}},
	}
}

func environmentRow(now time.Time, e models.EnvironmentRow) views.EnvironmentRow {
	row := views.EnvironmentRow{Tenant: e.TenantSlug, Name: e.Name, Stage: e.Stage, Region: e.Region, Blueprint: e.Blueprint, Version: e.Version, Newest: e.Newest, Service: e.Service,
		State: views.EnvironmentState(e.State, e.Status, e.Hibernated, e.Service != "" && e.Image == ""), Changed: ui.Ago(now, e.UpdatedAt)}
	if e.Drift == models.DriftFound && e.Drifted > 0 {
		row.Drift = ui.Count(e.Drifted) + " drifted"
	}
	if e.Monthly != nil {
		row.Monthly = ui.USD(*e.Monthly)
	}
	if !e.ExpiresAt.IsZero() && e.State != models.Deleted {
		row.Ends, row.EndsSoon = ui.In(now, e.ExpiresAt), e.ExpiresAt.Sub(now) < soon
	}
	return row
}

// soon is how long before its end an environment warns first.
const soon = 7 * aDay
