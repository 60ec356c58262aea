package aws

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"slipway/models"
	"slipway/models/blueprint"
	"slipway/provisioners"
)

// Types whose deletion needs a closer look.
const (
	bucketType     = "AWS::S3::Bucket"
	repositoryType = "AWS::ECR::Repository"
	keyType        = "AWS::KMS::Key"
	logGroupType   = "AWS::Logs::LogGroup"
	secretType     = "AWS::SecretsManager::Secret"
)

// protectionInput is the input by which a blueprint lets people switch its protection against deletion off.
const protectionInput = "DeletionProtection"

// liveStack is a stack as it is now, before it is deleted.
type liveStack struct {
	cfn.Stack
	resources []liveResource // by logical id
}

// liveResource is one resource of it.
type liveResource struct {
	id, physical, typ, status, reason string
	policy                            string // what its template says becomes of it
	properties                        map[string]any
}

// stays tells whether its template keeps it when the stack goes.
func (r liveResource) stays() bool { return strings.HasPrefix(r.policy, "Retain") }

// protected tells whether AWS refuses to delete it until its protection is switched off.
func (r liveResource) protected() bool {
	for _, name := range []string{"DeletionProtection", "DeletionProtectionEnabled"} {
		if text(r.properties[name]) == "true" {
			return true
		}
	}
	list, _ := r.properties["LoadBalancerAttributes"].([]any)
	for _, item := range list {
		if m, _ := item.(map[string]any); text(m["Key"]) == "deletion_protection.enabled" && text(m["Value"]) == "true" {
			return true
		}
	}
	return false
}

// note says what the deletion means, where it is more than that the resource is gone.
func (r liveResource) note() string {
	switch {
	case r.policy == "Snapshot":
		return "A snapshot of it stays in the account."
	case r.typ == keyType:
		days := text(r.properties["PendingWindowInDays"])
		if r.properties["PendingWindowInDays"] == nil {
			days = "30"
		}
		return "What it encrypts cannot be read any more. AWS deletes it after " + days + " days; until then it can be brought back."
	case r.typ == bucketType:
		return "Its name is free again, for anybody."
	case r.typ == logGroupType:
		return "Its logs are lost."
	case r.typ == secretType:
		return "Its value is lost."
	}
	return ""
}

// liveStack reads the object's stack with all that is in it; nil when there is none. One that belongs to somebody else is refused, one
// that CloudFormation works on is waited for.
func (o object) liveStack(ctx context.Context, w who) (*liveStack, error) {
	st, err := o.clients.readStack(ctx, models.Stack{Account: o.part.Account, Region: o.part.Region, Name: o.part.StackName}, w)
	if err != nil || st == nil {
		return nil, err
	}
	status := st.StackStatus
	if strings.HasSuffix(string(status), "_IN_PROGRESS") && status != cfn.StackStatusReviewInProgress {
		return nil, provisioners.Wait{For: "AWS", Words: "CloudFormation to end what it is doing with stack " + o.part.StackName}
	}
	if err := o.foreign(st); err != nil {
		return nil, err
	}
	live := &liveStack{Stack: *st}
	if status == cfn.StackStatusReviewInProgress {
		return live, nil
	}
	if live.resources, err = o.liveResources(ctx, w); err != nil {
		return nil, err
	}
	return live, o.readPolicies(ctx, w, live)
}

// liveResources lists what is in the stack, by logical id; what is deleted already is left out.
func (o object) liveResources(ctx context.Context, w who) ([]liveResource, error) {
	api := o.clients.reader(o.part.Account, o.part.Region, o.part.StackName, w)
	var found []liveResource
	var next *string
	for {
		out, err := api.ListStackResources(ctx, &cloudformation.ListStackResourcesInput{StackName: &o.part.StackName, NextToken: next})
		if noStack(err) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		for _, r := range out.StackResourceSummaries {
			if r.ResourceStatus != cfn.ResourceStatusDeleteComplete {
				found = append(found, liveResource{id: sdk.ToString(r.LogicalResourceId), physical: sdk.ToString(r.PhysicalResourceId), typ: sdk.ToString(r.ResourceType),
					status: string(r.ResourceStatus), reason: sdk.ToString(r.ResourceStatusReason), policy: "Delete"})
			}
		}
		if next = out.NextToken; next == nil {
			slices.SortFunc(found, func(a, b liveResource) int { return strings.Compare(a.id, b.id) })
			return found, nil
		}
	}
}

