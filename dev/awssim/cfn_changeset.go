package awssim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"slipway/models/blueprint"
)

// cfnChangeSet is a change set. All of it is worked out when it is asked for; callers see
// it under way until Due.
type cfnChangeSet struct {
	ID, Name, Description string
	Stack, StackName      string
	Type                  string // CREATE or UPDATE
	Status, Reason        string // at Due
	Execution             string // at Due
	Due, Created          time.Time
	Definition            cfnDefinition
	RoleARN               string
	RunAs                 Principal
	OnFailure             string
	Token                 string
	Changes               []blueprint.ResourceChange
	Before, After         map[string]map[string]any // properties by logical id, secrets hidden
	Physical              map[string]string
	Operation             string                    // whose events hold what the checks found
	Mode                  string                    // REVERT_DRIFT, or empty
	Previous              map[string]map[string]any // as last deployed, where Before is what there really is
	Drift                 map[string]string         // status by logical id
}

const revertDrift = "REVERT_DRIFT"

// shown are status and execution status as of now.
func (cs *cfnChangeSet) shown(now time.Time) (status, execution, reason string) {
	if now.Before(cs.Due) {
		return "CREATE_IN_PROGRESS", "UNAVAILABLE", ""
	}
	return cs.Status, cs.Execution, cs.Reason
}

const (
	changeSetTakes = 6 * time.Second
	noChanges      = "The submitted information didn't contain changes. Submit different information to create a change set."
)

var changeSetForm = regexp.MustCompile(`^[a-zA-Z][-a-zA-Z0-9]{0,127}$`)

func createChangeSet(ctx context.Context, c *Call, in *cfn.CreateChangeSetInput) (*cfn.CreateChangeSetOutput, error) {
	name, stackName := aws.ToString(in.ChangeSetName), aws.ToString(in.StackName)
	k := keys{"cloudformation:ChangeSetName": one(name), "cloudformation:RoleArn": one(aws.ToString(in.RoleARN)), "cloudformation:TemplateUrl": one(aws.ToString(in.TemplateURL))}
	tags, err := givenTags(in.Tags)
	if err != nil {
		return nil, err
	}
	for key, value := range tags {
		k["aws:RequestTag/"+key] = []string{value}
		k["aws:TagKeys"] = append(k["aws:TagKeys"], key)
	}
	s, err := c.findStack(ctx, in.StackName, k)
	var absent *APIError
	if err != nil && (!errors.As(err, &absent) || !strings.HasSuffix(absent.Message, "does not exist")) {
		return nil, err
	}
	if !changeSetForm.MatchString(name) {
		return nil, invalid("1 validation error detected: Value '%s' at 'changeSetName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*", name)
	}
	if err := unplayed(in); err != nil {
		return nil, err
	}
	kind := string(in.ChangeSetType)
	if kind == "" {
		kind = "UPDATE"
	}
	if s != nil {
		if out, err := c.again(ctx, s, in); out != nil || err != nil {
			return out, err
		}
	}
	switch {
	case kind == "CREATE" && s != nil && s.Status != "REVIEW_IN_PROGRESS":
		return nil, invalid("Stack [%s] already exists and cannot be created again with the changeSet [%s].", s.Name, name)
	case kind == "UPDATE" && s == nil:
		return nil, invalid("Stack [%s] does not exist", stackName)
	case kind == "UPDATE" && s.Status == "REVIEW_IN_PROGRESS":
		return nil, invalid("Stack [%s] does not exist", stackName)
	case kind == "UPDATE" && (s.Status == "ROLLBACK_COMPLETE" || strings.HasSuffix(s.Status, "_FAILED")):
		return nil, invalid("Stack:%s is in %s state and can not be updated.", s.ID, s.Status)
	}
	if s == nil {
		if s, err = c.reviewStack(ctx, stackName); err != nil {
			return nil, err
		}
	}
	if err := s.busy(); err != nil {
		return nil, err
	}
	cs := &cfnChangeSet{Name: name, Stack: s.ID, StackName: s.Name, Type: kind, Description: aws.ToString(in.Description), Created: c.Now,
		RoleARN: aws.ToString(in.RoleARN), OnFailure: string(in.OnStackFailure), Token: aws.ToString(in.ClientToken), Mode: string(in.DeploymentMode)}
	cs.ID = arn(cloudformation, s.Region, s.Account, "changeSet/"+name+"/"+newRequestID())
	if err := c.fillChangeSet(ctx, s, cs, in, tags); err != nil {
		return nil, err
	}
	if err := c.saveChangeSet(ctx, cs); err != nil {
		return nil, err
	}
	return &cfn.CreateChangeSetOutput{Id: &cs.ID, StackId: &s.ID}, c.saveStack(ctx, s)
}

