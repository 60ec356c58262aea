package aws

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"

	"slipway/models"
)

const (
	healthEvery   = 5 * time.Minute
	healthAtOnce  = 5 // environments of one call of a round: some twenty calls to AWS, paced
	signalJob     = "signals"
	certificateIs = 12 * time.Hour // so long what is known of a certificate is not asked for again
)

// lookAtHealth is what the collector of health may do of what slipway-read may.
var lookAtHealth = policy(statement{Action: []string{"cloudformation:DescribeStacks", "ecs:DescribeServices", "elasticloadbalancing:DescribeTargetHealth", "cloudwatch:DescribeAlarms", "cloudwatch:DescribeAlarmHistory",
	"acm:DescribeCertificate"}})

// Watched lists living environments of a target in the order of their ids, after one of them.
type Watched interface {
	Watched(ctx context.Context, target models.CollectTarget, after string, limit int) ([]models.WatchedEnvironment, error)
}

// Health reads how environments run: one target is an account and region. Which resources are an environment's comes from what is kept of
// its stack, so that nothing is searched for. None of its calls is charged.
type Health struct {
	clients *Clients
	book    Watched
}

// NewHealth makes the collector.
func NewHealth(c *Clients, book Watched) *Health { return &Health{c, book} }

// Info says what it reads and how often.
func (h *Health) Info() models.CollectorInfo {
	return models.CollectorInfo{Name: models.CollectHealth, Title: "Health of environments", Words: "Stacks, tasks, targets, alarms and certificates of every environment. AWS charges for none of it.",
		Source: "CloudFormation, ECS, Elastic Load Balancing, CloudWatch, ACM", Every: healthEvery, Scope: models.OverAccounts}
}

// Collect reads the next few environments of a target. What AWS refuses or does not answer is a gap of those parts that needed it: an
// error is only what AWS has no part in.
func (h *Health) Collect(ctx context.Context, target models.CollectTarget) (models.Reading, error) {
	after := ""
	if len(target.Cursor) > 0 {
		if err := json.Unmarshal(target.Cursor, &after); err != nil {
			return models.Reading{}, fmt.Errorf("read where the round of health was: %w", err)
		}
	}
	list, err := h.book.Watched(ctx, target, after, healthAtOnce)
	if err != nil {
		return models.Reading{}, err
	}
	l := &look{target: target, now: h.clients.Clock.Wall(), barred: map[string]models.ReadGap{}, config: h.clients.spoke(target.AWSID, target.Region, "read", lookAtHealth, who{job: signalJob})}
	for _, w := range list {
		l.all = append(l.all, &looked{WatchedEnvironment: w})
	}
	for _, part := range []func(context.Context) error{l.stacks, l.services, l.targets, l.alarms, l.certificates} {
		if err := part(ctx); err != nil {
			return models.Reading{}, err
		}
	}
	reading := models.Reading{Source: signalJob, Gaps: l.gaps}
	if l.read || len(list) == 0 {
		reading.At = l.now
	}
	for _, e := range l.all {
		reading.Environments = append(reading.Environments, models.EnvironmentReading{EnvironmentID: e.ID, Vitals: e.vitals, Changes: e.changes})
	}
	if len(list) == healthAtOnce {
		if reading.Next, err = json.Marshal(list[len(list)-1].ID); err != nil {
			return models.Reading{}, fmt.Errorf("keep where the round of health is: %w", err)
		}
	}
	return reading, nil
}

// look is one call of a round: some environments of one account and region.
type look struct {
	target models.CollectTarget
	config sdk.Config
	now    time.Time
	all    []*looked
	barred map[string]models.ReadGap // calls that were refused or not answered: not made again in this look
	gaps   []models.ReadGap          // each once
	read   bool                      // AWS has answered something
}

// looked is an environment with what was found of it.
type looked struct {
	models.WatchedEnvironment
	vitals  []models.Vital
	changes []models.AlarmChange
}

// resources lists the environment's resources of a type that exist.
func (e *looked) resources(kind string) []models.StackResource {
	return slices.DeleteFunc(slices.Clone(e.Stack.Resources), func(r models.StackResource) bool {
		return r.Type != kind || r.PhysicalID == "" || strings.HasPrefix(r.Status, "DELETE_COMPLETE")
	})
}

// was is what the round before found of something.
func (e *looked) was(kind models.VitalKind, id string) (models.Vital, bool) {
	i := slices.IndexFunc(e.Vitals, func(v models.Vital) bool { return v.Kind == kind && v.ID == id })
	if i < 0 {
		return models.Vital{}, false
	}
	return e.Vitals[i], true
}

func (e *looked) found(v models.Vital) { e.vitals = append(e.vitals, v) }

// ask makes a call. What AWS says against it is a gap; a call that AWS refused or did not answer is not made again in this look, so that an
// account that denies everything costs a handful of calls. An error is only what AWS has no part in.
func (l *look) ask(call, what string, do func() error) (*models.ReadGap, error) {
	g, barred := l.barred[call]
	if barred {
		g.What = what
	} else {
		err := do()
		if err == nil {
			l.read = true
			return nil, nil
		}
		var ok bool
		if g, ok = gap(what, err); !ok {
			return nil, err
		}
		if g.Kind == models.GapAbsent {
			l.read = true
		} else {
			l.barred[call] = g
		}
	}
	if !slices.ContainsFunc(l.gaps, func(have models.ReadGap) bool {
		return have.What == g.What && have.Kind == g.Kind && have.Permission == g.Permission
	}) {
		l.gaps = append(l.gaps, g)
	}
	return &g, nil
}
