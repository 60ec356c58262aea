package aws

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"slipway/models"
)

// unknownUntilMade is how CloudFormation writes a value that it knows only once the change is made.
const unknownUntilMade = "{{changeSet:KNOWN_AFTER_APPLY}}"

// ownStack stands for the stack's own id, which is another one each time the stack is made: what is approved must not depend on it.
const ownStack = "{{this stack}}"

// severity is the order in which a plan shows what it does to things.
var severity = map[models.Action]int{models.Delete: 0, models.Replace: 1, models.Modify: 2, models.Add: 3, models.Exists: 4}

// changesOf says what a change set would do as a plan shows it, in an order that does not depend on AWS: what destroys first.
func changesOf(set *cloudformation.DescribeChangeSetOutput, step string) []models.Change {
	own := strings.NewReplacer(sdk.ToString(set.StackId), ownStack)
	if sdk.ToString(set.StackId) == "" {
		own = strings.NewReplacer()
	}
	var all []models.Change
	for _, c := range set.Changes {
		if r := c.ResourceChange; r != nil {
			all = append(all, changeOf(r, step, own))
		}
	}
	slices.SortFunc(all, func(a, b models.Change) int {
		return cmp.Or(cmp.Compare(severity[a.Action], severity[b.Action]), cmp.Compare(a.LogicalID, b.LogicalID))
	})
	return all
}

func changeOf(r *cfn.ResourceChange, step string, own *strings.Replacer) models.Change {
	ch := models.Change{Step: step, LogicalID: sdk.ToString(r.LogicalResourceId), Type: sdk.ToString(r.ResourceType), Replacement: string(r.Replacement)}
	switch r.Action {
	case cfn.ChangeActionAdd:
		ch.Action = models.Add
		ch.Properties = contextOf(r.AfterContext, own, func(v *string) models.PropertyChange { return models.PropertyChange{After: v} })
	case cfn.ChangeActionRemove:
		ch.Action = models.Delete
		ch.Note = removed(ch.Type, r.PolicyAction)
	case cfn.ChangeActionImport:
		ch.Action, ch.Note = models.Add, "It exists already and is taken into the stack."
	default:
		ch.Action = models.Modify
		ch.Properties = detailsOf(r.Details, own)
		switch {
		case r.Replacement == cfn.ReplacementTrue:
			ch.Action, ch.Note = models.Replace, replaced(ch.Type, r.PolicyAction)
		case r.Replacement == cfn.ReplacementConditional:
			ch.Note = "It may be replaced, which CloudFormation decides while it changes. " + replaced(ch.Type, r.PolicyAction)
		case r.Action == cfn.ChangeActionDynamic:
			ch.Note = "CloudFormation decides while it works whether this has to change."
		case r.ResourceDriftStatus == cfn.StackResourceDriftStatusDeleted:
			ch.Note = "It was deleted outside of Slipway and is made again."
		}
	}
	return ch
}

// contextOf lists the top-level properties that AWS states of a resource.
func contextOf(context *string, own *strings.Replacer, side func(*string) models.PropertyChange) []models.PropertyChange {
	if context == nil {
		return nil
	}
	var stated struct {
		Properties map[string]json.RawMessage `json:"Properties"`
	}
	if err := json.Unmarshal([]byte(*context), &stated); err != nil {
		return []models.PropertyChange{side(sdk.String(own.Replace(*context)))} // said as it stands, rather than hidden
	}
	var list []models.PropertyChange
	for name, raw := range stated.Properties {
		p := side(sdk.String(own.Replace(plain(raw))))
		p.Path = "/Properties/" + name
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b models.PropertyChange) int { return cmp.Compare(a.Path, b.Path) })
	return list
}

// plain is a JSON value as a plan shows it: text without quotes, anything else compact with sorted keys.
func plain(raw json.RawMessage) string {
	var v any
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return string(raw)
	}
	return text(v)
}

// detailsOf lists the properties of a change, each once: AWS names one that has two causes twice.
func detailsOf(details []cfn.ResourceChangeDetail, own *strings.Replacer) []models.PropertyChange {
	var list []models.PropertyChange
	for _, d := range details {
		t := d.Target
		if t == nil {
			continue
		}
		path := sdk.ToString(t.Path)
		if path == "" {
			path = strings.TrimRight("/"+string(t.Attribute)+"/"+sdk.ToString(t.Name), "/")
		}
		p := models.PropertyChange{Path: path, Before: known(t.BeforeValue, own), After: known(t.AfterValue, own)}
		if p.After == nil && d.Evaluation == cfn.EvaluationTypeDynamic && t.AttributeChangeType != cfn.AttributeChangeTypeRemove {
			p.After = sdk.String(unknownUntilMade)
		}
		if i := slices.IndexFunc(list, func(o models.PropertyChange) bool { return o.Path == path }); i >= 0 {
			if list[i].After == nil || *list[i].After == unknownUntilMade {
				list[i] = p
			}
			continue
		}
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b models.PropertyChange) int { return cmp.Compare(a.Path, b.Path) })
	return list
}

