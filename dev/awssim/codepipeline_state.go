package awssim

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

func getPipelineState(ctx context.Context, c *Call, in *codepipeline.GetPipelineStateInput) (*codepipeline.GetPipelineStateOutput, error) {
	l, err := c.ownLine(ctx, in.Name, "")
	if err != nil {
		return nil, err
	}
	stages, actions := mapOf(l.t.State["stages"]), mapOf(l.t.State["actions"])
	var ids []string
	for _, m := range []map[string]any{stages, actions} {
		for _, id := range m {
			ids = append(ids, textOf(id))
		}
	}
	last, err := c.executions(ctx, `pipeline = $1 AND id = ANY ($2)`, l.t.ARN, ids)
	if err != nil {
		return nil, err
	}
	find := func(id any) *execution {
		i := slices.IndexFunc(last, func(e *execution) bool { return e.ID == textOf(id) })
		if i < 0 {
			return nil
		}
		return last[i]
	}
	out := &codepipeline.GetPipelineStateOutput{PipelineName: &l.t.Physical, PipelineVersion: l.p.Version, Created: &l.t.Made, Updated: aws.Time(pipelineUpdated(l.t))}
	for i, stage := range l.p.Stages {
		name := *stage.Name
		way := l.transition(name)
		state := cptypes.StageState{StageName: stage.Name, InboundTransitionState: &cptypes.TransitionState{Enabled: !way.Disabled, DisabledReason: optional(way.Reason), LastChangedBy: optional(way.By), LastChangedAt: way.At}}
		if e := find(stages[name]); e != nil {
			state.LatestExecution = &cptypes.StageExecution{PipelineExecutionId: &e.ID, Status: e.stageStatus(name), Type: cptypes.ExecutionTypeStandard}
		}
		for _, e := range l.runs {
			if e.Stage == i && !e.Inside {
				state.InboundExecutions = append(state.InboundExecutions, cptypes.StageExecution{PipelineExecutionId: &e.ID, Status: cptypes.StageExecutionStatusInProgress, Type: cptypes.ExecutionTypeStandard})
			}
		}
		if n := len(state.InboundExecutions); n > 0 {
			state.InboundExecution = &state.InboundExecutions[n-1]
		}
		for j := range stage.Actions {
			a := &stage.Actions[j]
			state.ActionStates = append(state.ActionStates, l.actionState(name, a, find(actions[name+"/"+*a.Name])))
		}
		out.StageStates = append(out.StageStates, state)
	}
	return out, nil
}

// stageStatus is how an execution stands, or ended, in a stage that it was in.
func (e *execution) stageStatus(name string) cptypes.StageExecutionStatus {
	i := slices.IndexFunc(e.Stages, func(s cptypes.StageDeclaration) bool { return *s.Name == name })
	if i < e.Stage || e.Status == cptypes.PipelineExecutionStatusSucceeded {
		return cptypes.StageExecutionStatusSucceeded
	}
	return cptypes.StageExecutionStatus(e.Status)
}

// actionState is an action's last execution; the token of a waiting approval is shown unless
// executions run beside one another.
func (l *line) actionState(stage string, a *cptypes.ActionDeclaration, e *execution) cptypes.ActionState {
	out := cptypes.ActionState{ActionName: a.Name, EntityUrl: optional(a.Configuration["ExternalEntityLink"])}
	if e == nil {
		return out
	}
	t := e.latest(stage, *a.Name)
	if t == nil {
		return out
	}
	out.LatestExecution = &cptypes.ActionExecution{ActionExecutionId: &t.ID, Status: t.Status, LastStatusChange: &t.Updated, Summary: optional(t.Summary), LastUpdatedBy: optional(t.By),
		ExternalExecutionId: optional(t.External), ExternalExecutionUrl: optional(t.URL)}
	if t.Token != "" && t.Status == cptypes.ActionExecutionStatusInProgress && e.Mode != cptypes.ExecutionModeParallel {
		out.LatestExecution.Token = &t.Token
	}
	if t.Code != "" {
		out.LatestExecution.ErrorDetails = &cptypes.ErrorDetails{Code: &t.Code, Message: &t.Message}
	}
	if r := t.Revision; r != nil {
		out.CurrentRevision = &cptypes.ActionRevision{RevisionId: &r.ID, Created: &t.Updated}
		out.RevisionUrl = optional(r.URL)
		out.LatestExecution.Summary = optional(r.Summary)
	}
	return out
}

