package main

import (
	"context"
	"sync"

	"slipway/models"
	"slipway/models/blueprint"
	"slipway/models/price"
	"slipway/models/store"
)

// estimator says what orders would cost, by the price file in force.
type estimator struct {
	store  *store.Store
	prices *price.List
	region string // that versions are shown for

	mu    sync.Mutex
	known map[versionCost]models.Estimate
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
	return &estimator{store: r.store, prices: prices, region: r.config.AWS.Region, known: map[versionCost]models.Estimate{}}, nil
}

// Estimate is for an order as far as it is filled in.
func (e *estimator) Estimate(ctx context.Context, a models.Actor, in models.EnvironmentInputs) (models.Estimate, error) {
	v, err := e.store.OfferedVersion(ctx, a, in.Blueprint, in.Version)
	if err != nil {
		return models.Estimate{}, err
	}
	return e.prices.EstimateOrder(v, price.Order{Region: in.Region, Stage: in.Stage, Inputs: in.Inputs, Usage: in.Usage, Image: in.Image != ""})
}

// EstimateVersion is for the catalogue: a version in the home region, with an image.
func (e *estimator) EstimateVersion(ctx context.Context, digest string, stage models.Stage, size string) (models.Estimate, error) {
	key := versionCost{digest, stage, size}
	e.mu.Lock()
	known, ok := e.known[key]
	e.mu.Unlock()
	if ok {
		return known, nil
	}
	v, err := e.store.BlueprintByDigest(ctx, digest)
	if err != nil {
		return models.Estimate{}, err
	}
	order := price.Order{Region: e.region, Stage: stage, Image: true}
	if v.Meta.Kind != blueprint.KindEnvironment {
		order.Class = stage.Class()
	}
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
