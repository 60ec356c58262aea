package awssim

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// describeRouteTables answers the tables that were made, and each network's main one.
func describeRouteTables(ctx context.Context, c *Call, in *ec2.DescribeRouteTablesInput) (*ec2.DescribeRouteTablesOutput, error) {
	if err := c.regional(ctx, in.DryRun); err != nil {
		return nil, err
	}
	all, err := c.routeTables(ctx)
	if err != nil {
		return nil, err
	}
	some, next, err := chosen(c, all, in.RouteTableIds, func(t ec2types.RouteTable) string { return *t.RouteTableId }, "InvalidRouteTableID.NotFound", in.Filters, func(t ec2types.RouteTable, name string) ([]string, bool) {
		switch name {
		case "vpc-id":
			return []string{*t.VpcId}, true
		case "route-table-id":
			return []string{*t.RouteTableId}, true
		}
		var out []string
		for _, a := range t.Associations {
			switch name {
			case "association.subnet-id":
				out = append(out, aws.ToString(a.SubnetId))
			case "association.main":
				out = append(out, fmt.Sprint(*a.Main))
			}
		}
		tags := map[string]string{}
		for _, tag := range t.Tags {
			tags[*tag.Key] = *tag.Value
		}
		if strings.HasPrefix(name, "association.") {
			return out, name == "association.subnet-id" || name == "association.main"
		}
		return (&thing{Tags: tags}).tagValues(name)
	}, in.NextToken, in.MaxResults)
	return &ec2.DescribeRouteTablesOutput{RouteTables: some, NextToken: next}, err
}

func (c *Call) routeTables(ctx context.Context) ([]ec2types.RouteTable, error) {
	networks, err := c.own(ctx, "AWS::EC2::VPC")
	if err != nil {
		return nil, err
	}
	var out []ec2types.RouteTable
	local := map[string]string{}
	for _, t := range networks {
		id, cidr := t.Physical, textOf(t.Properties["CidrBlock"])
		local[id] = cidr
		table := "rtb-" + strings.TrimPrefix(id, "vpc-")
		out = append(out, ec2types.RouteTable{RouteTableId: &table, VpcId: &id, OwnerId: &c.Account, Routes: []ec2types.Route{localRoute(cidr)},
			Associations: []ec2types.RouteTableAssociation{{Main: aws.Bool(true), RouteTableId: &table, RouteTableAssociationId: aws.String("rtbassoc-" + strings.TrimPrefix(id, "vpc-")),
				AssociationState: &ec2types.RouteTableAssociationState{State: ec2types.RouteTableAssociationStateCodeAssociated}}}})
	}
	tables, err := c.own(ctx, "AWS::EC2::RouteTable")
	if err != nil {
		return nil, err
	}
	routes, err := c.own(ctx, "AWS::EC2::Route")
	if err != nil {
		return nil, err
	}
	subnets, err := c.own(ctx, "AWS::EC2::SubnetRouteTableAssociation")
	if err != nil {
		return nil, err
	}
	for _, t := range tables {
		vpc := textOf(t.Properties["VpcId"])
		one := ec2types.RouteTable{RouteTableId: &t.Physical, VpcId: &vpc, OwnerId: &c.Account, Tags: t.ec2Tags(), Routes: []ec2types.Route{localRoute(local[vpc])}}
		for _, r := range routes {
			if textOf(r.Properties["RouteTableId"]) == t.Physical {
				one.Routes = append(one.Routes, ec2types.Route{DestinationCidrBlock: optional(textOf(r.Properties["DestinationCidrBlock"])), DestinationIpv6CidrBlock: optional(textOf(r.Properties["DestinationIpv6CidrBlock"])),
					GatewayId: optional(textOf(r.Properties["GatewayId"])), NatGatewayId: optional(textOf(r.Properties["NatGatewayId"])), State: ec2types.RouteStateActive, Origin: ec2types.RouteOriginCreateRoute})
			}
		}
		for _, a := range subnets {
			if textOf(a.Properties["RouteTableId"]) == t.Physical {
				one.Associations = append(one.Associations, ec2types.RouteTableAssociation{Main: aws.Bool(false), RouteTableId: &t.Physical, RouteTableAssociationId: &a.Physical, SubnetId: optional(textOf(a.Properties["SubnetId"])),
					AssociationState: &ec2types.RouteTableAssociationState{State: ec2types.RouteTableAssociationStateCodeAssociated}})
			}
		}
		out = append(out, one)
	}
	return out, nil
}

func localRoute(cidr string) ec2types.Route {
	return ec2types.Route{DestinationCidrBlock: &cidr, GatewayId: aws.String("local"), State: ec2types.RouteStateActive, Origin: ec2types.RouteOriginCreateRouteTable}
}

func describeNatGateways(ctx context.Context, c *Call, in *ec2.DescribeNatGatewaysInput) (*ec2.DescribeNatGatewaysOutput, error) {
	if err := c.regional(ctx, in.DryRun); err != nil {
		return nil, err
	}
	all, err := c.own(ctx, "AWS::EC2::NatGateway")
	if err != nil {
		return nil, err
	}
	addresses, err := c.own(ctx, "AWS::EC2::EIP")
	if err != nil {
		return nil, err
	}
	vpcs := map[string]string{}
	for _, t := range all {
		subnet, err := c.thing(ctx, c.Account, c.Region, "AWS::EC2::Subnet", textOf(t.Properties["SubnetId"]))
		if err != nil {
			return nil, err
		}
		if vpcs[t.Physical] = textOf(t.Properties["VpcId"]); subnet != nil {
			vpcs[t.Physical] = textOf(subnet.Properties["VpcId"])
		}
	}
	some, next, err := chosen(c, all, in.NatGatewayIds, physicalOf, "NatGatewayNotFound", in.Filter, func(t *thing, name string) ([]string, bool) {
		switch name {
		case "vpc-id":
			return []string{vpcs[t.Physical]}, true
		case "subnet-id":
			return []string{textOf(t.Properties["SubnetId"])}, true
		case "nat-gateway-id":
			return []string{t.Physical}, true
		case "state":
			return []string{"available"}, true
		}
		return t.tagValues(name)
	}, in.NextToken, in.MaxResults)
	out := &ec2.DescribeNatGatewaysOutput{NextToken: next}
	for _, t := range some {
		one := ec2types.NatGateway{NatGatewayId: &t.Physical, SubnetId: optional(textOf(t.Properties["SubnetId"])), VpcId: optional(vpcs[t.Physical]), State: ec2types.NatGatewayStateAvailable, CreateTime: &t.Made,
			ConnectivityType: ec2types.ConnectivityTypePublic, Tags: t.ec2Tags()}
		for _, a := range addresses {
			if id := textOf(a.Attributes["AllocationId"]); id != "" && id == textOf(t.Properties["AllocationId"]) {
				one.NatGatewayAddresses = append(one.NatGatewayAddresses, ec2types.NatGatewayAddress{AllocationId: &id, PublicIp: &a.Physical, NetworkInterfaceId: optional(textOf(t.Attributes["EniId"]))})
			}
		}
		out.NatGateways = append(out.NatGateways, one)
	}
	return out, err
}
