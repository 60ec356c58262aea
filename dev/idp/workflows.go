package idp

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/uuid"
)

// Run is what GitHub would say of a run of a workflow. What is left out is filled in, as for a push to main of acme/orders.
type Run struct {
	Repository   string // owner/name
	RepositoryID string
	OwnerID      string
	Ref          string
	SHA          string
	ID           string
	Attempt      string
	Actor        string
	Event        string
	Environment  string // of the job; empty: none
}

// DemoRun is a push to main of the demo's repository.
func DemoRun() Run {
	return Run{Repository: "acme/orders", RepositoryID: "700100200", OwnerID: "900100", Ref: "refs/heads/main", SHA: "9fceb02d0ae598e95dc970b74767f19372d61af8", ID: "4711", Attempt: "1",
		Actor: "octocat", Event: "push"}
}

// Claims are those of the run's token for an audience, as GitHub states them: every one is text.
func (r Run) Claims(audience string) map[string]any {
	owner, _, _ := strings.Cut(r.Repository, "/")
	about := "ref:" + r.Ref
	kind := "branch"
	switch {
	case r.Environment != "":
		about = "environment:" + r.Environment
	case r.Event == "pull_request":
		about = "pull_request"
	}
	if strings.HasPrefix(r.Ref, "refs/tags/") {
		kind = "tag"
	}
	now := time.Now()
	claims := map[string]any{"aud": audience, "sub": "repo:" + r.Repository + ":" + about, "jti": uuid.NewString(), "iat": now.Unix(), "nbf": now.Add(-10 * time.Minute).Unix(),
		"exp": now.Add(5 * time.Minute).Unix(), "ref": r.Ref, "ref_type": kind, "sha": r.SHA, "repository": r.Repository, "repository_id": r.RepositoryID, "repository_owner": owner,
		"repository_owner_id": r.OwnerID, "repository_visibility": "private", "run_id": r.ID, "run_number": "1", "run_attempt": r.Attempt, "runner_environment": "github-hosted",
		"actor": r.Actor, "actor_id": "583231", "workflow": "deliver", "event_name": r.Event, "head_ref": "", "base_ref": "", "job_workflow_ref": r.Repository + "/.github/workflows/deliver.yml@" + r.Ref}
	if r.Environment != "" {
		claims["environment"] = r.Environment
	}
	return claims
}

// Workflows signs tokens for runs as GitHub does, for whoever asks: it exists in development only.
type Workflows struct {
	http.Handler
	issuer, stylesheet string
	key                *key
}

// NewWorkflows answers below the issuer's path. keyFile may be empty.
func NewWorkflows(issuer, keyFile, stylesheet string) (*Workflows, error) {
	at, err := url.Parse(issuer)
	if err != nil || at.Host == "" {
		return nil, fmt.Errorf("issuer %q is not an address", issuer)
	}
	key, err := signingKey(keyFile)
	if err != nil {
		return nil, err
	}
	w := &Workflows{issuer: issuer, stylesheet: stylesheet, key: key}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", w.discovery)
	mux.HandleFunc("GET /.well-known/jwks", w.keys)
	mux.HandleFunc("GET /token", w.token)
	mux.HandleFunc("GET /{$}", w.page)
	w.Handler = http.StripPrefix(strings.TrimSuffix(at.Path, "/"), mux)
	return w, nil
}

// Sign makes a token of claims; the issuer is ours unless they name another.
func (w *Workflows) Sign(claims map[string]any) (string, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: w.key.private, KeyID: w.key.id}}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", fmt.Errorf("sign the run's token: %w", err)
	}
	if _, given := claims["iss"]; !given {
		claims["iss"] = w.issuer
	}
	return jwt.Signed(signer).Claims(claims).Serialize()
}

func (w *Workflows) discovery(out http.ResponseWriter, _ *http.Request) {
	answer(out, map[string]any{"issuer": w.issuer, "jwks_uri": w.issuer + "/.well-known/jwks", "subject_types_supported": []string{"public", "pairwise"}, "response_types_supported": []string{"id_token"},
		"id_token_signing_alg_values_supported": []string{"RS256"}, "scopes_supported": []string{"openid"}})
}

func (w *Workflows) keys(out http.ResponseWriter, _ *http.Request) {
	answer(out, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &w.key.private.PublicKey, KeyID: w.key.id, Algorithm: string(jose.RS256), Use: "sig"}}})
}

// token answers as the address in ACTIONS_ID_TOKEN_REQUEST_URL does; what the run is comes with the query.
func (w *Workflows) token(out http.ResponseWriter, r *http.Request) {
	run, q := DemoRun(), r.URL.Query()
	for name, field := range map[string]*string{"repository": &run.Repository, "repository_id": &run.RepositoryID, "owner_id": &run.OwnerID, "ref": &run.Ref, "sha": &run.SHA, "run_id": &run.ID,
		"run_attempt": &run.Attempt, "actor": &run.Actor, "event": &run.Event, "environment": &run.Environment} {
		if q.Has(name) {
			*field = q.Get(name)
		}
	}
	token, err := w.Sign(run.Claims(q.Get("audience")))
	if err != nil {
		http.Error(out, err.Error(), http.StatusInternalServerError)
		return
	}
	answer(out, map[string]any{"count": len(token), "value": token})
}

func (w *Workflows) page(out http.ResponseWriter, r *http.Request) {
	out.Header().Set("Content-Type", "text/html; charset=utf-8")
	out.Header().Set("Cache-Control", "no-store")
	audience := strings.TrimSuffix(w.issuer, "/dev/github")
	view := struct {
		Stylesheet, Action, Audience string
		Run                          Run
	}{w.stylesheet, w.issuer + "/token", audience, DemoRun()}
	if err := templates.ExecuteTemplate(out, "workflows.html", view); err != nil {
		http.Error(out, err.Error(), http.StatusInternalServerError)
	}
}

func answer(out http.ResponseWriter, v any) {
	out.Header().Set("Content-Type", "application/json")
	out.Header().Set("Cache-Control", "no-store")
	if err := json.NewEncoder(out).Encode(v); err != nil {
		http.Error(out, err.Error(), http.StatusInternalServerError)
	}
}
