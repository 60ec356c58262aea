package aws

import (
	"context"
	"fmt"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	ssotypes "github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"

	"slipway/models"
	"slipway/provisioners"
)

// knownSoon is how long AWS gets to know a group everywhere before it is asked again.
const knownSoon = 10 * time.Second

// letIn assigns a permission set to a group in the place's account, and follows the request to its end. AWS takes the call for a group
// that it does not find, and says so only then.
func (p place) letIn() provisioners.Step {
	g := p.grants()[0]
	return provisioners.Step{Title: fmt.Sprintf("Let %s into %s as %s", g.group, p.name(), g.role), Find: p.look(p.findAssignment), Start: p.act(p.startAssignment),
		Poll: p.look(p.pollAssignment), Undo: p.look(p.undoAssignment)}
}

func (p place) findAssignment(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	g := p.grants()[0]
	account, err := p.account(run)
	if err != nil {
		return absent, err
	}
	if err := p.configured(g); err != nil {
		return absent, err
	}
	api := p.clients.people(workOf(run), lookAtAccess)
	if g.groupID, err = api.groupID(ctx, g.group); err != nil {
		return absent, err
	}
	if g.groupID == "" {
		return absent, p.noGroup(ctx, run, account, g)
	}
	if name, err := api.setName(ctx, g.set); err != nil || name == "" {
		return absent, p.noSet(ctx, run, account, g, err)
	}
	res, err := api.assigned(ctx, account, g.set, g.groupID, run.Cursor)
	switch {
	case err != nil || res.Found == provisioners.More:
		return res, err
	case res.Found == provisioners.Present:
		return res, p.seen(ctx, run, account, g, models.AccessAssigned, "")
	}
	id, err := api.inProgress(ctx, assign, account, g.set, g.groupID)
	if err != nil {
		return absent, err
	}
	if id != "" {
		return provisioners.Result{Found: provisioners.Working, Outputs: map[string]string{"request": id}}, nil
	}
	return provisioners.Result{Found: provisioners.Absent, Outputs: map[string]string{"request": "", "group": g.groupID, "mine": "yes"}}, nil
}

// configured asks for a new decision when another permission set was configured since the approval.
func (p place) configured(g grant) error {
	switch want := p.clients.IdentityCenter.set(g.role, p.class); want {
	case g.set:
		return nil
	case "":
		return provisioners.Mismatch{Words: "IAM Identity Center is not configured any more, so nobody can be given access"}
	default:
		return provisioners.Mismatch{Words: fmt.Sprintf("%ss of %s accounts now get the permission set %s, and not %s", g.role, p.class, want, g.set)}
	}
}

func (p place) startAssignment(ctx context.Context, run *provisioners.Run) error {
	g := p.grants()[0]
	g.groupID = run.Outputs["group"]
	account, err := p.account(run)
	if err != nil {
		return err
	}
	id, err := p.clients.people(workOf(run), p.clients.assignAccess(account, g.set)).ask(ctx, assign, account, g.set, g.groupID)
	if err != nil {
		return p.notNow(err, run, account)
	}
	run.Outputs["request"] = id
	return p.seen(ctx, run, account, g, models.AccessWorking, "")
}

// notNow knows the refusals that pass: another request for the same is still worked, or the account is too new to be known there.
func (p place) notNow(err error, run *provisioners.Run, account string) error {
	if !is(err, "ConflictException", "ResourceNotFoundException") || run.Waited > waitLimit {
		return err
	}
	words := "IAM Identity Center to end another change of the same access"
	if is(err, "ResourceNotFoundException") {
		words = "IAM Identity Center to know account " + account
	}
	return provisioners.Wait{For: "AWS", Words: words}
}

func (p place) pollAssignment(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	id := run.Outputs["request"]
	if id == "" {
		return p.findAssignment(ctx, run) // a crash hid the answer
	}
	g := p.grants()[0]
	account, err := p.account(run)
	if err != nil {
		return absent, err
	}
	api := p.clients.people(workOf(run), lookAtAccess)
	s, err := api.request(ctx, assign, id)
	if err != nil {
		return absent, err
	}
	if s != nil && s.Status == ssotypes.StatusValuesInProgress {
		return provisioners.Result{Found: provisioners.Working, Waiting: &models.WaitingOn{For: "AWS", Words: "IAM Identity Center to assign " + g.setName + " to " + g.group}}, nil
	}
	again := provisioners.Result{Found: provisioners.Onward, Outputs: map[string]string{"request": ""}}
	if s == nil || s.Status == ssotypes.StatusValuesSucceeded {
		return again, nil // the look says whether it is there
	}
	reason := sdk.ToString(s.FailureReason)
	if strings.Contains(reason, "404") { // group or permission set vanished on the way, or AWS does not know them everywhere yet
		if g.groupID, err = api.groupID(ctx, g.group); err != nil {
			return absent, err
		}
		if name, err := api.setName(ctx, g.set); err != nil || name == "" {
			return absent, p.noSet(ctx, run, account, g, err)
		}
		if g.groupID == "" || run.Waited < p.clients.FreshFor {
			again.Delay = knownSoon
			return again, nil
		}
	}
	f := models.Failure{What: fmt.Sprintf("IAM Identity Center could not give %s access to account %s.", g.group, p.name()), Owner: platform,
		Cause: fmt.Sprintf("Request %s ended %s: %s", id, s.Status, clip(reason, 400)), Next: cureRetry}
	if err := p.seen(ctx, run, account, g, models.AccessFailed, reason); err != nil {
		return absent, err
	}
	return absent, provisioners.Final{Failure: f}
}

// noGroup waits for a group that is not in the identity store, or not any more, and says what to do about it.
func (p place) noGroup(ctx context.Context, run *provisioners.Run, account string, g grant) error {
	todo := fmt.Sprintf("Let the identity provider push %s to IAM Identity Center (SCIM), or create a group of that display name there", g.group)
	if err := p.seen(ctx, run, account, g, models.AccessFailed, "The group is not in the identity store. "+todo+"."); err != nil {
		return err
	}
	if run.Waited < pushTime {
		return provisioners.Wait{For: "a person", Words: fmt.Sprintf("the group %s to arrive in the identity store: %s", g.group, strings.ToLower(todo[:1])+todo[1:])}
	}
	return finalf("The group %s is not in the identity store of IAM Identity Center.", todo+"; then retry: the run goes on from this step. A group that is gone for good is replaced by a change of the tenant.", g.group)
}

// noSet stops at a permission set that was deleted.
func (p place) noSet(ctx context.Context, run *provisioners.Run, account string, g grant, err error) error {
	if err == nil {
		err = p.seen(ctx, run, account, g, models.AccessFailed, "The permission set does not exist any more.")
	}
	if err != nil {
		return err
	}
	return noSetFor(g, p.class)
}

func noSetFor(g grant, class models.Class) error {
	return finalf("The permission set %s for %ss of %s accounts does not exist.",
		"Make another one, name it in SLIPWAY_PERMISSION_SETS and in the parameter PermissionSetArns of deploy/aws/org.yaml, and start Slipway anew; then retry, and what is left is planned with it.",
		g.set, g.role, class)
}
