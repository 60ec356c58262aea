package store

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"slipway/models"
)

// request submits what the promotion brings about: a request like every other, with its facts among the inputs, so that approvers sign them and
// rules see them. It asks as the person who did, or as the pipelines' own person.
func (l *leading) request(due time.Time) error {
	actor, err := l.asker()
	if err != nil {
		return err
	}
	if _, err = l.t.forTenant(actor, l.pipeline.TenantSlug); err != nil {
		var known *models.Error
		switch {
		case errors.Is(err, gorm.ErrRecordNotFound), models.KindOf(err) == models.Forbidden:
			return l.move(models.PromotionRejected, l.p.AskedByName+" may not deploy to "+l.env.Name+" any more.", time.Time{})
		case errors.As(err, &known) && known.Kind == models.Conflict:
			return l.move(models.PromotionHeld, known.Message, due)
		}
		return err
	}
	n, err := one[int](l.t.db, `SELECT count(*) FROM requests WHERE inputs->'promotion'->>'id' = ? AND object_id = ?`, l.p.ID, l.env.ID)
	if err != nil {
		return fmt.Errorf("count the requests of promotion %s: %w", l.p.ID, err)
	}
	key := fmt.Sprintf("promotion:%s:%d", l.p.ID, n+1)
	sub := submission{kind: models.DeployEnvironment, objectID: l.env.ID, name: l.env.Name, tenantID: l.p.TenantID, inputs: l.inputs()}
	req, err := l.t.insertRequest(actor, key, sub)
	if err != nil {
		return err
	}
	if req.ID == "" {
		return fmt.Errorf("the request %s of promotion %s is there already", key, l.p.ID)
	}
	if err := l.t.submitted(actor, req, sub, ""); err != nil {
		return err
	}
	l.p.RequestID, l.p.RequestNumber, l.p.RequestState = req.ID, req.Number, req.State
	return l.move(models.PromotionRequested, fmt.Sprintf("REQ-%d asks for the deployment.", req.Number), due)
}

// asker is who submits the request: a person with the roles of now.
func (l *leading) asker() (models.Actor, error) {
	if l.p.PersonID == "" {
		return pipelines(), nil
	}
	return l.t.s.actorOf(l.t.db, l.p.PersonID)
}

func (l *leading) inputs() models.EnvironmentInputs {
	env, commit := l.env, l.p.Commit.ID
	return models.EnvironmentInputs{Image: l.p.Image, Stage: env.Stage, Region: env.Stack.Region, AccountID: env.Stack.AccountID, NetworkID: env.NetworkID, ServiceID: env.ServiceID,
		Base: env.Stack.Digest, Blueprint: env.Stack.Blueprint, Digest: env.Stack.Digest, Version: env.Stack.Version,
		Promotion: &models.PromotionFacts{ID: l.p.ID, Pipeline: l.pipeline.Name, AskedBy: l.p.AskedBy, Asker: l.p.AskedByName, Commit: commit, Was: env.Image, Rollback: l.p.Rollback,
			Automatic: l.stage.Automatic, Gates: l.p.Gates}}
}

// undecided are the states of a request in which nothing has begun.
var undecided = []models.RequestState{models.Planning, models.PlanFailed, models.ChangesRequested, models.AwaitingApproval, models.Approved}

// follow leads a promotion on by what became of its request.
func (l *leading) follow() error {
	req, err := l.t.loadRequest(l.p.RequestID)
	if err != nil {
		return err
	}
	l.p.RequestState, l.p.RequestNumber = req.State, req.Number
	name := fmt.Sprintf("REQ-%d", req.Number)
	switch req.State {
	case models.Succeeded:
		return l.move(models.PromotionSucceeded, name+" has deployed it."+l.late(), time.Time{})
	case models.NoChange:
		return l.move(models.PromotionSucceeded, "This image runs there already.", time.Time{})
	case models.Failed, models.Undoing, models.Undone, models.Abandoned:
		return l.move(models.PromotionFailed, name+" has failed. "+req.Reason, time.Time{})
	case models.Rejected, models.Expired, models.Cancelled:
		return l.move(models.PromotionRejected, fmt.Sprintf("%s is %s. %s", name, req.State.Words(), req.Reason), time.Time{})
	}
	if req.HasRun() || !slices.Contains(undecided, req.State) {
		return l.move(models.PromotionRequested, l.waits(req), time.Time{})
	}
	switch req.State {
	case models.PlanFailed:
		return l.withdraw(&req, models.PromotionFailed, name+" could not be planned. "+req.Reason, time.Time{})
	case models.ChangesRequested:
		return l.withdraw(&req, models.PromotionRejected, name+" was sent back, and a promotion is what it is: ask for another one. "+req.Reason, time.Time{})
	}
	if to, words, err := l.over(); err != nil || words != "" {
		if err != nil {
			return err
		}
		return l.withdraw(&req, to, words, time.Time{})
	}
	facts, err := l.t.gateFactsOf(*l.p, l.stage, l.env)
	if err != nil {
		return err
	}
	results := facts.judge()
	if blocking := models.Blocking(results); len(blocking) > 0 && !l.p.Rollback {
		l.p.Gates = results
		if err := l.t.tellGate(*l.p, blocking); err != nil {
			return err
		}
		return l.withdraw(&req, models.PromotionBlocked, blockedWords(blocking), l.nextMoment(facts, time.Time{}))
	}
	return l.move(models.PromotionRequested, l.waits(req), l.nextMoment(facts, time.Time{}))
}

