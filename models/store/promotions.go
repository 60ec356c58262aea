package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"

	"slipway/models"
)

type promotionRow struct {
	ID            string
	TenantID      string
	TenantSlug    string
	PipelineID    string
	Pipeline      string
	PipelineKind  models.PipelineKind
	EnvironmentID string
	Environment   string
	Stage         models.Stage
	ServiceID     string
	ServiceName   string
	ExecutionID   *string
	Execution     *int
	BuildID       *string
	CommitID      *string
	CommitMessage *string
	Author        *string
	Branch        *string
	CommitAt      *time.Time
	Image         string
	Was           string
	Rollback      bool
	AskedBy       models.Asker
	AskedByName   string
	PersonID      *string
	State         models.PromotionState
	Reason        string
	Gates         jsonb
	RequestID     *string
	RequestNumber *int64
	RequestState  *models.RequestState
	Waiting       jsonb
	Approval      jsonb
	Answer        models.AnswerState
	AnsweredAt    *time.Time
	CreatedAt     time.Time
	EndedAt       *time.Time
}

const promotionColumns = `o.id, o.tenant_id, t.slug AS tenant_slug, o.pipeline_id, p.name AS pipeline, p.kind AS pipeline_kind, o.environment_id, e.name AS environment, e.stage, o.service_id,
	v.name AS service_name, o.execution_id, x.number AS execution, o.build_id, COALESCE(b.commit_id, x.commit_id) AS commit_id, COALESCE(b.commit_message, x.commit_message) AS commit_message,
	COALESCE(b.author, x.author) AS author, COALESCE(b.branch, x.branch) AS branch, COALESCE(b.commit_at, x.commit_at) AS commit_at, o.image, o.was, o.rollback, o.asked_by, o.asked_by_name,
	o.person_id, o.state, o.reason, o.gates, o.request_id, r.number AS request_number, r.state AS request_state, r.waiting, o.approval, o.answer, o.answered_at, o.created_at, o.ended_at`

const promotionsJoined = `promotions o JOIN tenants t ON t.id = o.tenant_id JOIN pipelines p ON p.id = o.pipeline_id JOIN environments e ON e.id = o.environment_id
	JOIN services v ON v.id = o.service_id LEFT JOIN pipeline_executions x ON x.id = o.execution_id LEFT JOIN builds b ON b.id = o.build_id LEFT JOIN requests r ON r.id = o.request_id`

func (r promotionRow) model() (models.Promotion, error) {
	m := models.Promotion{ID: r.ID, TenantID: r.TenantID, TenantSlug: r.TenantSlug, PipelineID: r.PipelineID, Pipeline: r.Pipeline, PipelineKind: r.PipelineKind, EnvironmentID: r.EnvironmentID,
		Environment: r.Environment, Stage: r.Stage, ServiceID: r.ServiceID, ServiceName: r.ServiceName, ExecutionID: value(r.ExecutionID), Execution: value(r.Execution), BuildID: value(r.BuildID),
		Commit: models.Commit{ID: value(r.CommitID), Message: value(r.CommitMessage), Author: value(r.Author), Branch: value(r.Branch), At: value(r.CommitAt)},
		Image:  r.Image, Was: r.Was, Rollback: r.Rollback, AskedBy: r.AskedBy, AskedByName: r.AskedByName, PersonID: value(r.PersonID), State: r.State, Reason: r.Reason,
		RequestID: value(r.RequestID), RequestNumber: value(r.RequestNumber), RequestState: value(r.RequestState), Answer: r.Answer, AnsweredAt: value(r.AnsweredAt),
		CreatedAt: r.CreatedAt, EndedAt: value(r.EndedAt)}
	if len(r.Waiting) > 0 {
		m.Waiting = &models.WaitingOn{}
	}
	if len(r.Approval) > 0 {
		m.Approval = &models.PromotionApproval{}
	}
	for _, err := range []error{r.Gates.decode(&m.Gates), r.Waiting.decode(m.Waiting), r.Approval.decode(m.Approval)} {
		if err != nil {
			return m, fmt.Errorf("read promotion %s: %w", r.ID, err)
		}
	}
	return m, nil
}

