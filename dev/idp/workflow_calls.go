package idp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Workflow is a run that talks to Slipway, as the generated file has it do.
type Workflow struct {
	Slipway string // its public address, which is the audience too
	Tokens  *Workflows
	Run     Run
}

// Answer is what Slipway said.
type Answer struct {
	Status int
	Body   map[string]any
	Header http.Header
}

// Text is a member of the body.
func (a Answer) Text(name string) string {
	s, _ := a.Body[name].(string)
	return s
}

// Call makes one call with a token of its own. environment is that of the job; a nil body is a GET.
func (w Workflow) Call(ctx context.Context, path, environment string, body any) (Answer, error) {
	run := w.Run
	run.Environment = environment
	token, err := w.Tokens.Sign(run.Claims(w.Slipway))
	if err != nil {
		return Answer{}, err
	}
	return Send(ctx, w.Slipway+path, token, body)
}

// Send makes one call with any token.
func Send(ctx context.Context, address, token string, body any) (a Answer, err error) {
	method, content := http.MethodGet, []byte(nil)
	if body != nil {
		method = http.MethodPost
		if content, err = json.Marshal(body); err != nil {
			return a, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(content))
	if err != nil {
		return a, err
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return a, err
	}
	defer res.Body.Close()
	a.Status, a.Header = res.StatusCode, res.Header
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return a, err
	}
	if err := json.Unmarshal(text, &a.Body); err != nil {
		return a, fmt.Errorf("%s %s: %.200s: %w", method, address, text, err)
	}
	return a, nil
}

// Deliver registers an image and asks for one environment after the other, each until it has ended well.
func (w Workflow) Deliver(ctx context.Context, pipeline, digest string, environments ...string) error {
	if _, err := w.must(ctx, "/api/v1/ci/builds", "", map[string]any{"pipeline": pipeline, "digest": digest, "result": "pass"}); err != nil {
		return err
	}
	for _, environment := range environments {
		a, err := w.must(ctx, "/api/v1/ci/promotions", environment, map[string]any{"pipeline": pipeline, "digest": digest, "environment": environment})
		for id := a.Text("id"); err == nil && a.Body["ended"] != true; {
			select {
			case <-ctx.Done():
				return fmt.Errorf("wait for %s: %s %s: %w", environment, a.Text("state"), a.Text("reason"), ctx.Err())
			case <-time.After(time.Second):
				a, err = w.must(ctx, "/api/v1/ci/promotions/"+id, environment, nil)
			}
		}
		if err != nil {
			return err
		}
		if a.Text("state") != "succeeded" {
			return fmt.Errorf("%s: %s: %s", environment, a.Text("state"), a.Text("reason"))
		}
	}
	return nil
}

// must is a call that Slipway does what is asked by.
func (w Workflow) must(ctx context.Context, path, environment string, body any) (Answer, error) {
	a, err := w.Call(ctx, path, environment, body)
	if err == nil && a.Status >= http.StatusBadRequest {
		err = fmt.Errorf("%s: %d %v", path, a.Status, a.Body)
	}
	return a, err
}
