package awssim

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strings"
	"time"

	"slipway/models/blueprint"
)

// random is the same for the same names: a world played twice has the same ids and times.
func random(names ...string) *rand.Rand {
	h := fnv.New64a()
	for _, n := range names {
		h.Write([]byte(n))
		h.Write([]byte{0})
	}
	return rand.New(rand.NewPCG(h.Sum64(), 0x736c6970))
}

func suffix(r *rand.Rand, n int) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(b)
}

func uuidOf(r *rand.Rand) string {
	return fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", r.Uint32(), r.Uint32()&0xffff, r.Uint32()&0xfff, r.Uint32()&0xfff, r.Uint64()&0xffffffffffff)
}

// identify gives a new resource its physical id and attributes. generation tells the
// replacements of one logical id apart.
func identify(s *cfnStack, r blueprint.ResolvedResource, generation string) (physical string, attributes map[string]any) {
	rnd := random(s.ID, r.ID, r.Type, generation)
	name := func(property string) string {
		if v, ok := r.Properties[property].(string); ok && v != "" {
			return v
		}
		return shorten(s.Name, r.ID, suffix(rnd, 12))
	}
	if fn := behaviourOf(r.Type).identify; fn != nil {
		return fn(s, r, rnd)
	}
	here := func(service, resource string) string { return arn(service, s.Region, s.Account, resource) }
	switch r.Type {
	case "AWS::IAM::Role":
		n := name("RoleName")
		return n, map[string]any{"Arn": roleARN(s.Account, pathOf(r), n), "RoleId": "AROA" + suffix(rnd, 16)}
	case "AWS::IAM::ManagedPolicy":
		a := arn("iam", "", s.Account, "policy"+pathOf(r)+name("ManagedPolicyName"))
		return a, map[string]any{"PolicyArn": a, "DefaultVersionId": "v1", "AttachmentCount": 0, "PolicyId": "ANPA" + suffix(rnd, 16), "IsAttachable": true}
	case "AWS::KMS::Key", "AWS::KMS::ReplicaKey":
		id := uuidOf(rnd)
		return id, map[string]any{"KeyId": id, "Arn": here("kms", "key/"+id)}
	case "AWS::Logs::LogGroup":
		n := name("LogGroupName")
		return n, map[string]any{"Arn": here("logs", "log-group:"+n+":*")}
	case "AWS::SNS::Topic":
		n := name("TopicName")
		return here("sns", n), map[string]any{"TopicName": n, "TopicArn": here("sns", n)}
	case "AWS::SNS::Subscription":
		a := fmt.Sprint(r.Properties["TopicArn"]) + ":" + uuidOf(rnd)
		return a, map[string]any{"Arn": a}
	case "AWS::Events::Rule":
		n := name("Name")
		bus, _ := r.Properties["EventBusName"].(string)
		if bus == "" || bus == "default" {
			return n, map[string]any{"Arn": here("events", "rule/"+n), "RuleName": n}
		}
		return bus + "|" + n, map[string]any{"Arn": here("events", "rule/"+bus+"/"+n), "RuleName": n}
	case "AWS::CloudWatch::Alarm":
		n := name("AlarmName")
		return n, map[string]any{"Arn": here("cloudwatch", "alarm:"+n)}
	case "AWS::AccessAnalyzer::Analyzer":
		a := here("access-analyzer", "analyzer/"+name("AnalyzerName"))
		return a, map[string]any{"Arn": a}
	case "AWS::EC2::SnapshotBlockPublicAccess", "AWS::EC2::VPCBlockPublicAccessOptions":
		return s.Account, map[string]any{"AccountId": s.Account, "ExclusionsAllowed": "allowed"}
	case "AWS::S3::Bucket":
		n := strings.ToLower(name("BucketName"))
		return n, map[string]any{"Arn": "arn:aws:s3:::" + n, "DomainName": n + ".s3.amazonaws.com", "RegionalDomainName": n + ".s3." + s.Region + ".amazonaws.com",
			"DualStackDomainName": n + ".s3.dualstack." + s.Region + ".amazonaws.com", "WebsiteURL": "http://" + n + ".s3-website-" + s.Region + ".amazonaws.com"}
	case "AWS::CloudFormation::StackSet":
		id := fmt.Sprint(r.Properties["StackSetName"]) + ":" + uuidOf(rnd)
		return id, map[string]any{"StackSetId": id}
	}
	return anything(s, r, rnd)
}

// anything is the physical id and the attributes of a type without a rule of its own.
func anything(s *cfnStack, r blueprint.ResolvedResource, rnd *rand.Rand) (string, map[string]any) {
	schema, _ := blueprint.Schema(r.Type)
	parts := strings.Split(r.Type, "::")
	service, kind := strings.ToLower(parts[1]), strings.ToLower(parts[len(parts)-1])
	name := shorten(s.Name, r.ID, suffix(rnd, 12))
	value := func(attribute string) any {
		switch v, given := r.Properties[attribute]; {
		case given:
			return v
		case strings.HasSuffix(attribute, "Arn"):
			return arn(service, s.Region, s.Account, kind+"/"+name)
		case strings.HasSuffix(attribute, "Id"):
			return fmt.Sprintf("%s-%017x", kind, rnd.Uint64())
		case strings.HasSuffix(attribute, "Name"):
			return name
		}
		return strings.ToLower(name + "." + attribute)
	}
	attributes := map[string]any{}
	for _, a := range schema.Attributes {
		attributes[a] = value(a)
	}
	var ids []string
	for _, id := range schema.RefIs {
		v, known := attributes[id]
		if !known {
			v = value(id)
		}
		ids = append(ids, fmt.Sprint(v))
	}
	if len(ids) == 0 {
		return name, attributes
	}
	return strings.Join(ids, "|"), attributes
}

// shorten joins names to at most 64 characters, the last one whole.
func shorten(stack, id, end string) string {
	room := 64 - len(end) - 2
	id = id[:min(len(id), room/2)]
	stack = stack[:min(len(stack), room-len(id))]
	return stack + "-" + id + "-" + end
}

func pathOf(r blueprint.ResolvedResource) string {
	if p, ok := r.Properties["Path"].(string); ok && p != "" {
		return p
	}
	return "/"
}

// duration is how long one change of a resource takes here: by type, give or take a tenth.
func (c *Call) duration(s *cfnStack, typ, id, what string) time.Duration {
	if s.Instant {
		return 0
	}
	d := behaviourOf(typ).takes(what)
	jitter := 0.9 + 0.2*random(s.ID, s.Operation, id, what).Float64()
	return c.Sim.scaled(time.Duration(float64(d) * jitter)).Truncate(time.Microsecond)
}

// pause is a short time of the service itself.
func (c *Call) pause(s *cfnStack, d time.Duration) time.Duration {
	if s.Instant {
		return 0
	}
	return c.Sim.scaled(d).Truncate(time.Microsecond)
}
