package awssim

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// stored is a version of an object as it stands.
type stored struct {
	body              []byte
	contentType, etag string
	meta              map[string]string
	lockMode          string
	retain            *time.Time
	modified          time.Time
	version           string
	marker            bool
}

func (o *stored) locked(now time.Time) bool { return o.retain != nil && o.retain.After(now) }

func objectLocked() error {
	return refuse(http.StatusForbidden, "AccessDenied", "Access Denied because object protected by object lock.")
}

// shown is a version as answers name it: a bucket that never kept versions names none.
func (b bucket) shown(version string) *string {
	if b.versioning == "" {
		return nil
	}
	return &version
}

// stored reads a version of an object, the newest one when none is named; nil when there is none.
func (c *Call) stored(ctx context.Context, bucket, key, version string) (*stored, error) {
	var o stored
	var meta []byte
	err := c.Tx.QueryRow(ctx, `SELECT body, content_type, etag, meta, lock_mode, retain_until, modified_at, version, marker FROM objects
		WHERE bucket = $1 AND key = $2 AND ($3 = version OR $3 = '' AND newest)`, bucket, key, version).
		Scan(&o.body, &o.contentType, &o.etag, &meta, &o.lockMode, &o.retain, &o.modified, &o.version, &o.marker)
	if isNoRows(err) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(meta, &o.meta)
	}
	if err != nil {
		return nil, fmt.Errorf("read object %s/%s: %w", bucket, key, err)
	}
	return &o, nil
}

