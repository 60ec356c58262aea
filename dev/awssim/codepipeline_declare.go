package awssim

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// pipelineOf is a pipeline as it is declared, with what CodePipeline fills in.
func pipelineOf(t *thing) (*cptypes.PipelineDeclaration, error) {
	properties := asJSON(t.Properties)
	for _, stage := range listOf(properties["Stages"]) {
		for _, action := range listOf(stage["Actions"]) {
			configuration := map[string]any{}
			for name, value := range mapOf(action["Configuration"]) {
				configuration[name] = plainText(value)
			}
			action["Configuration"] = configuration
			action["RunOrder"] = numberOf(action["RunOrder"], 1)
			if m, given := action["TimeoutInMinutes"]; given {
				action["TimeoutInMinutes"] = numberOf(m, 0)
			}
			if kind := mapOf(action["ActionTypeId"]); kind != nil {
				kind["Version"] = plainText(kind["Version"])
			}
		}
	}
	stores := map[string]any{}
	for _, m := range listOf(properties["ArtifactStores"]) {
		stores[textOf(m["Region"])] = m["ArtifactStore"]
	}
	delete(properties, "ArtifactStores")
	if len(stores) > 0 {
		properties["ArtifactStores"] = stores
	}
	for _, name := range []string{"Tags", "DisableInboundStageTransitions", "RestartExecutionOnUpdate"} {
		delete(properties, name)
	}
	p, err := decoded[cptypes.PipelineDeclaration](properties)
	if err != nil {
		return nil, fmt.Errorf("pipeline %s: %w", t.Physical, err)
	}
	p.Name, p.Version = &t.Physical, aws.Int32(int32(numberOf(t.State["version"], 1)))
	if p.PipelineType == "" {
		p.PipelineType = cptypes.PipelineTypeV1
	}
	if p.ExecutionMode == "" {
		p.ExecutionMode = cptypes.ExecutionModeSuperseded
	}
	return &p, nil
}

// plainText is a value of a configuration, all of which are text.
func plainText(v any) string {
	if text, ok := v.(string); ok {
		return text
	}
	return jsonProperty(v)
}

// artifactBucket is where a pipeline keeps what goes from action to action.
func artifactBucket(p *cptypes.PipelineDeclaration, region string) string {
	if p.ArtifactStore != nil {
		return aws.ToString(p.ArtifactStore.Location)
	}
	return aws.ToString(p.ArtifactStores[region].Location)
}

var pipelineNameForm = regexp.MustCompile(`^[A-Za-z0-9.@_-]{1,100}$`)

// pipelineEffect is what CodePipeline does beside keeping the declaration: a new pipeline starts
// an execution at once, a changed one leads those under way through its new stages.
func pipelineEffect(ctx context.Context, c *Call, s *cfnStack, r *cfnResource, verb string, at time.Time) error {
	t := &thing{Account: s.Account, Region: s.Region, Type: r.Type, Physical: r.Physical, ARN: textOf(r.Attributes["Arn"]), Properties: r.Properties, State: map[string]any{}, Made: at}
	if verb == "delete" {
		return c.forgetExecutions(ctx, t.ARN)
	}
	old, err := c.thing(ctx, s.Account, s.Region, r.Type, r.Physical)
	if err != nil {
		return err
	}
	if old != nil && verb == "update" {
		t.State = old.State
		t.State["version"] = numberOf(t.State["version"], 1) + 1
		t.State["updated"] = at.Format(time.RFC3339Nano)
	}
	p, err := pipelineOf(t)
	if err != nil {
		return err
	}
	if err := c.checkPipeline(ctx, s, p, t.ARN); err != nil {
		return err
	}
	if verb == "create" {
		return c.enqueue(ctx, t, p, &execution{Trigger: cptypes.TriggerTypeCreatePipeline, Detail: s.RunAs.ARN}, at)
	}
	r.Attributes["Version"] = plainText(t.State["version"])
	if old == nil {
		return nil
	}
	if err := c.know(ctx, t); err != nil {
		return err
	}
	if err := c.redirect(ctx, t.ARN, p, at); err != nil {
		return err
	}
	if yes(r.Properties["RestartExecutionOnUpdate"]) {
		return c.enqueue(ctx, t, p, &execution{Trigger: cptypes.TriggerTypeStartPipelineExecution, Detail: s.RunAs.ARN}, at)
	}
	return nil
}

