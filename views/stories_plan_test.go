package views

import (
	"fmt"
	"strings"

	"slipway/models"
	"slipway/views/ui"
)

// stackPlan is the plan of an upgrade: the destructive first, AWS's word at its resource, what the stack is given, the estimate.
func stackPlan() Request {
	r := request(models.AwaitingApproval)
	r.Title, r.MayDecide = "Upgrade environment orders-dev", true
	policy := `{"Version":"2012-10-17","Statement":[` + strings.Repeat(`{"Effect":"Allow","Action":"xray:PutTraceSegments","Resource":"*"},`, 6) + `{"Effect":"Deny","Action":"*","Resource":"*"}]}`
	estimate := ui.EstimateFrom(estimated(), ui.EstimateOptions{ID: "plan-estimate", Folded: true})
	r.Plan.Tally, r.Plan.Total, r.Plan.Estimate, r.Plan.NotEstimated = map[models.Action]int{models.Delete: 1, models.Replace: 1, models.Modify: 2, models.Add: 24}, 28, &estimate, nil
	r.Plan.Problems = []PlanSaid{{Resource: "Listener", Said: ui.Said{Path: "Certificates", Text: "The certificate is in another region.", Fatal: true}}}
	part := PlanPart{ID: "part-1", Name: "Environment orders-dev", Note: "2093-5571-8840, eu-west-1, ecs-web-service@1.1.0, changes the stack", Changes: []ui.Change{
		{ID: "part-1-1", Action: models.Delete, Name: "OldLogs", Type: "AWS::Logs::LogGroup", Tag: "goes for good", Open: true, Note: "Its logs go with it.", Props: []ui.Prop{{Path: "RetentionInDays", Before: ptr("30")}}},
		{ID: "part-1-2", Action: models.Replace, Name: "LoadBalancer", Type: "AWS::ElasticLoadBalancingV2::LoadBalancer", Tag: "new before old", Open: true, Problems: []ui.Said{{Path: "Name", Text: "A load balancer of this name exists.", Fatal: true}, {Text: "Its quota is nearly used up."}},
			Props: []ui.Prop{{Path: "Scheme", Before: ptr("internal"), After: ptr("internet-facing")}, {Path: "Subnets", Before: ptr("subnet-1,subnet-2"), After: ptr("(known once it is made)")}}},
		{ID: "part-1-3", Action: models.Modify, Name: "TaskRole", Type: "AWS::IAM::Role", Open: true, Props: []ui.Prop{{Path: "Policies", Before: ptr(policy), After: ptr(policy + " ")}}},
		{ID: "part-1-4", Action: models.Modify, Name: "Service", Type: "AWS::ECS::Service", Tag: "may be replaced"},
	}, Parameters: []PlanParameter{{Name: "Size", Value: "S", Answered: true}, {Name: "Image"}, {Name: "VpcId", Value: "vpc-0a1b2c3d4e5f67890"}, {Name: "PublicSubnetIds", Value: long}}}
	alarms := ui.Fold{ID: "part-1-add-cloudwatch", Action: models.Add, Title: "24 of CloudWatch"}
	for i := range 24 {
		alarms.Changes = append(alarms.Changes, ui.Change{ID: fmt.Sprintf("part-1-a%d", i), Action: models.Add, Name: fmt.Sprintf("Alarm%d", i), Type: "AWS::CloudWatch::Alarm", Props: []ui.Prop{{Path: "Threshold", After: ptr("1")}}})
	}
	part.Folds = []ui.Fold{alarms}
	r.Plan.Parts = []PlanPart{part}
	return r
}

func planStories() []story {
	done := stackPlan()
	done.State, done.RunID, done.ObjectURL, done.ObjectWord, done.MayDecide = models.Succeeded, id2, "/tenants/payments/environments/orders-dev", "Open the environment", false
	done.Plan.Problems = nil
	return []story{{"request-stack", RequestPage(admin(), stackPlan())}, {"request-stack-done", RequestPage(developer(), done)}}
}
