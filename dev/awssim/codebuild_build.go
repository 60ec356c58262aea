package awssim

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cbtypes "github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/jackc/pgx/v5"
	"go.yaml.in/yaml/v3"
)

const (
	buildSucceeded = cbtypes.StatusTypeSucceeded
	codebuildActor = "codebuild.amazonaws.com"
)

// build is one run of a project: all of it is decided when it starts, and shows as its time comes.
type build struct {
	ID, ARN, Project string
	Account, Region  string
	Number           int64
	Initiator, Token string
	Env              []cbtypes.EnvironmentVariable
	Commit           *commit
	SourceVersion    string
	Started          time.Time
	Phases           []*buildPhase
	Outcome          cbtypes.StatusType
	Exported         map[string]string
	Image            *builtImage `json:",omitempty"`
	Group, Stream    string      // of the log; empty: it has none
	Plays            string      // what somebody asked the build to be
	Timeout          int32       // minutes
}

// buildPhase is a phase from its start to its end.
type buildPhase struct {
	Kind          cbtypes.BuildPhaseType
	Status        cbtypes.StatusType
	Start, End    time.Time
	Code, Message string
}

// builtImage is what a build pushes, and where.
type builtImage struct {
	Account, Region, Repository string
	Tag, Manifest, Refused      string // Refused: what the registry answers to the push
	At                          time.Time
}

func (b *build) end() time.Time { return b.Phases[len(b.Phases)-1].Start }

// outcome is how it ends, in CodePipeline's words.
func (b *build) outcome() string {
	if b == nil {
		return "FAULT"
	}
	return string(b.Outcome)
}

func (b *build) phase(kind cbtypes.BuildPhaseType) *buildPhase {
	i := slices.IndexFunc(b.Phases, func(p *buildPhase) bool { return p.Kind == kind })
	if i < 0 {
		return nil
	}
	return b.Phases[i]
}

// due is when the build pushes; nil when it does not, or did.
func (b *build) due(now time.Time) *time.Time {
	if b.Image == nil || b.Image.Refused != "" || b.Image.At.Before(now) {
		return nil
	}
	return &b.Image.At
}

