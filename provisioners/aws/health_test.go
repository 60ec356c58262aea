package aws

import (
	"encoding/json"
	"fmt"
	"testing"

	"slipway/models"
)

// health has the account's roles checked now, and gives what was found.
func (e *estate) health() models.RoleHealth {
	e.t.Helper()
	if err := e.store.CheckHealthNow(e.t.Context(), e.asker, "payments", models.NonProd); err != nil {
		e.t.Fatal(err)
	}
	e.driveTo("the check of the roles", func() bool {
		return one[int](e, `SELECT count(*) FROM journal WHERE kind = 'rolehealth' AND NOT done`) == 0
	})
	p, err := e.store.AccountPage(e.t.Context(), e.asker, "payments", models.NonProd)
	if err != nil {
		e.t.Fatal(err)
	}
	return p.Health
}

func TestHealthy(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	h := e.health()
	if !h.Healthy() {
		text, _ := json.MarshalIndent(h, "", " ")
		fmt.Println(string(text))
		t.Fatalf("%s", h.State)
	}
}
