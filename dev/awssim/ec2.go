package awssim

import (
	"context"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func ec2Operations() []operation {
	return []operation{
		handle("ec2", "DescribeRegions", describeRegions),
		handle("ec2", "EnableEbsEncryptionByDefault", enableEncryption),
		handle("ec2", "DisableEbsEncryptionByDefault", disableEncryption),
		handle("ec2", "GetEbsEncryptionByDefault", getEncryption),
		handle("ec2", "GetEbsDefaultKmsKeyId", getEncryptionKey),
		handle("ec2", "ModifyInstanceMetadataDefaults", putMetadataDefaults),
		handle("ec2", "GetInstanceMetadataDefaults", getMetadataDefaults),
		handle("ec2", "EnableSnapshotBlockPublicAccess", blockSnapshots),
		handle("ec2", "GetSnapshotBlockPublicAccessState", getSnapshotBlock),
	}
}

// regional asks for a setting of one region, and honours DryRun.
func (c *Call) regional(ctx context.Context, dry *bool) error {
	if enabled, _ := regions(); !slices.Contains(enabled, c.Region) {
		return refuse(http.StatusUnauthorized, "AuthFailure", "AWS was not able to validate the provided access credentials")
	}
	if err := c.may(ctx, "*", keys{"ec2:Region": {c.Region}}); err != nil {
		return err
	}
	if aws.ToBool(dry) {
		return refuse(http.StatusPreconditionFailed, "DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
	}
	return nil
}

func describeRegions(ctx context.Context, c *Call, in *ec2.DescribeRegionsInput) (*ec2.DescribeRegionsOutput, error) {
	if err := c.regional(ctx, in.DryRun); err != nil {
		return nil, err
	}
	if len(in.Filters) > 0 {
		return nil, refuse(http.StatusBadRequest, "InvalidParameterValue", "The simulator plays no filters on regions.")
	}
	enabled, optIn := regions()
	out := &ec2.DescribeRegionsOutput{}
	add := func(names []string, status string) {
		for _, n := range names {
			if len(in.RegionNames) == 0 || slices.Contains(in.RegionNames, n) {
				out.Regions = append(out.Regions, ec2types.Region{RegionName: aws.String(n), Endpoint: aws.String("ec2." + n + ".amazonaws.com"), OptInStatus: aws.String(status)})
			}
		}
	}
	add(enabled, "opt-in-not-required")
	if aws.ToBool(in.AllRegions) {
		add(optIn, "not-opted-in")
	}
	for _, n := range in.RegionNames {
		if !slices.Contains(enabled, n) && !slices.Contains(optIn, n) {
			return nil, refuse(http.StatusBadRequest, "InvalidParameterValue", "Invalid region name: %s", n)
		}
	}
	return out, nil
}

const ebsSetting = "ebs-encryption"

func enableEncryption(ctx context.Context, c *Call, in *ec2.EnableEbsEncryptionByDefaultInput) (*ec2.EnableEbsEncryptionByDefaultOutput, error) {
	if err := c.regional(ctx, in.DryRun); err != nil {
		return nil, err
	}
	return &ec2.EnableEbsEncryptionByDefaultOutput{EbsEncryptionByDefault: aws.Bool(true)}, c.set(ctx, c.Account, c.Region, ebsSetting, true)
}

func disableEncryption(ctx context.Context, c *Call, in *ec2.DisableEbsEncryptionByDefaultInput) (*ec2.DisableEbsEncryptionByDefaultOutput, error) {
	if err := c.regional(ctx, in.DryRun); err != nil {
		return nil, err
	}
	return &ec2.DisableEbsEncryptionByDefaultOutput{EbsEncryptionByDefault: aws.Bool(false)}, c.set(ctx, c.Account, c.Region, ebsSetting, false)
}

func getEncryption(ctx context.Context, c *Call, in *ec2.GetEbsEncryptionByDefaultInput) (*ec2.GetEbsEncryptionByDefaultOutput, error) {
	if err := c.regional(ctx, in.DryRun); err != nil {
		return nil, err
	}
	on := false
	if _, err := c.setting(ctx, c.Account, c.Region, ebsSetting, &on); err != nil {
		return nil, err
	}
	out := &ec2.GetEbsEncryptionByDefaultOutput{EbsEncryptionByDefault: &on, SseType: ec2types.SSETypeNone}
	if on {
		out.SseType = ec2types.SSETypeSseKms
	}
	return out, nil
}

func getEncryptionKey(ctx context.Context, c *Call, in *ec2.GetEbsDefaultKmsKeyIdInput) (*ec2.GetEbsDefaultKmsKeyIdOutput, error) {
	if err := c.regional(ctx, in.DryRun); err != nil {
		return nil, err
	}
	return &ec2.GetEbsDefaultKmsKeyIdOutput{KmsKeyId: aws.String("alias/aws/ebs")}, nil
}

func putMetadataDefaults(ctx context.Context, c *Call, in *ec2.ModifyInstanceMetadataDefaultsInput) (*ec2.ModifyInstanceMetadataDefaultsOutput, error) {
	if err := c.regional(ctx, in.DryRun); err != nil {
		return nil, err
	}
	var d ec2types.InstanceMetadataDefaultsResponse
	if _, err := c.setting(ctx, c.Account, c.Region, "imds", &d); err != nil {
		return nil, err
	}
	if in.HttpTokens != "" {
		d.HttpTokens = ec2types.HttpTokensState(in.HttpTokens)
	}
	if in.HttpEndpoint != "" {
		d.HttpEndpoint = ec2types.InstanceMetadataEndpointState(in.HttpEndpoint)
	}
	if in.InstanceMetadataTags != "" {
		d.InstanceMetadataTags = ec2types.InstanceMetadataTagsState(in.InstanceMetadataTags)
	}
	if in.HttpPutResponseHopLimit != nil {
		d.HttpPutResponseHopLimit = in.HttpPutResponseHopLimit
	}
	return &ec2.ModifyInstanceMetadataDefaultsOutput{Return: aws.Bool(true)}, c.set(ctx, c.Account, c.Region, "imds", d)
}

func getMetadataDefaults(ctx context.Context, c *Call, in *ec2.GetInstanceMetadataDefaultsInput) (*ec2.GetInstanceMetadataDefaultsOutput, error) {
	if err := c.regional(ctx, in.DryRun); err != nil {
		return nil, err
	}
	d := &ec2types.InstanceMetadataDefaultsResponse{ManagedBy: ec2types.ManagedByAccount}
	_, err := c.setting(ctx, c.Account, c.Region, "imds", d)
	return &ec2.GetInstanceMetadataDefaultsOutput{AccountLevel: d}, err
}

func blockSnapshots(ctx context.Context, c *Call, in *ec2.EnableSnapshotBlockPublicAccessInput) (*ec2.EnableSnapshotBlockPublicAccessOutput, error) {
	if err := c.regional(ctx, in.DryRun); err != nil {
		return nil, err
	}
	if in.State != ec2types.SnapshotBlockPublicAccessStateBlockAllSharing && in.State != ec2types.SnapshotBlockPublicAccessStateBlockNewSharing {
		return nil, refuse(http.StatusBadRequest, "InvalidParameterValue", "State must be block-all-sharing or block-new-sharing.")
	}
	return &ec2.EnableSnapshotBlockPublicAccessOutput{State: in.State}, c.set(ctx, c.Account, c.Region, "snapshot-block", in.State)
}

func getSnapshotBlock(ctx context.Context, c *Call, in *ec2.GetSnapshotBlockPublicAccessStateInput) (*ec2.GetSnapshotBlockPublicAccessStateOutput, error) {
	if err := c.regional(ctx, in.DryRun); err != nil {
		return nil, err
	}
	state := ec2types.SnapshotBlockPublicAccessStateUnblocked
	_, err := c.setting(ctx, c.Account, c.Region, "snapshot-block", &state)
	return &ec2.GetSnapshotBlockPublicAccessStateOutput{State: state, ManagedBy: ec2types.ManagedByAccount}, err
}
