package awssim

import (
	"fmt"
	"time"
)

// networkBehaviours are the types of VPCs.
func networkBehaviours() map[string]behaviour {
	simple := func(prefix, kind, attribute string, create time.Duration) behaviour {
		return quick(create, func(n namer) (string, string, map[string]any) {
			id, a := n.ec2ID(prefix, kind)
			return id, a, map[string]any{attribute: id}
		})
	}
	vpc := quick(15*time.Second, vpcIdentity)
	subnet := quick(5*time.Second, subnetIdentity)
	subnet.effect, subnet.ready, subnet.actions = subnetEffect, emptySubnet, [3]string{"CreateSubnet", "ModifySubnetAttribute", "DeleteSubnet"}
	nat := quick(100*time.Second, func(n namer) (string, string, map[string]any) {
		id, a := n.ec2ID("nat", "natgateway")
		eni, _ := n.ec2ID("eni", "network-interface")
		return id, a, map[string]any{"NatGatewayId": id, "EniId": eni}
	})
	nat.remove, nat.effect = 50*time.Second, natEffect
	gateway := simple("igw", "internet-gateway", "InternetGatewayId", 16*time.Second)
	endpoint := quick(60*time.Second, endpointIdentity)
	endpoint.actions, endpoint.effect = [3]string{"CreateVpcEndpoint", "ModifyVpcEndpoint", "DeleteVpcEndpoints"}, endpointEffect
	group := quick(8*time.Second, func(n namer) (string, string, map[string]any) {
		id, a := n.ec2ID("sg", "security-group")
		return id, a, map[string]any{"Id": id, "GroupId": id, "VpcId": n.r.Properties["VpcId"]}
	})
	group.ready, group.patience, group.actions = unusedGroup, 45*time.Minute, [3]string{"CreateSecurityGroup", "AuthorizeSecurityGroupIngress", "DeleteSecurityGroup"}
	rule := func(verbs [3]string) behaviour {
		b := quick(5*time.Second, func(n namer) (string, string, map[string]any) {
			id, a := n.ec2ID("sgr", "security-group-rule")
			return id, a, map[string]any{"Id": id}
		})
		b.actions = verbs
		return b
	}
	flow := simple("fl", "vpc-flow-log", "Id", 10*time.Second)
	flow.actions = [3]string{"CreateFlowLogs", "CreateTags", "DeleteFlowLogs"}
	address := quick(16*time.Second, func(n namer) (string, string, map[string]any) {
		id, a := n.ec2ID("eipalloc", "elastic-ip")
		ip := fmt.Sprintf("52.%d.%d.%d", 16+n.rnd.IntN(32), n.rnd.IntN(256), 1+n.rnd.IntN(254))
		return ip, a, map[string]any{"AllocationId": id, "PublicIp": ip}
	})
	address.actions = [3]string{"AllocateAddress", "CreateTags", "ReleaseAddress"}
	return map[string]behaviour{
		"AWS::EC2::VPC":                  vpc,
		"AWS::EC2::Subnet":               subnet,
		"AWS::EC2::RouteTable":           simple("rtb", "route-table", "RouteTableId", 10*time.Second),
		"AWS::EC2::InternetGateway":      gateway,
		"AWS::EC2::NatGateway":           nat,
		"AWS::EC2::EIP":                  address,
		"AWS::EC2::VPCEndpoint":          endpoint,
		"AWS::EC2::FlowLog":              flow,
		"AWS::EC2::SecurityGroup":        group,
		"AWS::EC2::SecurityGroupIngress": rule([3]string{"AuthorizeSecurityGroupIngress", "UpdateSecurityGroupRuleDescriptionsIngress", "RevokeSecurityGroupIngress"}),
		"AWS::EC2::SecurityGroupEgress":  rule([3]string{"AuthorizeSecurityGroupEgress", "UpdateSecurityGroupRuleDescriptionsEgress", "RevokeSecurityGroupEgress"}),
		"AWS::EC2::Route": quick(5*time.Second, func(n namer) (string, string, map[string]any) {
			to := n.text("DestinationCidrBlock") + n.text("DestinationIpv6CidrBlock") + n.text("DestinationPrefixListId")
			return n.text("RouteTableId") + "|" + to, "", map[string]any{"CidrBlock": to}
		}),
		"AWS::EC2::SubnetRouteTableAssociation": {create: 5 * time.Second, actions: [3]string{"AssociateRouteTable", "ReplaceRouteTableAssociation", "DisassociateRouteTable"},
			identify: by(func(n namer) (string, string, map[string]any) {
				id, _ := n.ec2ID("rtbassoc", "route-table-association")
				return id, "", map[string]any{"Id": id}
			})},
		"AWS::EC2::VPCGatewayAttachment": {create: 16 * time.Second, actions: [3]string{"AttachInternetGateway", "AttachInternetGateway", "DetachInternetGateway"},
			identify: by(func(n namer) (string, string, map[string]any) {
				return "IGW|" + n.text("VpcId"), "", map[string]any{"AttachmentType": "IGW"}
			})},
	}
}

