package awssim

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	cbtypes "github.com/aws/aws-sdk-go-v2/service/codebuild/types"
)

func codebuildOperations() []operation {
	return []operation{
		handle("codebuild", "StartBuild", startBuildCall),
		handle("codebuild", "BatchGetBuilds", batchGetBuilds),
		handle("codebuild", "ListBuildsForProject", listBuildsForProject),
		handle("codebuild", "StopBuild", stopBuild),
	}
}

// projectEffect refuses a project whose role CodeBuild could not have, and forgets the builds of
// one that is removed.
func projectEffect(ctx context.Context, c *Call, s *cfnStack, r *cfnResource, verb string, _ time.Time) error {
	if verb == "delete" {
		_, err := c.Tx.Exec(ctx, `DELETE FROM builds WHERE account = $1 AND region = $2 AND project = $3`, s.Account, s.Region, r.Physical)
		return err
	}
	t := &thing{Account: s.Account, Region: s.Region, Properties: r.Properties}
	if m := numberOf(r.Properties["TimeoutInMinutes"], 60); m < 5 || m > 2160 {
		return codebuildInput("Invalid timeout: it must be between 5 and 2160 minutes")
	}
	return c.passes(ctx, s, serviceRole(t), codebuildActor, textOf(r.Attributes["Arn"]))
}

func codebuildInput(format string, args ...any) error {
	return refuse(http.StatusBadRequest, "InvalidInputException", format, args...)
}

// ownProject asks for a project of the caller's by its name.
func (c *Call) ownProject(ctx context.Context, given *string) (*thing, error) {
	name, err := need("projectName", given)
	if err != nil {
		return nil, err
	}
	a := arn("codebuild", c.Region, c.Account, "project/"+name)
	if err := c.may(ctx, a, nil); err != nil {
		return nil, err
	}
	t, err := c.thing(ctx, c.Account, c.Region, codeProject, name)
	if err == nil && t == nil {
		err = refuse(http.StatusBadRequest, "ResourceNotFoundException", "Project cannot be found: %s", a)
	}
	return t, err
}

// tokenLasts is for how long the same token means the same build.
const tokenLasts = 5 * time.Minute

func startBuildCall(ctx context.Context, c *Call, in *codebuild.StartBuildInput) (*codebuild.StartBuildOutput, error) {
	project, err := c.ownProject(ctx, in.ProjectName)
	if err != nil {
		return nil, err
	}
	if in.BuildspecOverride != nil || in.SourceLocationOverride != nil || in.ServiceRoleOverride != nil || in.ImageOverride != nil || in.ArtifactsOverride != nil {
		return nil, codebuildInput("The simulator plays no overrides other than of variables, the source version and the time-out.")
	}
	if token := aws.ToString(in.IdempotencyToken); token != "" {
		all, err := c.builds(ctx, `account = $1 AND region = $2 AND project = $3 AND body->>'Token' = $4 AND (body->>'Started')::timestamptz > $5`, c.Account, c.Region, project.Physical, token, c.Now.Add(-tokenLasts))
		if err != nil {
			return nil, err
		}
		if len(all) > 0 {
			return &codebuild.StartBuildOutput{Build: c.shownBuild(project, all[0])}, nil
		}
	}
	_, who, _ := strings.Cut(c.Principal.ARN, "/")
	b, err := c.startBuild(ctx, project, buildRequest{env: in.EnvironmentVariablesOverride, initiator: who, token: aws.ToString(in.IdempotencyToken), version: aws.ToString(in.SourceVersion)}, c.Now)
	if err != nil {
		return nil, err
	}
	return &codebuild.StartBuildOutput{Build: c.shownBuild(project, b)}, nil
}

// batchGetBuilds answers the builds that are the caller's; of others it knows nothing.
func batchGetBuilds(ctx context.Context, c *Call, in *codebuild.BatchGetBuildsInput) (*codebuild.BatchGetBuildsOutput, error) {
	if len(in.Ids) == 0 || len(in.Ids) > 100 {
		return nil, codebuildInput("Invalid batch size: between 1 and 100 ids")
	}
	out := &codebuild.BatchGetBuildsOutput{Builds: []cbtypes.Build{}}
	for _, given := range in.Ids {
		id := given[strings.LastIndexByte(given, '/')+1:]
		name, _, _ := strings.Cut(id, ":")
		project, b, err := c.ownBuild(ctx, name, id)
		if err != nil {
			return nil, err
		}
		if b == nil {
			out.BuildsNotFound = append(out.BuildsNotFound, given)
			continue
		}
		out.Builds = append(out.Builds, *c.shownBuild(project, b))
	}
	return out, nil
}

func (c *Call) ownBuild(ctx context.Context, name, id string) (*thing, *build, error) {
	if err := c.may(ctx, arn("codebuild", c.Region, c.Account, "project/"+name), nil); err != nil {
		return nil, nil, err
	}
	project, err := c.thing(ctx, c.Account, c.Region, codeProject, name)
	if err != nil || project == nil {
		return nil, nil, err
	}
	b, err := c.build(ctx, id)
	if err != nil || b == nil || b.Account != c.Account || b.Region != c.Region {
		return nil, nil, err
	}
	return project, b, nil
}

