package aws

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"slipway/models"
	"slipway/models/blueprint"
	"slipway/provisioners"
)

// order is what a request asks of one stack, before CloudFormation is asked what it would do.
type order struct {
	object                           // its part holds all but the changes
	version  blueprint.Version       // what it is to be made of
	template *blueprint.Template     // of that version
	usage    map[string]string       // changes to the usage assumption
	was      *models.Stack           // as Slipway knows it; nil: there is no row yet
	wasUsage map[string]string       // what the present estimate rests on
	row      []models.PropertyChange // what changes in Slipway's own row
	also     []models.Change         // what is done beside the stack, by steps of their own
	notes    []string
}

// planned is the outcome of planning one stack.
type planned struct {
	part     models.PlanPart
	problems []models.PlanProblem
}

// plan asks CloudFormation what it would do, by a change set that is made once per request and planning. While AWS works it out the
// request waits, and asks again.
func (o order) plan(ctx context.Context, p provisioners.Planning) (planned, error) {
	s := o.stackFor(askedBy(p))
	st, err := s.describe(ctx)
	if err != nil {
		return planned{}, err
	}
	out := planned{part: o.part}
	switch kind, err := o.possible(st); {
	case err != nil:
		return out, err
	case kind == "":
		expected, err := o.expected()
		out.part.Changes = append(expected, o.rowChange()...)
		return out, err
	default:
		set, err := o.workedOut(ctx, p, s, kind)
		if err != nil {
			return out, err
		}
		if out.problems, err = o.problems(ctx, s, set); err != nil {
			return out, err
		}
		if nothing(set) {
			out.part.Changes = append(o.existing(), o.rowChange()...)
			return out, nil
		}
		if set.Status != cfn.ChangeSetStatusCreateComplete {
			return out, o.refused(set, out.problems)
		}
		out.part.Changes = append(changesOf(set, o.step(stepObjectStack)), o.rowChange()...)
		return out, nil
	}
}

func askedBy(p provisioners.Planning) who {
	return who{person: p.Request.RequesterID, job: p.Request.ID}
}

// possible says which type of change set the stack takes as it stands; none where an earlier attempt left a husk that the run removes
// first.
func (o order) possible(st *cfn.Stack) (cfn.ChangeSetType, error) {
	creating := o.part.Mode == models.StackCreate
	switch {
	case st == nil && creating:
		return cfn.ChangeSetTypeCreate, nil
	case st == nil:
		return "", finalf("The stack %s of %s is not in account %s any more.", "Somebody deleted it outside of Slipway. Delete the %s here too, then order it anew.", o.part.StackName, o.words(), o.part.Account)
	case st.StackStatus == cfn.StackStatusReviewInProgress:
		return cfn.ChangeSetTypeCreate, nil
	}
	if err := o.foreign(st); err != nil {
		return "", err
	}
	switch status := st.StackStatus; {
	case strings.HasSuffix(string(status), "_IN_PROGRESS"):
		return "", provisioners.Wait{For: "AWS", Words: fmt.Sprintf("CloudFormation to end what it is doing with stack %s (%s)", o.part.StackName, status)}
	case husk(status) && creating:
		return "", nil
	case husk(status):
		return "", finalf("%s never came up: its stack is %s.", "Delete it, then order it anew.", capital(o.words()), status)
	case status == cfn.StackStatusUpdateRollbackFailed:
		return "", provisioners.Final{Failure: stuck(o.object, nil)}
	}
	return cfn.ChangeSetTypeUpdate, nil
}

// husk tells a stack that a failed creation or deletion left: nothing can be done with it but to delete it.
func husk(status cfn.StackStatus) bool {
	switch status {
	case cfn.StackStatusRollbackComplete, cfn.StackStatusRollbackFailed, cfn.StackStatusCreateFailed, cfn.StackStatusDeleteFailed:
		return true
	}
	return false
}

// foreign refuses a stack of that name that is not this object's.
func (o object) foreign(st *cfn.Stack) error {
	tag, own := models.TagObject, o.id()
	if o.typ == models.TenantObject { // a baseline carries no object's tag
		tag, own = models.TagTenant, o.tenant()
	}
	if owner := tagOf(st.Tags, tag); owner != own && st.StackStatus != cfn.StackStatusReviewInProgress {
		return finalf("Account %s holds a stack %s that does not belong to %s (its tag %s is %q).", "Find out whose it is and remove it, then try again.",
			o.part.Account, o.part.StackName, o.words(), tag, owner)
	}
	return nil
}

// planSet is the name of a request's change set: each time it enters planning it gets one of its own, and a repetition finds it again.
func planSet(req models.Request) string {
	return planSetPrefix + strings.ReplaceAll(req.ID, "-", "") + "-" + strconv.FormatInt(req.StateSince.UnixMilli(), 36)
}

const planSetPrefix = "slw-p-"

