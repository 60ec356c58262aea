package aws

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"slipway/models"
)

// look reads a pipeline to the end of a look, as the watch does.
func (e *estate) look(p models.Pipeline) models.PipelineReading {
	e.t.Helper()
	var whole models.PipelineReading
	var cursor json.RawMessage
	for {
		r, err := e.clients.ReadPipeline(e.t.Context(), p, cursor)
		if err != nil {
			e.t.Fatal(err)
		}
		if r.Gap != nil {
			e.t.Fatalf("gap %+v", *r.Gap)
		}
		whole.Executions, whole.Approvals, whole.At = append(whole.Executions, r.Executions...), r.Approvals, r.At
		if cursor = r.Next; cursor == nil {
			return whole
		}
	}
}

// sees waits until a look shows something.
func (e *estate) sees(p models.Pipeline, what string, there func(models.PipelineReading) bool) models.PipelineReading {
	e.t.Helper()
	var last models.PipelineReading
	deadline := time.Now().Add(time.Minute)
	for {
		if last = e.look(p); there(last) {
			return last
		}
		if err := pause(e.t.Context()); err != nil || time.Now().After(deadline) {
			e.t.Fatalf("waited in vain for %s: %+v", what, last)
		}
	}
}

func (e *estate) commit(message string) {
	e.t.Helper()
	e.w.deed("POST", "commits", map[string]any{"name": "acme/orders", "key": "main", "value": message, "author": "Mina Vogel"})
}

func of(trigger models.Trigger) func(models.Execution) bool {
	return func(x models.Execution) bool { return x.Trigger == trigger }
}

func find(r models.PipelineReading, is func(models.Execution) bool) models.Execution {
	for _, x := range r.Executions {
		if is(x) {
			return x
		}
	}
	return models.Execution{}
}

func waitsFor(r models.PipelineReading, x models.Execution) (models.WaitingApproval, bool) {
	for _, a := range r.Approvals {
		if a.ExternalID == x.ExternalID && x.ExternalID != "" {
			return a, true
		}
	}
	return models.WaitingApproval{}, false
}

