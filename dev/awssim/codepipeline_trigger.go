package awssim

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// pushed tells every pipeline of a commit; the answer says for each that reads the branch which
// execution began, or why none did.
func (c *Call) pushed(ctx context.Context, m *commit, at time.Time) ([]map[string]any, error) {
	all, err := c.things(ctx, `type = $1`, codePipelineType)
	if err != nil {
		return nil, err
	}
	out := []map[string]any{}
	for _, t := range all {
		p, err := pipelineOf(t)
		if err != nil {
			return nil, err
		}
		reads := func(a cptypes.ActionDeclaration) bool { return a.Configuration["FullRepositoryId"] == m.Repository }
		if !slices.ContainsFunc(p.Stages[0].Actions, reads) {
			continue
		}
		l, err := c.line(ctx, t.ARN)
		if err != nil {
			return nil, err
		}
		for _, a := range l.p.Stages[0].Actions {
			if aws.ToString(a.ActionTypeId.Provider) != "CodeStarSourceConnection" || !reads(a) {
				continue
			}
			told := map[string]any{"pipeline": t.Physical, "account": t.Account}
			trigger, why, err := c.triggered(ctx, l.p, a, m)
			if err != nil {
				return nil, err
			}
			if why == "" && len(l.runs) >= mostWaiting {
				why = fmt.Sprintf("%d executions are under way", len(l.runs))
			}
			if why != "" {
				told["ignored"] = why
			} else {
				e := &execution{Trigger: trigger, Detail: a.Configuration["ConnectionArn"], Commit: m}
				if err := c.enqueue(ctx, t, l.p, e, at); err != nil {
					return nil, err
				}
				if err := c.movePipeline(ctx, t.ARN, at); err != nil {
					return nil, err
				}
				told["execution"] = e.ID
			}
			out = append(out, told)
		}
	}
	return out, nil
}

// triggered says how a push starts a pipeline, or why it does not.
func (c *Call) triggered(ctx context.Context, p *cptypes.PipelineDeclaration, a cptypes.ActionDeclaration, m *commit) (kind cptypes.TriggerType, why string, err error) {
	connection, err := c.byARN(ctx, codeConnection, a.Configuration["ConnectionArn"])
	switch {
	case err != nil:
		return "", "", err
	case connection == nil:
		return "", "its connection does not exist", nil
	case connectionStatus(connection) != "AVAILABLE":
		return "", "its connection is " + connectionStatus(connection), nil
	}
	for _, t := range p.Triggers {
		g := t.GitConfiguration
		if g == nil || aws.ToString(g.SourceActionName) != *a.Name {
			continue
		}
		if !slices.ContainsFunc(g.Push, func(f cptypes.GitPushFilter) bool { return filtered(f, m) }) {
			return "", "no filter of its trigger lets this push through", nil
		}
		return cptypes.TriggerTypeWebhookV2, "", nil
	}
	switch {
	case strings.EqualFold(a.Configuration["DetectChanges"], "false"):
		return "", "it does not detect changes", nil
	case a.Configuration["BranchName"] != m.Branch:
		return "", "it reads the branch " + a.Configuration["BranchName"], nil
	}
	return cptypes.TriggerTypeWebhook, "", nil
}

// filtered says whether a filter lets a push of a branch through: all its kinds must.
func filtered(f cptypes.GitPushFilter, m *commit) bool {
	if f.Branches == nil && f.FilePaths == nil {
		return false // of tags only
	}
	if b := f.Branches; b != nil && !letThrough(b.Includes, b.Excludes, []string{m.Branch}) {
		return false
	}
	return f.FilePaths == nil || len(m.Paths) == 0 || letThrough(f.FilePaths.Includes, f.FilePaths.Excludes, m.Paths)
}

// letThrough says whether one of the names is included and not excluded.
func letThrough(includes, excludes, names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		fits := func(pattern string) bool { return glob(pattern).MatchString(name) }
		return (len(includes) == 0 || slices.ContainsFunc(includes, fits)) && !slices.ContainsFunc(excludes, fits)
	})
}

// glob is a pattern of names: * stops at a slash, ** does not, {a,b} is either.
func glob(pattern string) *regexp.Regexp {
	var b strings.Builder
	depth := 0
	for i := 0; i < len(pattern); i++ {
		switch ch := pattern[i]; {
		case ch == '*' && strings.HasPrefix(pattern[i:], "**"):
			b.WriteString(".*")
			i++
		case ch == '*':
			b.WriteString("[^/]*")
		case ch == '?':
			b.WriteString("[^/]")
		case ch == '{':
			b.WriteString("(?:")
			depth++
		case ch == '}' && depth > 0:
			b.WriteString(")")
			depth--
		case ch == ',' && depth > 0:
			b.WriteString("|")
		default:
			b.WriteString(regexp.QuoteMeta(string(ch)))
		}
	}
	b.WriteString(strings.Repeat(")", depth))
	return regexp.MustCompile("^(?:" + b.String() + ")$")
}
