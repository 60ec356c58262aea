package handlers

import (
	"encoding/json"
	"slices"
	"time"

	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// promotionView turns what the store knows of a promotion into its page for one reader.
func promotionView(clock models.Clock, a models.Actor, p models.PromotionPage) views.Promotion {
	now, wall, x := clock.Now(), clock.Wall(), p.Promotion
	d := views.Promotion{
		ID: x.ID, Tenant: x.TenantSlug, Pipeline: x.Pipeline, Environment: x.Environment, Stage: x.Stage, Service: x.ServiceName, State: x.State, Reason: x.Reason, Rollback: x.Rollback, Version: promotionVersion(x), Digest: x.Digest(),
		WasDigest: models.DigestOf(x.Was), Was: views.ShortDigest(x.Was), AskedBy: askerWords(x), Asked: ui.Ago(now, x.CreatedAt), Scan: scanView(wall, p.Scan),
		Evidence: evidenceRows(wall, x.TenantSlug, p.Evidence), Wait: waiting(now, x.Waiting), Answer: views.AnswerWords(x.Answer), AnswerLate: x.Answer == models.AnswerLate, Moving: !x.State.Ended() || x.Answer == models.AnswerDue,
	}
	if runs := p.Environment.Image; runs != "" && runs != x.Was && !x.State.Ended() {
		d.Now = models.DigestOf(runs)
	}
	if x.Commit.ID != "" {
		d.Commit = &ui.Pair{Label: x.Commit.ID, Value: firstLine(x.Commit.Message) + byWord(x.Commit.Author)}
	}
	if x.Execution > 0 {
		d.Execution = &views.ExecutionBrief{Number: x.Execution, URL: urls.Execution(x.TenantSlug, x.Pipeline, x.Execution)}
	}
	if x.RequestID != "" {
		d.Request = &views.PromotionRequest{URL: urls.Request(x.RequestID), Number: number(x.RequestNumber), State: x.RequestState}
	}
	if y := x.Approval; y != nil {
		d.AnswerSaid = y.Words
		if x.Answer == models.AnswerDue || x.Answer == "" {
			d.Until = ui.In(wall, y.Until)
		}
	}
	if f := p.Freeze; f != nil {
		row := stageFreezeRow(now, *f)
		d.Freeze = &row
	}
	may := a.MayOrderFor(x.TenantID)
	d.Gates = promotionGates(wall, x, p.Evidence, a.MayRunTenant(x.TenantID) && !x.State.Ended() && x.PersonID != a.Person.ID)
	if o := p.Older; o != nil && !x.State.Ended() {
		d.Older = &ui.Pair{Label: promotionVersion(*o), Value: urls.Promotion(x.TenantSlug, o.ID)}
		if may {
			d.OlderReject = urls.RejectPromotion(x.TenantSlug, o.ID)
		}
	}
	if may && !x.State.Ended() {
		d.RejectURL = urls.RejectPromotion(x.TenantSlug, x.ID)
	}
	return d
}

func byWord(author string) string {
	if author == "" {
		return ""
	}
	return ", by " + author
}

func askerWords(x models.Promotion) string {
	switch x.AskedBy {
	case models.AskedByPipeline:
		return "CodePipeline"
	case models.AskedByWorkflow:
		return "the workflow, " + x.AskedByName
	}
	return x.AskedByName
}

// promotionGates are all gates with what there is to read and to do. Whoever asked for the promotion waives nothing of it.
func promotionGates(wall time.Time, x models.Promotion, evidence []models.Evidence, mayWaive bool) []views.PromotionGate {
	rows := gateRows(wall, x.Gates)
	for i, r := range x.Gates {
		at := slices.IndexFunc(evidence, func(e models.Evidence) bool { return e.ID == r.Evidence })
		if at >= 0 {
			e := evidence[at]
			if e.URL != "" {
				rows[i].Link = ui.Out{URL: e.URL, Word: "Its page at CI"}
			}
			if e.FileSize > 0 {
				rows[i].File, rows[i].FileURL = fileName(e), urls.Evidence(x.TenantSlug, e.ID)
			}
		}
		if mayWaive && (r.State == models.GateFail || r.State == models.GateWaiting) {
			rows[i].WaiveURL = urls.With(urls.ChangePipeline(x.TenantSlug, x.Pipeline, "waive"), "environment", x.Environment, "gate", string(r.Gate), "digest", x.Digest())
		}
	}
	return rows
}

func gateRows(wall time.Time, results []models.GateResult) []views.PromotionGate {
	rows := make([]views.PromotionGate, 0, len(results))
	for _, r := range results {
		row := views.PromotionGate{Gate: r.Gate, Title: views.GateTitle(r.Gate), State: r.State, Words: r.Words, At: ui.Ago(wall, r.At)}
		if r.State == models.GateUnset && r.Words == "" {
			row.Words = "The stage does not ask for it."
		}
		if r.Waiver != nil && r.State == models.GateWaived {
			row.Waived = waivedWords(*r.Waiver)
		}
		rows = append(rows, row)
	}
	return rows
}

// requestPromotion is what a request's page says of the promotion that it carries out, every gate included.
func requestPromotion(wall time.Time, q models.Request, tenant string) *views.PromotionBrief {
	d, gates := promotionBrief(q, tenant)
	if d != nil {
		d.Gates = gateRows(wall, gates)
	}
	return d
}

// promotionBrief is what comes for what, and how many gates stand how; nil when the request carries out no promotion, or when its inputs
// cannot be read, which its page says where it shows them.
func promotionBrief(q models.Request, tenant string) (*views.PromotionBrief, []models.GateResult) {
	var in models.EnvironmentInputs
	if q.ObjectType != models.EnvironmentObject || json.Unmarshal(q.Inputs, &in) != nil || in.Promotion == nil {
		return nil, nil
	}
	f := in.Promotion
	d := &views.PromotionBrief{Pipeline: f.Pipeline, PipeURL: urls.Pipeline(tenant, f.Pipeline), Environment: q.ObjectName, AskedBy: f.Asker, Commit: f.Commit, From: models.DigestOf(f.Was), To: models.DigestOf(in.Image), Rollback: f.Rollback,
		Counts: gateCounts(f.Gates)}
	if f.ID != "" {
		d.URL = urls.Promotion(tenant, f.ID)
	}
	return d, f.Gates
}
