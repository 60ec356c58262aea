package models

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// WorkflowPath is where a repository keeps the workflow of a pipeline.
func WorkflowPath(p Pipeline) string { return ".github/workflows/slipway-" + p.Name + ".yml" }

type workflowFile struct {
	Name        string              `yaml:"name"`
	On          workflowOn          `yaml:"on"`
	Permissions map[string]string   `yaml:"permissions"`
	Concurrency workflowConcurrency `yaml:"concurrency"`
	Env         workflowEnv         `yaml:"env"`
	Defaults    workflowDefaults    `yaml:"defaults"`
	Jobs        yaml.Node           `yaml:"jobs"` // in order
}

type workflowOn struct {
	Push struct {
		Branches []string `yaml:"branches"`
	} `yaml:"push"`
	Dispatch struct{} `yaml:"workflow_dispatch"`
}

type workflowConcurrency struct {
	Group  string `yaml:"group"`
	Cancel bool   `yaml:"cancel-in-progress"`
}

type workflowEnv struct {
	Slipway  string `yaml:"SLIPWAY_URL"`
	Pipeline string `yaml:"SLIPWAY_PIPELINE"`
	Images   string `yaml:"IMAGE_REPOSITORY"`
	Region   string `yaml:"AWS_REGION"`
}

type workflowDefaults struct {
	Run struct {
		Shell string `yaml:"shell"`
	} `yaml:"run"`
}

type workflowJob struct {
	Name        string            `yaml:"name"`
	Needs       []string          `yaml:"needs,omitempty,flow"`
	RunsOn      string            `yaml:"runs-on"`
	Timeout     int               `yaml:"timeout-minutes"`
	Environment string            `yaml:"environment,omitempty"`
	Permissions map[string]string `yaml:"permissions"`
	Outputs     map[string]string `yaml:"outputs,omitempty"`
	Steps       []workflowStep    `yaml:"steps"`
}

type workflowStep struct {
	Name string            `yaml:"name"`
	ID   string            `yaml:"id,omitempty"`
	If   string            `yaml:"if,omitempty"`
	Uses string            `yaml:"uses,omitempty"`
	With map[string]string `yaml:"with,omitempty"`
	Env  map[string]string `yaml:"env,omitempty"`
	Run  string            `yaml:"run,omitempty"`
}

const workflowHead = `# Delivers %s by Slipway. Commit this file as %s on the branch %s.
# It keeps no secret: every call comes with a token that GitHub signs for this run, and each token is accepted once.
# Actions are named by their major version. Pin each to a commit before you rely on it (uses: owner/name@<40 digits>).
# Where a job has an environment, make it in the repository's settings and let only the branch %[3]s deploy to it.
`

// WorkflowMinutes is how long a job waits for a promotion; started again, it goes on waiting for the same one.
const WorkflowMinutes = 350

var registryRegion = regexp.MustCompile(`\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com`)

// WorkflowFile is the file that a repository of GitHub Actions is given: it builds, pushes by a role, registers the image, posts evidence and
// asks for one environment after the other. publicURL is where Slipway is reached, and the audience of its tokens.
func WorkflowFile(publicURL string, p Pipeline) string {
	var b bytes.Buffer
	f := workflowFile{Name: "Deliver " + p.ServiceName + " (" + p.Name + ")", Permissions: map[string]string{"contents": "read"},
		Concurrency: workflowConcurrency{Group: "slipway-" + p.Name}, Env: workflowEnv{publicURL, p.TenantSlug + "/" + p.Name, p.Repository, ""}}
	f.On.Push.Branches = []string{p.Source.Branch}
	f.Defaults.Run.Shell = "bash" // with -e and pipefail
	if m := registryRegion.FindStringSubmatch(p.Repository); m != nil {
		f.Env.Region = m[1]
	}
	f.Jobs.Kind = yaml.MappingNode
	if p.Stack.Outputs["BuildRoleArn"] == "" {
		b.WriteString("# NOT COMPLETE: the pipeline's roles do not exist yet. Take the file again once it is ready.\n")
	}
	before := "build"
	f.add(before, buildJob(p))
	for i, s := range p.Stages {
		id := "promote-" + s.Environment
		job := promotionJob(s, before)
		if i+1 < len(p.Stages) && slices.Contains(p.Stages[i+1].Gates, GateDynamic) {
			job.Steps = append(job.Steps, evidenceStep(GateDynamic, "${{ needs.build.outputs.digest }}"))
		}
		f.add(id, job)
		before = id
	}
	fmt.Fprintf(&b, workflowHead, p.TenantSlug+"/"+p.ServiceName, WorkflowPath(p), p.Source.Branch)
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(f); err != nil { // texts, numbers and maps of texts: none can fail
		return "# This file could not be written: " + err.Error() + "\n"
	}
	return b.String()
}

func (f *workflowFile) add(id string, job workflowJob) {
	var key, value yaml.Node
	key.SetString(id)
	if err := value.Encode(job); err != nil { // as above
		value.SetString(err.Error())
	}
	f.Jobs.Content = append(f.Jobs.Content, &key, &value)
}

func buildJob(p Pipeline) workflowJob {
	job := workflowJob{Name: "Build", RunsOn: "ubuntu-latest", Timeout: 60, Permissions: map[string]string{"contents": "read", "id-token": "write"},
		Outputs: map[string]string{"digest": "${{ steps.push.outputs.digest }}"}, Steps: []workflowStep{
			{Name: "Check out", Uses: "actions/checkout@v4", With: map[string]string{"persist-credentials": "false"}},
			{Name: "Take the build role", Uses: "aws-actions/configure-aws-credentials@v4", With: map[string]string{"role-to-assume": p.Stack.Outputs["BuildRoleArn"], "aws-region": "${{ env.AWS_REGION }}"}},
			{Name: "Sign in to the image repository", Uses: "aws-actions/amazon-ecr-login@v2"},
			{Name: "Build and push", ID: "push", Run: pushScript},
			{Name: "Register the build", Env: map[string]string{"DIGEST": "${{ steps.push.outputs.digest }}"}, Run: callScript + registerScript},
		}}
	for _, g := range Gates() {
		wanted := slices.ContainsFunc(p.Stages, func(s PipelineStage) bool { return slices.Contains(s.Gates, g.Gate) })
		early := g.Gate != GateDynamic || len(p.Stages) > 0 && slices.Contains(p.Stages[0].Gates, GateDynamic)
		if !g.Own && wanted && early {
			job.Steps = append(job.Steps, evidenceStep(g.Gate, "${{ steps.push.outputs.digest }}"))
		}
	}
	return job
}

func evidenceStep(g Gate, digest string) workflowStep {
	info, _ := GateOf(g)
	return workflowStep{Name: "Gate: " + strings.ToLower(info.Title[:1]) + info.Title[1:], Env: map[string]string{"DIGEST": digest, "GATE": string(g), "CHECK": ""}, Run: evidenceScript}
}

func promotionJob(s PipelineStage, before string) workflowJob {
	needs := []string{"build"}
	if before != "build" {
		needs = append(needs, before)
	}
	return workflowJob{Name: "Promote to " + s.Environment, Needs: needs, RunsOn: "ubuntu-latest", Timeout: WorkflowMinutes, Environment: s.Environment,
		Permissions: map[string]string{"contents": "read", "id-token": "write"},
		Steps:       []workflowStep{{Name: "Ask and wait", Env: map[string]string{"DIGEST": "${{ needs.build.outputs.digest }}", "TARGET": s.Environment}, Run: callScript + promoteScript}}}
}
