package store

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"gorm.io/gorm"

	"slipway/models"
)

// leading is a promotion with what decides how it goes on.
type leading struct {
	t        *tx
	p        *models.Promotion
	pipeline models.Pipeline
	stage    models.PipelineStage
	delivers bool // the pipeline still has the environment as a stage
	env      models.Environment
}

// leadPromotion leads an open promotion on as far as it goes now. It is safe to repeat: all it knows is read anew.
func (t *tx) leadPromotion(p *models.Promotion) error {
	l := leading{t: t, p: p}
	var err error
	if l.pipeline, err = readPipeline(t.db, `p.id = ?`, p.PipelineID); err != nil {
		return err
	}
	l.stage, l.delivers = l.pipeline.StageOf(p.EnvironmentID)
	if l.env, err = readEnvironment(t.db, `e.id = ?`, p.EnvironmentID); err != nil {
		return err
	}
	if p.RequestID != "" {
		return l.follow()
	}
	if to, words, err := l.over(); err != nil || words != "" {
		return l.end(to, words, err)
	}
	if err := l.overtakeOlder(); err != nil {
		return err
	}
	held, until, err := l.held()
	if err != nil {
		return err
	}
	facts, err := t.gateFactsOf(*p, l.stage, l.env)
	if err != nil {
		return err
	}
	p.Gates = facts.judge()
	blocking := models.Blocking(p.Gates)
	switch {
	case len(blocking) > 0 && !p.Rollback:
		if err := t.tellGate(*p, blocking); err != nil {
			return err
		}
		return l.move(models.PromotionBlocked, blockedWords(blocking), l.nextMoment(facts, time.Time{}))
	case held != "":
		return l.move(models.PromotionHeld, held, l.nextMoment(facts, until))
	}
	return l.request(l.nextMoment(facts, time.Time{}))
}

// over tells that nothing can come of a promotion any more, or that nothing is left to do: where it ends, and why.
func (l *leading) over() (models.PromotionState, string, error) {
	switch {
	case l.p.Image == "":
		return models.PromotionFailed, "The build has not said which image it made (its output variable IMAGE_DIGEST), so nobody can say what to deploy.", nil
	case l.pipeline.State == models.Deleting || l.pipeline.State == models.Deleted:
		return models.PromotionSuperseded, fmt.Sprintf("The pipeline %s is %s.", l.pipeline.Name, l.pipeline.State), nil
	case !l.delivers:
		return models.PromotionSuperseded, fmt.Sprintf("The pipeline %s does not deliver to %s any more.", l.pipeline.Name, l.env.Name), nil
	case l.env.State == models.Deleted:
		return models.PromotionFailed, l.env.Name + " is deleted.", nil
	case l.env.ServiceID != l.p.ServiceID:
		return models.PromotionSuperseded, fmt.Sprintf("%s does not run the service %s any more.", l.env.Name, l.p.ServiceName), nil
	case l.env.Image == l.p.Image && l.env.State == models.Ready && !l.env.Hibernated:
		return models.PromotionSucceeded, "This image runs there already.", nil
	}
	words, err := l.abandoned()
	return models.PromotionSuperseded, words, err
}

// abandoned tells that CodePipeline does not wait for the promotion any more, although it was not answered.
func (l *leading) abandoned() (string, error) {
	if l.p.Approval == nil {
		return "", nil
	}
	if l.p.Answer == models.AnswerGone {
		return "CodePipeline does not wait for it any more: its time was over, somebody answered in AWS's console, or its execution ended.", nil
	}
	found, err := readExecutions(l.t.db, `WHERE x.id = ?`, orNull(l.p.ExecutionID))
	if err != nil || len(found) == 0 || !found[0].State.Ended() {
		return "", err
	}
	if err := l.t.answerGone(*l.p); err != nil {
		return "", err
	}
	l.p.Answer = models.AnswerGone
	return fmt.Sprintf("Its execution %d is %s, so CodePipeline does not wait for it any more.", found[0].Number, found[0].State), nil
}

// answerGone notes that there is nobody to answer.
func (t *tx) answerGone(p models.Promotion) error {
	if err := t.db.Exec(`UPDATE promotions SET answer = 'gone', answered_at = ? WHERE id = ? AND answer = 'due'`, t.s.clock.Wall(), p.ID).Error; err != nil {
		return fmt.Errorf("note that nobody waits for promotion %s: %w", p.ID, err)
	}
	return t.sayOfApproval(p.ID, "CodePipeline did not wait any more.")
}

// held tells why a promotion cannot go on now although nothing is wrong with its image, and until when in product time where that is known.
func (l *leading) held() (words string, until time.Time, err error) {
	freeze, err := stageFrozen(l.t.db, l.env.ID, l.t.now())
	if err != nil {
		return "", until, err
	}
	ahead := ""
	if !l.p.Rollback { // what brings back what ran before goes first
		if ahead, err = l.ahead(); err != nil {
			return "", until, err
		}
	}
	switch {
	case freeze != nil:
		return freeze.Words() + " It goes on by itself then.", freeze.Until, nil
	case l.pipeline.Paused:
		return fmt.Sprintf("The pipeline %s is paused. It goes on once somebody resumes it.", l.pipeline.Name), until, nil
	case ahead != "":
		return ahead, until, nil
	case l.env.Hibernated:
		return l.env.Name + " sleeps. It goes on once somebody wakes it.", until, nil
	case l.env.State == models.Creating || l.env.State == models.Changing || l.env.State == models.Deleting:
		return fmt.Sprintf("%s is %s. It goes on by itself afterwards.", l.env.Name, l.env.State), until, nil
	}
	if why := l.env.MayNot(models.DeployEnvironment, l.t.now()); why != "" {
		return why, until, nil
	}
	return "", until, nil
}

