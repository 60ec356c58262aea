package awssim

import (
	"context"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"
	quotatypes "github.com/aws/aws-sdk-go-v2/service/servicequotas/types"
)

func servicequotasOperations() []operation {
	return []operation{
		handle("servicequotas", "GetServiceQuota", getQuota),
		handle("servicequotas", "GetAWSDefaultServiceQuota", getDefaultQuota),
	}
}

// accountQuota is the one quota the simulator knows: accounts in an organization.
func (c *Call) accountQuota(ctx context.Context, service, code *string, value float64) (*quotatypes.ServiceQuota, error) {
	name := aws.ToString(service) + "/" + aws.ToString(code)
	if err := c.may(ctx, arn("servicequotas", c.Region, c.Account, name), nil); err != nil {
		return nil, err
	}
	if name != "organizations/L-E619E033" {
		return nil, refuse(http.StatusBadRequest, "NoSuchResourceException", "The request failed because the specified service or quota does not exist for this account.")
	}
	return &quotatypes.ServiceQuota{ServiceCode: service, QuotaCode: code, ServiceName: aws.String("AWS Organizations"), QuotaName: aws.String("Default maximum number of accounts"),
		QuotaArn: aws.String(arn("servicequotas", "us-east-1", c.Account, name)), Value: &value, Unit: aws.String("None"), Adjustable: true, GlobalQuota: true}, nil
}

func getQuota(ctx context.Context, c *Call, in *servicequotas.GetServiceQuotaInput) (*servicequotas.GetServiceQuotaOutput, error) {
	q, err := c.accountQuota(ctx, in.ServiceCode, in.QuotaCode, accountLimit)
	return &servicequotas.GetServiceQuotaOutput{Quota: q}, err
}

func getDefaultQuota(ctx context.Context, c *Call, in *servicequotas.GetAWSDefaultServiceQuotaInput) (*servicequotas.GetAWSDefaultServiceQuotaOutput, error) {
	q, err := c.accountQuota(ctx, in.ServiceCode, in.QuotaCode, 10)
	return &servicequotas.GetAWSDefaultServiceQuotaOutput{Quota: q}, err
}
