package awssim

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	cbtypes "github.com/aws/aws-sdk-go-v2/service/codebuild/types"
)

// What the next build can be asked to be.
const (
	playsTests   = "tests"   // a test fails
	playsHang    = "hang"    // it says nothing any more until its time is over
	playsHostile = "hostile" // its log is not for printing
)

// phaseTimes are how long the phases take.
func phaseTimes() []buildTime {
	return []buildTime{
		{cbtypes.BuildPhaseTypeSubmitted, 300 * time.Millisecond}, {cbtypes.BuildPhaseTypeQueued, time.Second}, {cbtypes.BuildPhaseTypeProvisioning, 14 * time.Second},
		{cbtypes.BuildPhaseTypeDownloadSource, 6 * time.Second}, {cbtypes.BuildPhaseTypeInstall, 8 * time.Second}, {cbtypes.BuildPhaseTypePreBuild, 12 * time.Second},
		{cbtypes.BuildPhaseTypeBuild, 80 * time.Second}, {cbtypes.BuildPhaseTypePostBuild, 45 * time.Second}, {cbtypes.BuildPhaseTypeUploadArtifacts, 2 * time.Second},
		{cbtypes.BuildPhaseTypeFinalizing, 3 * time.Second},
	}
}

type buildTime struct {
	kind  cbtypes.BuildPhaseType
	takes time.Duration
}

// problem is what a phase fails with.
type problem struct{ code, message string }

// planBuild works out a build's phases, and what comes out of them.
func (c *Call) planBuild(ctx context.Context, project *thing, b *build, r buildRequest) error {
	problems, err := c.obstacles(ctx, project, b, r)
	if err != nil {
		return err
	}
	rnd := random(b.ARN)
	skip, at := false, b.Started
	for _, t := range phaseTimes() {
		if skip && t.kind != cbtypes.BuildPhaseTypeFinalizing {
			continue
		}
		takes := time.Duration(float64(t.takes) * (0.8 + 0.4*rnd.Float64()))
		p := &buildPhase{Kind: t.kind, Status: buildSucceeded, Start: at}
		why, fails := problems[t.kind]
		switch {
		case b.Plays == playsHang && t.kind == cbtypes.BuildPhaseTypeBuild:
			takes = time.Duration(b.Timeout)*time.Minute - at.Sub(b.Started)
			p.Status, p.Code, p.Message = cbtypes.StatusTypeTimedOut, "BUILD_TIMED_OUT", fmt.Sprintf("Build has timed out. Build timed out in %d minutes", b.Timeout)
			skip, b.Outcome = true, cbtypes.StatusTypeTimedOut
		case fails:
			takes, p.Status, p.Code, p.Message = takes*6/10, cbtypes.StatusTypeFailed, why.code, why.message
			skip, b.Outcome = t.kind != cbtypes.BuildPhaseTypeBuild, cbtypes.StatusTypeFailed // the commands after a failed build still run
		}
		p.End = at.Add(c.Sim.scaled(takes))
		b.Phases, at = append(b.Phases, p), p.End
	}
	b.Phases = append(b.Phases, &buildPhase{Kind: cbtypes.BuildPhaseTypeCompleted, Start: at})
	push := b.phase(cbtypes.BuildPhaseTypePostBuild)
	if b.Image != nil && (push == nil || b.Outcome != buildSucceeded && b.Image.Refused == "") {
		b.Image = nil
	}
	if b.Image != nil {
		b.Image.At = push.End
	}
	b.export(project)
	return nil
}

// export gives on what the specification names and the build knows.
func (b *build) export(project *thing) {
	b.Exported = nil
	if b.Outcome != buildSucceeded {
		return
	}
	for _, name := range exports(project) {
		value := b.env(name)
		if i := b.Image; i != nil {
			digest := digestOf(i.Manifest)
			switch upper := strings.ToUpper(name); {
			case strings.Contains(upper, "DIGEST"):
				value = digest
			case value == "" && strings.HasSuffix(upper, "URI"):
				value = registry(i.Account, i.Region) + "/" + i.Repository + "@" + digest
			case value == "" && strings.HasSuffix(upper, "TAG"):
				value = i.Tag
			}
		}
		if value == "" && b.Commit != nil && strings.Contains(strings.ToUpper(name), "COMMIT") {
			value = b.Commit.ID
		}
		if value == "" {
			continue
		}
		if b.Exported == nil {
			b.Exported = map[string]string{}
		}
		b.Exported[name] = value
	}
}

// obstacles are what phases will fail with: by what somebody asked for, and by what the role of
// the project may not do.
func (c *Call) obstacles(ctx context.Context, project *thing, b *build, r buildRequest) (map[cbtypes.BuildPhaseType]problem, error) {
	out := map[cbtypes.BuildPhaseType]problem{}
	if b.Plays == playsTests {
		out[cbtypes.BuildPhaseTypeBuild] = problem{"COMMAND_EXECUTION_ERROR", "Error while executing command: go test ./.... Reason: exit status 1"}
	}
	who := serviceActor{role: serviceRole(project), service: codebuildActor, source: project.ARN, region: project.Region}
	asks := []struct {
		phase            cbtypes.BuildPhaseType
		action, resource string
		code, words      string
	}{
		{cbtypes.BuildPhaseTypeDownloadSource, "s3:GetObject", r.reads, "CLIENT_ERROR", "error while downloading key: AccessDenied: "},
		{cbtypes.BuildPhaseTypeUploadArtifacts, "s3:PutObject", r.writes, "CLIENT_ERROR", "no matching artifact paths could be written: AccessDenied: "},
	}
	if b.Group != "" {
		stream := arn("logs", b.Region, b.Account, "log-group:"+b.Group+":log-stream:"+b.Stream)
		words := "Service role " + who.role + " does not allow AWS CodeBuild to create Amazon CloudWatch Logs log streams for build " + b.ARN + ". Error message: "
		for _, action := range []string{"logs:CreateLogStream", "logs:PutLogEvents"} {
			asks = append(asks, struct {
				phase            cbtypes.BuildPhaseType
				action, resource string
				code, words      string
			}{cbtypes.BuildPhaseTypeSubmitted, action, stream, "ACCESS_DENIED", words})
		}
	}
	for _, ask := range asks {
		if ask.resource == "" {
			continue
		}
		why, err := c.actorMay(ctx, who, ask.action, ask.resource, nil)
		if err != nil {
			return nil, err
		}
		if why == "" {
			continue
		}
		out[ask.phase] = problem{ask.code, ask.words + why}
		if ask.phase == cbtypes.BuildPhaseTypeSubmitted {
			b.Group, b.Stream = "", ""
		}
	}
	if err := c.imageOf(ctx, who, b); err != nil {
		return nil, err
	}
	if b.Image != nil && b.Image.Refused != "" {
		out[cbtypes.BuildPhaseTypePostBuild] = pushRefused(b)
	}
	return out, nil
}