// TestPipelineIsReadAndAnswered: executions with what they built and what they wait behind, answers once, late and to nobody.
func TestPipelineIsReadAndAnswered(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.orders()
	e.connected()
	e.succeed(e.orderPipeline(delivery("dev", "staging")))
	p := e.pipeline("orders")

	r := e.sees(p, "the first execution to wait at dev", func(r models.PipelineReading) bool {
		_, ok := waitsFor(r, find(r, of(models.TriggerCreation)))
		return ok
	})
	first := find(r, of(models.TriggerCreation))
	approval, _ := waitsFor(r, first)
	if approval.Environment != "dev" || len(approval.Key) != 64 || approval.Until.Sub(approval.Since) != models.DefaultTimeout*time.Minute {
		t.Errorf("approval %+v", approval)
	}
	if len(first.Stages) != 4 || first.Stages[0].Name != "Source" || first.Stages[1].State != models.ExecutionSucceeded || first.Stages[2].State != models.ExecutionWaiting || first.Stages[3].State != models.ExecutionAhead ||
		first.Stages[2].EnvironmentID != e.environment("dev").ID || first.State != models.ExecutionRunning {
		t.Errorf("stages %+v", first.Stages)
	}
	build := first.Stages[1].Actions[0]
	if !digestForm.MatchString(first.Digest) || build.Kind != "build" || build.LogGroup != "/slipway/pipeline/orders" || build.LogStream == "" || build.Outputs["IMAGE_DIGEST"] != first.Digest || len(first.Commit.ID) != 40 || first.Commit.Branch != "main" {
		t.Errorf("digest %q, build %+v, commit %+v", first.Digest, build, first.Commit)
	}

	t.Log("a newer one waits behind it")
	e.commit("Count again <script>alert(1)</script>\n\x1b[31mred")
	r = e.sees(p, "the second execution to wait behind the first", func(r models.PipelineReading) bool {
		x := find(r, of(models.TriggerPush))
		return len(x.Stages) > 2 && x.Stages[2].Behind == first.ExternalID && x.Stages[2].State == models.ExecutionWaiting
	})
	second := find(r, of(models.TriggerPush))
	if strings.ContainsAny(second.Commit.Message, "\n\x1b") || !strings.Contains(second.Commit.Message, "Count again") || second.Commit.Author != "Mina Vogel" {
		t.Errorf("commit %+v", second.Commit)
	}

	t.Log("answers")
	answer := func(x models.Execution, environment, key string, approve bool) models.AnswerState {
		t.Helper()
		state, words, err := e.clients.AnswerApproval(t.Context(), p, x.ExternalID, environment, key, approve, "It runs: https://slipway.example.com/requests/1")
		if err != nil || state != models.AnswerSent && words == "" {
			t.Fatalf("answer %s: %s %q %v", x.ExternalID, state, words, err)
		}
		return state
	}
	if s := answer(second, "dev", approval.Key, true); s != models.AnswerGone {
		t.Errorf("an execution that does not wait was answered: %s", s)
	}
	if s := answer(first, "nowhere", approval.Key, true); s != models.AnswerGone {
		t.Errorf("a stage that is not there was answered: %s", s)
	}
	if s := answer(first, "dev", strings.Repeat("0", 64), true); s != models.AnswerGone {
		t.Errorf("another waiting was answered: %s", s)
	}
	for range 2 { // the second repeats it, as after a crash
		if s := answer(first, "dev", approval.Key, true); s != models.AnswerSent {
			t.Errorf("approve: %s", s)
		}
	}
	if s := answer(first, "dev", approval.Key, false); s != models.AnswerGone {
		t.Errorf("a rejection after somebody approved: %s", s)
	}
	r = e.sees(p, "the second at dev, the first at staging", func(r models.PipelineReading) bool {
		a, ok := waitsFor(r, find(r, of(models.TriggerPush)))
		return ok && a.Environment == "dev" && len(r.Approvals) == 2
	})
	approval, _ = waitsFor(r, second)
	for range 2 {
		if s := answer(second, "dev", approval.Key, false); s != models.AnswerSent {
			t.Errorf("reject: %s", s)
		}
	}
	if s := answer(second, "dev", approval.Key, true); s != models.AnswerLate {
		t.Errorf("an approval after a rejection: %s", s)
	}
	r = e.sees(p, "the rejected one to fail", func(r models.PipelineReading) bool {
		return find(r, of(models.TriggerPush)).State == models.ExecutionFailed
	})
	if x := find(r, of(models.TriggerPush)); x.EndedAt.IsZero() || !strings.Contains(x.Stages[2].Actions[0].Words, "slipway.example.com") {
		t.Errorf("rejected: %+v", x.Stages[2])
	}

	t.Log("what a person asks of executions")
	order := models.PipelineOrder{ID: models.NewID(), PersonID: askerID, Person: "asker", Verb: "retry", ExternalID: second.ExternalID, Stage: "dev"}
	for range 2 { // the second finds it running
		if err := e.clients.Steer(t.Context(), p, order); err != nil {
			t.Errorf("retry: %v", err)
		}
	}
	order.ID, order.Verb = models.NewID(), "stop"
	if err := e.clients.Steer(t.Context(), p, order); err != nil {
		t.Errorf("stop: %v", err)
	}
	e.sees(p, "the stopped one to end", func(r models.PipelineReading) bool {
		return find(r, of(models.TriggerPush)).State == models.ExecutionStopped
	})
	if err := e.clients.Steer(t.Context(), p, order); err == nil || !strings.Contains(err.Error(), "has ended") {
		t.Errorf("stop what has ended: %v", err)
	}
	order = models.PipelineOrder{ID: models.NewID(), PersonID: askerID, Person: "asker", Verb: "start"}
	for range 2 { // one token, one execution
		if err := e.clients.Steer(t.Context(), p, order); err != nil {
			t.Errorf("start: %v", err)
		}
	}
	r = e.sees(p, "the started one", func(r models.PipelineReading) bool { return find(r, of(models.TriggerManual)).ExternalID != "" })
	if len(r.Executions) != 3 {
		t.Errorf("%d executions", len(r.Executions))
	}

	t.Log("only what moved since the last reading")
	p.ReadAt = time.Now().Add(time.Hour)
	if r = e.look(p); len(r.Executions) > 2 || find(r, of(models.TriggerPush)).ExternalID != "" {
		t.Errorf("read again: %+v", r.Executions)
	}

	t.Log("the log of a build, and the scan of its image")
	page, err := e.clients.BuildLog(t.Context(), p, build.LogGroup, build.LogStream, "")
	if err != nil || page.Gap != nil || len(page.Lines) == 0 || page.Next == "" || !strings.HasPrefix(page.Link, "https://eu-west-1.console.aws.amazon.com/cloudwatch/") {
		t.Fatalf("log %+v %v", page, err)
	}
	for range 50 {
		if page.Whole {
			break
		}
		if page, err = e.clients.BuildLog(t.Context(), p, build.LogGroup, build.LogStream, page.Next); err != nil {
			t.Fatal(err)
		}
	}
	if !page.Whole {
		t.Error("the log has no end")
	}
	if _, err := e.clients.BuildLog(t.Context(), p, "/aws/lambda/other", build.LogStream, ""); models.KindOf(err) != models.NotFound {
		t.Errorf("another group's log: %v", err)
	}
	service, err := e.store.Registry().Service(t.Context(), p.ServiceID)
	if err != nil {
		t.Fatal(err)
	}
	var scan models.ImageScan
	e.w.until("the scan to end", func() bool {
		if scan, err = e.clients.ScanImage(t.Context(), service, first.Digest); err != nil {
			t.Fatal(err)
		}
		return scan.State != models.ScanWaiting
	})
	if scan.State != models.ScanComplete || scan.Source == "" || scan.ScannedAt.IsZero() || scan.Digest != first.Digest {
		t.Errorf("scan %+v", scan)
	}
	if scan, err = e.clients.ScanImage(t.Context(), service, fmt.Sprintf("sha256:%064d", 7)); err != nil || scan.State != models.ScanAbsent {
		t.Errorf("scan of an image that is not there: %+v %v", scan, err)
	}

	t.Log("what AWS refuses is a gap")
	e.w.fault(map[string]any{"action": "access_denied", "service": "codepipeline", "op": "ListPipelineExecutions", "times": 9})
	if r, err := e.clients.ReadPipeline(t.Context(), p, nil); err != nil || r.Gap == nil || r.Gap.Kind != models.GapDenied || !r.At.IsZero() {
		t.Errorf("refused: %+v %v", r, err)
	}
}
