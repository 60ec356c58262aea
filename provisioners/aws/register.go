package aws

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"slipway/models"
	"slipway/provisioners"
)

// The outputs of a network, made or registered: what environments are given.
const (
	outVPC     = "VpcId"
	outCIDR    = "VpcCidr"
	outPublic  = "PublicSubnetIds"
	outPrivate = "PrivateSubnetIds"
	outZones   = "AvailabilityZones"
)

// vpcClaim is what somebody says of an existing VPC.
type vpcClaim struct {
	account, region, vpc string
	public, private      []string
}

// registeredIDs are the VPC and the subnets of a registered network, as it was last recorded.
func registeredIDs(st models.Stack) []string {
	ids := []string{st.Outputs[outVPC]}
	for _, list := range []string{st.Outputs[outPublic], st.Outputs[outPrivate]} {
		ids = append(ids, strings.Split(list, ",")...)
	}
	ids = slices.DeleteFunc(ids, func(id string) bool { return id == "" })
	slices.Sort(ids)
	return slices.Compact(ids)
}

func typeOfID(id string) string {
	if strings.HasPrefix(id, "vpc-") {
		return "AWS::EC2::VPC"
	}
	return "AWS::EC2::Subnet"
}

// wrongNetwork is a claim that does not hold.
func wrongNetwork(what, next string, args ...any) error {
	return provisioners.Final{Failure: models.Failure{What: fmt.Sprintf(what, args...), Owner: requester, Next: next}}
}

// verify holds a claim against the account: the VPC is there, the subnets are its own and lie in two availability zones at least, the
// public ones reach the internet by a gateway, the private ones have another way out. The outputs are those of the network blueprint.
func (c *Clients) verify(ctx context.Context, claim vpcClaim, w who) (map[string]string, error) {
	api := ec2.NewFromConfig(c.spoke(claim.account, claim.region, "read", policy(statement{Action: []string{"ec2:DescribeVpcs", "ec2:DescribeSubnets", "ec2:DescribeRouteTables"}}), w))
	vpcs, err := api.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{VpcIds: []string{claim.vpc}})
	if is(err, "InvalidVpcID.NotFound", "InvalidVpcID.Malformed") || err == nil && len(vpcs.Vpcs) == 0 {
		return nil, wrongNetwork("There is no VPC %s in account %s, region %s.", "Check the id, account class and region.", claim.vpc, claim.account, claim.region)
	}
	if err != nil {
		return nil, err
	}
	vpc := vpcs.Vpcs[0]
	if vpc.State != ec2types.VpcStateAvailable {
		return nil, wrongNetwork("VPC %s is %s.", "Wait until it is available, then plan again.", claim.vpc, vpc.State)
	}
	subnets, err := subnetsOf(ctx, api, claim)
	if err != nil {
		return nil, err
	}
	tables, err := tablesOf(ctx, api, claim.vpc)
	if err != nil {
		return nil, err
	}
	outputs := map[string]string{outVPC: claim.vpc, outCIDR: sdk.ToString(vpc.CidrBlock)}
	var zones []string
	for _, side := range []struct {
		words, output string
		ids           []string
		check         func(subnet string, t *ec2types.RouteTable) error
	}{{"public", outPublic, claim.public, tables.public}, {"private", outPrivate, claim.private, tables.private}} {
		own := map[string]bool{}
		ids := slices.Clone(side.ids)
		slices.SortFunc(ids, func(a, b string) int { return strings.Compare(subnets[a]+a, subnets[b]+b) })
		for _, id := range ids {
			own[subnets[id]] = true
			zones = append(zones, subnets[id])
			if err := side.check(id, tables.of(id)); err != nil {
				return nil, err
			}
		}
		if len(own) < 2 {
			return nil, wrongNetwork("All %s subnets lie in one availability zone.", "Name subnets in two availability zones at least: a load balancer needs them, and so does what must survive one.", side.words)
		}
		outputs[side.output] = strings.Join(ids, ",")
	}
	slices.Sort(zones)
	outputs[outZones] = strings.Join(slices.Compact(zones), ",")
	return outputs, nil
}

