package awssim

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"
	"github.com/jackc/pgx/v5"

	"slipway/dev/postgres/pgtest"
)

// world is a simulator of a test, with its address.
type world struct {
	*Sim
	url      string
	database string
}

// newWorld opens a simulator on a database of its own.
func newWorld(t testing.TB, speed float64) *world {
	t.Helper()
	url, _ := pgtest.Database(t, freshWorld)
	return openWorld(t, url, speed)
}

// freshWorld is a database with the demo organization: made once, and copied for each test.
func freshWorld(ctx context.Context, url string) error {
	s, err := Open(ctx, Options{DatabaseURL: url, ExternalID: "slipway-demo-external-id"})
	if err != nil {
		return err
	}
	s.Close()
	return nil
}

func openWorld(t testing.TB, database string, speed float64) *world {
	t.Helper()
	return openTraced(t, database, speed, nil)
}

func openTraced(t testing.TB, database string, speed float64, tracer pgx.QueryTracer) *world {
	t.Helper()
	level := slog.LevelError
	if testing.Verbose() {
		level = slog.LevelWarn
	}
	s, err := Open(t.Context(), Options{DatabaseURL: database, Speed: speed, ExternalID: "slipway-demo-external-id", tracer: tracer,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))})
	if err != nil {
		t.Fatalf("open the simulator: %v", err)
	}
	t.Cleanup(s.Close)
	srv := httptest.NewServer(s.Handler())
	t.Cleanup(srv.Close)
	return &world{Sim: s, url: srv.URL, database: database}
}

// browser has connections of its own: a test server that closes ends the idle ones of the default transport, which parallel tests use.
var browser = &http.Client{Transport: &http.Transport{}, Timeout: time.Minute}

// as is an SDK configuration with one of the static keys.
func (w *world) as(key string) aws.Config {
	return aws.Config{Region: homeRegion, BaseEndpoint: &w.url, Credentials: credentials.NewStaticCredentialsProvider(key, "secret", ""),
		RetryMaxAttempts: 1, HTTPClient: browser}
}

const (
	asAdmin    = "AKIASIMMGMTADMIN0001"
	asHubAdmin = "AKIASIMHUBADMIN00001"
	asWorker   = "AKIASIMHUBWORKER0001"
	asWeb      = "AKIASIMHUBWEB0000001"
)

// do runs fn inside the world, as the simulator itself.
func (w *world) do(t *testing.T, fn func(ctx context.Context, c *Call) error) {
	t.Helper()
	if err := w.within(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// role puts a role into the world that may be used at once.
func (w *world) role(t *testing.T, r Role) {
	t.Helper()
	w.do(t, func(ctx context.Context, c *Call) error {
		r.Created = c.Now.Add(-time.Hour)
		_, err := c.putRole(ctx, r)
		return err
	})
}

// assume opens a session from cfg and answers a configuration with it.
func assume(t *testing.T, cfg aws.Config, in *sts.AssumeRoleInput) (aws.Config, error) {
	t.Helper()
	out, err := sts.NewFromConfig(cfg).AssumeRole(t.Context(), in)
	if err != nil {
		return cfg, err
	}
	cfg.Credentials = sessionOf(out.Credentials)
	return cfg, nil
}

func sessionOf(c *ststypes.Credentials) aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
}

// code is the AWS error code of an error, empty for none.
func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	if err != nil {
		return "not an API error: " + err.Error()
	}
	return ""
}

func wantCode(t *testing.T, what string, err error, want string) {
	t.Helper()
	if got := code(err); got != want {
		t.Errorf("%s: got %q (%v), want %q", what, got, err, want)
	}
}

// eventually asks until it is told yes; the simulator's own clock decides when.
func eventually(t *testing.T, what string, ask func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(2 * time.Minute)
	for !ask() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s did not come to pass", what)
		}
	}
}
