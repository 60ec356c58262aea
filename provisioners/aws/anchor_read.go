package aws

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"slipway/models"
)

const headsPrefix = "heads/"

// Anchors is the bucket of audit heads for who verifies: with the credentials at hand, nothing else of Slipway's set-up is needed.
type Anchors struct {
	api    *s3.Client
	bucket string
}

// OpenAnchors reads the credentials chain; it calls nothing yet. Endpoint is one address for AWS, empty for AWS itself; without credentials the
// SDK's default chain counts.
func OpenAnchors(ctx context.Context, endpoint, region, bucket string, credentials sdk.CredentialsProvider) (*Anchors, error) {
	var load []func(*config.LoadOptions) error
	if region != "" {
		load = append(load, config.WithRegion(region))
	}
	if credentials != nil {
		load = append(load, config.WithCredentialsProvider(credentials))
	}
	cfg, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return nil, fmt.Errorf("read AWS configuration: %w", err)
	}
	return &Anchors{s3.NewFromConfig(cfg, func(o *s3.Options) {
		if endpoint != "" {
			o.BaseEndpoint, o.UsePathStyle = &endpoint, true
		}
	}), bucket}, nil
}

// List gives every version of every kept head, and the keys under which something else was put. What lies over a version, or hides it, takes
// nothing away: Object Lock keeps the first.
func (a *Anchors) List(ctx context.Context) (anchors []models.Anchor, strange []string, err error) {
	pages := s3.NewListObjectVersionsPaginator(a.api, &s3.ListObjectVersionsInput{Bucket: &a.bucket, Prefix: sdk.String(headsPrefix)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, nil, fmt.Errorf("list the audit heads in %s: %w", a.bucket, err)
		}
		for _, v := range page.Versions {
			key := sdk.ToString(v.Key)
			seq, err := strconv.ParseInt(strings.TrimPrefix(key, headsPrefix), 10, 64)
			if err != nil || seq < 1 || key != headKey(seq) {
				strange = append(strange, key)
				continue
			}
			anchors = append(anchors, models.Anchor{Seq: seq, Sum: strings.Trim(sdk.ToString(v.ETag), `"`), Version: sdk.ToString(v.VersionId), At: sdk.ToTime(v.LastModified)})
		}
	}
	return anchors, strange, nil
}

// Read is what an anchor really holds: the sum of an object that is encrypted with a key is not of its text.
func (a *Anchors) Read(ctx context.Context, anchor models.Anchor) (string, error) {
	key := headKey(anchor.Seq)
	out, err := a.api.GetObject(ctx, &s3.GetObjectInput{Bucket: &a.bucket, Key: &key, VersionId: &anchor.Version})
	if err != nil {
		return "", fmt.Errorf("read the audit head %s/%s: %w", a.bucket, key, err)
	}
	defer out.Body.Close()
	text, err := io.ReadAll(io.LimitReader(out.Body, 200))
	if err != nil {
		return "", fmt.Errorf("read the audit head %s/%s: %w", a.bucket, key, err)
	}
	return string(text), nil
}

func headKey(seq int64) string { return fmt.Sprintf(headsPrefix+"%012d", seq) }