func pushRefused(b *build) problem {
	return problem{"COMMAND_EXECUTION_ERROR", "Error while executing command: docker push " + b.env("REPOSITORY_URI") + ":" + b.Image.Tag + ". Reason: exit status 1"}
}

// serviceRole is the ARN of a project's role, which may be given by its name.
func serviceRole(project *thing) string {
	role := textOf(project.Properties["ServiceRole"])
	if !strings.HasPrefix(role, "arn:") {
		role = roleARN(project.Account, "/", role)
	}
	return role
}

// imageOf works out what the build pushes: to the repository that its variable REPOSITORY_URI
// names, by the variable IMAGE_TAG or its commit. The same commit makes the same image.
func (c *Call) imageOf(ctx context.Context, who serviceActor, b *build) error {
	account, region, repository, _, ok := splitImage(b.env("REPOSITORY_URI"))
	if !ok {
		return nil
	}
	tag, of := b.env("IMAGE_TAG"), b.ID
	if b.Commit != nil {
		of = b.Commit.ID
	}
	if tag == "" && b.Commit != nil {
		tag = b.Commit.ID
	} else if tag == "" {
		tag = fmt.Sprintf("build-%d", b.Number)
	}
	config := commitID("image", repository, of)
	b.Image = &builtImage{Account: account, Region: region, Repository: repository, Tag: tag,
		Manifest: fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":1469,"digest":%q},"layers":[],"annotations":{"org.opencontainers.image.revision":%q}}`, dockerManifest, digestOf(config), of)}
	a := arn("ecr", region, account, "repository/"+repository)
	for _, ask := range [][2]string{{"ecr:GetAuthorizationToken", "*"}, {"ecr:BatchCheckLayerAvailability", a}, {"ecr:InitiateLayerUpload", a}, {"ecr:UploadLayerPart", a}, {"ecr:CompleteLayerUpload", a}, {"ecr:PutImage", a}} {
		why, err := c.actorMay(ctx, who, ask[0], ask[1], nil)
		if err != nil {
			return err
		}
		if why != "" {
			b.Image.Refused = "denied: " + why
			return nil
		}
	}
	repo, err := c.thing(ctx, account, region, ecrRepository, repository)
	if err == nil && repo == nil {
		b.Image.Refused = fmt.Sprintf("name unknown: The repository with name '%s' does not exist in the registry with id '%s'", repository, account)
	}
	return err
}

// finishImage is the moment a build pushes its image. What the registry refuses then ends the
// build there.
func (c *Call) finishImage(ctx context.Context, id string, at time.Time) error {
	b, err := c.build(ctx, id)
	if err != nil || b == nil {
		return err
	}
	i := b.Image
	repo, err := c.thing(ctx, i.Account, i.Region, ecrRepository, i.Repository)
	if err != nil {
		return err
	}
	why := "name unknown: The repository does not exist any more."
	if repo != nil {
		_, err = c.pushAt(ctx, repo, i.Manifest, dockerManifest, i.Tag, at)
		var refused *APIError
		switch {
		case err == nil || (errors.As(err, &refused) && refused.Code == "ImageAlreadyExistsException"): // the same image by the same tag
			return c.saveBuild(ctx, b, nil)
		case refused == nil:
			return err
		}
		why = "tag invalid: " + refused.Message
	}
	i.Refused = why
	p := pushRefused(b)
	return c.breakOff(ctx, b, cbtypes.StatusTypeFailed, p.code, p.message, at)
}

// breakOff ends a build in the phase it is in, and tells the pipeline that waits for it.
func (c *Call) breakOff(ctx context.Context, b *build, status cbtypes.StatusType, code, message string, at time.Time) error {
	for i, p := range b.Phases {
		if p.Kind == cbtypes.BuildPhaseTypeCompleted || p.End.Before(at) {
			continue
		}
		p.End, p.Status, p.Code, p.Message = at, status, code, message
		b.Phases = append(b.Phases[:i+1:i+1], &buildPhase{Kind: cbtypes.BuildPhaseTypeCompleted, Start: at})
		break
	}
	b.Outcome, b.Exported = status, nil
	if err := c.saveBuild(ctx, b, nil); err != nil {
		return err
	}
	all, err := c.executions(ctx, `active AND body->'Tries' @> jsonb_build_array(jsonb_build_object('External', $1::text))`, b.ID)
	if err != nil {
		return err
	}
	for _, e := range all {
		for _, t := range e.Tries {
			if t.External == b.ID && t.Due != nil {
				t.Due = &at
			}
		}
		if err := c.saveExecution(ctx, e); err != nil {
			return err
		}
	}
	return nil
}
