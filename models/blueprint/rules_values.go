package blueprint

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// values are the enums of properties for which the schema has none.
var values = map[string]map[string][]string{
	"AWS::ElasticLoadBalancingV2::LoadBalancer": {"Scheme": {"internal", "internet-facing"}},
	"AWS::ElasticLoadBalancingV2::Listener":     {"Protocol": protocols},
	"AWS::ElasticLoadBalancingV2::TargetGroup":  {"Protocol": protocols, "HealthCheckProtocol": protocols},
	"AWS::SNS::Subscription":                    {"Protocol": {"application", "email", "email-json", "firehose", "http", "https", "lambda", "sms", "sqs"}},
	"AWS::AccessAnalyzer::Analyzer":             {"Type": {"ACCOUNT", "ACCOUNT_INTERNAL_ACCESS", "ACCOUNT_UNUSED_ACCESS", "ORGANIZATION", "ORGANIZATION_INTERNAL_ACCESS", "ORGANIZATION_UNUSED_ACCESS"}},
}

var protocols = []string{"GENEVE", "HTTP", "HTTPS", "QUIC", "TCP", "TCP_QUIC", "TCP_UDP", "TLS", "UDP"}

func knownValues(_ *checker, r Resource, path string, tell func(string, string, ...any)) {
	for name, allowed := range values[r.Type] {
		if v, ok := r.given(name).(string); ok && !slices.Contains(allowed, v) {
			tell(path+".Properties."+name, "%q is none of %s", v, oneOf(allowed))
		}
	}
}

// addressBlocks checks literal values of properties that hold an address block.
func addressBlocks(_ *checker, r Resource, path string, tell func(string, string, ...any)) {
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch x := v.(type) {
		case map[string]any:
			for k, child := range x {
				text, literal := child.(string)
				if literal && (k == "CidrBlock" || strings.HasPrefix(k, "CidrIp") || k == "DestinationCidrBlock" || k == "VpcCidr") {
					if p, err := netip.ParsePrefix(text); err != nil || p != p.Masked() {
						tell(join(path, k), "%q is not an address block", text)
					}
				}
				walk(join(path, k), child)
			}
		case []any:
			for i, child := range x {
				walk(path+"["+strconv.Itoa(i)+"]", child)
			}
		}
	}
	walk(path+".Properties", r.properties)
}

var statementKeys = []string{"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"}

// policyShape checks IAM policy documents, which the schema takes for any JSON.
func policyShape(_ *checker, r Resource, path string, tell func(string, string, ...any)) {
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch x := v.(type) {
		case map[string]any:
			for k, child := range x {
				if doc, ok := child.(map[string]any); ok && (strings.HasSuffix(k, "PolicyDocument") || k == "KeyPolicy") {
					policyDocument(join(path, k), doc, tell)
					continue
				}
				walk(join(path, k), child)
			}
		case []any:
			for i, child := range x {
				walk(path+"["+strconv.Itoa(i)+"]", child)
			}
		}
	}
	walk(path+".Properties", r.properties)
}

func policyDocument(path string, doc map[string]any, tell func(string, string, ...any)) {
	if v := doc["Version"]; v != "2012-10-17" {
		tell(path, "Version must be 2012-10-17: the older language has no policy variables")
	}
	list, ok := doc["Statement"].([]any)
	if !ok {
		if doc["Statement"] == nil {
			tell(path, "has no Statement")
		}
		list = []any{doc["Statement"]}
	}
	for i, item := range list {
		at := path + ".Statement[" + strconv.Itoa(i) + "]"
		st, ok := item.(map[string]any)
		if !ok {
			continue // computed
		}
		for k := range st {
			if !slices.Contains(statementKeys, k) {
				tell(join(at, k), "a policy statement has no %s", k)
			}
		}
		if _, computed := st["Effect"].(call); !computed && st["Effect"] != "Allow" && st["Effect"] != "Deny" {
			tell(at, "Effect must be Allow or Deny")
		}
		if (st["Action"] == nil) == (st["NotAction"] == nil) {
			tell(at, "must have either Action or NotAction")
		}
	}
}
