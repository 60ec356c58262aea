package aws

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"slipway/models"
	"slipway/provisioners"
)

// failedByUs tells whether the deletion that failed is the one this run asked for: the stack's newest event carries its token.
func (o object) failedByUs(ctx context.Context, s stack, st *cfn.Stack, run *provisioners.Run) (bool, error) {
	out, err := s.client().DescribeStackEvents(ctx, &cloudformation.DescribeStackEventsInput{StackName: st.StackId})
	if err != nil {
		return false, err
	}
	for _, e := range out.StackEvents {
		if sdk.ToString(e.PhysicalResourceId) == sdk.ToString(st.StackId) {
			return sdk.ToString(e.ClientRequestToken) == o.deleteToken(run), nil
		}
	}
	return false, nil
}

// deleteFailed empties and deletes again what has filled up meanwhile, as far as the plan allows that; else it names what could not be
// deleted and the ways out.
func (o object) deleteFailed(ctx context.Context, run *provisioners.Run, s stack, st *cfn.Stack) (provisioners.Result, error) {
	live, err := o.liveResources(ctx, workOf(run))
	if err != nil {
		return absent, err
	}
	full, err := o.refilled(ctx, run, live)
	if err != nil {
		return absent, err
	}
	key := "again." + strconv.Itoa(run.Attempt)
	if n, _ := strconv.Atoi(run.Outputs[key]); full && n+1 < deletesAtTry {
		return provisioners.Result{Found: provisioners.Onward, Outputs: map[string]string{key: strconv.Itoa(n + 1)}}, nil
	}
	f := models.Failure{What: fmt.Sprintf("Stack %s could not be deleted.", s.name), Cause: clip(sdk.ToString(st.StackStatusReason), 400), Code: string(st.StackStatus), Owner: platform,
		Next: "Cure the cause, then retry: only what is left is deleted. Or delete again and name what shall stay in the account; the receipt then lists it."}
	if o.named != "" {
		f.Next = "Cure the cause, then retry: only what is left is deleted."
	}
	var held, why []string
	for _, r := range live {
		if strings.HasSuffix(r.status, "_FAILED") {
			held = append(held, r.id+" ("+r.typ+")")
			why = append(why, r.id+": "+clip(r.reason, 200))
		}
	}
	if len(held) > 0 {
		f.What = fmt.Sprintf("Stack %s could not be deleted: %s.", s.name, some(held))
		f.Cause = clip(strings.Join(why, "; "), 800)
	}
	return absent, provisioners.Final{Failure: f}
}

// movedResources are the resources that events speak of, as the run's page shows them.
func movedResources(step string, events []cfn.StackEvent) []models.RunResource {
	var order []string
	last := map[string]models.RunResource{}
	for _, e := range events {
		id := sdk.ToString(e.LogicalResourceId)
		if sdk.ToString(e.PhysicalResourceId) == sdk.ToString(e.StackId) {
			continue
		}
		r, known := last[id]
		if !known {
			order = append(order, id)
			r.StartedAt = sdk.ToTime(e.Timestamp)
		}
		r.Step, r.LogicalID, r.PhysicalID, r.Type, r.Status, r.Reason = step, id, sdk.ToString(e.PhysicalResourceId), sdk.ToString(e.ResourceType), string(e.ResourceStatus), clip(sdk.ToString(e.ResourceStatusReason), 400)
		r.EndedAt = time.Time{}
		if !strings.HasSuffix(r.Status, "_IN_PROGRESS") {
			r.EndedAt = sdk.ToTime(e.Timestamp)
		}
		last[id] = r
	}
	var all []models.RunResource
	for _, id := range order {
		all = append(all, last[id])
	}
	return all
}