// redirect leads what is under way in a pipeline through its new stages. What is in a stage that
// is another one now is cancelled, and so is what was to come into one that is gone.
func (c *Call) redirect(ctx context.Context, pipeline string, p *cptypes.PipelineDeclaration, at time.Time) error {
	all, err := c.executions(ctx, `pipeline = $1 AND active ORDER BY seq`, pipeline)
	if err != nil {
		return err
	}
	for _, e := range all {
		if !e.adopt(p) {
			for _, t := range e.Tries {
				if t.Status == cptypes.ActionExecutionStatusInProgress {
					t.finish(cptypes.ActionExecutionStatusAbandoned, at)
				}
			}
			e.end(cptypes.PipelineExecutionStatusCancelled, at)
		}
		if err := c.saveExecution(ctx, e); err != nil {
			return err
		}
	}
	return c.wake(ctx, pipeline, at)
}

// adopt lets an execution go on in a changed pipeline; false when it cannot.
func (e *execution) adopt(p *cptypes.PipelineDeclaration) bool {
	i := slices.IndexFunc(p.Stages, func(s cptypes.StageDeclaration) bool { return *s.Name == *e.stage().Name })
	if i < 0 || ((e.Inside || !e.active()) && !reflect.DeepEqual(p.Stages[i], *e.stage())) {
		return false
	}
	if !reflect.DeepEqual(p.Stages, e.Stages) {
		e.Past, e.Stages, e.Stage = append(e.Past, e.Stages...), p.Stages, i
	}
	e.Mode, e.Role = p.ExecutionMode, aws.ToString(p.RoleArn)
	return true
}

// wake lets a pipeline move when what is due is looked for next.
func (c *Call) wake(ctx context.Context, pipeline string, at time.Time) error {
	if _, err := c.Tx.Exec(ctx, `UPDATE pipeline_executions SET next_at = $2 WHERE pipeline = $1 AND active`, pipeline, at); err != nil {
		return fmt.Errorf("wake %s: %w", pipeline, err)
	}
	return nil
}

// enqueue puts a new execution before the first stage; it goes in when the pipeline moves next.
func (c *Call) enqueue(ctx context.Context, t *thing, p *cptypes.PipelineDeclaration, e *execution, at time.Time) error {
	e.ID, e.Pipeline, e.Name, e.Account, e.Region = newRequestID(), t.ARN, t.Physical, t.Account, t.Region
	e.Version, e.Mode, e.Stages, e.Role, e.Bucket = aws.ToInt32(p.Version), p.ExecutionMode, p.Stages, aws.ToString(p.RoleArn), artifactBucket(p, t.Region)
	e.Status, e.Started, e.Updated = cptypes.PipelineExecutionStatusInProgress, at, at
	for _, v := range p.Variables {
		if _, given := e.Variables[aws.ToString(v.Name)]; !given && v.DefaultValue != nil {
			if e.Variables == nil {
				e.Variables = map[string]string{}
			}
			e.Variables[*v.Name] = *v.DefaultValue
		}
	}
	if err := c.saveExecution(ctx, e); err != nil {
		return err
	}
	return c.wake(ctx, t.ARN, at)
}

func badStructure(format string, args ...any) error {
	return refuse(http.StatusBadRequest, "InvalidStructureException", format, args...)
}

