//go:build dev

package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"slipway/dev/postgres/pgtest"
	"slipway/models"
	"slipway/models/store"
)

// TestAuditVerify runs the command on a chain that holds, with anchors, and on one that was changed.
func TestAuditVerify(t *testing.T) {
	ownerURL, url := pgtest.Database(t, store.Migrate)
	s, err := store.Open(t.Context(), store.Options{URL: url, Connections: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, route := range []string{"/a", "/b", "/c"} {
		if err := s.Denied(t.Context(), models.System("test", ""), route, "request", "1"); err != nil {
			t.Fatal(err)
		}
	}
	head := sealed(t, s, 3)
	t.Setenv("SLIPWAY_DATABASE_URL", url)
	verify := func(args ...string) error {
		return root().Run(t.Context(), append([]string{"slipway", "audit", "verify"}, args...))
	}
	other := models.AuditHead{Seq: 3, Hash: make([]byte, 32)}
	later := models.AuditHead{Seq: 9, Hash: head.Hash}
	for what, tc := range map[string]struct {
		err  error
		want string
	}{
		"holds": {verify(), ""}, "anchored": {verify("--anchor", head.String()), ""}, "no anchor": {verify("--anchor", "3"), "64 hexadecimal digits"},
		"rewritten": {verify("--anchor", other.String()), "another hash than the anchor"}, "cut": {verify("--anchor", later.String()), "its tail was cut off"},
	} {
		if (tc.err == nil) != (tc.want == "") || tc.err != nil && !strings.Contains(tc.err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", what, tc.err, tc.want)
		}
	}
	conn, err := pgx.Connect(t.Context(), ownerURL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if _, err := conn.Exec(t.Context(), `UPDATE audit_entries SET actor = 'nobody' WHERE id = (SELECT entry_id FROM audit_seals WHERE seq = 2)`); err != nil {
		t.Fatal(err)
	}
	if err := verify(); err == nil || !strings.Contains(err.Error(), "entry 2 does not verify") {
		t.Errorf("a changed entry: %v", err)
	}
}

// sealed seals until the chain has so many entries, and gives its head.
func sealed(t *testing.T, s *store.Store, seq int64) models.AuditHead {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	heads := make(chan models.AuditHead, 1)
	ended := make(chan error, 1)
	go func() {
		ended <- s.Seal(ctx, store.SealOptions{Every: 5 * time.Millisecond, AnchorEvery: time.Millisecond, Anchor: func(_ context.Context, h models.AuditHead) error {
			if h.Seq == seq {
				select {
				case heads <- h:
				default:
				}
			}
			return nil
		}})
	}()
	select {
	case head := <-heads:
		cancel()
		<-ended
		return head
	case err := <-ended:
		t.Fatalf("the sealer ended: %v", err)
		return models.AuditHead{}
	}
}
