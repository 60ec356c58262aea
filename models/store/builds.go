package store

import (
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"slipway/models"
)

const buildColumns = `b.id, b.tenant_id, b.service_id, b.pipeline_id, b.execution_id, b.digest, b.tag, b.passed, b.commit_id, b.commit_message, b.author, b.branch, b.commit_at, b.link, b.registered_at`

type buildRow struct {
	ID            string
	TenantID      string
	ServiceID     string
	PipelineID    string
	ExecutionID   *string
	Digest        string
	Tag           string
	Passed        bool
	CommitID      string
	CommitMessage string
	Author        string
	Branch        string
	CommitAt      *time.Time
	Link          string
	RegisteredAt  time.Time
}

func (r buildRow) model() models.Build {
	return models.Build{ID: r.ID, TenantID: r.TenantID, ServiceID: r.ServiceID, PipelineID: r.PipelineID, ExecutionID: value(r.ExecutionID), Digest: r.Digest, Tag: r.Tag, Passed: r.Passed,
		Commit: models.Commit{ID: r.CommitID, Message: r.CommitMessage, Author: r.Author, Branch: r.Branch, At: value(r.CommitAt)}, Link: r.Link, RegisteredAt: r.RegisteredAt}
}

// How much of what others say of a build is kept.
const (
	longestLine    = 200
	longestMessage = 1000
	longestLink    = 2000
)

// registerBuild keeps an image that a pipeline built: one row per pipeline and digest, however often it is told. What a newer execution
// says of the same image takes the place of what an older one said; the image's id stays. It tells whether the build is new.
func (t *tx) registerBuild(p models.Pipeline, b models.Build) (models.Build, bool, error) {
	if !models.ValidDigest(b.Digest) {
		return b, false, models.InvalidFields(map[string]string{"digest": "Name the image by its digest: sha256: and 64 hexadecimal digits."})
	}
	b.ID, b.TenantID, b.ServiceID, b.PipelineID, b.RegisteredAt = models.NewID(), p.TenantID, p.ServiceID, p.ID, t.s.clock.Wall()
	c := b.Commit
	added, err := one[buildRow](t.db, `INSERT INTO builds AS b (id, tenant_id, service_id, pipeline_id, execution_id, digest, tag, passed, commit_id, commit_message, author, branch, commit_at, link, registered_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (pipeline_id, digest) DO NOTHING RETURNING `+buildColumns,
		b.ID, b.TenantID, b.ServiceID, b.PipelineID, orNull(b.ExecutionID), b.Digest, clipped(b.Tag, longestLine), b.Passed, clipped(c.ID, longestLine), clipped(c.Message, longestMessage),
		clipped(c.Author, longestLine), clipped(c.Branch, longestLine), timeOrNull(c.At), clipped(b.Link, longestLink), b.RegisteredAt)
	if err == nil {
		return added.model(), true, nil
	}
	if !errors.Is(err, gorm.ErrRecordNotFound) {
		return b, false, fmt.Errorf("register the build %s: %w", b.Digest, err)
	}
	kept, err := t.sayAnew(b)
	return kept, false, err
}

// sayAnew brings a build that is known up to what is said of it now, when an execution that began later says it.
func (t *tx) sayAnew(b models.Build) (models.Build, error) {
	err := t.db.Exec(`UPDATE builds AS b SET passed = ?, execution_id = n.id, link = ?, tag = COALESCE(NULLIF(?, ''), b.tag) FROM pipeline_executions n
		WHERE b.pipeline_id = ? AND b.digest = ? AND n.id = ? AND (b.passed, b.execution_id) IS DISTINCT FROM (?, n.id)
		AND NOT EXISTS (SELECT FROM pipeline_executions o WHERE o.id = b.execution_id AND (o.started_at, o.number) > (n.started_at, n.number))`,
		b.Passed, clipped(b.Link, longestLink), clipped(b.Tag, longestLine), b.PipelineID, b.Digest, orNull(b.ExecutionID), b.Passed).Error
	if err != nil {
		return b, fmt.Errorf("say anew of the build %s: %w", b.Digest, err)
	}
	row, err := one[buildRow](t.db, `SELECT `+buildColumns+` FROM builds b WHERE b.pipeline_id = ? AND b.digest = ?`, b.PipelineID, b.Digest)
	if err != nil {
		return b, fmt.Errorf("read the build %s: %w", b.Digest, err)
	}
	return row.model(), nil
}
