package awssim

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	cbtypes "github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

func (d *delivery) build(id string) cbtypes.Build {
	d.Helper()
	out, err := d.builds.BatchGetBuilds(d.Context(), &codebuild.BatchGetBuildsInput{Ids: []string{id}})
	if err != nil || len(out.Builds) != 1 {
		d.Fatalf("build %s: %s, %v", id, asText(out), err)
	}
	return out.Builds[0]
}

func (d *delivery) start(token string, env ...cbtypes.EnvironmentVariable) string {
	d.Helper()
	out, err := d.builds.StartBuild(d.Context(), &codebuild.StartBuildInput{ProjectName: aws.String("shop-build"), IdempotencyToken: &token, EnvironmentVariablesOverride: env})
	if err != nil {
		d.Fatal(err)
	}
	return *out.Build.Id
}

func (d *delivery) over(id string, want cbtypes.StatusType) cbtypes.Build {
	d.Helper()
	var b cbtypes.Build
	eventually(d.T, "the end of build "+id, func() bool { b = d.build(id); return b.BuildComplete })
	if b.BuildStatus != want {
		d.Fatalf("build %s is %s, want %s: %s", id, b.BuildStatus, want, asText(b.Phases))
	}
	return b
}

// logOf reads a log from its beginning until the token stays the same.
func logOf(t *testing.T, api *cloudwatchlogs.Client, l *cbtypes.LogsLocation) (text string, answers int) {
	t.Helper()
	in := &cloudwatchlogs.GetLogEventsInput{LogGroupName: l.GroupName, LogStreamName: l.StreamName, StartFromHead: aws.Bool(true)}
	for {
		out, err := api.GetLogEvents(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		size := 0
		for _, e := range out.Events {
			text += *e.Message
			size += len(*e.Message) + eventOverhead
		}
		answers++
		if size > mostEventBytes {
			t.Errorf("one answer has %d bytes", size)
		}
		if in.NextToken != nil && *out.NextForwardToken == *in.NextToken {
			return text, answers
		}
		in.NextToken = out.NextForwardToken
	}
}

func TestBuildLogGrows(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 40) // four seconds a build
	d := newDelivery(t, w, "")
	api := cloudwatchlogs.NewFromConfig(w.as(asAdmin))
	id := d.start("one", cbtypes.EnvironmentVariable{Name: aws.String("IMAGE_TAG"), Value: aws.String("v1")})
	if again := d.start("one"); again != id {
		t.Errorf("one token started %s and %s", id, again)
	}
	l := d.build(id).Logs
	_, err := api.GetLogEvents(t.Context(), &cloudwatchlogs.GetLogEventsInput{LogGroupName: l.GroupName, LogStreamName: l.StreamName})
	wantCode(t, "before the container speaks", err, "ResourceNotFoundException")
	var first, second string
	eventually(t, "the log to begin", func() bool {
		streams, err := api.DescribeLogStreams(t.Context(), &cloudwatchlogs.DescribeLogStreamsInput{LogGroupName: l.GroupName, OrderBy: logstypes.OrderByLastEventTime, Descending: aws.Bool(true)})
		return err == nil && len(streams.LogStreams) == 1 && *streams.LogStreams[0].LogStreamName == *l.StreamName
	})
	first, _ = logOf(t, api, l)
	eventually(t, "the log to grow", func() bool { second, _ = logOf(t, api, l); return len(second) > len(first) })
	if !strings.HasPrefix(second, first) {
		t.Errorf("the log was rewritten:\n%s\n---\n%s", first, second)
	}
	b := d.build(id)
	if b.BuildComplete || *b.CurrentPhase == "COMPLETED" || b.BuildStatus != cbtypes.StatusTypeInProgress || len(b.ExportedEnvironmentVariables) != 0 {
		t.Errorf("a build under way: %s", asText(b))
	}
	b = d.over(id, cbtypes.StatusTypeSucceeded)
	if len(b.ExportedEnvironmentVariables) != 2 || *b.ExportedEnvironmentVariables[0].Name != "IMAGE_DIGEST" || *b.ExportedEnvironmentVariables[0].Value == "" || len(b.Phases) != 11 {
		t.Errorf("a build that is over: %s", asText(b))
	}
	whole, _ := logOf(t, api, l)
	if !strings.HasPrefix(whole, second) || !strings.Contains(whole, "v1: digest: "+*b.ExportedEnvironmentVariables[0].Value) {
		t.Errorf("the whole log:\n%s", whole)
	}
	tail, err := api.GetLogEvents(t.Context(), &cloudwatchlogs.GetLogEventsInput{LogGroupName: l.GroupName, LogStreamName: l.StreamName, Limit: aws.Int32(3)})
	if err != nil || len(tail.Events) != 3 || !strings.HasSuffix(whole, *tail.Events[2].Message) {
		t.Fatalf("the end of the log: %s, %v", asText(tail), err)
	}
	before, err := api.GetLogEvents(t.Context(), &cloudwatchlogs.GetLogEventsInput{LogGroupName: l.GroupName, LogStreamName: l.StreamName, Limit: aws.Int32(2), NextToken: tail.NextBackwardToken})
	if err != nil || len(before.Events) != 2 || !strings.HasSuffix(whole, *before.Events[0].Message+*before.Events[1].Message+*tail.Events[0].Message+*tail.Events[1].Message+*tail.Events[2].Message) {
		t.Errorf("before the end: %s, %v", asText(before), err)
	}
	found, err := api.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: l.GroupName, FilterPattern: aws.String(`"Phase complete" -DOWNLOAD_SOURCE`)})
	if err != nil || len(found.Events) != 6 || !strings.Contains(*found.Events[0].Message, "INSTALL") {
		t.Errorf("what is found: %s, %v", asText(found), err)
	}
	_, err = api.GetLogEvents(t.Context(), &cloudwatchlogs.GetLogEventsInput{LogGroupName: aws.String("/none"), LogStreamName: l.StreamName})
	wantCode(t, "no group", err, "ResourceNotFoundException")
	_, err = api.GetLogEvents(t.Context(), &cloudwatchlogs.GetLogEventsInput{LogGroupName: l.GroupName, LogStreamName: l.StreamName, NextToken: aws.String("x")})
	wantCode(t, "no token", err, "InvalidParameterException")
}

