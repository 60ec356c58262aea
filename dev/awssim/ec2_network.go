package awssim

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func ec2NetworkOperations() []operation {
	return []operation{
		handle("ec2", "DescribeVpcs", describeVpcs),
		handle("ec2", "DescribeSubnets", describeSubnets),
		handle("ec2", "DescribeRouteTables", describeRouteTables),
		handle("ec2", "DescribeNatGateways", describeNatGateways),
		handle("ec2", "DescribeNetworkInterfaces", describeInterfaces),
		handle("ec2", "DescribeAvailabilityZones", describeZones),
	}
}

// chosen narrows a list by ids and filters, as every Describe of EC2 does, and pages it. values
// is what an item has for the name of a filter; ok is false for a name nobody plays.
func chosen[T any](c *Call, all []T, ids []string, id func(T) string, notFound string, filters []ec2types.Filter, values func(T, string) ([]string, bool), token *string, most *int32) ([]T, *string, error) {
	for _, want := range ids {
		if !slices.ContainsFunc(all, func(t T) bool { return id(t) == want }) {
			return nil, nil, refuse(http.StatusBadRequest, notFound, "The ID '%s' does not exist", want)
		}
	}
	var out []T
	for _, t := range all {
		fits := len(ids) == 0 || slices.Contains(ids, id(t))
		for _, f := range filters {
			have, ok := values(t, aws.ToString(f.Name))
			if !ok {
				return nil, nil, refuse(http.StatusBadRequest, "InvalidParameterValue", "The filter '%s' is invalid", aws.ToString(f.Name))
			}
			fits = fits && slices.ContainsFunc(have, func(v string) bool {
				return slices.ContainsFunc(f.Values, func(p string) bool { return wildcard(p, v) })
			})
		}
		if fits {
			out = append(out, t)
		}
	}
	some, next, err := page(out, token, most, 1000)
	if err != nil {
		return nil, nil, refuse(http.StatusBadRequest, "InvalidNextToken", "The token is not valid.")
	}
	return some, next, nil
}

// tagValues are a thing's values for tag:KEY, tag-key and the filters all have.
func (t *thing) tagValues(name string) ([]string, bool) {
	if key, ok := strings.CutPrefix(name, "tag:"); ok {
		v, has := t.Tags[key]
		if !has {
			return nil, true
		}
		return []string{v}, true
	}
	if name == "tag-key" {
		var keys []string
		for k := range t.Tags {
			keys = append(keys, k)
		}
		return keys, true
	}
	return nil, false
}

func (t *thing) ec2Tags() []ec2types.Tag {
	var out []ec2types.Tag
	for _, k := range sortedKeys(t.Tags) {
		out = append(out, ec2types.Tag{Key: aws.String(k), Value: aws.String(t.Tags[k])})
	}
	return out
}

func physicalOf(t *thing) string { return t.Physical }

func describeVpcs(ctx context.Context, c *Call, in *ec2.DescribeVpcsInput) (*ec2.DescribeVpcsOutput, error) {
	if err := c.regional(ctx, in.DryRun); err != nil {
		return nil, err
	}
	all, err := c.own(ctx, "AWS::EC2::VPC")
	if err != nil {
		return nil, err
	}
	some, next, err := chosen(c, all, in.VpcIds, physicalOf, "InvalidVpcID.NotFound", in.Filters, func(t *thing, name string) ([]string, bool) {
		switch name {
		case "vpc-id":
			return []string{t.Physical}, true
		case "cidr", "cidr-block-association.cidr-block":
			return []string{textOf(t.Properties["CidrBlock"])}, true
		case "state":
			return []string{"available"}, true
		case "is-default", "isDefault":
			return []string{"false"}, true
		case "owner-id":
			return []string{t.Account}, true
		}
		return t.tagValues(name)
	}, in.NextToken, in.MaxResults)
	out := &ec2.DescribeVpcsOutput{NextToken: next}
	for _, t := range some {
		cidr := textOf(t.Properties["CidrBlock"])
		out.Vpcs = append(out.Vpcs, ec2types.Vpc{VpcId: &t.Physical, CidrBlock: &cidr, State: ec2types.VpcStateAvailable, OwnerId: &t.Account, IsDefault: aws.Bool(false), InstanceTenancy: ec2types.TenancyDefault,
			DhcpOptionsId: aws.String("dopt-0123456789abcdef0"), Tags: t.ec2Tags(), CidrBlockAssociationSet: []ec2types.VpcCidrBlockAssociation{{AssociationId: aws.String("vpc-cidr-assoc-" + strings.TrimPrefix(t.Physical, "vpc-")),
				CidrBlock: &cidr, CidrBlockState: &ec2types.VpcCidrBlockState{State: ec2types.VpcCidrBlockStateCodeAssociated}}}})
	}
	return out, err
}

