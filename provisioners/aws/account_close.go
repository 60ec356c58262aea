package aws

import (
	"context"
	"fmt"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"slipway/models"
	"slipway/provisioners"
)

// accountChanges are what becomes of an account itself.
func (e ending) accountChanges(ctx context.Context, w who, tenant models.Tenant, a standing) ([]models.Change, error) {
	closing := models.Change{Step: e.step(stepClose), LogicalID: "Account", Type: "AWS account", Action: models.Delete,
		Note: "AWS suspends it, keeps it for 90 days, in which AWS Support can open it again, and then deletes it with all that is in it. Its e-mail address stays taken."}
	switch {
	case a.AWSID == "":
		return []models.Change{{LogicalID: a.Name, Type: "Slipway's record", Action: models.Delete, Note: "AWS never made this account."}}, nil
	case a.dead() && !a.Enrolled:
		closing.Action, closing.Note = models.Exists, "AWS says that it is "+a.state+": nothing in it can be looked at or deleted."
		return []models.Change{closing}, nil
	}
	var all []models.Change
	if !a.dead() {
		all = append(all, models.Change{Step: e.step(stepScan), LogicalID: "Search", Type: "Search by owner tag", Action: models.Exists,
			Note: fmt.Sprintf("In %s, for whatever carries the tag %s = %s. What is found stands in the receipt.", join(e.clients.scanRegions()), models.TagTenant, tenant.Slug)})
	}
	access, err := e.tenants.removals(ctx, w, a.Account)
	if err != nil {
		return nil, err
	}
	all = append(all, access...)
	if a.Enrolled {
		roles := "the stack set goes on keeping Slipway's roles in it up to date"
		if a.ByHand {
			roles = "Slipway's roles stay in it until a person deletes stack " + models.ManualStack
		}
		return append(all, models.Change{Step: e.step(stepRelease), LogicalID: "Account", Type: "Slipway's record", Action: models.Delete,
			Note: "The account was there before Slipway, so it is not closed: it stays open and in its organizational unit, and " + roles + ". It can be enrolled again."}), nil
	}
	unit, to := a.unit, e.clients.OUSuspended
	return append(all, models.Change{Step: e.step(stepSuspend), LogicalID: "OrganizationalUnit", Type: "Organizational unit", Action: models.Modify,
		Properties: []models.PropertyChange{{Path: "/OrganizationalUnit", Before: &unit, After: &to}}}, closing), nil
}

