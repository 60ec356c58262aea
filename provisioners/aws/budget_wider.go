package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/budgets"

	"slipway/models"
	"slipway/provisioners"
)

// property reads what a property of the step's own changes is to become; empty when they do not say.
func (p place) property(path string) string {
	for _, ch := range p.changes() {
		for _, prop := range ch.Properties {
			if prop.Path == path && prop.After != nil {
				return *prop.After
			}
		}
	}
	return ""
}

// narrower are the classes that the budget was over before; not ok: there was no budget.
func (p place) narrower() (string, bool) {
	for _, ch := range p.changes() {
		for _, prop := range ch.Properties {
			if prop.Path == budgetAccounts && prop.Before != nil {
				return *prop.Before, true
			}
		}
	}
	return "", false
}

// accountOf is the AWS id of the tenant's account of a class: of this run, or one that the tenant had before.
func (p place) accountOf(ctx context.Context, run *provisioners.Run, class models.Class) (string, error) {
	p.class = class
	if id, err := p.account(run); err == nil {
		return id, nil
	}
	tenant, err := p.registry.Tenant(ctx, run.ObjectID)
	if err != nil {
		return "", err
	}
	if id := awsID(tenant, class); id != "" {
		return id, nil
	}
	return p.account(run)
}

// narrowBudget lets the budget watch what it did before. A budget that is gone is not made again.
func (p place) narrowBudget(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	classes, _ := p.narrower()
	want, err := p.budgetOver(ctx, run, classes)
	if err != nil {
		return absent, err
	}
	_, err = p.budgets(run).UpdateBudget(ctx, &budgets.UpdateBudgetInput{AccountId: &p.clients.management, NewBudget: want})
	if is(err, "NotFoundException") {
		return present, nil
	}
	return presence(err == nil), err
}
