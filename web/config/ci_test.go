package config

import (
	"strings"
	"testing"
)

func TestGitHubIssuer(t *testing.T) {
	if c, err := Load(map[string]string{}); err != nil || c.CI.GitHubIssuer != "https://token.actions.githubusercontent.com" {
		t.Errorf("unset: %q, %v", c.CI.GitHubIssuer, err)
	}
	for issuer, want := range map[string]string{
		"": "", "https://ghe.example.com/_services/token": "", "http://localhost:8080/dev/github": "", "http://ghe.example.com": "plain http", "github.com": "not an http",
	} {
		c, err := Load(map[string]string{"SLIPWAY_GITHUB_ISSUER": issuer})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) || err == nil && c.CI.GitHubIssuer != issuer {
			t.Errorf("%q: %q, %v", issuer, c.CI.GitHubIssuer, err)
		}
	}
}
