package handlers

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

func yesNo(b bool) string { return strconv.FormatBool(b) }

func number10(n int) string { return strconv.Itoa(n) }

func healthTally(wall time.Time, t models.HealthTally) views.HealthTally {
	return views.HealthTally{Failing: t.By[models.Failing], Degraded: t.By[models.Degraded], Unread: t.By[models.Unread], NoData: t.By[models.NoData], Healthy: t.By[models.Healthy], All: t.All,
		Late: t.Late, Oldest: ui.Ago(wall, t.Oldest)}
}

func healthRows(clock models.Clock, rows []models.HealthRow) []views.HealthRow {
	out := make([]views.HealthRow, 0, len(rows))
	for _, r := range rows {
		out = append(out, healthRow(clock, r))
	}
	return out
}

// healthRow is an environment in a list. AWS's times are wall time, ends and acceptances are product time.
func healthRow(clock models.Clock, r models.HealthRow) views.HealthRow {
	wall, now := clock.Wall(), clock.Now()
	row := views.HealthRow{Tenant: r.TenantSlug, Name: r.Name, Stage: r.Stage, Region: r.Region, State: views.Condition(r.Condition), Reason: healthReason(r), Since: ui.Ago(wall, r.Since),
		Read: ui.Ago(wall, r.ReadAt), Late: r.Late(wall)}
	if r.Seen.Bad() || r.Seen == models.Healthy && r.Condition != models.NoData {
		row.Later = "The last round found it " + r.Seen.Words() + "; the next one has to confirm that."
	}
	if r.Hibernated {
		row.Notes = append(row.Notes, ui.State{Label: "Hibernates", Tone: ui.Idle, Icon: ui.IconSnowflake})
	}
	if r.Drift == models.DriftFound && r.Drifted > 0 && !r.DriftUntil.After(now) {
		row.Notes = append(row.Notes, ui.State{Label: fmt.Sprintf("%d drifted", r.Drifted), Tone: ui.Warn})
	}
	if !r.Hibernated && r.ExpiresAt.After(now) && r.ExpiresAt.Sub(now) < endingSoon {
		row.Notes = append(row.Notes, ui.State{Label: "Ends " + ui.In(now, r.ExpiresAt).Ago, Tone: ui.Warn, Icon: ui.IconClock})
	}
	return row
}

// healthReason is why an environment is in its state. Of one that no round has looked at, it says what it waits for.
func healthReason(r models.HealthRow) string {
	switch {
	case r.Reason != "":
		return upperFirst(r.Reason)
	case r.State == models.Creating:
		return "It is being made"
	case r.State == models.Deleting:
		return "It is being deleted"
	}
	return "No round has looked at it yet"
}

func healthPanelOf(clock models.Clock, u models.Unwell, tenant string) views.HealthPanel {
	return views.HealthPanel{Tally: healthTally(clock.Wall(), u.Tally), Rows: healthRows(clock, u.Rows), Tenant: tenant}
}

var vitalWords = map[models.VitalKind]string{models.VitalStack: "Stack", models.VitalTasks: "Tasks", models.VitalTargets: "Targets", models.VitalAlarm: "Alarm", models.VitalCertificate: "Certificate",
	models.VitalHistory: "History of alarms"}

// environmentHealthView is the panel of an environment. span is the range of its signals; empty: the usual.
func environmentHealthView(clock models.Clock, h models.EnvironmentHealth, env models.Environment, portal, span string) *views.EnvironmentHealth {
	wall := clock.Wall()
	in := consoleOf{portal: portal, account: env.Stack.Account, set: h.Access, region: env.Stack.Region}
	v := &views.EnvironmentHealth{Row: healthRow(clock, h.HealthRow)}
	var quiet []string
	for _, x := range h.Vitals {
		if x.Kind == models.VitalAlarm && x.State == models.Healthy {
			quiet = append(quiet, x.Name)
			continue
		}
		part := views.HealthPart{Kind: vitalWords[x.Kind], State: views.Condition(x.State), Text: upperFirst(x.Words), Console: in.vital(x, env.Stack)}
		if x.State.Bad() {
			part.Since = ui.Ago(wall, x.Since)
		}
		if x.Kind == models.VitalAlarm && x.Gap == nil && x.State.Bad() {
			part.Text = x.Name + ": " + x.Words
		}
		if x.Gap != nil {
			part.Gap, part.Permission = x.Gap.Words, x.Gap.Permission
			v.Account = urls.Account(env.TenantSlug, string(env.Stage.Class()))
		}
		v.Parts = append(v.Parts, part)
	}
	if len(quiet) > 0 {
		v.Parts = append(v.Parts, views.HealthPart{Kind: "Alarms", State: views.Condition(models.Healthy), Text: "Quiet: " + strings.Join(quiet, ", ")})
	}
	for _, c := range h.Changes {
		v.Changes = append(v.Changes, views.HealthChange{At: ui.Ago(wall, c.At), State: views.Condition(c.State), Reason: upperFirst(c.Reason)})
	}
	for _, c := range h.Alarms {
		v.Alarms = append(v.Alarms, views.AlarmChange{At: ui.Ago(wall, c.At), Alarm: c.Alarm, State: views.AlarmState(c.State), Reason: c.Reason})
	}
	if env.Stack.StackID != "" && env.State != models.Deleting {
		v.Links, v.SignalURL = in.overview(env.Stack), urls.Signals(env.TenantSlug, env.Name, span)
	}
	return v
}

