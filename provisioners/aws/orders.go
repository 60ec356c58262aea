package aws

import (
	"context"

	"slipway/models"
	"slipway/provisioners"
)

// Orders plans and runs one kind of request about what has a stack. It keeps no state of its own.
type Orders struct {
	*Stacks
	kind models.RequestKind
	plan func(context.Context, provisioners.Planning) (provisioners.Draft, error)
}

// Kind of request that it serves.
func (o Orders) Kind() models.RequestKind { return o.kind }

// Plan says what the request would do. What is not there, or cannot be done, is said in words.
func (o Orders) Plan(ctx context.Context, p provisioners.Planning) (provisioners.Draft, error) {
	d, err := o.plan(ctx, p)
	return d, permitted(err, 0)
}

// Steps are named by the plan's changes.
func (o Orders) Steps(plan models.Plan) ([]provisioners.Step, error) { return o.stepsOf(plan) }

// Provisioners serve every kind of request that makes, changes or deletes networks, services, environments, connections and pipelines.
func (s *Stacks) Provisioners() []provisioners.Provisioner {
	plans := map[models.RequestKind]func(context.Context, provisioners.Planning) (provisioners.Draft, error){
		models.CreateNetwork: s.planNetwork, models.UpdateNetwork: s.planNetwork, models.CreateService: s.planService,
		models.ExtendEnvironment: s.planNote, models.AcceptDrift: s.planNote, models.RegisterNetwork: s.planRegistration,
		models.CreateConnection: s.planConnection, models.DeleteConnection: s.planDeletion, models.CreatePipeline: s.planPipeline, models.UpdatePipeline: s.planPipeline,
		models.PausePipeline: s.planPipeline, models.ResumePipeline: s.planPipeline, models.DeletePipeline: s.planDeletion,
		models.DeleteNetwork: s.planDeletion, models.DeleteService: s.planDeletion, models.DeleteEnvironment: s.planDeletion,
	}
	for _, kind := range []models.RequestKind{models.CreateEnvironment, models.UpdateEnvironment, models.UpgradeEnvironment, models.DeployEnvironment,
		models.HibernateEnvironment, models.WakeEnvironment, models.RevertEnvironment, models.RecoverEnvironment} {
		plans[kind] = s.planEnvironment
	}
	var all []provisioners.Provisioner
	for _, kind := range sortedKeys(plans) {
		all = append(all, Orders{Stacks: s, kind: kind, plan: plans[kind]})
	}
	return all
}
