package awssim

import (
	"context"
	"net/http"
	"slices"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// putApprovalResult decides a waiting approval. The token says which one: of this execution, of
// this try.
func putApprovalResult(ctx context.Context, c *Call, in *codepipeline.PutApprovalResultInput) (*codepipeline.PutApprovalResultOutput, error) {
	stage, action := aws.ToString(in.StageName), aws.ToString(in.ActionName)
	l, err := c.ownLine(ctx, in.PipelineName, "/"+stage+"/"+action)
	if err != nil {
		return nil, err
	}
	token, err := need("token", in.Token)
	if err != nil {
		return nil, err
	}
	switch {
	case in.Result == nil || in.Result.Status == "" || in.Result.Summary == nil:
		return nil, refuse(http.StatusBadRequest, "ValidationException", "1 validation error detected: Value null at 'result' failed to satisfy constraint: Member must not be null")
	case utf8.RuneCountInString(*in.Result.Summary) > 512:
		return nil, refuse(http.StatusBadRequest, "ValidationException", "1 validation error detected: Value at 'result.summary' failed to satisfy constraint: Member must have length less than or equal to 512")
	case !l.hasStage(stage):
		return nil, noStage(l, stage)
	}
	a := declared(l.p.Stages, stage, action)
	if a == nil || a.ActionTypeId.Category != cptypes.ActionCategoryApproval {
		return nil, refuse(http.StatusBadRequest, "ActionNotFoundException", "Pipeline '%s' does not have an approval action with name '%s' in stage '%s'", l.t.Physical, action, stage)
	}
	e, t, err := c.approval(ctx, l, stage, action, token)
	if err != nil {
		return nil, err
	}
	status := cptypes.ActionExecutionStatusSucceeded
	if in.Result.Status == cptypes.ApprovalStatusRejected {
		status = cptypes.ActionExecutionStatusFailed
	}
	t.finish(status, c.Now)
	t.Summary, t.By = *in.Result.Summary, c.Principal.ARN
	e.Updated = c.Now
	if err := c.saveExecution(ctx, e); err != nil {
		return nil, err
	}
	return &codepipeline.PutApprovalResultOutput{ApprovedAt: &c.Now}, c.movePipeline(ctx, l.t.ARN, c.Now)
}

// approval finds the try that waits with a token.
func (c *Call) approval(ctx context.Context, l *line, stage, action, token string) (*execution, *try, error) {
	all, err := c.executions(ctx, `pipeline = $1 AND body->'Tries' @> jsonb_build_array(jsonb_build_object('Token', $2::text))`, l.t.ARN, token)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range all {
		for _, t := range e.Tries {
			if t.Token != token || t.Stage != stage || t.Action != action {
				continue
			}
			if t.Status != cptypes.ActionExecutionStatusInProgress {
				return nil, nil, refuse(http.StatusBadRequest, "ApprovalAlreadyCompletedException", "The approval action has already been approved or rejected, or its time is over")
			}
			return e, t, nil
		}
	}
	return nil, nil, refuse(http.StatusBadRequest, "InvalidApprovalTokenException", "Invalid approval token")
}

// retryStageExecution does a failed stage again, as long as no other execution came into it.
func retryStageExecution(ctx context.Context, c *Call, in *codepipeline.RetryStageExecutionInput) (*codepipeline.RetryStageExecutionOutput, error) {
	stage := aws.ToString(in.StageName)
	l, err := c.ownLine(ctx, in.PipelineName, "/"+stage)
	if err != nil {
		return nil, err
	}
	if !l.hasStage(stage) {
		return nil, noStage(l, stage)
	}
	e, err := c.ofLine(ctx, l, in.PipelineExecutionId)
	if err != nil {
		return nil, err
	}
	notRetryable := func(why string) error {
		return refuse(http.StatusBadRequest, "StageNotRetryableException", "Unable to retry stage %s: %s", stage, why)
	}
	switch {
	case in.RetryMode == "":
		return nil, refuse(http.StatusBadRequest, "ValidationException", "1 validation error detected: Value null at 'retryMode' failed to satisfy constraint: Member must not be null")
	case textOf(mapOf(l.t.State["stages"])[stage]) != e.ID:
		return nil, refuse(http.StatusBadRequest, "NotLatestPipelineExecutionException", "Execution %s is not the latest in stage %s", e.ID, stage)
	case *e.stage().Name != stage || e.Inside || (e.Status != cptypes.PipelineExecutionStatusFailed && e.Status != cptypes.PipelineExecutionStatusStopped):
		return nil, notRetryable("it contains no failed actions")
	case slices.ContainsFunc(l.runs, func(o *execution) bool { return o.Inside && o.Stage == e.Stage }):
		return nil, notRetryable("another execution is in it")
	case !e.adopt(l.p):
		return nil, notRetryable("it was changed since")
	}
	e.Kept = nil
	if in.RetryMode == cptypes.StageRetryModeFailedActions {
		for _, a := range e.stage().Actions {
			if t := e.latest(stage, *a.Name); t != nil && t.Status == cptypes.ActionExecutionStatusSucceeded {
				e.Kept = append(e.Kept, *a.Name)
			}
		}
	}
	e.Status, e.Inside, e.Pass, e.Stop, e.Updated = cptypes.PipelineExecutionStatusInProgress, true, len(e.Tries), "", c.Now
	if err := c.saveExecution(ctx, e); err != nil {
		return nil, err
	}
	return &codepipeline.RetryStageExecutionOutput{PipelineExecutionId: &e.ID}, c.movePipeline(ctx, l.t.ARN, c.Now)
}

// stopPipelineExecution lets what goes on in an execution finish, or abandons it.
func stopPipelineExecution(ctx context.Context, c *Call, in *codepipeline.StopPipelineExecutionInput) (*codepipeline.StopPipelineExecutionOutput, error) {
	l, err := c.ownLine(ctx, in.PipelineName, "")
	if err != nil {
		return nil, err
	}
	e, err := c.ofLine(ctx, l, in.PipelineExecutionId)
	if err != nil {
		return nil, err
	}
	switch {
	case e.Status == cptypes.PipelineExecutionStatusStopping && !in.Abandon:
		return nil, refuse(http.StatusBadRequest, "DuplicatedStopRequestException", "The pipeline execution %s is already in status Stopping", e.ID)
	case !e.active():
		return nil, refuse(http.StatusBadRequest, "PipelineExecutionNotStoppableException", "The pipeline execution %s is in status %s and cannot be stopped", e.ID, e.Status)
	}
	e.Status, e.Stop, e.Updated = cptypes.PipelineExecutionStatusStopping, aws.ToString(in.Reason), c.Now
	if in.Abandon {
		for _, t := range e.Tries {
			if t.Status == cptypes.ActionExecutionStatusInProgress {
				t.finish(cptypes.ActionExecutionStatusAbandoned, c.Now)
			}
		}
	}
	if err := c.saveExecution(ctx, e); err != nil {
		return nil, err
	}
	return &codepipeline.StopPipelineExecutionOutput{PipelineExecutionId: &e.ID}, c.movePipeline(ctx, l.t.ARN, c.Now)
}

func disableStageTransition(ctx context.Context, c *Call, in *codepipeline.DisableStageTransitionInput) (*codepipeline.DisableStageTransitionOutput, error) {
	reason, err := need("reason", in.Reason)
	if err != nil {
		return nil, err
	}
	return &codepipeline.DisableStageTransitionOutput{}, c.setTransition(ctx, in.PipelineName, in.StageName, in.TransitionType, transition{Disabled: true, Reason: reason})
}

func enableStageTransition(ctx context.Context, c *Call, in *codepipeline.EnableStageTransitionInput) (*codepipeline.EnableStageTransitionOutput, error) {
	return &codepipeline.EnableStageTransitionOutput{}, c.setTransition(ctx, in.PipelineName, in.StageName, in.TransitionType, transition{})
}

func (c *Call) setTransition(ctx context.Context, pipeline, given *string, kind cptypes.StageTransitionType, way transition) error {
	stage := aws.ToString(given)
	l, err := c.ownLine(ctx, pipeline, "/"+stage)
	switch {
	case err != nil:
		return err
	case !l.hasStage(stage):
		return noStage(l, stage)
	case kind == cptypes.StageTransitionTypeOutbound:
		return refuse(http.StatusBadRequest, "ValidationException", "The simulator plays no outbound transitions.")
	}
	way.By, way.At = c.Principal.ARN, &c.Now
	ways := mapOf(l.t.State["transitions"])
	if ways == nil {
		ways = map[string]any{}
	}
	ways[stage] = way
	l.t.State["transitions"] = ways
	if err := c.know(ctx, l.t); err != nil {
		return err
	}
	return c.movePipeline(ctx, l.t.ARN, c.Now)
}
