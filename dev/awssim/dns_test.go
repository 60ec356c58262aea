package awssim

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
)

const zoneStack = `
Resources:
  Zone: {Type: "AWS::Route53::HostedZone", Properties: {Name: pay-nonprod.apps.example.com}}
  Only: {Type: "AWS::Route53::RecordSet", Properties: {HostedZoneId: !Ref Zone, Name: pay-nonprod.apps.example.com, Type: CAA, TTL: "3600", ResourceRecords: ['0 issue "amazon.com"']}}
  Text: {Type: "AWS::Route53::RecordSet", Properties: {HostedZoneId: !Ref Zone, Name: pay-nonprod.apps.example.com, Type: TXT, TTL: "60", ResourceRecords: ['"of one name"']}}
Outputs:
  Zone: {Value: !Ref Zone}
  Servers: {Value: !Join [",", !GetAtt Zone.NameServers]}
`

const certificateStack = `
Parameters:
  Zone: {Type: String}
Resources:
  Certificate:
    Type: AWS::CertificateManager::Certificate
    Properties: {DomainName: shop.pay-nonprod.apps.example.com, ValidationMethod: DNS, DomainValidationOptions: [{DomainName: shop.pay-nonprod.apps.example.com, HostedZoneId: !Ref Zone}]}
Outputs:
  Certificate: {Value: !Ref Certificate}
`

// delegate writes a zone's servers into the parent zone and waits until they answer there.
func delegate(t *testing.T, api *route53.Client, zone, name string, servers []string, action r53types.ChangeAction) {
	t.Helper()
	set := &r53types.ResourceRecordSet{Name: &name, Type: r53types.RRTypeNs, TTL: aws.Int64(300)}
	for _, s := range servers {
		set.ResourceRecords = append(set.ResourceRecords, r53types.ResourceRecord{Value: aws.String(s)})
	}
	out, err := api.ChangeResourceRecordSets(t.Context(), &route53.ChangeResourceRecordSetsInput{HostedZoneId: &zone, ChangeBatch: &r53types.ChangeBatch{Changes: []r53types.Change{{Action: action, ResourceRecordSet: set}}}})
	if err != nil {
		t.Fatal(err)
	}
	if out.ChangeInfo.Status != "PENDING" {
		t.Errorf("the change is %s", out.ChangeInfo.Status)
	}
	eventually(t, "the change is everywhere", func() bool {
		got, err := api.GetChange(t.Context(), &route53.GetChangeInput{Id: out.ChangeInfo.Id})
		if err != nil {
			t.Fatal(err)
		}
		return got.ChangeInfo.Status == "INSYNC"
	})
}

