package store

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"slipway/models"
)

var runner = models.Actor{System: models.CIComponent, RequestID: "req-ci", Address: "198.51.100.9"}

// token is one of a run on main that was just given out; each call gives another.
func (w works) token(change ...func(*models.CIToken)) models.CIToken {
	t := models.CIToken{Kind: models.GitHubActions, Issuer: models.GitHubIssuer, Subject: "repo:" + shopRepository + ":ref:refs/heads/main", ID: models.NewID(), ExpiresAt: w.clock.Wall().Add(5 * time.Minute),
		Repository: shopRepository, RepositoryID: shopID, Owner: "acme", OwnerID: acmeID, Ref: "refs/heads/main", SHA: strings.Repeat("c", 40), RunID: "4711", Attempt: "1", Actor: "octocat",
		Event: "push", Pushed: true, Link: "https://github.com/acme/shop/actions/runs/4711/attempts/1"}
	for _, c := range change {
		c(&t)
	}
	return t
}

func in(environment string) func(*models.CIToken) {
	return func(t *models.CIToken) { t.Environment = environment }
}

// left is all that a workflow could leave behind.
func (w works) left(t *testing.T) string {
	t.Helper()
	return contents(t, w.Store, []string{"builds", "evidence", "promotions", "pipeline_executions", "ci_tokens", "requests", "journal"})
}

// TestWhatATokenDoesNotAllow: nothing is left but an audit entry, whatever it is sent for.
func TestWhatATokenDoesNotAllow(t *testing.T) {
	t.Parallel()
	w := underWay(t)
	w.addPipeline(t, "paused", func(p *models.Pipeline) { p.Paused = true })
	w.addPipeline(t, "making", func(p *models.Pipeline) { p.State = models.Creating })
	w.addPipeline(t, "ending", func(p *models.Pipeline) { p.State = models.Deleting })
	w.addPipeline(t, "gone", func(p *models.Pipeline) { p.State, p.Source.RepositoryID = models.Deleted, "31" })
	w.addPipeline(t, "foreign", func(p *models.Pipeline) {
		p.Source.Repository, p.Source.RepositoryID, p.Source.OwnerID = "evil/shop", "32", "33"
	})
	ref := func(ref string) func(*models.CIToken) { return func(t *models.CIToken) { t.Ref = ref } }
	for name, tc := range map[string]struct {
		which  string
		change func(*models.CIToken)
		code   string
		says   string
		named  bool // the entry is about a pipeline, so that its tenant sees it
	}{
		"names match, numbers do not":      {"payments/shop", func(t *models.CIToken) { t.RepositoryID, t.OwnerID = "5", "6" }, "other_number", "registered again by somebody else", true},
		"the same in other letters":        {"", func(t *models.CIToken) { t.Repository, t.RepositoryID = "Acme/SHOP", "5" }, "other_number", "registered again by somebody else", true},
		"another owner's number":           {"payments/shop", func(t *models.CIToken) { t.OwnerID = "6" }, "other_number", "another owner now", true},
		"another repository":               {"payments/shop", func(t *models.CIToken) { t.Repository, t.RepositoryID = "acme/other", "5" }, "no_pipeline", "No pipeline delivers", false},
		"a pipeline of another repository": {"payments/foreign", nil, "no_pipeline", "No pipeline payments/foreign delivers", false},
		"a pipeline of another tenant":     {"storefront/shop", nil, "no_pipeline", "No pipeline storefront/shop delivers", false},
		"a pipeline that is not there":     {"payments/nothing", nil, "no_pipeline", "No pipeline", false},
		"a deleted pipeline":               {"payments/gone", func(t *models.CIToken) { t.Repository, t.RepositoryID = "acme/gone", "31" }, "no_pipeline", "No pipeline", false},
		"a pipeline that is being made":    {"payments/making", nil, "state", "is creating", true},
		"a pipeline that is being deleted": {"payments/ending", nil, "state", "is deleting", true},
		"a paused pipeline":                {"payments/paused", nil, "paused", "is paused", true},
		"another branch":                   {"payments/shop", ref("refs/heads/evil"), "branch", `the branch "evil"`, true},
		"a branch that begins alike":       {"payments/shop", ref("refs/heads/main2"), "branch", `the branch "main2"`, true},
		"a branch in other letters":        {"payments/shop", ref("refs/heads/Main"), "branch", `the branch "Main"`, true},
		"a tag of the branch's name":       {"payments/shop", ref("refs/tags/main"), "branch", "no branch", true},
		"a pull request's ref":             {"payments/shop", ref("refs/pull/7/merge"), "branch", "no branch", true},
		"no ref":                           {"payments/shop", ref(""), "branch", "no branch", true},
		"the short name":                   {"payments/shop", ref("main"), "branch", "no branch", true},
		"a pull request onto the branch":   {"payments/shop", func(t *models.CIToken) { t.Event, t.Pushed = "pull_request_target", false }, "event", "never those of pull requests", true},
	} {
		t.Run(name, func(t *testing.T) {
			runner := runner
			runner.Address = "198.51.100.9/" + name // one address's refusals of a minute are one entry
			before := w.left(t)
			token := w.token(in("shop-dev"))
			if tc.change != nil {
				tc.change(&token)
			}
			_, _, build := w.CI().RegisterBuild(t.Context(), runner, token, models.BuildReport{Pipeline: tc.which, Digest: digest("a")})
			_, evidence := w.CI().PostEvidence(t.Context(), runner, token, models.EvidenceReport{Pipeline: tc.which, Digest: digest("a"), Gate: models.GateStatic, Result: models.CIPass})
			_, promotion := w.CI().AskPromotion(t.Context(), runner, token, models.PromotionReport{Pipeline: tc.which, Digest: digest("a"), Environment: "shop-dev"})
			for _, err := range []error{build, evidence, promotion} {
				var refused *models.CIRefused
				if !errors.As(err, &refused) || refused.Code != tc.code || models.KindOf(err) != models.Forbidden || !strings.Contains(models.Message(err), tc.says) {
					t.Errorf("%v, want %s: %s", err, tc.code, tc.says)
				}
			}
			if after := w.left(t); after != before {
				t.Errorf("it left:\n%s\nbefore:\n%s", after, before)
			}
			if n := count(t, w.Store, `SELECT count(*) FROM audit_entries WHERE action = 'ci.refused' AND after->>'code' = $1 AND after->>'ref' IS NOT DISTINCT FROM NULLIF($2, '')
				AND (object_type = 'pipeline' AND tenant_id = $3) = $4 AND actor = $5 AND address = $6`, tc.code, token.Ref, w.tenant.ID, tc.named, token.Who(), runner.Address); n < 1 || n > 3 {
				t.Errorf("%d audit entries", n)
			}
		})
	}
	if n := count(t, w.Store, `SELECT count(*) FROM audit_entries WHERE action = 'ci.refused' AND after->>'reason' LIKE '%pipeline is for repository `+shopID+` of owner `+acmeID+`, the token is of repository 5 of owner 6%registered again by somebody else%'`); n == 0 {
		t.Error("the audit log does not say that the name was registered again")
	}
}

