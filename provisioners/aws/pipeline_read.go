package aws

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	cbtypes "github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"slipway/models"
)

// Bounds of one look at a pipeline.
const (
	executionsRead  = 20 // newest
	executionsAtOne = 5  // whose actions one call reads
	actionPages     = 3  // of 100: retries of an execution beyond them are not shown
	readAgain       = 15 * time.Minute
	pipelineJob     = "pipelines"
)

// lookAtPipelines is what the watch may do of what slipway-read may.
var lookAtPipelines = policy(statement{Action: []string{"codepipeline:ListPipelineExecutions", "codepipeline:ListActionExecutions", "codepipeline:GetPipelineState", "codebuild:BatchGetBuilds"}})

// pipelineLook is where a look at a pipeline goes on: executions whose actions are still to be read.
type pipelineLook struct {
	Left []string `json:"left"`
}

// pipelineReader is one call of a look.
type pipelineReader struct {
	*Clients
	p      models.Pipeline
	name   string
	api    *codepipeline.Client
	builds *codebuild.Client
	now    time.Time
}

// ReadPipeline looks at the newest executions of a pipeline: at those that move, and those that changed since the last reading, with their
// actions. What AWS refuses or does not answer is a gap, never an error.
func (c *Clients) ReadPipeline(ctx context.Context, p models.Pipeline, cursor json.RawMessage) (models.PipelineReading, error) {
	var at pipelineLook
	if len(cursor) > 0 {
		if err := json.Unmarshal(cursor, &at); err != nil {
			return models.PipelineReading{}, fmt.Errorf("read where the look at pipeline %s was: %w", p.Name, err)
		}
	}
	cfg := c.spoke(p.Stack.Account, p.Stack.Region, "read", lookAtPipelines, who{job: pipelineJob})
	r := pipelineReader{Clients: c, p: p, name: p.Stack.Outputs["PipelineName"], api: codepipeline.NewFromConfig(cfg), builds: codebuild.NewFromConfig(cfg), now: c.Clock.Wall()}
	if r.name == "" {
		return models.PipelineReading{Gap: &models.ReadGap{What: "its executions", Kind: models.GapAbsent, Words: "Its stack does not say which pipeline it has made."}}, nil
	}
	reading, err := r.read(ctx, at, len(cursor) > 0)
	if err != nil {
		g, ok := answerGap("its executions", "CodePipeline", err)
		if !ok {
			return models.PipelineReading{}, err
		}
		if is(err, "PipelineNotFoundException") {
			g.Kind, g.Words = models.GapAbsent, "There is no pipeline "+r.name+" in account "+p.Stack.Account+" any more. Somebody deleted it outside of Slipway."
		}
		return models.PipelineReading{Gap: &g}, nil
	}
	return reading, nil
}

func (r pipelineReader) read(ctx context.Context, at pipelineLook, further bool) (models.PipelineReading, error) {
	reading := models.PipelineReading{At: r.now}
	list, err := r.api.ListPipelineExecutions(ctx, &codepipeline.ListPipelineExecutionsInput{PipelineName: &r.name, MaxResults: sdk.Int32(executionsRead)})
	if err != nil {
		return reading, err
	}
	state, err := r.api.GetPipelineState(ctx, &codepipeline.GetPipelineStateInput{Name: &r.name})
	if err != nil {
		return reading, err
	}
	var due []cptypes.PipelineExecutionSummary
	for _, s := range list.PipelineExecutionSummaries {
		if further && !slices.Contains(at.Left, sdk.ToString(s.PipelineExecutionId)) || !further && !r.moved(s) {
			continue
		}
		due = append(due, s)
	}
	n := min(len(due), executionsAtOne)
	for _, s := range due[:n] {
		actions, err := r.actions(ctx, sdk.ToString(s.PipelineExecutionId))
		if err != nil {
			return reading, err
		}
		reading.Executions = append(reading.Executions, r.execution(s, actions, state.StageStates))
	}
	if err := r.readBuilds(ctx, reading.Executions); err != nil {
		return reading, err
	}
	if n < len(due) {
		next := pipelineLook{}
		for _, s := range due[n:] {
			next.Left = append(next.Left, sdk.ToString(s.PipelineExecutionId))
		}
		reading.Next, err = json.Marshal(next)
		return reading, err
	}
	reading.Approvals = r.approvals(state.StageStates)
	return reading, nil
}