// late says that CodePipeline gave up on a promotion before its run ended.
func (l *leading) late() string {
	if l.p.Answer == models.AnswerGone || l.p.Answer == models.AnswerLate {
		return " CodePipeline had given up before, so its stage does not show it."
	}
	return ""
}

func (l *leading) waits(req models.Request) string {
	return fmt.Sprintf("REQ-%d is %s.", req.Number, req.State.Words())
}

// withdraw takes a request back that has not begun, and moves the promotion. The promotion is moved first: the end of its request then finds
// nothing to wake.
func (l *leading) withdraw(req *models.Request, to models.PromotionState, words string, due time.Time) error {
	if !to.Ended() {
		l.p.RequestID, l.p.RequestNumber, l.p.RequestState = "", 0, ""
	}
	if err := l.move(to, words, due); err != nil {
		return err
	}
	return l.t.move(pipelines(), req, models.Cancelled, models.ByEngine, words)
}

// promotionOf is what a request carries of the promotion that it is of; nil: it is of none.
func promotionOf(r models.Request) (*models.PromotionFacts, error) {
	if r.Kind != models.DeployEnvironment {
		return nil, nil
	}
	in, err := inputsOf[models.EnvironmentInputs](r)
	return in.Promotion, err
}

// What an approved request of a promotion waits for besides what every request waits for.
const (
	waitsForPipeline = "its pipeline"
	waitsForGate     = "a gate"
)

// promotionWait is what keeps the request of a promotion from beginning its run at this moment: a freeze of the stage, a pipeline that is paused,
// a gate that held when it was asked for and does not any more. nil: nothing does.
func (t *tx) promotionWait(req models.Request) (*models.WaitingOn, error) {
	facts, err := promotionOf(req)
	if err != nil || facts == nil || req.HasRun() {
		return nil, err
	}
	freeze, err := stageFrozen(t.db, req.ObjectID, t.now())
	if err != nil {
		return nil, err
	}
	if freeze != nil {
		return &models.WaitingOn{For: models.WaitsForFreeze, Words: freeze.Words() + " It starts by itself then.", Since: t.now(), Until: freeze.Until}, nil
	}
	l := leading{t: t}
	p, err := readPromotion(t.db, `o.id = ?`, facts.ID)
	if err != nil {
		return nil, err
	}
	l.p = &p
	if l.pipeline, err = readPipeline(t.db, `p.id = ?`, p.PipelineID); err != nil {
		return nil, err
	}
	if l.pipeline.Paused {
		return &models.WaitingOn{For: waitsForPipeline, Words: fmt.Sprintf("The pipeline %s is paused. It starts once somebody resumes it.", l.pipeline.Name), Since: t.now()}, nil
	}
	if l.stage, l.delivers = l.pipeline.StageOf(p.EnvironmentID); p.Rollback || !l.delivers {
		return nil, nil
	}
	if l.env, err = readEnvironment(t.db, `e.id = ?`, p.EnvironmentID); err != nil {
		return nil, err
	}
	gates, err := t.gateFactsOf(p, l.stage, l.env)
	if err != nil {
		return nil, err
	}
	blocking := models.Blocking(gates.judge())
	if len(blocking) == 0 {
		return nil, nil
	}
	return &models.WaitingOn{For: waitsForGate, Words: blockedWords(blocking), Since: t.now()}, t.enqueue(models.PromoteWork, p.ID, 0)
}

// notPromotion refuses to edit what a promotion asks for: its image is what was judged.
func notPromotion(r models.Request) error {
	facts, err := promotionOf(r)
	if err != nil || facts == nil {
		return err
	}
	return models.Errorf(models.Conflict, "This request is a promotion of %s, so its image stays what it is. Withdraw it and ask for another one.", facts.Pipeline)
}

// stageNotFrozen refuses another attempt of a promotion's run while promotions to its stage are stopped.
func (t *tx) stageNotFrozen(r models.Request) error {
	facts, err := promotionOf(r)
	if err != nil || facts == nil {
		return err
	}
	f, err := stageFrozen(t.db, r.ObjectID, t.now())
	if err != nil || f == nil {
		return err
	}
	return models.Errorf(models.Conflict, "%s Come back then, or ask an owner of the tenant to lift it.", f.Words())
}