// checkPipeline refuses what CodePipeline refuses.
func (c *Call) checkPipeline(ctx context.Context, s *cfnStack, p *cptypes.PipelineDeclaration, self string) error {
	if !pipelineNameForm.MatchString(*p.Name) {
		return refuse(http.StatusBadRequest, "ValidationException", "1 validation error detected: Value '%s' at 'pipeline.name' failed to satisfy constraint: Member must satisfy regular expression pattern: [A-Za-z0-9.@\\-_]+", *p.Name)
	}
	switch {
	case len(p.Stages) < 2:
		return badStructure("Pipeline has %d stage(s). There should be a minimum of 2 stages in a pipeline", len(p.Stages))
	case p.PipelineType == cptypes.PipelineTypeV1 && (p.ExecutionMode != cptypes.ExecutionModeSuperseded || len(p.Triggers) > 0):
		return badStructure("Triggers and the execution mode %s need a pipeline of type V2", p.ExecutionMode)
	}
	for i, stage := range p.Stages {
		if err := c.checkStage(ctx, s, p, i, stage); err != nil {
			return err
		}
	}
	for _, trigger := range p.Triggers {
		if g := trigger.GitConfiguration; g != nil && declared(p.Stages[:1], *p.Stages[0].Name, aws.ToString(g.SourceActionName)) == nil {
			return badStructure("The trigger names the source action %s, which the pipeline does not have", aws.ToString(g.SourceActionName))
		}
	}
	name := artifactBucket(p, s.Region)
	b, ok, err := c.bucket(ctx, name)
	if err != nil {
		return err
	}
	if !ok || b.region != s.Region {
		return badStructure("The artifact bucket %q does not exist in the region %s", name, s.Region)
	}
	return c.passes(ctx, s, aws.ToString(p.RoleArn), "codepipeline.amazonaws.com", self)
}

func (c *Call) checkStage(ctx context.Context, s *cfnStack, p *cptypes.PipelineDeclaration, i int, stage cptypes.StageDeclaration) error {
	name := aws.ToString(stage.Name)
	if slices.ContainsFunc(p.Stages[:i], func(o cptypes.StageDeclaration) bool { return *o.Name == name }) {
		return refuse(http.StatusBadRequest, "InvalidStageDeclarationException", "Stage name %s must be unique within the pipeline", name)
	}
	if name == "" || len(stage.Actions) == 0 {
		return refuse(http.StatusBadRequest, "InvalidStageDeclarationException", "Stage '%s' needs a name and an action", name)
	}
	for j, a := range stage.Actions {
		action, kind := aws.ToString(a.Name), a.ActionTypeId
		bad := func(format string, args ...any) error {
			return refuse(http.StatusBadRequest, "InvalidActionDeclarationException", "Action '%s' in stage '%s': "+format, append([]any{action, name}, args...)...)
		}
		switch source := kind != nil && kind.Category == cptypes.ActionCategorySource; {
		case kind == nil || !pipelineNameForm.MatchString(action):
			return bad("it needs a name and a type")
		case slices.ContainsFunc(stage.Actions[:j], func(o cptypes.ActionDeclaration) bool { return *o.Name == action }):
			return bad("its name must be unique within the stage")
		case source != (i == 0):
			return badStructure("Only the first stage, and all of it, may have source actions: %s in %s", action, name)
		case aws.ToString(kind.Provider) == "CodeStarSourceConnection":
			if err := c.mayConnect(ctx, s, a.Configuration, bad); err != nil {
				return err
			}
		case kind.Category == cptypes.ActionCategoryApproval && (len(a.InputArtifacts) > 0 || len(a.OutputArtifacts) > 0):
			return bad("an approval has no artifacts")
		case aws.ToInt32(a.TimeoutInMinutes) != 0 && (*a.TimeoutInMinutes < 5 || *a.TimeoutInMinutes > 86400):
			return bad("TimeoutInMinutes must be between 5 and 86400")
		}
	}
	return nil
}

// mayConnect refuses a source whose connection is not there, or may not be passed on. One that
// is still pending is taken: the action will fail.
func (c *Call) mayConnect(ctx context.Context, s *cfnStack, configuration map[string]string, bad func(string, ...any) error) error {
	id := configuration["ConnectionArn"]
	if !strings.Contains(configuration["FullRepositoryId"], "/") || configuration["BranchName"] == "" {
		return bad("FullRepositoryId and BranchName are needed")
	}
	t, err := c.byARN(ctx, codeConnection, id)
	if err != nil {
		return err
	}
	if t == nil || t.Region != s.Region {
		return bad("the connection '%s' does not exist", id)
	}
	return c.mayAs(ctx, s.RunAs, "codeconnections:PassConnection", id, keys{"codeconnections:PassedToService": {"codepipeline.amazonaws.com"}})
}