// readPolicies reads what the stack's own template says of each resource.
func (o object) readPolicies(ctx context.Context, w who, st *liveStack) error {
	out, err := o.clients.reader(o.part.Account, o.part.Region, o.part.StackName, w).GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: &o.part.StackName, TemplateStage: cfn.TemplateStageOriginal})
	if err != nil {
		return err
	}
	t, err := blueprint.Parse([]byte(sdk.ToString(out.TemplateBody)))
	if err != nil {
		return finalf("The template of stack %s cannot be read: %v.", "Somebody else has changed the stack. Put it back to its blueprint, then plan again.", o.part.StackName, err)
	}
	given := map[string]string{}
	for _, p := range st.Parameters {
		given[sdk.ToString(p.ParameterKey)] = sdk.ToString(p.ParameterValue)
	}
	physical := map[string]string{}
	for _, r := range st.resources {
		physical[r.id] = r.physical
	}
	resolved, err := t.Resolve(blueprint.Inputs{Parameters: given, Account: o.part.Account, Region: o.part.Region, StackName: o.part.StackName, StackID: sdk.ToString(st.StackId),
		Partition: o.clients.partition, Masked: true, Attr: func(id, attr string) (any, bool) {
			v, ok := physical[id]
			return v, ok && attr == "Ref"
		}})
	for i, r := range st.resources {
		for _, declared := range t.Resources {
			if declared.ID == r.id && declared.DeletionPolicy != "" {
				st.resources[i].policy = declared.DeletionPolicy
			}
		}
		if err == nil {
			known, _ := resolved.Find(r.id)
			st.resources[i].properties = known.Properties
		}
	}
	if err != nil { // the policies stand in the file; only protection and times are not known
		o.clients.Logger.WarnContext(ctx, "template not resolved before a deletion", "stack", o.part.StackName, "account", o.part.Account, "err", err)
	}
	return nil
}

// deletable looks for what keeps a stack from being deleted at all.
func (o object) deletable(ctx context.Context, w who, st *liveStack, wish wishes) error {
	if sdk.ToBool(st.EnableTerminationProtection) {
		return finalf("Stack %s in account %s is protected against deletion.", "Somebody has switched its termination protection on. Find out why; if it may go, switch it off in the account "+
			"(aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name "+o.part.StackName+"), then plan again.", o.part.StackName, o.part.Account)
	}
	var unknown, guarded []string
	for _, id := range wish.retain {
		if !slices.ContainsFunc(st.resources, func(r liveResource) bool { return r.id == id }) {
			unknown = append(unknown, id)
		}
	}
	for _, r := range st.resources {
		if r.protected() && !r.stays() && !slices.Contains(wish.retain, r.id) {
			guarded = append(guarded, r.id+" ("+r.typ+")")
		}
	}
	switch {
	case len(unknown) > 0:
		return finalf("There is no %s in stack %s to keep.", "Name resources that the stack still holds.", some(unknown), o.part.StackName)
	case len(wish.retain) > 0 && st.StackStatus != cfn.StackStatusDeleteFailed:
		return finalf("Stack %s is %s: resources can be kept only after a deletion has failed.", "Ask for the deletion without keeping anything.", o.part.StackName, st.StackStatus)
	case len(guarded) > 0:
		next := "Switch the protection off in the account, then plan again."
		if slices.ContainsFunc(st.Parameters, func(p cfn.Parameter) bool { return sdk.ToString(p.ParameterKey) == protectionInput }) {
			next = "Update it with " + protectionInput + " disabled (under Advanced), then ask for the deletion again."
		}
		return finalf("AWS would refuse to delete what is protected: %s.", next, some(guarded))
	}
	return o.notImported(ctx, w, st)
}

// notImported refuses a stack whose exports others have imported.
func (o object) notImported(ctx context.Context, w who, st *liveStack) error {
	api := o.clients.reader(o.part.Account, o.part.Region, o.part.StackName, w)
	var used []string
	for _, out := range st.Outputs {
		if out.ExportName == nil {
			continue
		}
		importing, err := api.ListImports(ctx, &cloudformation.ListImportsInput{ExportName: out.ExportName})
		if is(err, "ValidationError") && strings.Contains(err.Error(), "not imported") {
			continue
		}
		if err != nil {
			return err
		}
		for _, name := range importing.Imports {
			used = append(used, fmt.Sprintf("stack %s imports %s", name, *out.ExportName))
		}
	}
	if len(used) > 0 {
		return provisioners.Final{Failure: models.Failure{What: capital(o.words()) + " is still in use.", Cause: capital(some(used)) + ".", Owner: requester, Next: "Delete or change those stacks first, then plan again."}}
	}
	return nil
}

// wasEstimated is what the object was estimated to cost when it was last changed.
func (o object) wasEstimated(ctx context.Context) (*models.Estimate, error) {
	switch o.typ {
	case models.EnvironmentObject:
		e, err := o.books.Environment(ctx, o.id())
		return e.Estimate, err
	case models.ServiceObject:
		v, err := o.books.Service(ctx, o.id())
		return v.Estimate, err
	case models.ConnectionObject:
		c, err := o.books.Connection(ctx, o.id())
		return c.Estimate, err
	case models.PipelineObject:
		p, err := o.books.Pipeline(ctx, o.id())
		return p.Estimate, err
	case models.ZoneObject, models.IdentityProviderObject: // their costs stand in the estimate of what they were made with
		return nil, nil
	}
	n, err := o.books.Network(ctx, o.id())
	return n.Estimate, err
}

// costGone is what is no longer paid for.
func costGone(e *models.Estimate, part string) []models.CostLine {
	var lines []models.CostLine
	if e == nil {
		return nil
	}
	for _, l := range e.Lines {
		lines = append(lines, models.CostLine{Item: l.Item, Part: part, Now: l.Planned, Planned: decimal.Zero})
	}
	return lines
}
