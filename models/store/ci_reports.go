package store

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"slipway/models"
)

// What a token is sent for, as audit entries say it. Counts of refusals are kept under these.
const (
	ciBuilds     = "POST /api/v1/ci/builds"
	ciEvidence   = "POST /api/v1/ci/evidence"
	ciPromotions = "POST /api/v1/ci/promotions"
	ciPromotion  = "GET /api/v1/ci/promotions/:promotion"
)

// mostEvidence bounds what is kept of one image; each piece may have a file.
const mostEvidence = 100

func aboutPipeline(p models.Pipeline) about {
	return about{string(models.PipelineObject), p.ID, p.TenantSlug + "/" + p.Name, p.TenantID}
}

// RegisterBuild keeps an image that a workflow built, with the execution of its run. It tells whether the image is new.
func (c CI) RegisterBuild(ctx context.Context, actor models.Actor, token models.CIToken, in models.BuildReport) (answer models.CIBuild, added bool, err error) {
	err = c.act(ctx, actor, token, ciBuilds, in.Pipeline, models.CIToken.MayActFor, func(t *tx, by models.Actor, p models.Pipeline) error {
		if err := in.Validate(); err != nil {
			return err
		}
		b := models.Build{Digest: in.Digest, Tag: in.Tag, Passed: in.Result != models.CIFail, Link: token.Link, RegisteredAt: t.s.clock.Wall(),
			Commit: models.Commit{ID: token.SHA, Message: in.Message, Author: in.Author, Branch: p.Source.Branch, At: in.CommittedAt}}
		e, err := t.keepRun(p, workflowRun{token, b})
		if err != nil {
			return err
		}
		b.ExecutionID = e.ID
		kept, isNew, err := t.registerBuild(p, b)
		if err != nil {
			return err
		}
		added = isNew
		answer = models.CIBuild{ID: kept.ID, Pipeline: p.TenantSlug + "/" + p.Name, Digest: kept.Digest, Execution: e.Number, Known: !isNew}
		if err := t.wakeImage(p.ServiceID, kept.Digest); err != nil {
			return err
		}
		return t.audit(by, "build.register", aboutPipeline(p), nil, map[string]any{"digest": kept.Digest, "passed": b.Passed, "run": token.Run(), "commit": token.SHA, "known": !isNew})
	})
	return answer, added, err
}

// PostEvidence keeps what CI found out about an image of the pipeline's service. Of another image nothing is kept, and the answer says so.
func (c CI) PostEvidence(ctx context.Context, actor models.Actor, token models.CIToken, in models.EvidenceReport) (answer models.CIEvidence, err error) {
	err = c.act(ctx, actor, token, ciEvidence, in.Pipeline, models.CIToken.MayActFor, func(t *tx, by models.Actor, p models.Pipeline) error {
		if err := in.Validate(); err != nil {
			return err
		}
		e := models.Evidence{ID: models.NewID(), TenantID: p.TenantID, ServiceID: p.ServiceID, PipelineID: p.ID, Digest: in.Digest, Gate: in.Gate, Passed: in.Result == models.CIPass,
			Words: in.Words, URL: in.URL, PostedBy: clip(token.Who()), PostedAt: t.s.clock.Wall()}
		if e.ExecutionID, err = t.executionFor(p, token, in.Digest); err != nil {
			return err
		}
		if err := t.keepEvidence(e, in.File); err != nil {
			return err
		}
		answer = models.CIEvidence{ID: e.ID, Pipeline: p.TenantSlug + "/" + p.Name, Digest: e.Digest, Gate: e.Gate, Result: in.Result}
		if err := t.audit(by, "evidence.post", aboutPipeline(p), nil, map[string]any{"gate": e.Gate, "passed": e.Passed, "digest": e.Digest, "run": token.Run(), "evidence": e.ID}); err != nil {
			return err
		}
		return t.wakeImage(p.ServiceID, e.Digest)
	})
	return answer, err
}

// executionFor is the execution that evidence belongs to: of the run that posts it, or else of the build. An image that no pipeline of
// the service has built is refused.
func (t *tx) executionFor(p models.Pipeline, token models.CIToken, digest string) (string, error) {
	b, err := t.oneBuild(`b.service_id = ? AND b.digest = ?`, p.ServiceID, digest)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return "", models.InvalidFields(map[string]string{"digest": fmt.Sprintf("No pipeline of the service %s has registered this image, so it was not counted. Register the build first, and post the digest that it has.", p.ServiceName)})
	}
	if err != nil {
		return "", err
	}
	own, err := t.executionOf(p.ID, token.Run())
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return b.ExecutionID, nil
	}
	return own.ID, err
}

func (t *tx) keepEvidence(e models.Evidence, f *models.EvidenceFile) error {
	n, err := one[int](t.db, `SELECT count(*) FROM evidence WHERE service_id = ? AND digest = ?`, e.ServiceID, e.Digest)
	if err != nil {
		return fmt.Errorf("count the evidence of %s: %w", e.Digest, err)
	}
	if n >= mostEvidence {
		return models.Errorf(models.Conflict, "There are %d pieces of evidence about this image already, which is all that is kept. Nothing was added.", mostEvidence)
	}
	var content []byte
	if f != nil {
		content, e.FileName, e.FileType = f.Content, f.Name, f.FileType()
	}
	err = t.db.Exec(`INSERT INTO evidence (id, tenant_id, service_id, pipeline_id, execution_id, digest, gate, passed, words, url, file_name, file_type, file, posted_by, posted_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, e.ID, e.TenantID, e.ServiceID, e.PipelineID, orNull(e.ExecutionID), e.Digest, e.Gate, e.Passed, e.Words, e.URL,
		e.FileName, e.FileType, content, e.PostedBy, e.PostedAt).Error
	if err != nil {
		return fmt.Errorf("keep evidence of %s: %w", e.Digest, err)
	}
	return nil
}