// moved tells whether an execution can have changed since the last reading. AWS's clock and ours may differ a little.
func (r pipelineReader) moved(s cptypes.PipelineExecutionSummary) bool {
	last := sdk.ToTime(s.LastUpdateTime)
	return r.p.ReadAt.IsZero() || last.IsZero() || !executionState(s.Status).Ended() || last.After(r.p.ReadAt.Add(-readAgain))
}

// actions lists what an execution has done, newest first.
func (r pipelineReader) actions(ctx context.Context, id string) ([]cptypes.ActionExecutionDetail, error) {
	in := &codepipeline.ListActionExecutionsInput{PipelineName: &r.name, Filter: &cptypes.ActionExecutionFilter{PipelineExecutionId: &id}, MaxResults: sdk.Int32(100)}
	var all []cptypes.ActionExecutionDetail
	for range actionPages {
		out, err := r.api.ListActionExecutions(ctx, in)
		if err != nil {
			return nil, err
		}
		all = append(all, out.ActionExecutionDetails...)
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	return all, nil
}

// readBuilds puts to the build actions where their logs are, and what they said of the image.
func (r pipelineReader) readBuilds(ctx context.Context, executions []models.Execution) error {
	of := map[string]*models.ExecutionAction{}
	in := &codebuild.BatchGetBuildsInput{}
	for e := range executions {
		for s := range executions[e].Stages {
			for a := range executions[e].Stages[s].Actions {
				if act := &executions[e].Stages[s].Actions[a]; act.Kind == "build" && act.External != "" && len(in.Ids) < 100 {
					of[act.External], in.Ids = act, append(in.Ids, act.External)
				}
			}
		}
	}
	if len(in.Ids) == 0 {
		return nil
	}
	out, err := r.builds.BatchGetBuilds(ctx, in)
	if err != nil {
		return err
	}
	for _, b := range out.Builds {
		if act := of[sdk.ToString(b.Id)]; act != nil {
			r.putBuild(act, b)
		}
	}
	for i := range executions {
		executions[i].Digest = digestOf(executions[i])
	}
	return nil
}

func (r pipelineReader) putBuild(act *models.ExecutionAction, b cbtypes.Build) {
	if b.Logs != nil {
		act.LogGroup, act.LogStream = oneLine(sdk.ToString(b.Logs.GroupName), 512), oneLine(sdk.ToString(b.Logs.StreamName), 512)
	}
	for _, v := range b.ExportedEnvironmentVariables {
		put(act, sdk.ToString(v.Name), sdk.ToString(v.Value))
	}
	for _, ph := range b.Phases { // a failed build's own action only says that it failed
		for _, c := range ph.Contexts {
			if m := oneLine(sdk.ToString(c.Message), maxWords); ph.PhaseStatus == cbtypes.StatusTypeFailed && m != "" {
				act.Words, act.ErrorCode = fmt.Sprintf("%s: %s", ph.PhaseType, m), oneLine(sdk.ToString(c.StatusCode), 100)
			}
		}
	}
}

// approvals are the deploy stages that wait for Slipway's answer now.
func (r pipelineReader) approvals(stages []cptypes.StageState) (waiting []models.WaitingApproval) {
	for _, st := range stages {
		name := sdk.ToString(st.StageName)
		a, ok := waitingAction(st)
		if !ok {
			continue
		}
		w := models.WaitingApproval{ExternalID: sdk.ToString(st.LatestExecution.PipelineExecutionId), Environment: name, Key: approvalKey(sdk.ToString(a.Token)), Since: sdk.ToTime(a.LastStatusChange)}
		minutes := models.DefaultTimeout
		for _, s := range r.p.Stages {
			if s.Environment == name && s.TimeoutMinutes > 0 {
				minutes = s.TimeoutMinutes
			}
		}
		if w.Since.IsZero() {
			w.Since = r.now
		}
		w.Until = w.Since.Add(time.Duration(minutes) * time.Minute)
		waiting = append(waiting, w)
	}
	return waiting
}
