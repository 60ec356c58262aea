package aws

import (
	"context"
	"fmt"
	"reflect"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"

	"slipway/models"
	"slipway/provisioners"
)

// from is the unit that the plan moves an account out of; empty for a new one, which comes from the root.
func (p place) from() string {
	for _, ch := range p.changes() {
		for _, prop := range ch.Properties {
			if prop.Path == "/OrganizationalUnit" && prop.Before != nil {
				return *prop.Before
			}
		}
	}
	return ""
}

// moveFrom moves an account that was there before, if what it gains and loses by that is still what was approved.
func (p place) moveFrom(from string) provisioners.Step {
	return provisioners.Step{Title: fmt.Sprintf("Move account %s from %s to %s", p.part.Account, from, p.unit()), Find: p.look(p.findMoved),
		Start: p.act(func(ctx context.Context, run *provisioners.Run) error { return p.moveBetween(ctx, run, from, p.unit()) }),
		Undo:  p.look(p.undoMove),
		Stays: fmt.Sprintf("in account %s, the stack with Slipway's roles if the stack set %s has delivered it: it retains stacks of accounts that leave", p.part.Account, p.clients.StackSet)}
}

func (p place) findMoved(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	id, from, to := p.part.Account, p.from(), p.unit()
	if _, err := p.stillMember(ctx, run, id); err != nil {
		return absent, err
	}
	org := organizationsClient(p.clients.org(workOf(run), lookAtOrganization))
	parent, err := parentOf(ctx, org, id)
	if err != nil {
		return absent, err
	}
	switch at := sdk.ToString(parent.Id); at {
	case to:
		return present, p.note(ctx, run, func(a *models.Account) { a.OU = at })
	case from:
		return absent, p.samePolicies(ctx, org, from, to)
	default:
		return absent, provisioners.Mismatch{Words: fmt.Sprintf("account %s is in organizational unit %s now, not in %s any more", id, at, from)}
	}
}

// samePolicies proves, right before the move, that the account gains and loses exactly what people decided about.
func (p place) samePolicies(ctx context.Context, org *organizations.Client, from, to string) error {
	types, err := policyTypes(ctx, org)
	if err != nil {
		return err
	}
	here, err := pathFrom(ctx, org, from, types)
	if err != nil {
		return err
	}
	there, err := pathFrom(ctx, org, to, types)
	if err != nil {
		return err
	}
	want := append([]models.Change{moving(p.step, from, to)}, moved(p.step, here, there)...)
	if reflect.DeepEqual(want, p.changes()) {
		return nil
	}
	return provisioners.Mismatch{Words: fmt.Sprintf("the policies that account %s gains and loses by its move are not those that were approved", p.part.Account)}
}

// moveBetween calls AWS in a session that says that the move was approved: only such a one may take an account out of any unit.
func (p place) moveBetween(ctx context.Context, run *provisioners.Run, from, to string) error {
	w := workOf(run)
	w.approve = true
	_, err := organizationsClient(p.clients.org(w, moveAccounts)).MoveAccount(ctx, &organizations.MoveAccountInput{AccountId: &p.part.Account, SourceParentId: &from, DestinationParentId: &to})
	if is(err, "DuplicateAccountException", "AccountNotFoundException") {
		return nil // moved already, or not where it was: the next look says
	}
	return err
}

// undoMove brings the account back to where it was. What of its former policies was changed meanwhile applies as it is now.
func (p place) undoMove(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	org := organizationsClient(p.clients.org(workOf(run), lookAtOrganization))
	parent, err := parentOf(ctx, org, p.part.Account)
	if is(err, "ChildNotFoundException") {
		return present, nil // it has left the organization
	}
	if err != nil {
		return absent, err
	}
	at := sdk.ToString(parent.Id)
	if at != p.unit() {
		return present, p.note(ctx, run, func(a *models.Account) { a.OU = at })
	}
	err = p.moveBetween(ctx, run, p.unit(), p.from())
	if is(err, "DestinationParentNotFoundException") {
		return absent, finalf("Account %s cannot go back: the organizational unit %s that it came from is gone.", "Move it by hand where it belongs, then undo again.", p.part.Account, p.from())
	}
	return provisioners.Result{Found: provisioners.Working}, err
}

// note writes into Slipway's row of the account, once there is one: planning looks before.
func (p place) note(ctx context.Context, run *provisioners.Run, change func(*models.Account)) error {
	if p.row(run) == "" {
		return nil
	}
	return p.registry.SaveAccount(ctx, actorOf(run), p.row(run), change)
}
