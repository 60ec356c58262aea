package awssim

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// decodeREST reads the two XML services behind the signing name s3: s3control by its
// version path, and s3 itself, path style or with the bucket in the host name.
func decodeREST(r *http.Request, body []byte, c *wireCall) error {
	if rest, ok := strings.CutPrefix(r.URL.Path, "/v20180820/"); ok {
		return decodeControl(r, rest, body, c)
	}
	return decodeS3(r, body, c)
}

func decodeControl(r *http.Request, path string, body []byte, c *wireCall) error {
	c.service = "s3control"
	if path != "configuration/publicAccessBlock" {
		return unknownOperation(restXML, r.Method+" "+path)
	}
	verbs := map[string]string{http.MethodPut: "PutPublicAccessBlock", http.MethodGet: "GetPublicAccessBlock", http.MethodDelete: "DeletePublicAccessBlock"}
	c.op = verbs[r.Method]
	c.tree = map[string]any{}
	if account := r.Header.Get("X-Amz-Account-Id"); account != "" {
		c.tree["AccountId"] = account
	}
	if r.Method == http.MethodPut {
		name, tree, err := decodeXML(body)
		if err != nil {
			return badMember(restXML, err)
		}
		c.tree[name] = tree
	}
	return nil
}

func decodeS3(r *http.Request, body []byte, c *wireCall) error {
	path := strings.TrimPrefix(r.URL.Path, "/")
	bucket, key, _ := strings.Cut(path, "/")
	if host, _, ok := strings.Cut(r.Host, ".s3."); ok { // virtual host style
		bucket, key = host, path
	} else if host, _, ok := strings.Cut(r.Host, ".localhost"); ok {
		bucket, key = host, path
	}
	c.tree = map[string]any{"Bucket": bucket}
	ops := map[string]string{http.MethodPut: "PutObject", http.MethodGet: "GetObject", http.MethodHead: "HeadObject", http.MethodDelete: "DeleteObject"}
	if key == "" {
		ops = map[string]string{http.MethodPut: "CreateBucket", http.MethodGet: "ListObjectsV2", http.MethodHead: "HeadBucket"}
	}
	op, ok := ops[r.Method]
	if !ok || bucket == "" {
		return unknownOperation(restXML, r.Method+" "+r.URL.Path)
	}
	c.op = op
	if key != "" {
		c.tree["Key"] = key
	}
	if err := s3Query(r, c); err != nil {
		return err
	}
	c.body = r.URL.Path // an object's content is nothing that rules may match
	switch op {
	case "PutObject":
		return decodePut(r, body, c)
	case "CreateBucket":
		if len(body) > 0 {
			name, tree, err := decodeXML(body)
			if err != nil {
				return badMember(restXML, err)
			}
			c.tree[name] = tree
		}
	}
	return nil
}

// s3Query accepts the query parameters the operations here have; any other one selects a
// sub-resource (acl, tagging, versions ...) that the simulator does not play.
func s3Query(r *http.Request, c *wireCall) error {
	members := map[string]string{"prefix": "Prefix", "max-keys": "MaxKeys", "continuation-token": "ContinuationToken", "start-after": "StartAfter", "delimiter": "Delimiter"}
	for name, values := range r.URL.Query() {
		switch {
		case name == "x-id" || (name == "list-type" && values[0] == "2"):
		case c.op == "ListObjectsV2" && members[name] != "":
			c.tree[members[name]] = values[0]
		case c.op == "ListObjectsV2" && name == "encoding-type" && values[0] == "url":
		default:
			return unknownOperation(restXML, r.Method+" ?"+name)
		}
	}
	return nil
}

// putHeaders are the PutObject headers the simulator keeps or checks. The others of S3
// are refused, so that nobody believes in a setting that had no effect.
func putHeaders() map[string]string {
	return map[string]string{
		"Content-Type": "ContentType", "If-None-Match": "IfNoneMatch", "Content-Md5": "ContentMD5", "Cache-Control": "CacheControl",
		"X-Amz-Checksum-Crc32": "ChecksumCRC32", "X-Amz-Checksum-Sha256": "ChecksumSHA256", "X-Amz-Sdk-Checksum-Algorithm": "ChecksumAlgorithm",
		"X-Amz-Object-Lock-Mode": "ObjectLockMode", "X-Amz-Object-Lock-Retain-Until-Date": "ObjectLockRetainUntilDate",
		"X-Amz-Server-Side-Encryption": "ServerSideEncryption", "X-Amz-Expected-Bucket-Owner": "ExpectedBucketOwner",
		"X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id": "SSEKMSKeyId",
	}
}

