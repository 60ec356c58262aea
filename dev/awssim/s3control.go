package awssim

import (
	"context"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	controltypes "github.com/aws/aws-sdk-go-v2/service/s3control/types"
)

func s3controlOperations() []operation {
	return []operation{
		handle("s3control", "PutPublicAccessBlock", putAccessBlock),
		handle("s3control", "GetPublicAccessBlock", getAccessBlock),
		handle("s3control", "DeletePublicAccessBlock", deleteAccessBlock),
	}
}

const accessBlock = "public-access-block"

// ownBlock asks for the account's own public access block; nobody may reach another's.
func (c *Call) ownBlock(ctx context.Context, account *string, action string) error {
	if err := c.mayAs(ctx, c.Principal, action, "*", nil); err != nil {
		return err
	}
	if aws.ToString(account) != c.Account {
		return refuse(http.StatusForbidden, "AccessDenied", "Access Denied")
	}
	return nil
}

func putAccessBlock(ctx context.Context, c *Call, in *s3control.PutPublicAccessBlockInput) (*s3control.PutPublicAccessBlockOutput, error) {
	if err := c.ownBlock(ctx, in.AccountId, "s3:PutAccountPublicAccessBlock"); err != nil {
		return nil, err
	}
	if in.PublicAccessBlockConfiguration == nil {
		return nil, refuse(http.StatusBadRequest, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	}
	given := in.PublicAccessBlockConfiguration
	whole := controltypes.PublicAccessBlockConfiguration{ // what is left out is false
		BlockPublicAcls: aws.Bool(aws.ToBool(given.BlockPublicAcls)), BlockPublicPolicy: aws.Bool(aws.ToBool(given.BlockPublicPolicy)),
		IgnorePublicAcls: aws.Bool(aws.ToBool(given.IgnorePublicAcls)), RestrictPublicBuckets: aws.Bool(aws.ToBool(given.RestrictPublicBuckets)),
	}
	return &s3control.PutPublicAccessBlockOutput{}, c.set(ctx, c.Account, "", accessBlock, whole)
}

func getAccessBlock(ctx context.Context, c *Call, in *s3control.GetPublicAccessBlockInput) (*s3control.GetPublicAccessBlockOutput, error) {
	if err := c.ownBlock(ctx, in.AccountId, "s3:GetAccountPublicAccessBlock"); err != nil {
		return nil, err
	}
	out := &s3control.GetPublicAccessBlockOutput{PublicAccessBlockConfiguration: &controltypes.PublicAccessBlockConfiguration{}}
	ok, err := c.setting(ctx, c.Account, "", accessBlock, out.PublicAccessBlockConfiguration)
	if err == nil && !ok {
		err = refuse(http.StatusNotFound, "NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found")
	}
	return out, err
}

func deleteAccessBlock(ctx context.Context, c *Call, in *s3control.DeletePublicAccessBlockInput) (*s3control.DeletePublicAccessBlockOutput, error) {
	if err := c.ownBlock(ctx, in.AccountId, "s3:PutAccountPublicAccessBlock"); err != nil {
		return nil, err
	}
	_, err := c.unset(ctx, c.Account, "", accessBlock)
	return &s3control.DeletePublicAccessBlockOutput{}, err
}