func known(v *string, own *strings.Replacer) *string {
	if v == nil {
		return nil
	}
	return sdk.String(own.Replace(*v))
}

// held is what goes with a resource of a type when it goes, in words.
var held = map[string]string{
	"AWS::S3::Bucket":                           "the objects in it",
	"AWS::Logs::LogGroup":                       "the logs in it",
	"AWS::KMS::Key":                             "the use of everything that is encrypted with it, once its waiting time is over",
	"AWS::ECR::Repository":                      "the images in it",
	"AWS::SecretsManager::Secret":               "its value",
	"AWS::SQS::Queue":                           "the messages in it",
	"AWS::Route53::HostedZone":                  "its name servers, and so every name in it until it is delegated anew",
	"AWS::EC2::EIP":                             "its address, which others may have allowed",
	"AWS::EC2::NatGateway":                      "the connections that go through it",
	"AWS::EC2::VPC":                             "everything that lives in it",
	"AWS::ElasticLoadBalancingV2::LoadBalancer": "the connections that go through it",
	"AWS::ECS::Service":                         "its running tasks",
	"AWS::ECS::Cluster":                         "what runs in it",
	"AWS::CloudFront::Distribution":             "its host name",
	"AWS::CloudWatch::Dashboard":                "",
}

// removed is the consequence of a removal in words.
func removed(typ string, policy cfn.PolicyAction) string {
	switch policy {
	case cfn.PolicyActionRetain:
		return "It leaves the stack and stays in the account, where it goes on costing what it costs."
	case cfn.PolicyActionSnapshot:
		return "It is deleted; a snapshot of what it holds stays."
	}
	if what := held[typ]; what != "" {
		return "It is deleted, and with it " + what + "."
	}
	return "It is deleted."
}

// replaced is the consequence of a replacement in words.
func replaced(typ string, policy cfn.PolicyAction) string {
	fate := "then the old one is deleted"
	switch policy {
	case cfn.PolicyActionReplaceAndRetain:
		return "A new one is made; the old one leaves the stack and stays in the account, where it goes on costing what it costs."
	case cfn.PolicyActionReplaceAndSnapshot:
		fate += "; a snapshot of what it holds stays"
	default:
		if what := held[typ]; what != "" {
			fate += ", and with it " + what
		}
	}
	return fmt.Sprintf("A new one is made under another id, %s.", fate)
}

// differences says how what would be done differs from what was approved; empty when it may be done. Whatever is done must have been
// approved: the same thing, type and action, and each property's value after. whole asks that everything approved is done as well; a
// retry may find some of it done. The values of additions are not compared again: they follow from the template and the parameters,
// which are part of what was approved and from which the change set was made.
func differences(would, approved []models.Change, whole bool) string {
	want := map[string]models.Change{}
	for _, ch := range approved {
		if ch.Action != models.Exists {
			want[ch.LogicalID] = ch
		}
	}
	var said []string
	for _, ch := range would {
		a, ok := want[ch.LogicalID]
		switch {
		case !ok || a.Type != ch.Type || a.Action != ch.Action || a.Replacement != ch.Replacement:
			said = append(said, "the change set would "+deed(ch)+", the plan does not")
		case ch.Action != models.Add:
			said = append(said, values(ch, a)...)
		}
		if ok && a.Type == ch.Type && a.Action == ch.Action {
			delete(want, ch.LogicalID)
		}
	}
	if whole {
		for _, a := range want {
			said = append(said, "the plan would "+deed(a)+", the change set does not")
		}
	}
	slices.Sort(said)
	if len(said) > 5 {
		said = append(said[:5], fmt.Sprintf("and %d more", len(said)-5))
	}
	return strings.Join(said, "; ")
}

// values says which properties would get another value than was approved. What was known only later when it was approved may have any.
func values(would, approved models.Change) []string {
	var said []string
	for _, p := range would.Properties {
		i := slices.IndexFunc(approved.Properties, func(a models.PropertyChange) bool { return a.Path == p.Path })
		switch {
		case i < 0:
			said = append(said, fmt.Sprintf("the change set would change %s of %s, the plan does not", p.Path, would.LogicalID))
		case !sameValue(p.After, approved.Properties[i].After):
			said = append(said, fmt.Sprintf("the change set would set %s of %s to %s, the plan to %s", p.Path, would.LogicalID, shown(p.After), shown(approved.Properties[i].After)))
		}
	}
	return said
}

func sameValue(would, approved *string) bool {
	if would == nil || approved == nil {
		return would == approved
	}
	return *would == *approved || strings.Contains(*approved, unknownUntilMade)
}

func shown(v *string) string {
	if v == nil {
		return "nothing"
	}
	return clip(*v, 80)
}

// deed is a change in words that logs and reasons keep: "add Analyzer (AWS::AccessAnalyzer::Analyzer)".
func deed(ch models.Change) string {
	verb := map[models.Action]string{models.Delete: "remove", models.Replace: "replace", models.Modify: "modify", models.Add: "add"}[ch.Action]
	return fmt.Sprintf("%s %s (%s)", verb, ch.LogicalID, ch.Type)
}
