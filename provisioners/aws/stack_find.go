package aws

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"slipway/models"
	"slipway/provisioners"
)

// What the step of a stack journals. token says of which attempt the rest is.
const (
	outToken    = "token"    // what this attempt's operation is known by, in every event of it
	outStage    = "stage"    // what Start begins
	outSet      = "set"      // name of the change set that is executed
	outKind     = "type"     // CREATE or UPDATE
	outCompared = "compared" // name of the change set that was compared with the plan
	outFrom     = "from"     // newest event before the operation
	outSeen     = "seen"     // newest event that is in the run's log
	outBegun    = "begun"    // token of an operation that was seen to begin
	outRoot     = "root"     // logical id of the first real failure
	outHusk     = "husk"     // id of a stack that a failed creation left
	outStatus   = "status"   // CloudFormation's word that Slipway's row holds
)

// following is one call of a stack's step: the object, the run, and the stack as AWS describes it now.
type following struct {
	object
	run *provisioners.Run
	s   stack
	st  *cfn.Stack // nil: there is none
}

// stackStep executes what was approved and follows it to its end.
func (o object) stackStep() provisioners.Step {
	step := provisioners.Step{Title: stackTitle(o), Find: o.look(o.findStack), Start: o.act(o.startStack), Poll: o.look(o.pollStack)}
	if o.part.Mode == models.StackCreate {
		step.Undo = o.look(o.undoStack)
		step.Stays = fmt.Sprintf("of %s, what its template retains", o.words())
	} else {
		step.Stays = fmt.Sprintf("what was changed of %s", o.words())
	}
	return step
}

func stackTitle(o object) string {
	verb := map[models.StackMode]string{models.StackUpdate: "Change", models.StackRevert: "Revert the drift of", models.StackRecover: "Continue the roll-back of"}[o.part.Mode]
	if verb == "" {
		verb = "Make"
	}
	return verb + " " + o.words()
}

// token is what an attempt's operation is known by: CloudFormation writes it into every event.
func (f following) token() string { return changeSetName(f.run) }

// kept is a journaled output of this attempt; what an earlier one left does not count.
func (f following) kept(key string) string {
	if f.run.Outputs[outToken] != f.token() {
		return ""
	}
	return f.run.Outputs[key]
}

// result is an answer with outputs that belong to this attempt. What an earlier attempt left is cleared.
func (f following) result(found provisioners.Found, outputs map[string]string) provisioners.Result {
	out := map[string]string{outToken: f.token()}
	if f.run.Outputs[outToken] != f.token() {
		for _, key := range []string{outStage, outSet, outKind, outCompared, outFrom, outSeen, outBegun, outRoot, outHusk} {
			if f.run.Outputs[key] != "" {
				out[key] = ""
			}
		}
	}
	maps.Copy(out, outputs)
	return provisioners.Result{Found: found, Outputs: out}
}

// next names the stage that Start begins.
func (f following) next(stage string, outputs map[string]string) provisioners.Result {
	out := map[string]string{outStage: stage}
	maps.Copy(out, outputs)
	return f.result(provisioners.Absent, out)
}

func (f following) creating() bool { return f.part.Mode == models.StackCreate }

func (o object) follow(ctx context.Context, run *provisioners.Run) (following, error) {
	f := following{object: o, run: run, s: o.stack(run)}
	var err error
	f.st, err = f.s.describe(ctx)
	return f, err
}

func (o object) findStack(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	f, err := o.follow(ctx, run)
	if err != nil {
		return absent, err
	}
	switch {
	case f.st == nil && !f.creating():
		return absent, provisioners.Mismatch{Words: fmt.Sprintf("the stack of %s is not there any more", o.words())}
	case f.st == nil || f.st.StackStatus == cfn.StackStatusReviewInProgress:
		return f.review(ctx)
	}
	if err := o.foreign(f.st); err != nil {
		return absent, err
	}
	ours, err := f.begun(ctx)
	if err != nil {
		return absent, err
	}
	switch status := f.st.StackStatus; {
	case ours:
		stage := f.kept(outStage)
		if stage != stageRecover {
			stage = stageExecute
		}
		return f.result(provisioners.Working, map[string]string{outStage: stage}), nil // Poll looks how far it is
	case working(status) && f.kept(outStage) == stageClear:
		return f.result(provisioners.Working, nil), nil
	case working(status):
		return absent, provisioners.Wait{For: "AWS", Words: fmt.Sprintf("CloudFormation to end what it is doing with stack %s (%s)", f.s.name, status)}
	case f.creating() && husk(status):
		return f.next(stageClear, map[string]string{outHusk: sdk.ToString(f.st.StackId)}), nil
	case o.part.Mode == models.StackRecover:
		return f.recovery(ctx)
	case status == cfn.StackStatusUpdateRollbackFailed:
		return absent, f.stuck(ctx)
	case f.creating() && f.asApproved():
		return f.complete(ctx, f.result(provisioners.Present, nil))
	}
	return f.review(ctx)
}

func working(status cfn.StackStatus) bool {
	return strings.HasSuffix(string(status), "_IN_PROGRESS") && status != cfn.StackStatusReviewInProgress
}

// ended tells a status that nothing follows by itself.
func ended(status cfn.StackStatus) bool { return !strings.HasSuffix(string(status), "_IN_PROGRESS") }

// asApproved tells that the stack of a creation is there with the parameters of the plan: an earlier attempt, or what the plan saw.
func (f following) asApproved() bool {
	for _, p := range f.st.Parameters {
		if want, ok := f.part.Parameters[sdk.ToString(p.ParameterKey)]; !ok || want != sdk.ToString(p.ParameterValue) {
			return false
		}
	}
	for _, ch := range f.changes(f.step(stepObjectStack)) {
		if ch.Action != models.Add && ch.Action != models.Exists {
			return false
		}
	}
	return !strings.Contains(string(f.st.StackStatus), "ROLLBACK")
}

// begun tells whether this attempt's operation has begun: its token is in the stack's events.
func (f following) begun(ctx context.Context) (bool, error) {
	if f.kept(outBegun) == f.token() {
		return true, nil
	}
	if f.kept(outFrom) == "" {
		return false, nil // it was never about to
	}
	events, err := f.s.events(ctx, sdk.ToString(f.st.StackId), f.kept(outFrom))
	if err != nil {
		return false, err
	}
	return len(f.own(events)) > 0, nil
}

// own are the events of this attempt's operation.
func (f following) own(events []cfn.StackEvent) []cfn.StackEvent {
	for i, e := range events {
		if sdk.ToString(e.ClientRequestToken) == f.token() {
			return events[i:]
		}
	}
	return nil
}

// goesOn tells that by its events the operation has not come to its end: the stack was described a moment before it began.
func goesOn(events []cfn.StackEvent) bool {
	for _, e := range slices.Backward(events) {
		if sdk.ToString(e.PhysicalResourceId) == sdk.ToString(e.StackId) {
			return strings.HasSuffix(string(e.ResourceStatus), "_IN_PROGRESS")
		}
	}
	return false
}