func TestHostileLogAndHangingBuild(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fast)
	d := newDelivery(t, w, "")
	next := func(plays string) {
		d.deed("POST /builds/next", deed{Account: demoManagement, Name: "shop-build", Value: plays})
	}
	next(playsHostile)
	next(playsHang)
	b := d.over(d.start("hostile"), cbtypes.StatusTypeSucceeded)
	text, answers := logOf(t, cloudwatchlogs.NewFromConfig(w.as(asAdmin)), b.Logs)
	if answers < 4 || !strings.Contains(text, "\x1b[31mred") || !strings.Contains(text, "<script>") || !strings.Contains(text, strings.Repeat("0123456789abcdef", 3<<16)+"\n") {
		t.Errorf("the hostile log has %d bytes in %d answers", len(text), answers)
	}
	hung := d.start("hung")
	eventually(t, "the build to hang", func() bool { return *d.build(hung).CurrentPhase == "BUILD" })
	if _, err := d.builds.StopBuild(t.Context(), &codebuild.StopBuildInput{Id: &hung}); err != nil {
		t.Fatal(err)
	}
	stopped := d.over(hung, cbtypes.StatusTypeStopped)
	if n := len(stopped.Phases); stopped.Phases[n-2].PhaseStatus != cbtypes.StatusTypeStopped || stopped.EndTime.Before(*stopped.StartTime) {
		t.Errorf("a stopped build: %s", asText(stopped.Phases))
	}
	next(playsHang)
	d.over(d.start("hung again"), cbtypes.StatusTypeTimedOut)
	list, err := d.builds.ListBuildsForProject(t.Context(), &codebuild.ListBuildsForProjectInput{ProjectName: aws.String("shop-build")})
	if err != nil || len(list.Ids) != 3 || list.Ids[1] != hung {
		t.Errorf("builds: %s, %v", asText(list), err)
	}
}

// TestBuildsHaveTheirRolesPermissions takes permissions away, one after the other.
func TestBuildsHaveTheirRolesPermissions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fast)
	d := newDelivery(t, w, "AVAILABLE")
	deny := func(role, action string) {
		d.w.do(t, func(ctx context.Context, c *Call) error {
			r, _, err := c.role(ctx, demoManagement, role)
			if err != nil {
				return err
			}
			r.Inline["deny"] = policyText(`{"Effect":"Deny","Action":"` + action + `","Resource":"*"}`)
			_, err = c.putRole(ctx, r)
			return err
		})
	}
	for _, tc := range []struct{ role, action, phase string }{
		{"shop-build", "ecr:PutImage", "POST_BUILD"}, {"shop-build", "logs:CreateLogStream", "SUBMITTED"},
	} {
		deny(tc.role, tc.action)
		b := d.over(d.start(tc.action), cbtypes.StatusTypeFailed)
		failed := ""
		for _, p := range b.Phases {
			if p.PhaseStatus == cbtypes.StatusTypeFailed {
				failed = string(p.PhaseType)
			}
		}
		if failed != tc.phase {
			t.Errorf("without %s: %s", tc.action, asText(b.Phases))
		}
	}
	for _, tc := range []struct{ action, fails string }{{"codebuild:StartBuild", "Build"}, {"s3:PutObject", "Source"}, {"codeconnections:UseConnection", "Source"}} {
		deny("shop-pipeline", tc.action)
		one := d.push("without " + tc.action)
		d.ended(one, cptypes.PipelineExecutionStatusFailed)
		if a := d.actions(one)[0]; *a.ActionName != tc.fails || *a.Output.ExecutionResult.ErrorDetails.Code != "PermissionError" {
			t.Errorf("without %s: %s", tc.action, asText(a))
		}
	}
}

// TestLongSilence asks after days in which nobody called: everything happened at its time.
func TestLongSilence(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fast)
	d := newDelivery(t, w, "AVAILABLE", "Timeout", "5")
	one := *d.newest()[0].PipelineExecutionId
	d.ended(one, cptypes.PipelineExecutionStatusFailed)
	a := d.actions(one)
	if got := a[0].LastUpdateTime.Sub(*a[0].StartTime); got < 140*time.Millisecond || got > 160*time.Millisecond {
		t.Errorf("five minutes took %s at speed %d", got, fast)
	}
}
