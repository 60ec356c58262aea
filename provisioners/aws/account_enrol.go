package aws

import (
	"context"
	"fmt"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"slipway/models"
	"slipway/provisioners"
)

// enrol binds an account that exists: Slipway's own row first, which no second tenant can have, then the tags that say whose it is.
func (p place) enrol() provisioners.Step {
	return provisioners.Step{Title: fmt.Sprintf("Bind account %s to %s", p.part.Account, p.slug), Find: p.look(p.findEnrolled), Start: p.act(p.startEnrolled), Undo: p.look(p.undoEnrolled)}
}

func (p place) findEnrolled(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	id := p.part.Account
	res := provisioners.Result{Found: provisioners.Absent, Outputs: map[string]string{"account": id}}
	org := organizationsClient(p.clients.org(workOf(run), lookAtOrganization))
	a, err := p.enrollable(ctx, org, id, run.ObjectID, p.class)
	if err != nil {
		return res, err
	}
	row, err := p.registry.BoundAccount(ctx, id)
	if models.KindOf(err) == models.NotFound {
		return res, unclaimed(ctx, org, id, p.slug)
	}
	if err != nil {
		return res, err
	}
	res.Outputs["row"], res.Outputs["email"] = row.ID, sdk.ToString(a.Email)
	tags, err := tagsOf(ctx, org, id)
	if err != nil {
		return res, err
	}
	res.Found = presence(tags[tagTenant] == p.slug && tags[tagAccountRow] == row.ID).Found
	return res, nil
}

// unclaimed refuses an account whose tags say that another tenant has it: Slipway's own records may be older than they are.
func unclaimed(ctx context.Context, org *organizations.Client, id, slug string) error {
	tags, err := tagsOf(ctx, org, id)
	if err == nil && tags[tagTenant] != "" && tags[tagTenant] != slug {
		err = finalf("The tag %s of account %s says that it is another tenant's.", "Find out whose it is. If it is nobody's, remove the tag in AWS Organizations and retry.", tagTenant, id)
	}
	return err
}

func (p place) startEnrolled(ctx context.Context, run *provisioners.Run) error {
	org := organizationsClient(p.clients.org(workOf(run), tagAccounts))
	a, err := p.stillMember(ctx, run, p.part.Account)
	if err != nil {
		return err
	}
	row, err := p.registry.EnsureAccount(ctx, actorOf(run), run.RequestID, p.class, &models.Account{Class: p.class, AWSID: p.part.Account, Enrolled: true,
		Name: sdk.ToString(a.Name), Email: sdk.ToString(a.Email), ByHand: p.byHand()})
	if models.KindOf(err) == models.Conflict {
		return finalf("%s", "Choose another account: ask anew, or undo this request.", models.Message(err))
	}
	if err != nil {
		return err
	}
	parent, err := parentOf(ctx, org, p.part.Account)
	if err != nil {
		return err
	}
	if err := p.registry.SaveAccount(ctx, actorOf(run), row.ID, func(r *models.Account) {
		r.AWSState, r.AWSStateAt, r.OU = stateOf(&a), p.clients.Clock.Wall(), sdk.ToString(parent.Id)
	}); err != nil {
		return err
	}
	_, err = org.TagResource(ctx, &organizations.TagResourceInput{ResourceId: &p.part.Account, Tags: []orgtypes.Tag{
		{Key: sdk.String(tagTenant), Value: &p.slug}, {Key: sdk.String(tagAccountRow), Value: &row.ID}}})
	return err
}

// byHand tells that the plan leaves the account where a person has to deploy the roles.
func (p place) byHand() bool {
	for _, ch := range p.part.Changes {
		if ch.Step == p.stepName(stepManual) {
			return true
		}
	}
	return false
}

// undoEnrolled releases the account: it can be enrolled again, by anybody who may.
func (p place) undoEnrolled(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	row, err := p.registry.BoundAccount(ctx, p.part.Account)
	if models.KindOf(err) == models.NotFound {
		return present, nil // released by the call before this one, or never bound
	}
	if err != nil {
		return absent, err
	}
	if row.TenantID != run.ObjectID {
		return present, nil // another tenant's by now
	}
	_, err = organizationsClient(p.clients.org(workOf(run), tagAccounts)).UntagResource(ctx, &organizations.UntagResourceInput{ResourceId: &p.part.Account,
		TagKeys: []string{tagTenant, tagAccountRow}})
	if err != nil && !is(err, "TargetNotFoundException") { // it has left the organization, and its tags with it
		return absent, err
	}
	return present, p.registry.ReleaseAccount(ctx, actorOf(run), row.ID)
}
