package aws

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	ssotypes "github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"

	"slipway/models"
	"slipway/provisioners"
)

// undoAssignment removes what this run has made: an assignment that was there before stays.
func (p place) undoAssignment(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	if run.Outputs["mine"] == "" {
		return present, nil
	}
	g := p.grants()[0]
	g.groupID = run.Outputs["group"]
	if id := run.Outputs["request"]; id != "" { // one that AWS still works would come after its removal
		s, err := p.clients.people(workOf(run), lookAtAccess).request(ctx, assign, id)
		if err != nil {
			return absent, err
		}
		if s != nil && s.Status == ssotypes.StatusValuesInProgress {
			return provisioners.Result{Found: provisioners.Working}, nil
		}
	}
	return p.settle(ctx, run, unassign, g, "undo")
}

// settle brings an assignment to where a verb leaves it, one call at a time: for an undo, which may act and look as it needs.
func (p place) settle(ctx context.Context, run *provisioners.Run, v verb, g grant, key string) (provisioners.Result, error) {
	account, err := p.account(run)
	if err != nil {
		return absent, err
	}
	api := p.clients.people(workOf(run), lookAtAccess)
	if id := run.Outputs[key]; id != "" {
		s, err := api.request(ctx, v, id)
		if err != nil {
			return absent, err
		}
		switch {
		case s == nil:
		case s.Status == ssotypes.StatusValuesInProgress:
			return provisioners.Result{Found: provisioners.Working}, nil
		case s.Status == ssotypes.StatusValuesFailed && !(v == unassign && strings.Contains(sdk.ToString(s.FailureReason), "404")):
			return absent, p.refused(v, g, s)
		}
	}
	res, err := api.assigned(ctx, account, g.set, g.groupID, run.Cursor)
	if err != nil || res.Found == provisioners.More {
		return res, err
	}
	if (res.Found == provisioners.Present) == (v == assign) {
		state := models.AccessRemoved
		if v == assign {
			state = models.AccessAssigned
		}
		return present, p.seen(ctx, run, account, g, state, "")
	}
	id, err := p.clients.people(workOf(run), p.clients.assignAccess(account, g.set)).ask(ctx, v, account, g.set, g.groupID)
	if err != nil {
		return absent, p.notNow(err, run, account)
	}
	return provisioners.Result{Found: provisioners.Working, Outputs: map[string]string{key: id}}, nil
}

func (p place) refused(v verb, g grant, s *ssotypes.AccountAssignmentOperationStatus) error {
	done := "take away"
	if v == assign {
		done = "give back"
	}
	return provisioners.Final{Failure: models.Failure{What: fmt.Sprintf("IAM Identity Center could not %s the access of %s to account %s.", done, g.group, p.name()), Owner: platform,
		Cause: fmt.Sprintf("Request %s ended %s: %s", sdk.ToString(s.RequestId), s.Status, clip(sdk.ToString(s.FailureReason), 400)), Next: cureRetry}}
}

// letOut takes assignments in the place's account away, one after the other.
func (p place) letOut() provisioners.Step {
	var groups []string
	for _, g := range p.grants() {
		groups = append(groups, g.group)
	}
	return provisioners.Step{Title: fmt.Sprintf("End the access of %s to %s", strings.Join(unique(groups), ", "), p.name()), Find: p.look(p.findAssignments),
		Start: p.act(p.startRemoval), Poll: p.look(p.pollRemoval), Undo: p.look(p.undoRemoval)}
}

// findAssignments looks for the first that is still there, and goes on with the next where the last look ended.
func (p place) findAssignments(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	account, err := p.account(run)
	if err != nil {
		return absent, err
	}
	api := p.clients.people(workOf(run), lookAtAccess)
	for i, g := range p.grants() {
		if run.Outputs["gone."+strconv.Itoa(i)] != "" {
			continue
		}
		res, err := api.assigned(ctx, account, g.set, g.groupID, run.Cursor)
		if err != nil || res.Found == provisioners.More {
			return res, err
		}
		if res.Found == provisioners.Present {
			return provisioners.Result{Found: provisioners.Absent, Outputs: map[string]string{"at": strconv.Itoa(i), "mine." + strconv.Itoa(i): "yes", "request": ""}}, nil
		}
		if err := p.seen(ctx, run, account, g, models.AccessRemoved, ""); err != nil {
			return absent, err
		}
		return provisioners.Result{Found: provisioners.Onward, Outputs: map[string]string{"gone." + strconv.Itoa(i): "yes"}}, nil
	}
	return present, nil
}

// at is the assignment that the step is about to take away.
func (p place) at(run *provisioners.Run) (grant, error) {
	all := p.grants()
	i, err := strconv.Atoi(run.Outputs["at"])
	if err != nil || i < 0 || i >= len(all) {
		return grant{}, fmt.Errorf("step %s left no assignment to take away: %q", p.step, run.Outputs["at"])
	}
	return all[i], nil
}

func (p place) startRemoval(ctx context.Context, run *provisioners.Run) error {
	g, err := p.at(run)
	if err != nil {
		return err
	}
	account, err := p.account(run)
	if err != nil {
		return err
	}
	id, err := p.clients.people(workOf(run), p.clients.assignAccess(account, g.set)).ask(ctx, unassign, account, g.set, g.groupID)
	if err != nil {
		return p.notNow(err, run, account)
	}
	run.Outputs["request"] = id
	return nil
}

func (p place) pollRemoval(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	g, err := p.at(run)
	if err != nil {
		return absent, err
	}
	if id := run.Outputs["request"]; id != "" {
		s, err := p.clients.people(workOf(run), lookAtAccess).request(ctx, unassign, id)
		if err != nil {
			return absent, err
		}
		switch {
		case s == nil:
		case s.Status == ssotypes.StatusValuesInProgress:
			return provisioners.Result{Found: provisioners.Working, Waiting: &models.WaitingOn{For: "AWS", Words: "IAM Identity Center to end the access of " + g.group}}, nil
		case s.Status == ssotypes.StatusValuesFailed && !strings.Contains(sdk.ToString(s.FailureReason), "404"):
			return absent, p.refused(unassign, g, s)
		}
	}
	return provisioners.Result{Found: provisioners.Onward, Outputs: map[string]string{"request": ""}}, nil // the look says whether it is gone
}

// undoRemoval gives back what this run has taken away.
func (p place) undoRemoval(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	for i, g := range p.grants() {
		n := strconv.Itoa(i)
		if run.Outputs["mine."+n] == "" || run.Outputs["back."+n] != "" {
			continue // it was not reached, or is there again
		}
		res, err := p.settle(ctx, run, assign, g, "undo."+n)
		if err == nil && res.Found == provisioners.Present {
			return provisioners.Result{Found: provisioners.Absent, Outputs: map[string]string{"back." + n: "yes"}}, nil
		}
		return res, err
	}
	return present, nil
}
