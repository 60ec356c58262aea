package awssim

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// describeTargetHealth: the targets are the tasks of the services that name the group.
func describeTargetHealth(ctx context.Context, c *Call, in *elb.DescribeTargetHealthInput) (*elb.DescribeTargetHealthOutput, error) {
	if err := c.may(ctx, "*", nil); err != nil {
		return nil, err
	}
	group, err := c.thing(ctx, c.Account, c.Region, elbGroup, aws.ToString(in.TargetGroupArn))
	if err != nil {
		return nil, err
	}
	if group == nil {
		return nil, refuse(http.StatusBadRequest, "TargetGroupNotFound", "One or more target groups not found")
	}
	all, err := c.targetsOf(ctx, group)
	if err != nil {
		return nil, err
	}
	out := &elb.DescribeTargetHealthOutput{TargetHealthDescriptions: []elbtypes.TargetHealthDescription{}}
	for _, d := range all {
		if len(in.Targets) == 0 || slices.ContainsFunc(in.Targets, func(t elbtypes.TargetDescription) bool { return aws.ToString(t.Id) == *d.Target.Id }) {
			out.TargetHealthDescriptions = append(out.TargetHealthDescriptions, d)
		}
	}
	return out, nil
}

func (c *Call) targetsOf(ctx context.Context, group *thing) ([]elbtypes.TargetHealthDescription, error) {
	services, err := c.things(ctx, `account = $1 AND region = $2 AND type = $3`, group.Account, group.Region, ecsService)
	if err != nil {
		return nil, err
	}
	var out []elbtypes.TargetHealthDescription
	for _, s := range services {
		for _, b := range listOf(s.Properties["LoadBalancers"]) {
			if textOf(b["TargetGroupArn"]) != group.ARN {
				continue
			}
			tasks, err := c.tasks(ctx, s, c.Now)
			if err != nil {
				return nil, err
			}
			sick, err := c.sickTargets(ctx, s, int32(numberOf(b["ContainerPort"], 80)))
			if err != nil {
				return nil, err
			}
			out = append(out, sick...)
			for _, t := range tasks {
				d, ok := c.health(t, int32(numberOf(b["ContainerPort"], 80)))
				if ok {
					out = append(out, d)
				}
			}
		}
	}
	return out, nil
}

// sickTargets are the tasks of a service that start and end again: while one is there, it fails
// its checks.
func (c *Call) sickTargets(ctx context.Context, s *thing, port int32) ([]elbtypes.TargetHealthDescription, error) {
	now, err := c.runs(ctx, s, c.Now)
	if err != nil || !now.crash {
		return nil, err
	}
	subnets := texts(mapOf(mapOf(s.Properties["NetworkConfiguration"])["AwsvpcConfiguration"])["Subnets"])
	var out []elbtypes.TargetHealthDescription
	for i := 0; i < now.desired && len(subnets) > 0; i++ {
		face, err := c.inSubnet(ctx, s.Account, s.Region, subnets[i%len(subnets)], c.taskID(s, now.definition, now.failed+i))
		if err != nil {
			return nil, err
		}
		out = append(out, elbtypes.TargetHealthDescription{Target: &elbtypes.TargetDescription{Id: aws.String(face.IP), Port: &port}, HealthCheckPort: aws.String(fmt.Sprint(port)),
			TargetHealth: &elbtypes.TargetHealth{State: elbtypes.TargetHealthStateEnumUnhealthy, Reason: elbtypes.TargetHealthReasonEnumFailedHealthChecks, Description: aws.String("Health checks failed")}})
	}
	return out, nil
}

func (c *Call) health(t task, port int32) (elbtypes.TargetHealthDescription, bool) {
	d := elbtypes.TargetHealthDescription{Target: &elbtypes.TargetDescription{Id: aws.String(t.face.IP), Port: &port}, HealthCheckPort: aws.String(fmt.Sprint(port)), TargetHealth: &elbtypes.TargetHealth{State: elbtypes.TargetHealthStateEnumHealthy}}
	switch {
	case t.face.IP == "":
		return d, false
	case t.status == "PENDING":
		d.TargetHealth = &elbtypes.TargetHealth{State: elbtypes.TargetHealthStateEnumInitial, Reason: elbtypes.TargetHealthReasonEnumInitialHealthChecking, Description: aws.String("Initial health checks in progress")}
	}
	return d, true
}

func describeListeners(ctx context.Context, c *Call, in *elb.DescribeListenersInput) (*elb.DescribeListenersOutput, error) {
	if err := c.may(ctx, "*", nil); err != nil {
		return nil, err
	}
	all, err := c.own(ctx, elbListener)
	if err != nil {
		return nil, err
	}
	if in.LoadBalancerArn != nil {
		b, err := c.thing(ctx, c.Account, c.Region, elbBalancer, *in.LoadBalancerArn)
		if err != nil {
			return nil, err
		}
		if b == nil {
			return nil, refuse(http.StatusBadRequest, "LoadBalancerNotFound", "One or more load balancers not found")
		}
	}
	all = slices.DeleteFunc(all, func(t *thing) bool {
		return (in.LoadBalancerArn != nil && balancerOf(t.ARN) != *in.LoadBalancerArn) || (len(in.ListenerArns) > 0 && !slices.Contains(in.ListenerArns, t.ARN))
	})
	if len(all) < len(in.ListenerArns) {
		return nil, refuse(http.StatusBadRequest, "ListenerNotFound", "One or more listeners not found")
	}
	some, next, err := page(all, in.Marker, in.PageSize, 400)
	if err != nil {
		return nil, invalid("Invalid marker")
	}
	out := &elb.DescribeListenersOutput{NextMarker: next, Listeners: []elbtypes.Listener{}}
	for _, t := range some {
		p := t.Properties
		one := elbtypes.Listener{ListenerArn: &t.ARN, LoadBalancerArn: aws.String(balancerOf(t.ARN)), Port: aws.Int32(int32(numberOf(p["Port"], 0))), Protocol: elbtypes.ProtocolEnum(textOf(p["Protocol"])), SslPolicy: optional(textOf(p["SslPolicy"]))}
		for _, given := range listOf(p["Certificates"]) {
			one.Certificates = append(one.Certificates, elbtypes.Certificate{CertificateArn: aws.String(textOf(given["CertificateArn"]))})
		}
		for _, a := range listOf(p["DefaultActions"]) {
			action := elbtypes.Action{Type: elbtypes.ActionTypeEnum(textOf(a["Type"])), TargetGroupArn: optional(textOf(a["TargetGroupArn"]))}
			if f := mapOf(a["ForwardConfig"]); f != nil {
				action.ForwardConfig = &elbtypes.ForwardActionConfig{}
				for _, g := range listOf(f["TargetGroups"]) {
					action.ForwardConfig.TargetGroups = append(action.ForwardConfig.TargetGroups, elbtypes.TargetGroupTuple{TargetGroupArn: aws.String(textOf(g["TargetGroupArn"])), Weight: aws.Int32(int32(numberOf(g["Weight"], 1)))})
				}
			}
			one.DefaultActions = append(one.DefaultActions, action)
		}
		out.Listeners = append(out.Listeners, one)
	}
	return out, nil
}
