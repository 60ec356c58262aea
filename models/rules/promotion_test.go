package rules

import (
	"encoding/json"
	"strings"
	"testing"

	"slipway/models"
)

func gates(states ...models.GateState) (all []models.GateResult) {
	for _, s := range states {
		all = append(all, models.GateResult{Gate: models.GateScan, State: s})
	}
	return all
}

func deployment(t *testing.T, stage models.Stage, o *models.PromotionFacts, by string) models.RuleFacts {
	t.Helper()
	inputs, err := json.Marshal(models.EnvironmentInputs{Image: "x", Stage: stage, Promotion: o})
	if err != nil {
		t.Fatal(err)
	}
	who := models.Person{Name: "Ada", Issuer: "https://idp.test"}
	if by != "" {
		who = models.Person{Name: by, Issuer: models.SystemIssuer, Subject: by}
	}
	return models.RuleFacts{Request: models.Request{Kind: models.DeployEnvironment, ObjectType: models.EnvironmentObject, ObjectName: "shop", Inputs: inputs}, Requester: who, Tenant: &models.Tenant{Slug: "shop"},
		Content: models.PlanContent{Parts: []models.PlanPart{{Changes: []models.Change{{Type: "AWS::ECS::TaskDefinition", Action: models.Replace}, {Type: "AWS::ECS::Service", Action: models.Modify}}}}}}
}

// TestPromotionRules says who decides about promotions, roll-backs, and deployments past a pipeline, by the shipped rules.
func TestPromotionRules(t *testing.T) {
	t.Parallel()
	s, err := Load(Default())
	if err != nil {
		t.Fatal(err)
	}
	automatic := func(g ...models.GateState) *models.PromotionFacts {
		return &models.PromotionFacts{Pipeline: "shop", AskedBy: models.AskedByPipeline, Automatic: true, Gates: gates(g...)}
	}
	asked := func(g ...models.GateState) *models.PromotionFacts {
		return &models.PromotionFacts{Pipeline: "shop", AskedBy: models.AskedByPerson, Gates: gates(g...)}
	}
	back := func(g ...models.GateState) *models.PromotionFacts {
		return &models.PromotionFacts{Pipeline: "shop", AskedBy: models.AskedByPerson, Rollback: true, Gates: gates(g...)}
	}
	loses := func(f models.RuleFacts) models.RuleFacts {
		f.Content.Parts[0].Changes[1] = models.Change{Type: "AWS::RDS::DBInstance", Action: models.Replace}
		return f
	}
	past := func(f models.RuleFacts) models.RuleFacts { f.Pipelines = []string{"shop"}; return f }
	for name, tc := range map[string]struct {
		facts  models.RuleFacts
		by     string // rule that approves
		asks   string // role whose people decide
		denied bool
		warns  string
	}{
		"automatic to dev":                  {deployment(t, models.Dev, automatic(models.GatePass, models.GateUnset), "pipelines"), "promotion-automatic", "", false, ""},
		"automatic to staging":              {deployment(t, models.Staging, automatic(models.GatePass), "pipelines"), "promotion-automatic", "", false, ""},
		"automatic with a waiver":           {deployment(t, models.Dev, automatic(models.GateWaived), "pipelines"), "promotion-automatic", "", false, "gates-waived"},
		"automatic to prod":                 {deployment(t, models.Production, automatic(models.GatePass), "pipelines"), "", "platform-admin", false, ""},
		"automatic that loses something":    {loses(deployment(t, models.Dev, automatic(models.GatePass), "pipelines")), "", "owner", false, ""},
		"not automatic to dev":              {deployment(t, models.Dev, asked(models.GatePass), ""), "", "owner", false, ""},
		"not automatic, by codepipeline":    {deployment(t, models.Staging, asked(models.GatePass), "pipelines"), "", "owner", false, ""},
		"a failing gate":                    {deployment(t, models.Dev, automatic(models.GatePass, models.GateFail), "pipelines"), "", "", true, "slipway-gates"},
		"a waiting gate":                    {deployment(t, models.Production, asked(models.GateWaiting), ""), "", "", true, "slipway-gates"},
		"roll-back in dev":                  {deployment(t, models.Dev, back(models.GatePass), ""), "roll-back", "", false, ""},
		"roll-back in prod":                 {deployment(t, models.Production, back(models.GatePass, models.GateWaiting), ""), "roll-back", "", false, ""},
		"roll-back to what fails, staging":  {deployment(t, models.Staging, back(models.GateFail), ""), "", "owner", false, "roll-back-failing"},
		"roll-back to what fails, prod":     {deployment(t, models.Production, back(models.GateFail), ""), "", "platform-admin", false, "roll-back-failing"},
		"roll-back that loses something":    {loses(deployment(t, models.Production, back(models.GatePass), "")), "", "platform-admin", false, ""},
		"by hand in dev":                    {deployment(t, models.Dev, nil, ""), "deploy-to-dev", "", false, ""},
		"by hand in dev, past the pipeline": {past(deployment(t, models.Dev, nil, "")), "deploy-to-dev", "", false, "past-the-pipeline"},
		"by hand in prod, past it":          {past(deployment(t, models.Production, nil, "")), "", "platform-admin", false, "past-the-pipeline-prod"},
	} {
		t.Run(name, func(t *testing.T) {
			v := s.Evaluate(tc.facts)
			asks, matched := "", ""
			for _, d := range v.Demands {
				asks += d.Role
			}
			for _, o := range v.Outcomes {
				if o.Error != "" {
					t.Errorf("%s: %s", o.ID, o.Error)
				}
				if o.Matched {
					matched += " " + o.ID
				}
			}
			if v.ApprovedBy != tc.by || asks != tc.asks || v.Denied != tc.denied || !strings.Contains(matched+" ", tc.warns) {
				t.Errorf("approved by %q, asks %q, denied %v, matched%s", v.ApprovedBy, asks, v.Denied, matched)
			}
		})
	}
}

// TestGatesHoldWhateverTheFileSays: no file lets a promotion past a gate that fails or waits.
func TestGatesHoldWhateverTheFileSays(t *testing.T) {
	t.Parallel()
	s, err := Load([]byte("- {id: all, version: 1, title: T, effect: approve, when: 'true', message: M}\n"))
	if err != nil {
		t.Fatal(err)
	}
	for state, denied := range map[models.GateState]bool{models.GateFail: true, models.GateWaiting: true, models.GateWaived: false, models.GatePass: false, models.GateUnset: false} {
		v := s.Evaluate(deployment(t, models.Dev, &models.PromotionFacts{Gates: gates(state)}, ""))
		if v.Denied != denied || (v.ApprovedBy == "all") == denied {
			t.Errorf("%s: denied %v, approved by %q", state, v.Denied, v.ApprovedBy)
		}
	}
}
