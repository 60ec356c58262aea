package main

import (
	"log/slog"
	"sync"

	"slipway/models"
	"slipway/models/blueprint"
	"slipway/models/price"
)

// estimator says what orders would cost, by the price file in force.
type estimator struct {
	prices *price.List
	region string // that versions are shown for

	mu    sync.Mutex
	known map[versionCost]models.Estimate
	from  map[string]models.Estimate // by digest
}

// versionCost is what an estimate of a version depends on. A version never changes, so neither does its estimate.
type versionCost struct {
	digest string
	stage  models.Stage
	size   string
}

const maxEstimates = 2000 // more than a catalogue has; all are dropped when it is reached

func (r *running) estimator() (*estimator, error) {
	prices, err := r.prices()
	if err != nil {
		return nil, err
	}
	return &estimator{prices: prices, region: r.config.AWS.Region, known: map[versionCost]models.Estimate{}, from: map[string]models.Estimate{}}, nil
}

// Estimate is for an order as far as it is filled in.
func (e *estimator) Estimate(v blueprint.Version, in models.EnvironmentInputs) (models.Estimate, error) {
	return e.prices.EstimateOrder(v, price.Order{Region: in.Region, Stage: in.Stage, Inputs: in.Inputs, Usage: in.Usage, Image: in.Image != ""})
}

// EstimateVersion is for the catalogue: a version in the home region, with an image.
func (e *estimator) EstimateVersion(v blueprint.Version, stage models.Stage, size string) (models.Estimate, error) {
	key := versionCost{v.Digest, stage, size}
	e.mu.Lock()
	known, ok := e.known[key]
	e.mu.Unlock()
	if ok {
		return known, nil
	}
	order := price.Order{Region: e.region, Stage: stage, Image: true}
	if size != "" {
		order.Inputs = map[string]string{"Size": size}
	}
	estimate, err := e.prices.EstimateOrder(v, order)
	if err != nil {
		return models.Estimate{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.known) >= maxEstimates {
		clear(e.known)
	}
	e.known[key] = estimate
	return estimate, nil
}

// From is what a version costs at least: its smallest size in its first stage. What was not read since the start is not known.
func (e *estimator) From(digest string) (models.Estimate, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	estimate, ok := e.from[digest]
	return estimate, ok
}

// learn estimates what was just read, so that no page has to read every template for the catalogue's prices.
func (e *estimator) learn(report blueprint.Report, log *slog.Logger) {
	for _, f := range report.Folders {
		if !f.Sound() {
			continue
		}
		stage := models.Stage("")
		if len(f.Content.Meta.Stages) > 0 {
			stage = models.Stage(f.Content.Meta.Stages[0])
		}
		estimate, err := e.EstimateVersion(f.Content, stage, "")
		if err != nil {
			log.Warn("blueprints: no estimate", "blueprint", f.Content.Ref(), "err", err)
			continue
		}
		e.mu.Lock()
		if len(e.from) >= maxEstimates {
			clear(e.from)
		}
		e.from[f.Content.Digest] = estimate
		e.mu.Unlock()
	}
}
