package aws

import (
	"context"
	"errors"
	"testing"
	"time"

	"slipway/models"
	"slipway/provisioners"
)

// TestRefreshTellsWhatAWSSays asks again after the world has changed without Slipway, and by the sweep.
func TestRefreshTellsWhatAWSSays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	k := newWalk(t, w, w.clients(asWorker, nil), "payments", models.NonProd)
	k.mustPlan()
	if err := k.run(); err != nil {
		t.Fatal(err)
	}
	c := k.tenants.clients
	row := k.outputs[stepRecord]["account.nonprod"]
	sweep := provisioners.SweepAccounts(k.books, c.Clock, time.Minute, func(ctx context.Context, a models.Account) error { return c.Refresh(ctx, k.books, a, "") })
	for _, tc := range []struct{ sql, state, unit string }{
		{`UPDATE accounts SET state = 'SUSPENDED', parent = 'ou-demo-suspend1' WHERE name = 'payments-nonprod'`, "SUSPENDED", "ou-demo-suspend1"},
		{`UPDATE account_creations SET account_id = NULL; DELETE FROM accounts WHERE name = 'payments-nonprod'`, left, ""},
	} {
		w.exec(tc.sql)
		if err := k.books.SaveAccount(t.Context(), models.System("test", ""), row, func(a *models.Account) { a.AWSStateAt = time.Time{} }); err != nil {
			t.Fatal(err)
		}
		if err := sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		a, err := k.books.Account(t.Context(), row)
		if err != nil || a.AWSState != tc.state || a.OU != tc.unit || c.Clock.Wall().Sub(a.AWSStateAt) > time.Minute {
			t.Errorf("got %+v, %v", a, err)
		}
	}
	w.fault(map[string]any{"op": "DescribeAccount", "action": "error500"})
	a := models.Account{ID: row, Name: "payments-nonprod", AWSID: k.outputs["account.create.nonprod"]["account"]}
	var call *CallError
	if err := c.Refresh(t.Context(), k.books, a, ""); !errors.As(err, &call) {
		t.Errorf("got %v", err)
	}
	if got, err := k.books.Account(t.Context(), row); err != nil || got.AWSState != left {
		t.Errorf("a look that failed changed what is known: %+v, %v", got, err)
	}
}