// TestAFloodOfRefusalsIsCounted: the first of a minute is an entry at once, with its reason; the rest become one.
func TestAFloodOfRefusalsIsCounted(t *testing.T) {
	t.Parallel()
	w := underWay(t)
	w.clock.SetOffset(w.clock.Now().Truncate(time.Minute).Add(time.Minute).Sub(w.clock.Now()))
	for range 30 {
		_, _, err := w.CI().RegisterBuild(t.Context(), runner, w.token(func(t *models.CIToken) { t.Ref = "refs/heads/x" + models.NewID() }), models.BuildReport{Digest: digest("a")})
		if models.KindOf(err) != models.Forbidden {
			t.Fatal(err)
		}
	}
	w.clock.SetOffset(w.clock.Offset() + time.Minute)
	if _, err := w.FlushDenied(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := count(t, w.Store, `SELECT count(*) FROM audit_entries WHERE action = 'ci.refused' AND after->>'code' = 'branch' AND after->>'reason' <> '' AND tenant_id = $1 AND (after->>'count')::int IN (1, 29)`, w.tenant.ID); n != 2 {
		t.Errorf("%d entries, want two", n)
	}
}

func TestATokenIsAcceptedOnce(t *testing.T) {
	t.Parallel()
	w := underWay(t)
	token, ask := w.token(), models.BuildReport{Digest: digest("a")}
	if _, _, err := w.CI().RegisterBuild(t.Context(), runner, token, models.BuildReport{Digest: "latest"}); models.Fields(err)["digest"] == "" {
		t.Fatalf("a tag is taken: %v", err)
	}
	if _, _, err := w.CI().RegisterBuild(t.Context(), runner, token, ask); err != nil {
		t.Fatalf("a token that brought nothing about is spent: %v", err)
	}
	before := w.left(t)
	_, _, err := w.CI().RegisterBuild(t.Context(), runner, token, ask)
	if models.KindOf(err) != models.Unauthenticated || !strings.Contains(models.Message(err), "used already") || w.left(t) != before {
		t.Errorf("used again: %v", err)
	}
	if n := count(t, w.Store, `SELECT count(*) FROM audit_entries WHERE action = 'ci.refused' AND after->>'code' = 'replayed'`); n != 1 {
		t.Errorf("%d entries about it", n)
	}
	if n := count(t, w.Store, `SELECT count(*) FROM ci_tokens WHERE id LIKE '%'||$1||'%'`, token.ID); n != 0 {
		t.Error("the token's id is kept as it is")
	}
}

// TestAWorkflowDelivers registers, posts evidence, asks and looks, each time with another token.
func TestAWorkflowDelivers(t *testing.T) {
	t.Parallel()
	w := underWay(t)
	ctx, ci := t.Context(), w.CI()
	for i := range 3 {
		answer, added, err := ci.RegisterBuild(ctx, runner, w.token(), models.BuildReport{Digest: digest("a"), Tag: "1.0", Message: "One\n\nmore", Author: "Ada", CommittedAt: w.clock.Wall()})
		if err != nil || added != (i == 0) || answer.Known == added || answer.Pipeline != "payments/shop" || answer.Execution != 1 {
			t.Fatalf("build: %+v, %v, %v", answer, added, err)
		}
	}
	if n := count(t, w.Store, `SELECT count(*) FROM builds b JOIN pipeline_executions e ON e.id = b.execution_id WHERE b.passed AND b.commit_id = e.commit_id AND e.external_id = '4711.1'
		AND e.trigger = 'workflow' AND e.state = 'succeeded' AND e.link LIKE 'https://github.com/acme/shop/actions/runs/4711/%' AND jsonb_array_length(e.stages) = 3`); n != 1 {
		t.Errorf("%d builds with their execution", n)
	}
	content := bytes.Repeat([]byte{0, 255}, models.MaxEvidence/2)
	report := models.EvidenceReport{Digest: digest("a"), Gate: models.GateStatic, Result: models.CIPass, Words: "0 findings", URL: "https://ci.example.test/1", File: &models.EvidenceFile{Name: "r.json", Type: "application/json; x=y", Content: content}}
	if _, err := ci.PostEvidence(ctx, runner, w.token(), report); err != nil {
		t.Fatal(err)
	}
	if n := count(t, w.Store, `SELECT count(*) FROM evidence WHERE passed AND gate = 'static-analysis' AND file = $1 AND file_type = 'application/json' AND posted_by = 'acme/shop (octocat)' AND execution_id IS NOT NULL`, content); n != 1 {
		t.Errorf("%d pieces of evidence", n)
	}
	before := w.left(t)
	for field, bad := range map[string]func(*models.EvidenceReport){
		"digest": func(e *models.EvidenceReport) { e.Digest = digest("b") }, "gate": func(e *models.EvidenceReport) { e.Gate = models.GateScan }, "result": func(e *models.EvidenceReport) { e.Result = "maybe" },
		"url": func(e *models.EvidenceReport) { e.URL = "http://ci.example.test" }, "file": func(e *models.EvidenceReport) { e.File = &models.EvidenceFile{Name: "r", Content: append(content, 1)} },
		"words": func(e *models.EvidenceReport) { e.Words = "a\x00" },
	} {
		wrong := report
		bad(&wrong)
		if _, err := ci.PostEvidence(ctx, runner, w.token(), wrong); models.Fields(err)[field] == "" || len(models.Fields(err)) != 1 {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := ci.AskPromotion(ctx, runner, w.token(in("shop-dev")), models.PromotionReport{Digest: digest("b"), Environment: "shop-dev"}); models.Fields(err)["digest"] == "" {
		t.Errorf("an image that was not registered: %v", err)
	}
	for environment, want := range map[string]string{"": "without an environment", "shop-prod": `in the environment "shop-prod"`} {
		_, err := ci.AskPromotion(ctx, runner, w.token(in(environment)), models.PromotionReport{Digest: digest("a"), Environment: "shop-dev"})
		if models.KindOf(err) != models.Forbidden || !strings.Contains(models.Message(err), want) {
			t.Errorf("a job in %q asks for shop-dev: %v", environment, err)
		}
	}
	if after := w.left(t); after != before {
		t.Errorf("what was refused left:\n%s\nbefore:\n%s", after, before)
	}
	var asked models.CIAnswer
	for range 2 {
		again, err := ci.AskPromotion(ctx, runner, w.token(in("shop-dev")), models.PromotionReport{Digest: digest("a"), Environment: "shop-dev"})
		if err != nil || asked.ID != "" && again.ID != asked.ID || again.Ended || again.Environment != "shop-dev" || again.Digest != digest("a") {
			t.Fatalf("promotion: %+v, %v", again, err)
		}
		asked = again
	}
	again := w.token(in("shop-dev"), func(t *models.CIToken) { t.Attempt = "2" })
	if same, err := ci.AskPromotion(ctx, runner, again, models.PromotionReport{Digest: digest("a"), Environment: "shop-dev"}); err != nil || same.ID != asked.ID {
		t.Errorf("a job that is started again asks anew: %+v, %v", same, err)
	}
	w.looks(t, asked)
}

// looks follows the promotion as its workflow does; others do not find it.
func (w works) looks(t *testing.T, asked models.CIAnswer) {
	t.Helper()
	ctx, ci := t.Context(), w.CI()
	stage := func() string {
		var state string
		if err := w.pool.QueryRow(ctx, `SELECT state || ' ' || (stages->1->>'state') FROM pipeline_executions WHERE external_id = '4711.1'`).Scan(&state); err != nil {
			t.Fatal(err)
		}
		return state
	}
	if got := stage(); got != "running waiting" {
		t.Errorf("the execution is %s", got)
	}
	w.do(t, `UPDATE pipelines SET paused = true`)
	w.do(t, `UPDATE promotions SET state = 'failed', reason = 'No.', ended_at = now(), gates = '[{"gate": "build", "state": "pass", "words": "It passed."}]'`)
	if err := w.tx(ctx, func(tx *tx) error {
		var id string
		if err := tx.pgx.QueryRow(ctx, `SELECT execution_id::text FROM promotions`).Scan(&id); err != nil {
			return err
		}
		return tx.followRun(id)
	}); err != nil {
		t.Fatal(err)
	}
	if got := stage(); got != "failed failed" {
		t.Errorf("the execution is %s", got)
	}
	answer, err := ci.Promotion(ctx, runner, w.token(), asked.ID)
	if err != nil || !answer.Ended || answer.State != models.PromotionFailed || answer.Reason != "No." || len(answer.Gates) != 1 || answer.TenantSlug != "payments" {
		t.Errorf("the end: %+v, %v", answer, err)
	}
	for name, try := range map[string]func() error{
		"another id": func() error { _, err := ci.Promotion(ctx, runner, w.token(), models.NewID()); return err },
		"no id":      func() error { _, err := ci.Promotion(ctx, runner, w.token(), "x"); return err },
		"another repository": func() error {
			_, err := ci.Promotion(ctx, runner, w.token(func(t *models.CIToken) { t.RepositoryID = "5" }), asked.ID)
			return err
		},
	} {
		if err := try(); models.KindOf(err) != models.NotFound || fmt.Sprint(err) != fmt.Sprint(errNoPromotion) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSeveralPipelinesOfOneRepository: the body says which is meant; a name that two tenants use needs the tenant.
func TestSeveralPipelinesOfOneRepository(t *testing.T) {
	t.Parallel()
	w := underWay(t)
	w.addPipeline(t, "second", nil)
	if _, _, err := w.CI().RegisterBuild(t.Context(), runner, w.token(), models.BuildReport{Digest: digest("a")}); models.Fields(err)["pipeline"] == "" {
		t.Errorf("none is named: %v", err)
	}
	for _, which := range []string{"second", "payments/second", "payments/shop"} {
		answer, _, err := w.CI().RegisterBuild(t.Context(), runner, w.token(), models.BuildReport{Pipeline: which, Digest: digest("a")})
		if err != nil || !strings.HasSuffix(answer.Pipeline, which) {
			t.Errorf("%s: %+v, %v", which, answer, err)
		}
	}
}
