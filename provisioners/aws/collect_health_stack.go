package aws

import (
	"context"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"slipway/models"
)

// servicesAtOnce is how many services ECS describes in one call.
const servicesAtOnce = 10

// stacks reads how CloudFormation says that each stack stands. It is asked by id: a deleted stack is still known by it.
func (l *look) stacks(ctx context.Context) error {
	api := cloudformation.NewFromConfig(l.config)
	for _, e := range l.all {
		status, reason := "", ""
		var since time.Time
		g, err := l.ask("DescribeStacks", "its stack", func() error {
			out, err := api.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &e.Stack.StackID})
			if noStack(err) {
				return nil
			}
			if err == nil && len(out.Stacks) == 1 {
				st := out.Stacks[0]
				status, reason = string(st.StackStatus), sdk.ToString(st.StackStatusReason)
				if since = sdk.ToTime(st.LastUpdatedTime); since.IsZero() {
					since = sdk.ToTime(st.CreationTime)
				}
			}
			return err
		})
		if err != nil {
			return err
		}
		if g != nil {
			e.found(models.GapVital(models.VitalStack, e.Stack.Name, e.Stack.StackID, *g))
			continue
		}
		e.found(models.JudgeStack(e.Stack.Name, status, reason, since))
	}
	return nil
}

// ofService is a service of an environment.
type ofService struct {
	of  *looked
	arn string
}

func (s ofService) name() string { return s.arn[strings.LastIndexByte(s.arn, '/')+1:] }

// clustersOf sorts the services of all environments by their cluster, as their ARNs name it.
func (l *look) clustersOf() (names []string, by map[string][]ofService) {
	by = map[string][]ofService{}
	for _, e := range l.all {
		for _, r := range e.resources("AWS::ECS::Service") {
			cluster := ""
			if parts := strings.Split(r.PhysicalID, "/"); len(parts) == 3 {
				cluster = parts[1]
			} else if own := e.resources("AWS::ECS::Cluster"); len(own) > 0 { // an ARN of the old kind
				cluster = own[0].PhysicalID
			}
			if by[cluster] == nil {
				names = append(names, cluster)
			}
			by[cluster] = append(by[cluster], ofService{e, r.PhysicalID})
		}
	}
	return names, by
}

// services reads how many tasks run, and the deployment that is under way: up to ten services of a cluster in one call.
func (l *look) services(ctx context.Context) error {
	api := ecs.NewFromConfig(l.config)
	names, by := l.clustersOf()
	for _, cluster := range names {
		for all := by[cluster]; len(all) > 0; all = all[min(len(all), servicesAtOnce):] {
			some := all[:min(len(all), servicesAtOnce)]
			in := &ecs.DescribeServicesInput{Services: make([]string, len(some))}
			if cluster != "" {
				in.Cluster = &cluster
			}
			for i, s := range some {
				in.Services[i] = s.arn
			}
			var out *ecs.DescribeServicesOutput
			g, err := l.ask("DescribeServices", "its tasks", func() (err error) {
				out, err = api.DescribeServices(ctx, in)
				return err
			})
			if err != nil {
				return err
			}
			for _, s := range some {
				if g != nil {
					s.of.found(models.GapVital(models.VitalTasks, s.name(), s.arn, *g))
				} else {
					s.of.found(l.tasks(s, out.Services))
				}
			}
		}
	}
	return nil
}

// tasks is what ECS says of one service; one that it does not know any more is gone.
func (l *look) tasks(s ofService, all []ecstypes.Service) models.Vital {
	for _, found := range all {
		if sdk.ToString(found.ServiceArn) != s.arn || sdk.ToString(found.Status) == "INACTIVE" {
			continue
		}
		var rollout *models.Rollout
		for _, d := range found.Deployments {
			if sdk.ToString(d.Status) == "PRIMARY" {
				rollout = &models.Rollout{State: string(d.RolloutState), Reason: clip(sdk.ToString(d.RolloutStateReason), 300), Began: sdk.ToTime(d.CreatedAt), Failed: int(d.FailedTasks)}
			}
		}
		return models.JudgeTasks(s.name(), s.arn, int(found.RunningCount), int(found.DesiredCount), rollout, l.now)
	}
	return models.Vital{Kind: models.VitalTasks, Name: s.name(), ID: s.arn, State: models.Failing, Words: "The service is gone"}
}

