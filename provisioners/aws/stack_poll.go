package aws

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"slipway/models"
	"slipway/provisioners"
)

func (o object) startStack(ctx context.Context, run *provisioners.Run) error {
	f := following{object: o, run: run, s: o.stack(run)}
	token := f.token()
	switch run.Outputs[outStage] {
	case stageClear:
		husk := run.Outputs[outHusk]
		return f.s.as("", true).remove(ctx, &husk, token+"-clear")
	case stageRecover:
		return f.continueRollback(ctx)
	case stageExecute:
		set := run.Outputs[outSet]
		_, err := f.s.client().ExecuteChangeSet(ctx, &cloudformation.ExecuteChangeSetInput{StackName: &f.s.name, ChangeSetName: &set, ClientRequestToken: &token,
			RetainExceptOnCreate: sdk.Bool(true)}) // what a failed operation has made leaves nothing behind that would be in the way of the next
		if is(err, "InvalidChangeSetStatus", "InvalidChangeSetStatusException") {
			return nil // executed already, or obsolete: Poll sees which
		}
		return err
	}
	v, err := o.books.BlueprintByDigest(ctx, o.part.Digest)
	if err != nil {
		return err
	}
	if templateHash(v.Template) != o.part.TemplateHash {
		return provisioners.Mismatch{Words: fmt.Sprintf("the template of %s is another one than was approved", o.part.Blueprint)}
	}
	return o.make(ctx, f.s, f.row(run.Outputs[outSet], run.Outputs[outKind]), v.Template)
}

func (o object) pollStack(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	f, err := o.follow(ctx, run)
	if err != nil {
		return absent, err
	}
	onward := f.result(provisioners.Onward, nil)
	switch stage := run.Outputs[outStage]; {
	case stage == stageClear && f.st == nil:
		return onward, nil
	case stage == stageClear:
		return clearing(f.s, f.st, "what the failed creation left")
	case f.st == nil:
		return absent, nil
	case stage == stageReview:
		set, err := f.set(ctx, run.Outputs[outSet])
		if err != nil || set == nil {
			return absent, err
		}
		if set.Status == cfn.ChangeSetStatusCreatePending || set.Status == cfn.ChangeSetStatusCreateInProgress {
			return f.waits("CloudFormation to work out the change set"), nil
		}
		return onward, nil
	}
	return f.events(ctx)
}

func (f following) waits(words string) provisioners.Result {
	res := f.result(provisioners.Working, nil)
	res.Waiting = aws(words)
	return res
}

// events is one look at an operation: what is new since the last one goes into the run's log and its tree of resources.
func (f following) events(ctx context.Context) (provisioners.Result, error) {
	seen := f.kept(outSeen)
	news, err := f.s.events(ctx, sdk.ToString(f.st.StackId), seen)
	if err != nil {
		return absent, err
	}
	if f.kept(outBegun) != f.token() {
		if news = f.own(news); len(news) == 0 {
			return f.notBegun(ctx)
		}
	}
	res := f.waits(f.doing())
	res.Events = lines(news)
	res.Outputs[outBegun] = f.token()
	if len(news) > 0 {
		res.Outputs[outSeen] = sdk.ToString(news[len(news)-1].EventId)
	}
	if err := f.tree(ctx, news, &res); err != nil {
		return absent, err
	}
	if ended(f.st.StackStatus) && !goesOn(news) {
		done, err := f.over(ctx, res)
		if err != nil && len(news) > 0 { // the log first: it says why
			res.Delay = time.Millisecond
			return res, nil
		}
		return done, err
	}
	if status := string(f.st.StackStatus); f.kept(outStatus) != status {
		res.Outputs[outStatus] = status
		return res, f.saveStatus(ctx)
	}
	return res, nil
}

// notBegun looks why nothing is to be seen of the operation: AWS's answers lag behind, or the change set became obsolete in the last
// moment, which Find then tells.
func (f following) notBegun(ctx context.Context) (provisioners.Result, error) {
	if f.run.Outputs[outStage] == stageRecover {
		if f.st.StackStatus == cfn.StackStatusUpdateRollbackFailed {
			return absent, nil
		}
		return f.waits("CloudFormation to continue the roll-back"), nil
	}
	set, err := f.set(ctx, f.run.Outputs[outSet])
	if err != nil {
		return absent, err
	}
	switch {
	case set == nil:
		return absent, nil
	case set.ExecutionStatus == cfn.ExecutionStatusAvailable, set.ExecutionStatus == cfn.ExecutionStatusObsolete:
		return f.result(provisioners.Onward, nil), nil
	}
	return f.waits("CloudFormation to begin"), nil
}

// doing says what CloudFormation does with the stack.
func (f following) doing() string {
	switch status := f.st.StackStatus; {
	case strings.Contains(string(status), "CLEANUP"):
		return "CloudFormation to remove what was replaced"
	case strings.Contains(string(status), "ROLLBACK"):
		return "CloudFormation to roll the stack back"
	case f.creating():
		return "CloudFormation to make the stack"
	}
	return "CloudFormation to change the stack"
}

// tree writes the resources that moved into the run's tree. What failed first for a reason of its own keeps its status: the roll-back
// that follows would hide it.
func (f following) tree(ctx context.Context, news []cfn.StackEvent, res *provisioners.Result) error {
	root := f.kept(outRoot)
	if root == "" {
		if e := rootCause(news); e != nil {
			root = sdk.ToString(e.LogicalResourceId)
			res.Outputs[outRoot] = root
		}
	}
	var moved []models.RunResource
	for _, e := range news {
		id := sdk.ToString(e.LogicalResourceId)
		if sdk.ToString(e.PhysicalResourceId) == sdk.ToString(e.StackId) || id == root && f.kept(outRoot) == root || f.oldOne(e) {
			continue
		}
		i := slices.IndexFunc(moved, func(r models.RunResource) bool { return r.LogicalID == id })
		if i < 0 {
			i, moved = len(moved), append(moved, models.RunResource{Step: f.run.Step, LogicalID: id})
		}
		if !moved[i].Root {
			move(&moved[i], e)
			moved[i].Root = id == root && strings.HasSuffix(moved[i].Status, "_FAILED")
		}
	}
	if len(moved) == 0 {
		return nil
	}
	return f.books.SaveRunResources(ctx, f.run.ID, moved)
}

