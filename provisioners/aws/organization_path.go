package aws

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"slipway/models"
)

// orgPolicy is a policy as it is attached somewhere above an account.
type orgPolicy struct {
	id, name string
	kind     orgtypes.PolicyType
	awsOwned bool
}

// words names the policy's type for people: "Service control policy".
func (p orgPolicy) words() string {
	return capital(strings.ToLower(strings.ReplaceAll(strings.TrimSuffix(string(p.kind), "_POLICY"), "_", " "))) + " policy"
}

// whole tells AWS's own policies that allow everything. They are a list of what is allowed, so that every level must have one.
func (p orgPolicy) whole() bool { return p.name == allAccess || p.name == allResources }

// orgPath is the way from a unit up to the root, with what is attached at each level.
type orgPath struct {
	units  []string // the unit itself first, the root last
	levels [][]orgPolicy
}

// policyTypes are the types of policies that the organization has switched on. Those that are off are attached to nothing.
func policyTypes(ctx context.Context, org *organizations.Client) ([]orgtypes.PolicyType, error) {
	out, err := org.ListRoots(ctx, &organizations.ListRootsInput{})
	if err != nil {
		return nil, err
	}
	var types []orgtypes.PolicyType
	for _, root := range out.Roots {
		for _, t := range root.PolicyTypes {
			if t.Status == orgtypes.PolicyTypeStatusEnabled && !slices.Contains(types, t.Type) {
				types = append(types, t.Type)
			}
		}
	}
	slices.Sort(types)
	return types, nil
}

// pathFrom walks from a unit to the root and reads every policy of every type on the way.
func pathFrom(ctx context.Context, org *organizations.Client, unit string, types []orgtypes.PolicyType) (orgPath, error) {
	var p orgPath
	for at := unit; ; {
		attached, err := attachedTo(ctx, org, at, types)
		if err != nil {
			return p, err
		}
		p.units, p.levels = append(p.units, at), append(p.levels, attached)
		if strings.HasPrefix(at, "r-") {
			return p, nil
		}
		if len(p.units) > unitDepth {
			return p, fmt.Errorf("organizational unit %s lies deeper than AWS allows", unit)
		}
		parent, err := parentOf(ctx, org, at)
		if err != nil {
			return p, err
		}
		at = sdk.ToString(parent.Id)
	}
}

func attachedTo(ctx context.Context, org *organizations.Client, target string, types []orgtypes.PolicyType) ([]orgPolicy, error) {
	var all []orgPolicy
	for _, kind := range types {
		pages := organizations.NewListPoliciesForTargetPaginator(org, &organizations.ListPoliciesForTargetInput{TargetId: &target, Filter: kind})
		for pages.HasMorePages() {
			out, err := pages.NextPage(ctx)
			if err != nil {
				return nil, err
			}
			for _, s := range out.Policies {
				all = append(all, orgPolicy{id: sdk.ToString(s.Id), name: sdk.ToString(s.Name), kind: kind, awsOwned: s.AwsManaged})
			}
		}
	}
	return all, nil
}

// inForce are the policies that count for an account below: each that is attached anywhere on the way, and of those that allow
// everything only what every level has.
func (p orgPath) inForce() map[orgPolicy]bool {
	force, levels := map[orgPolicy]bool{}, map[orgPolicy]int{}
	for _, level := range p.levels {
		for _, policy := range level {
			levels[policy]++
			force[policy] = true
		}
	}
	for policy := range force {
		if policy.whole() && levels[policy] < len(p.levels) {
			delete(force, policy)
		}
	}
	return force
}

// governed names the policies with which AWS Control Tower governs the path.
func (p orgPath) governed() []string {
	var names []string
	for _, level := range p.levels {
		for _, policy := range level {
			if strings.HasPrefix(policy.name, guardrailPrefix) {
				names = append(names, policy.name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// compare lists what an account gains and loses on its way from one path to another, and what stays, in an order that does not depend on AWS.
func (p orgPath) compare(to orgPath) (gained, lost, kept []orgPolicy) {
	before, after := p.inForce(), to.inForce()
	for policy := range after {
		if before[policy] {
			kept = append(kept, policy)
		} else {
			gained = append(gained, policy)
		}
	}
	for policy := range before {
		if !after[policy] {
			lost = append(lost, policy)
		}
	}
	for _, list := range [][]orgPolicy{gained, lost, kept} {
		slices.SortFunc(list, func(a, b orgPolicy) int {
			return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.name, b.name), cmp.Compare(a.id, b.id))
		})
	}
	return gained, lost, kept
}

// moved are the changes of a plan that a move between two paths means. They belong to the step that moves.
func moved(step string, from, to orgPath) []models.Change {
	gained, lost, _ := from.compare(to)
	var all []models.Change
	for _, p := range lost {
		note := "It no longer applies to the account."
		if p.whole() {
			note = "Not every level above the account has it any more: only what the others allow is allowed."
		}
		all = append(all, models.Change{Step: step, LogicalID: p.name, Type: p.words(), Action: models.Delete, Note: note, Properties: []models.PropertyChange{before("/PolicyId", p.id)}})
	}
	for _, p := range gained {
		all = append(all, models.Change{Step: step, LogicalID: p.name, Type: p.words(), Action: models.Add, Note: "It applies to everything in the account from then on.",
			Properties: []models.PropertyChange{after("/PolicyId", p.id)}})
	}
	return all
}

func before(path, value string) models.PropertyChange {
	return models.PropertyChange{Path: path, Before: &value}
}

const controlPolicy = orgtypes.PolicyTypeServiceControlPolicy
