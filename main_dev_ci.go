//go:build dev

package main

import (
	"fmt"
	"path/filepath"

	"slipway/dev/idp"
	"slipway/web"
)

// devIssuer is where the stand-in for GitHub's token issuer answers.
const devIssuer = "/dev/github"

// workflowIssuer makes whoever signs the tokens of workflows in this process, and has the configuration believe it.
func workflowIssuer(vars map[string]string, publicURL, dataDir string) ([]web.Route, error) {
	if _, given := vars["SLIPWAY_GITHUB_ISSUER"]; given {
		return nil, nil
	}
	key := ""
	if dataDir != "" {
		key = filepath.Join(dataDir, "idp", "workflows.pem")
	}
	vars["SLIPWAY_GITHUB_ISSUER"] = publicURL + devIssuer
	tokens, err := idp.NewWorkflows(publicURL+devIssuer, key, publicURL+"/static/app.css")
	if err != nil {
		return nil, fmt.Errorf("make the issuer of workflows' tokens: %w", err)
	}
	return mount(devIssuer, tokens), nil
}