func listActionExecutions(ctx context.Context, c *Call, in *codepipeline.ListActionExecutionsInput) (*codepipeline.ListActionExecutionsOutput, error) {
	l, err := c.ownLine(ctx, in.PipelineName, "")
	if err != nil {
		return nil, err
	}
	where, args := `pipeline = $1 ORDER BY seq DESC`, []any{l.t.ARN}
	only := ""
	if f := in.Filter; f != nil {
		only = aws.ToString(f.PipelineExecutionId)
		if f.LatestInPipelineExecution != nil {
			only = aws.ToString(f.LatestInPipelineExecution.PipelineExecutionId)
		}
	}
	if only != "" {
		if e, err := c.execution(ctx, l.t.ARN, only); err != nil || e == nil {
			return nil, orElse(err, noExecution(l, only))
		}
		where, args = `pipeline = $1 AND id = $2`, append(args, only)
	}
	all, err := c.executions(ctx, where, args...)
	if err != nil {
		return nil, err
	}
	var details []cptypes.ActionExecutionDetail
	for _, e := range all {
		for _, t := range slices.Backward(e.Tries) {
			if in.Filter != nil && in.Filter.LatestInPipelineExecution != nil && e.latest(t.Stage, t.Action) != t {
				continue
			}
			details = append(details, e.detail(t))
		}
	}
	some, next, err := page(details, in.NextToken, in.MaxResults, 100)
	if err != nil {
		return nil, badToken()
	}
	return &codepipeline.ListActionExecutionsOutput{NextToken: next, ActionExecutionDetails: append([]cptypes.ActionExecutionDetail{}, some...)}, nil
}

// detail is a try as ListActionExecutions tells it. Where executions run beside one another an
// approval's token is found here.
func (e *execution) detail(t *try) cptypes.ActionExecutionDetail {
	a := e.declaration(t.Stage, t.Action)
	out := cptypes.ActionExecutionDetail{ActionExecutionId: &t.ID, ActionName: &t.Action, StageName: &t.Stage, PipelineExecutionId: &e.ID, PipelineVersion: &e.Version, Status: t.Status, StartTime: &t.Started, LastUpdateTime: &t.Updated, UpdatedBy: optional(t.By)}
	location := func(name *string, key string) cptypes.ArtifactDetail {
		return cptypes.ArtifactDetail{Name: name, S3location: &cptypes.S3Location{Bucket: &e.Bucket, Key: &key}}
	}
	region := aws.ToString(a.Region)
	if region == "" {
		region = e.Region
	}
	out.Input = &cptypes.ActionExecutionInput{ActionTypeId: a.ActionTypeId, Configuration: a.Configuration, ResolvedConfiguration: t.Config, Namespace: a.Namespace, Region: &region, RoleArn: a.RoleArn, InputArtifacts: []cptypes.ArtifactDetail{}}
	for _, input := range a.InputArtifacts {
		for _, other := range e.Tries {
			if key := other.Artifacts[aws.ToString(input.Name)]; key != "" {
				out.Input.InputArtifacts = append(out.Input.InputArtifacts, location(input.Name, key))
				break
			}
		}
	}
	out.Output = &cptypes.ActionExecutionOutput{OutputVariables: t.Outputs, OutputArtifacts: []cptypes.ArtifactDetail{}, ExecutionResult: &cptypes.ActionExecutionResult{ExternalExecutionId: optional(t.External), ExternalExecutionUrl: optional(t.URL), ExternalExecutionSummary: optional(t.Summary)}}
	if r := t.Revision; r != nil {
		out.Output.ExecutionResult.ExternalExecutionId, out.Output.ExecutionResult.ExternalExecutionUrl, out.Output.ExecutionResult.ExternalExecutionSummary = &r.ID, optional(r.URL), optional(r.Summary)
	}
	if t.Token != "" && e.Mode == cptypes.ExecutionModeParallel {
		out.Output.ExecutionResult.ExternalExecutionId = &t.Token
	}
	if t.Code != "" {
		out.Output.ExecutionResult.ErrorDetails = &cptypes.ErrorDetails{Code: &t.Code, Message: &t.Message}
	}
	for _, name := range sortedKeys(t.Artifacts) {
		out.Output.OutputArtifacts = append(out.Output.OutputArtifacts, location(aws.String(name), t.Artifacts[name]))
	}
	return out
}