func (c *Call) builds(ctx context.Context, where string, args ...any) ([]*build, error) {
	rows, err := c.Tx.Query(ctx, `SELECT body FROM builds WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read builds: %w", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (*build, error) {
		b := &build{}
		return b, row.Scan(b)
	})
	if err != nil {
		return nil, fmt.Errorf("read builds: %w", err)
	}
	return all, nil
}

func (c *Call) build(ctx context.Context, id string) (*build, error) {
	all, err := c.builds(ctx, `id = $1`, id)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return all[0], nil
}

func (c *Call) saveBuild(ctx context.Context, b *build, due *time.Time) error {
	if _, err := c.Tx.Exec(ctx, `INSERT INTO builds (id, account, region, project, number, next_at, body) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (id) DO UPDATE SET next_at = EXCLUDED.next_at, body = EXCLUDED.body`, b.ID, b.Account, b.Region, b.Project, b.Number, due, b); err != nil {
		return fmt.Errorf("store build %s: %w", b.ID, err)
	}
	return nil
}

// buildRequest is what a build is started with beside its project.
type buildRequest struct {
	env                       []cbtypes.EnvironmentVariable
	commit                    *commit
	initiator, token, version string
	reads, writes             string // objects in S3, as CodePipeline names them
}

// startBuild decides a build. The project's thing remembers what the next one is to be.
func (c *Call) startBuild(ctx context.Context, project *thing, r buildRequest, at time.Time) (*build, error) {
	b := &build{Project: project.Physical, Account: project.Account, Region: project.Region, Initiator: r.initiator, Token: r.token, Commit: r.commit, SourceVersion: r.version, Started: at, Outcome: buildSucceeded,
		Timeout: int32(numberOf(project.Properties["TimeoutInMinutes"], 60))}
	if err := c.Tx.QueryRow(ctx, `SELECT coalesce(max(number), 0) + 1 FROM builds WHERE account = $1 AND region = $2 AND project = $3`, b.Account, b.Region, b.Project).Scan(&b.Number); err != nil {
		return nil, fmt.Errorf("number a build of %s: %w", b.Project, err)
	}
	id := newRequestID()
	b.ID, b.ARN = b.Project+":"+id, arn("codebuild", b.Region, b.Account, "build/"+b.Project+":"+id)
	b.Env = environmentOf(project, r.env)
	b.Plays = takeNext(project)
	if err := c.know(ctx, project); err != nil {
		return nil, err
	}
	logs := mapOf(mapOf(project.Properties["LogsConfig"])["CloudWatchLogs"])
	if textOf(logs["Status"]) != "DISABLED" {
		if b.Group = textOf(logs["GroupName"]); b.Group == "" {
			b.Group = "/aws/codebuild/" + b.Project
		}
		if b.Stream = id; textOf(logs["StreamName"]) != "" {
			b.Stream = textOf(logs["StreamName"]) + "/" + id
		}
	}
	if err := c.planBuild(ctx, project, b, r); err != nil {
		return nil, err
	}
	return b, c.saveBuild(ctx, b, b.due(at))
}

// takeNext is what somebody asked the next build of a project, or the next image of a
// repository, to be.
func takeNext(t *thing) string {
	list, _ := t.State["next"].([]any)
	if len(list) == 0 {
		return ""
	}
	t.State["next"] = list[1:]
	return textOf(list[0])
}

// environmentOf is a project's environment with what the build is given laid over it.
func environmentOf(project *thing, over []cbtypes.EnvironmentVariable) []cbtypes.EnvironmentVariable {
	var out []cbtypes.EnvironmentVariable
	for _, m := range listOf(mapOf(project.Properties["Environment"])["EnvironmentVariables"]) {
		kind := cbtypes.EnvironmentVariableType(textOf(m["Type"]))
		if kind == "" {
			kind = cbtypes.EnvironmentVariableTypePlaintext
		}
		out = append(out, cbtypes.EnvironmentVariable{Name: aws.String(textOf(m["Name"])), Value: aws.String(plainText(m["Value"])), Type: kind})
	}
	for _, v := range over {
		if v.Type == "" {
			v.Type = cbtypes.EnvironmentVariableTypePlaintext
		}
		out = slices.DeleteFunc(out, func(o cbtypes.EnvironmentVariable) bool { return *o.Name == aws.ToString(v.Name) })
		out = append(out, v)
	}
	return out
}

// env is a plain variable's value.
func (b *build) env(name string) string {
	for _, v := range b.Env {
		if *v.Name == name && v.Type == cbtypes.EnvironmentVariableTypePlaintext {
			return aws.ToString(v.Value)
		}
	}
	return ""
}

// actionEnvironment reads the variables that an action of CodePipeline gives, which are JSON.
func actionEnvironment(text string) ([]cbtypes.EnvironmentVariable, error) {
	if text == "" {
		return nil, nil
	}
	var list []struct {
		Name, Value string
		Type        cbtypes.EnvironmentVariableType
	}
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, fmt.Errorf("%s: %w", text, err)
	}
	out := make([]cbtypes.EnvironmentVariable, len(list))
	for i := range list {
		out[i] = cbtypes.EnvironmentVariable{Name: &list[i].Name, Value: &list[i].Value, Type: list[i].Type}
	}
	return out, nil
}

// exports are the variables a build gives on: those its specification names. One that lies in
// the repository is taken to export what it pushed.
func exports(project *thing) []string {
	text := textOf(mapOf(project.Properties["Source"])["BuildSpec"])
	if !strings.ContainsAny(text, "\n{") {
		return []string{"IMAGE_DIGEST", "IMAGE_URI", "IMAGE_TAG"}
	}
	var spec struct {
		Env struct {
			Exported []string `yaml:"exported-variables"`
		}
	}
	if err := yaml.Unmarshal([]byte(text), &spec); err != nil {
		return nil
	}
	return spec.Env.Exported
}

// buildURL is a build's page on the console.
func buildURL(b *build) string {
	return "https://" + b.Region + ".console.aws.amazon.com/codesuite/codebuild/" + b.Account + "/projects/" + b.Project + "/build/" + strings.ReplaceAll(b.ID, ":", "%3A") + "/?region=" + b.Region
}
