package awssim

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

func codepipelineOperations() []operation {
	return []operation{
		handle("codepipeline", "GetPipeline", getPipeline),
		handle("codepipeline", "ListPipelines", listPipelines),
		handle("codepipeline", "GetPipelineState", getPipelineState),
		handle("codepipeline", "StartPipelineExecution", startPipelineExecution),
		handle("codepipeline", "GetPipelineExecution", getPipelineExecution),
		handle("codepipeline", "ListPipelineExecutions", listPipelineExecutions),
		handle("codepipeline", "ListActionExecutions", listActionExecutions),
		handle("codepipeline", "PutApprovalResult", putApprovalResult),
		handle("codepipeline", "RetryStageExecution", retryStageExecution),
		handle("codepipeline", "StopPipelineExecution", stopPipelineExecution),
		handle("codepipeline", "EnableStageTransition", enableStageTransition),
		handle("codepipeline", "DisableStageTransition", disableStageTransition),
	}
}

// ownLine asks for a pipeline of the caller's, or for a stage or an action in it.
func (c *Call) ownLine(ctx context.Context, given *string, inside string) (*line, error) {
	name, err := need("pipelineName", given)
	if err != nil {
		return nil, err
	}
	a := arn("codepipeline", c.Region, c.Account, name)
	if err := c.may(ctx, a+inside, nil); err != nil {
		return nil, err
	}
	l, err := c.line(ctx, a)
	if err == nil && l == nil {
		err = refuse(http.StatusBadRequest, "PipelineNotFoundException", "Account '%s' does not have a pipeline with name '%s'", c.Account, name)
	}
	return l, err
}

func pipelineUpdated(t *thing) time.Time {
	at, err := time.Parse(time.RFC3339Nano, textOf(t.State["updated"]))
	if err != nil {
		return t.Made
	}
	return at
}

func getPipeline(ctx context.Context, c *Call, in *codepipeline.GetPipelineInput) (*codepipeline.GetPipelineOutput, error) {
	l, err := c.ownLine(ctx, in.Name, "")
	if err != nil {
		return nil, err
	}
	if in.Version != nil && *in.Version != *l.p.Version { // older ones are not kept
		return nil, refuse(http.StatusBadRequest, "PipelineVersionNotFoundException", "Pipeline %s has no version %d", *l.p.Name, *in.Version)
	}
	return &codepipeline.GetPipelineOutput{Pipeline: l.p, Metadata: &cptypes.PipelineMetadata{PipelineArn: &l.t.ARN, Created: &l.t.Made, Updated: aws.Time(pipelineUpdated(l.t))}}, nil
}

func badToken() error {
	return refuse(http.StatusBadRequest, "InvalidNextTokenException", "The next token is not valid")
}

func listPipelines(ctx context.Context, c *Call, in *codepipeline.ListPipelinesInput) (*codepipeline.ListPipelinesOutput, error) {
	if err := c.may(ctx, arn("codepipeline", c.Region, c.Account, "*"), nil); err != nil {
		return nil, err
	}
	all, err := c.own(ctx, codePipelineType)
	if err != nil {
		return nil, err
	}
	some, next, err := page(all, in.NextToken, in.MaxResults, 1000)
	if err != nil {
		return nil, badToken()
	}
	out := &codepipeline.ListPipelinesOutput{NextToken: next, Pipelines: []cptypes.PipelineSummary{}}
	for _, t := range some {
		p, err := pipelineOf(t)
		if err != nil {
			return nil, err
		}
		out.Pipelines = append(out.Pipelines, cptypes.PipelineSummary{Name: p.Name, Version: p.Version, PipelineType: p.PipelineType, ExecutionMode: p.ExecutionMode, Created: &t.Made, Updated: aws.Time(pipelineUpdated(t))})
	}
	return out, nil
}

// mostWaiting is how many executions may be under way in a pipeline.
const mostWaiting = 50

