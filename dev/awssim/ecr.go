package awssim

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

func ecrOperations() []operation {
	return []operation{
		handle("ecr", "DescribeRepositories", describeRepositories),
		handle("ecr", "DescribeImages", describeImages),
		handle("ecr", "ListImages", listImages),
		handle("ecr", "PutImage", putImage),
		handle("ecr", "BatchGetImage", batchGetImage),
		handle("ecr", "BatchDeleteImage", batchDeleteImage),
		handle("ecr", "DescribeImageScanFindings", describeScanFindings),
		handle("ecr", "StartImageScan", startImageScan),
	}
}

func ecrParameter(format string, args ...any) error {
	return refuse(http.StatusBadRequest, "InvalidParameterException", format, args...)
}

// repository finds a repository, in another account's registry too where its policy lets the
// caller in.
func (c *Call) repository(ctx context.Context, registryID, name *string) (*thing, error) {
	account := aws.ToString(registryID)
	if account == "" {
		account = c.Account
	}
	a := arn("ecr", c.Region, account, "repository/"+aws.ToString(name))
	if err := c.may(ctx, a, nil); err != nil {
		return nil, err
	}
	t, err := c.thing(ctx, account, c.Region, ecrRepository, aws.ToString(name))
	if err != nil {
		return nil, err
	}
	if t == nil {
		return nil, refuse(http.StatusBadRequest, "RepositoryNotFoundException", "The repository with name '%s' does not exist in the registry with id '%s'", aws.ToString(name), account)
	}
	if account != c.Account {
		says, err := repositoryPolicy(t, c.question(c.Principal, "ecr:"+c.Op, a, nil))
		if err != nil {
			return nil, err
		}
		if says != allows {
			return nil, denied("ecr", fmt.Sprintf("User: %s is not authorized to perform: ecr:%s on resource: %s because no resource-based policy allows the ecr:%s action", c.Principal.ARN, c.Op, a, c.Op))
		}
	}
	return t, nil
}

func describeRepositories(ctx context.Context, c *Call, in *ecr.DescribeRepositoriesInput) (*ecr.DescribeRepositoriesOutput, error) {
	var all []*thing
	if len(in.RepositoryNames) > 0 {
		for _, name := range in.RepositoryNames {
			t, err := c.repository(ctx, in.RegistryId, &name)
			if err != nil {
				return nil, err
			}
			all = append(all, t)
		}
	} else {
		if err := c.may(ctx, arn("ecr", c.Region, c.Account, "repository/*"), nil); err != nil {
			return nil, err
		}
		var err error
		if all, err = c.own(ctx, ecrRepository); err != nil {
			return nil, err
		}
	}
	some, next, err := page(all, in.NextToken, in.MaxResults, 100)
	if err != nil {
		return nil, ecrParameter("Invalid parameter at 'nextToken' failed to satisfy constraint: 'invalid token'")
	}
	out := &ecr.DescribeRepositoriesOutput{NextToken: next}
	for _, t := range some {
		one := ecrtypes.Repository{RepositoryName: &t.Physical, RepositoryArn: &t.ARN, RegistryId: &t.Account, RepositoryUri: aws.String(textOf(t.Attributes["RepositoryUri"])), CreatedAt: &t.Made,
			ImageTagMutability: ecrtypes.ImageTagMutabilityMutable, EncryptionConfiguration: &ecrtypes.EncryptionConfiguration{EncryptionType: ecrtypes.EncryptionTypeAes256}}
		if m := textOf(t.Properties["ImageTagMutability"]); m != "" {
			one.ImageTagMutability = ecrtypes.ImageTagMutability(m)
		}
		one.ImageScanningConfiguration = &ecrtypes.ImageScanningConfiguration{ScanOnPush: yes(mapOf(t.Properties["ImageScanningConfiguration"])["ScanOnPush"])}
		if e := mapOf(t.Properties["EncryptionConfiguration"]); e != nil {
			one.EncryptionConfiguration = &ecrtypes.EncryptionConfiguration{EncryptionType: ecrtypes.EncryptionType(textOf(e["EncryptionType"])), KmsKey: optional(textOf(e["KmsKey"]))}
		}
		out.Repositories = append(out.Repositories, one)
	}
	return out, nil
}

