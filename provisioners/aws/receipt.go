package aws

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"slipway/models"
	"slipway/models/blueprint"
	"slipway/models/price"
	"slipway/provisioners"
)

// receiptStep proves the deletion: it looks for everything that carries the object's tag, in every allowed region, and writes down what is
// gone, what is left and what that costs.
func (o object) receiptStep() provisioners.Step {
	return provisioners.Step{Title: "Look for what is left of " + o.words(), Find: o.look(o.findReceipt)}
}

func (o object) findReceipt(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	r, res, err := o.proven(ctx, run)
	if err != nil || r == nil {
		return res, err
	}
	if err := o.books.WriteReceipt(ctx, actorOf(run), *r); err != nil {
		return absent, err
	}
	return res, o.keepLeft(ctx, run, *r)
}

// proven searches the account and sorts what it finds into a receipt; nil while it is not done.
func (o object) proven(ctx context.Context, run *provisioners.Run) (*models.Receipt, provisioners.Result, error) {
	row, err := o.books.StackOf(ctx, o.id())
	if err != nil {
		return nil, absent, err
	}
	var seen scan
	if o.part.StackName != "" { // a registered network was never tagged
		var res provisioners.Result
		if seen, res, err = o.scanStep(ctx, run, models.TagObject, o.id()); err != nil || !seen.ended {
			return nil, res, err
		}
	}
	r, late := o.receipt(run, row, seen)
	if len(late) > 0 && run.Waited < o.clients.FreshFor/3 {
		return nil, provisioners.Result{Found: provisioners.Working, Cursor: nil, Waiting: aws(lateWords(late))}, nil
	}
	r.CannotSee = append(r.CannotSee, stillListed(late)...)
	if err := o.addZone(ctx, row, &r); err != nil {
		return nil, absent, err
	}
	return &r, provisioners.Result{Found: provisioners.Present, Outputs: map[string]string{"gone": fmt.Sprint(len(r.Gone)), "left": fmt.Sprint(len(r.Left))},
		Events: []provisioners.Event{{Key: "receipt", Level: "info", At: o.clients.Clock.Now(), Text: fmt.Sprintf("Receipt: %d things are gone, %d are left", len(r.Gone), len(r.Left))}}}, nil
}

func lateWords(late []string) string {
	return "its index of tags to notice that " + some(late) + " is gone"
}

func stillListed(late []string) []string {
	var said []string
	for _, arn := range late {
		said = append(said, fmt.Sprintf("AWS's index of tags still lists %s, which CloudFormation has deleted.", arn))
	}
	return said
}

// keepLeft writes the stack's end into its row, with what is left of it.
func (o object) keepLeft(ctx context.Context, run *provisioners.Run, r models.Receipt) error {
	return o.books.SaveStack(ctx, actorOf(run), o.id(), func(st *models.Stack) {
		st.Status, st.Reason, st.StatusAt = "DELETE_COMPLETE", "", o.clients.Clock.Wall()
		st.Resources = slices.DeleteFunc(st.Resources, func(k models.StackResource) bool {
			return !slices.ContainsFunc(r.Left, func(l models.ReceiptLine) bool { return l.LogicalID == k.LogicalID })
		})
	})
}

// receipt sorts what there was by what became of it. late are things that were deleted, but that AWS's index of tags still lists.
func (o object) receipt(run *provisioners.Run, row models.Stack, seen scan) (r models.Receipt, late []string) {
	r = models.Receipt{ID: models.NewID(), ObjectType: o.typ, ObjectID: o.id(), ObjectName: o.name(), TenantID: row.TenantID, RequestID: run.RequestID,
		ScannedIn: seen.Seen, CannotSee: slices.Clone(seen.Unseen), At: o.clients.Clock.Now()}
	planned := map[string]models.Change{}
	for _, ch := range o.part.Changes {
		if ch.Step != o.step(stepObjectEmpty) {
			planned[ch.LogicalID] = ch
		}
	}
	used := map[string]bool{}
	for _, k := range row.Resources {
		at := slices.IndexFunc(seen.Found, func(f scanned) bool { return f.named(k.PhysicalID) })
		line := models.ReceiptLine{LogicalID: k.LogicalID, ID: k.PhysicalID, Type: k.Type}
		if at >= 0 {
			used[seen.Found[at].ARN], line.ID = true, seen.Found[at].ARN
		}
		switch ch, known := planned[k.LogicalID]; {
		case at >= 0 && seen.Found[at].Gone:
			r.Gone = append(r.Gone, line)
		case at >= 0 && !seen.Found[at].Ends.IsZero():
			r.Left = append(r.Left, o.ends(line, seen.Found[at].Ends))
		case known && ch.Action == models.Exists:
			r.Left = append(r.Left, o.kept(line, ch.Note, at >= 0))
		case at >= 0 && k.Type == taskDefinitionType:
			line.Why, line.Cost = "AWS keeps what tasks were defined by; nothing can be started from it.", "0"
			r.Left = append(r.Left, line)
		case at >= 0 && !known:
			r.Left = append(r.Left, o.kept(line, "It is still there, although the stack is not.", true))
		case at >= 0:
			late = append(late, seen.Found[at].ARN)
			r.Gone = append(r.Gone, line)
		default:
			if !known {
				line.Why = "It was gone before."
			}
			r.Gone = append(r.Gone, line)
		}
	}
	for _, f := range seen.Found {
		if !used[f.ARN] && !f.Gone {
			r.Left = append(r.Left, o.stray(f))
		}
	}
	o.addRegistered(&r)
	r.Emptied = emptied(run, o.step(stepObjectEmpty))
	r.CannotSee = append(r.CannotSee, blind(row.Resources)...)
	if seen.More {
		r.CannotSee = append(r.CannotSee, fmt.Sprintf("More than %d things carry its tag; the others are not listed.", scanLines))
	}
	return r, late
}

