//go:build dev

package main

import (
	"net/http"
	"strings"
	"sync"
	"testing"
)

// TestGroupsChangeWhilePeopleWork changes groups at the provider. Two replicas are asked at once: the provider, which ends whoever
// shows a refresh token twice, is asked once, and the next page knows.
func TestGroupsChangeWhilePeopleWork(t *testing.T) {
	m := newMatrix(t, unlimited)
	first, _ := m.replica(nil)
	second, _ := m.replica(nil)
	const due = `UPDATE sessions SET checked_at = checked_at - interval '11 minutes', recheck_next = NULL WHERE subject = 'demo-developer' AND ended_at IS NULL`
	if status, _ := m.at(first, "developer", "/admin/roles"); status != http.StatusNotFound {
		t.Fatalf("a developer gets %d of the admins' page", status)
	}
	m.provider.SetGroups("developer", "platform-admins")
	if status, _ := m.at(second, "developer", "/admin/roles"); status != http.StatusNotFound {
		t.Fatalf("before the interval is over: %d", status)
	}
	m.exec(due)
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			if status, _ := m.at([]string{first, second}[i%2], "developer", "/theme-is-no-page"); status != http.StatusNotFound {
				t.Errorf("while it is checked: %d", status)
			}
			if status, _ := m.at([]string{first, second}[i%2], "developer", "/"); status != http.StatusOK {
				t.Errorf("while it is checked: %d", status)
			}
		})
	}
	wg.Wait()
	for _, address := range []string{first, second} {
		if status, _ := m.at(address, "developer", "/admin/roles"); status != http.StatusOK {
			t.Errorf("after the change: %d", status)
		}
	}
	if n := m.number(`SELECT max(recheck_fence) FROM sessions WHERE subject = 'demo-developer'`); n != 1 {
		t.Errorf("the token was used %d times", n)
	}
	if n := m.number(`SELECT count(*) FROM audit_entries WHERE action = 'auth.groups_changed'`); n != 1 {
		t.Errorf("%d audit entries", n)
	}
	m.provider.SetGroups("developer")
	m.exec(due)
	m.at(first, "developer", "/")
	if status, _ := m.at(second, "developer", "/"); status != http.StatusForbidden {
		t.Errorf("without any group: %d", status)
	}
	m.provider.Disable("developer")
	m.exec(due)
	if status, text := m.at(second, "developer", "/"); status != http.StatusUnauthorized || !strings.Contains(text, "no longer confirms this sign-in") {
		t.Errorf("who has left: %d", status)
	}
	if n := m.number(`SELECT count(*) FROM sessions WHERE refresh_token IS NOT NULL AND ended_at IS NOT NULL`); n != 0 {
		t.Errorf("%d sessions that are over keep their token", n)
	}
}

// TestProviderAwayIsShown: people work on for an hour and are told until when.
func TestProviderAwayIsShown(t *testing.T) {
	m := newMatrix(t, unlimited)
	m.endProvider()
	m.exec(`UPDATE sessions SET checked_at = checked_at - interval '11 minutes'`)
	if a := m.send("owner", http.MethodGet, "/tenants", nil); a.StatusCode != http.StatusOK || !strings.Contains(a.text, "could not confirm your groups again") {
		t.Errorf("%s, and says nothing: %v", a.Status, !strings.Contains(a.text, "could not confirm"))
	}
	m.exec(`UPDATE sessions SET checked_at = checked_at - interval '1 hour'`)
	if a := m.send("owner", http.MethodGet, "/tenants", nil); a.StatusCode != http.StatusUnauthorized || !strings.Contains(a.text, "over an hour") {
		t.Errorf("after the grace: %s", a.Status)
	}
	if n := m.number(`SELECT count(*) FROM audit_entries WHERE action = 'auth.session_ended' AND after->>'why' = 'unconfirmed'`); n != 1 {
		t.Errorf("%d audit entries", n)
	}
}
