package awssim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"slipway/models/blueprint"
)

// behaviour is what the stack engine asks of a resource type. Every member may be left out;
// a type without a behaviour is made, changed and removed in a few seconds and is nothing else.
type behaviour struct {
	// How long AWS takes at speed 1. Zero: eight seconds to make, the same to change, half of
	// it to remove.
	create, update, remove time.Duration
	// everywhere: a physical id is unique in all regions of an account.
	everywhere bool
	// sharesID: several have the same physical id, as record sets of one name and other types.
	sharesID bool
	// identify gives a new resource its physical id and attributes when the operation begins,
	// before it exists: what refers to it is resolved with them. rnd draws the same for the
	// same resource and differently for its replacement.
	identify func(s *cfnStack, r blueprint.ResolvedResource, rnd *rand.Rand) (physical string, attributes map[string]any)
	// actions are the IAM actions that count for making, changing and removing one.
	actions [3]string
	// effect changes the world as the type's handler would. An *APIError is AWS's refusal and
	// fails the resource: a bucket that is not empty refuses its deletion here.
	effect effectFunc
	// ready is asked when a resource has been made or changed (verb create or update) and
	// before it is removed (delete), again and again: what keeps it from going on, empty when
	// nothing does. An *APIError fails it at once. since is when it was first asked.
	ready func(ctx context.Context, c *Call, s *cfnStack, r *cfnResource, verb string, since, at time.Time) (waits string, err error)
	// patience is how long ready may say no before the resource fails to stabilise; zero is
	// three hours. It is divided by the speed.
	patience time.Duration
	// undriftable: CloudFormation cannot detect drift of this type.
	undriftable bool
	// live is what a resource looks like by the state of its service: the declared properties
	// with what the service itself changed (a desired count, a listener's weights). exists is
	// false when it was deleted behind the stack's back. Nil: as declared. What was changed by
	// hand on the simulator's page is laid over it.
	live func(ctx context.Context, c *Call, s *cfnStack, r *cfnResource) (properties map[string]any, exists bool, err error)
}

// behaviourLists are the lists of all areas; a type is in one of them only.
func behaviourLists() []map[string]behaviour {
	return []map[string]behaviour{
		platformBehaviours(),
		networkBehaviours(),
		computeBehaviours(),
		edgeBehaviours(),
		dataBehaviours(),
		deliveryBehaviours(),
	}
}

var behaviours struct {
	once sync.Once
	all  map[string]behaviour
}

// behaviourOf finds the behaviour of a type, the zero one for a type without.
func behaviourOf(typ string) behaviour {
	behaviours.once.Do(func() {
		behaviours.all = map[string]behaviour{}
		for _, list := range behaviourLists() {
			for typ, b := range list {
				if _, twice := behaviours.all[typ]; twice {
					panic(fmt.Sprintf("resource type %s has two behaviours", typ))
				}
				behaviours.all[typ] = b
			}
		}
	})
	return behaviours.all[typ]
}

const (
	usualTime     = 8 * time.Second
	usualPatience = 3 * time.Hour
	lookAgain     = 5 * time.Second // between two questions of ready
)

// takes is how long the real AWS takes for one change.
func (b behaviour) takes(what string) time.Duration {
	d := b.create
	if d == 0 {
		d = usualTime
	}
	switch {
	case what == "DELETE" && b.remove != 0:
		return b.remove
	case what == "DELETE":
		return d / 2
	case (what == "Modify" || what == "RESTORE") && b.update != 0:
		return b.update
	}
	return d
}

// stabilises says whether a resource of the type is configured for a while before it is done.
func (b behaviour) stabilises() bool { return b.ready != nil || b.create >= 30*time.Second }

// platformBehaviours are the types of the platform's own stacks, and times of a few others.
func platformBehaviours() map[string]behaviour {
	return map[string]behaviour{
		"AWS::IAM::Role":                           {create: 16 * time.Second, everywhere: true, effect: roleEffect},
		"AWS::IAM::ManagedPolicy":                  {create: 14 * time.Second, everywhere: true, effect: policyEffect},
		"AWS::IAM::Policy":                         {create: 14 * time.Second, effect: inlineEffect, undriftable: true},
		"AWS::IAM::RolePolicy":                     {effect: inlineEffect},
		"AWS::SNS::Topic":                          {create: 12 * time.Second},
		"AWS::SNS::TopicPolicy":                    {create: 6 * time.Second},
		"AWS::Events::Rule":                        {create: 32 * time.Second},
		"AWS::AccessAnalyzer::Analyzer":            {create: 10 * time.Second},
		"AWS::S3::Bucket":                          {create: 22 * time.Second, everywhere: true, effect: bucketEffect},
		"AWS::S3::BucketPolicy":                    {create: 6 * time.Second},
		"AWS::CloudFormation::WaitCondition":       {undriftable: true},
		"AWS::CloudFormation::WaitConditionHandle": {create: 2 * time.Second, undriftable: true},
		"AWS::CloudFormation::StackSet":            {create: 40 * time.Second, effect: stackSetEffect, undriftable: true},
		"AWS::RDS::DBInstance":                     {create: 400 * time.Second},
	}
}
