package awssim

import (
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
)

const bucketStack = `
Resources:
  Site: {Type: "AWS::S3::Bucket", Properties: {BucketName: slw-site-files, VersioningConfiguration: {Status: Enabled}}}
`

// TestObjectVersions fills a bucket that keeps versions, and empties it so that its stack can
// be deleted: versions, delete markers and uploads.
func TestObjectVersions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fast)
	s := newStackTest(t, w)
	ctx := t.Context()
	s.changeSet("slw-site", "site", bucketStack, cfntypes.ChangeSetTypeCreate)
	s.execute("slw-site", "site")
	id := *s.want("slw-site", "CREATE_COMPLETE").StackId
	api := s3.NewFromConfig(w.as(asAdmin), func(o *s3.Options) { o.UsePathStyle = true })
	name := aws.String("slw-site-files")
	var first *s3.PutObjectOutput
	for i, text := range []string{"one", "two"} {
		out, err := api.PutObject(ctx, &s3.PutObjectInput{Bucket: name, Key: aws.String("index.html"), Body: strings.NewReader(text)})
		if err != nil || aws.ToString(out.VersionId) == "" {
			t.Fatalf("put %s: %+v, %v", text, out, err)
		}
		if i == 0 {
			first = out
		}
	}
	old, err := api.GetObject(ctx, &s3.GetObjectInput{Bucket: name, Key: aws.String("index.html"), VersionId: first.VersionId})
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(old.Body); err != nil || string(text) != "one" {
		t.Errorf("the first version is %q, %v", text, err)
	}
	gone, err := api.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: name, Key: aws.String("index.html")})
	if err != nil || !aws.ToBool(gone.DeleteMarker) || aws.ToString(gone.VersionId) == "" {
		t.Errorf("deleting makes a marker: %+v, %v", gone, err)
	}
	_, err = api.HeadObject(ctx, &s3.HeadObjectInput{Bucket: name, Key: aws.String("index.html")})
	wantCode(t, "behind a marker", err, "NotFound")
	if _, err := api.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: name, Key: aws.String("film")}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.cfn.DeleteStack(ctx, &cfn.DeleteStackInput{StackName: &id}); err != nil {
		t.Fatal(err)
	}
	s.want(id, "DELETE_FAILED")
	s.happened(id, `Site DELETE_FAILED: Resource handler returned message: "The bucket you tried to delete is not empty. You must delete all versions in the bucket.`)
	empty(t, api, name)
	if _, err := s.cfn.DeleteStack(ctx, &cfn.DeleteStackInput{StackName: &id}); err != nil {
		t.Fatal(err)
	}
	s.want(id, "DELETE_COMPLETE")
	_, err = api.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: name})
	wantCode(t, "the bucket is gone", err, "NotFound")
}

// empty removes all there is in a bucket, in pages of two.
func empty(t *testing.T, api *s3.Client, name *string) {
	t.Helper()
	p := s3.NewListObjectVersionsPaginator(api, &s3.ListObjectVersionsInput{Bucket: name, MaxKeys: aws.Int32(2)})
	pages, seen := 0, 0
	for p.HasMorePages() {
		page, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		pages++
		var ids []s3types.ObjectIdentifier
		for _, v := range page.Versions {
			ids = append(ids, s3types.ObjectIdentifier{Key: v.Key, VersionId: v.VersionId})
		}
		for _, m := range page.DeleteMarkers {
			ids = append(ids, s3types.ObjectIdentifier{Key: m.Key, VersionId: m.VersionId})
		}
		out, err := api.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: name, Delete: &s3types.Delete{Objects: ids}})
		if err != nil || len(out.Deleted) != len(ids) || len(out.Errors) > 0 {
			t.Fatalf("delete %v: %s, %v", ids, asText(out), err)
		}
		seen += len(ids)
	}
	if pages != 2 || seen != 3 {
		t.Errorf("%d versions and markers on %d pages", seen, pages)
	}
	uploads, err := api.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: name})
	if err != nil || len(uploads.Uploads) != 1 {
		t.Fatalf("uploads %s, %v", asText(uploads), err)
	}
	abort := &s3.AbortMultipartUploadInput{Bucket: name, Key: uploads.Uploads[0].Key, UploadId: uploads.Uploads[0].UploadId}
	if _, err := api.AbortMultipartUpload(t.Context(), abort); err != nil {
		t.Fatal(err)
	}
	_, err = api.AbortMultipartUpload(t.Context(), abort)
	wantCode(t, "aborting twice", err, "NoSuchUpload")
}
