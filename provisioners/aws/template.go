package aws

import (
	"bytes"
	"context"
	"fmt"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// maxInlineTemplate is what CloudFormation takes in the call itself; what is longer it reads from the artifacts bucket.
const maxInlineTemplate = 51200

// templatePrefix is where templates lie in the artifacts bucket, by the hash of their content: an object there never changes.
const templatePrefix = "templates/"

// templateSource is a template as CreateChangeSet takes it: the text itself, or the address of a copy in the artifacts bucket that it
// makes sure of. The same text has the same address, so that a repetition writes nothing.
func (c *Clients) templateSource(ctx context.Context, text []byte) (body, address *string, err error) {
	if len(text) <= maxInlineTemplate {
		return sdk.String(string(text)), nil, nil
	}
	if c.ArtifactsBucket == "" {
		return nil, nil, finalf("The template has %d bytes, and CloudFormation takes only %d without a bucket to read it from.",
			"Set SLIPWAY_ARTIFACTS_BUCKET to the hub's bucket for templates, then try again.", len(text), maxInlineTemplate)
	}
	key := templatePrefix + templateHash(text) + ".yaml"
	api := s3.NewFromConfig(c.hub(c.Region), func(o *s3.Options) { o.UsePathStyle = c.Endpoint != "" })
	_, err = api.PutObject(ctx, &s3.PutObjectInput{Bucket: &c.ArtifactsBucket, Key: &key, Body: bytes.NewReader(text), ContentType: sdk.String("application/yaml"),
		ChecksumAlgorithm: s3types.ChecksumAlgorithmSha256, IfNoneMatch: sdk.String("*")})
	if err != nil && !is(err, "PreconditionFailed") {
		return nil, nil, fmt.Errorf("keep template %s in %s: %w", key, c.ArtifactsBucket, err)
	}
	return nil, sdk.String(fmt.Sprintf("https://%s.s3.%s.amazonaws.com/%s", c.ArtifactsBucket, c.Region, key)), nil
}
