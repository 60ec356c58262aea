package aws

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"regexp"
	"slices"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"slipway/models"
)

// Bounds of what AWS, and through it whoever writes commits and builds, says of an execution.
const (
	maxWords   = 500 // characters
	maxOutputs = 20  // output variables of an action
)

var digestForm = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// execution puts together what AWS says of one in three places.
func (r pipelineReader) execution(s cptypes.PipelineExecutionSummary, actions []cptypes.ActionExecutionDetail, now []cptypes.StageState) models.Execution {
	e := models.Execution{PipelineID: r.p.ID, TenantID: r.p.TenantID, ExternalID: sdk.ToString(s.PipelineExecutionId), State: executionState(s.Status), StartedAt: sdk.ToTime(s.StartTime), SeenAt: r.now}
	e.Trigger, e.TriggerBy = r.trigger(s)
	e.Link = r.consoleOf(r.p.Stack.Region) + "/codesuite/codepipeline/pipelines/" + url.PathEscape(r.name) + "/executions/" + url.PathEscape(e.ExternalID) + "/timeline?region=" + r.p.Stack.Region
	if e.State.Ended() {
		e.EndedAt = sdk.ToTime(s.LastUpdateTime)
	}
	for _, rev := range s.SourceRevisions {
		e.Commit.ID, e.Commit.Message = oneLine(sdk.ToString(rev.RevisionId), 100), oneLine(messageOf(sdk.ToString(rev.RevisionSummary)), maxWords)
	}
	e.Stages = r.stages(e, actions, now)
	e.Commit = r.commit(e)
	e.Digest = digestOf(e)
	return e
}

// executionState says AWS's word for an execution in ours.
func executionState(s cptypes.PipelineExecutionStatus) models.ExecutionState {
	switch s {
	case cptypes.PipelineExecutionStatusSucceeded:
		return models.ExecutionSucceeded
	case cptypes.PipelineExecutionStatusFailed:
		return models.ExecutionFailed
	case cptypes.PipelineExecutionStatusSuperseded:
		return models.ExecutionSuperseded
	case cptypes.PipelineExecutionStatusStopped, cptypes.PipelineExecutionStatusCancelled:
		return models.ExecutionStopped
	case cptypes.PipelineExecutionStatusStopping:
		return models.ExecutionStopping
	}
	return models.ExecutionRunning
}

// trigger says what started an execution. CodePipeline starts one by itself when it is made; nobody pushed anything for it.
func (r pipelineReader) trigger(s cptypes.PipelineExecutionSummary) (models.Trigger, string) {
	if s.Trigger == nil {
		return models.TriggerOther, ""
	}
	by := oneLine(sdk.ToString(s.Trigger.TriggerDetail), 200)
	switch s.Trigger.TriggerType {
	case cptypes.TriggerTypeCreatePipeline:
		return models.TriggerCreation, by
	case cptypes.TriggerTypeStartPipelineExecution:
		return models.TriggerManual, by
	case cptypes.TriggerTypeCloudWatchEvent, cptypes.TriggerTypeWebhook, cptypes.TriggerTypeWebhookV2, cptypes.TriggerTypePollForSourceChanges:
		if r.p.Source.Kind == models.SourceImage {
			return models.TriggerImage, by
		}
		return models.TriggerPush, by
	}
	return models.TriggerOther, by
}

// stages are in the pipeline's order, with the newest try of each action.
func (r pipelineReader) stages(e models.Execution, actions []cptypes.ActionExecutionDetail, now []cptypes.StageState) []models.ExecutionStage {
	newest := slices.Clone(actions)
	slices.SortStableFunc(newest, func(a, b cptypes.ActionExecutionDetail) int {
		return sdk.ToTime(b.StartTime).Compare(sdk.ToTime(a.StartTime))
	})
	var all []models.ExecutionStage
	for _, st := range now {
		all = append(all, r.stage(sdk.ToString(st.StageName), e, newest, &st))
	}
	for _, a := range slices.Backward(newest) { // a stage that the pipeline has no more
		name := sdk.ToString(a.StageName)
		if !slices.ContainsFunc(all, func(s models.ExecutionStage) bool { return s.Name == name }) {
			all = append(all, r.stage(name, e, newest, nil))
		}
	}
	return all
}

