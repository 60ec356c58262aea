package aws

import (
	"maps"
	"slices"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	r53 "github.com/aws/aws-sdk-go-v2/service/route53/types"

	"slipway/dev/awssim"
	"slipway/models"
)

// vpcs is a VPC that somebody made: two public and two private subnets in two zones, one that leads nowhere, and another VPC beside it.
const vpcs = `
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.90.0.0/16}}
  Gateway: {Type: AWS::EC2::InternetGateway}
  Attached: {Type: AWS::EC2::VPCGatewayAttachment, Properties: {VpcId: !Ref Vpc, InternetGatewayId: !Ref Gateway}}
  PublicA: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.90.0.0/24, AvailabilityZone: eu-west-1a}}
  PublicB: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.90.1.0/24, AvailabilityZone: eu-west-1b}}
  PublicC: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.90.2.0/24, AvailabilityZone: eu-west-1a}}
  PrivateA: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.90.10.0/24, AvailabilityZone: eu-west-1a}}
  PrivateB: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.90.11.0/24, AvailabilityZone: eu-west-1b}}
  Lost: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.90.12.0/24, AvailabilityZone: eu-west-1b}}
  Address: {Type: AWS::EC2::EIP, DependsOn: Attached, Properties: {Domain: vpc}}
  Nat: {Type: AWS::EC2::NatGateway, Properties: {SubnetId: !Ref PublicA, AllocationId: !GetAtt Address.AllocationId}}
  Open: {Type: AWS::EC2::RouteTable, Properties: {VpcId: !Ref Vpc}}
  OpenOut: {Type: AWS::EC2::Route, DependsOn: Attached, Properties: {RouteTableId: !Ref Open, DestinationCidrBlock: 0.0.0.0/0, GatewayId: !Ref Gateway}}
  OpenA: {Type: AWS::EC2::SubnetRouteTableAssociation, Properties: {RouteTableId: !Ref Open, SubnetId: !Ref PublicA}}
  OpenB: {Type: AWS::EC2::SubnetRouteTableAssociation, Properties: {RouteTableId: !Ref Open, SubnetId: !Ref PublicB}}
  OpenC: {Type: AWS::EC2::SubnetRouteTableAssociation, Properties: {RouteTableId: !Ref Open, SubnetId: !Ref PublicC}}
  Closed: {Type: AWS::EC2::RouteTable, Properties: {VpcId: !Ref Vpc}}
  ClosedOut: {Type: AWS::EC2::Route, Properties: {RouteTableId: !Ref Closed, DestinationCidrBlock: 0.0.0.0/0, NatGatewayId: !Ref Nat}}
  ClosedA: {Type: AWS::EC2::SubnetRouteTableAssociation, Properties: {RouteTableId: !Ref Closed, SubnetId: !Ref PrivateA}}
  ClosedB: {Type: AWS::EC2::SubnetRouteTableAssociation, Properties: {RouteTableId: !Ref Closed, SubnetId: !Ref PrivateB}}
  Other: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.91.0.0/16}}
  Elsewhere: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Other, CidrBlock: 10.91.0.0/24, AvailabilityZone: eu-west-1a}}
`

// names gives the estate a base domain.
func (e *estate) names() {
	e.clients.BaseDomain, e.clients.DNSRoleARN, e.clients.DNSZoneID = awssim.DemoBaseDomain, awssim.DemoDNSRole, awssim.DemoZoneID
}

// parent is the zone of the base domain as its owner sees it.
func (e *estate) parent() *route53.Client {
	return route53.NewFromConfig(e.clients.config("222222222222", "eu-west-1", credentials.NewStaticCredentialsProvider("AKIASIMHUBADMIN00001", "s", "")))
}

func (e *estate) record(action r53.ChangeAction, name, server string) {
	e.t.Helper()
	_, err := e.parent().ChangeResourceRecordSets(e.t.Context(), &route53.ChangeResourceRecordSetsInput{HostedZoneId: sdk.String(awssim.DemoZoneID), ChangeBatch: &r53.ChangeBatch{Changes: []r53.Change{{Action: action,
		ResourceRecordSet: &r53.ResourceRecordSet{Name: &name, Type: r53.RRTypeNs, TTL: sdk.Int64(60), ResourceRecords: []r53.ResourceRecord{{Value: &server}}}}}}})
	if err != nil {
		e.t.Fatal(err)
	}
}

// claims is what the network's form holds, by the template's names.
func claims(st models.Stack, vpc string, public, private []string) models.NetworkInputs {
	in := models.NetworkInputs{Class: models.NonProd, Region: "eu-west-1", VPC: physical(st, vpc)}
	for _, id := range public {
		in.Public = append(in.Public, physical(st, id))
	}
	for _, id := range private {
		in.Private = append(in.Private, physical(st, id))
	}
	return in
}

func (e *estate) register(in models.NetworkInputs) (request, id string) {
	id = models.NewID()
	return e.insert(models.RegisterNetwork, models.NetworkObject, id, "nonprod-eu-west-1", in, models.Planning), id
}

