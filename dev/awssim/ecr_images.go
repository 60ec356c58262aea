package awssim

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

const ecrRepository = "AWS::ECR::Repository"

// registry is the host name of an account's registry.
func registry(account, region string) string {
	return account + ".dkr.ecr." + region + ".amazonaws.com"
}

var imageForm = regexp.MustCompile(`^([0-9]{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com/([a-z0-9][a-z0-9._/-]*)(?:(@sha256:[0-9a-f]{64})|:([\w][\w.-]{0,127}))?$`)

// splitImage takes an image of ECR apart; reference is a digest or a tag.
func splitImage(image string) (account, region, repository, reference string, ok bool) {
	m := imageForm.FindStringSubmatch(image)
	if m == nil {
		return "", "", "", "", false
	}
	reference = strings.TrimPrefix(m[4], "@") + m[5]
	if reference == "" {
		reference = "latest"
	}
	return m[1], m[2], m[3], reference, true
}

// image is one image of a repository.
type image struct {
	Digest, Manifest, MediaType string
	Tags                        []string
	Bytes                       int64
	Pushed                      time.Time
}

func (c *Call) images(ctx context.Context, repo *thing) ([]image, error) {
	rows, err := c.Tx.Query(ctx, `SELECT digest, manifest, media_type, tags, bytes, pushed_at FROM images WHERE account = $1 AND region = $2 AND repository = $3 ORDER BY pushed_at, digest`,
		repo.Account, repo.Region, repo.Physical)
	if err != nil {
		return nil, fmt.Errorf("read images of %s: %w", repo.Physical, err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[image])
	if err != nil {
		return nil, fmt.Errorf("read images of %s: %w", repo.Physical, err)
	}
	return all, nil
}

// image finds one by its digest or a tag; nil when there is none.
func (c *Call) image(ctx context.Context, repo *thing, reference string) (*image, error) {
	all, err := c.images(ctx, repo)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].Digest == reference || slices.Contains(all[i].Tags, reference) {
			return &all[i], nil
		}
	}
	return nil, nil
}

func digestOf(manifest string) string {
	sum := sha256.Sum256([]byte(manifest))
	return "sha256:" + hex.EncodeToString(sum[:])
}

const dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"

// push stores an image; a tag moves to it, unless the repository's tags are immutable.
func (c *Call) push(ctx context.Context, repo *thing, manifest, mediaType, tag string) (*image, error) {
	return c.pushAt(ctx, repo, manifest, mediaType, tag, c.Now)
}

func (c *Call) pushAt(ctx context.Context, repo *thing, manifest, mediaType, tag string, at time.Time) (*image, error) {
	digest := digestOf(manifest)
	old, err := c.image(ctx, repo, digest)
	if err != nil {
		return nil, err
	}
	if old != nil && (tag == "" || slices.Contains(old.Tags, tag)) {
		return nil, refuse(http.StatusBadRequest, "ImageAlreadyExistsException", "Image with digest '%s' and tag '%s' already exists in the repository with name '%s' in registry with id '%s'", digest, tag, repo.Physical, repo.Account)
	}
	if tag != "" {
		holder, err := c.image(ctx, repo, tag)
		if err != nil {
			return nil, err
		}
		if holder != nil && textOf(repo.Properties["ImageTagMutability"]) == "IMMUTABLE" {
			return nil, refuse(http.StatusBadRequest, "ImageTagAlreadyExistsException", "The image tag '%s' already exists in the '%s' repository and cannot be overwritten because the tag is immutable.", tag, repo.Physical)
		}
		if _, err := c.Tx.Exec(ctx, `UPDATE images SET tags = array_remove(tags, $4) WHERE account = $1 AND region = $2 AND repository = $3`, repo.Account, repo.Region, repo.Physical, tag); err != nil {
			return nil, fmt.Errorf("move tag %s: %w", tag, err)
		}
	}
	tags := []string{}
	if tag != "" {
		tags = append(tags, tag)
	}
	if mediaType == "" {
		mediaType = dockerManifest
	}
	size := 40<<20 + random(digest).Int64N(200<<20)
	if _, err := c.Tx.Exec(ctx, `INSERT INTO images (account, region, repository, digest, tags, manifest, media_type, bytes, pushed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (account, region, repository, digest) DO UPDATE SET tags = images.tags || EXCLUDED.tags, pushed_at = EXCLUDED.pushed_at`,
		repo.Account, repo.Region, repo.Physical, digest, tags, manifest, mediaType, size, at); err != nil {
		return nil, fmt.Errorf("store image %s: %w", digest, err)
	}
	if old == nil {
		if err := c.scanPushed(ctx, repo, digest, at); err != nil {
			return nil, err
		}
	}
	if err := c.imagePushed(ctx, repo, digest, tag, at); err != nil {
		return nil, err
	}
	return c.image(ctx, repo, digest)
}

// repositoryEffect refuses to remove a repository that holds images, unless it says it may.
func repositoryEffect(ctx context.Context, c *Call, s *cfnStack, r *cfnResource, verb string, _ time.Time) error {
	if verb != "delete" {
		return nil
	}
	repo := &thing{Account: s.Account, Region: s.Region, Physical: r.Physical}
	all, err := c.images(ctx, repo)
	if err != nil {
		return err
	}
	if len(all) > 0 && !yes(r.Properties["EmptyOnDelete"]) {
		return refuse(http.StatusBadRequest, "RepositoryNotEmptyException", "The repository with name '%s' in registry with id '%s' cannot be deleted because it still contains images", r.Physical, s.Account)
	}
	if _, err := c.Tx.Exec(ctx, `DELETE FROM images WHERE account = $1 AND region = $2 AND repository = $3`, s.Account, s.Region, r.Physical); err != nil {
		return fmt.Errorf("empty repository %s: %w", r.Physical, err)
	}
	return c.forgetScans(ctx, repo)
}

// repositoryPolicy is what the repository's own policy says.
func repositoryPolicy(repo *thing, q question) (effect, error) {
	policy, ok := repo.Properties["RepositoryPolicyText"]
	if !ok {
		return silent, nil
	}
	d, err := parsePolicy(jsonProperty(policy))
	if err != nil {
		return silent, fmt.Errorf("policy of repository %s: %w", repo.Physical, err)
	}
	says, _ := d.trust(q)
	return says, nil
}
