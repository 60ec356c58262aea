package main

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"slipway/models"
	"slipway/web/config"
	"slipway/web/telemetry"
)

func TestListenSaysWhatToChange(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, err = listen(t.Context(), taken.Addr().String(), "SLIPWAY_OPS_ADDR")
	if err == nil || !strings.Contains(err.Error(), "is taken by another program: end that one, or set SLIPWAY_OPS_ADDR") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v", err)
	}
}

func TestHealthcheck(t *testing.T) {
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/readyz" {
			w.WriteHeader(status)
		}
	}))
	defer server.Close()
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("SLIPWAY_ADDR", ":"+port) // as in the image
	for _, ready := range []int{http.StatusOK, http.StatusServiceUnavailable} {
		status = ready
		if err := root().Run(t.Context(), []string{"slipway", "healthcheck"}); err != nil {
			t.Errorf("healthcheck: %v", err)
		}
		if err := root().Run(t.Context(), []string{"slipway", "healthcheck", "--ready"}); (err == nil) != (ready == http.StatusOK) {
			t.Errorf("healthcheck --ready at %d: %v", ready, err)
		}
	}
}

// TestRulesFileReplaced changes the file under a running process: a good one counts, a broken one leaves it in force.
func TestRulesFileReplaced(t *testing.T) {
	file := filepath.Join(t.TempDir(), "rules.yaml")
	r := &running{process: process{log: telemetry.Logger(os.Stderr, telemetry.LogOptions{Level: "error"})}, clock: &models.ShiftedClock{}}
	r.config.Engine = config.Engine{RulesFile: file}
	if err := r.loadRules(); err == nil {
		t.Error("a file that is not there stops no start")
	}
	shipped, _, err := (&running{}).ruleFile()
	if err != nil {
		t.Fatal(err)
	}
	write := func(content []byte) {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write([]byte("rules: ["))
	if err := r.loadRules(); err == nil {
		t.Error("a broken file starts")
	}
	write(shipped)
	if err := r.loadRules(); err != nil {
		t.Fatal(err)
	}
	first := r.rules.Status()
	changed := append([]byte("# reviewed\n"), shipped...)
	for _, step := range []struct {
		content []byte
		digest  bool // another one is in force
		refused bool
	}{{shipped, false, false}, {changed, true, false}, {[]byte("rules: ["), true, true}, {shipped, false, false}} {
		write(step.content)
		r.lookAtRules()
		now := r.rules.Status()
		if (now.Digest != first.Digest) != step.digest || (now.Error != "") != step.refused {
			t.Errorf("after %.20q: digest changed %t, refused %q", step.content, now.Digest != first.Digest, now.Error)
		}
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	r.lookAtRules()
	if now := r.rules.Status(); now.Digest != first.Digest || now.Error == "" {
		t.Errorf("without the file: %+v", now)
	}
}

func TestStopBeforeTheDatabaseAnswers(t *testing.T) {
	vars := map[string]string{"SLIPWAY_ADDR": "127.0.0.1:1", "SLIPWAY_OPS_ADDR": "", "SLIPWAY_PUBLIC_URL": "http://localhost:1", "SLIPWAY_DRAIN_DELAY": "0s",
		"SLIPWAY_DATABASE_URL": "postgres://slipway_app@127.0.0.1:1/slipway", "SLIPWAY_OIDC_ISSUER": "http://127.0.0.1:1", "SLIPWAY_OIDC_CLIENT_ID": "slipway",
		"SLIPWAY_SECRET_KEYS": strings.Repeat("A", 43) + "=", "SLIPWAY_ADMIN_GROUPS": "admins", "SLIPWAY_AWS_REGION": "eu-west-1", "SLIPWAY_AWS_REGIONS": "eu-west-1",
		"SLIPWAY_ORG_ROLE_ARN": "arn:aws:iam::111111111111:role/slipway/platform/slipway-org",
		"SLIPWAY_EXTERNAL_ID":  "external"}
	c, err := config.Load(vars, "web")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- serve(ctx, process{config: c, web: true, page: pages, log: telemetry.Logger(os.Stderr, telemetry.LogOptions{Level: "error"})})
	}()
	address := "http://" + pages.Addr().String()
	if got := statusOf(t, address+"/healthz"); got != http.StatusOK {
		t.Errorf("/healthz: %d", got)
	}
	if got := statusOf(t, address+"/readyz"); got != http.StatusServiceUnavailable {
		t.Errorf("/readyz: %d", got)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func statusOf(t *testing.T, address string) int {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode
}