func (r pipelineReader) stage(name string, e models.Execution, newest []cptypes.ActionExecutionDetail, now *cptypes.StageState) models.ExecutionStage {
	s := models.ExecutionStage{Name: oneLine(name, 100)}
	for _, g := range r.p.Stages {
		if g.Environment == name {
			s.EnvironmentID = g.EnvironmentID
		}
	}
	for _, a := range newest {
		known := slices.ContainsFunc(s.Actions, func(k models.ExecutionAction) bool { return k.Name == oneLine(sdk.ToString(a.ActionName), 100) })
		if sdk.ToString(a.StageName) == name && !known {
			s.Actions = append(s.Actions, actionOf(a))
		}
	}
	slices.SortStableFunc(s.Actions, func(a, b models.ExecutionAction) int { return a.StartedAt.Compare(b.StartedAt) })
	s.State = stateOfActions(s.Actions)
	if now == nil {
		return s
	}
	occupies := now.LatestExecution != nil && sdk.ToString(now.LatestExecution.PipelineExecutionId) == e.ExternalID
	switch {
	case occupies && s.State != models.ExecutionWaiting:
		s.State = stageState(now.LatestExecution.Status, s.State)
	case !occupies && slices.ContainsFunc(now.InboundExecutions, func(in cptypes.StageExecution) bool { return sdk.ToString(in.PipelineExecutionId) == e.ExternalID }):
		s.State = models.ExecutionWaiting
		if now.LatestExecution != nil {
			s.Behind = sdk.ToString(now.LatestExecution.PipelineExecutionId)
		}
	}
	return s
}

func stageState(s cptypes.StageExecutionStatus, otherwise models.ExecutionState) models.ExecutionState {
	switch s {
	case cptypes.StageExecutionStatusSucceeded:
		return models.ExecutionSucceeded
	case cptypes.StageExecutionStatusFailed:
		return models.ExecutionFailed
	case cptypes.StageExecutionStatusStopped, cptypes.StageExecutionStatusCancelled, cptypes.StageExecutionStatusSkipped:
		return models.ExecutionStopped
	case cptypes.StageExecutionStatusStopping:
		return models.ExecutionStopping
	case cptypes.StageExecutionStatusInProgress:
		return models.ExecutionRunning
	}
	return otherwise
}

// stateOfActions is how a stage stands by what was done in it.
func stateOfActions(actions []models.ExecutionAction) models.ExecutionState {
	if len(actions) == 0 {
		return models.ExecutionAhead
	}
	for _, s := range []models.ExecutionState{models.ExecutionFailed, models.ExecutionStopped, models.ExecutionRunning, models.ExecutionWaiting} {
		if slices.ContainsFunc(actions, func(a models.ExecutionAction) bool { return a.State == s }) {
			return s
		}
	}
	return models.ExecutionSucceeded
}

