package awssim

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
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

// templateText is the template a call brings: inline, by its place in S3, or the one before.
func (c *Call) templateText(ctx context.Context, body, link *string, previous string, usePrevious bool) (string, error) {
	switch {
	case usePrevious:
		if previous == "" {
			return "", invalid("No template is associated with this stack")
		}
		return previous, nil
	case body != nil && link != nil:
		return "", invalid("You may specify only one of TemplateBody or TemplateURL")
	case body != nil:
		if len(*body) > 51200 {
			return "", invalid("1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to 51200")
		}
		return *body, nil
	case link != nil:
		return c.templateAt(ctx, *link)
	}
	return "", invalid("Either Template URL or Template Body must be specified.")
}

// templateAt fetches a template from S3 with the caller's permission to read it. That the
// bucket's policy lets other accounts in is taken for granted.
func (c *Call) templateAt(ctx context.Context, link string) (string, error) {
	u, err := url.Parse(link)
	if err != nil {
		return "", invalid("TemplateURL must be a supported URL.")
	}
	bucket, _, virtual := strings.Cut(u.Hostname(), ".s3")
	key := strings.TrimPrefix(u.Path, "/")
	if !virtual {
		bucket, key, _ = strings.Cut(key, "/")
	}
	if bucket == "" || key == "" {
		return "", invalid("TemplateURL must be a supported URL.")
	}
	if err := c.mayAs(ctx, c.Principal, "s3:GetObject", "arn:aws:s3:::"+bucket+"/"+key, nil); err != nil {
		return "", invalid("S3 error: Access Denied\nFor more information check http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html")
	}
	text, ok, err := c.object(ctx, bucket, key)
	switch {
	case err != nil:
		return "", err
	case !ok:
		return "", invalid("S3 error: The specified key does not exist.\nFor more information check http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html")
	case len(text) > blueprint.MaxBytes:
		return "", invalid("Template may not exceed %d bytes in size.", blueprint.MaxBytes)
	}
	return string(text), nil
}

// parsed reads a template and refuses what AWS refuses at once.
func parsed(text string) (*blueprint.Template, error) {
	t, err := blueprint.Parse([]byte(text))
	if err != nil {
		return nil, invalid("Template format error: %v", err)
	}
	var unknown []string
	for _, r := range t.Resources {
		if _, ok := blueprint.Schema(r.Type); !ok {
			unknown = append(unknown, r.Type)
		}
	}
	if len(unknown) > 0 {
		return nil, invalid("Template format error: Unrecognized resource types: [%s]", strings.Join(unknown, ", "))
	}
	for _, p := range blueprint.Errors(t.Check()) {
		switch p.Rule {
		case "ref", "attribute", "depends-on", "condition", "mapping", "function", "circle", "condition-circle":
			return nil, invalid("Template error: %s: %s", p.Path, p.Message)
		}
	}
	return t, nil
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
	t, err := blueprint.Parse([]byte(d.Template))
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
