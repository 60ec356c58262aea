package aws

import (
	"context"
	"fmt"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/budgets"
	budgettypes "github.com/aws/aws-sdk-go-v2/service/budgets/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	r53 "github.com/aws/aws-sdk-go-v2/service/route53/types"

	"slipway/models"
	"slipway/provisioners"
)

// budgetAsItWas is what a plan keeps of a budget that goes: enough to set it again.
func budgetAsItWas(b *budgettypes.Budget) []models.PropertyChange {
	was := func(path, value string) models.PropertyChange {
		return models.PropertyChange{Path: path, Before: &value}
	}
	var props []models.PropertyChange
	if b.BudgetLimit != nil {
		props = append(props, was("/Limit", sdk.ToString(b.BudgetLimit.Amount)), was("/Unit", sdk.ToString(b.BudgetLimit.Unit)+" a month"))
	}
	if f := b.FilterExpression; f != nil && f.Dimensions != nil {
		props = append(props, was("/Accounts", join(slices.Sorted(slices.Values(f.Dimensions.Values)))))
	}
	return props
}

// budgetStep removes the tenant's budget.
func (e ending) budgetStep() provisioners.Step {
	return provisioners.Step{Name: stepBudgetRemove, Part: e.part.Name, Title: "Remove the budget of " + e.tenant(),
		Find: e.look(func(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
			there, err := e.hasBudget(ctx, run)
			return presence(err == nil && !there), err
		}),
		Start: e.act(func(ctx context.Context, run *provisioners.Run) error {
			name := budgetName(e.tenant())
			_, err := e.budgets(run).DeleteBudget(ctx, &budgets.DeleteBudgetInput{AccountId: &e.clients.management, BudgetName: &name})
			return ignore(err, "NotFoundException")
		}),
		Undo: e.look(e.undoBudget)}
}

func (e ending) budgets(run *provisioners.Run) *budgets.Client {
	return budgets.NewFromConfig(e.clients.org(workOf(run), e.clients.setBudget(budgetName(e.tenant()))))
}

func (e ending) hasBudget(ctx context.Context, run *provisioners.Run) (bool, error) {
	name := budgetName(e.tenant())
	_, err := e.budgets(run).DescribeBudget(ctx, &budgets.DescribeBudgetInput{AccountId: &e.clients.management, BudgetName: &name})
	return err == nil, ignore(err, "NotFoundException")
}

// undoBudget sets the budget again as the plan found it.
func (e ending) undoBudget(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	there, err := e.hasBudget(ctx, run)
	if err != nil || there {
		return presence(there), err
	}
	ch, _ := e.change(stepBudgetRemove)
	accounts := strings.Split(wasBefore(ch, "/Accounts"), ", ")
	p := place{Tenants: e.tenants, slug: e.tenant(), step: stepBudget}
	if e.clients.AlertEmail != "" {
		p.part.Changes = []models.Change{{Step: stepBudget, Properties: []models.PropertyChange{after("/Notifications", budgetNotes(e.clients.AlertEmail))}}}
	}
	_, err = e.budgets(run).CreateBudget(ctx, &budgets.CreateBudgetInput{AccountId: &e.clients.management, NotificationsWithSubscribers: p.notifications(),
		Budget: budgetFor(e.tenant(), wasBefore(ch, "/Limit"), accounts), ResourceTags: []budgettypes.ResourceTag{{Key: sdk.String(tagTenant), Value: sdk.String(e.tenant())}}},
		func(o *budgets.Options) { o.Retryer = once() })
	return provisioners.Result{Found: provisioners.Working, Waiting: aws("AWS to set the budget again")}, ignore(err, "DuplicateRecordException")
}

// releaseStep takes Slipway's row of an account back that was there before.
func (e ending) releaseStep() provisioners.Step {
	return provisioners.Step{Title: "Release account " + e.name(), Stays: fmt.Sprintf("account %s is released; it can be enrolled again", e.name()),
		Find: func(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
			a, err := e.registry.Account(ctx, e.row())
			if models.KindOf(err) == models.NotFound {
				return present, nil
			}
			return presence(err == nil && a.State == models.Deleted), err
		},
		Start: e.act(func(ctx context.Context, run *provisioners.Run) error {
			_, err := organizationsClient(e.clients.org(workOf(run), tagAccounts)).UntagResource(ctx, &organizations.UntagResourceInput{ResourceId: &e.part.Account,
				TagKeys: []string{tagTenant, tagAccountRow}})
			if ignore(err, "TargetNotFoundException") != nil { // it has left the organization, and its tags with it
				return err
			}
			return e.registry.ReleaseAccount(ctx, actorOf(run), e.row())
		})}
}

// undelegateStep takes the record out of the parent zone, before the servers that it names are given to somebody else.
func (o object) undelegateStep() provisioners.Step {
	return provisioners.Step{Title: "Remove the delegation of " + o.words(), Find: o.look(o.findUndelegated), Start: o.act(func(ctx context.Context, run *provisioners.Run) error {
		api, parent, err := o.clients.parentZone(workOf(run))
		if err != nil {
			return err
		}
		_, err = changeDelegation(ctx, api, parent, r53.ChangeActionDelete, run.Outputs["zone"], strings.Split(run.Outputs["servers"], ","), run.ID)
		return err
	}), Undo: o.look(o.redelegate)}
}

// findUndelegated looks what the parent zone says now. Another's record, written since over Slipway's own, is left alone.
func (o object) findUndelegated(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	z, err := o.zone(ctx)
	if err != nil {
		return absent, err
	}
	row, err := o.books.StackOf(ctx, o.id())
	if err != nil {
		return absent, err
	}
	api, parent, err := o.clients.parentZone(workOf(run))
	if err != nil {
		return absent, err
	}
	have, err := delegated(ctx, api, parent, dnsName(z.Name))
	if err != nil {
		return absent, err
	}
	if own := serversOf(row.Outputs); len(have) > 0 && len(own) > 0 && !slices.Equal(have, own) {
		res := present
		res.Events = []provisioners.Event{{Key: "foreign", Level: "warn", At: o.clients.Clock.Now(), Text: fmt.Sprintf("The parent zone names other servers for %s by now: %s. That record stays", z.Name, some(have))}}
		return res, nil
	}
	if len(have) > 0 {
		return provisioners.Result{Found: provisioners.Absent, Outputs: map[string]string{"zone": dnsName(z.Name), "servers": strings.Join(have, ",")}}, nil
	}
	return present, nil
}

// redelegate writes the record again that was taken away, as long as the zone that it leads to is there.
func (o object) redelegate(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	name, servers := run.Outputs["zone"], strings.Split(run.Outputs["servers"], ",")
	st, err := o.clients.readStack(ctx, models.Stack{Account: o.part.Account, Region: o.part.Region, Name: o.part.StackName}, workOf(run))
	if err != nil || st == nil || name == "" {
		return presence(err == nil), err
	}
	api, parent, err := o.clients.parentZone(workOf(run))
	if err != nil {
		return absent, err
	}
	have, err := delegated(ctx, api, parent, name)
	if err != nil || len(have) > 0 {
		return presence(len(have) > 0), err
	}
	_, err = changeDelegation(ctx, api, parent, r53.ChangeActionUpsert, name, servers, run.ID)
	return provisioners.Result{Found: provisioners.Working, Waiting: aws("Route 53 to know again who answers for " + name)}, err
}