func TestRegisteringAWrongNetworkIsRefused(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	st := e.own(models.EnvironmentObject, "theirs", vpcs, nil)
	both, closed := []string{"PublicA", "PublicB"}, []string{"PrivateA", "PrivateB"}
	missing := claims(st, "Vpc", both, closed)
	missing.VPC = "vpc-00000000000000000"
	gone := claims(st, "Vpc", both, closed)
	gone.Private[1] = "subnet-00000000000000000"
	for says, in := range map[string]models.NetworkInputs{
		"There is no VPC vpc-00000000000000000":   missing,
		"subnet-00000000000000000":                gone,
		"belongs to " + physical(st, "Other"):     claims(st, "Vpc", []string{"PublicA", "Elsewhere"}, closed),
		"All public subnets lie in one":           claims(st, "Vpc", []string{"PublicA", "PublicC"}, closed),
		"is not public":                           claims(st, "Vpc", []string{"PublicA", "PrivateB"}, closed),
		"is public: its route table leads to":     claims(st, "Vpc", both, []string{"PrivateA", "PublicB"}),
		"has no way out: its route table has no ": claims(st, "Vpc", both, []string{"PrivateA", "Lost"}),
	} {
		request, _ := e.register(in)
		if why := e.refused(request); !strings.Contains(why, says) {
			t.Errorf("got %q, want %q", why, says)
		}
	}
}

// TestRegisteredNetwork is taken as it is, gets the account's zone, is verified again for what stands on it, and stays when it is deleted.
func TestRegisteredNetwork(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.names()
	e.shipped()
	st := e.own(models.EnvironmentObject, "theirs", vpcs, nil)
	died := e.diesOnce()
	request, id := e.register(claims(st, "Vpc", []string{"PublicB", "PublicA"}, []string{"PrivateA", "PrivateB"}))
	e.succeed(request)
	n, err := e.store.Registry().Network(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"VpcId": physical(st, "Vpc"), "VpcCidr": "10.90.0.0/16", "PublicSubnetIds": physical(st, "PublicA") + "," + physical(st, "PublicB"),
		"PrivateSubnetIds": physical(st, "PrivateA") + "," + physical(st, "PrivateB"), "AvailabilityZones": "eu-west-1a,eu-west-1b"}
	if !n.Registered || n.State != models.Ready || !maps.Equal(n.Stack.Outputs, want) {
		t.Errorf("network %+v, want outputs %v", n, want)
	}
	z, err := e.store.Registry().ZoneOf(t.Context(), accountRow)
	if err != nil || z.Name != "payments-nonprod.apps.example.com" || z.State != models.Ready || z.DelegatedAt.IsZero() {
		t.Errorf("zone %+v, %v", z, err)
	}
	have, err := delegated(t.Context(), e.parent(), awssim.DemoZoneID, z.Name)
	servers := strings.Split(z.Stack.Outputs["NameServers"], ",")
	slices.Sort(servers)
	if err != nil || !slices.Equal(have, servers) {
		t.Errorf("the parent zone names %v, the zone %v, %v", have, servers, err)
	}
	if !died["run/zone.delegate/after-aws-call"] {
		t.Errorf("it died at %v", died)
	}
	if outputs, err := e.clients.standing(t.Context(), n, who{job: "test"}); err != nil || !maps.Equal(outputs, want) {
		t.Errorf("verified again: %v, %v", outputs, err)
	}
	e.w.post("drift", map[string]any{"account": accountID, "region": "eu-west-1", "stack": st.Name, "resource": "ClosedOut", "delete": true})
	if _, err := e.clients.standing(t.Context(), n, who{job: "test"}); err == nil || !strings.Contains(err.Error(), "has no way out") {
		t.Errorf("after its route was taken away: %v", err)
	}
	end := e.insert(models.DeleteNetwork, models.NetworkObject, id, "nonprod-eu-west-1", models.NetworkInputs{}, models.Planning)
	e.succeed(end)
	r := e.receiptOf(end)
	if len(r.Left) != 6 || len(r.Gone) != 0 || !e.standing(st) || !slices.ContainsFunc(r.Left, func(l models.ReceiptLine) bool { return l.ID == z.Name && l.Cost == "0.5" }) {
		t.Errorf("receipt of what was only registered: %+v", r)
	}
}

// TestForeignDelegation is never overwritten.
func TestForeignDelegation(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.names()
	e.shipped()
	st := e.own(models.EnvironmentObject, "theirs", vpcs, nil)
	const zone = "payments-nonprod.apps.example.com"
	e.record(r53.ChangeActionCreate, zone, "ns.somebody-else.example.")
	request, _ := e.register(claims(st, "Vpc", []string{"PublicA", "PublicB"}, []string{"PrivateA", "PrivateB"}))
	e.approve(request)
	if f := e.failure(request); !strings.Contains(f.What, "ns.somebody-else.example") || !strings.Contains(f.Next, "remove the record") {
		t.Errorf("failure %+v", f)
	}
	if have, err := delegated(t.Context(), e.parent(), awssim.DemoZoneID, zone); err != nil || !slices.Equal(have, []string{"ns.somebody-else.example"}) {
		t.Errorf("the parent zone names %v, %v", have, err)
	}
	e.record(r53.ChangeActionDelete, zone, "ns.somebody-else.example.")
	e.w.fault(map[string]any{"op": "ChangeResourceRecordSets", "action": "drop_after_commit", "times": 1})
	e.retry(request)
	e.drive(request, models.Succeeded)
	if have, err := delegated(t.Context(), e.parent(), awssim.DemoZoneID, zone); err != nil || len(have) != 4 {
		t.Errorf("the parent zone names %v, %v", have, err)
	}
}