// unplayed refuses what the simulator does not do, rather than doing something else.
func unplayed(in *cfn.CreateChangeSetInput) error {
	switch {
	case in.ChangeSetType == cfntypes.ChangeSetTypeImport || len(in.ResourcesToImport) > 0:
		return invalid("The simulator does not import resources.")
	case aws.ToBool(in.IncludeNestedStacks):
		return invalid("The simulator does not play nested stacks.")
	case in.DeploymentMode != "" && in.DeploymentMode != cfntypes.DeploymentModeRevertDrift:
		return invalid("1 validation error detected: Value '%s' at 'deploymentMode' failed to satisfy constraint: Member must satisfy enum value set: [REVERT_DRIFT]", in.DeploymentMode)
	case in.DeploymentMode != "" && in.ChangeSetType == cfntypes.ChangeSetTypeCreate:
		return invalid("DeploymentMode REVERT_DRIFT is for change sets of the type UPDATE.")
	case in.DeploymentConfig != nil:
		return invalid("The simulator does not play deployment configurations.")
	case len(in.NotificationARNs) > 0 || len(in.ResourceTypes) > 0 || aws.ToBool(in.ImportExistingResources):
		return invalid("The simulator does not play NotificationARNs, ResourceTypes and ImportExistingResources.")
	case in.RollbackConfiguration != nil && len(in.RollbackConfiguration.RollbackTriggers) > 0:
		return invalid("The simulator does not play rollback triggers.")
	case in.ChangeSetType != "" && !slices.Contains(in.ChangeSetType.Values(), in.ChangeSetType):
		return invalid("1 validation error detected: Value '%s' at 'changeSetType' failed to satisfy constraint: Member must satisfy enum value set: [CREATE, UPDATE, IMPORT]", in.ChangeSetType)
	case in.OnStackFailure != "" && !slices.Contains(in.OnStackFailure.Values(), in.OnStackFailure):
		return invalid("1 validation error detected: Value '%s' at 'onStackFailure' failed to satisfy constraint: Member must satisfy enum value set: [DO_NOTHING, ROLLBACK, DELETE]", in.OnStackFailure)
	}
	return nil
}

// again answers a repeated call: the same token gets the same change set, another one with
// the same name is refused.
func (c *Call) again(ctx context.Context, s *cfnStack, in *cfn.CreateChangeSetInput) (*cfn.CreateChangeSetOutput, error) {
	old, err := c.changeSet(ctx, s, aws.ToString(in.ChangeSetName))
	if err != nil || old == nil {
		return nil, err
	}
	if old.Token != "" && old.Token == aws.ToString(in.ClientToken) {
		return &cfn.CreateChangeSetOutput{Id: &old.ID, StackId: &s.ID}, nil
	}
	return nil, refuse(http.StatusBadRequest, "AlreadyExistsException", "ChangeSet %s cannot be created due to a mismatch with existing attribute Status", old.Name)
}

// reviewStack is the empty stack that waits for its first change set to be carried out.
func (c *Call) reviewStack(ctx context.Context, name string) (*cfnStack, error) {
	if !stackNameForm.MatchString(name) {
		return nil, invalid("Stack [%s] does not exist", name)
	}
	s := &cfnStack{ID: stackARN(c.Region, c.Account, name+"/"+newRequestID()), Account: c.Account, Region: c.Region, Name: name, Created: c.Now}
	s.newOperation("CREATE_CHANGESET", "")
	s.Status, s.Reason = "REVIEW_IN_PROGRESS", "User Initiated"
	if err := c.saveStack(ctx, s); err != nil { // before its event, which refers to it
		return nil, err
	}
	return s, c.turn(ctx, s, "REVIEW_IN_PROGRESS", "User Initiated", c.Now)
}

