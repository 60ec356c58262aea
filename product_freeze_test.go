//go:build dev

package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"slipway/models"
)

func freezeForm(tenant string, until time.Time) url.Values {
	return url.Values{"tenant": {tenant}, "reason": {"Quarter end: nothing may change."}, "until": {until.UTC().Format("2006-01-02T15:04")}, "_key": {models.NewID()}}
}

// TestFreeze walks a freeze from its form to its end: who may begin it, who reads of it, and that a retry is refused meanwhile.
func TestFreeze(t *testing.T) {
	m := newMatrix(t, unlimited)
	tomorrow := time.Now().Add(24 * time.Hour)
	for person, status := range map[string]int{"owner": http.StatusNotFound, "auditor": http.StatusForbidden, "anonymous": http.StatusUnauthorized} {
		if a := m.post(person, "/admin/freezes/add", freezeForm("payments", tomorrow)); a.StatusCode != status {
			t.Errorf("%s: %s, want %d", person, a.Status, status)
		}
	}
	for name, wrong := range map[string]url.Values{
		"nobody's": freezeForm("", tomorrow), "no such tenant": freezeForm("not-there", tomorrow), "past": freezeForm("*", time.Now().Add(-time.Hour)), "too long": freezeForm("*", time.Now().Add(31*24*time.Hour)),
	} {
		a := m.post("admin", "/admin/freezes/add", wrong)
		if a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(a.text, "Quarter end") {
			t.Errorf("%s: %s, and what was typed is lost: %v", name, a.Status, !strings.Contains(a.text, "Quarter end"))
		}
	}
	if n := m.number(`SELECT count(*) FROM freezes`); n != 0 {
		t.Fatalf("%d freezes", n)
	}
	if a := m.post("admin", "/admin/freezes/add", freezeForm("payments", tomorrow)); a.StatusCode != http.StatusSeeOther {
		t.Fatalf("begin: %s\n%.800s", a.Status, a.text)
	}
	const says = "has stopped new runs of payments until"
	request := "/requests/" + m.ids["own"]["/requests/:id"]
	m.exec(`UPDATE requests SET state = 'failed'`)
	for _, tc := range []struct {
		person, path string
		says         bool
	}{
		{"developer", "/", true}, {"viewer", "/tenants/payments", true}, {"owner", request, true}, {"auditor", "/", true}, {"admin", "/tenants/payments", true},
		{"outsider", "/", false}, {"fresh", "/", false}, {"outsider", "/tenants/storefront", false}, {"admin", "/tenants/storefront", false},
	} {
		a := m.send(tc.person, http.MethodGet, tc.path, nil)
		if a.StatusCode != http.StatusOK || strings.Contains(a.text, says) != tc.says || tc.says && !strings.Contains(a.text, "Quarter end") {
			t.Errorf("%s at %s: %s, says so: %v", tc.person, tc.path, a.Status, !tc.says)
		}
	}
	if a := m.post("owner", "/runs/"+m.ids["own"]["/runs/:id"]+"/retry", nil); a.StatusCode != http.StatusConflict || !strings.Contains(a.text, says) {
		t.Errorf("retry while frozen: %s", a.Status)
	}
	page := m.send("auditor", http.MethodGet, "/admin/freezes", nil)
	if page.StatusCode != http.StatusOK || !strings.Contains(page.text, "New runs are stopped") || strings.Contains(page.text, "Lift") {
		t.Errorf("the auditor's page: %s", page.Status)
	}
	var id string
	if err := m.owner.QueryRow(t.Context(), `SELECT id::text FROM freezes`).Scan(&id); err != nil {
		t.Fatal(err)
	}
	if a := m.post("auditor", "/admin/freezes/"+id+"/lift", nil); a.StatusCode != http.StatusForbidden {
		t.Errorf("the auditor lifts: %s", a.Status)
	}
	if a := m.post("admin", "/admin/freezes/"+id+"/lift", nil); a.StatusCode != http.StatusSeeOther {
		t.Errorf("lift: %s", a.Status)
	}
	if a := m.send("developer", http.MethodGet, "/", nil); strings.Contains(a.text, says) {
		t.Error("home still says so")
	}
	if a := m.send("admin", http.MethodGet, "/admin/freezes", nil); !strings.Contains(a.text, "lifted by") || !strings.Contains(a.text, "No freeze") {
		t.Errorf("the list after lifting: %s", a.Status)
	}
}
