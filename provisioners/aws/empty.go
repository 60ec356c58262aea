package aws

import (
	"context"
	"fmt"
	"slices"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"slipway/models"
	"slipway/provisioners"
)

// Bounds of emptying: one call does so much, the next goes on.
const (
	emptyPages  = 20               // of 1,000 objects
	emptyTime   = 25 * time.Second // wall time after which no new page is begun
	abortsATime = 20
)

// holder is a bucket, repository or zone as one session sees it: the read role looks, the approved one deletes.
type holder struct {
	s3  *s3.Client
	ecr *ecr.Client
	dns *route53.Client
	liveResource
}

// holderOf opens a bucket, repository or zone. approved is for the session that may delete.
func (o object) holderOf(r liveResource, w who, approved bool) holder {
	c, role := o.clients, "read"
	look := []string{"s3:ListBucketVersions", "s3:ListBucketMultipartUploads", "ecr:ListImages", "route53:ListResourceRecordSets"}
	statements := []statement{{Action: look}}
	if approved {
		role, w.approve = "deploy", true
		statements = append(statements, statement{Action: []string{"s3:DeleteObject", "s3:DeleteObjectVersion", "s3:AbortMultipartUpload"}, Resource: []string{fmt.Sprintf("arn:%s:s3:::%s/*", c.partition, r.physical)}},
			statement{Action: []string{"ecr:BatchDeleteImage"}, Resource: []string{fmt.Sprintf("arn:%s:ecr:%s:%s:repository/%s", c.partition, o.part.Region, o.part.Account, r.physical)}},
			statement{Action: []string{"route53:ChangeResourceRecordSets"}, Resource: []string{fmt.Sprintf("arn:%s:route53:::hostedzone/%s", c.partition, r.physical)}})
	}
	cfg := c.spoke(o.part.Account, o.part.Region, role, policy(statements...), w)
	return holder{s3: s3.NewFromConfig(cfg, func(opt *s3.Options) { opt.UsePathStyle = c.Endpoint != "" }), ecr: ecr.NewFromConfig(cfg),
		dns: route53.NewFromConfig(cfg), liveResource: r}
}

// full tells whether something is in it. One that is gone is empty.
func (s holder) full(ctx context.Context) (bool, error) {
	if s.typ == zoneType {
		proofs, err := s.proofs(ctx)
		return len(proofs) > 0, err
	}
	if s.typ == repositoryType {
		out, err := s.ecr.ListImages(ctx, &ecr.ListImagesInput{RepositoryName: &s.physical, MaxResults: sdk.Int32(1)})
		if is(err, "RepositoryNotFoundException") {
			return false, nil
		}
		return err == nil && len(out.ImageIds) > 0, err
	}
	out, err := s.s3.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: &s.physical, MaxKeys: sdk.Int32(1)})
	if is(err, "NoSuchBucket") {
		return false, nil
	}
	if err != nil || len(out.Versions)+len(out.DeleteMarkers) > 0 {
		return err == nil, err
	}
	uploads, err := s.s3.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: &s.physical, MaxUploads: sdk.Int32(1)})
	if is(err, "NoSuchBucket") {
		return false, nil
	}
	return err == nil && len(uploads.Uploads) > 0, err
}

// holding tells which of the resources hold something: that they do, never how much.
func (o object) holding(ctx context.Context, w who, live []liveResource) (map[string]bool, error) {
	full := map[string]bool{}
	for _, r := range live {
		if contents[r.typ] == "" || r.physical == "" || r.stays() {
			continue
		}
		var err error
		if full[r.id], err = o.holderOf(r, w, false).full(ctx); err != nil {
			return nil, err
		}
	}
	return full, nil
}

// emptyStep deletes what is in the buckets and repositories that the plan names, and nothing of any other.
func (o object) emptyStep() provisioners.Step {
	title, stays := "Empty the buckets of ", "what was deleted from its buckets cannot be brought back"
	if o.typ == models.ZoneObject {
		title, stays = "Clear the proofs of certificates from ", ""
	}
	return provisioners.Step{Title: title + o.words(), Find: o.look(o.findFull), Start: o.act(o.emptyOnce),
		Poll: o.look(func(context.Context, *provisioners.Run) (provisioners.Result, error) {
			return provisioners.Result{Found: provisioners.Onward}, nil
		}),
		Stays: stays}
}

// toEmpty lists what the plan empties and is still there.
func (o object) toEmpty(ctx context.Context, run *provisioners.Run) ([]liveResource, error) {
	live, err := o.liveResources(ctx, workOf(run))
	if err != nil {
		return nil, err
	}
	var named []liveResource
	for _, ch := range o.changes(o.step(stepObjectEmpty)) {
		for _, r := range live {
			if r.id == ch.LogicalID && contents[r.typ] == ch.Type && r.physical != "" {
				named = append(named, r)
			}
		}
	}
	return named, nil
}

// findFull counts once what is there, a few pages a look, for the receipt; then it tells whether anything is left.
func (o object) findFull(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	holders, err := o.toEmpty(ctx, run)
	if err != nil {
		return absent, err
	}
	if run.Outputs["counted"] == "" && len(holders) > 0 {
		return o.count(ctx, run, holders)
	}
	for _, r := range holders {
		full, err := o.holderOf(r, workOf(run), false).full(ctx)
		if err != nil {
			return absent, err
		}
		if full {
			return absent, nil
		}
	}
	return present, nil
}

