//go:build dev

package main

import (
	"net/http"
	"testing"

	"slipway/dev/postgres/pgtest"
)

// TestDatabasePasswordChanges: connections that are open go on; a process that loses them says so and waits for its restart; with the
// new password everybody is still signed in, and what was asked for is there.
func TestDatabasePasswordChanges(t *testing.T) {
	m := newMatrix(t, unlimited)
	role := pgtest.PasswordRole(t, m.app.vars["SLIPWAY_DATABASE_URL"])
	role.Set("first")
	with := func(password string) string {
		at, _ := m.replica(map[string]string{"SLIPWAY_DATABASE_URL": role.URL(password)})
		return at
	}
	opens := func(at string, want int) {
		t.Helper()
		for _, person := range []string{"owner", "admin"} {
			if status, _ := m.at(at, person, "/requests"); status != want {
				t.Errorf("%s: %d, want %d", person, status, want)
			}
		}
	}
	older := with("first")
	opens(older, http.StatusOK)
	requests, sessions := m.number(`SELECT count(*) FROM requests`), m.number(`SELECT count(*) FROM sessions WHERE ended_at IS NULL`)

	role.Set("second")
	opens(older, http.StatusOK)
	role.End()
	opens(older, http.StatusServiceUnavailable)
	opens(with("second"), http.StatusOK)
	if now := m.number(`SELECT count(*) FROM requests`); now != requests || requests == 0 {
		t.Errorf("%d requests, before %d", now, requests)
	}
	if now := m.number(`SELECT count(*) FROM sessions WHERE ended_at IS NULL`); now != sessions || sessions == 0 {
		t.Errorf("%d sessions, before %d", now, sessions)
	}
	role.Set("first") // the older process goes on where it was
	opens(older, http.StatusOK)
}
