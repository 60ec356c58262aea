//go:build dev

package main

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"slipway/dev/postgres/pgtest"
	"slipway/models"
	"slipway/models/store"
	"slipway/provisioners/aws"
	"slipway/web/config"
	"slipway/web/telemetry"
)

// TestAuditVerifyReadsTheBucket tampers with the log as somebody could who owns the database: what the chain itself cannot tell, the anchors in
// the bucket do, even when the forged chain has grown on and has newer anchors of its own.
func TestAuditVerifyReadsTheBucket(t *testing.T) {
	const bucket = "slipway-audit-222222222222-eu-west-1"
	simulated()
	simURL, _ := pgtest.Database(t, func(context.Context, string) error { return nil })
	log := telemetry.Logger(testWriter{t}, telemetry.LogOptions{Level: "error"})
	sim, err := openSimulator(t.Context(), config.Config{}, config.Dev{SimDatabaseURL: config.Secret(simURL), SimSpeed: 1000}, log)
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	server := httptest.NewServer(sim.Handler())
	defer server.Close()
	keeper, err := aws.New(t.Context(), aws.Options{Endpoint: server.URL, Region: "eu-west-1", ExternalID: demo["SLIPWAY_EXTERNAL_ID"], OrgRoleARN: demo["SLIPWAY_ORG_ROLE_ARN"], Pace: 1000, Clock: &models.ShiftedClock{}})
	if err != nil {
		t.Fatal(err)
	}
	ownerURL, url := pgtest.Database(t, store.Migrate)
	s, err := store.Open(t.Context(), store.Options{URL: url, Connections: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for name, value := range map[string]string{"SLIPWAY_DATABASE_URL": url, "SLIPWAY_AWS_ENDPOINT": server.URL, "SLIPWAY_AWS_REGION": "eu-west-1", "SLIPWAY_AUDIT_ANCHOR_BUCKET": bucket} {
		t.Setenv(name, value)
	}
	grow := func(prefix string, to int64) {
		t.Helper()
		for i := range 3 {
			if err := s.Denied(t.Context(), models.System("test", ""), prefix+string(rune('a'+i)), "request", "1"); err != nil {
				t.Fatal(err)
			}
		}
		if err := keeper.KeepHead(t.Context(), bucket, sealed(t, s, to)); err != nil {
			t.Fatal(err)
		}
	}
	verify := func(args ...string) string {
		t.Helper()
		if err := root().Run(t.Context(), append([]string{"slipway", "audit", "verify"}, args...)); err != nil {
			return err.Error()
		}
		return ""
	}
	owner, err := pgx.Connect(t.Context(), ownerURL)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close(context.WithoutCancel(t.Context()))
	tamper := func(sql string) {
		t.Helper()
		if _, err := owner.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	says := func(what, got string, want ...string) {
		t.Helper()
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%s: got %q, want %q in it", what, got, w)
			}
		}
		if len(want) == 0 && got != "" {
			t.Errorf("%s: %s", what, got)
		}
	}
	grow("/one", 3)
	grow("/two", 6)
	says("as it was written", verify())

	tamper(`UPDATE audit_entries SET actor = 'nobody' WHERE id = (SELECT entry_id FROM audit_seals WHERE seq = 2)`)
	says("an edited row", verify(), "entry 2 does not verify")
	tamper(`UPDATE audit_entries SET actor = 'test' WHERE id = (SELECT entry_id FROM audit_seals WHERE seq = 2)`)
	says("put back", verify())

	tamper(`CREATE TABLE aside AS SELECT * FROM audit_seals WHERE seq > 4; DELETE FROM audit_seals WHERE seq > 4`)
	says("a cut tail", verify(), "ends before entry 6", "its tail was cut off")
	says("a cut tail without the bucket", verify("--no-bucket"))
	tamper(`INSERT INTO audit_seals SELECT * FROM aside`)

	tamper(`DELETE FROM audit_seals WHERE seq > 2; UPDATE audit_entries SET actor = 'nobody' WHERE id NOT IN (SELECT entry_id FROM audit_seals)`)
	grow("/three", 9) // computed anew, and grown on
	says("a rewritten chain without the bucket", verify("--no-bucket"))
	says("a rewritten chain", verify(), "Entry 3 has another hash than the anchor of ", "Entry 6 has another hash", "was rewritten")
	says("since tomorrow", verify("--since", "2999-01-01"))
}

// testWriter is a test's log.
type testWriter struct{ t *testing.T }

// Write implements io.Writer.
func (w testWriter) Write(line []byte) (int, error) {
	w.t.Log(string(line))
	return len(line), nil
}
