package awssim

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// netInterface is a network interface that a service holds in somebody's subnet.
type netInterface struct {
	ID, Subnet, VPC, IP string
	Groups              []string
	Kind                string // as EC2 names it: interface, nat_gateway, vpc_endpoint
	Description         string
	Requester           string
}

// How long the interfaces of what is gone stay behind.
const (
	tasksLinger     = 2 * time.Minute
	balancersLinger = 3 * time.Minute
	endpointsLinger = time.Minute
)

// interfaces are all of an account and region: those in use, and those that linger.
func (c *Call) interfaces(ctx context.Context, account, region string, at time.Time) ([]netInterface, error) {
	var all []netInterface
	for typ, of := range map[string]func(context.Context, *thing, time.Time) ([]netInterface, error){
		"AWS::ElasticLoadBalancingV2::LoadBalancer": c.balancerInterfaces,
		"AWS::EC2::NatGateway":                      c.natInterfaces,
		"AWS::EC2::VPCEndpoint":                     c.endpointInterfaces,
		"AWS::ECS::Service":                         c.taskInterfaces,
	} {
		list, err := c.things(ctx, `account = $1 AND region = $2 AND type = $3`, account, region, typ)
		if err != nil {
			return nil, err
		}
		for _, t := range list {
			some, err := of(ctx, t, at)
			if err != nil {
				return nil, err
			}
			all = append(all, some...)
		}
	}
	lingering, err := bodies[netInterface](ctx, c.Tx, `SELECT body FROM lingering_interfaces WHERE account = $1 AND region = $2 AND gone_at > $3`, account, region, at)
	if err != nil {
		return nil, err
	}
	all = append(all, lingering...)
	slices.SortFunc(all, func(a, b netInterface) int { return slices.Compare([]string{a.ID}, []string{b.ID}) })
	return all, nil
}

// linger leaves interfaces behind for a while after what they were for is gone.
func (c *Call) linger(ctx context.Context, t *thing, list []netInterface, d time.Duration, at time.Time) error {
	if _, err := c.Tx.Exec(ctx, `DELETE FROM lingering_interfaces WHERE gone_at <= $1`, at); err != nil {
		return fmt.Errorf("forget interfaces: %w", err)
	}
	for _, i := range list {
		body, err := json.Marshal(i)
		if err != nil {
			return fmt.Errorf("interface %s: %w", i.ID, err)
		}
		if _, err := c.Tx.Exec(ctx, `INSERT INTO lingering_interfaces (id, account, region, body, gone_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO UPDATE SET gone_at = EXCLUDED.gone_at`,
			i.ID, t.Account, t.Region, body, at.Add(c.Sim.scaled(d))); err != nil {
			return fmt.Errorf("leave interface %s behind: %w", i.ID, err)
		}
	}
	return nil
}

// inSubnet is an interface with an address of the subnet, the same for the same names.
func (c *Call) inSubnet(ctx context.Context, account, region, subnet, name string) (netInterface, error) {
	rnd := random(account, region, subnet, name)
	out := netInterface{ID: fmt.Sprintf("eni-0%015x", rnd.Uint64()>>4), Subnet: subnet, Kind: "interface"}
	t, err := c.thing(ctx, account, region, "AWS::EC2::Subnet", subnet)
	if err != nil || t == nil {
		return out, err
	}
	out.VPC = textOf(t.Properties["VpcId"])
	p, err := netip.ParsePrefix(textOf(t.Properties["CidrBlock"]))
	if err != nil || !p.Addr().Is4() || p.Bits() > 28 {
		return out, nil
	}
	a := p.Masked().Addr().As4()
	n := uint32(a[0])<<24 | uint32(a[1])<<16 | uint32(a[2])<<8 | uint32(a[3])
	n += 4 + uint32(rnd.IntN(1<<(32-p.Bits())-5)) // the first four and the last are AWS's own
	out.IP = fmt.Sprintf("%d.%d.%d.%d", n>>24, n>>16&255, n>>8&255, n&255)
	return out, nil
}

func (c *Call) eachSubnet(ctx context.Context, t *thing, subnets []string, fill func(i int, one *netInterface)) ([]netInterface, error) {
	var out []netInterface
	for i, subnet := range subnets {
		one, err := c.inSubnet(ctx, t.Account, t.Region, subnet, t.Physical+fmt.Sprint(i))
		if err != nil {
			return nil, err
		}
		fill(i, &one)
		out = append(out, one)
	}
	return out, nil
}

func (c *Call) balancerInterfaces(ctx context.Context, t *thing, _ time.Time) ([]netInterface, error) {
	return c.eachSubnet(ctx, t, balancerSubnets(t.Properties), func(_ int, one *netInterface) {
		one.Groups, one.Requester = texts(t.Properties["SecurityGroups"]), "amazon-elb"
		one.Description = "ELB " + textOf(t.Attributes["LoadBalancerFullName"])
	})
}

