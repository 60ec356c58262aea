package awssim

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// writeREST encodes the outputs of the services that are spoken to in REST and XML.
func writeREST(w http.ResponseWriter, c *Call, svc service, out any) error {
	if c.Service == "route53" {
		return writeRoute53(w, c, svc, out)
	}
	h := w.Header()
	h.Set("X-Amz-Request-Id", c.RequestID)
	h.Set("X-Amz-Id-2", c.RequestID)
	switch o := out.(type) {
	case *s3.PutObjectOutput:
		h.Set("Etag", *o.ETag)
		versionHeaders(h, o.VersionId, nil)
	case *s3.HeadObjectOutput:
		versionHeaders(h, o.VersionId, nil)
		objectHeaders(h, *o.ContentType, *o.ETag, *o.ContentLength, *o.LastModified, o.Metadata)
		if o.ObjectLockMode != "" {
			h.Set("X-Amz-Object-Lock-Mode", string(o.ObjectLockMode))
			h.Set("X-Amz-Object-Lock-Retain-Until-Date", o.ObjectLockRetainUntilDate.Format(time.RFC3339))
		}
	case *s3.GetObjectOutput:
		versionHeaders(h, o.VersionId, nil)
		objectHeaders(h, *o.ContentType, *o.ETag, *o.ContentLength, *o.LastModified, o.Metadata)
		_, err := io.Copy(w, o.Body)
		return err
	case *s3.HeadBucketOutput:
		h.Set("X-Amz-Bucket-Region", *o.BucketRegion)
	case *s3.DeleteObjectOutput:
		versionHeaders(h, o.VersionId, o.DeleteMarker)
		w.WriteHeader(http.StatusNoContent)
	case *s3.AbortMultipartUploadOutput:
		w.WriteHeader(http.StatusNoContent)
	case *s3.PutBucketVersioningOutput:
	case *s3.CreateBucketOutput:
		h.Set("Location", *o.Location)
	case *s3.ListObjectsV2Output:
		return writeXML(w, flatBody(svc, "ListBucketResult", *o, map[string]string{"Contents": "Contents", "CommonPrefixes": "CommonPrefixes"}))
	case *s3.ListObjectVersionsOutput:
		return writeXML(w, flatBody(svc, "ListVersionsResult", *o, map[string]string{"Versions": "Version", "DeleteMarkers": "DeleteMarker"}))
	case *s3.ListMultipartUploadsOutput:
		return writeXML(w, flatBody(svc, "ListMultipartUploadsResult", *o, map[string]string{"Uploads": "Upload"}))
	case *s3.DeleteObjectsOutput:
		return writeXML(w, flatBody(svc, "DeleteResult", *o, map[string]string{"Deleted": "Deleted", "Errors": "Error"}))
	case *s3.CreateMultipartUploadOutput:
		return writeXML(w, flatBody(svc, "InitiateMultipartUploadResult", *o, nil))
	case *s3.GetBucketVersioningOutput:
		return writeXML(w, flatBody(svc, "VersioningConfiguration", *o, nil))
	default:
		return writeControl(w, c, out)
	}
	return nil
}

func objectHeaders(h http.Header, contentType, etag string, size int64, at time.Time, meta map[string]string) {
	h.Set("Content-Type", contentType)
	h.Set("Etag", etag)
	h.Set("Content-Length", strconv.FormatInt(size, 10))
	h.Set("Last-Modified", at.UTC().Format(http.TimeFormat))
	for k, v := range meta {
		h.Set("X-Amz-Meta-"+k, v)
	}
}

func versionHeaders(h http.Header, version *string, marker *bool) {
	if version != nil {
		h.Set("X-Amz-Version-Id", *version)
	}
	if aws.ToBool(marker) {
		h.Set("X-Amz-Delete-Marker", "true")
	}
}

// flatBody writes an output whose lists are flattened: one element per item, by the name
// lists gives.
func flatBody(svc service, root string, out any, lists map[string]string) []byte {
	b := &bytes.Buffer{}
	fmt.Fprintf(b, `<%s xmlns="%s">`, root, svc.xmlns)
	x := xmlWriter{b: b}
	v := reflect.ValueOf(out)
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Name == "ResultMetadata" || !f.IsExported() {
			continue
		}
		item, flat := lists[f.Name]
		if !flat {
			x.value(f.Name, v.Field(i))
			continue
		}
		for n := range v.Field(i).Len() {
			x.value(item, v.Field(i).Index(n))
		}
	}
	fmt.Fprintf(b, `</%s>`, root)
	return b.Bytes()
}

// writeControl writes the one payload member s3control outputs have, or nothing.
func writeControl(w http.ResponseWriter, c *Call, out any) error {
	b := &bytes.Buffer{}
	xmlWriter{b: b}.members(reflect.ValueOf(out).Elem())
	if b.Len() == 0 && c.Op == "DeletePublicAccessBlock" {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return writeXML(w, b.Bytes())
}
