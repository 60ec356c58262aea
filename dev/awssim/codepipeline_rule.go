package awssim

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// imagePushed tells the rules of EventBridge that wait for images, as far as they start pipelines.
func (c *Call) imagePushed(ctx context.Context, repo *thing, digest, tag string, at time.Time) error {
	rules, err := c.things(ctx, `account = $1 AND region = $2 AND type = 'AWS::Events::Rule'`, repo.Account, repo.Region)
	if err != nil {
		return err
	}
	event := map[string]any{"source": "aws.ecr", "detail-type": "ECR Image Action", "account": repo.Account, "region": repo.Region,
		"detail": map[string]any{"action-type": "PUSH", "result": "SUCCESS", "repository-name": repo.Physical, "image-digest": digest, "image-tag": tag}}
	for _, r := range rules {
		if textOf(r.Properties["State"]) == "DISABLED" || !eventFits(r.Properties["EventPattern"], event) {
			continue
		}
		for _, target := range listOf(r.Properties["Targets"]) {
			if err := c.startByRule(ctx, r, target, event, at); err != nil {
				return err
			}
		}
	}
	return nil
}

// startByRule starts a pipeline that a rule aims at, when the rule's role may. EventBridge tells
// nobody of what it may not do, or does not understand.
func (c *Call) startByRule(ctx context.Context, rule *thing, target, event map[string]any, at time.Time) error {
	l, err := c.line(ctx, textOf(target["Arn"]))
	if err != nil || l == nil || len(l.runs) >= mostWaiting {
		return err
	}
	why, err := c.actorMay(ctx, serviceActor{role: textOf(target["RoleArn"]), service: "events.amazonaws.com", source: rule.ARN, region: rule.Region}, "codepipeline:StartPipelineExecution", l.t.ARN, nil)
	if err != nil || why != "" {
		return err
	}
	e := &execution{Trigger: cptypes.TriggerTypeCloudWatchEvent, Detail: rule.ARN}
	if e.Overrides, err = ruleInput(target, event); err != nil {
		c.Sim.log.Warn("the input of a rule is not what a pipeline takes", "rule", rule.ARN, "err", err)
		return nil
	}
	return c.enqueue(ctx, l.t, l.p, e, at)
}

// ruleInput are the source revisions that a rule's target is given, by their action: what the
// transformer's template says, with parts of the event put in.
func ruleInput(target, event map[string]any) (map[string]string, error) {
	text := textOf(target["Input"])
	if t := mapOf(target["InputTransformer"]); t != nil {
		text = textOf(t["InputTemplate"])
		for name, path := range mapOf(t["InputPathsMap"]) {
			value, _ := pointed(event, strings.ReplaceAll(strings.TrimPrefix(textOf(path), "$"), ".", "/"))
			text = strings.ReplaceAll(text, "<"+name+">", fmt.Sprintf("%q", plainText(value)))
		}
	}
	if text == "" {
		return nil, nil
	}
	var in struct {
		SourceRevisions []struct{ ActionName, RevisionType, RevisionValue string }
	}
	if err := json.Unmarshal([]byte(text), &in); err != nil {
		return nil, fmt.Errorf("%s: %w", text, err)
	}
	out := map[string]string{}
	for _, r := range in.SourceRevisions {
		out[r.ActionName] = r.RevisionValue
	}
	return out, nil
}

// eventFits matches an event with a pattern: every key must be there with one of the values,
// which may be prefixes.
func eventFits(pattern, event any) bool {
	switch p := pattern.(type) {
	case map[string]any:
		m, ok := event.(map[string]any)
		for key, inner := range p {
			if !ok || !eventFits(inner, m[key]) {
				return false
			}
		}
		return ok && len(p) > 0
	case []any:
		return slices.ContainsFunc(p, func(v any) bool {
			if prefix, ok := mapOf(v)["prefix"].(string); ok {
				text, isText := event.(string)
				return isText && strings.HasPrefix(text, prefix)
			}
			return v == event
		})
	}
	return false
}
