package awssim

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// How long actions take that are not builds and wait for nobody.
const (
	sourceTakes     = 5 * time.Second
	otherTakes      = 25 * time.Second
	approvalTakes   = 7 * 24 * time.Hour // unless the action has a time-out of its own
	afterBuildTakes = 2 * time.Second    // CodePipeline asks CodeBuild now and then
)

// startTry begins an action.
func (c *Call) startTry(ctx context.Context, l *line, e *execution, a *cptypes.ActionDeclaration, at time.Time) error {
	rnd := random(e.ID, *e.stage().Name, *a.Name, strconv.Itoa(len(e.Tries)))
	t := &try{ID: uuidOf(rnd), Stage: *e.stage().Name, Action: *a.Name, Status: cptypes.ActionExecutionStatusInProgress, Started: at, Updated: at, Config: e.resolved(a)}
	e.Tries, e.Updated = append(e.Tries, t), at
	l.note("actions", t.Stage+"/"+t.Action, e.ID)
	takes := func(d time.Duration) {
		due := at.Add(c.Sim.scaled(time.Duration(float64(d) * (0.9 + 0.2*rnd.Float64()))))
		t.Due = &due
	}
	switch kind := a.ActionTypeId; {
	case kind.Category == cptypes.ActionCategorySource:
		takes(sourceTakes)
	case kind.Category == cptypes.ActionCategoryApproval:
		t.Token = uuidOf(rnd)
		wait := approvalTakes
		if m := aws.ToInt32(a.TimeoutInMinutes); m > 0 {
			wait = time.Duration(m) * time.Minute
		}
		due := at.Add(c.Sim.scaled(wait))
		t.Due = &due
	case aws.ToString(kind.Provider) == "CodeBuild":
		return c.startActionBuild(ctx, e, a, t, at)
	default:
		takes(otherTakes)
	}
	return nil
}

// startActionBuild starts the build of an action.
func (c *Call) startActionBuild(ctx context.Context, e *execution, a *cptypes.ActionDeclaration, t *try, at time.Time) error {
	fail := func(code, message string) error {
		t.finish(cptypes.ActionExecutionStatusFailed, at)
		t.Code, t.Message = code, message
		return nil
	}
	name := t.Config["ProjectName"]
	project, err := c.thing(ctx, e.Account, e.Region, codeProject, name)
	if err != nil {
		return err
	}
	resource := arn("codebuild", e.Region, e.Account, "project/"+name)
	why, err := c.actorMay(ctx, e.actor(a), "codebuild:StartBuild", resource, nil)
	switch {
	case err != nil:
		return err
	case why != "":
		return fail("PermissionError", "Error calling startBuild: "+why)
	case project == nil:
		return fail("ConfigurationError", "Error calling startBuild: Project cannot be found: "+resource)
	}
	env, err := actionEnvironment(t.Config["EnvironmentVariables"])
	if err != nil {
		return fail("ConfigurationError", "The EnvironmentVariables of action "+t.Action+" are not valid: "+err.Error())
	}
	r := buildRequest{env: env, commit: e.source(), initiator: "codepipeline/" + e.Name, version: "arn:aws:s3:::" + e.Bucket}
	if in := e.input(a); in != "" {
		r.reads, r.version = "arn:aws:s3:::"+e.Bucket+"/"+in, "arn:aws:s3:::"+e.Bucket+"/"+in
	}
	if len(a.OutputArtifacts) > 0 {
		r.writes = "arn:aws:s3:::" + e.Bucket + "/" + artifactKey(e, t, *a.OutputArtifacts[0].Name)
	}
	b, err := c.startBuild(ctx, project, r, at)
	if err != nil {
		return err
	}
	due := b.end().Add(c.Sim.scaled(afterBuildTakes))
	t.Due, t.External, t.URL = &due, b.ID, buildURL(b)
	return nil
}

// actor is the pipeline, with the role of the action or its own.
func (e *execution) actor(a *cptypes.ActionDeclaration) serviceActor {
	role := e.Role
	if a != nil && aws.ToString(a.RoleArn) != "" {
		role = *a.RoleArn
	}
	return serviceActor{role: role, service: "codepipeline.amazonaws.com", source: e.Pipeline, region: e.Region}
}

// input is where the first artifact lies that an action takes.
func (e *execution) input(a *cptypes.ActionDeclaration) string {
	for _, t := range e.Tries {
		if len(a.InputArtifacts) > 0 && t.Artifacts[*a.InputArtifacts[0].Name] != "" {
			return t.Artifacts[*a.InputArtifacts[0].Name]
		}
	}
	return ""
}

