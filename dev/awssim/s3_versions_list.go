package awssim

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// noDelimiter refuses a listing with a delimiter, which the simulator folds for current objects only.
func noDelimiter(delimiter *string) error {
	if aws.ToString(delimiter) != "" {
		return refuse(http.StatusNotImplemented, "NotImplemented", "The simulator plays no delimiter here.")
	}
	return nil
}

// listVersions walks all versions, of each key the newest first.
func listVersions(ctx context.Context, c *Call, in *s3.ListObjectVersionsInput) (*s3.ListObjectVersionsOutput, error) {
	name, prefix := aws.ToString(in.Bucket), aws.ToString(in.Prefix)
	if _, err := c.inBucket(ctx, name, "s3:ListBucketVersions", ""); err != nil {
		return nil, err
	}
	if err := noDelimiter(in.Delimiter); err != nil {
		return nil, err
	}
	most := aws.ToInt32(in.MaxKeys)
	if in.MaxKeys == nil || most > listPage {
		most = listPage
	}
	if most < 0 || (in.VersionIdMarker != nil && in.KeyMarker == nil) {
		return nil, refuse(http.StatusBadRequest, "InvalidArgument", "A version-id marker cannot be specified without a key marker.")
	}
	// The marker names a place, not a version, which may be gone by the next page.
	place, err := strconv.ParseInt(strings.TrimPrefix(aws.ToString(in.VersionIdMarker), "at."), 10, 64)
	if err != nil && in.VersionIdMarker != nil {
		return nil, refuse(http.StatusBadRequest, "InvalidArgument", "Invalid version id specified")
	}
	rows, err := c.Tx.Query(ctx, `SELECT seq, key, version, marker, newest, etag, octet_length(body), modified_at FROM objects
		WHERE bucket = $1 AND starts_with(key, $2) AND (key > $3 OR key = $3 AND seq < $4) ORDER BY key, seq DESC LIMIT $5`, name, prefix, aws.ToString(in.KeyMarker), place, most+1)
	if err != nil {
		return nil, fmt.Errorf("list versions of %s: %w", name, err)
	}
	defer rows.Close()
	out := &s3.ListObjectVersionsOutput{Name: &name, Prefix: &prefix, KeyMarker: aws.String(aws.ToString(in.KeyMarker)), VersionIdMarker: aws.String(aws.ToString(in.VersionIdMarker)), MaxKeys: &most, IsTruncated: aws.Bool(false)}
	owner := &s3types.Owner{ID: aws.String(c.Account)}
	for n := int32(0); rows.Next(); n++ {
		var v s3types.ObjectVersion
		var marker bool
		var seq int64
		if err := rows.Scan(&seq, &v.Key, &v.VersionId, &marker, &v.IsLatest, &v.ETag, &v.Size, &v.LastModified); err != nil {
			return nil, fmt.Errorf("list versions of %s: %w", name, err)
		}
		if n == most {
			out.IsTruncated = aws.Bool(true)
			break
		}
		out.NextKeyMarker, out.NextVersionIdMarker = v.Key, aws.String(fmt.Sprintf("at.%d", seq))
		if marker {
			out.DeleteMarkers = append(out.DeleteMarkers, s3types.DeleteMarkerEntry{Key: v.Key, VersionId: v.VersionId, IsLatest: v.IsLatest, LastModified: v.LastModified, Owner: owner})
			continue
		}
		v.StorageClass, v.Owner = s3types.ObjectVersionStorageClassStandard, owner
		out.Versions = append(out.Versions, v)
	}
	if !*out.IsTruncated {
		out.NextKeyMarker, out.NextVersionIdMarker = nil, nil
	}
	return out, rows.Err()
}

func createUpload(ctx context.Context, c *Call, in *s3.CreateMultipartUploadInput) (*s3.CreateMultipartUploadOutput, error) {
	b, err := c.inBucket(ctx, aws.ToString(in.Bucket), "s3:PutObject", aws.ToString(in.Key))
	if err != nil {
		return nil, err
	}
	id := letters(40)
	if _, err := c.Tx.Exec(ctx, `INSERT INTO multipart_uploads (bucket, key, id, initiated_at) VALUES ($1, $2, $3, $4)`, b.name, *in.Key, id, c.Now); err != nil {
		return nil, fmt.Errorf("begin upload to %s: %w", b.name, err)
	}
	return &s3.CreateMultipartUploadOutput{Bucket: in.Bucket, Key: in.Key, UploadId: &id}, nil
}

func listUploads(ctx context.Context, c *Call, in *s3.ListMultipartUploadsInput) (*s3.ListMultipartUploadsOutput, error) {
	name := aws.ToString(in.Bucket)
	if _, err := c.inBucket(ctx, name, "s3:ListBucketMultipartUploads", ""); err != nil {
		return nil, err
	}
	if err := noDelimiter(in.Delimiter); err != nil {
		return nil, err
	}
	most := aws.ToInt32(in.MaxUploads)
	if most <= 0 || most > listPage {
		most = listPage
	}
	rows, err := c.Tx.Query(ctx, `SELECT key, id, initiated_at FROM multipart_uploads WHERE bucket = $1 AND starts_with(key, $2) AND (key > $3 OR key = $3 AND $4 <> '' AND id > $4)
		ORDER BY key, id LIMIT $5`, name, aws.ToString(in.Prefix), aws.ToString(in.KeyMarker), aws.ToString(in.UploadIdMarker), most+1)
	if err != nil {
		return nil, fmt.Errorf("list uploads to %s: %w", name, err)
	}
	defer rows.Close()
	out := &s3.ListMultipartUploadsOutput{Bucket: &name, Prefix: aws.String(aws.ToString(in.Prefix)), MaxUploads: &most, IsTruncated: aws.Bool(false)}
	for rows.Next() {
		var u s3types.MultipartUpload
		if err := rows.Scan(&u.Key, &u.UploadId, &u.Initiated); err != nil {
			return nil, fmt.Errorf("list uploads to %s: %w", name, err)
		}
		if len(out.Uploads) == int(most) {
			out.IsTruncated = aws.Bool(true)
			break
		}
		u.StorageClass = s3types.StorageClassStandard
		out.Uploads = append(out.Uploads, u)
		out.NextKeyMarker, out.NextUploadIdMarker = u.Key, u.UploadId
	}
	if !*out.IsTruncated {
		out.NextKeyMarker, out.NextUploadIdMarker = nil, nil
	}
	return out, rows.Err()
}

func abortUpload(ctx context.Context, c *Call, in *s3.AbortMultipartUploadInput) (*s3.AbortMultipartUploadOutput, error) {
	b, err := c.inBucket(ctx, aws.ToString(in.Bucket), "s3:AbortMultipartUpload", aws.ToString(in.Key))
	if err != nil {
		return nil, err
	}
	tag, err := c.Tx.Exec(ctx, `DELETE FROM multipart_uploads WHERE bucket = $1 AND key = $2 AND id = $3`, b.name, aws.ToString(in.Key), aws.ToString(in.UploadId))
	if err != nil {
		return nil, fmt.Errorf("abort upload to %s: %w", b.name, err)
	}
	if tag.RowsAffected() == 0 {
		return nil, refuse(http.StatusNotFound, "NoSuchUpload", "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.")
	}
	return &s3.AbortMultipartUploadOutput{}, nil
}
