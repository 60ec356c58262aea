package aws

import (
	"context"
	"fmt"
	"slices"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"slipway/models"
)

// What AWS says when nothing waits any more for what it was told.
var (
	answeredAlready = []string{"ApprovalAlreadyCompletedException", "InvalidApprovalTokenException"}
	pipelineIsGone  = []string{"PipelineNotFoundException", "StageNotFoundException", "ActionNotFoundException", "PipelineExecutionNotFoundException"}
)

const maxSummary = 512 // characters of an approval's summary, as AWS takes them

// steering is the session that may answer and steer one pipeline, and nothing else.
func (c *Clients) steering(p models.Pipeline, w who) (*codepipeline.Client, string, error) {
	name := p.Stack.Outputs["PipelineName"]
	if name == "" {
		return nil, "", finalf("The stack of pipeline %s does not say which pipeline it has made.", "Its blueprint needs the output PipelineName.", p.Name)
	}
	arn := fmt.Sprintf("arn:%s:codepipeline:%s:%s:%s", c.partition, p.Stack.Region, p.Stack.Account, name)
	may := policy(statement{Action: []string{"codepipeline:GetPipelineState", "codepipeline:PutApprovalResult", "codepipeline:StartPipelineExecution", "codepipeline:StopPipelineExecution",
		"codepipeline:RetryStageExecution"}, Resource: []string{arn, arn + "/*"}})
	return codepipeline.NewFromConfig(c.spoke(p.Stack.Account, p.Stack.Region, "deploy", may, w)), name, nil
}

// AnswerApproval tells CodePipeline what became of a promotion. The token is read anew and must be the one of the same waiting: an answer
// never goes to another execution, nor to another try of the same. The words say what was found where nothing waits any more.
func (c *Clients) AnswerApproval(ctx context.Context, p models.Pipeline, externalID, environment, key string, approve bool, summary string) (models.AnswerState, string, error) {
	api, name, err := c.steering(p, who{job: pipelineJob})
	if err != nil {
		return "", "", err
	}
	result := &cptypes.ApprovalResult{Status: cptypes.ApprovalStatusRejected, Summary: sdk.String(oneLine(summary, maxSummary-1))}
	if approve {
		result.Status = cptypes.ApprovalStatusApproved
	}
	state, err := api.GetPipelineState(ctx, &codepipeline.GetPipelineStateInput{Name: &name})
	if is(err, pipelineIsGone...) {
		return models.AnswerGone, "The pipeline is not there any more.", nil
	}
	if err != nil {
		return "", "", err
	}
	i := slices.IndexFunc(state.StageStates, func(st cptypes.StageState) bool { return sdk.ToString(st.StageName) == environment })
	if i < 0 {
		return models.AnswerGone, "The pipeline has no stage " + environment + " any more.", nil
	}
	st := state.StageStates[i]
	a, waits := waitingAction(st)
	if !waits || sdk.ToString(st.LatestExecution.PipelineExecutionId) != externalID || approvalKey(sdk.ToString(a.Token)) != key {
		return c.answered(ctx, p, name, externalID, environment, approve)
	}
	_, err = api.PutApprovalResult(ctx, &codepipeline.PutApprovalResultInput{PipelineName: &name, StageName: &environment, ActionName: sdk.String(models.ApprovalAction(environment)), Token: a.Token, Result: result})
	switch {
	case is(err, answeredAlready...) || is(err, pipelineIsGone...):
		return c.answered(ctx, p, name, externalID, environment, approve)
	case err != nil:
		return "", "", err
	}
	return models.AnswerSent, "", nil
}

// answered says what became of a waiting that is over: the same answer is there, CodePipeline gave up, or somebody else answered.
func (c *Clients) answered(ctx context.Context, p models.Pipeline, name, externalID, environment string, approve bool) (models.AnswerState, string, error) {
	r := pipelineReader{Clients: c, p: p, name: name, api: codepipeline.NewFromConfig(c.spoke(p.Stack.Account, p.Stack.Region, "read", lookAtPipelines, who{job: pipelineJob}))}
	all, err := r.actions(ctx, externalID)
	if is(err, pipelineIsGone...) {
		return models.AnswerGone, "CodePipeline does not know the execution any more.", nil
	}
	if err != nil {
		return "", "", err
	}
	i := slices.IndexFunc(all, func(a cptypes.ActionExecutionDetail) bool {
		return sdk.ToString(a.StageName) == environment && sdk.ToString(a.ActionName) == models.ApprovalAction(environment)
	})
	if i < 0 {
		return models.AnswerGone, "The execution does not wait at " + environment + ".", nil
	}
	a := actionOf(all[i])
	switch {
	case a.State == models.ExecutionSucceeded && approve, a.State == models.ExecutionFailed && !approve:
		return models.AnswerSent, "", nil
	case a.State == models.ExecutionSucceeded:
		return models.AnswerGone, "Somebody approved it in CodePipeline meanwhile.", nil
	case a.State == models.ExecutionWaiting:
		return models.AnswerGone, "The execution was sent to " + environment + " again meanwhile; that is another promotion.", nil
	case a.State == models.ExecutionStopped:
		return models.AnswerGone, "The execution was stopped meanwhile.", nil
	}
	return models.AnswerLate, "CodePipeline had given up waiting, or somebody rejected it there. " + a.Words, nil
}

