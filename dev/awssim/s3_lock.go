package awssim

import (
	"context"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// unlocked is the setting of a bucket whose lock somebody switched off on the simulator's page; at AWS nobody can.
const unlocked = "object-lock-off/"

// lockConfiguration answers for buckets that a stack made with Object Lock.
func lockConfiguration(ctx context.Context, c *Call, in *s3.GetObjectLockConfigurationInput) (*s3.GetObjectLockConfigurationOutput, error) {
	b, err := c.inBucket(ctx, aws.ToString(in.Bucket), "s3:GetBucketObjectLockConfiguration", "")
	if err != nil {
		return nil, err
	}
	var made bool // only stacks make one
	if err := c.Tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM stack_resources WHERE type = 'AWS::S3::Bucket' AND account = $1 AND body->'Properties'->>'BucketName' = $2
		AND body->'Properties'->>'ObjectLockEnabled' = 'true' AND status IN ('CREATE_COMPLETE', 'UPDATE_COMPLETE'))`, b.account, b.name).Scan(&made); err != nil {
		return nil, fmt.Errorf("read the lock of bucket %s: %w", b.name, err)
	}
	var off bool
	if _, err := c.setting(ctx, b.account, b.region, unlocked+b.name, &off); err != nil {
		return nil, err
	}
	if off || !made {
		return nil, refuse(http.StatusNotFound, "ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket")
	}
	return &s3.GetObjectLockConfigurationOutput{ObjectLockConfiguration: &s3types.ObjectLockConfiguration{ObjectLockEnabled: s3types.ObjectLockEnabledEnabled}}, nil
}
