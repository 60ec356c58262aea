package rules

import (
	"encoding/json"
	"testing"

	"slipway/models"
)

// TestPipelineRules says who decides about connections and pipelines, by the shipped rules.
func TestPipelineRules(t *testing.T) {
	t.Parallel()
	s, err := Load(Default())
	if err != nil {
		t.Fatal(err)
	}
	to := func(stages ...models.Stage) models.PipelineInputs {
		in := models.PipelineInputs{Name: "shop", Kind: models.CodePipeline}
		for _, stage := range stages {
			in.Stages = append(in.Stages, models.PipelineStage{Environment: "shop-" + string(stage), Stage: stage})
		}
		return in
	}
	for name, tc := range map[string]struct {
		kind   models.RequestKind
		inputs any
		by     string // rule that approves
		owners int
		admins int
	}{
		"a connection":                {models.CreateConnection, models.ConnectionInputs{Name: "github"}, "", 1, 0},
		"a pipeline to dev":           {models.CreatePipeline, to(models.Dev), "", 1, 0},
		"a pipeline to production":    {models.CreatePipeline, to(models.Dev, models.Production), "", 1, 1},
		"production as another stage": {models.UpdatePipeline, to(models.Production), "", 1, 1},
		"a pause":                     {models.PausePipeline, models.PipelineInputs{}, "pipeline-pause", 0, 0},
		"going on":                    {models.ResumePipeline, models.PipelineInputs{}, "", 1, 0},
		"a deletion":                  {models.DeletePipeline, models.PipelineInputs{Confirm: "shop"}, "", 1, 0},
	} {
		inputs, err := json.Marshal(tc.inputs)
		if err != nil {
			t.Fatal(err)
		}
		v := s.Evaluate(models.RuleFacts{Request: models.Request{Kind: tc.kind, ObjectType: tc.kind.Object(), ObjectName: "shop", Inputs: inputs}, Requester: models.Person{Name: "Ada", Issuer: "https://idp.test"},
			Tenant: &models.Tenant{Slug: "shop"}})
		asked := map[string]int{}
		for _, d := range v.Demands {
			asked[d.Role] = d.Count
		}
		if v.Denied || v.ApprovedBy != tc.by || asked["owner"] != tc.owners || asked["platform-admin"] != tc.admins {
			t.Errorf("%s: denied %v (%v), approved by %q, asks %v", name, v.Denied, v.Refusals(), v.ApprovedBy, asked)
		}
	}
}
