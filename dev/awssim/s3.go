package awssim

import (
	"bytes"
	"context"
	"crypto/md5" // S3's ETag is an MD5
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func s3Operations() []operation {
	return []operation{
		handle("s3", "PutObject", putObject),
		handle("s3", "GetObject", getObject),
		handle("s3", "HeadObject", headObject),
		handle("s3", "DeleteObject", deleteObject),
		handle("s3", "ListObjectsV2", listObjects),
		handle("s3", "HeadBucket", headBucket),
		handle("s3", "CreateBucket", createBucket),
		handle("s3", "PutBucketVersioning", putVersioning),
		handle("s3", "GetBucketVersioning", getVersioning),
		handle("s3", "GetObjectLockConfiguration", lockConfiguration),
		handle("s3", "ListObjectVersions", listVersions),
		handle("s3", "DeleteObjects", deleteObjects),
		handle("s3", "CreateMultipartUpload", createUpload),
		handle("s3", "ListMultipartUploads", listUploads),
		handle("s3", "AbortMultipartUpload", abortUpload),
	}
}

// bucket is a bucket's owner and region, and whether it keeps versions.
type bucket struct{ name, account, region, versioning string }

func (c *Call) bucket(ctx context.Context, name string) (b bucket, ok bool, err error) {
	err = c.Tx.QueryRow(ctx, `SELECT name, account, region, versioning FROM buckets WHERE name = $1`, name).Scan(&b.name, &b.account, &b.region, &b.versioning)
	if isNoRows(err) {
		return b, false, nil
	}
	if err != nil {
		return b, false, fmt.Errorf("read bucket %s: %w", name, err)
	}
	return b, true, nil
}

// putBucket creates a bucket; one that another account holds is refused as S3 does.
func (c *Call) putBucket(ctx context.Context, account, region, name string) error {
	tag, err := c.Tx.Exec(ctx, `INSERT INTO buckets (name, account, region, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`, name, account, region, c.Now)
	if err != nil {
		return fmt.Errorf("create bucket %s: %w", name, err)
	}
	if tag.RowsAffected() > 0 {
		return nil
	}
	b, _, err := c.bucket(ctx, name)
	if err != nil {
		return err
	}
	if b.account == account {
		return refuse(http.StatusConflict, "BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it.")
	}
	return refuse(http.StatusConflict, "BucketAlreadyExists", "The requested bucket name is not available. The bucket namespace is shared by all users of the system.")
}

// deleteBucket removes an empty bucket; one that is not there is no error.
func (c *Call) deleteBucket(ctx context.Context, name string) error {
	var objects int
	if err := c.Tx.QueryRow(ctx, `SELECT count(*) FROM objects WHERE bucket = $1`, name).Scan(&objects); err != nil {
		return fmt.Errorf("count objects of %s: %w", name, err)
	}
	if objects > 0 {
		return bucketNotEmpty(ctx, c, name)
	}
	if _, err := c.Tx.Exec(ctx, `DELETE FROM multipart_uploads WHERE bucket = $1`, name); err != nil {
		return fmt.Errorf("end uploads to %s: %w", name, err)
	}
	if _, err := c.Tx.Exec(ctx, `DELETE FROM buckets WHERE name = $1`, name); err != nil {
		return fmt.Errorf("delete bucket %s: %w", name, err)
	}
	return nil
}

// object reads an object of a simulated bucket.
func (c *Call) object(ctx context.Context, bucket, key string) (body []byte, ok bool, err error) {
	err = c.Tx.QueryRow(ctx, `SELECT body FROM objects WHERE bucket = $1 AND key = $2 AND newest AND NOT marker`, bucket, key).Scan(&body)
	if isNoRows(err) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read object %s/%s: %w", bucket, key, err)
	}
	return body, true, nil
}

