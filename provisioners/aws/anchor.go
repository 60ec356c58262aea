package aws

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"slipway/models"
)

// headLife is how long nobody, the account's root included, can change or delete a kept head.
const headLife = 400 * 24 * time.Hour

// ErrRewritten says that a head kept earlier and the audit chain of today do not belong together.
var ErrRewritten = errors.New("the audit chain was rewritten")

// KeepHead puts a head of the audit chain into a bucket with Object Lock, as `slipway audit verify --anchor` takes it. A number is kept
// once: the same head again is no error, another hash under it is ErrRewritten.
func (c *Clients) KeepHead(ctx context.Context, bucket string, head models.AuditHead) error {
	api := s3.NewFromConfig(c.hub(c.Region), func(o *s3.Options) { o.UsePathStyle = c.Endpoint != "" })
	key := headKey(head.Seq)
	_, err := api.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(head.AnchorText()), ContentType: sdk.String("text/plain"),
		ChecksumAlgorithm: s3types.ChecksumAlgorithmSha256, IfNoneMatch: sdk.String("*"),
		ObjectLockMode: s3types.ObjectLockModeCompliance, ObjectLockRetainUntilDate: sdk.Time(c.Clock.Wall().Add(headLife))})
	if !is(err, "PreconditionFailed") {
		return wrapHead(err, bucket, key)
	}
	out, err := api.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return wrapHead(err, bucket, key)
	}
	defer out.Body.Close()
	kept, err := io.ReadAll(io.LimitReader(out.Body, 200))
	if err != nil {
		return wrapHead(err, bucket, key)
	}
	if was := strings.TrimSpace(string(kept)); was != head.String() {
		return fmt.Errorf("%w: %s/%s holds %s, the chain has %s", ErrRewritten, bucket, key, clip(was, 100), head)
	}
	return nil
}

func wrapHead(err error, bucket, key string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("keep audit head %s/%s: %w", bucket, key, err)
}
