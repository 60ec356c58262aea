package aws

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"slipway/models"
	"slipway/provisioners"
)

// outProof is the output in which a step leaves its share of the tenant's receipt.
const outProof = "proof"

// proof is the share of a receipt that one step has found.
type proof struct {
	Gone      []models.ReceiptLine `json:"gone,omitempty"`
	Left      []models.ReceiptLine `json:"left,omitempty"`
	ScannedIn []string             `json:"scanned_in,omitempty"`
	CannotSee []string             `json:"cannot_see,omitempty"`
	Emptied   []string             `json:"emptied,omitempty"`
}

// result is a step's end with its share of the receipt.
func (p proof) result(res provisioners.Result) (provisioners.Result, error) {
	raw, err := json.Marshal(p)
	if err != nil {
		return absent, fmt.Errorf("keep what was found: %w", err)
	}
	out := map[string]string{outProof: string(raw)}
	for k, v := range res.Outputs {
		out[k] = v
	}
	res.Outputs = out
	return res, nil
}

// proofs reads what the steps so far have left, by step; earlier attempts and plans of the run included.
func proofs(run *provisioners.Run) (map[string]proof, error) {
	found := map[string]proof{}
	for step, outputs := range run.Earlier {
		if outputs[outProof] == "" {
			continue
		}
		var p proof
		if err := json.Unmarshal([]byte(outputs[outProof]), &p); err != nil {
			return nil, fmt.Errorf("read what step %s has found: %w", step, err)
		}
		found[step] = p
	}
	return found, nil
}

// ended tells whether the plan closes an account: what is left in it goes with it.
func closedBy(plan models.Plan, account string) bool {
	return slices.ContainsFunc(plan.Content.Parts, func(part models.PlanPart) bool {
		return part.Account == account && slices.ContainsFunc(part.Changes, func(ch models.Change) bool {
			return ch.Step == stepClose+"."+string(part.Class) && ch.Action == models.Delete
		})
	})
}

// withAccount says of what is left that it ends with its account.
func withAccount(lines []models.ReceiptLine) []models.ReceiptLine {
	for i := range lines {
		lines[i].Why, lines[i].Cost = strings.TrimSpace(lines[i].Why+" It goes with its account."), "0"
	}
	return lines
}

// endContent proves the end of one thing and writes it into Slipway's rows.
func (c *Closing) endContent(ctx context.Context, run *provisioners.Run, o object) (provisioners.Result, error) {
	actor := actorOf(run)
	if state := o.part.Parameters[accountState]; state != "" {
		if err := c.registry.EndContent(ctx, actor, run.RequestID, o.typ, o.id()); err != nil {
			return absent, err
		}
		return proof{CannotSee: []string{fmt.Sprintf("What was left of %s: account %s is %s.", o.words(), o.part.Account, state)}}.result(present)
	}
	r, res, err := o.proven(ctx, run)
	if err != nil || r == nil {
		return res, err
	}
	if err := o.keepLeft(ctx, run, *r); err != nil {
		return absent, err
	}
	if err := c.registry.EndContent(ctx, actor, run.RequestID, o.typ, o.id()); err != nil {
		return absent, err
	}
	p := proof{Gone: r.Gone, Left: r.Left, ScannedIn: r.ScannedIn, CannotSee: r.CannotSee, Emptied: r.Emptied}
	for _, lines := range [][]models.ReceiptLine{p.Gone, p.Left} {
		for i := range lines {
			if lines[i].LogicalID != "" {
				lines[i].LogicalID = o.name() + "/" + lines[i].LogicalID
			}
		}
	}
	if closedBy(run.Plan, o.part.Account) {
		p.Left = withAccount(p.Left)
	}
	return p.result(res)
}

// heldBy is what a baseline held before it was deleted, for the receipt: it has no row that could keep it.
func heldBy(live []liveResource) string {
	var held []models.StackResource
	for _, r := range live {
		held = append(held, models.StackResource{LogicalID: r.id, PhysicalID: r.physical, Type: r.typ, Status: r.status})
	}
	raw, err := json.Marshal(held)
	if err != nil {
		return "[]"
	}
	return string(raw)
}

// scanStep searches the account for everything that carries the tenant's tag, while Slipway's role still works there.
func (e ending) scanStep() provisioners.Step {
	return provisioners.Step{Title: "Search " + e.name() + " for what is left", Find: e.look(e.findLeft)}
}

