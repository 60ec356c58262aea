package aws

import (
	"context"
	"encoding/json"
	"fmt"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"slipway/provisioners"
)

// Bounds of counting what will be deleted.
const (
	countPages  = 10  // read by one look: of 1,000 objects or 100 images
	countAtMost = 100 // pages in all; beyond them the receipt says "more than"
)

// counting is where the count of what will be deleted goes on.
type counting struct {
	Holder int    `json:"holder"` // index among those to empty
	Key    string `json:"key,omitempty"`
	Ver    string `json:"version,omitempty"`
	N      int    `json:"n,omitempty"`
	Pages  int    `json:"pages,omitempty"`
}

// count goes on counting, a few pages a look.
func (o object) count(ctx context.Context, run *provisioners.Run, holders []liveResource) (provisioners.Result, error) {
	var at counting
	if len(run.Cursor) > 0 {
		if err := json.Unmarshal(run.Cursor, &at); err != nil {
			return absent, fmt.Errorf("read where the count of %s goes on: %w", o.words(), err)
		}
	}
	outputs := map[string]string{}
	for range countPages {
		if at.Holder >= len(holders) {
			break
		}
		more, err := o.holderOf(holders[at.Holder], workOf(run), false).countPage(ctx, &at)
		if err != nil {
			return absent, err
		}
		if !more || at.Pages >= countAtMost {
			outputs["held."+holders[at.Holder].id] = heldWords(holders[at.Holder], at.N, more)
			at = counting{Holder: at.Holder + 1}
		}
	}
	if at.Holder >= len(holders) {
		outputs["counted"] = "yes"
		return provisioners.Result{Found: provisioners.Onward, Outputs: outputs}, nil
	}
	cursor, err := json.Marshal(at)
	return provisioners.Result{Found: provisioners.More, Cursor: cursor, Outputs: outputs}, err
}

// heldWords is what the receipt says was deleted.
func heldWords(r liveResource, n int, more bool) string {
	one, many, kind := "object version", "object versions", "bucket"
	switch r.typ {
	case repositoryType:
		one, many, kind = "image", "images", "repository"
	case zoneType:
		one, many, kind = "proof of a certificate", "proofs of certificates", "zone"
	}
	words := fmt.Sprintf("%d %s", n, many)
	if n == 1 {
		words = "1 " + one
	}
	if more {
		words = "more than " + words
	}
	return fmt.Sprintf("%s %s: %s", kind, r.physical, words)
}

// countPage reads one more page.
func (s holder) countPage(ctx context.Context, at *counting) (more bool, err error) {
	at.Pages++
	if s.typ == zoneType {
		proofs, err := s.proofs(ctx)
		at.N = len(proofs)
		return false, err
	}
	if s.typ == repositoryType {
		in := &ecr.ListImagesInput{RepositoryName: &s.physical, MaxResults: sdk.Int32(100)}
		if at.Key != "" {
			in.NextToken = &at.Key
		}
		out, err := s.ecr.ListImages(ctx, in)
		if err != nil {
			return false, ignore(err, "RepositoryNotFoundException")
		}
		at.N, at.Key = at.N+len(out.ImageIds), sdk.ToString(out.NextToken)
		return at.Key != "", nil
	}
	in := &s3.ListObjectVersionsInput{Bucket: &s.physical}
	if at.Key != "" {
		in.KeyMarker, in.VersionIdMarker = &at.Key, nonEmpty(at.Ver)
	}
	out, err := s.s3.ListObjectVersions(ctx, in)
	if err != nil {
		return false, ignore(err, "NoSuchBucket")
	}
	at.N += len(out.Versions) + len(out.DeleteMarkers)
	at.Key, at.Ver = sdk.ToString(out.NextKeyMarker), sdk.ToString(out.NextVersionIdMarker)
	return sdk.ToBool(out.IsTruncated) && at.Key != "", nil
}