const taskDefinitionType = "AWS::ECS::TaskDefinition"

// ends is something that AWS deletes by itself on a day.
func (o object) ends(line models.ReceiptLine, day time.Time) models.ReceiptLine {
	line.Why, line.Cost = "AWS deletes it on "+day.Format(time.DateOnly)+"; until then it can be brought back.", "0"
	if line.Type == keyType || strings.HasPrefix(line.Type, "kms") {
		line.Why = "AWS deletes the key on " + day.Format(time.DateOnly) + "; until then it can be brought back."
	}
	return line
}

// kept is something that stays, with what it costs.
func (o object) kept(line models.ReceiptLine, why string, seen bool) models.ReceiptLine {
	if schema, ok := blueprint.Schema(line.Type); ok && schema.TagProperty != "" && !seen && line.ID != "" {
		why += " The scan has not seen it: it may be gone."
	}
	line.Why, line.Cost = why, o.costs(line.Type)
	return line
}

// stray carries the object's tag without having been in its stack.
func (o object) stray(f scanned) models.ReceiptLine {
	line := models.ReceiptLine{ID: f.ARN, Type: f.words()}
	if !f.Ends.IsZero() {
		return o.ends(line, f.Ends)
	}
	line.Why, line.Cost = "It carries the tag, but was not in the stack: left by an earlier deletion, or made by something else.", "not known"
	return line
}

// monthly are the prices of what costs the same whatever it does; by type.
var monthly = map[string]string{keyType: "kms.key", secretType: "secret", "AWS::Route53::HostedZone": "route53.zone", "AWS::CloudWatch::Alarm": "cloudwatch.alarm",
	"AWS::CloudWatch::Dashboard": "cloudwatch.dashboard", "AWS::EC2::NatGateway": "nat.gateway", "AWS::EC2::EIP": "ipv4"}

// byUse are types that cost what is in them or goes through them.
var byUse = map[string]string{bucketType: "by the objects in it", repositoryType: "by the images in it", logGroupType: "by the logs in it"}

// costs is what a thing of a type costs a month: in USD by the price file, or in words.
func (o object) costs(typ string) string {
	if words := byUse[typ]; words != "" {
		return words
	}
	if key := monthly[typ]; key != "" {
		for _, region := range []string{o.part.Region, price.Global} {
			if amount, ok := o.prices.Line(key, region, decimal.NewFromInt(1)); ok {
				return amount.String()
			}
		}
		if amount, ok := o.prices.Line(key, o.prices.Origin, decimal.NewFromInt(1)); ok {
			return fmt.Sprintf("%s (%s list price)", amount, o.prices.Origin)
		}
	}
	return "not known"
}

// emptied is what the empty step counted before it deleted.
func emptied(run *provisioners.Run, step string) []string {
	var said []string
	for k, v := range run.Earlier[step] {
		if strings.HasPrefix(k, "held.") {
			said = append(said, v)
		}
	}
	slices.Sort(said)
	return said
}

// blind says which types no search by tag can find: for them CloudFormation's word counts.
func blind(resources []models.StackResource) []string {
	var types []string
	for _, k := range resources {
		if schema, ok := blueprint.Schema(k.Type); ok && schema.TagProperty == "" && !slices.Contains(types, k.Type) {
			types = append(types, k.Type)
		}
	}
	if len(types) == 0 {
		return nil
	}
	slices.Sort(types)
	return []string{"These types carry no tags, so that no search finds them; that they are gone is CloudFormation's word: " + strings.Join(types, ", ") + "."}
}

// addRegistered lists what was never Slipway's to delete.
func (o object) addRegistered(r *models.Receipt) {
	if o.part.StackName != "" {
		return
	}
	for _, ch := range o.part.Changes {
		if ch.Action == models.Exists {
			r.Left = append(r.Left, models.ReceiptLine{ID: ch.LogicalID, Type: ch.Type, Why: "It was registered; Slipway did not make it.", Cost: "not known"})
		}
	}
}

// addZone lists the account's zone beside a network that goes: it stays, and costs.
func (o object) addZone(ctx context.Context, row models.Stack, r *models.Receipt) error {
	if o.typ != models.NetworkObject || o.named != "" { // the zone goes with the tenant
		return nil
	}
	z, err := o.books.ZoneOf(ctx, row.AccountID)
	if models.KindOf(err) == models.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	r.Left = append(r.Left, models.ReceiptLine{ID: z.Name, Type: zoneType, Why: "It belongs to the account, not to the network.", Cost: o.costs(zoneType)})
	return nil
}