func artifactKey(e *execution, t *try, name string) string {
	return e.Name[:min(20, len(e.Name))] + "/" + name[:min(10, len(name))] + "/" + suffix(random(t.ID, name), 7)
}

// source is the commit that was fetched; nil where an image was.
func (e *execution) source() *commit {
	for _, t := range e.Tries {
		if t.Outputs["CommitId"] != "" {
			return &commit{ID: t.Outputs["CommitId"], Repository: t.Outputs["FullRepositoryName"], Branch: t.Outputs["BranchName"], Message: t.Outputs["CommitMessage"], Author: t.Outputs["AuthorDisplayName"]}
		}
	}
	return nil
}

// finish ends a try.
func (t *try) finish(status cptypes.ActionExecutionStatus, at time.Time) {
	t.Status, t.Updated, t.Due = status, at, nil
}

func (t *try) failed(at time.Time, code, message string) {
	t.finish(cptypes.ActionExecutionStatusFailed, at)
	t.Code, t.Message = code, message
}

// finishTry is what becomes of an action when its time has come.
func (c *Call) finishTry(ctx context.Context, e *execution, t *try, at time.Time) error {
	a := e.declaration(t.Stage, t.Action)
	switch {
	case a.ActionTypeId.Category == cptypes.ActionCategoryApproval:
		t.failed(at, "Timeout", "The approval timed out: nobody approved or rejected it in time.")
		t.Summary = "Timeout"
		return nil
	case a.ActionTypeId.Category == cptypes.ActionCategorySource:
		if err := c.fetchSource(ctx, e, a, t, at); err != nil || t.Status == cptypes.ActionExecutionStatusFailed {
			return err
		}
	case t.External != "":
		b, err := c.build(ctx, t.External)
		if err != nil {
			return err
		}
		if b == nil || b.Outcome != buildSucceeded {
			t.failed(at, "JobFailed", "Build terminated with state: "+b.outcome())
			return nil
		}
		t.Outputs = b.Exported
	}
	if why, err := c.putArtifacts(ctx, e, a, t, at); err != nil || why != "" {
		t.failed(at, "PermissionError", why)
		return err
	}
	t.finish(cptypes.ActionExecutionStatusSucceeded, at)
	return nil
}

// putArtifacts stores what an action made, with the pipeline's role.
func (c *Call) putArtifacts(ctx context.Context, e *execution, a *cptypes.ActionDeclaration, t *try, at time.Time) (string, error) {
	if len(a.OutputArtifacts) == 0 {
		return "", nil
	}
	b, ok, err := c.bucket(ctx, e.Bucket)
	if err != nil {
		return "", err
	}
	if !ok {
		return "The artifact bucket " + e.Bucket + " does not exist.", nil
	}
	t.Artifacts = map[string]string{}
	for _, o := range a.OutputArtifacts {
		name := *o.Name
		key := artifactKey(e, t, name)
		if t.External == "" {
			if why, err := c.actorMay(ctx, e.actor(a), "s3:PutObject", "arn:aws:s3:::"+e.Bucket+"/"+key, nil); err != nil || why != "" {
				return why, err
			}
		}
		body := []byte("PK, as far as the simulator goes: " + name + " of " + e.ID)
		o := &stored{body: body, contentType: "application/zip", etag: etagOf(body), modified: at}
		if err := c.store(ctx, b, key, o); err != nil {
			return "", fmt.Errorf("store artifact %s: %w", key, err)
		}
		t.Artifacts[name] = key
	}
	return "", nil
}

var variableForm = regexp.MustCompile(`#\{([A-Za-z0-9@_-]+)\.([A-Za-z0-9@_.-]+)\}`)

// resolved is an action's configuration with the variables put in that are known by now.
func (e *execution) resolved(a *cptypes.ActionDeclaration) map[string]string {
	values := map[string]string{"codepipeline.PipelineExecutionId": e.ID}
	for name, value := range e.Variables {
		values["variables."+name] = value
	}
	for _, t := range e.Tries {
		if d := e.declaration(t.Stage, t.Action); d != nil && aws.ToString(d.Namespace) != "" {
			for name, value := range t.Outputs {
				values[*d.Namespace+"."+name] = value
			}
		}
	}
	out := map[string]string{}
	for name, text := range a.Configuration {
		out[name] = variableForm.ReplaceAllStringFunc(text, func(v string) string {
			value, known := values[strings.Trim(v, "#{}")]
			if !known {
				return v
			}
			return value
		})
	}
	return out
}
