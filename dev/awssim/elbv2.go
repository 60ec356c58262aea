package awssim

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

const (
	elbPrefix   = "elasticloadbalancing"
	elbBalancer = "AWS::ElasticLoadBalancingV2::LoadBalancer"
	elbListener = "AWS::ElasticLoadBalancingV2::Listener"
	elbRule     = "AWS::ElasticLoadBalancingV2::ListenerRule"
	elbGroup    = "AWS::ElasticLoadBalancingV2::TargetGroup"
)

func elbOperations() []operation {
	return []operation{
		handle(elbPrefix, "DescribeLoadBalancers", describeBalancers),
		handle(elbPrefix, "DescribeTargetGroups", describeTargetGroups),
		handle(elbPrefix, "DescribeTargetHealth", describeTargetHealth),
		handle(elbPrefix, "DescribeListeners", describeListeners),
	}
}

func balancerSubnets(p map[string]any) []string {
	subnets := texts(p["Subnets"])
	for _, m := range listOf(p["SubnetMappings"]) {
		subnets = append(subnets, textOf(m["SubnetId"]))
	}
	return subnets
}

// balancerEffect refuses a balancer that does not reach over two zones, and the removal of
// one that is protected.
func balancerEffect(ctx context.Context, c *Call, s *cfnStack, r *cfnResource, verb string, at time.Time) error {
	if verb == "delete" {
		return c.endBalancer(ctx, s, r, at)
	}
	zones := map[string]bool{}
	for _, id := range balancerSubnets(r.Properties) {
		t, err := c.thing(ctx, s.Account, s.Region, "AWS::EC2::Subnet", id)
		if err != nil {
			return err
		}
		if t == nil {
			return refuse(http.StatusBadRequest, "SubnetNotFound", "The subnet ID '%s' does not exist", id)
		}
		zone := textOf(t.Attributes["AvailabilityZone"])
		if zones[zone] {
			return refuse(http.StatusBadRequest, "InvalidConfigurationRequest", "A load balancer cannot be attached to multiple subnets in the same Availability Zone")
		}
		zones[zone] = true
	}
	if len(zones) < 2 && textOf(r.Properties["Type"]) != "network" {
		return refuse(http.StatusBadRequest, "ValidationError", "At least two subnets in two different Availability Zones must be specified")
	}
	return nil
}

func (c *Call) endBalancer(ctx context.Context, s *cfnStack, r *cfnResource, at time.Time) error {
	for _, a := range listOf(r.Properties["LoadBalancerAttributes"]) {
		if textOf(a["Key"]) == "deletion_protection.enabled" && yes(a["Value"]) {
			return refuse(http.StatusBadRequest, "OperationNotPermitted", "Load balancer '%s' cannot be deleted because deletion protection is enabled", r.Physical)
		}
	}
	t, err := c.thing(ctx, s.Account, s.Region, r.Type, r.Physical)
	if err != nil || t == nil {
		return err
	}
	list, err := c.balancerInterfaces(ctx, t, at)
	if err != nil {
		return err
	}
	return c.linger(ctx, t, list, balancersLinger, at)
}

// listenerEffect refuses a certificate that is not issued.
func listenerEffect(ctx context.Context, c *Call, s *cfnStack, r *cfnResource, verb string, _ time.Time) error {
	if verb == "delete" {
		return nil
	}
	for _, given := range listOf(r.Properties["Certificates"]) {
		a := textOf(given["CertificateArn"])
		t, err := c.byARN(ctx, acmCertificate, a)
		if err != nil {
			return err
		}
		if t == nil {
			return refuse(http.StatusBadRequest, "CertificateNotFound", "Certificate ARN '%s' is not valid", a)
		}
		if textOf(t.State["status"]) != "ISSUED" {
			return refuse(http.StatusBadRequest, "UnsupportedCertificate", "The certificate '%s' must have a fully-qualified domain name, a supported signature, and a supported key size.", a)
		}
	}
	return nil
}

