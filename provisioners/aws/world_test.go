package aws

import (
	"slipway/models"
	"slipway/provisioners"
)

func vendingOf(account string) provisioners.Vending {
	return provisioners.Vending{Account: models.Account{ID: account, Name: "payments-nonprod", Email: "aws+payments-nonprod-1@example.com", Class: models.NonProd},
		Tenant: models.Tenant{ID: "t1", Slug: "payments"}, RequestID: "q1", RunID: "r1", StartedBy: "p1"}
}
