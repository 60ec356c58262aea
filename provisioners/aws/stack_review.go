package aws

import (
	"context"
	"fmt"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"slipway/models"
	"slipway/provisioners"
)

// review finds the change set that is to be executed and, once, compares it with the plan.
func (f following) review(ctx context.Context) (provisioners.Result, error) {
	name, planned, err := f.chosen(ctx)
	if err != nil {
		return absent, err
	}
	set, err := f.set(ctx, name)
	if err != nil {
		return absent, err
	}
	kind := string(cfn.ChangeSetTypeUpdate)
	if f.st == nil || f.st.StackStatus == cfn.StackStatusReviewInProgress {
		kind = string(cfn.ChangeSetTypeCreate)
	}
	out := map[string]string{outSet: name, outKind: kind}
	switch {
	case set == nil && planned:
		return absent, provisioners.Mismatch{Words: fmt.Sprintf("the change set that was approved for %s is not there any more", f.words())}
	case set == nil:
		return f.next(stageReview, out), nil
	case set.Status == cfn.ChangeSetStatusCreatePending || set.Status == cfn.ChangeSetStatusCreateInProgress:
		out[outStage] = stageReview
		return f.result(provisioners.Working, out), nil
	case nothing(set) && (!planned || f.onlyRow()) && f.st != nil:
		return f.nothingLeft(ctx, name, kind)
	case set.ExecutionStatus == cfn.ExecutionStatusObsolete:
		return f.void(ctx, name, kind, fmt.Sprintf("the stack of %s was changed by somebody else since it was planned", f.words()))
	case set.Status != cfn.ChangeSetStatusCreateComplete:
		return absent, f.notAccepted(ctx, set, name)
	case set.ExecutionStatus != cfn.ExecutionStatusAvailable && set.ExecutionStatus != cfn.ExecutionStatusUnavailable:
		out[outStage] = stageExecute
		return f.result(provisioners.Working, out), nil
	case f.kept(outCompared) == name:
		return f.next(stageExecute, out), nil
	}
	return f.compare(ctx, set, name, kind, planned)
}

// onlyRow tells a plan that leaves the stack as it is: what changes is in Slipway's own row.
func (f following) onlyRow() bool {
	return !slices.ContainsFunc(f.changes(f.step(stepObjectStack)), func(ch models.Change) bool { return ch.Action != models.Exists })
}

// chosen is the name of the change set to execute: the one that was approved while it is there, or one of this attempt's own.
func (f following) chosen(ctx context.Context) (name string, planned bool, err error) {
	if set := f.kept(outSet); set != "" {
		return set, strings.HasPrefix(set, planSetPrefix), nil
	}
	open, err := f.books.OpenChangeSets(ctx, f.run.RequestID)
	if err != nil {
		return "", false, err
	}
	for _, set := range open {
		if set.Account == f.s.account && set.Region == f.s.region && set.StackName == f.s.name && strings.HasPrefix(set.Name, planSetPrefix) {
			return set.Name, true, nil
		}
	}
	if f.run.Attempt == 1 && f.kept(outHusk) == "" {
		return "", true, nil // there must be one, and it is gone
	}
	return changeSetName(f.run), false, nil
}

func (f following) set(ctx context.Context, name string) (*cloudformation.DescribeChangeSetOutput, error) {
	if name == "" || f.st == nil {
		return nil, nil
	}
	return f.s.changeSet(ctx, name)
}

// compare holds the change set against what was approved, and notes where the events of its execution will begin.
func (f following) compare(ctx context.Context, set *cloudformation.DescribeChangeSetOutput, name, kind string, planned bool) (provisioners.Result, error) {
	would := changesOf(set, f.step(stepObjectStack))
	differs := differences(would, f.changes(f.step(stepObjectStack)), planned)
	if differs == "" && !f.madeOf(set) {
		differs = "the change set is of another template or other parameters"
	}
	if differs != "" {
		return f.void(ctx, name, kind, fmt.Sprintf("the change of %s is not what was approved: %s", f.words(), differs))
	}
	newest, err := f.s.newestEvent(ctx, sdk.ToString(f.st.StackId))
	if err != nil {
		return absent, err
	}
	res := f.next(stageExecute, map[string]string{outSet: name, outKind: kind, outCompared: name, outFrom: newest, outSeen: newest})
	res.Events = []provisioners.Event{{Key: "compared." + name, Level: "info", At: f.clients.Clock.Now(),
		Text: fmt.Sprintf("Change set %s does what was approved: %s", name, tally(would))}}
	return res, nil
}

// void gives up what may not be executed: it is deleted, and the request goes back for a new decision.
func (f following) void(ctx context.Context, name, kind, words string) (provisioners.Result, error) {
	if err := f.drop(ctx, f.run.RequestID, f.s, name, kind); err != nil {
		return absent, err
	}
	return absent, provisioners.Mismatch{Words: words}
}

// nothingLeft ends a step whose change is there already: an earlier attempt made it, and only its answer was lost.
func (f following) nothingLeft(ctx context.Context, name, kind string) (provisioners.Result, error) {
	if err := f.drop(ctx, f.run.RequestID, f.s, name, kind); err != nil {
		return absent, err
	}
	return f.complete(ctx, f.result(provisioners.Present, nil))
}

func (f following) notAccepted(ctx context.Context, set *cloudformation.DescribeChangeSetOutput, name string) error {
	if err := f.books.EndedChangeSet(ctx, f.row(name, ""), "failed"); err != nil {
		return err
	}
	return f.refused(set, nil)
}

func (f following) row(name, kind string) models.ChangeSet {
	return models.ChangeSet{RequestID: f.run.RequestID, Account: f.s.account, Region: f.s.region, StackName: f.s.name, Name: name, Type: kind}
}

// tally says in words how much a change set does.
func tally(changes []models.Change) string {
	n := map[models.Action]int{}
	for _, ch := range changes {
		n[ch.Action]++
	}
	var said []string
	for _, a := range []struct {
		action models.Action
		words  string
	}{{models.Add, "to make"}, {models.Modify, "to change"}, {models.Replace, "to replace"}, {models.Delete, "to delete"}} {
		if n[a.action] > 0 {
			said = append(said, fmt.Sprintf("%d %s", n[a.action], a.words))
		}
	}
	return strings.Join(said, ", ")
}
