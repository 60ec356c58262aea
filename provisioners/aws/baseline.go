package aws

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"slipway/models"
	"slipway/provisioners"
)

// The stages of a stack's creation. Find says which one is next, Start begins it, Poll waits for its end.
const (
	stageClear   = "clear"   // what a failed creation left is deleted
	stageReview  = "review"  // the change set is made
	stageExecute = "execute" // it holds exactly what was approved, and is executed
)

// baselineStack makes the baseline stack: change set, comparison with the plan, execution.
func (p place) baselineStack() provisioners.Step {
	return provisioners.Step{Title: "Make the baseline of " + p.name(), Find: p.look(p.findBaseline), Start: p.act(p.startBaseline), Poll: p.look(p.pollBaseline),
		Undo:  p.look(p.undoBaseline),
		Stays: fmt.Sprintf("of the baseline of %s, what its template retains: the key and the audit log", p.name())}
}

func (p place) stack(run *provisioners.Run) (stack, error) {
	id, err := p.account(run)
	return stack{clients: p.clients, account: id, region: p.part.Region, name: p.part.StackName, who: workOf(run)}, err
}

func baselineStackName(tenant string) string { return "slw-" + tenant + "-baseline" }

// changeSetName is the same for every repetition of one attempt.
func changeSetName(run *provisioners.Run) string {
	return fmt.Sprintf("slw-%s-%d", run.ID, run.Attempt)
}

func (p place) ownerRow(run *provisioners.Run, s stack) models.ChangeSet {
	return models.ChangeSet{RequestID: run.RequestID, Account: s.account, Region: s.region, StackName: s.name, Name: changeSetName(run), Type: string(cfn.ChangeSetTypeCreate)}
}

func templateHash(src []byte) string {
	sum := sha256.Sum256(src)
	return hex.EncodeToString(sum[:])
}

func (p place) findBaseline(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	s, err := p.stack(run)
	if err != nil {
		return absent, err
	}
	st, err := s.describe(ctx)
	if err != nil {
		return absent, err
	}
	if st == nil {
		return p.next(stageReview, nil)
	}
	if owner := tagOf(st.Tags, tagTenant); owner != p.slug && st.StackStatus != cfn.StackStatusReviewInProgress {
		return absent, finalf("Account %s holds a stack %s that is not this tenant's (its tag %s is %q).", "Find out whose it is and remove it, then retry.", s.account, s.name, tagTenant, owner)
	}
	switch status := st.StackStatus; {
	case status == cfn.StackStatusReviewInProgress:
		return p.review(ctx, run, s)
	case status == cfn.StackStatusRollbackComplete, status == cfn.StackStatusRollbackFailed, status == cfn.StackStatusCreateFailed, status == cfn.StackStatusDeleteFailed:
		return p.next(stageClear, map[string]string{"husk": sdk.ToString(st.StackId)})
	case strings.HasSuffix(string(status), "_IN_PROGRESS"):
		return provisioners.Result{Found: provisioners.Working, Outputs: map[string]string{"stage": stageOf(status)}}, nil
	}
	return p.complete(ctx, run, s, st, nil)
}

func stageOf(status cfn.StackStatus) string {
	if status == cfn.StackStatusDeleteInProgress {
		return stageClear
	}
	return stageExecute
}

// next names the stage that Start begins. Whatever differs from what was approved is seen before anything is made.
func (p place) next(stage string, outputs map[string]string) (provisioners.Result, error) {
	if p.part.TemplateHash != templateHash(p.baseline.Template) {
		return absent, provisioners.Mismatch{Words: fmt.Sprintf("the baseline of %s is another version now than when it was planned", p.name())}
	}
	out := map[string]string{"stage": stage}
	maps.Copy(out, outputs)
	return provisioners.Result{Found: provisioners.Absent, Outputs: out}, nil
}

