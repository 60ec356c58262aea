package aws

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"slipway/models"
	"slipway/provisioners"
)

// The stages of a stack's deletion. What filled up again between emptying and deletion, as buckets with logs do, is emptied once more.
const (
	stageDelete  = "delete"
	stageEmpty   = "empty"
	deletesAtTry = 3 // deletions of one attempt
)

// removeStep deletes the stack, and what the plan says with it.
func (o object) removeStep() provisioners.Step {
	return provisioners.Step{Title: "Delete the stack of " + o.words(), Find: o.look(o.findRemoval), Start: o.act(o.startRemoval), Poll: o.look(o.pollRemoval),
		Stays: "what was deleted of " + o.words() + " cannot be brought back"}
}

// deleteToken is the same for every repetition of one deletion, and another for each deletion of a run.
func (o object) deleteToken(run *provisioners.Run) string {
	token := fmt.Sprintf("slw-%s-%d-delete-%s", run.ID, run.Attempt, orZero(run.Outputs["again."+strconv.Itoa(run.Attempt)]))
	if o.named != "" { // one of several stacks that the run deletes
		token += "-" + templateHash([]byte(o.part.Account + o.part.Region + o.part.StackName))[:8]
	}
	return token
}

func orZero(s string) string {
	if s == "" {
		return "0"
	}
	return s
}

// findRemoval looks whether the stack is there, whose it is and what it holds, before anything of it is deleted.
func (o object) findRemoval(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	s := o.stack(run)
	st, err := s.describe(ctx)
	if err != nil {
		return absent, err
	}
	if st == nil {
		return present, nil
	}
	if err := o.foreign(st); err != nil {
		return absent, err
	}
	switch status := st.StackStatus; {
	case status == cfn.StackStatusDeleteInProgress:
		return provisioners.Result{Found: provisioners.Working, Outputs: map[string]string{"stack": sdk.ToString(st.StackId)}, Waiting: aws("CloudFormation to delete the stack")}, nil
	case strings.HasSuffix(string(status), "_IN_PROGRESS") && status != cfn.StackStatusReviewInProgress:
		return provisioners.Result{Found: provisioners.Absent}, provisioners.Wait{For: "AWS", Words: "CloudFormation to end what it is doing with stack " + s.name}
	case status == cfn.StackStatusDeleteFailed:
		mine, err := o.failedByUs(ctx, s, st, run)
		if err != nil {
			return absent, err
		}
		if mine {
			return o.deleteFailed(ctx, run, s, st)
		}
	}
	return o.beginRemoval(ctx, run, st)
}

// beginRemoval compares what the stack holds with what was approved and keeps it for the receipt.
func (o object) beginRemoval(ctx context.Context, run *provisioners.Run, st *cfn.Stack) (provisioners.Result, error) {
	outputs := map[string]string{"stack": sdk.ToString(st.StackId), "stage": stageDelete}
	if st.StackStatus != cfn.StackStatusReviewInProgress {
		live, err := o.liveStack(ctx, workOf(run))
		if err != nil || live == nil {
			return absent, err
		}
		wish, err := wishesOf(run.Kind, run.Plan.Content.Inputs)
		if err != nil {
			return absent, err
		}
		differs := o.unapproved(live)
		if len(wish.retain) > 0 && st.StackStatus != cfn.StackStatusDeleteFailed {
			differs = fmt.Sprintf("the stack is %s, so nothing of it can be kept", st.StackStatus)
		}
		if differs != "" {
			return absent, provisioners.Mismatch{Words: differs}
		}
		full, err := o.refilled(ctx, run, live.resources)
		if err != nil {
			return absent, err
		}
		if full && st.StackStatus == cfn.StackStatusDeleteFailed {
			outputs["stage"] = stageEmpty
		}
		if o.typ == models.TenantObject { // a baseline has no row of its own
			outputs["held"] = heldBy(live.resources)
		} else if err := o.keepResources(ctx, run, st, live.resources); err != nil {
			return absent, err
		}
	}
	return provisioners.Result{Found: provisioners.Absent, Outputs: outputs}, nil
}

// unapproved says what the stack holds that the plan does not delete or keep in the same way; empty when nothing. What is gone since is fine.
func (o object) unapproved(live *liveStack) string {
	approved := map[string]models.Change{}
	for _, ch := range o.changes(o.step(stepObjectRemove)) {
		approved[ch.LogicalID] = ch
	}
	var said []string
	for _, r := range live.resources {
		ch, ok := approved[r.id]
		switch {
		case !ok || ch.Type != r.typ:
			said = append(said, fmt.Sprintf("the stack holds %s (%s), which the plan does not name", r.id, r.typ))
		case ch.Action == models.Exists && ch.Note == keptByBlueprint && !r.stays():
			said = append(said, fmt.Sprintf("the plan keeps %s (%s), but its template deletes it now", r.id, r.typ))
		case ch.Action == models.Delete && r.stays():
			said = append(said, fmt.Sprintf("the plan deletes %s (%s), but its template keeps it now", r.id, r.typ))
		}
	}
	if len(said) > 5 {
		said = append(said[:5], fmt.Sprintf("and %d more", len(said)-5))
	}
	return strings.Join(said, "; ")
}

