package models

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func claimsOf(change map[string]any) []byte {
	c := map[string]any{"jti": "0123456789", "sub": "repo:acme/shop:ref:refs/heads/main", "repository": "acme/shop", "repository_id": "7", "repository_owner": "acme", "repository_owner_id": "9",
		"ref": "refs/heads/main", "ref_type": "branch", "sha": strings.Repeat("a", 40), "run_id": "4711", "run_attempt": "2", "actor": "octocat", "event_name": "push"}
	for k, v := range change {
		c[k] = v
	}
	b, _ := json.Marshal(c)
	return b
}

// TestGitHubClaims: one that is not text, or not as GitHub writes it, is an error and never taken for an empty one.
func TestGitHubClaims(t *testing.T) {
	for issuer, want := range map[string]string{
		GitHubIssuer: "https://github.com/acme/shop/actions/runs/4711/attempts/2", "https://token.actions.acme.ghe.com": "https://acme.ghe.com/acme/shop/actions/runs/4711/attempts/2",
		"https://ghes.example.com/_services/token": "https://ghes.example.com/acme/shop/actions/runs/4711/attempts/2", "http://localhost:8080/dev/github": "",
	} {
		token, err := readGitHub(issuer, claimsOf(nil))
		if err != nil || token.Link != want || token.Run() != "4711.2" || token.Who() != "acme/shop (octocat)" || !token.Pushed {
			t.Errorf("%s: %+v, %v", issuer, token, err)
		}
	}
	for name, bad := range map[string]any{"jti": "short", "repository": "shop", "repository_id": 7, "repository_owner_id": nil, "ref": []string{"refs/heads/main"}, "sha": "HEAD", "run_id": "0", "run_attempt": "", "actor": map[string]any{},
		"event_name": true, "environment": 5, "ref_type": "tag", "sub": "a\nb", "repository_owner": strings.Repeat("o", 101)} {
		if token, err := readGitHub(GitHubIssuer, claimsOf(map[string]any{name: bad})); err == nil || token != (CIToken{}) {
			t.Errorf("%s = %v is taken: %+v", name, bad, token)
		}
	}
	upper := strings.Replace(string(claimsOf(map[string]any{"repository_id": "7"})), `"repository_id"`, `"REPOSITORY_ID"`, 1)
	if _, err := readGitHub(GitHubIssuer, []byte(upper)); err == nil {
		t.Error("a claim under another name is taken")
	}
}

func TestMayPromoteTo(t *testing.T) {
	p := Pipeline{Name: "shop", TenantSlug: "payments"}
	for environment, ok := range map[string]bool{"shop-prod": true, "Shop-Prod": true, "shop-dev": false, "": false, "shop-prod ": false} {
		if refused := (CIToken{Environment: environment}).MayPromoteTo(p, "shop-prod"); (refused == nil) != ok {
			t.Errorf("%q: %v", environment, refused)
		}
	}
	if (CIToken{}).MayPromoteTo(p, "") == nil {
		t.Error("a job without an environment may promote to none")
	}
}

// TestEvidenceFiles: what people will download keeps a harmless name and type.
func TestEvidenceFiles(t *testing.T) {
	e := EvidenceReport{Digest: "sha256:" + strings.Repeat("a", 64), Gate: GateSBOM, Result: CIPass}
	for name, ok := range map[string]bool{"sbom.json": true, "Übersicht 1.txt": true, "": false, "../x": false, "a/b": false, `a\b`: false, "..": false, "a\x00": false, "a\nb": false, `a"b`: false, strings.Repeat("n", 201): false, "a\u202eb": false} {
		e.File = &EvidenceFile{Name: name, Content: []byte("x")}
		if err := e.Validate(); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
	for given, want := range map[string]string{"application/json": "application/json", "text/html; charset=x": "text/html", "": "application/octet-stream", "nonsense": "application/octet-stream", "a\r\nb/c": "application/octet-stream"} {
		if got := (EvidenceFile{Type: given}).FileType(); got != want {
			t.Errorf("%q became %q", given, got)
		}
	}
	b := BuildReport{Digest: e.Digest, Tag: "v1", Message: "a\n\tb", CommittedAt: time.Unix(0, 0)}
	if err := b.Validate(); err != nil {
		t.Error(err)
	}
}

func FuzzGitHubClaims(f *testing.F) {
	f.Add(claimsOf(nil))
	f.Add([]byte(`{"jti":1,"ref":{},"repository":[]}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		token, err := readGitHub(GitHubIssuer, in)
		if err != nil {
			if token != (CIToken{}) {
				t.Errorf("%q: half a token %+v", in, token)
			}
			return
		}
		if !numericForm.MatchString(token.RepositoryID) || !numericForm.MatchString(token.OwnerID) || !repositoryForm.MatchString(token.Repository) || len(token.ID) < 8 || strings.ContainsAny(token.Ref+token.Actor+token.Environment, "\x00\n\r") {
			t.Errorf("%q: %+v", in, token)
		}
	})
}
