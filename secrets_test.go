//go:build dev

package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"slipway/dev/idp"
	"slipway/dev/postgres/pgtest"
	"slipway/dev/seed"
	"slipway/models/store"
	"slipway/web/config"
	"slipway/web/telemetry"
)

// planted are secrets of the configuration that no log line, page, plan, run or audit entry may show.
var planted = map[string]string{
	"database password": "planted-database-password", "client secret": "planted-client-secret", "external id": "planted-external-id",
	"encryption key": base64.StdEncoding.EncodeToString([]byte("planted-encryption-key-32-bytes!")), "AWS secret key": "planted-aws-secret-key",
}

// listener keeps what went over the wire: pages as people got them, and the secrets that came into being on the way.
type listener struct {
	next   http.RoundTripper
	issuer string

	mu    sync.Mutex
	pages bytes.Buffer
	found map[string]string // kind to value: session cookies and tokens
}

// RoundTrip implements http.RoundTripper.
func (l *listener) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := l.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	l.mu.Lock()
	defer l.mu.Unlock()
	if strings.HasPrefix(req.URL.String(), l.issuer) {
		var tokens map[string]any
		if json.Unmarshal(body, &tokens) == nil {
			for _, name := range []string{"id_token", "access_token", "refresh_token"} {
				if value, ok := tokens[name].(string); ok {
					l.found[name+fmt.Sprint(len(l.found))] = value
				}
			}
		}
		return res, nil
	}
	l.pages.Write(body)
	for _, cookie := range res.Cookies() {
		if len(cookie.Value) > 20 {
			l.found["cookie "+cookie.Name+fmt.Sprint(len(l.found))] = cookie.Value
		}
	}
	if code := req.URL.Query().Get("code"); code != "" {
		l.found["code"+fmt.Sprint(len(l.found))] = code
	}
	return res, nil
}

// lockedBuffer collects the log of several goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// TestSecretsStayHidden lets the demo people work on the whole product, log at its loudest, and then looks everywhere.
func TestSecretsStayHidden(t *testing.T) {
	database, _ := pgtest.Database(t, store.Migrate)
	simulated, _ := pgtest.Database(t, func(context.Context, string) error { return nil })
	pages, provider, sim := loopback(t), loopback(t), loopback(t)
	address := fmt.Sprintf("http://localhost:%d", pages.Addr().(*net.TCPAddr).Port)
	issuer := "http://" + provider.Addr().String() + "/dev/idp"
	wire := &listener{next: http.DefaultTransport, issuer: issuer, found: map[string]string{}}
	http.DefaultTransport = wire
	t.Cleanup(func() { http.DefaultTransport = wire.next })
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIASIMHUBWORKER0001")
	t.Setenv("AWS_SECRET_ACCESS_KEY", planted["AWS secret key"])
	t.Setenv("SLIPWAY_SIM_SPEED", "200")

	vars := map[string]string{}
	for name, value := range demo {
		vars[name] = value
	}
	for name, value := range map[string]string{
		"PUBLIC_URL": address, "DATABASE_URL": withPassword(t, database), "OIDC_ISSUER": issuer, "OIDC_CLIENT_SECRET": planted["client secret"],
		"EXTERNAL_ID": planted["external id"], "SECRET_KEYS": planted["encryption key"], "AWS_ENDPOINT": "http://" + sim.Addr().String(),
		"OPS_ADDR": "", "LOG_LEVEL": "debug", "SIM_DATABASE_URL": simulated, "SIM_SPEED": "200",
	} {
		vars["SLIPWAY_"+name] = value
	}
	c, err := config.Load(vars, "web", "worker")
	if err != nil {
		t.Fatal(err)
	}
	d, err := config.LoadDev(vars, "awssim")
	if err != nil {
		t.Fatal(err)
	}
	log := &lockedBuffer{}
	logger := telemetry.Logger(log, telemetry.LogOptions{JSON: true, Level: "debug", Secrets: c.Secrets()})
	world, err := openSimulator(t.Context(), c, d, logger)
	if err != nil {
		t.Fatal(err)
	}
	defer world.Close()
	people, err := idp.New(idp.Config{Issuer: issuer, People: idp.Demo(), Clients: []idp.Client{idp.Slipway(address, planted["client secret"])}})
	if err != nil {
		t.Fatal(err)
	}
	failed := make(chan error, 3)
	defer serveHTTP(&http.Server{Handler: people, ReadHeaderTimeout: 30 * time.Second}, provider, failed)(context.Background())
	defer serveHTTP(&http.Server{Handler: world.Handler(), ReadHeaderTimeout: 30 * time.Second}, sim, failed)(context.Background())

	ctx, stop := context.WithCancel(t.Context())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- serve(ctx, process{config: c, vars: vars, web: true, works: true, log: logger, page: pages, failed: failed,
			extra: mount("/dev/aws", http.StripPrefix("/dev/aws", world.AdminHandler())), ready: func() { close(ready) }})
	}()
	<-ready
	if err := seed.Run(ctx, seed.Options{URL: address, Dir: t.TempDir(), Logger: logger}); err != nil {
		t.Fatal(err)
	}
	looked := everything(t, database)
	stop()
	if err := <-ended; err != nil {
		t.Errorf("serve ended with %v", err)
	}
	wire.mu.Lock()
	defer wire.mu.Unlock()
	if !strings.Contains(looked["plans"], "baseline") || !strings.Contains(looked["audit_entries"], "auth.signin") || len(wire.found) < 5 || wire.pages.Len() < 10_000 {
		t.Fatalf("the test saw too little: %d secrets on the wire, %d bytes of pages", len(wire.found), wire.pages.Len())
	}
	looked["the log"], looked["the pages"] = log.b.String(), wire.pages.String()
	for place, content := range looked {
		for name, secret := range planted {
			if strings.Contains(content, secret) {
				t.Errorf("the %s is in %s", name, place)
			}
		}
		for name, secret := range wire.found {
			if strings.Contains(content, secret) {
				t.Errorf("the %s is in %s", name, place)
			}
		}
	}
}

// everything is the text of each table, whatever its name: a new one is looked into, too.
func everything(t *testing.T, database string) map[string]string {
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), `SELECT tablename FROM pg_tables WHERE schemaname = 'public'`)
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	content := map[string]string{}
	for _, name := range names {
		var text string
		if err := conn.QueryRow(t.Context(), `SELECT coalesce(string_agg(x::text, E'\n'), '') FROM `+pgx.Identifier{name}.Sanitize()+` x`).Scan(&text); err != nil {
			t.Fatal(err)
		}
		content[name] = text
	}
	return content
}

func loopback(t testing.TB) net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// withPassword plants one that trust authentication never asks for.
func withPassword(t *testing.T, dsn string) string {
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword("slipway_app", planted["database password"])
	return u.String()
}