func readPromotions(db *gorm.DB, rest string, args ...any) ([]models.Promotion, error) {
	rows, err := many[promotionRow](db, `SELECT `+promotionColumns+` FROM `+promotionsJoined+` `+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("read promotions: %w", err)
	}
	return modelsOf(rows, promotionRow.model)
}

func readPromotion(db *gorm.DB, where string, args ...any) (models.Promotion, error) {
	found, err := readPromotions(db, `WHERE `+where, args...)
	if err == nil && len(found) == 0 {
		err = gorm.ErrRecordNotFound
	}
	if err != nil {
		return models.Promotion{}, err
	}
	return found[0], nil
}

// promotionAsk is what somebody asks a pipeline for: an image in an environment. Image is repository@sha256:..., of the pipeline's service.
type promotionAsk struct {
	EnvironmentID, Image, ExecutionID, BuildID string
	By                                         models.Asker
	ByName, PersonID                           string
	Key                                        string // the same key is the same promotion
	Rollback                                   bool
	Approval                                   *models.PromotionApproval
}

// openPromotion makes a promotion and wakes the work that leads it on. The same key of the same pipeline is the same promotion, whatever
// else is asked with it.
func (t *tx) openPromotion(a models.Actor, p models.Pipeline, ask promotionAsk) (models.Promotion, error) {
	if ask.Key == "" || len(ask.Key) > maxKey {
		return models.Promotion{}, models.Errorf(models.Invalid, "What asks for a promotion names it by a key of at most %d characters.", maxKey)
	}
	known, err := readPromotion(t.db, `o.pipeline_id = ? AND o.ask_key = ?`, p.ID, ask.Key)
	if err == nil || !errors.Is(err, gorm.ErrRecordNotFound) {
		return known, err
	}
	env, err := t.promotable(p, ask)
	if err != nil {
		return known, err
	}
	if ask.BuildID == "" {
		if ask.BuildID, err = t.buildOf(p.ID, p.ServiceID, models.DigestOf(ask.Image)); err != nil {
			return known, err
		}
	}
	id, answer := models.NewID(), models.AnswerState("")
	var approval any
	if ask.Approval != nil {
		approval, answer = ask.Approval, models.AnswerDue
	}
	doc, err := document(approval)
	if err != nil {
		return known, err
	}
	res := t.db.Exec(`INSERT INTO promotions (id, tenant_id, pipeline_id, environment_id, service_id, execution_id, build_id, image, was, rollback, asked_by, asked_by_name, person_id, ask_key, state,
			approval, answer, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'checking', ?, ?, ?) ON CONFLICT (pipeline_id, ask_key) DO NOTHING`,
		id, p.TenantID, p.ID, env.ID, p.ServiceID, orNull(ask.ExecutionID), orNull(ask.BuildID), ask.Image, env.Image, ask.Rollback, ask.By, clipped(ask.ByName, 200), orNull(ask.PersonID), ask.Key,
		doc, answer, t.now())
	if res.Error != nil {
		return known, fmt.Errorf("open the promotion to %s: %w", env.Name, res.Error)
	}
	made, err := readPromotion(t.db, `o.pipeline_id = ? AND o.ask_key = ?`, p.ID, ask.Key)
	if err != nil || res.RowsAffected == 0 { // somebody else asked with the same key in this moment
		return made, err
	}
	if err := t.audit(a, "promotion.ask", aboutPromotion(made), nil, map[string]any{"image": made.Image, "asked_by": made.AskedBy, "by": made.AskedByName, "rollback": made.Rollback}); err != nil {
		return made, err
	}
	return made, t.wakePromotion(made)
}

func aboutPromotion(p models.Promotion) about {
	return about{"promotion", p.ID, p.Pipeline + " to " + p.Environment, p.TenantID}
}

