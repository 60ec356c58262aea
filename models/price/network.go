package price

import (
	"fmt"
	"strings"

	"slipway/models/blueprint"
)

const crossZone = "Data between zones"

func natGateway(w *walk, res blueprint.ResolvedResource) {
	if !is(res.Properties["AvailabilityMode"], "zonal", "zonal") {
		w.leave(fmt.Sprintf("%s: a regional NAT gateway is billed for each zone it grows into", res.ID))
		return
	}
	w.count("nat.gateway", whole(1), res.ID)
	w.use("nat.data", "nat_data_gb", res.ID)
	w.leave(crossZone)
}

// endpoint prices an interface endpoint once per zone; gateway endpoints are free.
func endpoint(w *walk, res blueprint.ResolvedResource) {
	switch kind, known := text(res.Properties["VpcEndpointType"], "Gateway"); {
	case known && kind == "Gateway":
		return
	case !known || kind != "Interface":
		w.leave(fmt.Sprintf("%s: only interface endpoints are estimated", res.ID))
		return
	}
	zones, known := items(res, "SubnetIds")
	if !known || zones == 0 {
		w.leave(fmt.Sprintf("%s: how many zones this endpoint is in is known only later", res.ID))
		return
	}
	w.count("interface.endpoint", whole(int64(zones)), res.ID)
	w.use("endpoint.data", "endpoint_data_gb", res.ID)
}

func flowLog(w *walk, res blueprint.ResolvedResource) {
	switch to, known := text(res.Properties["LogDestinationType"], "cloud-watch-logs"); {
	case known && to == "cloud-watch-logs":
		w.use("logs.ingest", "flow_logs_gb", res.ID)
	case known && to == "s3":
		w.use("flowlogs.s3", "flow_logs_gb", res.ID)
	default:
		w.leave(fmt.Sprintf("%s: flow logs are estimated for log groups and buckets only", res.ID))
	}
}

// loadBalancer prices an application load balancer and, where it faces the internet, the address of each of its nodes.
func loadBalancer(w *walk, res blueprint.ResolvedResource) {
	if !is(res.Properties["Type"], "application", "application") {
		w.leave(fmt.Sprintf("%s: only application load balancers are estimated", res.ID))
		return
	}
	w.count("alb", whole(1), res.ID)
	w.use("alb.lcu", "load_balancer_lcu", res.ID)
	w.leave(crossZone)
	scheme, known := text(res.Properties["Scheme"], "internet-facing")
	if known && scheme == "internal" {
		return
	}
	w.use("data.out", "data_out_gb", res.ID)
	if is(res.Properties["IpAddressType"], "dualstack-without-public-ipv4", "ipv4") {
		return
	}
	property := "Subnets"
	if res.Properties["SubnetMappings"] != nil {
		property = "SubnetMappings"
	}
	nodes, counted := items(res, property)
	if !known || !counted || nodes == 0 {
		w.leave(fmt.Sprintf("Public IPv4 addresses of %s: how many subnets it stands in is known only later", res.ID))
		return
	}
	w.count("ipv4", whole(int64(nodes)), res.ID)
}

func certificate(w *walk, res blueprint.ResolvedResource) {
	if res.Properties["CertificateAuthorityArn"] != nil {
		w.leave(fmt.Sprintf("%s: a certificate of a private authority", res.ID))
	}
	if is(res.Properties["CertificateExport"], "ENABLED", "DISABLED") {
		w.leave(fmt.Sprintf("%s: a certificate that may be exported", res.ID))
	}
}

func hostedZone(w *walk, res blueprint.ResolvedResource) {
	w.count("route53.zone", whole(1), res.ID)
	w.use("route53.queries", "dns_queries_million", res.ID)
}

// paidRules are managed rule groups with a price of their own beyond that of a rule.
var paidRules = []string{"AWSManagedRulesBotControlRuleSet", "AWSManagedRulesATPRuleSet", "AWSManagedRulesACFPRuleSet", "AWSManagedRulesAntiDDoSRuleSet"}

func webACL(w *walk, res blueprint.ResolvedResource) {
	w.count("waf.acl", whole(1), res.ID)
	w.use("waf.requests", "waf_requests_million", res.ID)
	rules, known := items(res, "Rules")
	if !known {
		w.leave(fmt.Sprintf("Rules of %s: how many there are is known only later", res.ID))
		return
	}
	w.count("waf.rule", whole(int64(rules)), res.ID)
	list, _ := res.Properties["Rules"].([]any)
	for _, rule := range list {
		m, _ := rule.(map[string]any)
		statement, _ := m["Statement"].(map[string]any)
		managed, _ := statement["ManagedRuleGroupStatement"].(map[string]any)
		name, _ := text(managed["Name"], "")
		vendor, _ := text(managed["VendorName"], "AWS")
		for _, paid := range paidRules {
			if strings.EqualFold(name, paid) || managed != nil && vendor != "AWS" {
				w.leave(fmt.Sprintf("Rule group %s of %s: it has a price of its own", name, res.ID))
			}
		}
	}
}

func distribution(w *walk, res blueprint.ResolvedResource) {
	w.use("cloudfront.data", "cdn_data_gb", res.ID)
	w.use("cloudfront.requests", "cdn_requests_million", res.ID)
}

func edgeFunction(w *walk, res blueprint.ResolvedResource) {
	w.leave(fmt.Sprintf("Runs of the CloudFront function %s", res.ID))
}
