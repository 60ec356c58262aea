package awssim

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
)

const listPage = 1000

// listObjects walks the keys in order and folds those that share a prefix up to the
// delimiter into one entry, as S3 does.
func listObjects(ctx context.Context, c *Call, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	name, prefix, delimiter := aws.ToString(in.Bucket), aws.ToString(in.Prefix), aws.ToString(in.Delimiter)
	if _, err := c.inBucket(ctx, name, "s3:ListBucket", ""); err != nil {
		return nil, err
	}
	most := aws.ToInt32(in.MaxKeys)
	if most <= 0 || most > listPage {
		most = listPage
	}
	after := aws.ToString(in.StartAfter)
	if in.ContinuationToken != nil {
		after = strings.TrimPrefix(*in.ContinuationToken, "after:")
	}
	rows, err := c.Tx.Query(ctx, `SELECT key, etag, octet_length(body), modified_at FROM objects WHERE bucket = $1 AND starts_with(key, $2) AND key > $3 AND newest AND NOT marker ORDER BY key`, name, prefix, after)
	if err != nil {
		return nil, fmt.Errorf("list bucket %s: %w", name, err)
	}
	defer rows.Close()
	out := &s3.ListObjectsV2Output{Name: &name, Prefix: &prefix, MaxKeys: &most, IsTruncated: aws.Bool(false), Delimiter: in.Delimiter}
	last, folded := "", ""
	for rows.Next() {
		var o s3types.Object
		var size int64
		if err := rows.Scan(&o.Key, &o.ETag, &size, &o.LastModified); err != nil {
			return nil, fmt.Errorf("list bucket %s: %w", name, err)
		}
		group := ""
		if head, _, ok := strings.Cut((*o.Key)[len(prefix):], delimiter); ok && delimiter != "" {
			group = prefix + head + delimiter
		}
		if group == "" || group != folded {
			if len(out.Contents)+len(out.CommonPrefixes) == int(most) {
				out.IsTruncated, out.NextContinuationToken = aws.Bool(true), aws.String("after:"+last)
				break
			}
			if folded = group; group != "" {
				out.CommonPrefixes = append(out.CommonPrefixes, s3types.CommonPrefix{Prefix: &group})
			} else {
				o.Size, o.StorageClass = &size, s3types.ObjectStorageClassStandard
				out.Contents = append(out.Contents, o)
			}
		}
		last = *o.Key
	}
	out.KeyCount = aws.Int32(int32(len(out.Contents) + len(out.CommonPrefixes)))
	return out, rows.Err()
}
