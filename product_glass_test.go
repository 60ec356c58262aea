//go:build dev

package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestBreakGlass walks the one way around four eyes: off by default, after a fresh sign-in, with a reason, seen by every admin.
func TestBreakGlass(t *testing.T) {
	m := newMatrix(t, unlimited, func(m *matrix) { m.vars["SLIPWAY_BREAK_GLASS"] = "true" })
	id := m.ids["own"]["/requests/:id"]
	page, hash := "/requests/"+id, strings.Repeat("a", 64)
	m.exec(`DELETE FROM approvals`)
	m.exec(`UPDATE plans SET computed_at = now(), notes = '{"demands": [{"role": "platform-admin", "count": 2}]}'`)
	m.exec(`UPDATE requests SET state = 'awaiting_approval', run_id = NULL, requester_id = (SELECT id FROM people WHERE subject = 'demo-admin') WHERE id = $1`, id)
	fields := url.Values{"plan_hash": {hash}, "reason": {"The region is down and nobody else is on call."}}
	for person, status := range map[string]int{"owner": http.StatusForbidden, "auditor": http.StatusForbidden, "outsider": http.StatusNotFound, "admin": http.StatusForbidden} {
		if a := m.post(person, page+"/break-glass", fields); a.StatusCode != status { // the admin's sign-in was an ordinary one
			t.Errorf("%s: %s, want %d", person, a.Status, status)
		}
		if a := m.send(person, http.MethodGet, page, nil); strings.Contains(a.text, "break-glass") || strings.Contains(a.text, "to break the glass") != (person == "admin") {
			t.Errorf("%s sees the wrong of it: %s", person, a.Status)
		}
	}
	asked := m.send("admin", http.MethodGet, "/auth/login?fresh=yes", nil)
	if at := asked.Header.Get("Location"); !strings.Contains(at, "max_age=0") || !strings.Contains(at, "prompt=login") {
		t.Errorf("a fresh sign-in asks the provider for %s", at)
	}
	text, at := m.enter("admin", "admin", "/auth/login?fresh=yes&return="+url.QueryEscape(page))
	if at.Path != page || !strings.Contains(text, page+"/break-glass") {
		t.Fatalf("after the fresh sign-in at %s there is no form", at)
	}
	m.tokens["admin"] = tokenField.FindStringSubmatch(text)[1]
	for name, tc := range map[string]struct {
		field, value string
		status       int
	}{"no reason": {"reason", "because", http.StatusUnprocessableEntity}, "another plan": {"plan_hash", strings.Repeat("b", 64), http.StatusConflict}} {
		wrong := url.Values{"plan_hash": fields["plan_hash"], "reason": fields["reason"]}
		wrong.Set(tc.field, tc.value)
		if a := m.post("admin", page+"/break-glass", wrong); a.StatusCode != tc.status {
			t.Errorf("%s: %s", name, a.Status)
		}
	}
	m.exec(`UPDATE sessions SET fresh_at = fresh_at - interval '6 minutes'`)
	if a := m.post("admin", page+"/break-glass", fields); a.StatusCode != http.StatusForbidden {
		t.Errorf("six minutes after the sign-in: %s", a.Status)
	}
	m.exec(`UPDATE sessions SET fresh_at = fresh_at + interval '6 minutes'`)
	if a := m.post("admin", page+"/break-glass", fields); a.StatusCode != http.StatusSeeOther {
		t.Fatalf("breaking the glass: %s\n%.600s", a.Status, a.text)
	}
	if n := m.number(`SELECT count(*) FROM requests r JOIN journal j ON j.object_id = r.id WHERE r.id = $1 AND r.state = 'approved'`, id); n != 1 {
		t.Error("the request is not on its way")
	}
	if n := m.number(`SELECT count(*) FROM audit_entries WHERE action = 'approval.break_glass' AND after->>'reason' LIKE 'The region%'`); n != 1 {
		t.Errorf("%d audit entries", n)
	}
	if a := m.send("admin", http.MethodGet, page, nil); !strings.Contains(a.text, "break-glass") {
		t.Error("the request does not show that the glass was broken")
	}
	for person, told := range map[string]bool{"admin": true, "owner": false, "auditor": false} {
		if a := m.send(person, http.MethodGet, "/", nil); strings.Contains(a.text, "broke the glass") != told {
			t.Errorf("%s's home tells of it: %v, want %v", person, !told, told)
		}
	}
}

// TestBreakGlassIsOff where nobody switched it on.
func TestBreakGlassIsOff(t *testing.T) {
	m := newMatrix(t)
	m.exec(`UPDATE requests SET state = 'awaiting_approval'`)
	page := "/requests/" + m.ids["own"]["/requests/:id"]
	m.exec(`UPDATE sessions SET fresh_at = now()`)
	if a := m.send("admin", http.MethodGet, page, nil); a.StatusCode != http.StatusOK || strings.Contains(a.text, "the glass") {
		t.Errorf("the page offers it: %s", a.Status)
	}
	if a := m.post("admin", page+"/break-glass", url.Values{"plan_hash": {strings.Repeat("a", 64)}, "reason": {"Nobody else could decide."}}); a.StatusCode != http.StatusForbidden {
		t.Errorf("sent all the same: %s", a.Status)
	}
}
