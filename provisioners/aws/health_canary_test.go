package aws

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"slipway/models"
)

// canary is the account whose roles lose what they have.
var canary = models.Account{ID: accountRow, TenantID: tenantID, Class: models.NonProd, Name: accountName, AWSID: accountID, State: models.Ready}

// loses takes an action from a role, and gives the patterns of policies that went with it.
func (e *estate) loses(account, role, action string) []string {
	e.t.Helper()
	out := e.w.deed(http.MethodPost, "roles/drop", map[string]any{"account": account, "name": "slipway-" + role, "key": action})
	var patterns []string
	for _, p := range out["dropped"].([]any) {
		patterns = append(patterns, p.(string))
	}
	return patterns
}

func (e *estate) regains(account, role string) {
	e.t.Helper()
	e.w.deed(http.MethodPost, "roles/restore", map[string]any{"account": account, "name": "slipway-" + role})
}

// checked is a check of one role, wherever it is.
func (e *estate) checkedRole(role string) models.RoleCheck {
	e.t.Helper()
	var seen models.RoleCheck
	var err error
	if slices.Contains(e.clients.PlatformRoles(), role) {
		seen, err = e.clients.CheckPlatformRole(e.t.Context(), role)
	} else {
		seen, err = e.clients.CheckRole(e.t.Context(), canary, role)
	}
	if err != nil {
		e.t.Fatalf("%s: %v", role, err)
	}
	return seen
}

// TestCanary takes every permission of the table from its role, one after the other: each is named, with a statement that grants it
// again, and nothing is named that is still granted.
func TestCanary(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	where := map[string]string{readRole: accountID, deployRole: accountID, orgRole: "111111111111", dnsRole: "222222222222"}
	for role, account := range where {
		if seen := e.checkedRole(role); seen.State() != models.HealthOK {
			t.Fatalf("before anything is lost, %s is %s: %+v", role, seen.State(), seen)
		}
		done, checked := map[string]bool{}, map[string]models.RoleCheck{}
		for _, p := range permissions() {
			if p.role != role || done[p.action] {
				continue
			}
			done[p.action] = true
			gone := e.loses(account, role, p.action)
			seen, known := checked[fmt.Sprint(gone)] // the same patterns are the same loss
			if !known {
				seen = e.checkedRole(role)
				checked[fmt.Sprint(gone)] = seen
			}
			e.named(seen, p, gone)
			e.regains(account, role)
		}
	}
}

// named holds a check against what was taken away.
func (e *estate) named(seen models.RoleCheck, lost permission, patterns []string) {
	e.t.Helper()
	missing := seen.Missing()
	i := slices.IndexFunc(missing, func(a models.ActionCheck) bool { return a.Action == lost.action })
	if i < 0 {
		e.t.Errorf("%s lost %s: it is not named: %+v %v", lost.role, lost.action, missing, seen.Blind)
		return
	}
	add, err := readPolicyDoc(map[string]any{"Statement": parsed(e.t, missing[i].Statement)})
	if err != nil || len(add) != 1 || add[0].Effect != "Allow" || !slices.Equal(add[0].Action, []string{lost.action}) || add[0].Sid != "" || missing[i].Needed == "" {
		e.t.Errorf("%s lost %s: the statement to add is %s", lost.role, lost.action, missing[i].Statement)
	}
	for _, a := range missing {
		if !slices.ContainsFunc(patterns, func(p string) bool { return likePolicy(strings.ToLower(p), strings.ToLower(a.Action)) }) {
			e.t.Errorf("%s lost %s (%v): %s is named, too", lost.role, lost.action, patterns, a.Action)
		}
	}
	if len(seen.Differences) == 0 && len(seen.Blind) == 0 {
		e.t.Errorf("%s lost %s: nothing differs from what is declared", lost.role, lost.action)
	}
}

// TestCanaryMakes takes an action of each service from the role with which CloudFormation makes what blueprints declare.
func TestCanaryMakes(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	seen := e.checkedRole(execRole)
	if seen.State() != models.HealthOK || len(seen.Actions) < 100 {
		t.Fatalf("before anything is lost: %s, %d actions, %+v", seen.State(), len(seen.Actions), seen.Differences)
	}
	services := map[string]bool{}
	for _, n := range e.clients.SetUp.Makes {
		service, _, _ := strings.Cut(n.Action, ":")
		if services[service] {
			continue
		}
		services[service] = true
		gone := e.loses(accountID, execRole, n.Action)
		e.named(e.checkedRole(execRole), permission{role: execRole, action: n.Action}, gone)
		e.regains(accountID, execRole)
	}
}

// deed does something to the simulated world, as a person on its page would.
func (w *world) deed(method, path string, body any) map[string]any {
	w.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.url+"/_slipway/"+path, bytes.NewReader(raw))
	if err != nil {
		w.t.Fatal(err)
	}
	res, err := browser.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	var out map[string]any
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil || res.StatusCode >= 300 {
		w.t.Fatalf("%s %s %s: %s %v %v", method, path, raw, res.Status, out, err)
	}
	return out
}

// parsed is a statement as JSON has it.
func parsed(t *testing.T, statement string) any {
	t.Helper()
	var s any
	if err := json.Unmarshal([]byte(statement), &s); err != nil {
		t.Errorf("%s: %v", statement, err)
	}
	return s
}
