package awssim

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"slipway/models/blueprint"
)

const cloudformation = "cloudformation"

func cloudformationOperations() []operation {
	return slices.Concat(
		[]operation{
			handle(cloudformation, "CreateChangeSet", createChangeSet),
			handle(cloudformation, "DescribeChangeSet", describeChangeSet),
			handle(cloudformation, "ListChangeSets", listChangeSets),
			handle(cloudformation, "DeleteChangeSet", deleteChangeSet),
			handle(cloudformation, "ExecuteChangeSet", executeChangeSet),
			handle(cloudformation, "DeleteStack", deleteStack),
			handle(cloudformation, "ContinueUpdateRollback", continueUpdateRollback),
			handle(cloudformation, "CancelUpdateStack", cancelUpdateStack),
			handle(cloudformation, "RollbackStack", rollbackStack),
			handle(cloudformation, "UpdateTerminationProtection", updateTerminationProtection),
		},
		stackReads(),
		driftOperations(),
		stackSetOperations(),
	)
}

var (
	stackNameForm = regexp.MustCompile(`^[a-zA-Z][-a-zA-Z0-9]{0,127}$`)
	stackIDForm   = regexp.MustCompile(`^arn:[-a-zA-Z0-9:/._+]+$`)
)

func stackARN(region, account, rest string) string {
	return arn(cloudformation, region, account, "stack/"+rest)
}

// findStack looks for a stack by name or id in the caller's account and region, after asking
// whether the caller may. A deleted one is found by its id only.
func (c *Call) findStack(ctx context.Context, nameOrID *string, k keys) (*cfnStack, error) {
	given := aws.ToString(nameOrID)
	if given == "" {
		return nil, invalid("1 validation error detected: Value null at 'stackName' failed to satisfy constraint: Member must not be null")
	}
	if !stackNameForm.MatchString(given) && !stackIDForm.MatchString(given) {
		return nil, invalid(`1 validation error detected: Value '%s' at 'stackName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*|arn:[-a-zA-Z0-9:/._+]*`, given)
	}
	where, resource := `account = $1 AND region = $2 AND name = $3 AND status <> 'DELETE_COMPLETE'`, stackARN(c.Region, c.Account, given+"/*")
	if strings.HasPrefix(given, "arn:") {
		where, resource = `account = $1 AND region = $2 AND id = $3`, given
	}
	all, err := c.stacks(ctx, where, c.Account, c.Region, given)
	if err != nil {
		return nil, err
	}
	if len(all) > 0 {
		resource = all[0].ID
	}
	if err := c.may(ctx, resource, k); err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, invalid("Stack with id %s does not exist", given)
	}
	return all[0], nil
}

// busy refuses a change of a stack that is changing.
func (s *cfnStack) busy() error {
	if strings.HasSuffix(s.Status, "_IN_PROGRESS") && s.Status != "REVIEW_IN_PROGRESS" {
		return invalid("Stack:%s is in %s state and can not be updated.", s.ID, s.Status)
	}
	return nil
}

// givenParameters reads the values of a call; UsePreviousValue takes the stack's.
func givenParameters(t *blueprint.Template, in []cfntypes.Parameter, previous map[string]string) (map[string]string, error) {
	out := map[string]string{}
	for _, p := range in {
		name := aws.ToString(p.ParameterKey)
		if _, ok := t.Parameter(name); !ok {
			return nil, invalid("Parameters: [%s] do not exist in the template", name)
		}
		if _, twice := out[name]; twice {
			return nil, invalid("Duplicate ParameterKeys not allowed: %s", name)
		}
		if aws.ToBool(p.UsePreviousValue) {
			v, ok := previous[name]
			if !ok {
				return nil, invalid("Invalid input for parameter key %s. Cannot specify usePreviousValue as true for a parameter key not in the previous template", name)
			}
			out[name] = v
			continue
		}
		out[name] = aws.ToString(p.ParameterValue)
	}
	var without []string
	for _, p := range t.Parameters {
		if _, given := out[p.Name]; !given && p.Default == nil {
			without = append(without, p.Name)
		}
	}
	if len(without) > 0 {
		return nil, invalid("Parameters: [%s] must have values", strings.Join(without, ", "))
	}
	return out, nil
}

func givenTags(in []cfntypes.Tag) (map[string]string, error) {
	if len(in) > 50 {
		return nil, invalid("1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50")
	}
	out := map[string]string{}
	for _, t := range in {
		key := aws.ToString(t.Key)
		if !tagKeyForm.MatchString(key) || !tagValueForm.MatchString(aws.ToString(t.Value)) || strings.HasPrefix(strings.ToLower(key), "aws:") {
			return nil, invalid("The tag %q is not valid.", key)
		}
		out[key] = aws.ToString(t.Value)
	}
	return out, nil
}

func cfnTags(tags map[string]string) []cfntypes.Tag {
	var out []cfntypes.Tag
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		out = append(out, cfntypes.Tag{Key: aws.String(k), Value: aws.String(tags[k])})
	}
	return out
}

// shownParameters are all parameters of a definition, defaults too, secrets hidden.
func shownParameters(d cfnDefinition) []cfntypes.Parameter {
	t, err := d.template()
	if err != nil {
		return nil // a stack under review has no template yet
	}
	var out []cfntypes.Parameter
	for _, p := range t.Parameters {
		v, given := d.Parameters[p.Name]
		if !given && p.Default != nil {
			v = *p.Default
		}
		if p.NoEcho {
			v = "****"
		}
		out = append(out, cfntypes.Parameter{ParameterKey: aws.String(p.Name), ParameterValue: aws.String(v)})
	}
	return out
}

// serviceRole is who a stack's resources are made by: the role it is given, which must trust
// CloudFormation, or the caller.
func (c *Call) serviceRole(ctx context.Context, roleARN string, stack string) (Principal, error) {
	if roleARN == "" {
		return c.Principal, nil
	}
	k := keys{"iam:PassedToService": {"cloudformation.amazonaws.com"}}
	if err := c.mayAs(ctx, c.Principal, "iam:PassRole", roleARN, k); err != nil {
		return Principal{}, err
	}
	cannot := invalid("Role %s is invalid or cannot be assumed", roleARN)
	account, path, name, ok := splitRoleARN(roleARN)
	if !ok || account != c.Account {
		return Principal{}, cannot
	}
	role, ok, err := c.role(ctx, account, name)
	if err != nil || !ok || role.Path != path || c.Now.Before(role.UsableAfter) {
		return Principal{}, orElse(err, cannot)
	}
	p := asRole(account, path, name, "AWSCloudFormation", "cloudformation.amazonaws.com")
	trust, err := parsePolicy(role.TrustPolicy)
	if err != nil {
		return Principal{}, fmt.Errorf("trust policy of %s: %w", roleARN, err)
	}
	q := c.question(p, "sts:AssumeRole", roleARN, keys{"aws:SourceAccount": {account}, "aws:SourceArn": {stack}})
	if says, _ := trust.trust(q); says != allows {
		return Principal{}, cannot
	}
	return p, nil
}

func notFoundChangeSet(name string) error {
	return refuse(http.StatusNotFound, "ChangeSetNotFound", "ChangeSet [%s] does not exist", name)
}