// ignore drops an error of one of the codes: what is gone needs nothing.
func ignore(err error, codes ...string) error {
	if is(err, codes...) {
		return nil
	}
	return err
}

func nonEmpty(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// emptyOnce deletes a bounded share of what is there. What it leaves, the next call takes.
func (o object) emptyOnce(ctx context.Context, run *provisioners.Run) error {
	holders, err := o.toEmpty(ctx, run)
	if err != nil {
		return err
	}
	until := o.clients.Clock.Wall().Add(emptyTime)
	for _, r := range holders {
		s := o.holderOf(r, workOf(run), true)
		for range emptyPages {
			done, err := s.deletePage(ctx)
			if err != nil {
				return err
			}
			if done || o.clients.Clock.Wall().After(until) {
				break
			}
		}
		if o.clients.Clock.Wall().After(until) {
			return nil
		}
	}
	return nil
}

// deletePage deletes one page; done says that nothing was left to delete.
func (s holder) deletePage(ctx context.Context) (done bool, err error) {
	if s.typ == zoneType {
		return true, s.deleteProofs(ctx)
	}
	if s.typ == repositoryType {
		return s.deleteImages(ctx)
	}
	out, err := s.s3.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: &s.physical})
	if err != nil {
		return true, ignore(err, "NoSuchBucket")
	}
	var gone []s3types.ObjectIdentifier
	for _, v := range out.Versions {
		gone = append(gone, s3types.ObjectIdentifier{Key: v.Key, VersionId: v.VersionId})
	}
	for _, m := range out.DeleteMarkers {
		gone = append(gone, s3types.ObjectIdentifier{Key: m.Key, VersionId: m.VersionId})
	}
	if len(gone) == 0 {
		return true, s.abortUploads(ctx)
	}
	for part := range slices.Chunk(gone, 1000) {
		said, err := s.s3.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &s.physical, Delete: &s3types.Delete{Objects: part, Quiet: sdk.Bool(true)}})
		if err != nil {
			return true, ignore(err, "NoSuchBucket")
		}
		for _, e := range said.Errors {
			if sdk.ToString(e.Code) == "InternalError" || sdk.ToString(e.Code) == "SlowDown" {
				continue // the next page lists it again
			}
			return true, provisioners.Final{Failure: models.Failure{What: fmt.Sprintf("Bucket %s cannot be emptied: AWS keeps %s.", s.physical, clip(sdk.ToString(e.Key), 200)),
				Cause: clip(sdk.ToString(e.Message), 400), Code: sdk.ToString(e.Code), Owner: platform, Next: "An object lock or a policy of the bucket holds it. Remove that, then retry; or delete the environment again and keep the bucket."}}
		}
	}
	return false, nil
}

func (s holder) abortUploads(ctx context.Context) error {
	out, err := s.s3.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: &s.physical, MaxUploads: sdk.Int32(abortsATime)})
	if err != nil {
		return ignore(err, "NoSuchBucket")
	}
	for _, u := range out.Uploads {
		if _, err := s.s3.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &s.physical, Key: u.Key, UploadId: u.UploadId}); ignore(err, "NoSuchUpload", "NoSuchBucket") != nil {
			return err
		}
	}
	return nil
}

// deleteImages deletes a page of images by digest, so that every tag of an image goes with it. An image that a list of images refers to
// goes once the list is gone, so a page of nothing else is passed over.
func (s holder) deleteImages(ctx context.Context) (done bool, err error) {
	var next *string
	refused := ecrtypes.ImageFailure{}
	for range emptyPages {
		out, err := s.ecr.ListImages(ctx, &ecr.ListImagesInput{RepositoryName: &s.physical, MaxResults: sdk.Int32(100), NextToken: next})
		if err != nil {
			return true, ignore(err, "RepositoryNotFoundException")
		}
		var ids []ecrtypes.ImageIdentifier
		for _, i := range out.ImageIds {
			if !slices.ContainsFunc(ids, func(o ecrtypes.ImageIdentifier) bool {
				return sdk.ToString(o.ImageDigest) == sdk.ToString(i.ImageDigest)
			}) {
				ids = append(ids, ecrtypes.ImageIdentifier{ImageDigest: i.ImageDigest})
			}
		}
		if len(ids) == 0 {
			break
		}
		said, err := s.ecr.BatchDeleteImage(ctx, &ecr.BatchDeleteImageInput{RepositoryName: &s.physical, ImageIds: ids})
		if err != nil || len(said.ImageIds) > 0 {
			return err != nil, ignore(err, "RepositoryNotFoundException")
		}
		for _, f := range said.Failures {
			refused = f
		}
		if next = out.NextToken; next == nil {
			break
		}
	}
	if refused.FailureReason != nil {
		return true, provisioners.Final{Failure: models.Failure{What: fmt.Sprintf("The images of repository %s cannot be deleted.", s.physical), Cause: clip(sdk.ToString(refused.FailureReason), 400),
			Code: string(refused.FailureCode), Owner: platform, Next: "Remove what holds them, then retry."}}
	}
	return true, nil
}
