package aws

import (
	"context"
	"slices"
	"time"

	"slipway/models"
)

func (b *books) SaveTenant(_ context.Context, _ models.Actor, id string, change func(*models.Tenant)) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := b.tenants[id]
	change(&t)
	b.tenants[id] = t
	return nil
}

func (b *books) EnsureAccount(_ context.Context, _ models.Actor, requestID string, class models.Class, enrol *models.Account) (models.Account, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.requests[requestID]
	t := b.tenants[r.ObjectID]
	for _, a := range t.Accounts {
		if a.Class == class && a.State != models.Deleted && (enrol == nil || a.AWSID == enrol.AWSID) {
			return a, nil
		}
	}
	made := models.Account{Name: t.Slug + "-" + string(class), Email: "aws+" + t.Slug + "-" + string(class) + "-9@example.com"}
	if enrol != nil {
		if a := b.bound(enrol.AWSID); a != nil {
			return *a, models.Errorf(models.Conflict, "The account %s belongs to a tenant already.", a.AWSID)
		}
		made = *enrol
		made.Enrolled = true
	}
	made.ID, made.TenantID, made.Class, made.State = models.NewID(), t.ID, class, models.Creating
	t.Accounts = append(slices.Clone(t.Accounts), made)
	b.tenants[t.ID] = t
	return made, nil
}

func (b *books) bound(awsID string) *models.Account {
	for _, t := range b.tenants {
		for i := range t.Accounts {
			if t.Accounts[i].AWSID == awsID && t.Accounts[i].State != models.Deleted {
				return &t.Accounts[i]
			}
		}
	}
	return nil
}

func (b *books) BoundAccount(_ context.Context, awsID string) (models.Account, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if a := b.bound(awsID); a != nil {
		return *a, nil
	}
	return models.Account{}, models.Errorf(models.NotFound, "no account")
}

func (b *books) ReleaseAccount(ctx context.Context, actor models.Actor, id string) error {
	return b.SaveAccount(ctx, actor, id, func(a *models.Account) {
		if a.Enrolled {
			a.State = models.Deleted
		}
	})
}

func (b *books) Contents(context.Context, string) ([]models.Stack, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.contents), nil
}

func (b *books) BeginClosing(context.Context, models.Actor, string) error { return nil }
func (b *books) StopClosing(context.Context, models.Actor, string) error  { return nil }
func (b *books) EndContent(context.Context, models.Actor, string, models.ObjectType, string) error {
	return nil
}
func (b *books) Closures(context.Context, time.Time) (int, error) { return 0, nil }

func (b *books) SaveStack(_ context.Context, _ models.Actor, id string, change func(*models.Stack)) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.contents {
		if b.contents[i].ObjectID == id {
			change(&b.contents[i])
		}
	}
	return nil
}