// keepResources writes down what the stack holds, with AWS's own ids, for the receipt. A deletion that goes on after a failure adds
// nothing: what it removed before is still on the list.
func (o object) keepResources(ctx context.Context, run *provisioners.Run, st *cfn.Stack, live []liveResource) error {
	return o.books.SaveStack(ctx, actorOf(run), o.id(), func(row *models.Stack) {
		row.StackID = sdk.ToString(st.StackId)
		for _, r := range live {
			now := models.StackResource{LogicalID: r.id, PhysicalID: r.physical, Type: r.typ, Status: r.status}
			if i := slices.IndexFunc(row.Resources, func(k models.StackResource) bool { return k.LogicalID == r.id }); i < 0 {
				row.Resources = append(row.Resources, now)
			} else if row.Resources[i].PhysicalID != r.physical {
				row.Resources[i] = now
			}
		}
	})
}

// refilled tells whether something that the plan empties holds something again.
func (o object) refilled(ctx context.Context, run *provisioners.Run, live []liveResource) (bool, error) {
	for _, ch := range o.changes(o.step(stepObjectEmpty)) {
		for _, r := range live {
			if r.id != ch.LogicalID || contents[r.typ] != ch.Type || r.physical == "" {
				continue
			}
			if full, err := o.holderOf(r, workOf(run), false).full(ctx); err != nil || full {
				return full, err
			}
		}
	}
	return false, nil
}

func (o object) startRemoval(ctx context.Context, run *provisioners.Run) error {
	if run.Outputs["stage"] == stageEmpty {
		return o.emptyOnce(ctx, run)
	}
	wish, err := wishesOf(run.Kind, run.Plan.Content.Inputs)
	if err != nil {
		return err
	}
	s, id, token := o.stack(run).as("", true), run.Outputs["stack"], o.deleteToken(run)
	in := &cloudformation.DeleteStackInput{StackName: &id, ClientRequestToken: &token, RoleARN: sdk.String(s.clients.roleARN(s.account, "cfn-exec"))}
	if len(wish.retain) > 0 {
		st, err := s.describe(ctx)
		if err != nil || st == nil {
			return err
		}
		if st.StackStatus == cfn.StackStatusDeleteFailed {
			if in.RetainResources, err = o.stillThere(ctx, run, wish.retain); err != nil {
				return err
			}
		}
	}
	_, err = s.client().DeleteStack(ctx, in)
	return err
}

// stillThere are those of the resources to keep that the stack still names: AWS refuses any other.
func (o object) stillThere(ctx context.Context, run *provisioners.Run, retain []string) ([]string, error) {
	live, err := o.liveResources(ctx, workOf(run))
	return slices.DeleteFunc(slices.Clone(retain), func(id string) bool {
		return !slices.ContainsFunc(live, func(r liveResource) bool { return r.id == id })
	}), err
}

func (o object) pollRemoval(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	if run.Outputs["stage"] == stageEmpty {
		return provisioners.Result{Found: provisioners.Onward}, nil
	}
	s := o.stack(run)
	st, err := s.describe(ctx)
	if err != nil {
		return absent, err
	}
	news, err := s.events(ctx, run.Outputs["stack"], run.Outputs["seen"])
	if err != nil && !noStack(err) {
		return absent, err
	}
	res := provisioners.Result{Found: provisioners.Working, Events: lines(news), Outputs: map[string]string{}, Waiting: aws(o.slowest(news))}
	if len(news) > 0 {
		res.Outputs["seen"] = sdk.ToString(news[len(news)-1].EventId)
	}
	if err := o.books.SaveRunResources(ctx, run.ID, movedResources(run.Step, news)); err != nil {
		return absent, err
	}
	switch {
	case st == nil:
		res.Found, res.Waiting = provisioners.Present, nil
	case st.StackStatus == cfn.StackStatusDeleteFailed:
		mine, err := o.failedByUs(ctx, s, st, run)
		if err != nil {
			return absent, err
		}
		if !mine { // the deletion was asked for, but not begun
			return provisioners.Result{Found: provisioners.Onward}, nil
		}
		failed, err := o.deleteFailed(ctx, run, s, st)
		failed.Events = res.Events
		return failed, err
	case st.StackStatus != cfn.StackStatusDeleteInProgress:
		return absent, nil // not begun yet
	}
	return res, nil
}

// slowest says what a deletion usually waits for.
func (o object) slowest(news []cfn.StackEvent) string {
	for _, e := range slices.Backward(news) {
		if typ := sdk.ToString(e.ResourceType); e.ResourceStatus == cfn.ResourceStatusDeleteInProgress && (typ == "AWS::EC2::SecurityGroup" || typ == "AWS::EC2::Subnet" || typ == "AWS::CloudFront::Distribution") {
			return fmt.Sprintf("AWS to let go of %s; that can take up to 40 minutes", sdk.ToString(e.LogicalResourceId))
		}
	}
	return "CloudFormation to delete the stack"
}
