package aws

import (
	"context"
	"fmt"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/account"
	accounttypes "github.com/aws/aws-sdk-go-v2/service/account/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"slipway/models"
	"slipway/provisioners"
)

// access waits until the stack set has delivered the spoke roles and AWS lets Slipway assume them.
func (p place) access() provisioners.Step {
	return provisioners.Step{Title: "Wait for access to " + p.name(), Find: func(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
		res, err := p.findAccess(ctx, run)
		err = judge(err, run.Waited, run.Waited < p.clients.FreshFor)
		if f, ok := isFinal(err); ok && f.Failure.Code == "AccessDenied" {
			f.Failure.What = fmt.Sprintf("Slipway cannot get into account %s.", p.name())
			f.Failure.Next = p.trustedBy(ctx, run) + fmt.Sprintf(" Compare SLIPWAY_EXTERNAL_ID with the parameter ExternalId of the stack set %s, and its roles with deploy/aws/spoke.yaml; then retry: the run goes on from this step.", p.clients.StackSet)
			return res, f
		}
		return res, err
	}}
}

func (p place) findAccess(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	id, err := p.account(run)
	if err != nil {
		return absent, err
	}
	if p.part.Account != "" { // it was there before, and can leave while Slipway waits
		if _, err := p.stillMember(ctx, run, id); err != nil {
			return absent, err
		}
	}
	if delivered, err := p.delivered(ctx, run, id); err != nil || delivered.Found != provisioners.Present {
		return delivered, err
	}
	if err := p.enter(ctx, run, id); err != nil {
		return absent, err
	}
	return p.reached(), p.note(ctx, run, func(a *models.Account) { a.ByHand = false })
}

// enter assumes both spoke roles: whoever can is let in everywhere Slipway has to work.
func (p place) enter(ctx context.Context, run *provisioners.Run, id string) error {
	for _, role := range []string{"read", "deploy"} {
		me, err := sts.NewFromConfig(p.clients.spoke(id, p.clients.Region, role, identity, workOf(run))).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		if err != nil {
			return err
		}
		if sdk.ToString(me.Account) != id {
			return finalf("The role %s of account %s leads into account %s.", "Check SLIPWAY_SPOKE_ROLE_PREFIX, then retry.", role, id, sdk.ToString(me.Account))
		}
	}
	return nil
}

// reached is the end of a wait for roles. The account counts as fresh from then on: AWS does not know new roles everywhere at once.
func (p place) reached() provisioners.Result {
	return provisioners.Result{Found: provisioners.Present, Outputs: map[string]string{"born": p.clients.Clock.Wall().Format(time.RFC3339)}}
}

// delivered asks the stack set how far it is with the account.
func (p place) delivered(ctx context.Context, run *provisioners.Run, id string) (provisioners.Result, error) {
	out, err := cloudformation.NewFromConfig(p.clients.hub(p.clients.Region)).ListStackInstances(ctx, &cloudformation.ListStackInstancesInput{
		StackSetName: &p.clients.StackSet, CallAs: cfn.CallAsDelegatedAdmin, StackInstanceAccount: &id, StackInstanceRegion: &p.clients.Region})
	if err != nil {
		return absent, err
	}
	waiting := func(words string) (provisioners.Result, error) {
		if run.Waited > waitLimit {
			return absent, finalf("The stack set %s has not reached account %s in %s.",
				"Look at its operations in the hub account: is auto-deployment on for the organizational unit? Then retry: the run goes on from this step.", p.clients.StackSet, p.name(), run.Waited.Round(1e9))
		}
		return provisioners.Result{Found: provisioners.Working, Waiting: &models.WaitingOn{For: "AWS", Words: words}}, nil
	}
	if len(out.Summaries) == 0 {
		return waiting("the stack set to notice the account")
	}
	i := out.Summaries[0]
	status := cfn.StackInstanceDetailedStatusPending
	if i.StackInstanceStatus != nil {
		status = i.StackInstanceStatus.DetailedStatus
	}
	switch status {
	case cfn.StackInstanceDetailedStatusSucceeded:
		return present, nil
	case cfn.StackInstanceDetailedStatusPending, cfn.StackInstanceDetailedStatusRunning:
		return waiting("the stack set to deliver Slipway's roles")
	}
	return absent, provisioners.Final{Failure: models.Failure{What: fmt.Sprintf("The stack set %s could not deliver Slipway's roles to account %s.", p.clients.StackSet, p.name()),
		Cause: fmt.Sprintf("Its instance is %s: %s.", status, sdk.ToString(i.StatusReason)), Owner: platform,
		Next: inTheWay(sdk.ToString(i.StatusReason)) + "Cure the cause, deploy the stack set to the account again, then retry: the run goes on from this step."}}
}

// contactKinds are whom AWS may ask, in the order of the plan.
var contactKinds = []accounttypes.AlternateContactType{accounttypes.AlternateContactTypeSecurity, accounttypes.AlternateContactTypeBilling, accounttypes.AlternateContactTypeOperations}

// contacts tells AWS whom to ask about the account.
func (p place) contacts() provisioners.Step {
	return p.givenBack(provisioners.Step{Title: "Set the contacts of " + p.name(), Find: p.look(p.formerContacts), Start: p.act(func(ctx context.Context, run *provisioners.Run) error {
		missing, api, err := p.missingContacts(ctx, run)
		if err != nil {
			return err
		}
		id, err := p.account(run)
		if err != nil {
			return err
		}
		c := p.contact()
		for _, kind := range missing {
			if _, err := api.PutAlternateContact(ctx, &account.PutAlternateContactInput{AccountId: &id, AlternateContactType: kind,
				Name: &c.Name, Title: &c.Title, EmailAddress: &c.Email, PhoneNumber: &c.Phone}); err != nil {
				return err
			}
		}
		return nil
	}), Stays: "the contacts of " + p.name() + " stay"}, p.undoContacts)
}

// contact is the one that was approved.
func (p place) contact() Contact {
	var c Contact
	fields := map[string]*string{"/Name": &c.Name, "/Title": &c.Title, "/EmailAddress": &c.Email, "/PhoneNumber": &c.Phone}
	for _, ch := range p.changes() {
		for _, prop := range ch.Properties {
			if to := fields[prop.Path]; to != nil && prop.After != nil {
				*to = *prop.After
			}
		}
	}
	return c
}

func (p place) missingContacts(ctx context.Context, run *provisioners.Run) ([]accounttypes.AlternateContactType, *account.Client, error) {
	id, err := p.account(run)
	if err != nil {
		return nil, nil, err
	}
	api, want := account.NewFromConfig(p.clients.org(workOf(run), setContacts)), p.contact()
	var missing []accounttypes.AlternateContactType
	for _, kind := range contactKinds {
		out, err := api.GetAlternateContact(ctx, &account.GetAlternateContactInput{AccountId: &id, AlternateContactType: kind})
		switch {
		case is(err, "ResourceNotFoundException"):
			missing = append(missing, kind)
		case err != nil:
			return nil, nil, err
		default:
			h := out.AlternateContact
			if (Contact{sdk.ToString(h.Name), sdk.ToString(h.Title), sdk.ToString(h.EmailAddress), sdk.ToString(h.PhoneNumber)}) != want {
				missing = append(missing, kind)
			}
		}
	}
	return missing, api, nil
}