// promotable finds the environment that an image is to go to, and refuses what no pipeline may bring there: another service's image, one that
// is named by its tag, an environment that is no stage. What CodePipeline asks for without an image is let in, and fails in words there.
func (t *tx) promotable(p models.Pipeline, ask promotionAsk) (models.Environment, error) {
	stage, ok := p.StageOf(ask.EnvironmentID)
	if !ok {
		return models.Environment{}, models.Errorf(models.Conflict, "The pipeline %s does not deliver to that environment.", p.Name)
	}
	env, err := readEnvironment(t.db, `e.id = ?`, ask.EnvironmentID)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return env, models.Errorf(models.Conflict, "%s is not there any more.", stage.Environment)
	}
	if err != nil {
		return env, err
	}
	unknown := ask.By == models.AskedByPipeline && ask.Image == ""
	switch {
	case env.TenantID != p.TenantID || env.ServiceID != p.ServiceID:
		return env, models.Errorf(models.Conflict, "%s does not run the service %s any more.", stage.Environment, p.ServiceName)
	case unknown:
		return env, nil
	case ask.Image == "" || models.ValidImage(ask.Image) != "":
		return env, models.InvalidFields(map[string]string{"digest": "Name the image by its digest: sha256: and 64 hexadecimal digits. Tags can move, digests cannot."})
	case p.Repository == "" || !strings.HasPrefix(ask.Image, p.Repository+"@"):
		return env, models.InvalidFields(map[string]string{"digest": fmt.Sprintf("The image is not in the repository of the service %s.", p.ServiceName)})
	}
	return env, nil
}

// buildOf is the build that made an image: the pipeline's own, or else the newest that another pipeline of the service registered; empty: none did.
func (t *tx) buildOf(pipelineID, serviceID, digest string) (string, error) {
	ids, err := many[string](t.db, `SELECT id::text FROM builds WHERE service_id = ? AND digest = ? ORDER BY pipeline_id = ? DESC, registered_at DESC, id LIMIT 1`, serviceID, digest, pipelineID)
	if err != nil || len(ids) == 0 {
		return "", err
	}
	return ids[0], nil
}

// wakePromotion has the work on a promotion look again now, whatever call of it is in flight, and tells the pages that show it.
func (t *tx) wakePromotion(p models.Promotion) error {
	if err := t.enqueue(models.PromoteWork, p.ID, 0); err != nil {
		return err
	}
	return t.notifyPromotion(p)
}

func (t *tx) notifyPromotion(p models.Promotion) error {
	if p.ExecutionID != "" && p.PipelineKind == models.GitHubActions { // nothing is read of its run: its stages stand as its promotions do
		if err := t.followRun(p.ExecutionID); err != nil {
			return err
		}
	}
	for _, id := range []string{p.PipelineID, p.EnvironmentID, p.ID} {
		if err := t.notify("object:" + id); err != nil {
			return err
		}
	}
	return nil
}

// wakePromotions wakes the open promotions that a condition on promotions o names, each once.
func (t *tx) wakePromotions(where string, args ...any) error {
	open, err := readPromotions(t.db, `WHERE o.ended_at IS NULL AND `+where+` ORDER BY o.id`, args...)
	if err != nil {
		return err
	}
	for _, p := range open {
		if p.ID == t.leads {
			continue
		}
		if err := t.wakePromotion(p); err != nil {
			return err
		}
	}
	return nil
}

// wakeImage wakes the open promotions of an image of a service: something new is known of it, a scan, a build or evidence.
func (t *tx) wakeImage(serviceID, digest string) error {
	return t.wakePromotions(`o.service_id = ? AND split_part(o.image, '@', 2) = ?`, serviceID, digest)
}

// Promotion reads one promotion of a tenant as far as the actor may see it. What is not theirs is NotFound, and audited.
func (s *Store) Promotion(ctx context.Context, actor models.Actor, tenant, id string) (models.Promotion, error) {
	if !models.ValidID(id) {
		return models.Promotion{}, translate(gorm.ErrRecordNotFound)
	}
	seen, args := tenantScope(actor, `o.tenant_id`)
	p, err := readPromotion(s.read(ctx), `o.id = ? AND t.slug = ? AND `+seen, append([]any{id, clip(tenant)}, args...)...)
	if err != nil {
		return p, s.unseen(ctx, actor, "promotion", id, err)
	}
	return p, nil
}
