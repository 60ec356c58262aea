package awssim

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"slipway/models/blueprint"
)

// identity gives a resource its physical id, its ARN and what else GetAtt gets of it.
type identity func(n namer) (physical, arn string, attributes map[string]any)

// namer is what an identity is made from.
type namer struct {
	s   *cfnStack
	r   blueprint.ResolvedResource
	rnd *rand.Rand
}

// by makes a behaviour's identify of an identity. The ARN is kept as attribute Arn, where
// permissions and tags find it, whether or not GetAtt knows it.
func by(f identity) func(*cfnStack, blueprint.ResolvedResource, *rand.Rand) (string, map[string]any) {
	return func(s *cfnStack, r blueprint.ResolvedResource, rnd *rand.Rand) (string, map[string]any) {
		physical, a, attributes := f(namer{s, r, rnd})
		if attributes == nil {
			attributes = map[string]any{}
		}
		if _, own := attributes["Arn"]; !own && a != "" {
			attributes["Arn"] = a
		}
		return physical, attributes
	}
}

// arn is one in the stack's account and region.
func (n namer) arn(service, resource string) string {
	return arn(service, n.s.Region, n.s.Account, resource)
}

func (n namer) text(property string) string { return textOf(n.r.Properties[property]) }

// name is the name a property gives, or one that CloudFormation makes up, of at most the
// length the service takes.
func (n namer) name(property string, most int) string {
	if v := n.text(property); v != "" {
		return v
	}
	end := suffix(n.rnd, 12)
	stack, id := n.s.Name, n.r.ID
	room := most - len(end) - 2
	id = id[:min(len(id), room/2)]
	stack = stack[:min(len(stack), room-len(id))]
	return stack + "-" + id + "-" + end
}

// hex draws n hexadecimal digits.
func (n namer) hex(digits int) string {
	s := ""
	for len(s) < digits {
		s += fmt.Sprintf("%016x", n.rnd.Uint64())
	}
	return s[:digits]
}

// ec2ID is the id and the ARN of something of EC2.
func (n namer) ec2ID(prefix, kind string) (string, string) {
	id := prefix + "-" + "0" + n.hex(16)
	return id, n.arn("ec2", kind+"/"+id)
}

// unnamed is a resource that only its own service knows by an id of its making.
func unnamed(prefix string) identity {
	return func(n namer) (string, string, map[string]any) {
		id := n.s.Name + "-" + prefix + "-" + suffix(n.rnd, 13)
		return id, "", map[string]any{"Id": id}
	}
}

// drawn is an id of capital letters and digits, as CloudFront and Route 53 have them.
func (n namer) drawn(first string, length int) string {
	return first + suffix(n.rnd, length-len(first))
}

// lower is a name as a host name may hold it.
func lower(s string) string { return strings.ToLower(s) }

// quick is a behaviour that is little more than its identity.
func quick(create time.Duration, id identity) behaviour {
	return behaviour{create: create, identify: by(id)}
}