func vpcIdentity(n namer) (string, string, map[string]any) {
	id, a := n.ec2ID("vpc", "vpc")
	acl, _ := n.ec2ID("acl", "network-acl")
	group, _ := n.ec2ID("sg", "security-group")
	return id, a, map[string]any{"VpcId": id, "CidrBlock": n.text("CidrBlock"), "DefaultNetworkAcl": acl, "DefaultSecurityGroup": group,
		"CidrBlockAssociations": []any{"vpc-cidr-assoc-0" + n.hex(16)}, "Ipv6CidrBlocks": []any{}}
}

func subnetIdentity(n namer) (string, string, map[string]any) {
	id, a := n.ec2ID("subnet", "subnet")
	zone := n.text("AvailabilityZone")
	if zone == "" {
		zone = n.s.Region + "a"
	}
	acl, _ := n.ec2ID("aclassoc", "network-acl-association")
	return id, a, map[string]any{"SubnetId": id, "VpcId": n.text("VpcId"), "CidrBlock": n.text("CidrBlock"), "AvailabilityZone": zone, "AvailabilityZoneId": zoneID(zone),
		"NetworkAclAssociationId": acl, "Ipv6CidrBlocks": []any{}, "OutpostArn": ""}
}

// zoneID is the id of an availability zone, the same in all accounts here.
func zoneID(zone string) string {
	if zone == "" {
		return ""
	}
	var short string
	for _, part := range []struct{ long, short string }{{"eu-west-", "euw"}, {"eu-central-", "euc"}, {"eu-north-", "eun"}, {"us-east-", "use"}, {"us-west-", "usw"}, {"ap-northeast-", "apne"},
		{"ap-southeast-", "apse"}, {"ap-south-", "aps"}, {"ca-central-", "cac"}, {"sa-east-", "sae"}} {
		if len(zone) == len(part.long)+2 && zone[:len(part.long)] == part.long {
			short = part.short + zone[len(part.long):len(part.long)+1]
		}
	}
	if short == "" {
		short = zone[:len(zone)-1]
	}
	return fmt.Sprintf("%s-az%d", short, int(zone[len(zone)-1]-'a')+1)
}

func endpointIdentity(n namer) (string, string, map[string]any) {
	id, a := n.ec2ID("vpce", "vpc-endpoint")
	attributes := map[string]any{"Id": id, "CreationTimestamp": n.s.Created.Format(time.RFC3339), "DnsEntries": []any{}, "NetworkInterfaceIds": []any{}}
	if n.text("VpcEndpointType") != "Interface" {
		return id, a, attributes
	}
	var interfaces []any
	for range texts(n.r.Properties["SubnetIds"]) {
		eni, _ := n.ec2ID("eni", "network-interface")
		interfaces = append(interfaces, eni)
	}
	attributes["NetworkInterfaceIds"] = interfaces
	attributes["DnsEntries"] = []any{"Z38GZ743OKFT7T:" + id + "-" + n.hex(8) + "." + lower(n.text("ServiceName"))}
	return id, a, attributes
}