func listBuildsForProject(ctx context.Context, c *Call, in *codebuild.ListBuildsForProjectInput) (*codebuild.ListBuildsForProjectOutput, error) {
	project, err := c.ownProject(ctx, in.ProjectName)
	if err != nil {
		return nil, err
	}
	all, err := c.builds(ctx, `account = $1 AND region = $2 AND project = $3 ORDER BY seq DESC`, c.Account, c.Region, project.Physical)
	if err != nil {
		return nil, err
	}
	if in.SortOrder == cbtypes.SortOrderTypeAscending {
		slices.Reverse(all)
	}
	some, next, err := page(all, in.NextToken, nil, 100)
	if err != nil {
		return nil, codebuildInput("Invalid next token")
	}
	out := &codebuild.ListBuildsForProjectOutput{NextToken: next, Ids: []string{}}
	for _, b := range some {
		out.Ids = append(out.Ids, b.ID)
	}
	return out, nil
}

func stopBuild(ctx context.Context, c *Call, in *codebuild.StopBuildInput) (*codebuild.StopBuildOutput, error) {
	id, err := need("id", in.Id)
	if err != nil {
		return nil, err
	}
	id = id[strings.LastIndexByte(id, '/')+1:]
	name, _, _ := strings.Cut(id, ":")
	project, b, err := c.ownBuild(ctx, name, id)
	if err == nil && b == nil {
		err = refuse(http.StatusBadRequest, "ResourceNotFoundException", "Build %s cannot be found", id)
	}
	if err != nil {
		return nil, err
	}
	if b.end().After(c.Now) {
		if err := c.breakOff(ctx, b, cbtypes.StatusTypeStopped, "", "", c.Now); err != nil {
			return nil, err
		}
	}
	return &codebuild.StopBuildOutput{Build: c.shownBuild(project, b)}, nil
}

// shownBuild is a build as far as its time has come.
func (c *Call) shownBuild(project *thing, b *build) *cbtypes.Build {
	environment := mapOf(project.Properties["Environment"])
	out := &cbtypes.Build{Id: &b.ID, Arn: &b.ARN, BuildNumber: &b.Number, ProjectName: &b.Project, StartTime: &b.Started, BuildStatus: cbtypes.StatusTypeInProgress, Initiator: optional(b.Initiator), ServiceRole: aws.String(serviceRole(project)),
		SourceVersion: optional(b.SourceVersion), TimeoutInMinutes: &b.Timeout, QueuedTimeoutInMinutes: aws.Int32(480), Logs: b.logs(),
		Source:      &cbtypes.ProjectSource{Type: cbtypes.SourceType(textOf(mapOf(project.Properties["Source"])["Type"])), Buildspec: optional(textOf(mapOf(project.Properties["Source"])["BuildSpec"]))},
		Environment: &cbtypes.ProjectEnvironment{Type: cbtypes.EnvironmentType(textOf(environment["Type"])), Image: optional(textOf(environment["Image"])), ComputeType: cbtypes.ComputeType(textOf(environment["ComputeType"])), PrivilegedMode: aws.Bool(yes(environment["PrivilegedMode"])), EnvironmentVariables: b.Env}}
	if b.Commit != nil {
		out.ResolvedSourceVersion = &b.Commit.ID
	}
	for _, p := range b.Phases {
		if p.Start.After(c.Now) {
			break
		}
		one := cbtypes.BuildPhase{PhaseType: p.Kind, StartTime: &p.Start}
		if out.CurrentPhase = aws.String(string(p.Kind)); p.Kind != cbtypes.BuildPhaseTypeCompleted && !p.End.After(c.Now) {
			one.EndTime, one.PhaseStatus, one.DurationInSeconds = &p.End, p.Status, aws.Int64(int64(p.End.Sub(p.Start).Seconds()))
			one.Contexts = []cbtypes.PhaseContext{{StatusCode: optional(p.Code), Message: optional(p.Message)}}
		}
		out.Phases = append(out.Phases, one)
	}
	if end := b.end(); !end.After(c.Now) {
		out.BuildComplete, out.BuildStatus, out.EndTime = true, b.Outcome, &end
		for _, name := range sortedKeys(b.Exported) {
			out.ExportedEnvironmentVariables = append(out.ExportedEnvironmentVariables, cbtypes.ExportedEnvironmentVariable{Name: aws.String(name), Value: aws.String(b.Exported[name])})
		}
	}
	return out
}

// logs says where a build's log is.
func (b *build) logs() *cbtypes.LogsLocation {
	if b.Group == "" {
		return &cbtypes.LogsLocation{}
	}
	escape := func(s string) string { return strings.ReplaceAll(url.QueryEscape(url.QueryEscape(s)), "%", "$") }
	return &cbtypes.LogsLocation{GroupName: &b.Group, StreamName: &b.Stream, CloudWatchLogsArn: aws.String(arn("logs", b.Region, b.Account, "log-group:"+b.Group+":log-stream:"+b.Stream)),
		DeepLink:       aws.String("https://console.aws.amazon.com/cloudwatch/home?region=" + b.Region + "#logsV2:log-groups/log-group/" + escape(b.Group) + "/log-events/" + escape(b.Stream)),
		CloudWatchLogs: &cbtypes.CloudWatchLogsConfig{Status: cbtypes.LogsConfigStatusTypeEnabled, GroupName: &b.Group}}
}