// consoleOf makes links into the AWS console: through the access portal, which signs the reader in to the account, where there is one.
type consoleOf struct{ portal, account, set, region string }

func (c consoleOf) out(word, page string) ui.Out {
	if page == "" {
		return ui.Out{}
	}
	return ui.Out{Word: word, URL: models.PortalPage(c.portal, c.account, c.set, page)}
}

// vital is where a part is seen in AWS.
func (c consoleOf) vital(v models.Vital, st models.Stack) ui.Out {
	switch v.Kind {
	case models.VitalStack:
		return c.out("Stack", console(c.region, "cloudformation", "#/stacks/events?stackId="+url.QueryEscape(st.StackID)))
	case models.VitalTasks:
		if parts := strings.Split(v.ID, "/"); len(parts) == 3 {
			return c.out("Service", fmt.Sprintf("https://%s.console.aws.amazon.com/ecs/v2/clusters/%s/services/%s/health?region=%s", url.PathEscape(c.region), url.PathEscape(parts[1]), url.PathEscape(parts[2]), url.QueryEscape(c.region)))
		}
	case models.VitalTargets:
		return c.out("Targets", console(c.region, "ec2", "#TargetGroups:"))
	case models.VitalAlarm:
		if v.ID != "" {
			return c.out("Alarm", console(c.region, "cloudwatch", "#alarmsV2:alarm/"+url.PathEscape(v.ID)))
		}
	case models.VitalCertificate:
		if _, id, ok := strings.Cut(v.ID, ":certificate/"); ok {
			return c.out("Certificate", console(c.region, "acm", "#/certificates/"+url.PathEscape(id)))
		}
	}
	return ui.Out{}
}

// overview is where the whole is seen: its dashboard and alarms in CloudWatch, its traces in X-Ray.
func (c consoleOf) overview(st models.Stack) []ui.Out {
	var links []ui.Out
	alarms := false
	for _, r := range st.Resources {
		switch r.Type {
		case "AWS::CloudWatch::Dashboard":
			links = append(links, c.out("Dashboard in CloudWatch", console(c.region, "cloudwatch", "#dashboards/dashboard/"+url.PathEscape(r.PhysicalID))))
		case "AWS::CloudWatch::Alarm":
			alarms = true
		}
	}
	if alarms {
		links = append(links, c.out("Alarms in CloudWatch", console(c.region, "cloudwatch", "#alarmsV2:?~(search~'"+url.QueryEscape(strings.TrimPrefix(st.Name, "slw-"))+")")))
	}
	return append(links, c.out("Traces in X-Ray", console(c.region, "cloudwatch", "#xray:traces/query")), c.out("Service map in X-Ray", console(c.region, "cloudwatch", "#xray:service-map/map")))
}

// unwell is the panel of how a tenant's environments run; none while it has none.
func (h *Tenants) unwell(c *fiber.Ctx, t models.Tenant) (*views.HealthPanel, error) {
	if t.State == models.Deleted {
		return nil, nil
	}
	u, err := h.Unwell.Unwell(c.UserContext(), actor(c), t.Slug, panelRows)
	if err != nil || u.Tally.All == 0 {
		return nil, err
	}
	p := healthPanelOf(h.Clock, u, t.Slug)
	return &p, nil
}
