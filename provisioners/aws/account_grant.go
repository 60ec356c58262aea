package aws

import (
	"context"
	"fmt"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"slipway/models"
	"slipway/provisioners"
)

// stepGrant lets the workloads of a new account pull the images of a service, which live in the tenant's other account. Its name goes on
// with the class of that account and the service's name. The name is stored: never rename it.
const stepGrant = "account.grant"

// peerParameter is the parameter of image-repository with the account that may pull.
const peerParameter = "PeerAccount"

// laterKnown stands in plans for the id of an account that AWS has not made yet.
const laterKnown = "{{known after apply: account}}"

// granted are the parameters and resources of image-repository that change when another account may pull.
var granted = map[string]string{"Repository": "AWS::ECR::Repository", "ImageKey": "AWS::KMS::Key"}

// pulls are the parts of a plan that let a new account of the tenant pull what its services have.
func (t *Tenants) pulls(ctx context.Context, tenant models.Tenant, class models.Class, id string) ([]models.PlanPart, error) {
	contents, err := t.registry.Contents(ctx, tenant.ID)
	if err != nil {
		return nil, err
	}
	if id == "" {
		id = laterKnown
	}
	var parts []models.PlanPart
	for _, st := range contents {
		have, has := st.Parameters[peerParameter]
		if st.ObjectType != models.ServiceObject || st.Class == class || !has || have == id || st.StackID == "" {
			continue
		}
		part := models.PlanPart{Name: "Service " + st.ObjectName, Account: st.Account, Class: st.Class, Region: st.Region, Blueprint: st.Blueprint + "@" + st.Version, Digest: st.Digest,
			StackName: st.Name, Mode: models.StackUpdate, Tags: map[string]string{models.TagObject: st.ObjectID}}
		for _, logical := range sortedKeys(granted) {
			part.Changes = append(part.Changes, models.Change{Step: stepGrant + "." + string(st.Class) + "." + st.ObjectName, LogicalID: logical, Type: granted[logical], Action: models.Modify,
				Note:       fmt.Sprintf("Workloads of the %s account may pull the images of %s.", class, st.ObjectName),
				Properties: []models.PropertyChange{{Path: "/Parameters/" + peerParameter, Before: sdk.String(have), After: sdk.String(id)}}})
		}
		parts = append(parts, part)
	}
	return parts, nil
}

// grant updates the service's stack by a change set that does nothing but what was approved.
func (p place) grant() provisioners.Step {
	return provisioners.Step{Title: fmt.Sprintf("Let the new account pull the images of %s", strings.TrimPrefix(p.part.Name, "Service ")),
		Find: p.look(p.findGrant), Start: p.act(p.startGrant), Poll: p.look(p.pollGrant), Stays: "the permission to pull from " + p.part.StackName + " stays"}
}

// peer is the account that the run brings: the one of another class than the service's.
func (p place) peer(ctx context.Context, run *provisioners.Run) (string, error) {
	for _, class := range models.Classes() {
		if class != p.class {
			return p.accountOf(ctx, run, class)
		}
	}
	return "", fmt.Errorf("no class but %s", p.class)
}

func (p place) serviceStack(run *provisioners.Run) stack {
	return stack{clients: p.clients, account: p.part.Account, region: p.part.Region, name: p.part.StackName, who: workOf(run)}
}

func (p place) findGrant(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	s := p.serviceStack(run)
	st, err := s.describe(ctx)
	if err != nil {
		return absent, err
	}
	if st == nil || tagOf(st.Tags, models.TagObject) != p.part.Tags[models.TagObject] {
		return absent, provisioners.Mismatch{Words: fmt.Sprintf("the stack %s is not there any more", s.name)}
	}
	peer, err := p.peer(ctx, run)
	if err != nil {
		return absent, err
	}
	if working(st.StackStatus) {
		if run.Outputs[outSet] == changeSetName(run) {
			return provisioners.Result{Found: provisioners.Working, Outputs: map[string]string{outStage: stageExecute}}, nil
		}
		return absent, provisioners.Wait{For: "AWS", Words: fmt.Sprintf("CloudFormation to end what it is doing with stack %s (%s)", s.name, st.StackStatus)}
	}
	if parameterIs(st, peer) {
		return present, p.noteGrant(ctx, run, peer)
	}
	set, err := s.changeSet(ctx, changeSetName(run))
	if err != nil {
		return absent, err
	}
	return p.grantStage(ctx, run, s, set)
}

// grantStage says what is next: the change set is made, compared once with the plan, and executed.
func (p place) grantStage(ctx context.Context, run *provisioners.Run, s stack, set *cloudformation.DescribeChangeSetOutput) (provisioners.Result, error) {
	stage := func(name string) (provisioners.Result, error) {
		return provisioners.Result{Found: provisioners.Absent, Outputs: map[string]string{outStage: name, outSet: changeSetName(run)}}, nil
	}
	switch {
	case set == nil:
		return stage(stageReview)
	case set.Status == cfn.ChangeSetStatusCreatePending, set.Status == cfn.ChangeSetStatusCreateInProgress:
		return provisioners.Result{Found: provisioners.Working, Outputs: map[string]string{outStage: stageReview}}, nil
	case set.Status != cfn.ChangeSetStatusCreateComplete:
		return absent, p.refusedGrant(ctx, run, s, set)
	case set.ExecutionStatus != cfn.ExecutionStatusAvailable:
		st, err := s.describe(ctx)
		if err != nil || st == nil {
			return absent, err
		}
		return absent, s.failed(ctx, st)
	}
	for _, ch := range changesOf(set, p.step) {
		if granted[ch.LogicalID] != ch.Type || ch.Action != models.Modify || ch.Replacement == string(cfn.ReplacementTrue) {
			return absent, provisioners.Mismatch{Words: fmt.Sprintf("to let the new account pull, stack %s would also %s", s.name, deed(ch))}
		}
	}
	return stage(stageExecute)
}

