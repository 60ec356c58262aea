package price

import (
	"fmt"
	"maps"
	"regexp"
	"strings"

	"github.com/shopspring/decimal"

	"slipway/models"
	"slipway/models/blueprint"
)

// Order is a stack that does not exist yet, as far as its cost goes.
type Order struct {
	Region string
	Stage  models.Stage      // of an environment; empty: Class counts
	Class  models.Class      // of what has no stage; empty: nonprod
	Inputs map[string]string // as typed; what is missing and has no default is taken as an example
	Usage  map[string]string // changes to what the blueprint assumes
	Image  bool              // an image runs; without one nothing of it does
}

// EstimateOrder prices what a version of a blueprint would make. Networks, zones and what else a stack is given from others are
// stood in for, as none of them costs by its name. Inputs and amounts that cannot be are Invalid by field.
func (l *List) EstimateOrder(v blueprint.Version, o Order) (Estimate, error) {
	if len(v.Meta.Cost.Fixed) > 0 {
		return l.fixedCost(v, o)
	}
	fields, err := v.Meta.Fields()
	if err != nil {
		return Estimate{}, fmt.Errorf("read the inputs of %s: %w", v.Ref(), err)
	}
	clean, problems := v.Meta.Validate(withExamples(fields, o.Inputs))
	if len(problems) > 0 {
		return Estimate{}, models.InvalidFields(problems)
	}
	usage, problems := ParseUsage(assumed(v.Meta, clean["Size"], o.Usage))
	if len(problems) > 0 {
		return Estimate{}, models.InvalidFields(problems)
	}
	t, err := v.Parse()
	if err != nil {
		return Estimate{}, fmt.Errorf("read the template of %s: %w", v.Ref(), err)
	}
	r, err := t.Resolve(blueprint.Inputs{Parameters: stoodIn(v.Meta, o, clean), Account: otherAccount, Region: o.Region, StackName: "slw-example-env-example"})
	if err != nil {
		return Estimate{}, fmt.Errorf("resolve the template of %s: %w", v.Ref(), err)
	}
	e := l.EstimateTemplate("", o.Region, r, usage)
	for _, n := range v.Meta.Cost.NotEstimated {
		e.NotEstimated = append(e.NotEstimated, n.Note)
	}
	return e, nil
}

// fixedCost is for blueprints that name their positions themselves.
func (l *List) fixedCost(v blueprint.Version, o Order) (Estimate, error) {
	var items []Item
	for _, line := range v.Meta.Cost.Fixed {
		n, err := decimal.NewFromString(line.Quantity)
		if err != nil {
			return Estimate{}, fmt.Errorf("blueprint %s: quantity of %s: %w", v.Ref(), line.Price, err)
		}
		items = append(items, Item{Key: line.Price, Quantity: n, Name: line.Note})
	}
	e := l.Estimate("", o.Region, items)
	for _, n := range v.Meta.Cost.NotEstimated {
		e.NotEstimated = append(e.NotEstimated, n.Note)
	}
	return e, nil
}

// assumed is the profile of a size with what a person changed. A blueprint without sizes has its profile under S.
func assumed(m blueprint.Meta, size string, changed map[string]string) map[string]string {
	profile, ok := m.Cost.Usage[size]
	if !ok {
		profile = m.Cost.Usage["S"]
	}
	out := maps.Clone(profile)
	if out == nil {
		out = map[string]string{}
	}
	for key, amount := range changed {
		if amount = strings.TrimSpace(amount); amount != "" {
			out[key] = amount
		}
	}
	return out
}

// examples stand in for a needed text that has no default; the first that its pattern takes.
var examples = []string{"rate(1 day)", "example", "example.com", "10.0.0.0/16", "1"}

func withExamples(fields []blueprint.Field, typed map[string]string) map[string]string {
	out := maps.Clone(typed)
	if out == nil {
		out = map[string]string{}
	}
	for _, f := range fields {
		if !f.Required || f.Default != "" || strings.TrimSpace(out[f.Name]) != "" {
			continue
		}
		switch {
		case len(f.Choices) > 0:
			out[f.Name] = f.Choices[0].Value
		case f.Type == blueprint.NumberField && f.Min != nil:
			out[f.Name] = decimal.NewFromFloat(*f.Min).String()
		case f.Type == blueprint.TextField:
			out[f.Name] = exampleOf(f.Pattern)
		}
	}
	return out
}

func exampleOf(pattern string) string {
	re, err := regexp.Compile(pattern)
	for _, x := range examples {
		if err == nil && re.MatchString(x) {
			return x
		}
	}
	return ""
}

// otherAccount is an account number that AWS uses in its own examples.
const otherAccount = "111122223333"

// stoodIn are the template's parameters: what was chosen, and for the rest something of the right form. There are as many subnets as
// zones.
func stoodIn(m blueprint.Meta, o Order, chosen map[string]string) map[string]string {
	class := o.Class
	if o.Stage != "" {
		class = o.Stage.Class()
	}
	if class == "" {
		class = models.NonProd
	}
	arn := func(service, rest string) string {
		return fmt.Sprintf("arn:aws:%s:%s:%s:%s", service, o.Region, otherAccount, rest)
	}
	repository := fmt.Sprintf("%s.dkr.ecr.%s.amazonaws.com/slw-example/example", otherAccount, o.Region)
	given := map[string]string{
		"tenant.slug": "example", "tenant.cost_centre": "example", "class": string(class), "object.name": "example", "hibernated": "false", "peer.account": "",
		"environment.name": "example", "environment.stage": string(o.Stage), "environment.host": "example.example.com", "image": "",
		"service.name": "example", "service.RepositoryArn": arn("ecr", "repository/slw-example/example"), "service.RepositoryUri": repository,
		"service.KeyArn": arn("kms", "key/00000000-0000-4000-8000-000000000000"),
		"network.cidr":   "10.0.0.0/20", "network.VpcId": "vpc-00000000000000001", "network.VpcCidr": "10.0.0.0/20", "network.AvailabilityZones": o.Region + "a," + o.Region + "b",
		"network.PublicSubnetIds": "subnet-00000000000000001,subnet-00000000000000002", "network.PrivateSubnetIds": "subnet-00000000000000003,subnet-00000000000000004",
		"zone.name": "example.example.com", "zone.ZoneName": "example.example.com", "zone.HostedZoneId": "Z00000000000000000001", "zone.NameServers": "ns-1.example.com",
	}
	maps.Copy(given, delivery(arn))
	if o.Image {
		given["image"] = repository + "@sha256:" + strings.Repeat("0", 64)
	}
	out := maps.Clone(chosen)
	for name, source := range m.Given {
		value, known := given[source]
		switch {
		case known:
		case strings.HasSuffix(source, "TopicArn"):
			value = arn("sns", "example")
		case strings.HasSuffix(source, "KeyArn"):
			value = arn("kms", "key/00000000-0000-4000-8000-000000000001")
		default:
			value = "example"
		}
		out[name] = value
	}
	return out
}