// move brings a resource to where an event says that it is. What began before this look keeps its start: zero leaves it as it was.
func move(r *models.RunResource, e cfn.StackEvent) {
	r.PhysicalID, r.Type, r.Status, r.Reason = sdk.ToString(e.PhysicalResourceId), sdk.ToString(e.ResourceType), string(e.ResourceStatus), clip(sdk.ToString(e.ResourceStatusReason), 400)
	r.EndedAt = time.Time{}
	switch moving := strings.HasSuffix(r.Status, "_IN_PROGRESS"); {
	case !moving:
		r.EndedAt = sdk.ToTime(e.Timestamp)
	case e.DetailedStatus == "" && !strings.HasSuffix(r.Reason, "nitiated"): // its first event; the others say how far it is
		r.StartedAt = sdk.ToTime(e.Timestamp)
	}
}

// oldOne tells the removal of what was replaced: the resource itself is there, under another id.
func (f following) oldOne(e cfn.StackEvent) bool {
	if !strings.HasPrefix(string(e.ResourceStatus), "DELETE_") {
		return false
	}
	return slices.ContainsFunc(f.part.Changes, func(ch models.Change) bool {
		return ch.LogicalID == sdk.ToString(e.LogicalResourceId) && (ch.Action == models.Replace || ch.Action == models.Modify)
	})
}

// over ends the step: the operation has come to its end, one way or the other.
func (f following) over(ctx context.Context, res provisioners.Result) (provisioners.Result, error) {
	switch status := f.st.StackStatus; {
	case f.part.Mode == models.StackRecover && status == cfn.StackStatusUpdateRollbackComplete:
	case status == cfn.StackStatusUpdateRollbackFailed:
		if err := f.ended(ctx, "failed"); err != nil {
			return absent, err
		}
		return absent, f.stuck(ctx)
	case strings.Contains(string(status), "ROLLBACK"), strings.HasSuffix(string(status), "_FAILED"):
		if err := f.ended(ctx, "failed"); err != nil {
			return absent, err
		}
		return absent, f.failure(ctx)
	}
	return f.complete(ctx, res)
}

// ended closes the owner row of the change set that was executed, and notes on Slipway's row where the stack stands.
func (f following) ended(ctx context.Context, outcome string) error {
	if set := f.kept(outSet); set != "" {
		if err := f.books.EndedChangeSet(ctx, f.row(set, ""), outcome); err != nil {
			return err
		}
	}
	return f.saveStatus(ctx)
}

func (f following) saveStatus(ctx context.Context) error {
	return f.books.SaveStack(ctx, actorOf(f.run), f.id(), func(st *models.Stack) { f.describeOn(st) })
}

// describeOn writes what CloudFormation says of the stack on Slipway's row.
func (f following) describeOn(st *models.Stack) {
	if st.Status == string(f.st.StackStatus) && st.StackID == sdk.ToString(f.st.StackId) && st.Reason == sdk.ToString(f.st.StackStatusReason) {
		return
	}
	st.StackID, st.Status, st.Reason = sdk.ToString(f.st.StackId), string(f.st.StackStatus), sdk.ToString(f.st.StackStatusReason)
	st.StatusAt = f.clients.Clock.Wall()
}

// complete records that the stack is as approved.
func (f following) complete(ctx context.Context, res provisioners.Result) (provisioners.Result, error) {
	if err := f.ended(ctx, "executed"); err != nil {
		return absent, err
	}
	res.Found, res.Waiting = provisioners.Present, nil
	res.Outputs["stack"] = sdk.ToString(f.st.StackId)
	return res, nil
}

// undoStack deletes a stack that a creation made. What the template retains stays.
func (o object) undoStack(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	f, err := o.follow(ctx, run)
	if err != nil {
		return absent, err
	}
	switch {
	case f.st == nil:
		return present, o.books.SaveStack(ctx, actorOf(run), o.id(), func(st *models.Stack) {
			st.Status, st.Reason, st.StatusAt = string(cfn.StackStatusDeleteComplete), "", f.clients.Clock.Wall()
		})
	case f.st.StackStatus != cfn.StackStatusReviewInProgress && tagOf(f.st.Tags, models.TagObject) != o.id():
		return present, nil // another's, not ours to delete
	case f.st.StackStatus == cfn.StackStatusDeleteFailed && run.Outputs["deleting"] != "":
		return clearing(f.s, f.st, "the stack")
	case f.st.StackStatus == cfn.StackStatusDeleteInProgress:
		return provisioners.Result{Found: provisioners.Working, Waiting: aws("CloudFormation to delete the stack")}, nil
	case working(f.st.StackStatus):
		return provisioners.Result{Found: provisioners.Working, Waiting: aws("CloudFormation to end what it is doing with the stack")}, nil
	}
	err = f.s.as("", true).remove(ctx, f.st.StackId, changeSetName(run)+"-undo"+strconv.Itoa(run.Attempt))
	return provisioners.Result{Found: provisioners.Working, Outputs: map[string]string{"deleting": "yes"}, Waiting: aws("CloudFormation to delete the stack")}, err
}