func (p place) refusedGrant(ctx context.Context, run *provisioners.Run, s stack, set *cloudformation.DescribeChangeSetOutput) error {
	if err := p.registry.EndedChangeSet(ctx, p.ownerRow(run, s), "failed"); err != nil {
		return err
	}
	return provisioners.Final{Failure: models.Failure{What: fmt.Sprintf("CloudFormation did not accept the change of stack %s.", s.name), Cause: clip(sdk.ToString(set.StatusReason), 400),
		Code: string(set.Status), Owner: platform, Next: "Read the reason. " + cureRetry}}
}

func (p place) startGrant(ctx context.Context, run *provisioners.Run) error {
	s, token := p.serviceStack(run), changeSetName(run)
	if run.Outputs[outStage] == stageExecute {
		_, err := s.client().ExecuteChangeSet(ctx, &cloudformation.ExecuteChangeSetInput{StackName: &s.name, ChangeSetName: &token, ClientRequestToken: &token})
		if is(err, "InvalidChangeSetStatus", "InvalidChangeSetStatusException") {
			return nil // executed already: Poll sees how far it is
		}
		return err
	}
	peer, err := p.peer(ctx, run)
	if err != nil {
		return err
	}
	st, err := s.describe(ctx)
	if err != nil || st == nil {
		return err
	}
	row := models.ChangeSet{RequestID: run.RequestID, Account: s.account, Region: s.region, StackName: s.name, Name: token, Type: string(cfn.ChangeSetTypeUpdate)}
	if err := p.registry.MadeChangeSet(ctx, row); err != nil {
		return err
	}
	in := &cloudformation.CreateChangeSetInput{StackName: &s.name, ChangeSetName: &token, ClientToken: &token, ChangeSetType: cfn.ChangeSetTypeUpdate, UsePreviousTemplate: sdk.Bool(true),
		RoleARN: sdk.String(p.clients.roleARN(s.account, "cfn-exec")), Capabilities: []cfn.Capability{cfn.CapabilityCapabilityNamedIam}, Tags: st.Tags, Description: sdk.String("Slipway run " + run.ID)}
	for _, have := range st.Parameters {
		param := cfn.Parameter{ParameterKey: have.ParameterKey, UsePreviousValue: sdk.Bool(true)}
		if sdk.ToString(have.ParameterKey) == peerParameter {
			param = cfn.Parameter{ParameterKey: have.ParameterKey, ParameterValue: &peer}
		}
		in.Parameters = append(in.Parameters, param)
	}
	_, err = s.client().CreateChangeSet(ctx, in)
	if is(err, "AlreadyExistsException") {
		return nil // made by the call before this one
	}
	return err
}

func (p place) pollGrant(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	s := p.serviceStack(run)
	st, err := s.describe(ctx)
	if err != nil || st == nil {
		return absent, err
	}
	peer, err := p.peer(ctx, run)
	switch {
	case err != nil:
		return absent, err
	case working(st.StackStatus):
		return provisioners.Result{Found: provisioners.Working, Waiting: aws("CloudFormation to change stack " + s.name)}, nil
	case parameterIs(st, peer) && !strings.Contains(string(st.StackStatus), "ROLLBACK"):
		return present, p.noteGrant(ctx, run, peer)
	case run.Outputs[outStage] == stageExecute && strings.Contains(string(st.StackStatus), "ROLLBACK"):
		if err := p.registry.EndedChangeSet(ctx, p.ownerRow(run, s), "failed"); err != nil {
			return absent, err
		}
		return absent, s.failed(ctx, st)
	}
	set, err := s.changeSet(ctx, changeSetName(run))
	if err != nil {
		return absent, err
	}
	if set != nil && (set.Status == cfn.ChangeSetStatusCreatePending || set.Status == cfn.ChangeSetStatusCreateInProgress || set.ExecutionStatus == cfn.ExecutionStatusExecuteInProgress) {
		return provisioners.Result{Found: provisioners.Working, Waiting: aws("CloudFormation to work out the change set")}, nil
	}
	return provisioners.Result{Found: provisioners.Onward}, nil
}

// noteGrant writes down what the service's stack was given, and that the change set was executed.
func (p place) noteGrant(ctx context.Context, run *provisioners.Run, peer string) error {
	s := p.serviceStack(run)
	if run.Attempt == 0 { // planning only looks
		return nil
	}
	if err := p.registry.EndedChangeSet(ctx, p.ownerRow(run, s), "executed"); err != nil {
		return err
	}
	return p.registry.SaveStack(ctx, actorOf(run), p.part.Tags[models.TagObject], func(st *models.Stack) {
		values := over(st.Parameters, nil)
		values[peerParameter] = peer
		st.Parameters = values
	})
}

func parameterIs(st *cfn.Stack, value string) bool {
	for _, p := range st.Parameters {
		if sdk.ToString(p.ParameterKey) == peerParameter {
			return sdk.ToString(p.ParameterValue) == value
		}
	}
	return false
}