// subnetsOf reads the claimed subnets: id to availability zone.
func subnetsOf(ctx context.Context, api *ec2.Client, claim vpcClaim) (map[string]string, error) {
	all := append(slices.Clone(claim.public), claim.private...)
	out, err := api.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{SubnetIds: all})
	if is(err, "InvalidSubnetID.NotFound", "InvalidSubnetID.Malformed") {
		return nil, wrongNetwork("Not every subnet is in account %s, region %s: %s.", "Check the ids.", claim.account, claim.region, clip(apiMessage(err), 200))
	}
	if err != nil {
		return nil, err
	}
	zones := map[string]string{}
	for _, s := range out.Subnets {
		id := sdk.ToString(s.SubnetId)
		if sdk.ToString(s.VpcId) != claim.vpc {
			return nil, wrongNetwork("Subnet %s belongs to %s, not to %s.", "Name subnets of the VPC.", id, sdk.ToString(s.VpcId), claim.vpc)
		}
		if s.State != ec2types.SubnetStateAvailable {
			return nil, wrongNetwork("Subnet %s is %s.", "Wait until it is available, then plan again.", id, s.State)
		}
		zones[id] = sdk.ToString(s.AvailabilityZone)
	}
	for _, id := range all {
		if zones[id] == "" {
			return nil, wrongNetwork("There is no subnet %s in account %s, region %s.", "Check the id.", id, claim.account, claim.region)
		}
	}
	return zones, nil
}

// routes are the route tables of a VPC.
type routes []ec2types.RouteTable

func tablesOf(ctx context.Context, api *ec2.Client, vpc string) (routes, error) {
	var all routes
	var next *string
	for {
		out, err := api.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{Filters: []ec2types.Filter{{Name: sdk.String("vpc-id"), Values: []string{vpc}}}, NextToken: next})
		if err != nil {
			return nil, err
		}
		all = append(all, out.RouteTables...)
		if next = out.NextToken; next == nil {
			return all, nil
		}
	}
}

// of is the table that a subnet is routed by: its own, or else the VPC's main one.
func (r routes) of(subnet string) *ec2types.RouteTable {
	var main *ec2types.RouteTable
	for i, t := range r {
		for _, a := range t.Associations {
			if sdk.ToString(a.SubnetId) == subnet {
				return &r[i]
			}
			if sdk.ToBool(a.Main) {
				main = &r[i]
			}
		}
	}
	return main
}

// out is where a table sends what is for the internet, and whether that is there; empty when nowhere.
func out(t *ec2types.RouteTable) (target string, active bool) {
	if t == nil {
		return "", false
	}
	for _, route := range t.Routes {
		if sdk.ToString(route.DestinationCidrBlock) != "0.0.0.0/0" {
			continue
		}
		for _, to := range []*string{route.GatewayId, route.NatGatewayId, route.TransitGatewayId, route.VpcPeeringConnectionId, route.NetworkInterfaceId, route.InstanceId,
			route.LocalGatewayId, route.CarrierGatewayId, route.CoreNetworkArn} {
			if sdk.ToString(to) != "" {
				return *to, route.State == ec2types.RouteStateActive
			}
		}
	}
	return "", false
}

func (r routes) public(subnet string, t *ec2types.RouteTable) error {
	target, active := out(t)
	if !strings.HasPrefix(target, "igw-") || !active {
		return wrongNetwork("Subnet %s is not public: its route table has no working route to an internet gateway.", "Name it as a private subnet, or give it the route.", subnet)
	}
	return nil
}

func (r routes) private(subnet string, t *ec2types.RouteTable) error {
	target, active := out(t)
	switch {
	case strings.HasPrefix(target, "igw-"):
		return wrongNetwork("Subnet %s is public: its route table leads to an internet gateway.", "Name it as a public subnet.", subnet)
	case target == "":
		return wrongNetwork("Subnet %s has no way out: its route table has no route for 0.0.0.0/0.", "What runs there must reach AWS and its images: give it a route to a NAT or transit gateway.", subnet)
	case !active:
		return wrongNetwork("Subnet %s has no way out: its route to %s leads nowhere.", "Repair the route, then plan again.", subnet, target)
	}
	return nil
}

// apiMessage is AWS's own sentence.
func apiMessage(err error) string {
	var e *CallError
	if errors.As(err, &e) {
		return e.Message
	}
	return err.Error()
}