func (i *image) is(id ecrtypes.ImageIdentifier) bool {
	return (id.ImageDigest == nil || *id.ImageDigest == i.Digest) && (id.ImageTag == nil || slices.Contains(i.Tags, *id.ImageTag)) && (id.ImageDigest != nil || id.ImageTag != nil)
}

func describeImages(ctx context.Context, c *Call, in *ecr.DescribeImagesInput) (*ecr.DescribeImagesOutput, error) {
	t, err := c.repository(ctx, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	all, err := c.images(ctx, t)
	if err != nil {
		return nil, err
	}
	for _, id := range in.ImageIds {
		if !slices.ContainsFunc(all, func(i image) bool { return i.is(id) }) {
			return nil, refuse(http.StatusBadRequest, "ImageNotFoundException", "The image with imageId {imageDigest:'%s', imageTag:'%s'} does not exist within the repository with name '%s' in the registry with id '%s'",
				aws.ToString(id.ImageDigest), aws.ToString(id.ImageTag), t.Physical, t.Account)
		}
	}
	var filter ecrtypes.TagStatus
	if in.Filter != nil {
		filter = in.Filter.TagStatus
	}
	all = slices.DeleteFunc(all, func(i image) bool {
		asked := len(in.ImageIds) == 0 || slices.ContainsFunc(in.ImageIds, i.is)
		return !asked || !tagStatus(filter, i)
	})
	some, next, err := page(all, in.NextToken, in.MaxResults, 100)
	if err != nil {
		return nil, ecrParameter("Invalid parameter at 'nextToken' failed to satisfy constraint: 'invalid token'")
	}
	out := &ecr.DescribeImagesOutput{NextToken: next}
	for _, i := range some {
		out.ImageDetails = append(out.ImageDetails, ecrtypes.ImageDetail{RegistryId: &t.Account, RepositoryName: &t.Physical, ImageDigest: &i.Digest, ImageTags: i.Tags, ImageSizeInBytes: &i.Bytes,
			ImagePushedAt: aws.Time(i.Pushed.UTC()), ImageManifestMediaType: &i.MediaType})
		if err := c.tellScan(ctx, t, &out.ImageDetails[len(out.ImageDetails)-1]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func tagStatus(filter ecrtypes.TagStatus, i image) bool {
	switch filter {
	case ecrtypes.TagStatusTagged:
		return len(i.Tags) > 0
	case ecrtypes.TagStatusUntagged:
		return len(i.Tags) == 0
	}
	return true
}

func listImages(ctx context.Context, c *Call, in *ecr.ListImagesInput) (*ecr.ListImagesOutput, error) {
	t, err := c.repository(ctx, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	all, err := c.images(ctx, t)
	if err != nil {
		return nil, err
	}
	var filter ecrtypes.TagStatus
	if in.Filter != nil {
		filter = in.Filter.TagStatus
	}
	var ids []ecrtypes.ImageIdentifier
	for _, i := range all { // one entry per tag
		if !tagStatus(filter, i) {
			continue
		}
		for _, tag := range i.Tags {
			ids = append(ids, ecrtypes.ImageIdentifier{ImageDigest: &i.Digest, ImageTag: aws.String(tag)})
		}
		if len(i.Tags) == 0 {
			ids = append(ids, ecrtypes.ImageIdentifier{ImageDigest: &i.Digest})
		}
	}
	some, next, err := page(ids, in.NextToken, in.MaxResults, 100)
	if err != nil {
		return nil, ecrParameter("Invalid parameter at 'nextToken' failed to satisfy constraint: 'invalid token'")
	}
	return &ecr.ListImagesOutput{ImageIds: some, NextToken: next}, nil
}

// putImage stores a manifest. That its layers were uploaded before is taken for granted.
func putImage(ctx context.Context, c *Call, in *ecr.PutImageInput) (*ecr.PutImageOutput, error) {
	t, err := c.repository(ctx, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	manifest := aws.ToString(in.ImageManifest)
	if manifest == "" {
		return nil, ecrParameter("Invalid parameter at 'imageManifest' failed to satisfy constraint: 'must not be empty'")
	}
	if in.ImageDigest != nil && *in.ImageDigest != digestOf(manifest) {
		return nil, refuse(http.StatusBadRequest, "ImageDigestDoesNotMatchException", "The specified image digest does not match the digest that Amazon ECR calculated for the image.")
	}
	i, err := c.push(ctx, t, manifest, aws.ToString(in.ImageManifestMediaType), aws.ToString(in.ImageTag))
	if err != nil {
		return nil, err
	}
	return &ecr.PutImageOutput{Image: &ecrtypes.Image{RegistryId: &t.Account, RepositoryName: &t.Physical, ImageManifest: &manifest, ImageManifestMediaType: &i.MediaType,
		ImageId: &ecrtypes.ImageIdentifier{ImageDigest: &i.Digest, ImageTag: in.ImageTag}}}, nil
}

func imageFailure(id ecrtypes.ImageIdentifier) ecrtypes.ImageFailure {
	f := ecrtypes.ImageFailure{ImageId: &id, FailureCode: ecrtypes.ImageFailureCodeImageNotFound, FailureReason: aws.String("Requested image not found")}
	if id.ImageDigest == nil && id.ImageTag == nil {
		f.FailureCode, f.FailureReason = ecrtypes.ImageFailureCodeMissingDigestAndTag, aws.String("Invalid request parameters: both tag and digest cannot be null")
	}
	return f
}

func batchGetImage(ctx context.Context, c *Call, in *ecr.BatchGetImageInput) (*ecr.BatchGetImageOutput, error) {
	t, err := c.repository(ctx, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	all, err := c.images(ctx, t)
	if err != nil {
		return nil, err
	}
	out := &ecr.BatchGetImageOutput{Images: []ecrtypes.Image{}, Failures: []ecrtypes.ImageFailure{}}
	for _, id := range in.ImageIds {
		n := slices.IndexFunc(all, func(i image) bool { return i.is(id) })
		if n < 0 {
			out.Failures = append(out.Failures, imageFailure(id))
			continue
		}
		i := all[n]
		out.Images = append(out.Images, ecrtypes.Image{RegistryId: &t.Account, RepositoryName: &t.Physical, ImageManifest: &i.Manifest, ImageManifestMediaType: &i.MediaType,
			ImageId: &ecrtypes.ImageIdentifier{ImageDigest: &i.Digest, ImageTag: id.ImageTag}})
	}
	return out, nil
}

// batchDeleteImage removes a tag, or by its digest an image with all its tags. An image goes
// with its last tag.
func batchDeleteImage(ctx context.Context, c *Call, in *ecr.BatchDeleteImageInput) (*ecr.BatchDeleteImageOutput, error) {
	t, err := c.repository(ctx, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if len(in.ImageIds) == 0 || len(in.ImageIds) > 100 {
		return nil, ecrParameter("Invalid parameter at 'imageIds' failed to satisfy constraint: 'Member must have length between 1 and 100'")
	}
	out := &ecr.BatchDeleteImageOutput{ImageIds: []ecrtypes.ImageIdentifier{}, Failures: []ecrtypes.ImageFailure{}}
	for _, id := range in.ImageIds {
		all, err := c.images(ctx, t)
		if err != nil {
			return nil, err
		}
		n := slices.IndexFunc(all, func(i image) bool { return i.is(id) })
		if n < 0 {
			out.Failures = append(out.Failures, imageFailure(id))
			continue
		}
		i := all[n]
		if id.ImageTag != nil && len(i.Tags) > 1 {
			_, err = c.Tx.Exec(ctx, `UPDATE images SET tags = array_remove(tags, $5) WHERE account = $1 AND region = $2 AND repository = $3 AND digest = $4`, t.Account, t.Region, t.Physical, i.Digest, *id.ImageTag)
		} else {
			_, err = c.Tx.Exec(ctx, `DELETE FROM images WHERE account = $1 AND region = $2 AND repository = $3 AND digest = $4`, t.Account, t.Region, t.Physical, i.Digest)
		}
		if err != nil {
			return nil, fmt.Errorf("delete image %s: %w", i.Digest, err)
		}
		tags := i.Tags
		if id.ImageTag != nil {
			tags = []string{*id.ImageTag}
		}
		for _, tag := range tags {
			out.ImageIds = append(out.ImageIds, ecrtypes.ImageIdentifier{ImageDigest: &i.Digest, ImageTag: aws.String(tag)})
		}
		if len(tags) == 0 {
			out.ImageIds = append(out.ImageIds, ecrtypes.ImageIdentifier{ImageDigest: &i.Digest})
		}
	}
	return out, nil
}