// actionOf reads one try of an action.
func actionOf(a cptypes.ActionExecutionDetail) models.ExecutionAction {
	out := models.ExecutionAction{Name: oneLine(sdk.ToString(a.ActionName), 100), Kind: "other", StartedAt: sdk.ToTime(a.StartTime)}
	if a.Input != nil && a.Input.ActionTypeId != nil {
		out.Kind = kindOfAction(a.Input.ActionTypeId.Category)
	}
	switch a.Status {
	case cptypes.ActionExecutionStatusSucceeded:
		out.State = models.ExecutionSucceeded
	case cptypes.ActionExecutionStatusFailed:
		out.State = models.ExecutionFailed
	case cptypes.ActionExecutionStatusAbandoned:
		out.State = models.ExecutionStopped
	default:
		out.State = models.ExecutionRunning
		if out.Kind == "approval" {
			out.State = models.ExecutionWaiting
		}
	}
	if out.State.Ended() {
		out.EndedAt = sdk.ToTime(a.LastUpdateTime)
	}
	if a.Output == nil {
		return out
	}
	if x := a.Output.ExecutionResult; x != nil {
		out.Words, out.External, out.Link = oneLine(messageOf(sdk.ToString(x.ExternalExecutionSummary)), maxWords), oneLine(sdk.ToString(x.ExternalExecutionId), 300), httpsOnly(sdk.ToString(x.ExternalExecutionUrl))
		if x.ErrorDetails != nil {
			out.Words, out.ErrorCode = oneLine(sdk.ToString(x.ErrorDetails.Message), maxWords), oneLine(sdk.ToString(x.ErrorDetails.Code), 100)
		}
	}
	for _, name := range sortedKeys(a.Output.OutputVariables) {
		put(&out, name, a.Output.OutputVariables[name])
	}
	return out
}

func kindOfAction(c cptypes.ActionCategory) string {
	switch c {
	case cptypes.ActionCategorySource:
		return "source"
	case cptypes.ActionCategoryBuild, cptypes.ActionCategoryTest:
		return "build"
	case cptypes.ActionCategoryApproval:
		return "approval"
	case cptypes.ActionCategoryDeploy:
		return "deploy"
	}
	return "other"
}

// put keeps an output variable, as long as there are few.
func put(a *models.ExecutionAction, name, value string) {
	if a.Outputs == nil {
		a.Outputs = map[string]string{}
	}
	if name = oneLine(name, 100); name != "" && len(a.Outputs) < maxOutputs {
		a.Outputs[name] = oneLine(value, maxWords)
	}
}

// commit is what the source's own outputs say of it, or else what the list of executions says.
func (r pipelineReader) commit(e models.Execution) models.Commit {
	c := e.Commit
	c.Branch = r.p.Source.Branch
	for _, s := range e.Stages {
		for _, a := range s.Actions {
			if a.Kind != "source" {
				continue
			}
			c.ID, c.Message = cmp.Or(a.Outputs["CommitId"], c.ID), cmp.Or(a.Outputs["CommitMessage"], c.Message)
			c.Author, c.Branch = cmp.Or(a.Outputs["AuthorDisplayName"], c.Author), cmp.Or(a.Outputs["BranchName"], c.Branch)
			if at, err := time.Parse(time.RFC3339, a.Outputs["AuthorDate"]); err == nil {
				c.At = at
			}
		}
	}
	if digestForm.MatchString(c.ID) { // the revision of an image source
		c.ID = ""
	}
	return c
}

// digestOf is the image that an execution has built, or that started it; empty as long as there is none.
func digestOf(e models.Execution) string {
	for _, name := range []string{"IMAGE_DIGEST", "ImageDigest"} {
		for _, s := range e.Stages {
			for _, a := range s.Actions {
				if digestForm.MatchString(a.Outputs[name]) {
					return a.Outputs[name]
				}
			}
		}
	}
	return ""
}

// approvalKey names a waiting without its token, which leaves memory nowhere.
func approvalKey(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// waitingAction is the action of a stage that waits for Slipway, with its token.
func waitingAction(st cptypes.StageState) (cptypes.ActionExecution, bool) {
	if st.LatestExecution == nil {
		return cptypes.ActionExecution{}, false
	}
	for _, a := range st.ActionStates {
		if sdk.ToString(a.ActionName) == models.ApprovalAction(sdk.ToString(st.StageName)) && a.LatestExecution != nil &&
			a.LatestExecution.Status == cptypes.ActionExecutionStatusInProgress && sdk.ToString(a.LatestExecution.Token) != "" {
			return *a.LatestExecution, true
		}
	}
	return cptypes.ActionExecution{}, false
}
