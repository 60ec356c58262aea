package price

import (
	"fmt"
	"strings"

	"slipway/models/blueprint"
)

// logGroup prices what is written to and kept in a group. A group that only flow logs go to takes no part in what applications write.
func logGroup(w *walk, res blueprint.ResolvedResource) {
	if !is(res.Properties["LogGroupClass"], "STANDARD", "STANDARD") {
		w.leave(fmt.Sprintf("%s: only log groups of the class STANDARD are estimated", res.ID))
		return
	}
	if !w.onlyFlowLogs(res.ID) {
		w.use("logs.ingest", "logs_ingested_gb", res.ID)
	}
	w.use("logs.storage", "logs_stored_gb", res.ID)
}

func (w *walk) onlyFlowLogs(group string) bool {
	flow := false
	for _, res := range w.r.Resources {
		switch res.Type {
		case "AWS::EC2::FlowLog":
			flow = flow || refersTo(res, group)
		case "AWS::ECS::TaskDefinition", "AWS::WAFv2::LoggingConfiguration":
			if refersTo(res, group) {
				return false
			}
		}
	}
	return flow
}

// alarm is billed for each metric it looks at; a band of expected values counts as two more.
func alarm(w *walk, res blueprint.ResolvedResource) {
	metrics, period := int64(1), res.Properties["Period"]
	if list, ok := res.Properties["Metrics"].([]any); ok {
		metrics = 0
		for _, item := range list {
			m, _ := item.(map[string]any)
			if stat, ok := m["MetricStat"].(map[string]any); ok {
				metrics++
				if p, ok := number(stat["Period"]); ok && p.LessThan(whole(60)) {
					period = stat["Period"]
				}
			}
			expression, _ := text(m["Expression"], "")
			switch expression = strings.ToUpper(strings.TrimSpace(expression)); {
			case strings.HasPrefix(expression, "ANOMALY_DETECTION_BAND"):
				metrics += 2
			case strings.HasPrefix(expression, "SELECT") || strings.HasPrefix(expression, "SEARCH"):
				w.leave(fmt.Sprintf("%s: how many metrics its query finds is known only later", res.ID))
				return
			}
		}
	}
	if blueprint.IsUnknown(period) {
		w.leave(fmt.Sprintf("%s: how often it looks is known only later", res.ID))
		return
	}
	if p, ok := number(period); ok && p.LessThan(whole(60)) {
		w.count("cloudwatch.alarm.high", whole(metrics), res.ID)
		return
	}
	w.count("cloudwatch.alarm", whole(metrics), res.ID)
}

// scaling to a target makes alarms that no template names.
func scaling(w *walk, res blueprint.ResolvedResource) {
	if !is(res.Properties["PolicyType"], "StepScaling", "StepScaling") {
		w.leave("Alarms that scaling makes for itself")
	}
}

func topic(w *walk, res blueprint.ResolvedResource) {
	w.use("sns.email", "alarms_sent_thousand", res.ID)
}

func traces(w *walk, res blueprint.ResolvedResource) { w.use("xray.traces", "traces_million", res.ID) }

// rule costs nothing on the account's own bus, where AWS's events are; events of others on another bus are paid for.
func rule(w *walk, res blueprint.ResolvedResource) {
	if !is(res.Properties["EventBusName"], "default", "default") {
		w.leave(fmt.Sprintf("Events on the bus of %s", res.ID))
	}
}

// collector finds tasks that send traces to X-Ray: what their containers are told names it.
func collector(w *walk, res blueprint.ResolvedResource) {
	if mentions(res.Properties["ContainerDefinitions"], "xray") {
		traces(w, res)
	}
}

func cluster(w *walk, res blueprint.ResolvedResource) {
	settings, _ := res.Properties["ClusterSettings"].([]any)
	for _, s := range settings {
		m, _ := s.(map[string]any)
		if is(m["Name"], "containerInsights", "") && !is(m["Value"], "disabled", "disabled") {
			w.leave(fmt.Sprintf("Container Insights of %s", res.ID))
		}
	}
}
