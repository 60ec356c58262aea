package models

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func delivered() Pipeline {
	return Pipeline{Name: "orders", TenantSlug: "payments", ServiceName: "orders", Kind: GitHubActions, Repository: "222222222222.dkr.ecr.eu-west-1.amazonaws.com/slw-payments/orders",
		Source: PipelineSource{Repository: "acme/orders", RepositoryID: "1", OwnerID: "2", Branch: "main"}, Stack: Stack{Outputs: map[string]string{"BuildRoleArn": "arn:aws:iam::222222222222:role/slipway/workload/build"}},
		Stages: []PipelineStage{{Environment: "orders-dev", Gates: []Gate{GateBuild, GateStatic}}, {Environment: "orders-prod", Gates: []Gate{GateBuild, GateScan, GateSBOM, GateDynamic}}}}
}

// TestWorkflowFile reads the file as GitHub does.
func TestWorkflowFile(t *testing.T) {
	text := WorkflowFile("https://slipway.example.com", delivered())
	var f struct {
		On   map[string]any `yaml:"on"`
		Env  map[string]string
		Jobs map[string]struct {
			Needs       []string
			Environment string
			Timeout     int `yaml:"timeout-minutes"`
			Permissions map[string]string
			Steps       []struct {
				Name, Uses, Run string
				With, Env       map[string]string
			}
		}
	}
	if err := yaml.Unmarshal([]byte(text), &f); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if fmt.Sprint(f.On["push"]) != "map[branches:[main]]" || f.Env["SLIPWAY_PIPELINE"] != "payments/orders" || f.Env["AWS_REGION"] != "eu-west-1" || f.Env["SLIPWAY_URL"] != "https://slipway.example.com" {
		t.Errorf("on %v, env %v", f.On, f.Env)
	}
	var gates []string
	for id, job := range f.Jobs {
		if job.Permissions["id-token"] != "write" || job.Permissions["contents"] != "read" || len(job.Permissions) != 2 || job.Timeout == 0 {
			t.Errorf("%s may %v for %d minutes", id, job.Permissions, job.Timeout)
		}
		if strings.HasPrefix(id, "promote-") != (job.Environment != "") || job.Environment != "" && "promote-"+job.Environment != id {
			t.Errorf("%s is in the environment %q", id, job.Environment)
		}
		for _, s := range job.Steps {
			if strings.Contains(s.Run, "${{") {
				t.Errorf("%s writes an expression into a script", s.Name)
			}
			if s.Env["GATE"] != "" {
				gates = append(gates, id+" "+s.Env["GATE"])
			}
			if s.Uses != "" && !strings.Contains(s.Uses, "@v") {
				t.Errorf("%s is not bound to a version", s.Uses)
			}
		}
	}
	slices.Sort(gates)
	if got := strings.Join(gates, ", "); got != "build sbom, build static-analysis, promote-orders-dev dynamic-test" {
		t.Errorf("evidence is posted by %s", got)
	}
	if got := f.Jobs["promote-orders-prod"].Needs; !slices.Equal(got, []string{"build", "promote-orders-dev"}) {
		t.Errorf("prod needs %v", got)
	}
	if len(f.Jobs) != 3 || strings.Index(text, "promote-orders-dev:") > strings.Index(text, "promote-orders-prod:") {
		t.Errorf("%d jobs, or not in order", len(f.Jobs))
	}
}

func TestWorkflowFileWithoutRoles(t *testing.T) {
	p := delivered()
	if strings.Contains(WorkflowFile("https://s", p), "NOT COMPLETE") {
		t.Error("a whole file says that it is not")
	}
	p.Stack = Stack{}
	if !strings.HasPrefix(WorkflowFile("https://s", p), "# NOT COMPLETE") {
		t.Error("a file without its role does not say so")
	}
}

// TestWorkflowFileQuotes: whatever a branch may be called stays a text.
func TestWorkflowFileQuotes(t *testing.T) {
	p := delivered()
	for _, branch := range []string{"true", "1.0", "on", "a/b-c", "~", "release/2026.11"} {
		p.Source.Branch = branch
		var f struct {
			On struct {
				Push struct{ Branches []any }
			}
		}
		if err := yaml.Unmarshal([]byte(WorkflowFile("https://s", p)), &f); err != nil || len(f.On.Push.Branches) != 1 || f.On.Push.Branches[0] != branch {
			t.Errorf("%q became %#v, %v", branch, f.On.Push.Branches, err)
		}
	}
}
