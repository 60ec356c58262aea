package aws

import (
	"cmp"
	"context"
	"slices"

	"slipway/models"
)

// SaveAccess keeps one row for each account, role, group and permission set, as the store does.
func (b *books) SaveAccess(_ context.Context, _ models.Actor, accountID string, access ...models.AccountAccess) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range access {
		a.AccountID = accountID
		i := slices.IndexFunc(b.access, func(o models.AccountAccess) bool {
			return o.AccountID == accountID && o.Role == a.Role && o.Group == a.Group && o.PermissionSet == a.PermissionSet
		})
		if i < 0 {
			b.access = append(b.access, a)
			continue
		}
		a.GroupID, a.SetName = cmp.Or(a.GroupID, b.access[i].GroupID), cmp.Or(a.SetName, b.access[i].SetName)
		b.access[i] = a
	}
	return nil
}

func (b *books) Access(_ context.Context, tenantID string) ([]models.AccountAccess, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var own []models.AccountAccess
	for _, a := range b.access {
		if row := b.account(a.AccountID); row != nil && row.TenantID == tenantID {
			own = append(own, a)
		}
	}
	return own, nil
}