func decodePut(r *http.Request, body []byte, c *wireCall) error {
	known := putHeaders()
	for name := range r.Header {
		switch {
		case known[name] != "":
			c.tree[known[name]] = r.Header.Get(name)
		case strings.HasPrefix(name, "X-Amz-Meta-"):
			meta, _ := c.tree["Metadata"].(map[string]any)
			if meta == nil {
				meta = map[string]any{}
				c.tree["Metadata"] = meta
			}
			meta[strings.ToLower(strings.TrimPrefix(name, "X-Amz-Meta-"))] = r.Header.Get(name)
		case name == "X-Amz-Date", name == "X-Amz-Content-Sha256", name == "X-Amz-Security-Token", name == "X-Amz-Decoded-Content-Length", name == "X-Amz-Trailer", name == "X-Amz-User-Agent":
		case strings.HasPrefix(name, "X-Amz-"):
			return refuse(http.StatusNotImplemented, "NotImplemented", "A header you provided implies functionality that is not implemented: %s", name)
		}
	}
	if strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
		plain, err := unchunk(body)
		if err != nil {
			return refuse(http.StatusBadRequest, "IncompleteBody", "%v", err)
		}
		body = plain
	}
	if sum, ok := c.tree["ChecksumCRC32"].(string); ok {
		n := crc32.ChecksumIEEE(body)
		if sum != base64.StdEncoding.EncodeToString([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}) {
			return refuse(http.StatusBadRequest, "BadDigest", "The CRC32 you specified did not match the calculated checksum.")
		}
	}
	c.tree["Body"] = bytes.NewReader(body)
	return nil
}

// unchunk reads the aws-chunked framing: size;extensions CRLF data CRLF ... 0 CRLF trailers.
func unchunk(b []byte) ([]byte, error) {
	var out []byte
	for {
		line, rest, ok := bytes.Cut(b, []byte("\r\n"))
		size, _, _ := bytes.Cut(line, []byte(";"))
		n, err := strconv.ParseUint(string(size), 16, 31)
		if !ok || err != nil || (n > 0 && uint64(len(rest)) < n+2) {
			return nil, fmt.Errorf("the chunked body is cut short")
		}
		if n == 0 {
			return out, nil
		}
		out = append(out, rest[:n]...)
		b = rest[n+2:]
	}
}

// writeREST encodes the outputs of s3 and s3control.
func writeREST(w http.ResponseWriter, c *Call, svc service, out any) error {
	h := w.Header()
	h.Set("X-Amz-Request-Id", c.RequestID)
	h.Set("X-Amz-Id-2", c.RequestID)
	switch o := out.(type) {
	case *s3.PutObjectOutput:
		h.Set("Etag", *o.ETag)
	case *s3.HeadObjectOutput:
		objectHeaders(h, *o.ContentType, *o.ETag, *o.ContentLength, *o.LastModified, o.Metadata)
		if o.ObjectLockMode != "" {
			h.Set("X-Amz-Object-Lock-Mode", string(o.ObjectLockMode))
			h.Set("X-Amz-Object-Lock-Retain-Until-Date", o.ObjectLockRetainUntilDate.Format(time.RFC3339))
		}
	case *s3.GetObjectOutput:
		objectHeaders(h, *o.ContentType, *o.ETag, *o.ContentLength, *o.LastModified, o.Metadata)
		_, err := io.Copy(w, o.Body)
		return err
	case *s3.HeadBucketOutput:
		h.Set("X-Amz-Bucket-Region", *o.BucketRegion)
	case *s3.DeleteObjectOutput:
		w.WriteHeader(http.StatusNoContent)
	case *s3.CreateBucketOutput:
		h.Set("Location", *o.Location)
	case *s3.ListObjectsV2Output:
		return writeXML(w, listBody(svc, o))
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

func listBody(svc service, o *s3.ListObjectsV2Output) []byte {
	b := &bytes.Buffer{}
	fmt.Fprintf(b, `<ListBucketResult xmlns="%s">`, svc.xmlns)
	x := xmlWriter{b: b}
	for _, object := range o.Contents { // flattened: one element per object
		x.value("Contents", reflect.ValueOf(object))
	}
	for _, prefix := range o.CommonPrefixes {
		x.value("CommonPrefixes", reflect.ValueOf(prefix))
	}
	flat := *o
	flat.Contents, flat.CommonPrefixes = nil, nil
	x.members(reflect.ValueOf(flat))
	b.WriteString(`</ListBucketResult>`)
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