func (e ending) findLeft(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	o := e.baseline(models.PlanPart{Account: e.part.Account, Class: e.part.Class, Region: e.part.Region, Tags: e.part.Tags})
	for _, part := range run.Plan.Content.Parts {
		if part.Account == e.part.Account && part.StackName == baselineStackName(e.tenant()) {
			o.part = part
		}
	}
	seen, res, err := o.scanStep(ctx, run, models.TagTenant, e.tenant())
	if err != nil || !seen.ended {
		return res, err
	}
	var held []models.StackResource
	if raw := run.Output(o.step(stepObjectRemove), "held"); raw != "" {
		if err := json.Unmarshal([]byte(raw), &held); err != nil {
			return absent, fmt.Errorf("read what the baseline of %s held: %w", e.name(), err)
		}
	}
	known, err := proofs(run)
	if err != nil {
		return absent, err
	}
	r, late := o.receipt(run, models.Stack{TenantID: run.ObjectID, Resources: held}, seen)
	r.Left, late = others(r.Left, known, late)
	if len(late) > 0 && run.Waited < e.clients.FreshFor/3 {
		return provisioners.Result{Found: provisioners.Working, Waiting: aws(lateWords(late))}, nil
	}
	p := proof{Gone: r.Gone, Left: r.Left, CannotSee: append(r.CannotSee, stillListed(late)...), Emptied: r.Emptied}
	for _, region := range r.ScannedIn {
		p.ScannedIn = append(p.ScannedIn, e.name()+" in "+region)
	}
	if closedBy(run.Plan, e.part.Account) {
		p.Left = withAccount(p.Left)
	}
	return p.result(provisioners.Result{Found: provisioners.Present, Events: []provisioners.Event{{Key: "scan", Level: "info", At: e.clients.Clock.Now(),
		Text: fmt.Sprintf("Searched %s: %d things are left", strings.Join(r.ScannedIn, ", "), len(r.Left))}}})
}

// others are the things that no other step has named. What one of them has seen deleted is late: only AWS's index of tags still knows it.
func others(left []models.ReceiptLine, known map[string]proof, late []string) ([]models.ReceiptLine, []string) {
	var own []models.ReceiptLine
	for _, l := range left {
		found := scanned{ARN: l.ID}
		is := func(k models.ReceiptLine) bool { return k.ID == l.ID || found.named(k.ID) }
		kept, gone := false, false
		for _, p := range known {
			kept = kept || slices.ContainsFunc(p.Left, is)
			gone = gone || slices.ContainsFunc(p.Gone, is)
		}
		switch {
		case kept:
		case gone:
			late = append(late, l.ID)
		default:
			own = append(own, l)
		}
	}
	return own, late
}

// receiptOf writes the receipt of the whole tenant: what each step has proven, and what becomes of the accounts.
func (c *Closing) receiptOf(e ending, plan models.Plan) provisioners.Step {
	return provisioners.Step{Name: stepEndReceipt, Title: "Write the receipt of " + e.tenant(), Part: "Slipway", Stays: "the receipt of what was deleted",
		Find: func(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
			found, err := proofs(run)
			if err != nil {
				return absent, err
			}
			r := models.Receipt{ID: models.NewID(), ObjectType: models.TenantObject, ObjectID: run.ObjectID, ObjectName: plan.Content.Object, TenantID: run.ObjectID, RequestID: run.RequestID, At: c.clients.Clock.Now()}
			for _, step := range sortedKeys(found) {
				p := found[step]
				r.Gone, r.Left, r.Emptied = append(r.Gone, p.Gone...), append(r.Left, p.Left...), append(r.Emptied, p.Emptied...)
				r.CannotSee = unique(append(r.CannotSee, p.CannotSee...))
				if strings.HasPrefix(step, stepScan) {
					r.ScannedIn = append(r.ScannedIn, p.ScannedIn...)
				}
			}
			for _, part := range plan.Content.Parts {
				if part.Tags[tagAccountRow] != "" && part.Account != "" {
					r.Left = append(r.Left, ending{Closing: c, part: part}.line())
				}
			}
			return present, c.books.WriteReceipt(ctx, actorOf(run), r)
		}}
}

// line is what the receipt says of the account itself.
func (e ending) line() models.ReceiptLine {
	l := models.ReceiptLine{LogicalID: e.name(), ID: e.part.Account, Type: "AWS account"}
	if _, ok := e.change(e.step(stepRelease)); ok {
		l.Why, l.Cost = "It was there before Slipway and stays open, with what Slipway did not make in it.", "by what is in it"
		return l
	}
	l.Why, l.Cost = "It is closed after this receipt: AWS keeps it for 90 days, in which AWS Support can open it again.", "0"
	return l
}
