package awssim

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"hash/crc32"
	"net/http"
	"strconv"
	"strings"
)

// decodeREST reads route53 and the two XML services behind the signing name s3: s3control
// by its version path, and s3 itself, path style or with the bucket in the host name.
func decodeREST(r *http.Request, body []byte, c *wireCall) error {
	if c.service == "route53" {
		return decodeRoute53(r, body, c)
	}
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
		name, tree, err := decodeXML(body, nil)
		if err != nil {
			return badMember(restXML, err)
		}
		c.tree[name] = tree
	}
	return nil
}

// s3Operation finds the operation of a request: by its method, and by the sub-resource its
// query names. Any other sub-resource (acl, tagging ...) is not played.
func s3Operation(r *http.Request, key string) string {
	query := r.URL.Query()
	for _, sub := range []string{"versions", "uploads", "versioning", "object-lock", "delete", "uploadId"} {
		if !query.Has(sub) {
			continue
		}
		at := r.Method + " " + sub
		if key != "" {
			at += " key"
		}
		return map[string]string{"GET versions": "ListObjectVersions", "GET uploads": "ListMultipartUploads", "GET versioning": "GetBucketVersioning", "PUT versioning": "PutBucketVersioning", "GET object-lock": "GetObjectLockConfiguration",
			"POST delete": "DeleteObjects", "POST uploads key": "CreateMultipartUpload", "DELETE uploadId key": "AbortMultipartUpload"}[at]
	}
	if key == "" {
		return map[string]string{http.MethodPut: "CreateBucket", http.MethodGet: "ListObjectsV2", http.MethodHead: "HeadBucket"}[r.Method]
	}
	return map[string]string{http.MethodPut: "PutObject", http.MethodGet: "GetObject", http.MethodHead: "HeadObject", http.MethodDelete: "DeleteObject"}[r.Method]
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
	c.op = s3Operation(r, key)
	if c.op == "" || bucket == "" {
		return unknownOperation(restXML, r.Method+" "+r.URL.Path)
	}
	if key != "" {
		c.tree["Key"] = key
	}
	if err := s3Query(r, c); err != nil {
		return err
	}
	c.body = r.URL.Path // an object's content is nothing that rules may match
	switch c.op {
	case "PutObject":
		return decodePut(r, body, c)
	case "CreateBucket", "PutBucketVersioning", "DeleteObjects":
		return decodeS3Body(r, body, c)
	}
	return nil
}

// decodeS3Body reads the one structure a call sends as XML.
func decodeS3Body(r *http.Request, body []byte, c *wireCall) error {
	body, err := plainBody(r, body)
	if err != nil || len(body) == 0 {
		return err
	}
	name, tree, err := decodeXML(body, map[string]string{"Object": "Objects"})
	if err != nil {
		return badMember(restXML, err)
	}
	c.tree[name] = tree
	return nil
}

// s3Query accepts the query parameters the operation has.
func s3Query(r *http.Request, c *wireCall) error {
	members := map[string]map[string]string{
		"ListObjectsV2":        {"prefix": "Prefix", "max-keys": "MaxKeys", "continuation-token": "ContinuationToken", "start-after": "StartAfter", "delimiter": "Delimiter", "list-type": ""},
		"ListObjectVersions":   {"prefix": "Prefix", "max-keys": "MaxKeys", "key-marker": "KeyMarker", "version-id-marker": "VersionIdMarker", "delimiter": "Delimiter", "versions": ""},
		"ListMultipartUploads": {"prefix": "Prefix", "max-uploads": "MaxUploads", "key-marker": "KeyMarker", "upload-id-marker": "UploadIdMarker", "delimiter": "Delimiter", "uploads": ""},
		"GetBucketVersioning":  {"versioning": ""}, "PutBucketVersioning": {"versioning": ""}, "GetObjectLockConfiguration": {"object-lock": ""}, "DeleteObjects": {"delete": ""}, "CreateMultipartUpload": {"uploads": ""},
		"AbortMultipartUpload": {"uploadId": "UploadId"},
		"GetObject":            {"versionId": "VersionId"}, "HeadObject": {"versionId": "VersionId"}, "DeleteObject": {"versionId": "VersionId"},
	}[c.op]
	for name, values := range r.URL.Query() {
		member, ok := members[name]
		switch {
		case name == "x-id" || (ok && member == ""):
		case ok:
			c.tree[member] = values[0]
		case strings.HasPrefix(c.op, "List") && name == "encoding-type" && values[0] == "url":
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
	body, err := plainBody(r, body)
	if err != nil {
		return err
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

// plainBody takes the framing off a body that was sent in signed chunks.
func plainBody(r *http.Request, body []byte) ([]byte, error) {
	if !strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
		return body, nil
	}
	plain, err := unchunk(body)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "IncompleteBody", "%v", err)
	}
	return plain, nil
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