// Steer does what a person asked of an execution. What is there already is not done again.
func (c *Clients) Steer(ctx context.Context, p models.Pipeline, o models.PipelineOrder) error {
	api, name, err := c.steering(p, who{person: o.PersonID, job: pipelineJob})
	if err != nil {
		return err
	}
	switch o.Verb {
	case "start":
		_, err = api.StartPipelineExecution(ctx, &codepipeline.StartPipelineExecutionInput{Name: &name, ClientRequestToken: &o.ID})
	case "stop":
		err = stopExecution(ctx, api, name, o)
	case "retry":
		err = retryStage(ctx, api, name, o)
	default:
		return fmt.Errorf("pipeline order %s asks to %q, which is not known", o.ID, o.Verb)
	}
	return refusedOrder(err, o)
}

// stopExecution lets a build that runs come to its end. One that only waits for an answer is given up at once: CodePipeline would otherwise
// wait until the answer comes.
func stopExecution(ctx context.Context, api *codepipeline.Client, name string, o models.PipelineOrder) error {
	state, err := api.GetPipelineState(ctx, &codepipeline.GetPipelineStateInput{Name: &name})
	if err != nil {
		return err
	}
	in := &codepipeline.StopPipelineExecutionInput{PipelineName: &name, PipelineExecutionId: &o.ExternalID, Reason: sdk.String(oneLine("Stopped through Slipway by "+o.Person, 200))}
	for _, st := range state.StageStates {
		if _, waits := waitingAction(st); waits && sdk.ToString(st.LatestExecution.PipelineExecutionId) == o.ExternalID {
			in.Abandon = true
		}
	}
	_, err = api.StopPipelineExecution(ctx, in)
	return ignore(err, "DuplicatedStopRequestException")
}

// retryStage runs what failed in a stage again. Where it runs already, an earlier call did it and only its answer was lost.
func retryStage(ctx context.Context, api *codepipeline.Client, name string, o models.PipelineOrder) error {
	_, err := api.RetryStageExecution(ctx, &codepipeline.RetryStageExecutionInput{PipelineName: &name, StageName: &o.Stage, PipelineExecutionId: &o.ExternalID, RetryMode: cptypes.StageRetryModeFailedActions})
	if !is(err, "StageNotRetryableException") {
		return err
	}
	state, stateErr := api.GetPipelineState(ctx, &codepipeline.GetPipelineStateInput{Name: &name})
	if stateErr != nil {
		return stateErr
	}
	for _, st := range state.StageStates {
		if sdk.ToString(st.StageName) == o.Stage && st.LatestExecution != nil && sdk.ToString(st.LatestExecution.PipelineExecutionId) == o.ExternalID &&
			st.LatestExecution.Status == cptypes.StageExecutionStatusInProgress {
			return nil
		}
	}
	return err
}

// refusedOrder says what no repetition cures in words for the person who asked.
func refusedOrder(err error, o models.PipelineOrder) error {
	why := map[string]string{
		"PipelineExecutionNotStoppableException":             "The execution has ended, so it cannot be stopped.",
		"PipelineExecutionNotFoundException":                 "CodePipeline does not know the execution any more.",
		"PipelineNotFoundException":                          "The pipeline is not there any more: somebody deleted it outside of Slipway.",
		"StageNotFoundException":                             "The pipeline has no stage " + o.Stage + " any more.",
		"StageNotRetryableException":                         "Nothing in the stage " + o.Stage + " has failed that could be tried again.",
		"NotLatestPipelineExecutionException":                "A newer execution has been in the stage " + o.Stage + " since, so this one cannot go on there.",
		"ConcurrentPipelineExecutionsLimitExceededException": "Too many executions wait already.",
	}
	for code, words := range why {
		if is(err, code) {
			return orderRefused{words + " Look at the pipeline, then ask again if it still needs it.", err}
		}
	}
	return err
}

// orderRefused is what AWS said against an order, in words for the person who asked; no repetition cures it.
type orderRefused struct {
	words string
	err   error
}

// Error is the words with AWS's own for the log.
func (e orderRefused) Error() string { return e.words + " (" + e.err.Error() + ")" }

// Gap says that it will not pass by itself.
func (e orderRefused) Gap() models.ReadGap {
	return models.ReadGap{What: "the order", Kind: models.GapAbsent, Words: e.words}
}