// review looks at the change set of this attempt and, once, compares it with the plan.
func (p place) review(ctx context.Context, run *provisioners.Run, s stack) (provisioners.Result, error) {
	name := changeSetName(run)
	set, err := s.changeSet(ctx, name)
	if err != nil {
		return absent, err
	}
	if set == nil {
		return p.next(stageReview, nil)
	}
	switch set.Status {
	case cfn.ChangeSetStatusCreatePending, cfn.ChangeSetStatusCreateInProgress:
		return provisioners.Result{Found: provisioners.Working, Outputs: map[string]string{"stage": stageReview}}, nil
	case cfn.ChangeSetStatusCreateComplete:
	default:
		return absent, p.refusedSet(ctx, run, s, set)
	}
	if set.ExecutionStatus == cfn.ExecutionStatusExecuteInProgress || set.ExecutionStatus == cfn.ExecutionStatusExecuteComplete {
		return provisioners.Result{Found: provisioners.Working, Outputs: map[string]string{"stage": stageExecute}}, nil
	}
	if run.Outputs["compared"] == name {
		return p.next(stageExecute, nil)
	}
	if differs := differences(changesOf(set, p.step), p.changes(), true); differs != "" {
		own := p.ownerRow(run, s)
		if err := p.clients.DeleteChangeSet(ctx, own); err != nil {
			return absent, err
		}
		if err := p.registry.EndedChangeSet(ctx, own, "deleted"); err != nil {
			return absent, err
		}
		return absent, provisioners.Mismatch{Words: fmt.Sprintf("the baseline of %s is not what was approved: %s", p.name(), differs)}
	}
	res, err := p.next(stageExecute, map[string]string{"compared": name})
	res.Events = []provisioners.Event{{Key: "compared." + name, Level: "info", At: p.clients.Clock.Now(),
		Text: fmt.Sprintf("Change set %s holds exactly the %d creations of the plan", name, len(set.Changes))}}
	return res, err
}

func (p place) refusedSet(ctx context.Context, run *provisioners.Run, s stack, set *cloudformation.DescribeChangeSetOutput) error {
	if err := p.registry.EndedChangeSet(ctx, p.ownerRow(run, s), "failed"); err != nil {
		return err
	}
	return provisioners.Final{Failure: models.Failure{What: fmt.Sprintf("CloudFormation did not accept the baseline of %s.", p.name()), Cause: clip(sdk.ToString(set.StatusReason), 400),
		Code: string(set.Status), Owner: platform, Next: "Read the reason. If it is the template's fault, correct the blueprint and plan again; else retry."}}
}

func (p place) startBaseline(ctx context.Context, run *provisioners.Run) error {
	s, err := p.stack(run)
	if err != nil {
		return err
	}
	token := changeSetName(run)
	switch run.Outputs["stage"] {
	case stageClear:
		husk := run.Outputs["husk"]
		return s.as("", true).remove(ctx, &husk, token+"-clear")
	case stageExecute:
		_, err := s.client().ExecuteChangeSet(ctx, &cloudformation.ExecuteChangeSetInput{StackName: &s.name, ChangeSetName: &token, ClientRequestToken: &token,
			RetainExceptOnCreate: sdk.Bool(true)}) // a failed creation leaves nothing behind that would be in the way of the next
		if is(err, "InvalidChangeSetStatus", "InvalidChangeSetStatusException") {
			return nil // executed already: Poll sees how far it is
		}
		return err
	}
	if err := p.registry.MadeChangeSet(ctx, p.ownerRow(run, s)); err != nil {
		return err
	}
	in := &cloudformation.CreateChangeSetInput{StackName: &s.name, ChangeSetName: &token, ClientToken: &token, ChangeSetType: cfn.ChangeSetTypeCreate,
		TemplateBody: sdk.String(string(p.baseline.Template)), RoleARN: sdk.String(p.clients.roleARN(s.account, "cfn-exec")), Capabilities: []cfn.Capability{cfn.CapabilityCapabilityNamedIam},
		Description: sdk.String("Slipway run " + run.ID), Tags: tagList(p.part.Tags)}
	for _, k := range slices.Sorted(maps.Keys(p.part.Parameters)) {
		in.Parameters = append(in.Parameters, cfn.Parameter{ParameterKey: sdk.String(k), ParameterValue: sdk.String(p.part.Parameters[k])})
	}
	_, err = s.client().CreateChangeSet(ctx, in)
	if is(err, "AlreadyExistsException") {
		return nil // made by the call before this one
	}
	return err
}

func tagList(tags map[string]string) []cfn.Tag {
	var list []cfn.Tag
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, cfn.Tag{Key: sdk.String(k), Value: sdk.String(tags[k])})
	}
	return list
}

func tagOf(tags []cfn.Tag, key string) string {
	for _, t := range tags {
		if sdk.ToString(t.Key) == key {
			return sdk.ToString(t.Value)
		}
	}
	return ""
}