func (c *Call) fillChangeSet(ctx context.Context, s *cfnStack, cs *cfnChangeSet, in *cfn.CreateChangeSetInput, tags map[string]string) error {
	text, err := c.templateText(ctx, in.TemplateBody, in.TemplateURL, s.Definition.Template, aws.ToBool(in.UsePreviousTemplate))
	if err != nil {
		return err
	}
	t, err := parsed(text)
	if err != nil {
		return err
	}
	cs.Definition = cfnDefinition{Template: text, Tags: tags}
	if cs.Definition.Parameters, err = givenParameters(t, in.Parameters, s.Definition.Parameters); err != nil {
		return err
	}
	for _, capability := range in.Capabilities {
		cs.Definition.Capabilities = append(cs.Definition.Capabilities, string(capability))
	}
	if in.Tags == nil {
		cs.Definition.Tags = s.Definition.Tags
	}
	if err := acknowledged(t, in.Capabilities); err != nil {
		return err
	}
	if cs.RoleARN == "" {
		cs.RoleARN = s.RoleARN // a stack keeps its role
	}
	if cs.RunAs, err = c.serviceRole(ctx, cs.RoleARN, s.ID); err != nil {
		return err
	}
	cs.Due, cs.Status, cs.Execution = c.Now.Add(c.Sim.scaled(changeSetTakes)), "CREATE_COMPLETE", "AVAILABLE"
	if err := c.workOut(ctx, s, cs, t); err != nil {
		return invalid("%s", capital(err.Error()))
	}
	found, err := c.earlyChecks(ctx, s, cs, aws.ToBool(in.DisableValidation))
	if err != nil {
		return err
	}
	why, failing, err := c.fault(ctx, s.Account, s.Name, "", changeSetFailed)
	if err != nil {
		return err
	}
	switch {
	case failing:
		cs.Status, cs.Execution, cs.Reason = "FAILED", "UNAVAILABLE", why
	case found != "":
		cs.Status, cs.Execution = "FAILED", "UNAVAILABLE"
		cs.Reason = "The following hook(s)/validation failed: [" + found + "]. To troubleshoot Early Validation errors, use the DescribeEvents API for detailed failure information."
	case len(cs.Changes) == 0 && cs.Type == "UPDATE":
		cs.Status, cs.Execution, cs.Reason = "FAILED", "UNAVAILABLE", noChanges
	}
	return nil
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func acknowledged(t *blueprint.Template, given []cfntypes.Capability) error {
	need := t.NeedsIAM()
	named := slices.Contains(given, cfntypes.CapabilityCapabilityNamedIam)
	if need == "" || named || need == "CAPABILITY_IAM" && slices.Contains(given, cfntypes.CapabilityCapabilityIam) {
		return nil
	}
	return refuse(http.StatusBadRequest, "InsufficientCapabilitiesException", "Requires capabilities : [%s]", need)
}

// changeSet finds a stack's change set by name or id; nil when there is none.
func (c *Call) changeSet(ctx context.Context, s *cfnStack, nameOrID string) (*cfnChangeSet, error) {
	all, err := bodies[*cfnChangeSet](ctx, c.Tx, `SELECT body FROM change_sets WHERE stack = $1 AND (name = $2 OR id = $2)`, s.ID, nameOrID)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return all[0], c.fetchTemplate(ctx, &all[0].Definition)
}

func (c *Call) saveChangeSet(ctx context.Context, cs *cfnChangeSet) error {
	if err := c.keepTemplate(ctx, &cs.Definition); err != nil {
		return err
	}
	row := *cs
	row.Definition.Template = ""
	_, err := c.Tx.Exec(ctx, `INSERT INTO change_sets (id, stack, name, created_at, body) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO UPDATE SET body = EXCLUDED.body`,
		cs.ID, cs.Stack, cs.Name, cs.Created, row)
	if err != nil {
		return fmt.Errorf("store change set %s: %w", cs.Name, err)
	}
	return nil
}