func startPipelineExecution(ctx context.Context, c *Call, in *codepipeline.StartPipelineExecutionInput) (*codepipeline.StartPipelineExecutionOutput, error) {
	l, err := c.ownLine(ctx, in.Name, "")
	if err != nil {
		return nil, err
	}
	if token := aws.ToString(in.ClientRequestToken); token != "" {
		all, err := c.executions(ctx, `pipeline = $1 AND body->>'Token' = $2`, l.t.ARN, token)
		if err != nil {
			return nil, err
		}
		if len(all) > 0 {
			return &codepipeline.StartPipelineExecutionOutput{PipelineExecutionId: &all[0].ID}, nil
		}
	}
	e := &execution{Trigger: cptypes.TriggerTypeStartPipelineExecution, Detail: c.Principal.ARN, Token: aws.ToString(in.ClientRequestToken), Overrides: map[string]string{}, Variables: map[string]string{}}
	for _, o := range in.SourceRevisions {
		if declared(l.p.Stages[:1], *l.p.Stages[0].Name, aws.ToString(o.ActionName)) == nil {
			return nil, refuse(http.StatusBadRequest, "ValidationException", "The source revision names the action %s, which is no source action of the pipeline", aws.ToString(o.ActionName))
		}
		e.Overrides[*o.ActionName] = aws.ToString(o.RevisionValue)
	}
	for _, v := range in.Variables {
		if !slices.ContainsFunc(l.p.Variables, func(d cptypes.PipelineVariableDeclaration) bool { return aws.ToString(d.Name) == aws.ToString(v.Name) }) {
			return nil, refuse(http.StatusBadRequest, "ValidationException", "Variable %s is not declared in the pipeline", aws.ToString(v.Name))
		}
		e.Variables[*v.Name] = aws.ToString(v.Value)
	}
	if err := c.startNow(ctx, l, e); err != nil {
		return nil, err
	}
	return &codepipeline.StartPipelineExecutionOutput{PipelineExecutionId: &e.ID}, nil
}

// startNow starts an execution now.
func (c *Call) startNow(ctx context.Context, l *line, e *execution) error {
	if len(l.runs) >= mostWaiting {
		return refuse(http.StatusBadRequest, "ConcurrentPipelineExecutionsLimitExceededException", "The pipeline has reached the limit of %d concurrent executions", mostWaiting)
	}
	if err := c.enqueue(ctx, l.t, l.p, e, c.Now); err != nil {
		return err
	}
	return c.movePipeline(ctx, l.t.ARN, c.Now)
}

func noExecution(l *line, id string) error {
	return refuse(http.StatusBadRequest, "PipelineExecutionNotFoundException", "Pipeline '%s' does not have an execution with id '%s'", l.t.Physical, id)
}

func noStage(l *line, name string) error {
	return refuse(http.StatusBadRequest, "StageNotFoundException", "Pipeline '%s' does not have a stage with name '%s'", l.t.Physical, name)
}

// ofLine finds an execution of a pipeline, or says that there is none.
func (c *Call) ofLine(ctx context.Context, l *line, given *string) (*execution, error) {
	id, err := need("pipelineExecutionId", given)
	if err != nil {
		return nil, err
	}
	e, err := c.execution(ctx, l.t.ARN, id)
	if err == nil && e == nil {
		err = noExecution(l, id)
	}
	return e, err
}

