package main

import (
	"context"
	"fmt"

	"github.com/shopspring/decimal"

	"slipway/models"
	"slipway/models/price"
	"slipway/provisioners"
	"slipway/provisioners/aws"
	"slipway/provisioners/blueprints"
)

// baselineVersion is the one every new account gets; a version, once shipped, never changes.
const baselineVersion = "1.0.0"

// reach makes the AWS clients: pages look with them, the worker acts with them. It calls nothing yet.
func (r *running) reach(ctx context.Context, pace float64) error {
	a := r.config.AWS
	calls := 0.0 // AWS's own limits
	if pace > 0 {
		calls = 1 / pace
	}
	o := aws.Options{
		Endpoint: a.Endpoint, Region: a.Region, Regions: a.Regions, ExternalID: a.ExternalID.Reveal(), OrgRoleARN: a.OrgRoleARN,
		SpokeRolePrefix: a.SpokeRolePrefix, OUs: map[models.Class]string{models.NonProd: a.OUNonprod, models.Prod: a.OUProd}, OUSuspended: a.OUSuspended,
		Contact: aws.Contact{Name: a.ContactName, Title: a.ContactTitle, Email: a.ContactEmail, Phone: a.ContactPhone}, AlertEmail: a.AlertEmail,
		ArtifactsBucket: a.ArtifactsBucket, AnchorBucket: a.AnchorBucket, BaseDomain: a.BaseDomain, DNSRoleARN: a.DNSRoleARN, DNSZoneID: a.DNSZoneID,
		IdentityCenter: r.identityCenter(),
		Version:        build(), Pace: calls, Clock: r.clock, Logger: r.log, Meter: r.metrics,
	}
	var err error
	if o.SetUp, err = r.setUp(); err != nil {
		return err
	}
	r.forEnrolment(&o)
	r.clients, err = aws.New(ctx, o)
	return err
}

// provision makes what plans and works requests: one provisioner per kind of request.
func (r *running) provision() ([]provisioners.Provisioner, error) {
	prices, err := r.prices()
	if err != nil {
		return nil, err
	}
	baseline, err := tenantBaseline()
	if err != nil {
		return nil, err
	}
	tenants, err := aws.NewTenantProvisioner(r.clients, r.store.Registry(), baseline, prices)
	if err != nil {
		return nil, err
	}
	stacks := aws.NewStacks(r.clients, r.store.Registry(), prices)
	all := append(stacks.Provisioners(), tenants, aws.NewClosing(tenants, stacks), aws.NewChanging(tenants))
	return append(all, tenants.Additions()...), nil
}

// tenantBaseline is the shipped blueprint as the provisioner takes it.
func tenantBaseline() (aws.Blueprint, error) {
	shipped, err := blueprints.Load(blueprints.TenantBaseline, baselineVersion)
	if err != nil {
		return aws.Blueprint{}, err
	}
	b := aws.Blueprint{Name: shipped.Name, Version: shipped.Version, Digest: shipped.Digest, Template: shipped.Template}
	for _, line := range shipped.Meta.Cost.Fixed {
		quantity, err := decimal.NewFromString(line.Quantity)
		if err != nil {
			return b, fmt.Errorf("blueprint %s %s: quantity of %s: %w", b.Name, b.Version, line.Price, err)
		}
		b.Costs = append(b.Costs, price.Item{Key: line.Price, Quantity: quantity, Name: line.Note})
	}
	for _, line := range shipped.Meta.Cost.NotEstimated {
		b.NotEstimated = append(b.NotEstimated, line.Note)
	}
	return b, nil
}
