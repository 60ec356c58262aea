package awssim

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

var repositoryForm = regexp.MustCompile(`^[\w.-]{1,100}(/[\w.-]{1,100})+$`)

// commitByHand pushes a commit to a branch of a repository, and says what every pipeline that
// reads the repository makes of it.
func commitByHand(ctx context.Context, c *Call, d deed) (map[string]any, error) {
	d.Paths = slices.DeleteFunc(d.Paths, func(p string) bool { return strings.TrimSpace(p) == "" })
	switch {
	case !repositoryForm.MatchString(d.Name) || d.Key == "" || len(d.Key) > 255:
		return nil, adminError{http.StatusBadRequest, "A commit needs a repository like owner/name and a branch."}
	case strings.TrimSpace(d.Value) == "" || strings.ContainsRune(d.Value, 0) || len(d.Value) > 64<<10 || len(d.Paths) > 1000:
		return nil, adminError{http.StatusBadRequest, "A commit needs a message without NULs, and changes at most 1000 paths."}
	}
	if d.Author == "" {
		d.Author = "Mina Vogel"
	}
	if _, err := c.head(ctx, d.Name, d.Key, c.Now); err != nil { // there was one before this one
		return nil, err
	}
	m := &commit{ID: hexID(40), Repository: d.Name, Branch: d.Key, Author: d.Author, Email: lower(strings.ReplaceAll(d.Author, " ", ".")) + "@example.com", Message: d.Value, Paths: d.Paths, At: c.Now}
	if err := c.putCommit(ctx, m); err != nil {
		return nil, err
	}
	told, err := c.pushed(ctx, m, c.Now)
	return map[string]any{"commit": m.ID, "pipelines": told}, err
}

// connectByHand finishes the handshake of a connection, or breaks it.
func connectByHand(ctx context.Context, c *Call, d deed) (map[string]any, error) {
	if !slices.Contains([]string{"AVAILABLE", "ERROR", "PENDING"}, d.Value) {
		return nil, adminError{http.StatusBadRequest, "A connection is PENDING, AVAILABLE or ERROR."}
	}
	all, err := c.own(ctx, codeConnection)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(t *thing) bool { return t.ARN == d.Name || textOf(t.Properties["ConnectionName"]) == d.Name })
	if i < 0 {
		return nil, absent("connection", d.Name)
	}
	all[i].State["status"], all[i].State["by"] = d.Value, d.Author
	return map[string]any{"connection": all[i].ARN, "status": d.Value}, c.know(ctx, all[i])
}

// asksNext remembers what the next of something is to be.
func (c *Call) asksNext(ctx context.Context, typ, what string, d deed, plays ...string) (map[string]any, error) {
	if !slices.Contains(plays, d.Value) {
		return nil, adminError{http.StatusBadRequest, fmt.Sprintf("The next one can be %s.", strings.Join(plays, ", "))}
	}
	t, err := c.thing(ctx, c.Account, c.Region, typ, d.Name)
	if err != nil {
		return nil, err
	}
	if t == nil {
		return nil, absent(what, d.Name)
	}
	list, _ := t.State["next"].([]any)
	t.State["next"] = append(list, d.Value)
	return map[string]any{what: d.Name, "next": d.Value}, c.know(ctx, t)
}

func nextBuildByHand(ctx context.Context, c *Call, d deed) (map[string]any, error) {
	return c.asksNext(ctx, codeProject, "project", d, playsTests, playsHang, playsHostile)
}

func nextImageByHand(ctx context.Context, c *Call, d deed) (map[string]any, error) {
	return c.asksNext(ctx, ecrRepository, "repository", d, scanCritical, scanFails, scanUnsupported)
}

// imageByHand finds an image of a repository by a digest or a tag.
func (c *Call) imageByHand(ctx context.Context, repository, reference string) (*thing, *image, error) {
	repo, err := c.thing(ctx, c.Account, c.Region, ecrRepository, repository)
	if err != nil || repo == nil {
		return nil, nil, orElse(err, absent("repository", repository))
	}
	i, err := c.image(ctx, repo, reference)
	if err != nil || i == nil {
		return nil, nil, orElse(err, absent("image", reference))
	}
	return repo, i, nil
}

// findingsByHand is the day a weakness becomes known of an image that was scanned long ago, or
// is not counted any more.
func findingsByHand(ctx context.Context, c *Call, d deed) (map[string]any, error) {
	repo, i, err := c.imageByHand(ctx, d.Name, d.Key)
	if err != nil {
		return nil, err
	}
	s, err := c.scanOf(ctx, repo, i.Digest)
	if err != nil || s == nil {
		return nil, orElse(err, absent("scan of the image", d.Key))
	}
	s.Status, s.Findings = "", findingsOf(i.Digest, d.On)
	return map[string]any{"digest": i.Digest, "critical": d.On}, c.saveScan(ctx, repo, i.Digest, s)
}

// tagByHand moves a tag to an image, as somebody does who may overwrite even what the repository
// calls immutable: by deleting it first.
func tagByHand(ctx context.Context, c *Call, d deed) (map[string]any, error) {
	if !tagForm.MatchString(d.Key) {
		return nil, adminError{http.StatusBadRequest, "A tag has letters, digits, dots, dashes and underscores only."}
	}
	repo, i, err := c.imageByHand(ctx, d.Name, d.Value)
	if err != nil {
		return nil, err
	}
	if _, err := c.Tx.Exec(ctx, `UPDATE images SET tags = CASE WHEN digest = $5 THEN array_append(array_remove(tags, $4), $4) ELSE array_remove(tags, $4) END WHERE account = $1 AND region = $2 AND repository = $3`,
		repo.Account, repo.Region, repo.Physical, d.Key, i.Digest); err != nil {
		return nil, fmt.Errorf("move tag %s: %w", d.Key, err)
	}
	return map[string]any{"tag": d.Key, "digest": i.Digest}, nil
}

// expireByHand ends the time of the approvals that wait in a pipeline.
func expireByHand(ctx context.Context, c *Call, d deed) (map[string]any, error) {
	l, err := c.line(ctx, arn("codepipeline", c.Region, c.Account, d.Name))
	if err != nil || l == nil {
		return nil, orElse(err, absent("pipeline", d.Name))
	}
	expired := []string{}
	for _, e := range l.runs {
		for _, t := range e.Tries {
			if t.Token != "" && t.Status == cptypes.ActionExecutionStatusInProgress {
				t.Due = &c.Now
				expired = append(expired, t.Action)
			}
		}
		if err := c.saveExecution(ctx, e); err != nil {
			return nil, err
		}
	}
	if len(expired) == 0 {
		return nil, adminError{http.StatusConflict, "No approval waits in this pipeline."}
	}
	return map[string]any{"pipeline": d.Name, "expired": expired}, c.movePipeline(ctx, l.t.ARN, c.Now)
}
