package seed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// What delivers the demo shop.
const (
	host       = "/tenants/payments/connections/github"
	line       = "/tenants/payments/pipelines/checkout"
	repository = "acme/checkout"
)

// deliver gives the shop a pipeline: a connection whose handshake a demo person finishes, the line itself, and a first push.
func deliver(ctx context.Context, people map[string]*visitor) error {
	asks, judge := people["developer"], people["owner"]
	connection := wish{page: "/tenants/payments/connections/new", key: "demo-connection", fields: url.Values{"provider": {"GitHub"}, "name": {"github"}}}
	if err := asks.granted(ctx, connection, judge); err != nil {
		return err
	}
	if err := asks.handshake(ctx); err != nil {
		return fmt.Errorf("finish the connection: %w", err)
	}
	stage := url.Values{"stage-1-environment": {"checkout-dev"}, "stage-1-automatic": {"yes"}, "stage-1-gates": {"build", "lint", "guard", "image-scan"}, "stage-1-critical": {"0"}, "stage-1-high": {"0"},
		"stage-1-hours": {"168"}}
	order := url.Values{"tenant": {"payments"}, "kind": {"codepipeline"}, "service": {"checkout"}, "connection": {"github"}, "name": {"checkout"}, "source": {"connection"}, "repository": {repository},
		"branch": {"main"}, "ComputeSize": {"small"}, "Architecture": {"ARM64"}, "do": {"plan"}}
	for name, values := range stage {
		order[name] = values
	}
	if err := asks.granted(ctx, wish{page: "/pipelines/new?tenant=payments&kind=codepipeline&service=checkout&connection=github", key: "demo-pipeline", fields: order}, judge); err != nil {
		return err
	}
	p, err := asks.until(ctx, line, "#1") // CodePipeline's own first execution
	if err != nil || p.has("#2") {        // pushed before a restart
		return err
	}
	return asks.commit(ctx, map[string]any{"name": repository, "key": "main", "value": "Show gift cards at checkout", "author": "Mina Vogel"})
}

// granted sends a form and has what comes of it approved.
func (v *visitor) granted(ctx context.Context, w wish, judge *visitor) error {
	path, err := v.wish(ctx, w)
	if err != nil {
		return fmt.Errorf("%s: %w", w.key, err)
	}
	page, open, err := judge.planned(ctx, path)
	if err == nil && open {
		_, err = judge.send(ctx, page, path+"/approve", url.Values{})
	}
	if err != nil {
		return fmt.Errorf("approve %s: %w", w.key, err)
	}
	return nil
}

// handshake finishes the connection in AWS's console, as a person does who may install apps at the host.
func (v *visitor) handshake(ctx context.Context) error {
	at, err := v.get(ctx, "/tenants/payments/services/checkout")
	if err != nil {
		return err
	}
	m := repositoryForm.FindStringSubmatch(at.body)
	if m == nil {
		return errors.New("the page of the service names no repository")
	}
	page, err := v.until(ctx, host, "AWS says")
	if err != nil || page.has("<code class=\"s-code\">AVAILABLE<") { // finished before a restart
		return err
	}
	return v.deed(ctx, http.MethodPut, "/dev/aws/connections", map[string]any{"account": m[1], "region": m[2], "name": "slw-github", "value": "AVAILABLE", "author": "Mina Vogel"})
}

func (v *visitor) commit(ctx context.Context, of map[string]any) error {
	return v.deed(ctx, http.MethodPost, "/dev/aws/commits", of)
}

// deed makes something happen in the simulated world.
func (v *visitor) deed(ctx context.Context, method, path string, what map[string]any) error {
	body, err := json.Marshal(what)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, v.base+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Origin", v.base)
	res, err := v.http.Do(req)
	if err != nil {
		return err
	}
	if err := res.Body.Close(); err != nil {
		return err
	}
	if res.StatusCode >= http.StatusMultipleChoices {
		return statusError{path, res.StatusCode}
	}
	return nil
}
