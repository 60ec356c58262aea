package awssim

import (
	"fmt"
	"time"
)

// edgeBehaviours are names, certificates, and what stands at the edge.
func edgeBehaviours() map[string]behaviour {
	certificate := quick(15*time.Second, func(n namer) (string, string, map[string]any) {
		a := n.arn("acm", "certificate/"+uuidOf(n.rnd))
		return a, a, map[string]any{"CertificateArn": a}
	})
	certificate.effect, certificate.ready, certificate.remove, certificate.patience = certificateEffect, issued, 15*time.Second, 72*time.Hour
	certificate.actions = [3]string{"RequestCertificate", "UpdateCertificateOptions", "DeleteCertificate"}
	zone := quick(45*time.Second, func(n namer) (string, string, map[string]any) {
		id := n.drawn("Z0", 20)
		return id, "arn:aws:route53:::hostedzone/" + id, map[string]any{"Id": id, "NameServers": nameServers(n)}
	})
	zone.effect = zoneEffect
	record := quick(45*time.Second, func(n namer) (string, string, map[string]any) { return n.text("Name"), "", nil })
	record.sharesID, record.effect, record.actions = true, recordEffect, [3]string{"ChangeResourceRecordSets", "ChangeResourceRecordSets", "ChangeResourceRecordSets"}
	distribution := quick(240*time.Second, func(n namer) (string, string, map[string]any) {
		id := n.drawn("E", 14)
		return id, arn("cloudfront", "", n.s.Account, "distribution/"+id), map[string]any{"Id": id, "DomainName": "d" + lower(suffix(n.rnd, 13)) + ".cloudfront.net"}
	})
	distribution.update, distribution.remove, distribution.everywhere = 180*time.Second, 240*time.Second, true
	acl := quick(5*time.Second, func(n namer) (string, string, map[string]any) {
		name, id, scope := n.name("Name", 128), uuidOf(n.rnd), n.text("Scope")
		where := "regional"
		if scope == "CLOUDFRONT" {
			where = "global"
		}
		a := n.arn("wafv2", where+"/webacl/"+name+"/"+id)
		return name + "|" + id + "|" + scope, a, map[string]any{"Id": id, "Capacity": 700, "LabelNamespace": "awswaf:" + n.s.Account + ":webacl:" + name + ":"}
	})
	acl.actions = [3]string{"CreateWebACL", "UpdateWebACL", "DeleteWebACL"}
	global := func(first, kind string, verbs [3]string) behaviour {
		b := quick(5*time.Second, func(n namer) (string, string, map[string]any) {
			id := n.drawn(first, 14)
			if first == "" {
				id = uuidOf(n.rnd)
			}
			return id, arn("cloudfront", "", n.s.Account, kind+"/"+id), map[string]any{"Id": id, "LastModifiedTime": n.s.Created.Format(time.RFC3339)}
		})
		b.actions, b.everywhere = verbs, true
		return b
	}
	return map[string]behaviour{
		"AWS::CertificateManager::Certificate":   certificate,
		"AWS::Route53::HostedZone":               zone,
		"AWS::Route53::RecordSet":                record,
		"AWS::CloudFront::Distribution":          distribution,
		"AWS::CloudFront::OriginAccessControl":   global("E", "origin-access-control", [3]string{}),
		"AWS::CloudFront::ResponseHeadersPolicy": global("", "response-headers-policy", [3]string{}),
		"AWS::CloudFront::Function": {create: 10 * time.Second, everywhere: true, identify: by(func(n namer) (string, string, map[string]any) {
			a := arn("cloudfront", "", n.s.Account, "function/"+n.name("Name", 64))
			return a, a, map[string]any{"FunctionARN": a, "FunctionMetadata.FunctionARN": a, "Stage": "LIVE"}
		})},
		"AWS::WAFv2::WebACL": acl,
		"AWS::WAFv2::WebACLAssociation": {create: 25 * time.Second, actions: [3]string{"AssociateWebACL", "AssociateWebACL", "DisassociateWebACL"}, identify: by(func(n namer) (string, string, map[string]any) {
			return n.text("ResourceArn") + "|" + n.text("WebACLArn"), "", nil
		})},
		"AWS::WAFv2::LoggingConfiguration": {create: 5 * time.Second, actions: [3]string{"PutLoggingConfiguration", "PutLoggingConfiguration", "DeleteLoggingConfiguration"}, identify: by(func(n namer) (string, string, map[string]any) {
			return n.text("ResourceArn"), "", map[string]any{"ManagedByFirewallManager": false}
		})},
	}
}

// nameServers draws the four a new zone is served by.
func nameServers(n namer) []any {
	var out []any
	for i, top := range []string{"com", "net", "org", "co.uk"} {
		out = append(out, fmt.Sprintf("ns-%d.awsdns-%02d.%s", i*512+n.rnd.IntN(512), n.rnd.IntN(64), top))
	}
	return out
}