// workedOut makes the change set of this planning, unless it is there, and waits until CloudFormation has worked it out.
func (o order) workedOut(ctx context.Context, p provisioners.Planning, s stack, kind cfn.ChangeSetType) (*cloudformation.DescribeChangeSetOutput, error) {
	name := planSet(p.Request)
	set, err := s.changeSet(ctx, name)
	if err != nil {
		return nil, err
	}
	if set == nil {
		row := models.ChangeSet{RequestID: p.Request.ID, Account: s.account, Region: s.region, StackName: s.name, Name: name, Type: string(kind)}
		if err := o.make(ctx, s, row, o.version.Template); err != nil {
			return nil, err
		}
		if set, err = s.changeSet(ctx, name); err != nil {
			return nil, err
		}
	}
	if set == nil || set.Status == cfn.ChangeSetStatusCreatePending || set.Status == cfn.ChangeSetStatusCreateInProgress {
		return nil, provisioners.Wait{For: "AWS", Words: "CloudFormation to work out what would change in stack " + s.name}
	}
	if !o.madeOf(set) { // what it stands on became other values between two looks
		if err := o.drop(ctx, p.Request.ID, s, name, string(kind)); err != nil {
			return nil, err
		}
		return nil, provisioners.Wait{For: "AWS", Words: "CloudFormation to work out anew what would change in stack " + s.name}
	}
	return set, nil
}

// madeOf tells whether a change set was made of the part's template and parameters.
func (o object) madeOf(set *cloudformation.DescribeChangeSetOutput) bool {
	have := map[string]string{}
	for _, p := range set.Parameters {
		have[sdk.ToString(p.ParameterKey)] = sdk.ToString(p.ParameterValue)
	}
	return maps.Equal(have, o.part.Parameters) && sdk.ToString(set.Description) == o.description()
}

// description of a change set names the template, which CloudFormation does not give back.
func (o object) description() string { return "Slipway: template " + o.part.TemplateHash }

// drop deletes a change set that may not be executed.
func (o object) drop(ctx context.Context, requestID string, s stack, name, kind string) error {
	row := models.ChangeSet{RequestID: requestID, Account: s.account, Region: s.region, StackName: s.name, Name: name, Type: kind}
	if err := o.clients.DeleteChangeSet(ctx, row); err != nil {
		return err
	}
	return o.books.EndedChangeSet(ctx, row, "deleted")
}

// make makes a change set of what the part says; the owner row comes first, so that a sweeper finds what nobody needs any more.
func (o object) make(ctx context.Context, s stack, row models.ChangeSet, template []byte) error {
	if err := o.books.MadeChangeSet(ctx, row); err != nil {
		return err
	}
	body, address, err := o.clients.templateSource(ctx, template)
	if err != nil {
		return err
	}
	in := &cloudformation.CreateChangeSetInput{StackName: &s.name, ChangeSetName: &row.Name, ClientToken: &row.Name, ChangeSetType: cfn.ChangeSetType(row.Type),
		TemplateBody: body, TemplateURL: address, RoleARN: sdk.String(o.clients.roleARN(s.account, "cfn-exec")), Capabilities: []cfn.Capability{cfn.CapabilityCapabilityNamedIam},
		Description: sdk.String(o.description()), Tags: tagList(o.part.Tags), Parameters: parameterList(o.part.Parameters)}
	if o.part.Mode == models.StackRevert {
		in.DeploymentMode = cfn.DeploymentModeRevertDrift
	}
	_, err = s.client().CreateChangeSet(ctx, in)
	if is(err, "AlreadyExistsException") {
		return nil // made by the call before this one
	}
	return err
}

// nothing tells a change set that failed because there is nothing to change: AWS has no other word for it.
func nothing(set *cloudformation.DescribeChangeSetOutput) bool {
	why := sdk.ToString(set.StatusReason)
	return set.Status == cfn.ChangeSetStatusFailed && (strings.Contains(why, "didn't contain changes") || strings.Contains(why, "No updates are to be performed"))
}

// expected are the additions by the template itself, where no change set can be made before a husk is removed.
func (o order) expected() ([]models.Change, error) {
	var all []models.Change
	resolved, err := o.resolve()
	if err != nil {
		return nil, err
	}
	for _, c := range blueprint.Diff(nil, resolved) {
		ch := models.Change{Step: o.step(stepObjectStack), LogicalID: c.ID, Type: c.Type, Action: models.Add}
		for _, prop := range c.Details {
			ch.Properties = append(ch.Properties, after(prop.Path, text(blueprint.ReplaceUnknown(prop.After, unknownUntilMade))))
		}
		all = append(all, ch)
	}
	return all, nil
}

// existing names the stack when there is nothing to change in it.
func (o order) existing() []models.Change {
	return []models.Change{{Step: o.step(stepObjectStack), LogicalID: o.part.StackName, Type: "AWS::CloudFormation::Stack", Action: models.Exists,
		Note: "CloudFormation has nothing to change: the stack is as it would be."}}
}

// rowChange is what changes beside the stack: by other steps, and in Slipway's own row.
func (o order) rowChange() []models.Change {
	if len(o.row) == 0 {
		return o.also
	}
	return append(slices.Clone(o.also), models.Change{Step: o.step(stepObjectOutcome), LogicalID: "Settings", Type: "Settings in Slipway", Action: models.Modify, Properties: o.row})
}

// resolve works the template out as far as it can be known before it is made.
func (o order) resolve() (*blueprint.Resolved, error) {
	return o.template.Resolve(blueprint.Inputs{Parameters: o.part.Parameters, Account: o.part.Account, Region: o.part.Region, StackName: o.part.StackName,
		Tags: o.part.Tags, Masked: true, Partition: o.clients.partition})
}

func parameterList(values map[string]string) []cfn.Parameter {
	var list []cfn.Parameter
	for _, k := range sortedKeys(values) {
		list = append(list, cfn.Parameter{ParameterKey: sdk.String(k), ParameterValue: sdk.String(values[k])})
	}
	return list
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