// ahead names an older promotion to the same environment that has not ended: it comes first, and a person may reject it.
func (l *leading) ahead() (string, error) {
	older, err := olderThan(l.t.db, *l.p)
	if err != nil || older == nil {
		return "", err
	}
	what := shortDigest(older.Digest())
	if older.Execution > 0 {
		what = fmt.Sprintf("execution %d of %s", older.Execution, older.Pipeline)
	}
	return fmt.Sprintf("An older promotion to %s (%s) comes first; it is %s. Reject that one to let this one go on.", l.env.Name, what, older.State), nil
}

// olderThan is the oldest open promotion to the same environment that was asked for before; nil: there is none.
func olderThan(db *gorm.DB, p models.Promotion) (*models.Promotion, error) {
	found, err := readPromotions(db, `WHERE o.environment_id = ? AND o.ended_at IS NULL AND (o.created_at, o.id) < (?, ?::uuid) ORDER BY o.created_at, o.id LIMIT 1`, p.EnvironmentID, p.CreatedAt, p.ID)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// overtakeOlder ends what an older run of the same workflow asked for and that has not come to a request: a workflow does not wait in a line as
// executions of CodePipeline do, so the newest commit wins.
func (l *leading) overtakeOlder() error {
	if l.p.AskedBy != models.AskedByWorkflow {
		return nil
	}
	older, err := readPromotions(l.t.db, `WHERE o.environment_id = ? AND o.pipeline_id = ? AND o.asked_by = 'workflow' AND o.ended_at IS NULL AND o.request_id IS NULL AND (o.created_at, o.id) < (?, ?::uuid) ORDER BY o.id FOR UPDATE OF o`, // who leads one of them now decides first
		l.p.EnvironmentID, l.p.PipelineID, l.p.CreatedAt, l.p.ID)
	if err != nil {
		return err
	}
	for _, p := range older {
		if err := l.t.movePromotion(pipelines(), &p, models.PromotionSuperseded, "A newer run of the workflow asks for another image.", time.Time{}); err != nil {
			return err
		}
	}
	return nil
}

func blockedWords(blocking []models.GateResult) string {
	info, _ := models.GateOf(blocking[0].Gate)
	words := fmt.Sprintf("%s: %s", info.Title, blocking[0].Words)
	if more := len(blocking) - 1; more == 1 {
		words += " One more gate blocks it."
	} else if more > 1 {
		words += fmt.Sprintf(" %d more gates block it.", more)
	}
	return words
}

// nextMoment is when in product time the promotion must be looked at again: at the end of what holds it, or of a waiver that lets it pass.
func (l *leading) nextMoment(f gateFacts, until time.Time) time.Time {
	for _, w := range f.waivers {
		if until.IsZero() || w.Until.Before(until) {
			until = w.Until
		}
	}
	return until
}

func (l *leading) move(to models.PromotionState, words string, due time.Time) error {
	return l.t.movePromotion(pipelines(), l.p, to, words, due)
}

func (l *leading) end(to models.PromotionState, words string, err error) error {
	if err != nil {
		return err
	}
	return l.move(to, words, time.Time{})
}

// movePromotion is the one place where a promotion changes: state, reason, gates, request and the moment at which it is looked at again. A change
// is audited and shown; one that ends lets those that wait behind it go on.
func (t *tx) movePromotion(actor models.Actor, p *models.Promotion, to models.PromotionState, words string, due time.Time) error {
	before, err := readPromotion(t.db, `o.id = ?`, p.ID)
	if err != nil {
		return err
	}
	if before.State.Ended() {
		return models.Errorf(models.Conflict, "This promotion is %s already.", before.State)
	}
	p.State, p.Reason = to, clipped(words, longestWords)
	if to.Ended() {
		p.EndedAt, due = t.now(), time.Time{}
	}
	gates, err := document(append([]models.GateResult{}, p.Gates...))
	if err != nil {
		return err
	}
	err = t.db.Exec(`UPDATE promotions SET state = ?, reason = ?, gates = ?, request_id = ?, due = ?, ended_at = ? WHERE id = ?`, p.State, p.Reason, gates, orNull(p.RequestID), timeOrNull(due),
		timeOrNull(p.EndedAt), p.ID).Error
	if err != nil {
		return fmt.Errorf("move promotion %s to %s: %w", p.ID, to, err)
	}
	if before.State == p.State && before.Reason == p.Reason && before.RequestID == p.RequestID && sameGates(before.Gates, p.Gates) {
		return nil
	}
	if before.State != p.State {
		err := t.audit(actor, "promotion."+string(p.State), aboutPromotion(*p), map[string]any{"state": before.State}, map[string]any{"state": p.State, "reason": p.Reason, "image": p.Image, "request": p.RequestID})
		if err != nil {
			return err
		}
	}
	if p.State.Ended() {
		if err := t.wakePromotions(`o.environment_id = ? AND o.id <> ?`, p.EnvironmentID, p.ID); err != nil {
			return err
		}
	}
	return t.notifyPromotion(*p)
}

func sameGates(a, b []models.GateResult) bool {
	one, errOne := document(a)
	other, errOther := document(b)
	return errors.Join(errOne, errOther) == nil && (sameJSON(one, other) || len(a)+len(b) == 0 || reflect.DeepEqual(a, b))
}
