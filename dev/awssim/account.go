package awssim

import (
	"context"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/account"
	accounttypes "github.com/aws/aws-sdk-go-v2/service/account/types"
)

func accountOperations() []operation {
	return []operation{
		handle("account", "PutAlternateContact", putContact),
		handle("account", "GetAlternateContact", getContact),
		handle("account", "DeleteAlternateContact", deleteContact),
		handle("account", "ListRegions", listRegions),
	}
}

// contactOf finds whose contacts a call means: without AccountId the caller's own; with
// one, another member's, and only for the management account or a delegated administrator.
func (c *Call) contactOf(ctx context.Context, given *string, kind string) (string, error) {
	id := c.Account
	if given != nil {
		if id = *given; id == c.Account {
			return "", refuse(http.StatusBadRequest, "ValidationException", "AccountId must not be the account that makes the call; leave it out instead.")
		}
		if ok, err := c.governs(ctx, "account.amazonaws.com"); err != nil || !ok {
			return "", orElse(err, denied("account", "User: "+c.Principal.ARN+" is not authorized to perform: account:"+c.Op+" on another account."))
		}
		if _, ok, err := c.account(ctx, id); err != nil || !ok {
			return "", orElse(err, denied("account", "The account "+id+" is not a member of this organization."))
		}
	}
	resource := arn("account", "", id, "account")
	if given != nil {
		resource = arn("account", "", demoManagement, "account/"+demoOrganization+"/"+id)
	}
	return id, c.may(ctx, resource, keys{"account:AlternateContactTypes": one(kind)})
}

func putContact(ctx context.Context, c *Call, in *account.PutAlternateContactInput) (*account.PutAlternateContactOutput, error) {
	id, err := c.contactOf(ctx, in.AccountId, string(in.AlternateContactType))
	if err != nil {
		return nil, err
	}
	contact := accounttypes.AlternateContact{AlternateContactType: in.AlternateContactType, EmailAddress: in.EmailAddress, Name: in.Name, PhoneNumber: in.PhoneNumber, Title: in.Title}
	for name, value := range map[string]*string{"EmailAddress": in.EmailAddress, "Name": in.Name, "PhoneNumber": in.PhoneNumber, "Title": in.Title} {
		if _, err := need(name, value); err != nil {
			return nil, err
		}
	}
	if in.AlternateContactType == "" || !emailForm.MatchString(*in.EmailAddress) {
		return nil, refuse(http.StatusBadRequest, "ValidationException", "AlternateContactType or EmailAddress failed to satisfy its constraint.")
	}
	return &account.PutAlternateContactOutput{}, c.set(ctx, id, "", "contact:"+string(in.AlternateContactType), contact)
}

func getContact(ctx context.Context, c *Call, in *account.GetAlternateContactInput) (*account.GetAlternateContactOutput, error) {
	id, err := c.contactOf(ctx, in.AccountId, string(in.AlternateContactType))
	if err != nil {
		return nil, err
	}
	var contact accounttypes.AlternateContact
	ok, err := c.setting(ctx, id, "", "contact:"+string(in.AlternateContactType), &contact)
	if err != nil || !ok {
		return nil, orElse(err, noContact())
	}
	return &account.GetAlternateContactOutput{AlternateContact: &contact}, nil
}

func noContact() error {
	return refuse(http.StatusNotFound, "ResourceNotFoundException", "No contact of the inputted alternate contact type found.")
}

func deleteContact(ctx context.Context, c *Call, in *account.DeleteAlternateContactInput) (*account.DeleteAlternateContactOutput, error) {
	id, err := c.contactOf(ctx, in.AccountId, string(in.AlternateContactType))
	if err != nil {
		return nil, err
	}
	there, err := c.unset(ctx, id, "", "contact:"+string(in.AlternateContactType))
	if err != nil || !there {
		return nil, orElse(err, noContact())
	}
	return &account.DeleteAlternateContactOutput{}, nil
}

// regions are those of the simulated partition; the second half needs an opt-in.
func regions() (enabled, optIn []string) {
	return []string{"eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "us-east-1", "us-east-2", "us-west-1", "us-west-2",
		"ap-northeast-1", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1", "sa-east-1"}, []string{"eu-central-2", "eu-south-1", "af-south-1"}
}

func listRegions(ctx context.Context, c *Call, in *account.ListRegionsInput) (*account.ListRegionsOutput, error) {
	if _, err := c.contactOf(ctx, in.AccountId, ""); err != nil {
		return nil, err
	}
	enabled, optIn := regions()
	var all []accounttypes.Region
	add := func(names []string, status accounttypes.RegionOptStatus) {
		for _, n := range names {
			if len(in.RegionOptStatusContains) == 0 || slices.Contains(in.RegionOptStatusContains, status) {
				all = append(all, accounttypes.Region{RegionName: aws.String(n), RegionOptStatus: status})
			}
		}
	}
	add(enabled, accounttypes.RegionOptStatusEnabledByDefault)
	add(optIn, accounttypes.RegionOptStatusDisabled)
	all, next, err := page(all, in.NextToken, in.MaxResults, 50)
	return &account.ListRegionsOutput{Regions: all, NextToken: next}, err
}