func getPipelineExecution(ctx context.Context, c *Call, in *codepipeline.GetPipelineExecutionInput) (*codepipeline.GetPipelineExecutionOutput, error) {
	l, err := c.ownLine(ctx, in.PipelineName, "")
	if err != nil {
		return nil, err
	}
	e, err := c.ofLine(ctx, l, in.PipelineExecutionId)
	if err != nil {
		return nil, err
	}
	out := &cptypes.PipelineExecution{PipelineName: &e.Name, PipelineVersion: &e.Version, PipelineExecutionId: &e.ID, Status: e.Status, StatusSummary: optional(e.Summary), ExecutionMode: e.Mode,
		ExecutionType: cptypes.ExecutionTypeStandard, Trigger: &cptypes.ExecutionTrigger{TriggerType: e.Trigger, TriggerDetail: optional(e.Detail)}, ArtifactRevisions: []cptypes.ArtifactRevision{}}
	for _, t := range e.sources() {
		for _, artifact := range e.declaration(t.Stage, t.Action).OutputArtifacts {
			out.ArtifactRevisions = append(out.ArtifactRevisions, cptypes.ArtifactRevision{Name: artifact.Name, RevisionId: &t.Revision.ID, RevisionSummary: optional(t.Revision.Summary), RevisionUrl: optional(t.Revision.URL), Created: &t.Updated})
		}
	}
	for _, name := range sortedKeys(e.Variables) {
		out.Variables = append(out.Variables, cptypes.ResolvedPipelineVariable{Name: aws.String(name), ResolvedValue: aws.String(e.Variables[name])})
	}
	return &codepipeline.GetPipelineExecutionOutput{PipelineExecution: out}, nil
}

// sources are the last tries of source actions that fetched something.
func (e *execution) sources() []*try {
	var out []*try
	for i, t := range e.Tries {
		if t.Revision != nil && e.latest(t.Stage, t.Action) == e.Tries[i] {
			out = append(out, t)
		}
	}
	return out
}

func listPipelineExecutions(ctx context.Context, c *Call, in *codepipeline.ListPipelineExecutionsInput) (*codepipeline.ListPipelineExecutionsOutput, error) {
	l, err := c.ownLine(ctx, in.PipelineName, "")
	if err != nil {
		return nil, err
	}
	all, err := c.executions(ctx, `pipeline = $1 ORDER BY seq DESC`, l.t.ARN)
	if err != nil {
		return nil, err
	}
	if f := in.Filter; f != nil && f.SucceededInStage != nil {
		stage := aws.ToString(f.SucceededInStage.StageName)
		if !l.hasStage(stage) {
			return nil, noStage(l, stage)
		}
		all = slices.DeleteFunc(all, func(e *execution) bool { return !e.passed(stage) })
	}
	some, next, err := page(all, in.NextToken, in.MaxResults, 100)
	if err != nil {
		return nil, badToken()
	}
	out := &codepipeline.ListPipelineExecutionsOutput{NextToken: next, PipelineExecutionSummaries: []cptypes.PipelineExecutionSummary{}}
	for _, e := range some {
		one := cptypes.PipelineExecutionSummary{PipelineExecutionId: &e.ID, Status: e.Status, StatusSummary: optional(e.Summary), StartTime: &e.Started, LastUpdateTime: &e.Updated, ExecutionMode: e.Mode,
			ExecutionType: cptypes.ExecutionTypeStandard, Trigger: &cptypes.ExecutionTrigger{TriggerType: e.Trigger, TriggerDetail: optional(e.Detail)}, SourceRevisions: []cptypes.SourceRevision{}}
		if e.Stop != "" {
			one.StopTrigger = &cptypes.StopExecutionTrigger{Reason: &e.Stop}
		}
		for _, t := range e.sources() {
			one.SourceRevisions = append(one.SourceRevisions, cptypes.SourceRevision{ActionName: &t.Action, RevisionId: &t.Revision.ID, RevisionSummary: optional(t.Revision.Summary), RevisionUrl: optional(t.Revision.URL)})
		}
		out.PipelineExecutionSummaries = append(out.PipelineExecutionSummaries, one)
	}
	return out, nil
}

// passed says whether an execution went through a stage.
func (e *execution) passed(stage string) bool {
	i := slices.IndexFunc(e.Stages, func(s cptypes.StageDeclaration) bool { return *s.Name == stage })
	return i >= 0 && (i < e.Stage || (i == e.Stage && e.Status == cptypes.PipelineExecutionStatusSucceeded))
}
