package price

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"slipway/models/blueprint"
)

func shippedList(t testing.TB) *List {
	t.Helper()
	l, err := Load(Default())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func resolved(t testing.TB, src string, parameters map[string]string) *blueprint.Resolved {
	t.Helper()
	tpl, err := blueprint.Parse([]byte(src))
	if err != nil {
		t.Fatalf("parse: %v\n%s", err, src)
	}
	r, err := tpl.Resolve(blueprint.Inputs{Parameters: parameters, Region: "us-east-1", StackName: "slw-payments-env-api"})
	if err != nil {
		t.Fatalf("resolve: %v\n%s", err, src)
	}
	return r
}

func usage(t testing.TB, words string) Usage {
	t.Helper()
	given := map[string]string{}
	for _, w := range strings.Fields(words) {
		key, amount, _ := strings.Cut(w, "=")
		given[key] = amount
	}
	u, problems := ParseUsage(given)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return u
}

func sortedLines(list []string) string {
	list = slices.Clone(list)
	slices.Sort(list)
	return strings.Join(list, "\n")
}

// TestUnknown shows that what is known only later is said, and that nothing is made up for it.
func TestUnknown(t *testing.T) {
	src := `
Resources:
  Net: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: x}}
  Lb: {Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: {Subnets: !Split [",", !GetAtt Net.Outputs.Subnets]}}
  Wide: {Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: {Scheme: !GetAtt Net.Outputs.Scheme, Subnets: [a, b]}}
  Keys: {Type: AWS::EC2::VPCEndpoint, Properties: {VpcId: x, ServiceName: kms, VpcEndpointType: Interface, SubnetIds: !Split [",", !GetAtt Net.Outputs.Subnets]}}
  Logs: {Type: AWS::EC2::VPCEndpoint, Properties: {VpcId: x, ServiceName: logs, VpcEndpointType: Interface, SubnetIds: [!Ref AWS::StackId]}}
  Task: {Type: AWS::ECS::TaskDefinition, Properties: {Cpu: !GetAtt Net.Outputs.Cpu, Memory: "1024"}}
  Service: {Type: AWS::ECS::Service, Properties: {TaskDefinition: !Ref Task, LaunchType: FARGATE, DesiredCount: 1}}
  Many: {Type: AWS::ECS::Service, Properties: {TaskDefinition: !Ref Task, LaunchType: FARGATE, DesiredCount: !GetAtt Net.Outputs.Count}}
  Alarm: {Type: AWS::CloudWatch::Alarm, Properties: {Period: !GetAtt Net.Outputs.Period}}
`
	e := shippedList(t).EstimateTemplate("p", "us-east-1", resolved(t, src, nil), usage(t, "load_balancer_lcu=1 data_out_gb=1"))
	want := []string{
		"Alarm: how often it looks is known only later",
		"AWS::CloudFormation::Stack (Net): what this type costs is not known to Slipway",
		"Data between zones",
		"Logs: how many zones this endpoint is in is known only later",
		"Keys: how many zones this endpoint is in is known only later",
		"Public IPv4 addresses of Lb: how many subnets it stands in is known only later",
		"Public IPv4 addresses of Wide: how many subnets it stands in is known only later",
		"Tasks of Many: how many run is known only later",
		"Tasks of Service: the processors and memory of its tasks are not given or known only later",
	}
	if got := sortedLines(e.NotEstimated); got != sortedLines(want) {
		t.Errorf("got\n%s", got)
	}
	if len(e.Lines) != 3 || e.Lines[0].Item != "Load balancers, 2" {
		t.Errorf("lines %+v", e.Lines)
	}
}

// TestRegionWithoutPrices shows that no price of another region stands in: only what costs the same everywhere is estimated.
func TestRegionWithoutPrices(t *testing.T) {
	src := `Resources:
  Ip: {Type: AWS::EC2::EIP}
  Zone: {Type: AWS::Route53::HostedZone}
  Key: {Type: AWS::KMS::Key}`
	e := shippedList(t).EstimateTemplate("p", "eu-west-1", resolved(t, src, nil), usage(t, "kms_requests_10k=1 dns_queries_million=1"))
	if !e.Unpriced || e.Region != "eu-west-1" || len(e.Lines) != 1 || e.Lines[0].Item != "Hosted zone" || e.Monthly().String() != "0.5" {
		t.Errorf("got %+v", e)
	}
	want := "Without a price for eu-west-1 in the price file: Public IPv4 address; KMS key; Uses of keys, 1 × 10,000"
	if e.NotEstimated[0] != want {
		t.Errorf("got %q", e.NotEstimated)
	}
}

// TestForeignUnit shows that a price for another unit than the one that is counted is not used.
func TestForeignUnit(t *testing.T) {
	l, err := Load([]byte(`{"origin":"us-east-1","rows":[{"key":"kms.key","region":"us-east-1","unit":"hour","price":"1","source":"s","date":"2024-07-01"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	e := l.EstimateTemplate("p", "us-east-1", resolved(t, "Resources:\n  Key: {Type: AWS::KMS::Key}", nil), usage(t, "kms_requests_10k=0"))
	if len(e.Lines) != 0 || !slices.Contains(e.NotEstimated, "KMS key: the price file has kms.key for one hour, not for one month") {
		t.Errorf("got %+v", e)
	}
}

// TestWorkedExample is a prod service of size S with its network, worked out by hand: two NAT gateways 65.70, load balancer with one
// LCU 22.265, two ARM tasks 28.835, firewall with four rules 9, key 1, two secrets 0.80, 5 GB of logs 2.50, eight alarms 0.80,
// dashboard 3, four public addresses 14.60.
func TestWorkedExample(t *testing.T) {
	var b strings.Builder
	b.WriteString("Resources:" + armTask + `
  Lb: {Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: {Subnets: [a, b]}}
  IpA: {Type: AWS::EC2::EIP}
  IpB: {Type: AWS::EC2::EIP}
  NatA: {Type: AWS::EC2::NatGateway, Properties: {AllocationId: !GetAtt IpA.AllocationId}}
  NatB: {Type: AWS::EC2::NatGateway, Properties: {AllocationId: !GetAtt IpB.AllocationId}}
  Service: {Type: AWS::ECS::Service, Properties: {TaskDefinition: !Ref Task, LaunchType: FARGATE}}
  Target: {Type: AWS::ApplicationAutoScaling::ScalableTarget, Properties: {MinCapacity: 2, MaxCapacity: 2, ResourceId: !Sub "service/c/${Service.Name}"}}
  Acl: {Type: AWS::WAFv2::WebACL, Properties: {Rules: [{Name: a}, {Name: b}, {Name: c}, {Name: d}]}}
  Key: {Type: AWS::KMS::Key}
  One: {Type: AWS::SecretsManager::Secret}
  Two: {Type: AWS::SecretsManager::Secret}
  Group: {Type: AWS::Logs::LogGroup}
  Board: {Type: AWS::CloudWatch::Dashboard}
`)
	for i := range 8 {
		fmt.Fprintf(&b, "  Alarm%d: {Type: AWS::CloudWatch::Alarm, Properties: {Period: 60}}\n", i)
	}
	e := shippedList(t).EstimateTemplate("p", "us-east-1", resolved(t, b.String(), nil), usage(t, "load_balancer_lcu=1 logs_ingested_gb=5"))
	if got := e.Monthly().StringFixed(2); got != "148.50" {
		t.Errorf("%s a month", got)
	}
	// The same, with every position rounded to cents first, as the sum is usually quoted.
	positions := map[string]decimal.Decimal{}
	group := map[string]string{"alb": "lb", "alb.lcu": "lb", "fargate.arm.vcpu": "tasks", "fargate.arm.gb": "tasks", "waf.acl": "waf", "waf.rule": "waf"}
	for _, l := range e.Lines {
		k := l.Key
		if g := group[k]; g != "" {
			k = g
		}
		positions[k] = positions[k].Add(l.Planned)
	}
	sum := decimal.Zero
	for _, p := range positions {
		sum = sum.Add(p.Round(2))
	}
	if sum.String() != "148.51" {
		t.Errorf("%s in rounded positions", sum)
	}
	_, fixed := e.Fixed()
	_, use := e.ByUse()
	if fixed.String() != "140.16" || use.String() != "8.34" {
		t.Errorf("%s fixed, %s by use", fixed, use)
	}
}

func TestCompare(t *testing.T) {
	l := shippedList(t)
	at := func(src, u string) Estimate {
		return l.EstimateTemplate("Account", "us-east-1", resolved(t, "Resources:"+src, nil), usage(t, u))
	}
	small := at(`
  Ip: {Type: AWS::EC2::EIP}
  Board: {Type: AWS::CloudWatch::Dashboard}
  Key: {Type: AWS::KMS::Key}`, "kms_requests_10k=0")
	large := at(`
  Ip: {Type: AWS::EC2::EIP}
  Ip2: {Type: AWS::EC2::EIP}
  Key: {Type: AWS::KMS::Key}
  One: {Type: AWS::SecretsManager::Secret}`, "kms_requests_10k=0 secret_requests_10k=1")
	for name, tc := range map[string]struct {
		before, after Estimate
		want          string
	}{
		"made":     {Estimate{}, small, "Public IPv4 address 0 3.65\nKMS key 0 1\nDashboard 0 3"},
		"changed":  {small, large, "Public IPv4 addresses, 1 to 2 3.65 7.3\nKMS key 1 1\nSecret 0 0.4\nReads of secrets, 1 × 10,000 0 0.05\nDashboard 3 0"},
		"deleted":  {small, Estimate{}, "Public IPv4 address 3.65 0\nKMS key 1 0\nDashboard 3 0"},
		"the same": {small, small, "Public IPv4 address 3.65 3.65\nKMS key 1 1\nDashboard 3 3"},
	} {
		var got []string
		for _, c := range Compare(tc.before, tc.after) {
			got = append(got, fmt.Sprintf("%s %s %s", c.Item, c.Now, c.Planned))
			if c.Part != "Account" {
				t.Errorf("%s: part %q", name, c.Part)
			}
		}
		if s := strings.Join(got, "\n"); s != tc.want {
			t.Errorf("%s: got\n%s", name, s)
		}
	}
}