// inBucket asks for an action in a bucket: of the caller's own policies, and of the bucket's,
// which may deny its own account and must allow another one.
func (c *Call) inBucket(ctx context.Context, name, action, key string) (bucket, error) {
	resource := "arn:aws:s3:::" + name
	if key != "" {
		resource += "/" + key
	}
	if err := c.mayAs(ctx, c.Principal, action, resource, nil); err != nil {
		return bucket{}, err
	}
	b, ok, err := c.bucket(ctx, name)
	if err == nil && !ok {
		err = refuse(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
	}
	if err != nil {
		return b, err
	}
	says, err := c.bucketPolicy(ctx, b, c.question(c.Principal, action, resource, nil))
	if err == nil && (says == denies || (says == silent && b.account != c.Account)) {
		err = refuse(http.StatusForbidden, "AccessDenied", "Access Denied")
	}
	return b, err
}

// bucketPolicy is what the bucket's own policy says; only stacks make one.
func (c *Call) bucketPolicy(ctx context.Context, b bucket, q question) (effect, error) {
	var text string
	err := c.Tx.QueryRow(ctx, `SELECT body->'Properties'->'PolicyDocument' FROM stack_resources
		WHERE type = 'AWS::S3::BucketPolicy' AND account = $1 AND body->'Properties'->>'Bucket' = $2 AND status IN ('CREATE_COMPLETE', 'UPDATE_COMPLETE')`, b.account, b.name).Scan(&text)
	if isNoRows(err) {
		return silent, nil
	}
	if err != nil {
		return silent, fmt.Errorf("read policy of bucket %s: %w", b.name, err)
	}
	d, err := parsePolicy(text)
	if err != nil {
		return silent, fmt.Errorf("policy of bucket %s: %w", b.name, err)
	}
	says, _ := d.trust(q)
	return says, nil
}

var bucketForm = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

func createBucket(ctx context.Context, c *Call, in *s3.CreateBucketInput) (*s3.CreateBucketOutput, error) {
	name := aws.ToString(in.Bucket)
	if err := c.mayAs(ctx, c.Principal, "s3:CreateBucket", "arn:aws:s3:::"+name, nil); err != nil {
		return nil, err
	}
	if !bucketForm.MatchString(name) {
		return nil, refuse(http.StatusBadRequest, "InvalidBucketName", "The specified bucket is not valid.")
	}
	region := c.Region
	if in.CreateBucketConfiguration != nil && in.CreateBucketConfiguration.LocationConstraint != "" {
		region = string(in.CreateBucketConfiguration.LocationConstraint)
	}
	return &s3.CreateBucketOutput{Location: aws.String("/" + name)}, c.putBucket(ctx, c.Account, region, name)
}

func headBucket(ctx context.Context, c *Call, in *s3.HeadBucketInput) (*s3.HeadBucketOutput, error) {
	b, err := c.inBucket(ctx, aws.ToString(in.Bucket), "s3:ListBucket", "")
	return &s3.HeadBucketOutput{BucketRegion: &b.region}, err
}

func putObject(ctx context.Context, c *Call, in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
	name, key := aws.ToString(in.Bucket), aws.ToString(in.Key)
	b, err := c.inBucket(ctx, name, "s3:PutObject", key)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(in.Body)
	if err != nil {
		return nil, fmt.Errorf("read the object: %w", err)
	}
	if in.ObjectLockMode != "" && (in.ObjectLockRetainUntilDate == nil || !in.ObjectLockRetainUntilDate.After(c.Now)) {
		return nil, refuse(http.StatusBadRequest, "InvalidArgument", "The retain until date must be in the future!")
	}
	old, err := c.stored(ctx, name, key, "")
	if err != nil {
		return nil, err
	}
	switch {
	case old != nil && !old.marker && aws.ToString(in.IfNoneMatch) == "*":
		return nil, refuse(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
	case old != nil && b.versioning != "Enabled" && old.locked(c.Now):
		return nil, objectLocked()
	}
	o := &stored{body: body, contentType: aws.ToString(in.ContentType), etag: etagOf(body), meta: in.Metadata, modified: c.Now}
	if o.contentType == "" {
		o.contentType = "binary/octet-stream"
	}
	if in.ObjectLockMode != "" {
		o.lockMode, o.retain = string(in.ObjectLockMode), in.ObjectLockRetainUntilDate
	}
	if err := c.store(ctx, b, key, o); err != nil {
		return nil, err
	}
	return &s3.PutObjectOutput{ETag: &o.etag, VersionId: b.shown(o.version)}, nil
}

func etagOf(body []byte) string {
	sum := md5.Sum(body) // S3's ETag is an MD5
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

// fetch is an object the caller may read, or S3's refusal.
func (c *Call) fetch(ctx context.Context, name, key string, version *string) (bucket, *stored, error) {
	action := "s3:GetObject"
	if version != nil {
		action = "s3:GetObjectVersion"
	}
	b, err := c.inBucket(ctx, name, action, key)
	if err != nil {
		return b, nil, err
	}
	o, err := c.stored(ctx, name, key, aws.ToString(version))
	switch {
	case err != nil:
	case o == nil && version != nil:
		err = refuse(http.StatusNotFound, "NoSuchVersion", "The specified version does not exist.")
	case o != nil && o.marker && version != nil:
		err = refuse(http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource.")
	case o == nil || o.marker:
		err = refuse(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
	}
	return b, o, err
}

func getObject(ctx context.Context, c *Call, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	b, o, err := c.fetch(ctx, aws.ToString(in.Bucket), aws.ToString(in.Key), in.VersionId)
	if err != nil {
		return nil, err
	}
	return &s3.GetObjectOutput{Body: io.NopCloser(bytes.NewReader(o.body)), ContentType: &o.contentType, ETag: &o.etag,
		ContentLength: aws.Int64(int64(len(o.body))), LastModified: &o.modified, Metadata: o.meta, VersionId: b.shown(o.version)}, nil
}

func headObject(ctx context.Context, c *Call, in *s3.HeadObjectInput) (*s3.HeadObjectOutput, error) {
	b, o, err := c.fetch(ctx, aws.ToString(in.Bucket), aws.ToString(in.Key), in.VersionId)
	if err != nil {
		return nil, err
	}
	return &s3.HeadObjectOutput{ContentType: &o.contentType, ETag: &o.etag, ContentLength: aws.Int64(int64(len(o.body))), LastModified: &o.modified,
		Metadata: o.meta, ObjectLockMode: s3types.ObjectLockMode(o.lockMode), ObjectLockRetainUntilDate: o.retain, VersionId: b.shown(o.version)}, nil
}
