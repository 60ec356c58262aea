package aws

import (
	"context"
	"fmt"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"slipway/models"
	"slipway/provisioners"
)

// problems is what AWS's validation found, resource by resource.
func (o order) problems(ctx context.Context, s stack, set *cloudformation.DescribeChangeSetOutput) ([]models.PlanProblem, error) {
	if nothing(set) {
		return nil, nil
	}
	var found []models.PlanProblem
	var next *string
	for range eventPages {
		out, err := s.client().DescribeEvents(ctx, &cloudformation.DescribeEventsInput{StackName: &s.name, ChangeSetName: set.ChangeSetName, NextToken: next})
		if err != nil {
			return nil, err
		}
		for _, e := range out.OperationEvents {
			if e.EventType == cfn.EventTypeValidationError {
				found = append(found, models.PlanProblem{LogicalID: sdk.ToString(e.LogicalResourceId), Path: sdk.ToString(e.ValidationPath),
					Message: clip(sdk.ToString(e.ValidationStatusReason), 400), Fatal: e.ValidationFailureMode != cfn.HookFailureModeWarn})
			}
		}
		if next = out.NextToken; next == nil {
			break
		}
	}
	return found, nil
}

// refused is why CloudFormation did not accept what was asked, with what it said of single resources.
func (o object) refused(set *cloudformation.DescribeChangeSetOutput, problems []models.PlanProblem) error {
	cause := clip(sdk.ToString(set.StatusReason), 400)
	var said []string
	for _, p := range problems {
		if p.Fatal && len(said) < 5 {
			said = append(said, fmt.Sprintf("%s: %s", strings.Trim(p.LogicalID+" "+p.Path, " "), strings.TrimRight(p.Message, ". ")))
		}
	}
	if len(said) > 0 {
		cause = strings.Join(said, "; ") + "."
	}
	return provisioners.Final{Failure: models.Failure{What: fmt.Sprintf("CloudFormation does not accept the plan for %s.", o.words()), Cause: cause, Code: string(set.Status),
		Owner: platform, Next: "Read the reason. If what was chosen does not fit, correct the request; if it is the template's fault, correct the blueprint; then plan again."}}
}