func (c *Call) natInterfaces(ctx context.Context, t *thing, _ time.Time) ([]netInterface, error) {
	return c.eachSubnet(ctx, t, texts([]any{t.Properties["SubnetId"]}), func(_ int, one *netInterface) {
		one.ID, one.Kind, one.Requester, one.Description = textOf(t.Attributes["EniId"]), "nat_gateway", "amazon-nat", "Interface for NAT Gateway "+t.Physical
	})
}

func (c *Call) endpointInterfaces(ctx context.Context, t *thing, _ time.Time) ([]netInterface, error) {
	ids := texts(t.Attributes["NetworkInterfaceIds"])
	if len(ids) == 0 {
		return nil, nil
	}
	return c.eachSubnet(ctx, t, texts(t.Properties["SubnetIds"]), func(i int, one *netInterface) {
		if i < len(ids) {
			one.ID = ids[i]
		}
		one.Groups, one.Kind, one.Requester = texts(t.Properties["SecurityGroupIds"]), "vpc_endpoint", "amazon-vpc"
		one.Description = "VPC Endpoint Interface " + t.Physical
	})
}

// unusedGroup holds the removal of a security group back while an interface has it.
func unusedGroup(ctx context.Context, c *Call, s *cfnStack, r *cfnResource, verb string, _, at time.Time) (string, error) {
	if verb != "delete" {
		return "", nil
	}
	return c.inUse(ctx, s, r.Physical, at, func(i netInterface) bool { return slices.Contains(i.Groups, r.Physical) })
}

// emptySubnet holds the removal of a subnet back while an interface is in it.
func emptySubnet(ctx context.Context, c *Call, s *cfnStack, r *cfnResource, verb string, _, at time.Time) (string, error) {
	if verb != "delete" {
		return "", nil
	}
	return c.inUse(ctx, s, r.Physical, at, func(i netInterface) bool { return i.Subnet == r.Physical })
}

func (c *Call) inUse(ctx context.Context, s *cfnStack, id string, at time.Time, by func(netInterface) bool) (string, error) {
	all, err := c.interfaces(ctx, s.Account, s.Region, at)
	if err != nil {
		return "", err
	}
	if i := slices.IndexFunc(all, by); i >= 0 {
		return fmt.Sprintf("resource %s has a dependent object: network interface %s (%s)", id, all[i].ID, all[i].Description), nil
	}
	return "", nil
}

func natEffect(ctx context.Context, c *Call, s *cfnStack, r *cfnResource, verb string, _ time.Time) error {
	if verb != "create" || textOf(r.Properties["SubnetId"]) == "" {
		return nil
	}
	t, err := c.thing(ctx, s.Account, s.Region, "AWS::EC2::Subnet", textOf(r.Properties["SubnetId"]))
	if err == nil && t == nil {
		err = refuse(400, "InvalidSubnetID.NotFound", "The subnet ID '%s' does not exist", textOf(r.Properties["SubnetId"]))
	}
	return err
}

func endpointEffect(ctx context.Context, c *Call, s *cfnStack, r *cfnResource, verb string, at time.Time) error {
	if verb != "delete" {
		return nil
	}
	t, err := c.thing(ctx, s.Account, s.Region, r.Type, r.Physical)
	if err != nil || t == nil {
		return err
	}
	list, err := c.endpointInterfaces(ctx, t, at)
	if err != nil {
		return err
	}
	return c.linger(ctx, t, list, endpointsLinger, at)
}

// subnetEffect refuses a subnet outside its network, or over another one.
func subnetEffect(ctx context.Context, c *Call, s *cfnStack, r *cfnResource, verb string, _ time.Time) error {
	if verb != "create" {
		return nil
	}
	vpc, err := c.thing(ctx, s.Account, s.Region, "AWS::EC2::VPC", textOf(r.Properties["VpcId"]))
	if err != nil {
		return err
	}
	if vpc == nil {
		return refuse(400, "InvalidVpcID.NotFound", "The vpc ID '%s' does not exist", textOf(r.Properties["VpcId"]))
	}
	given := textOf(r.Properties["CidrBlock"])
	block, err := netip.ParsePrefix(given)
	if err != nil {
		return nil // of IPAM or IPv6: not checked here
	}
	whole, err := netip.ParsePrefix(textOf(vpc.Properties["CidrBlock"]))
	if err == nil && (!whole.Contains(block.Addr()) || block.Bits() < whole.Bits()) {
		return refuse(400, "InvalidSubnet.Range", "The CIDR '%s' is invalid.", given)
	}
	others, err := c.things(ctx, `account = $1 AND region = $2 AND type = 'AWS::EC2::Subnet' AND properties->>'VpcId' = $3`, s.Account, s.Region, vpc.Physical)
	if err != nil {
		return err
	}
	for _, o := range others {
		if other, err := netip.ParsePrefix(textOf(o.Properties["CidrBlock"])); err == nil && other.Overlaps(block) && o.Physical != r.Physical {
			return refuse(400, "InvalidSubnet.Conflict", "The CIDR '%s' conflicts with another subnet", given)
		}
	}
	return nil
}