// TestCertificateWaitsForDelegation: a certificate is not issued before the zone of its record
// is reached from the parent zone.
func TestCertificateWaitsForDelegation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fast)
	s := newStackTest(t, w)
	ctx := t.Context()
	s.changeSet("slw-pay-zone", "zone", zoneStack, cfntypes.ChangeSetTypeCreate)
	s.execute("slw-pay-zone", "zone")
	zone := outputs(s.want("slw-pay-zone", "CREATE_COMPLETE"))
	servers := strings.Split(zone["Servers"], ",")
	if len(servers) != 4 || !strings.HasPrefix(servers[0], "ns-") {
		t.Fatalf("name servers %v", servers)
	}
	s.changeSet("slw-pay-env", "env", certificateStack, cfntypes.ChangeSetTypeCreate, "Zone", zone["Zone"])
	s.execute("slw-pay-env", "env")
	certificates := acm.NewFromConfig(w.as(asAdmin))
	pending := func() *acm.ListCertificatesOutput {
		out, err := certificates.ListCertificates(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	eventually(t, "a certificate that waits", func() bool { return len(pending().CertificateSummaryList) == 1 })
	hub := route53.NewFromConfig(w.as(asHubAdmin))
	delegate(t, hub, DemoZoneID, "pay-nonprod.apps.example.com", []string{"ns-1.example.net"}, "UPSERT") // to somebody else
	eventually(t, "the record is in the zone", func() bool {
		out, err := route53.NewFromConfig(w.as(asAdmin)).ListResourceRecordSets(ctx, &route53.ListResourceRecordSetsInput{HostedZoneId: aws.String(zone["Zone"])})
		if err != nil {
			t.Fatal(err)
		}
		return len(out.ResourceRecordSets) == 5
	})
	if got := s.stack("slw-pay-env").StackStatus; got != "CREATE_IN_PROGRESS" || pending().CertificateSummaryList[0].Status != "PENDING_VALIDATION" {
		t.Fatalf("without a delegation the stack is %s", got)
	}
	delegate(t, hub, DemoZoneID, "pay-nonprod.apps.example.com", servers, "UPSERT")
	answer, err := hub.TestDNSAnswer(ctx, &route53.TestDNSAnswerInput{HostedZoneId: aws.String(DemoZoneID), RecordName: aws.String("pay-nonprod.apps.example.com"), RecordType: "NS"})
	if err != nil || *answer.ResponseCode != "NOERROR" || len(answer.RecordData) != 4 || answer.RecordData[0] != servers[0]+"." {
		t.Errorf("the parent answers %s, %v", asText(answer), err)
	}
	env := outputs(s.want("slw-pay-env", "CREATE_COMPLETE"))
	got, err := certificates.DescribeCertificate(ctx, &acm.DescribeCertificateInput{CertificateArn: aws.String(env["Certificate"])})
	if err != nil || got.Certificate.Status != "ISSUED" || got.Certificate.DomainValidationOptions[0].ValidationStatus != "SUCCESS" {
		t.Errorf("certificate %s, %v", asText(got), err)
	}
	zoneOfOthers(t, w, hub, zone["Zone"])
	s.refusesWhileFull(zone["Zone"])
}

// zoneOfOthers: names and errors of Route 53.
func zoneOfOthers(t *testing.T, w *world, hub *route53.Client, zone string) {
	t.Helper()
	_, err := hub.GetHostedZone(t.Context(), &route53.GetHostedZoneInput{Id: &zone})
	wantCode(t, "a zone of another account", err, "AccessDenied")
	_, err = hub.GetHostedZone(t.Context(), &route53.GetHostedZoneInput{Id: aws.String("ZNONE")})
	wantCode(t, "no zone", err, "NoSuchHostedZone")
	byName, err := hub.ListHostedZonesByName(t.Context(), &route53.ListHostedZonesByNameInput{DNSName: aws.String(DemoBaseDomain)})
	if err != nil || len(byName.HostedZones) != 1 || *byName.HostedZones[0].Id != "/hostedzone/"+DemoZoneID {
		t.Errorf("zones by name %s, %v", asText(byName), err)
	}
	_, err = hub.ChangeResourceRecordSets(t.Context(), &route53.ChangeResourceRecordSetsInput{HostedZoneId: aws.String(DemoZoneID), ChangeBatch: &r53types.ChangeBatch{Changes: []r53types.Change{{Action: "DELETE",
		ResourceRecordSet: &r53types.ResourceRecordSet{Name: aws.String("gone.apps.example.com"), Type: "A", TTL: aws.Int64(60), ResourceRecords: []r53types.ResourceRecord{{Value: aws.String("10.0.0.1")}}}}}}})
	wantCode(t, "deleting what is not there", err, "InvalidChangeBatch")
}

// refusesWhileFull: the record that validated the certificate outlives it, and its zone
// cannot be removed before somebody deletes it.
func (t *stackTest) refusesWhileFull(zone string) {
	t.Helper()
	remove := func(stack string, want cfntypes.StackStatus) {
		t.Helper()
		id := *t.stack(stack).StackId
		if _, err := t.cfn.DeleteStack(t.Context(), &cfn.DeleteStackInput{StackName: &id}); err != nil {
			t.Fatal(err)
		}
		t.want(id, want)
	}
	remove("slw-pay-env", "DELETE_COMPLETE")
	remove("slw-pay-zone", "DELETE_FAILED")
	api := route53.NewFromConfig(t.w.as(asAdmin))
	out, err := api.ListResourceRecordSets(t.Context(), &route53.ListResourceRecordSetsInput{HostedZoneId: &zone})
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range out.ResourceRecordSets {
		if set.Type == "CNAME" {
			if _, err := api.ChangeResourceRecordSets(t.Context(), &route53.ChangeResourceRecordSetsInput{HostedZoneId: &zone, ChangeBatch: &r53types.ChangeBatch{Changes: []r53types.Change{{Action: "DELETE", ResourceRecordSet: &set}}}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	remove("slw-pay-zone", "DELETE_COMPLETE")
}

// TestDelegationRole: what dns.yaml lets the worker do in the parent zone, and nothing else.
func TestDelegationRole(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fast)
	in := &sts.AssumeRoleInput{RoleArn: aws.String(DemoDNSRole), RoleSessionName: aws.String("slw-test"), SourceIdentity: aws.String("owner"), ExternalId: aws.String("slipway-demo-external-id"),
		Tags: []ststypes.Tag{{Key: aws.String("slipway:account"), Value: aws.String(demoHub)}}}
	cfg, err := assume(t, w.as(asWorker), in)
	if err != nil {
		t.Fatal(err)
	}
	api := route53.NewFromConfig(cfg)
	delegate(t, api, DemoZoneID, "pay-prod.apps.example.com", []string{"ns-1.example.net", "ns-2.example.net"}, "CREATE")
	for name, set := range map[string]r53types.ResourceRecordSet{
		"another type": {Name: aws.String("pay-prod.apps.example.com"), Type: "A", TTL: aws.Int64(60), ResourceRecords: []r53types.ResourceRecord{{Value: aws.String("10.0.0.1")}}},
		"another name": {Name: aws.String("www.apps.example.com"), Type: "NS", TTL: aws.Int64(60), ResourceRecords: []r53types.ResourceRecord{{Value: aws.String("ns-1.example.net")}}},
	} {
		_, err := api.ChangeResourceRecordSets(t.Context(), &route53.ChangeResourceRecordSetsInput{HostedZoneId: aws.String(DemoZoneID), ChangeBatch: &r53types.ChangeBatch{Changes: []r53types.Change{{Action: "UPSERT", ResourceRecordSet: &set}}}})
		wantCode(t, name, err, "AccessDenied")
	}
	_, err = api.ListHostedZones(t.Context(), nil)
	wantCode(t, "listing zones", err, "AccessDenied")
	_, err = assume(t, w.as(asWeb), in)
	wantCode(t, "the web process", err, "AccessDenied")
}
