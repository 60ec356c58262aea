package store

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"slipway/models"
	"slipway/models/blueprint"
)

// The tools whose checks of a blueprint stand behind two of the gates, as the loader names them.
const (
	lintTool  = "cfn-lint"
	guardTool = "cfn-guard"
)

// gateFacts is all that gates are judged by.
type gateFacts struct {
	stage     models.PipelineStage
	digest    string // of the image
	askedBy   string // id of the person who asked; empty: no person did
	asker     string // their name
	build     *models.Build
	scan      *models.ImageScan
	evidence  map[models.Gate]models.Evidence // newest of each gate for the image
	elsewhere map[models.Gate]models.Evidence // newest of each gate for another image of the pipeline, where the image has none
	waivers   []models.Waiver                 // active now, for the image
	blueprint string                          // of the environment, name@version
	checks    []blueprint.Check               // what the catalogue knows of its very content
}

// judge says how every gate stands, in the order of models.Gates: none is left out, and those that the stage does not ask for say so. A waiver
// turns what fails or waits into waived, except for whoever asked for the promotion: nobody waives a gate for themselves.
func (f gateFacts) judge() []models.GateResult {
	results := make([]models.GateResult, 0, len(models.Gates()))
	for _, info := range models.Gates() {
		r := models.GateResult{Gate: info.Gate, State: models.GateUnset, Words: "The stage does not ask for it."}
		if slices.Contains(f.stage.Gates, info.Gate) {
			r = f.waived(f.result(info))
		}
		results = append(results, r)
	}
	return results
}

func (f gateFacts) result(info models.GateInfo) models.GateResult {
	r := models.GateResult{Gate: info.Gate}
	switch info.Gate {
	case models.GateBuild:
		r.State, r.Words, r.At = f.judgeBuild()
	case models.GateLint:
		r.State, r.Words = f.judgeChecks(lintTool, info)
	case models.GateGuard:
		r.State, r.Words = f.judgeChecks(guardTool, info)
	case models.GateScan:
		r.State, r.Words = models.GateWaiting, "ECR was not asked yet what it found in the image."
		if f.scan != nil {
			r.State, r.Words = f.scan.Judge(f.stage.Scan)
			if r.At = f.scan.ScannedAt; r.At.IsZero() {
				r.At = f.scan.ReadAt
			}
		}
		r.Words = strings.TrimSpace(r.Words)
	default:
		r = f.judgeEvidence(info)
	}
	return r
}

func (f gateFacts) judgeBuild() (models.GateState, string, time.Time) {
	switch {
	case f.build == nil:
		return models.GateWaiting, "No pipeline of the service has registered a build of this image: whoever pushed it has not said how it was made.", time.Time{}
	case !f.build.Passed:
		return models.GateFail, "The build that made the image did not pass.", f.build.RegisteredAt
	}
	return models.GatePass, "The build that made the image passed.", f.build.RegisteredAt
}

// judgeChecks is what a tool said of the very template that the environment is made with. A tool that was not run has said nothing.
func (f gateFacts) judgeChecks(tool string, info models.GateInfo) (models.GateState, string) {
	passed := ""
	for _, c := range f.checks {
		switch {
		case c.Tool != tool:
		case c.State == blueprint.CheckFailed:
			return models.GateFail, fmt.Sprintf("%s %s found %d mistakes in %s.", tool, c.Version, len(c.Problems), f.blueprint)
		case c.State == blueprint.CheckPassed:
			passed = strings.TrimSpace(tool + " " + c.Version)
		}
	}
	if passed == "" {
		return models.GateWaiting, fmt.Sprintf("%s was loaded without a check by %s, so nobody knows. The platform team can check it.", f.blueprint, tool)
	}
	return models.GatePass, fmt.Sprintf("%s %s, by %s.", f.blueprint, passedWord(info.Gate), passed)
}

func passedWord(g models.Gate) string {
	if g == models.GateGuard {
		return "keeps the rules"
	}
	return "has no mistake"
}

// judgeEvidence is what CI said of this very image. What it said of another one does not count, and that is said.
func (f gateFacts) judgeEvidence(info models.GateInfo) models.GateResult {
	r := models.GateResult{Gate: info.Gate, State: models.GateWaiting, Words: "CI has posted no evidence for this image."}
	if e, ok := f.evidence[info.Gate]; ok {
		r.State, r.Words, r.At, r.Evidence = models.GateFail, "CI says that it did not pass.", e.PostedAt, e.ID
		if e.Passed {
			r.State, r.Words = models.GatePass, info.Words
		}
		if e.Words != "" {
			r.Words = e.Words
		}
		return r
	}
	if e, ok := f.elsewhere[info.Gate]; ok {
		r.Words = fmt.Sprintf("CI has posted no evidence for this image. The newest is for another one (%s), so it does not count.", shortDigest(e.Digest))
	}
	return r
}

func shortDigest(d string) string {
	if len(d) > 19 {
		return d[:19] + "…"
	}
	return d
}

func (f gateFacts) waived(r models.GateResult) models.GateResult {
	if r.State != models.GateFail && r.State != models.GateWaiting {
		return r
	}
	for _, w := range f.waivers {
		switch {
		case w.Gate != r.Gate:
		case w.ByID == f.askedBy:
			r.Words += fmt.Sprintf(" The waiver of %s does not count here: %s asked for this promotion.", w.By, f.asker)
		default:
			r.State, r.Waiver = models.GateWaived, &w
			return r
		}
	}
	return r
}

// gateFactsOf gathers what the gates of a promotion are judged by, as of now.
func (t *tx) gateFactsOf(p models.Promotion, stage models.PipelineStage, env models.Environment) (gateFacts, error) {
	f := gateFacts{stage: stage, digest: p.Digest(), askedBy: p.PersonID, asker: p.AskedByName, blueprint: blueprint.Ref(env.Stack.Blueprint, env.Stack.Version)}
	if f.askedBy == "" {
		f.askedBy = "nobody" // not the empty id of a waiver whose person is unknown
	}
	var err error
	if f.build, err = t.readBuild(p); err != nil {
		return f, err
	}
	if f.scan, err = readScan(t.db, p.ServiceID, f.digest); err != nil {
		return f, err
	}
	if f.evidence, f.elsewhere, err = t.newestEvidence(p, f.digest); err != nil {
		return f, err
	}
	all, err := readWaivers(t.db, `WHERE w.pipeline_id = ? AND w.environment_id = ? AND w.ended_at IS NULL AND w.until > ? ORDER BY w.at, w.id`, p.PipelineID, p.EnvironmentID, t.now())
	if err != nil {
		return f, err
	}
	for _, w := range all {
		if w.Active(f.digest, t.now()) {
			f.waivers = append(f.waivers, w)
		}
	}
	docs, err := many[jsonb](t.db, `SELECT checks FROM blueprint_folders WHERE digest = ? ORDER BY origin`, env.Stack.Digest)
	if err != nil {
		return f, fmt.Errorf("read the checks of %s: %w", f.blueprint, err)
	}
	for _, doc := range docs {
		var checks []blueprint.Check
		if err := doc.decode(&checks); err != nil {
			return f, err
		}
		f.checks = append(f.checks, checks...)
	}
	return f, nil
}
