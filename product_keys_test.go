//go:build dev

package main

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"slipway/models/store"
)

// TestKeysRotateWithoutSigningAnybodyOut puts a key in front, seals anew and takes the old one away: sessions and refresh
// tokens go on, and the command says when the old key may go.
func TestKeysRotateWithoutSigningAnybodyOut(t *testing.T) {
	m := newMatrix(t, unlimited)
	older := m.app.vars["SLIPWAY_SECRET_KEYS"]
	newer := "Tm90IGEgc2VjcmV0IGF0IGFsbDogMzIgYnl0ZXMgb24="
	const due = `UPDATE sessions SET checked_at = checked_at - interval '11 minutes', recheck_next = NULL`
	says := func(r *running) (string, error) {
		var b bytes.Buffer
		err := keysInUse(t.Context(), r.config, &b)
		return b.String(), err
	}
	at, both := m.replica(map[string]string{"SLIPWAY_SECRET_KEYS": newer + "," + older})
	m.exec(due)
	if status, _ := m.at(at, "owner", "/"); status != http.StatusOK {
		t.Fatalf("with both keys: %d", status)
	}
	if text, err := says(both); err != nil || !strings.Contains(text, "still needed") {
		t.Errorf("before sealing anew: %s, %v", text, err)
	}
	ring, err := keyring(both.config)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{true, false} {
		if n, err := both.store.Reseal(t.Context(), store.Resealer(ring)); err != nil || (n > 0) != want {
			t.Errorf("round %d sealed %d values, %v", i, n, err)
		}
	}
	if text, err := says(both); err != nil || !strings.Contains(text, "can be removed") || strings.Contains(text, "still needed") {
		t.Errorf("after sealing anew: %s, %v", text, err)
	}
	alone, _ := m.replica(map[string]string{"SLIPWAY_SECRET_KEYS": newer})
	m.exec(due)
	for _, person := range []string{"owner", "developer", "admin"} {
		if status, _ := m.at(alone, person, "/"); status != http.StatusOK {
			t.Errorf("%s with the new key alone: %d", person, status)
		}
	}
	if n := m.number(`SELECT count(*) FROM sessions WHERE failing_since IS NOT NULL OR ended_at IS NOT NULL`); n != 0 {
		t.Errorf("%d sessions did not survive", n)
	}
	if n := m.number(`SELECT count(*) FROM sessions WHERE recheck_fence >= 1 AND checked_at > now() - interval '2 minutes'`); n < 3 {
		t.Errorf("only %d refresh tokens were used under the new key", n)
	}
	m.exec(due)
	old, _ := m.replica(map[string]string{"SLIPWAY_SECRET_KEYS": older})
	if status, _ := m.at(old, "viewer", "/"); status != http.StatusOK {
		t.Errorf("a process that lacks the key throws the session away: %d", status)
	}
	if status, _ := m.at(alone, "viewer", "/"); status != http.StatusOK {
		t.Errorf("and afterwards: %d", status)
	}
}

// TestClientSecretChanges while the provider accepts both: a process with the new one goes on with the sessions of the old.
func TestClientSecretChanges(t *testing.T) {
	m := newMatrix(t, unlimited)
	at, _ := m.replica(map[string]string{"SLIPWAY_OIDC_CLIENT_SECRET": "next-secret"})
	m.exec(`UPDATE sessions SET checked_at = checked_at - interval '11 minutes'`)
	if status, _ := m.at(at, "owner", "/"); status != http.StatusOK {
		t.Fatalf("with the new secret: %d", status)
	}
	if n := m.number(`SELECT count(*) FROM sessions WHERE subject = 'demo-owner' AND checked_at > now() - interval '2 minutes' AND failing_since IS NULL`); n != 1 {
		t.Error("the provider did not vouch under the new secret")
	}
	wrong, _ := m.replica(map[string]string{"SLIPWAY_OIDC_CLIENT_SECRET": "forgotten"})
	if status, text := m.at(wrong, "admin", "/"); status != http.StatusOK || !strings.Contains(text, "could not confirm") {
		t.Errorf("a secret that was not registered ends sessions: %d", status)
	}
	m.exec(`UPDATE sessions SET recheck_next = NULL`)
	if status, text := m.at(at, "admin", "/"); status != http.StatusOK || strings.Contains(text, "could not confirm") {
		t.Errorf("after it was put right: %d", status)
	}
}