func describeSubnets(ctx context.Context, c *Call, in *ec2.DescribeSubnetsInput) (*ec2.DescribeSubnetsOutput, error) {
	if err := c.regional(ctx, in.DryRun); err != nil {
		return nil, err
	}
	all, err := c.own(ctx, "AWS::EC2::Subnet")
	if err != nil {
		return nil, err
	}
	used, err := c.interfaces(ctx, c.Account, c.Region, c.Now)
	if err != nil {
		return nil, err
	}
	some, next, err := chosen(c, all, in.SubnetIds, physicalOf, "InvalidSubnetID.NotFound", in.Filters, func(t *thing, name string) ([]string, bool) {
		switch name {
		case "vpc-id":
			return []string{textOf(t.Properties["VpcId"])}, true
		case "subnet-id":
			return []string{t.Physical}, true
		case "availability-zone", "availabilityZone":
			return []string{textOf(t.Attributes["AvailabilityZone"])}, true
		case "cidr-block", "cidr", "cidrBlock":
			return []string{textOf(t.Properties["CidrBlock"])}, true
		case "state":
			return []string{"available"}, true
		case "map-public-ip-on-launch":
			return []string{fmt.Sprint(yes(t.Properties["MapPublicIpOnLaunch"]))}, true
		}
		return t.tagValues(name)
	}, in.NextToken, in.MaxResults)
	out := &ec2.DescribeSubnetsOutput{NextToken: next}
	for _, t := range some {
		zone, cidr := textOf(t.Attributes["AvailabilityZone"]), textOf(t.Properties["CidrBlock"])
		free := int32(0)
		if p, err := netip.ParsePrefix(cidr); err == nil && p.Addr().Is4() {
			free = int32(1)<<(32-p.Bits()) - 5
		}
		for _, i := range used {
			if i.Subnet == t.Physical {
				free--
			}
		}
		out.Subnets = append(out.Subnets, ec2types.Subnet{SubnetId: &t.Physical, VpcId: aws.String(textOf(t.Properties["VpcId"])), CidrBlock: &cidr, AvailabilityZone: &zone, AvailabilityZoneId: aws.String(zoneID(zone)),
			AvailableIpAddressCount: &free, MapPublicIpOnLaunch: aws.Bool(yes(t.Properties["MapPublicIpOnLaunch"])), State: ec2types.SubnetStateAvailable, OwnerId: &t.Account, SubnetArn: &t.ARN,
			DefaultForAz: aws.Bool(false), Tags: t.ec2Tags()})
	}
	return out, err
}

func describeZones(ctx context.Context, c *Call, in *ec2.DescribeAvailabilityZonesInput) (*ec2.DescribeAvailabilityZonesOutput, error) {
	if err := c.regional(ctx, in.DryRun); err != nil {
		return nil, err
	}
	names := []string{c.Region + "a", c.Region + "b", c.Region + "c"}
	some, _, err := chosen(c, names, in.ZoneNames, func(s string) string { return s }, "InvalidParameterValue", in.Filters, func(zone, name string) ([]string, bool) {
		switch name {
		case "zone-name":
			return []string{zone}, true
		case "zone-id":
			return []string{zoneID(zone)}, true
		case "region-name":
			return []string{c.Region}, true
		case "state":
			return []string{"available"}, true
		case "zone-type":
			return []string{"availability-zone"}, true
		case "opt-in-status":
			return []string{"opt-in-not-required"}, true
		}
		return nil, false
	}, nil, nil)
	out := &ec2.DescribeAvailabilityZonesOutput{}
	for _, zone := range some {
		out.AvailabilityZones = append(out.AvailabilityZones, ec2types.AvailabilityZone{ZoneName: &zone, ZoneId: aws.String(zoneID(zone)), RegionName: &c.Region, GroupName: &c.Region, NetworkBorderGroup: &c.Region,
			State: ec2types.AvailabilityZoneStateAvailable, OptInStatus: ec2types.AvailabilityZoneOptInStatusOptInNotRequired, ZoneType: aws.String("availability-zone")})
	}
	return out, err
}

func describeInterfaces(ctx context.Context, c *Call, in *ec2.DescribeNetworkInterfacesInput) (*ec2.DescribeNetworkInterfacesOutput, error) {
	if err := c.regional(ctx, in.DryRun); err != nil {
		return nil, err
	}
	all, err := c.interfaces(ctx, c.Account, c.Region, c.Now)
	if err != nil {
		return nil, err
	}
	some, next, err := chosen(c, all, in.NetworkInterfaceIds, func(i netInterface) string { return i.ID }, "InvalidNetworkInterfaceID.NotFound", in.Filters, func(i netInterface, name string) ([]string, bool) {
		switch name {
		case "vpc-id":
			return []string{i.VPC}, true
		case "subnet-id":
			return []string{i.Subnet}, true
		case "group-id":
			return i.Groups, true
		case "network-interface-id":
			return []string{i.ID}, true
		case "interface-type":
			return []string{i.Kind}, true
		case "description":
			return []string{i.Description}, true
		case "requester-id":
			return []string{i.Requester}, true
		case "addresses.private-ip-address", "private-ip-address":
			return []string{i.IP}, true
		case "status":
			return []string{"in-use"}, true
		}
		return nil, false
	}, in.NextToken, in.MaxResults)
	out := &ec2.DescribeNetworkInterfacesOutput{NextToken: next}
	for _, i := range some {
		one := ec2types.NetworkInterface{NetworkInterfaceId: &i.ID, SubnetId: &i.Subnet, VpcId: &i.VPC, PrivateIpAddress: &i.IP, Description: &i.Description, RequesterId: &i.Requester, RequesterManaged: aws.Bool(true),
			InterfaceType: ec2types.NetworkInterfaceType(i.Kind), Status: ec2types.NetworkInterfaceStatusInUse, OwnerId: &c.Account}
		for _, g := range i.Groups {
			one.Groups = append(one.Groups, ec2types.GroupIdentifier{GroupId: aws.String(g)})
		}
		out.NetworkInterfaces = append(out.NetworkInterfaces, one)
	}
	return out, err
}