// suspendable refuses a plan whose accounts have nowhere to go, and says when AWS takes no closings now.
func (c *Closing) suspendable(ctx context.Context, w who, accounts []standing, d *provisioners.Draft) error {
	n := 0
	for _, a := range accounts {
		if a.closes() {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	unit := c.clients.OUSuspended
	next := "Set SLIPWAY_OU_SUSPENDED, and OuSuspended of deploy/aws/org.yaml, to a unit whose policies deny everything, then plan again."
	if unit == "" {
		return finalf("No organizational unit is configured for accounts that are closed.", next)
	}
	org := organizationsClient(c.clients.org(w, lookAtOrganization))
	_, err := org.DescribeOrganizationalUnit(ctx, &organizations.DescribeOrganizationalUnitInput{OrganizationalUnitId: &unit})
	if is(err, "OrganizationalUnitNotFoundException", "InvalidInputException") {
		return finalf("The organizational unit %s for accounts that are closed does not exist.", next, unit)
	}
	if err != nil {
		return err
	}
	names, err := policiesOver(ctx, org, unit)
	if err != nil {
		return err
	}
	if len(names) == 0 {
		d.Notes = append(d.Notes, fmt.Sprintf("The organizational unit %s hands no policy down: until AWS has suspended an account there, whoever gets into it can still make things.", unit))
	}
	q, err := c.closings(ctx, organizationsClient(c.clients.org(w, lookAtOrganization)))
	if err == nil && q.taken+n > q.allowed {
		d.Notes = append(d.Notes, fmt.Sprintf("AWS takes %d closings in 30 days, and %d were asked for: the run waits with the accounts until about %s.", q.allowed, q.taken, q.until.Format(time.DateOnly)))
	}
	return err
}

// suspendStep moves the account under the policies of what is closed: from here on nothing new is made in it.
func (e ending) suspendStep() provisioners.Step {
	return provisioners.Step{Title: fmt.Sprintf("Move %s out of the way", e.name()), Find: e.look(e.findSuspended), Start: e.act(func(ctx context.Context, run *provisioners.Run) error {
		return e.moveTo(ctx, run, run.Outputs["parent"], e.suspendedUnit())
	}), Undo: e.look(e.undoSuspended)}
}

// suspendedUnit is the one that was approved.
func (e ending) suspendedUnit() string {
	ch, _ := e.change(e.step(stepSuspend))
	for _, p := range ch.Properties {
		if p.After != nil {
			return *p.After
		}
	}
	return e.clients.OUSuspended
}

func (e ending) organization(run *provisioners.Run) *organizations.Client {
	return organizationsClient(e.clients.org(workOf(run), lookAtOrganization))
}

func (e ending) findSuspended(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	parent, err := parentOf(ctx, e.organization(run), e.part.Account)
	if is(err, "ChildNotFoundException") { // it has left the organization: the next step says so
		return present, nil
	}
	if err != nil {
		return absent, err
	}
	at := sdk.ToString(parent.Id)
	if at == e.suspendedUnit() {
		return present, e.registry.SaveAccount(ctx, actorOf(run), e.row(), func(a *models.Account) { a.OU = at })
	}
	return provisioners.Result{Found: provisioners.Absent, Outputs: map[string]string{"parent": at}}, nil
}

func (e ending) moveTo(ctx context.Context, run *provisioners.Run, from, to string) error {
	w := workOf(run)
	w.approve = true
	_, err := organizationsClient(e.clients.org(w, moveAccounts)).MoveAccount(ctx,
		&organizations.MoveAccountInput{AccountId: &e.part.Account, SourceParentId: &from, DestinationParentId: &to})
	return ignore(err, "DuplicateAccountException", "AccountNotFoundException", "SourceParentNotFoundException") // the next look says where it is
}

// undoSuspended moves the account back to where it was, unless its closing has begun.
func (e ending) undoSuspended(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	was := run.Outputs["parent"]
	out, err := e.organization(run).DescribeAccount(ctx, &organizations.DescribeAccountInput{AccountId: &e.part.Account})
	if is(err, "AccountNotFoundException") {
		return present, nil
	}
	if err != nil {
		return absent, err
	}
	parent, err := parentOf(ctx, e.organization(run), e.part.Account)
	if err != nil {
		return absent, err
	}
	at := sdk.ToString(parent.Id)
	if was == "" || at != e.suspendedUnit() {
		return present, e.registry.SaveAccount(ctx, actorOf(run), e.row(), func(a *models.Account) { a.OU = at })
	}
	if state := stateOf(out.Account); state != string(orgtypes.AccountStateActive) {
		res := present
		res.Events = []provisioners.Event{{Key: "closed", Level: "warn", At: e.clients.Clock.Now(), Text: fmt.Sprintf("Account %s is %s and stays where it is: AWS Support can open it again", e.name(), state)}}
		return res, nil
	}
	return provisioners.Result{Found: provisioners.Working, Waiting: aws("Organizations to move the account back")}, e.moveTo(ctx, run, at, was)
}

// closeStep closes the account, at the very end: nobody but AWS Support can take it back.
func (e ending) closeStep() provisioners.Step {
	return provisioners.Step{Title: "Close account " + e.name(), Find: e.look(e.findClosed), Start: e.startClosing, Poll: e.look(e.pollClosed),
		Stays: fmt.Sprintf("account %s, if AWS has taken its closing: only AWS Support can open it again, within 90 days", e.name())}
}

func (e ending) findClosed(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	res, open, err := e.seeClosed(ctx, run)
	if err != nil || !open {
		return res, err
	}
	q, err := e.closings(ctx, e.organization(run))
	if err == nil && q.taken >= q.allowed {
		err = e.waitForQuota(q)
	}
	return absent, err
}

func (e ending) pollClosed(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	res, _, err := e.seeClosed(ctx, run)
	return res, err
}

// seeClosed asks AWS how far the closing is and writes it down; open tells that AWS knows of none.
func (e ending) seeClosed(ctx context.Context, run *provisioners.Run) (res provisioners.Result, open bool, err error) {
	out, err := e.organization(run).DescribeAccount(ctx, &organizations.DescribeAccountInput{AccountId: &e.part.Account})
	state := left
	if err != nil && !is(err, "AccountNotFoundException") {
		return absent, false, err
	}
	if err == nil {
		state = stateOf(out.Account)
	}
	now := e.clients.Clock.Wall()
	save := func(to models.ObjectState) error {
		return e.registry.SaveAccount(ctx, actorOf(run), e.row(), func(a *models.Account) {
			a.AWSState, a.AWSStateAt = state, now
			if a.ClosedAt.IsZero() && state != left {
				a.ClosedAt = now
			}
			if to != "" {
				a.State = to
			}
		})
	}
	switch state {
	case string(orgtypes.AccountStatePendingClosure):
		return provisioners.Result{Found: provisioners.Working, Waiting: aws("AWS to suspend the account; that takes a few minutes")}, false, save("")
	case string(orgtypes.AccountStateSuspended), "CLOSED":
		res = provisioners.Result{Found: provisioners.Present, Outputs: map[string]string{"state": state}}
		return res, false, save(models.Deleted)
	case left:
		res = provisioners.Result{Found: provisioners.Present, Outputs: map[string]string{"state": state}, Events: []provisioners.Event{{Key: "left", Level: "warn", At: e.clients.Clock.Now(),
			Text: fmt.Sprintf("Account %s (%s) is not in the organization any more, so Slipway cannot close it: whoever has it does", e.name(), e.part.Account)}}}
		return res, false, save(models.Deleted)
	}
	return absent, true, nil
}

// closeAccount narrows to closing one account.
func (c *Clients) closeAccount(id string) string {
	return policy(statement{Action: []string{"organizations:CloseAccount"}, Resource: []string{fmt.Sprintf("arn:%s:organizations::%s:account/o-*/%s", c.partition, c.management, id)}})
}

func (e ending) startClosing(ctx context.Context, run *provisioners.Run) error {
	w := workOf(run)
	w.approve = true
	_, err := organizationsClient(e.clients.org(w, e.clients.closeAccount(e.part.Account))).CloseAccount(ctx, &organizations.CloseAccountInput{AccountId: &e.part.Account},
		func(o *organizations.Options) { o.Retryer = once() })
	if is(err, "AccountAlreadyClosedException", "ConflictException") {
		return nil // closed by the call before this one: the next look says how far it is
	}
	return e.refused(ctx, run, err)
}