// targets reads how many targets take requests, over all target groups of an environment: in a blue/green one only one of them serves.
func (l *look) targets(ctx context.Context) error {
	api := elb.NewFromConfig(l.config)
	for _, e := range l.all {
		groups := e.resources("AWS::ElasticLoadBalancingV2::TargetGroup")
		if len(groups) == 0 {
			continue
		}
		healthy, all, starting := 0, 0, 0
		var missed *models.ReadGap
		for _, group := range groups {
			g, err := l.ask("DescribeTargetHealth", "its targets", func() error {
				out, err := api.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: &group.PhysicalID})
				if err != nil {
					return err
				}
				h, n, s := countTargets(out.TargetHealthDescriptions)
				healthy, all, starting = healthy+h, all+n, starting+s
				return nil
			})
			if err != nil {
				return err
			}
			if g != nil {
				missed = g
			}
		}
		if missed != nil {
			e.found(models.GapVital(models.VitalTargets, "targets", "", *missed))
			continue
		}
		e.found(models.JudgeTargets("targets", healthy, all, starting, e.service()))
	}
	return nil
}

// service is what was found of the environment's tasks; nil: it has none.
func (e *looked) service() *models.Vital {
	for _, v := range e.vitals {
		if v.Kind == models.VitalTasks {
			return &v
		}
	}
	return nil
}

// countTargets leaves out those that are on their way out or serve nothing.
func countTargets(list []elbtypes.TargetHealthDescription) (healthy, all, starting int) {
	for _, d := range list {
		if d.TargetHealth == nil {
			continue
		}
		switch d.TargetHealth.State {
		case elbtypes.TargetHealthStateEnumDraining, elbtypes.TargetHealthStateEnumUnused:
			continue
		case elbtypes.TargetHealthStateEnumHealthy:
			healthy++
		case elbtypes.TargetHealthStateEnumInitial:
			starting++
		}
		all++
	}
	return healthy, all, starting
}

// certificates reads until when certificates are good, twice a day at most: nothing else of them changes.
func (l *look) certificates(ctx context.Context) error {
	api := acm.NewFromConfig(l.config)
	for _, e := range l.all {
		for _, r := range e.resources("AWS::CertificateManager::Certificate") {
			if was, ok := e.was(models.VitalCertificate, r.PhysicalID); ok && was.Gap == nil && !was.Expires.IsZero() && was.State != models.Failing && l.now.Sub(was.ReadAt) < certificateIs {
				again := models.JudgeCertificate(r.LogicalID, r.PhysicalID, "ISSUED", was.Expires, l.now)
				again.ReadAt = was.ReadAt
				e.found(again)
				continue
			}
			status := ""
			var expires time.Time
			g, err := l.ask("DescribeCertificate", "its certificate", func() error {
				out, err := api.DescribeCertificate(ctx, &acm.DescribeCertificateInput{CertificateArn: &r.PhysicalID})
				if err == nil && out.Certificate != nil {
					status, expires = string(out.Certificate.Status), sdk.ToTime(out.Certificate.NotAfter)
				}
				return err
			})
			if err != nil {
				return err
			}
			if g != nil {
				e.found(models.GapVital(models.VitalCertificate, r.LogicalID, r.PhysicalID, *g))
				continue
			}
			e.found(models.JudgeCertificate(r.LogicalID, r.PhysicalID, status, expires, l.now))
		}
	}
	return nil
}
