package models

import (
	"strings"
	"testing"
)

func TestLostEvent(t *testing.T) {
	account := &Account{ID: "a", Name: "payments-prod", Class: Prod}
	for name, tc := range map[string]struct {
		before, after HealthState
		missing       int
		account       *Account
		want          string // empty: nobody is told
	}{
		"stays healthy":           {HealthOK, HealthOK, 0, account, ""},
		"differs only":            {HealthOK, HealthDiffers, 0, account, ""},
		"a permission is gone":    {HealthOK, HealthMissing, 1, account, "lacks a permission in payments-prod"},
		"more are gone":           {HealthDiffers, HealthMissing, 3, account, "lacks 3 permissions in payments-prod"},
		"the first look":          {"", HealthMissing, 2, account, "lacks 2 permissions"},
		"cannot be seen any more": {HealthOK, HealthUnseen, 0, account, "cannot see its roles"},
		"still gone":              {HealthMissing, HealthUnseen, 0, account, ""},
		"healthy again":           {HealthMissing, HealthOK, 0, account, ""},
		"the organization":        {HealthOK, HealthMissing, 0, nil, "The organization lacks"},
	} {
		e, ok := LostEvent(tc.before, tc.after, tc.missing, tc.account, "t")
		if ok != (tc.want != "") || !strings.Contains(e.Subject, tc.want) {
			t.Errorf("%s: got %v %q", name, ok, e.Subject)
		}
	}
}