// balancers are asked for without a resource: ELB's reads know none.
func describeBalancers(ctx context.Context, c *Call, in *elb.DescribeLoadBalancersInput) (*elb.DescribeLoadBalancersOutput, error) {
	if err := c.may(ctx, "*", nil); err != nil {
		return nil, err
	}
	all, err := c.own(ctx, elbBalancer)
	if err != nil {
		return nil, err
	}
	for _, want := range append(slices.Clone(in.LoadBalancerArns), in.Names...) {
		if !slices.ContainsFunc(all, func(t *thing) bool { return t.ARN == want || textOf(t.Attributes["LoadBalancerName"]) == want }) {
			return nil, refuse(http.StatusBadRequest, "LoadBalancerNotFound", "Load balancers '[%s]' not found", want)
		}
	}
	all = slices.DeleteFunc(all, func(t *thing) bool {
		return len(in.LoadBalancerArns)+len(in.Names) > 0 && !slices.Contains(in.LoadBalancerArns, t.ARN) && !slices.Contains(in.Names, textOf(t.Attributes["LoadBalancerName"]))
	})
	some, next, err := page(all, in.Marker, in.PageSize, 400)
	if err != nil {
		return nil, invalid("Invalid marker")
	}
	out := &elb.DescribeLoadBalancersOutput{NextMarker: next, LoadBalancers: []elbtypes.LoadBalancer{}}
	for _, t := range some {
		p := t.Properties
		one := elbtypes.LoadBalancer{LoadBalancerArn: &t.ARN, LoadBalancerName: aws.String(textOf(t.Attributes["LoadBalancerName"])), DNSName: aws.String(textOf(t.Attributes["DNSName"])),
			CanonicalHostedZoneId: aws.String(textOf(t.Attributes["CanonicalHostedZoneID"])), CreatedTime: &t.Made, Scheme: elbtypes.LoadBalancerSchemeEnumInternetFacing, Type: elbtypes.LoadBalancerTypeEnumApplication,
			IpAddressType: elbtypes.IpAddressTypeIpv4, State: &elbtypes.LoadBalancerState{Code: elbtypes.LoadBalancerStateEnumActive}, SecurityGroups: texts(p["SecurityGroups"])}
		if v := textOf(p["Scheme"]); v != "" {
			one.Scheme = elbtypes.LoadBalancerSchemeEnum(v)
		}
		if v := textOf(p["Type"]); v != "" {
			one.Type = elbtypes.LoadBalancerTypeEnum(v)
		}
		for _, id := range balancerSubnets(p) {
			subnet, err := c.thing(ctx, t.Account, t.Region, "AWS::EC2::Subnet", id)
			if err != nil {
				return nil, err
			}
			zone := elbtypes.AvailabilityZone{SubnetId: aws.String(id)}
			if subnet != nil {
				zone.ZoneName = aws.String(textOf(subnet.Attributes["AvailabilityZone"]))
				one.VpcId = aws.String(textOf(subnet.Properties["VpcId"]))
			}
			one.AvailabilityZones = append(one.AvailabilityZones, zone)
		}
		out.LoadBalancers = append(out.LoadBalancers, one)
	}
	return out, nil
}

// balancerOf is the balancer a listener's or a rule's ARN belongs to.
func balancerOf(listener string) string {
	listener = strings.Replace(strings.Replace(listener, ":listener-rule/", ":loadbalancer/", 1), ":listener/", ":loadbalancer/", 1)
	parts := strings.Split(listener, "/")
	return strings.Join(parts[:min(4, len(parts))], "/")
}

// forwards are the target groups some actions send to.
func forwards(actions any) []string {
	var out []string
	for _, a := range listOf(actions) {
		if g := textOf(a["TargetGroupArn"]); g != "" {
			out = append(out, g)
		}
		for _, g := range listOf(mapOf(a["ForwardConfig"])["TargetGroups"]) {
			out = append(out, textOf(g["TargetGroupArn"]))
		}
	}
	return out
}

// balancersOf finds for each target group the balancers that send to it.
func (c *Call) balancersOf(ctx context.Context) (map[string][]string, error) {
	out := map[string][]string{}
	for typ, property := range map[string]string{elbListener: "DefaultActions", elbRule: "Actions"} {
		all, err := c.own(ctx, typ)
		if err != nil {
			return nil, err
		}
		for _, t := range all {
			for _, group := range forwards(t.Properties[property]) {
				if b := balancerOf(t.ARN); !slices.Contains(out[group], b) {
					out[group] = append(out[group], b)
				}
			}
		}
	}
	return out, nil
}

func describeTargetGroups(ctx context.Context, c *Call, in *elb.DescribeTargetGroupsInput) (*elb.DescribeTargetGroupsOutput, error) {
	if err := c.may(ctx, "*", nil); err != nil {
		return nil, err
	}
	all, err := c.own(ctx, elbGroup)
	if err != nil {
		return nil, err
	}
	of, err := c.balancersOf(ctx)
	if err != nil {
		return nil, err
	}
	for _, want := range append(slices.Clone(in.TargetGroupArns), in.Names...) {
		if !slices.ContainsFunc(all, func(t *thing) bool { return t.ARN == want || textOf(t.Attributes["TargetGroupName"]) == want }) {
			return nil, refuse(http.StatusBadRequest, "TargetGroupNotFound", "One or more target groups not found")
		}
	}
	all = slices.DeleteFunc(all, func(t *thing) bool {
		named := len(in.TargetGroupArns)+len(in.Names) > 0 && !slices.Contains(in.TargetGroupArns, t.ARN) && !slices.Contains(in.Names, textOf(t.Attributes["TargetGroupName"]))
		return named || (in.LoadBalancerArn != nil && !slices.Contains(of[t.ARN], *in.LoadBalancerArn))
	})
	some, next, err := page(all, in.Marker, in.PageSize, 400)
	if err != nil {
		return nil, invalid("Invalid marker")
	}
	out := &elb.DescribeTargetGroupsOutput{NextMarker: next, TargetGroups: []elbtypes.TargetGroup{}}
	for _, t := range some {
		p := t.Properties
		out.TargetGroups = append(out.TargetGroups, elbtypes.TargetGroup{TargetGroupArn: &t.ARN, TargetGroupName: aws.String(textOf(t.Attributes["TargetGroupName"])), VpcId: optional(textOf(p["VpcId"])),
			Port: aws.Int32(int32(numberOf(p["Port"], 80))), Protocol: elbtypes.ProtocolEnum(textOf(p["Protocol"])), TargetType: elbtypes.TargetTypeEnum(textOf(p["TargetType"])),
			HealthCheckPath: optional(textOf(p["HealthCheckPath"])), HealthCheckIntervalSeconds: aws.Int32(int32(numberOf(p["HealthCheckIntervalSeconds"], 30))), LoadBalancerArns: of[t.ARN]})
	}
	return out, nil
}
