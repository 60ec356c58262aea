package blueprint

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// fixedOutputs are what others take from a stack by name: of every network, and of the supporting blueprints.
var fixedOutputs = map[string][]string{
	string(KindNetwork): {"VpcId", "VpcCidr", "PublicSubnetIds", "PrivateSubnetIds", "AvailabilityZones"},
	"hosted-zone":       {"HostedZoneId", "ZoneName", "NameServers"},
	"image-repository":  {"RepositoryName", "RepositoryUri", "RepositoryArn", "KeyArn"},
	"tenant-baseline":   {"AlarmTopicArn", "BaselineKeyArn"},
}

// named checks that the outputs, resources and words that the description names are there.
func (a *agreement) named() {
	declared := map[string]bool{}
	for _, o := range a.t.Outputs {
		declared[o.Name] = true
		if strings.TrimSpace(a.Outputs[o.Name]) == "" {
			a.tell("output", "outputs", "output %s of the template has no words here", o.Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a.Outputs)) {
		if !declared[name] {
			a.tell("output", "outputs."+name, "the template has no output %s", name)
		}
	}
	for i, name := range a.Endpoints {
		if !declared[name] {
			a.tell("output", fmt.Sprintf("endpoints[%d]", i), "the template has no output %s", name)
		}
	}
	must := fixedOutputs[a.ID]
	if a.Kind == KindNetwork {
		must = fixedOutputs[string(KindNetwork)]
	}
	for _, name := range must {
		if !declared[name] {
			a.tell("output", "outputs", "others take output %s from this blueprint, but the template has none", name)
		}
	}
	a.secrets()
	for i, c := range a.Controls {
		a.resource(fmt.Sprintf("controls[%d]", i), c.Resource)
		if c.ID == "" || c.Title == "" {
			a.tell("words", fmt.Sprintf("controls[%d]", i), "a control has an id and a title")
		}
	}
	for i, g := range a.Gates {
		if g.Gate == "" || g.How == "" {
			a.tell("words", fmt.Sprintf("gates[%d]", i), "a gate has a name and says how it is met")
		}
	}
}

// secrets checks that exactly the secrets that are made empty are listed for a person to fill.
func (a *agreement) secrets() {
	empty := map[string]bool{}
	for _, r := range a.t.Resources {
		if r.Type == "AWS::SecretsManager::Secret" && r.given("GenerateSecretString") == nil {
			empty[r.ID] = true
			if !slices.Contains(a.Secrets, r.ID) {
				a.tell("secret", "secrets", "secret %s is made empty, so it must be listed: a person has to fill it", r.ID)
			}
		}
	}
	for i, id := range a.Secrets {
		if !empty[id] {
			a.tell("secret", fmt.Sprintf("secrets[%d]", i), "%s is no secret that is made empty", id)
		}
	}
}

func (a *agreement) resource(path, id string) {
	if _, ok := a.t.Resource(id); !ok {
		a.tell("resource", path, "the template has no resource %q", id)
	}
}

var quantityForm = regexp.MustCompile(`^[0-9]{1,9}(\.[0-9]{1,6})?$`)

func (a *agreement) cost() {
	for i, l := range a.Cost.Fixed {
		path := fmt.Sprintf("cost.fixed[%d]", i)
		a.resource(path, l.Resource)
		if l.Price == "" || !quantityForm.MatchString(l.Quantity) {
			a.tell("cost", path, "names a price and a quantity, a decimal number")
		}
	}
	for i, l := range a.Cost.NotEstimated {
		path := fmt.Sprintf("cost.notEstimated[%d]", i)
		a.resource(path, l.Resource)
		if l.Note == "" {
			a.tell("cost", path, "says what is not estimated")
		}
	}
	var sizes []string
	if fields, err := a.Fields(); err == nil {
		if i := slices.IndexFunc(fields, func(f Field) bool { return f.Name == "Size" }); i >= 0 {
			for _, c := range fields[i].Choices {
				sizes = append(sizes, c.Value)
			}
		}
	}
	for _, size := range sizes {
		if a.Cost.Usage[size] == nil {
			a.tell("cost", "cost.usage", "states no usage for size %s", size)
		}
	}
	for _, size := range slices.Sorted(maps.Keys(a.Cost.Usage)) {
		if len(sizes) > 0 && !slices.Contains(sizes, size) {
			a.tell("cost", "cost.usage."+size, "%s is no size", size)
		}
		for _, key := range slices.Sorted(maps.Keys(a.Cost.Usage[size])) {
			path := "cost.usage." + size + "." + key
			if a.usageKeys != nil && !slices.Contains(a.usageKeys, key) {
				a.tell("cost", path, "there is no usage %q; there are %s", key, oneOf(a.usageKeys))
			}
			if !quantityForm.MatchString(a.Cost.Usage[size][key]) {
				a.tell("cost", path, "must be a decimal number")
			}
		}
	}
}
