//go:build dev

package main

import (
	"context"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"slipway/models"
)

// TestTheGeneratedWorkflow runs the scripts of the generated file as a runner does, but for those that need Docker and AWS.
func TestTheGeneratedWorkflow(t *testing.T) {
	for _, tool := range []string{"bash", "curl", "jq", "git"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not on this machine; runners of GitHub have it", tool)
		}
	}
	s := newSource(t)
	p := models.Pipeline{Name: "flow", TenantSlug: "payments", ServiceName: "orders", Repository: "222222222222.dkr.ecr.eu-west-1.amazonaws.com/slw/orders", Source: models.PipelineSource{Branch: "main"},
		Stages: []models.PipelineStage{{Environment: "orders-dev", Gates: []models.Gate{models.GateStatic}}}}
	var f struct {
		Env  map[string]string
		Jobs map[string]struct {
			Steps []struct {
				Name, Run string
				Env       map[string]string
			}
		}
	}
	if err := yaml.Unmarshal([]byte(models.WorkflowFile(s.url, p)), &f); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	run := func(job, step, environment string, env ...string) (string, error) {
		t.Helper()
		for _, one := range f.Jobs[job].Steps {
			if one.Name != step {
				continue
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			script := filepath.Join(dir, "step.sh")
			if err := os.WriteFile(script, []byte(one.Run), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(ctx, "bash", "--noprofile", "--norc", "-eo", "pipefail", script)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "GITHUB_SHA=9fceb02d0ae598e95dc970b74767f19372d61af8", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=x", "SLIPWAY_WAIT=1",
				"ACTIONS_ID_TOKEN_REQUEST_URL="+s.app.config.CI.GitHubIssuer+"/token?repository=acme%2Forders&environment="+url.QueryEscape(environment))
			for _, vars := range []map[string]string{f.Env, one.Env} {
				for name, value := range vars {
					cmd.Env = append(cmd.Env, name+"="+value)
				}
			}
			cmd.Env = append(cmd.Env, "DIGEST="+madeUp("a"))
			cmd.Env = append(cmd.Env, env...)
			out, err := cmd.CombinedOutput()
			return string(out), err
		}
		t.Fatalf("%s has no step %q", job, step)
		return "", nil
	}
	for _, args := range [][]string{{"init", "-q", "-b", "main"}, {"-c", "user.name=Ada \"$(touch pwned)\"", "-c", "user.email=a@example.com", "commit", "-q", "--allow-empty", "-m", "Add `touch pwned`\n\n\"quoted\" $(touch pwned)"}} {
		if out, err := exec.CommandContext(t.Context(), "git", append([]string{"-C", dir}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("git %v: %s", args, out)
		}
	}
	if out, err := run("build", "Gate: static analysis", ""); err != nil || !strings.Contains(out, "nothing is posted") {
		t.Errorf("a gate without a check: %s, %v", out, err)
	}
	if out, err := run("build", "Gate: static analysis", "", "CHECK=true"); err == nil || !strings.Contains(out, "::error::Slipway answered 422") || !strings.Contains(out, "not counted") {
		t.Errorf("evidence before the build: %s, %v", out, err)
	}
	if out, err := run("build", "Register the build", ""); err != nil || !strings.Contains(out, "is execution 1 of payments/flow") {
		t.Fatalf("register: %s, %v", out, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "pwned")); err == nil {
		t.Error("a commit's message became a command")
	}
	if n := s.number(`SELECT count(*) FROM builds WHERE commit_message LIKE 'Add %touch pwned%quoted%' AND author LIKE 'Ada %' AND commit_at IS NOT NULL`); n != 1 {
		t.Errorf("%d builds", n)
	}
	for check, passed := range map[string]string{"echo fine": "true", "echo found something; exit 3": "false"} {
		if out, err := run("build", "Gate: static analysis", "", "CHECK="+check); err != nil || s.number(`SELECT count(*) FROM evidence WHERE passed = `+passed+` AND octet_length(file) > 3 AND digest = '`+madeUp("a")+`'`) != 1 {
			t.Errorf("%s: %s, %v", check, out, err)
		}
	}
	done := make(chan string, 1)
	go func() {
		out, err := run("promote-orders-dev", "Ask and wait", "orders-dev")
		if err == nil {
			out = "it succeeded: " + out
		}
		done <- out
	}()
	for s.number(`SELECT count(*) FROM ci_tokens`) < 6 { // build, two pieces of evidence, the question, and two looks
		select {
		case out := <-done:
			t.Fatalf("it did not wait: %s", out)
		case <-time.After(200 * time.Millisecond):
		}
	}
	s.exec(`UPDATE promotions SET state = 'rejected', reason = 'Not today.', ended_at = now()`)
	if out := <-done; !strings.Contains(out, "checking\nrejected: Not today.") || !strings.Contains(out, "::notice::"+s.url+"/tenants/payments/promotions/") {
		t.Errorf("the job ends with: %s", out)
	}
}