// store makes o the newest version of a key. A bucket that keeps no versions has one only.
func (c *Call) store(ctx context.Context, b bucket, key string, o *stored) error {
	o.version = "null"
	if b.versioning == "Enabled" {
		o.version = letters(32)
	}
	if _, err := c.Tx.Exec(ctx, `DELETE FROM objects WHERE bucket = $1 AND key = $2 AND version = $3`, b.name, key, o.version); err != nil {
		return fmt.Errorf("replace object %s/%s: %w", b.name, key, err)
	}
	if _, err := c.Tx.Exec(ctx, `UPDATE objects SET newest = false WHERE bucket = $1 AND key = $2 AND newest`, b.name, key); err != nil {
		return fmt.Errorf("put object %s/%s behind: %w", b.name, key, err)
	}
	body := append([]byte{}, o.body...)
	_, err := c.Tx.Exec(ctx, `INSERT INTO objects (bucket, key, version, marker, body, content_type, etag, meta, lock_mode, retain_until, modified_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		b.name, key, o.version, o.marker, body, o.contentType, o.etag, jsonText(o.meta), o.lockMode, o.retain, o.modified)
	if err != nil {
		return fmt.Errorf("store object %s/%s: %w", b.name, key, err)
	}
	return nil
}

// forget removes one version for good; the one before it is the newest then.
func (c *Call) forget(ctx context.Context, b bucket, key, version string) error {
	if _, err := c.Tx.Exec(ctx, `DELETE FROM objects WHERE bucket = $1 AND key = $2 AND version = $3`, b.name, key, version); err != nil {
		return fmt.Errorf("delete version of %s/%s: %w", b.name, key, err)
	}
	_, err := c.Tx.Exec(ctx, `UPDATE objects SET newest = true WHERE seq = (SELECT max(seq) FROM objects WHERE bucket = $1 AND key = $2)`, b.name, key)
	if err != nil {
		return fmt.Errorf("bring the version before of %s/%s back: %w", b.name, key, err)
	}
	return nil
}

// discard is a deletion: of one version where it is named, else by a marker where the bucket
// keeps versions.
func (c *Call) discard(ctx context.Context, b bucket, key string, version *string) (*stored, error) {
	o, err := c.stored(ctx, b.name, key, aws.ToString(version))
	if err != nil {
		return nil, err
	}
	switch {
	case version == nil && b.versioning != "":
		marker := &stored{marker: true, modified: c.Now}
		if o != nil && b.versioning == "Suspended" && o.version == "null" && o.locked(c.Now) {
			return nil, objectLocked()
		}
		return marker, c.store(ctx, b, key, marker)
	case o == nil:
		return nil, nil
	case o.locked(c.Now):
		return nil, objectLocked()
	}
	return o, c.forget(ctx, b, key, o.version)
}

// deletion is the action a caller needs to delete.
func deletion(version *string) string {
	if version != nil {
		return "s3:DeleteObjectVersion"
	}
	return "s3:DeleteObject"
}

func deleteObject(ctx context.Context, c *Call, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	b, err := c.inBucket(ctx, aws.ToString(in.Bucket), deletion(in.VersionId), aws.ToString(in.Key))
	if err != nil {
		return nil, err
	}
	o, err := c.discard(ctx, b, aws.ToString(in.Key), in.VersionId)
	if err != nil || o == nil || b.versioning == "" {
		return &s3.DeleteObjectOutput{}, err
	}
	out := &s3.DeleteObjectOutput{VersionId: b.shown(o.version)}
	if o.marker {
		out.DeleteMarker = aws.Bool(true)
	}
	return out, nil
}

const mostDeletes = 1000

// deleteObjects answers for each key by itself: what one may not delete is an entry of the
// answer, not the answer.
func deleteObjects(ctx context.Context, c *Call, in *s3.DeleteObjectsInput) (*s3.DeleteObjectsOutput, error) {
	if in.Delete == nil || len(in.Delete.Objects) == 0 || len(in.Delete.Objects) > mostDeletes {
		c.open()
		return nil, refuse(http.StatusBadRequest, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	}
	out := &s3.DeleteObjectsOutput{}
	for _, id := range in.Delete.Objects {
		b, err := c.inBucket(ctx, aws.ToString(in.Bucket), deletion(id.VersionId), aws.ToString(id.Key))
		var o *stored
		if err == nil {
			o, err = c.discard(ctx, b, aws.ToString(id.Key), id.VersionId)
		}
		if refused, ok := err.(*APIError); ok && refused.Code != "NoSuchBucket" {
			out.Errors = append(out.Errors, s3types.Error{Key: id.Key, VersionId: id.VersionId, Code: &refused.Code, Message: &refused.Message})
			continue
		}
		if err != nil {
			return nil, err
		}
		if aws.ToBool(in.Delete.Quiet) {
			continue
		}
		gone := s3types.DeletedObject{Key: id.Key, VersionId: id.VersionId}
		if o != nil && o.marker {
			gone.DeleteMarker, gone.DeleteMarkerVersionId = aws.Bool(true), b.shown(o.version)
		}
		out.Deleted = append(out.Deleted, gone)
	}
	return out, nil
}

func putVersioning(ctx context.Context, c *Call, in *s3.PutBucketVersioningInput) (*s3.PutBucketVersioningOutput, error) {
	b, err := c.inBucket(ctx, aws.ToString(in.Bucket), "s3:PutBucketVersioning", "")
	if err != nil {
		return nil, err
	}
	if in.VersioningConfiguration == nil || in.VersioningConfiguration.Status == "" || in.VersioningConfiguration.MFADelete != "" {
		return nil, refuse(http.StatusBadRequest, "IllegalVersioningConfigurationException", "The Versioning element must be specified")
	}
	return &s3.PutBucketVersioningOutput{}, c.version(ctx, b.name, string(in.VersioningConfiguration.Status))
}

// version switches the keeping of versions; it is never off again, only suspended.
func (c *Call) version(ctx context.Context, bucket, status string) error {
	if _, err := c.Tx.Exec(ctx, `UPDATE buckets SET versioning = CASE WHEN $2 = '' AND versioning <> '' THEN 'Suspended' ELSE $2 END WHERE name = $1`, bucket, status); err != nil {
		return fmt.Errorf("set versioning of bucket %s: %w", bucket, err)
	}
	return nil
}

func getVersioning(ctx context.Context, c *Call, in *s3.GetBucketVersioningInput) (*s3.GetBucketVersioningOutput, error) {
	b, err := c.inBucket(ctx, aws.ToString(in.Bucket), "s3:GetBucketVersioning", "")
	return &s3.GetBucketVersioningOutput{Status: s3types.BucketVersioningStatus(b.versioning)}, err
}

// bucketNotEmpty is S3's refusal to delete a bucket that holds something.
func bucketNotEmpty(ctx context.Context, c *Call, name string) error {
	b, _, err := c.bucket(ctx, name)
	if err != nil {
		return err
	}
	if b.versioning != "" {
		return refuse(http.StatusConflict, "BucketNotEmpty", "The bucket you tried to delete is not empty. You must delete all versions in the bucket.")
	}
	return refuse(http.StatusConflict, "BucketNotEmpty", "The bucket you tried to delete is not empty")
}

// bucketEffect makes, changes and removes the bucket of a stack.
func bucketEffect(ctx context.Context, c *Call, s *cfnStack, r *cfnResource, verb string, _ time.Time) error {
	switch verb {
	case "delete":
		return c.deleteBucket(ctx, r.Physical)
	case "create":
		if err := c.putBucket(ctx, s.Account, s.Region, r.Physical); err != nil {
			return err
		}
	}
	versioning, _ := r.Properties["VersioningConfiguration"].(map[string]any)
	return c.version(ctx, r.Physical, textOf(versioning["Status"]))
}
