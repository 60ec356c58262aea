package main

import (
	"context"
	"fmt"
	"time"

	"slipway/deploy"
	"slipway/models"
	"slipway/models/blueprint"
	"slipway/models/price"
	"slipway/provisioners/blueprints"
)

// blueprintsEvery is how soon a changed directory of blueprints counts.
const blueprintsEvery = 3 * time.Second

// checker is what blueprints are held against: also what CloudFormation may do in tenants' accounts.
func checker() (blueprint.Checker, error) {
	spoke, err := deploy.AWS.ReadFile("aws/spoke.yaml")
	if err != nil {
		return blueprint.Checker{}, err
	}
	grants, err := blueprint.ReadGrants(spoke)
	return blueprint.Checker{Grants: grants, UsageKeys: price.UsageNames()}, err
}

// openCatalogue reads the directory once, so that a wrong SLIPWAY_BLUEPRINTS_DIR stops the start. A broken folder in it does
// not: it is reported on its page and in the log.
func (r *running) openCatalogue() error {
	c, err := checker()
	if err != nil {
		return err
	}
	if r.catalogue, err = blueprints.New(blueprints.Options{Dir: r.config.Engine.BlueprintsDir, Checker: c, Version: build()}); err != nil {
		return err
	}
	if _, _, err := r.catalogue.Directory(); err != nil {
		return err
	}
	r.catalogue.Forget()
	return nil
}

// keepBlueprints takes over what is shipped and what the directory holds.
func (r *running) keepBlueprints(ctx context.Context) error {
	shipped, err := r.catalogue.Shipped()
	if err != nil {
		return err
	}
	if err := r.keep(ctx, shipped); err != nil {
		return err
	}
	_, err = r.lookAtBlueprints(ctx)
	return err
}

// lookAtBlueprints takes over what changed in the directory, and tells whether something did.
func (r *running) lookAtBlueprints(ctx context.Context) (changed bool, err error) {
	report, changed, err := r.catalogue.Directory()
	if err != nil || !changed {
		return false, err
	}
	if err := r.keep(ctx, report); err != nil {
		r.catalogue.Forget() // the next look reports it again
		return false, err
	}
	return true, nil
}

// keep stores a report and logs once what it refuses.
func (r *running) keep(ctx context.Context, report blueprint.Report) error {
	refused, err := r.store.SaveBlueprints(ctx, models.System("blueprints", ""), report)
	if err != nil {
		return fmt.Errorf("keep the blueprints: %w", err)
	}
	r.costs.learn(report, r.log)
	for _, f := range refused {
		var problems []string
		for _, p := range blueprint.Errors(f.Problems) {
			problems = append(problems, p.String())
		}
		r.log.Error("blueprints: a folder is refused and replaces nothing", "origin", report.Origin, "blueprint", f.Name, "version", f.Version, "problems", problems)
	}
	return nil
}

// watchBlueprints takes a changed directory over within seconds. It begins when the database was reached once.
func (r *running) watchBlueprints(ctx context.Context) {
	if r.config.Engine.BlueprintsDir == "" {
		return
	}
	select {
	case <-ctx.Done():
		return
	case <-r.started:
	}
	tick := time.NewTicker(blueprintsEvery)
	defer tick.Stop()
	said := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		changed, err := r.lookAtBlueprints(ctx)
		switch {
		case err != nil && err.Error() != said && ctx.Err() == nil:
			said = err.Error()
			r.log.Error("blueprints: what was read before stays", "err", err)
		case err == nil:
			said = ""
		}
		if changed {
			r.log.Info("blueprints: a changed directory was read")
		}
	}
}
