package e2e

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/jackc/pgx/v5/pgxpool"
)

// baseline names the address on which this test binary, started again, serves the hand-written page.
const baseline = "SLIPWAY_BENCH_BASELINE"

const (
	benchTenants = 10_000
	benchEntries = 100_000
	benchClients = 16
	benchRound   = 4 * time.Second
	benchRounds  = 3
)

// BenchmarkSlipway reports, and never fails for a figure: pages as a ratio to a handler written by hand with pgx that does the same
// session and list queries and writes the same bytes; memory, start, sizes.
func BenchmarkSlipway(b *testing.B) {
	w := benchWorld(b)
	for b.Loop() {
		w.pages(b)
		w.weight(b)
		w.start(b)
	}
}

// bench is a filled installation with a production binary in front of it.
type bench struct {
	*world
	bin     string
	session string // cookie
	body    map[string][]byte
}

func benchWorld(b *testing.B) *bench {
	b.Helper()
	w := &bench{world: newWorld(b, 200), body: map[string][]byte{}}
	w.bin = filepath.Join(b.TempDir(), "slipway")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", w.bin, "slipway")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	server := w.serve(w.bin, w.addr)
	w.answers(w.public + "/readyz")
	admin, err := tryScript(b, w.public, "admin")
	if err != nil {
		b.Fatal(err)
	}
	home, err := url.Parse(w.public)
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range admin.http.Jar.Cookies(home) {
		if strings.HasSuffix(c.Name, "slipway_session") {
			w.session = c.Name + "=" + c.Value
		}
	}
	w.fillTables(b)
	b.Logf("idle memory of serve: %s", residentMemory(b, server.cmd.Process.Pid))
	return w
}

func (w *bench) fillTables(b *testing.B) {
	b.Helper()
	for _, sql := range []string{
		fmt.Sprintf(`INSERT INTO requests (id, kind, object_type, object_id, object_name, title, state, inputs, inputs_by, requester_id, idempotency_key, state_since, created_at, submitted_at, ended_at)
			SELECT gen_random_uuid(), 'tenant.create', 'tenant', gen_random_uuid(), 'bench-' || n, 'Create tenant bench-' || n, 'succeeded', '{}', ARRAY[p.id], p.id, 'bench-' || n, t, t, t, t
			FROM generate_series(1, %d) n, (SELECT id FROM people LIMIT 1) p, (SELECT timestamptz '2026-01-01' AS t) x`, benchTenants),
		`INSERT INTO tenants (id, slug, display_name, owner_group, developer_group, viewer_group, cost_centre, budget, state, request_id, estimate, created_at, updated_at)
			SELECT r.object_id, r.object_name, 'Team ' || r.object_name, r.object_name || '-owners', r.object_name || '-developers', r.object_name || '-viewers', 'CC-4100', 2500, 'ready', r.id, 118.24, r.created_at, r.created_at
			FROM requests r WHERE r.object_name LIKE 'bench-%'`,
		`UPDATE requests SET tenant_id = object_id WHERE object_name LIKE 'bench-%'`,
		`INSERT INTO accounts (id, tenant_id, class, name, email, aws_id, state, aws_state, aws_state_at, created_at)
			SELECT gen_random_uuid(), t.id, 'nonprod', t.slug || '-nonprod', t.slug || '@example.com', lpad((500000000000 + row_number() OVER ())::text, 12, '0'), 'ready', 'ACTIVE', t.created_at, t.created_at FROM tenants t WHERE t.slug LIKE 'bench-%'`,
		fmt.Sprintf(`INSERT INTO audit_entries (id, at, actor, role, action, object_type, object_id, object_name, tenant_id)
			SELECT gen_random_uuid(), timestamptz '2026-01-01' + n * interval '1 second', 'Bench', 'system', 'request.submit', 'tenant', t.id::text, t.slug, t.id::text
			FROM generate_series(1, %d) n JOIN (SELECT id, slug, row_number() OVER () AS k FROM tenants WHERE slug LIKE 'bench-%%') t ON t.k = n %% %d + 1`, benchEntries, benchTenants),
	} {
		w.exec(sql)
	}
	w.fillEnvironments(b)
	w.exec(`ANALYZE`)
}

// pages measures each page against the hand-written one, in turns, in this run.
func (w *bench) pages(b *testing.B) {
	for name, path := range map[string]string{"tenants list": "/tenants", "tenant page": "/tenants/bench-42", "environments list": "/environments",
		"environments filtered": "/environments?stage=staging", "environments sorted": "/environments?sort=-monthly", "environments searched": "/environments?q=e-9999",
		"plan of 500 changes": "/requests/" + benchPlan} {
		body := w.fetch(b, w.public+path)
		file := filepath.Join(b.TempDir(), "body")
		if err := os.WriteFile(file, body, 0o600); err != nil {
			b.Fatal(err)
		}
		ports, err := freePorts(1)
		if err != nil {
			b.Fatal(err)
		}
		hand := "http://127.0.0.1:" + ports[0]
		p := w.spawn(os.Args[0], []string{"-test.run=^$"}, baseline+"=127.0.0.1:"+ports[0], "BENCH_BODY="+file, "BENCH_URL="+w.db, "BENCH_PAGE="+path)
		w.answers(hand + "/ok")
		var ours, theirs []float64
		for range benchRounds {
			theirs = append(theirs, w.load(b, hand+"/"))
			ours = append(ours, w.load(b, w.public+path))
		}
		slices.Sort(ours)
		slices.Sort(theirs)
		ratio := 100 * ours[benchRounds/2] / theirs[benchRounds/2]
		b.ReportMetric(ratio, strings.ReplaceAll(name, " ", "-")+"-%-of-pgx")
		b.Logf("%s: %.0f pages/s, by hand %.0f pages/s, ratio %.0f %% (%d bytes)", name, ours[benchRounds/2], theirs[benchRounds/2], ratio, len(body))
		_ = p.cmd.Process.Kill()
	}
}

// load asks for a page with a fixed number of clients for a fixed time and returns pages per second.
func (w *bench) load(b *testing.B, address string) float64 {
	b.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: benchClients}, Timeout: 20 * time.Second}
	var done, failed atomic.Int64
	ctx, cancel := context.WithTimeout(context.Background(), benchRound)
	defer cancel()
	var wg sync.WaitGroup
	for range benchClients {
		wg.Go(func() {
			for ctx.Err() == nil {
				if w.one(client, address) {
					done.Add(1)
				} else {
					failed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	client.CloseIdleConnections()
	if failed.Load() > 0 {
		b.Logf("%s: %d answers were not 200", address, failed.Load())
	}
	return float64(done.Load()) / benchRound.Seconds()
}

func (w *bench) one(client *http.Client, address string) bool {
	req, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		return false
	}
	req.Header.Set("Cookie", w.session)
	res, err := client.Do(req)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, res.Body)
	return res.Body.Close() == nil && err == nil && res.StatusCode == http.StatusOK
}

func (w *bench) fetch(b *testing.B, address string) []byte {
	b.Helper()
	req, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Cookie", w.session)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		b.Fatalf("%s: %s %v", address, res.Status, err)
	}
	return body
}

var staticLink = regexp.MustCompile(`(?:href|src)="(/static/[^"#]+)`)

// weight sums the first view: the page and everything it names but the font, gzipped.
func (w *bench) weight(b *testing.B) {
	page := w.fetch(b, w.public+"/tenants")
	sum, seen := gzipped(page), map[string]bool{}
	for _, m := range staticLink.FindAllStringSubmatch(string(page), -1) {
		if seen[m[1]] || strings.Contains(m[1], ".woff2") {
			continue
		}
		seen[m[1]] = true
		sum += gzipped(w.fetch(b, w.public+m[1]))
	}
	info, err := os.Stat(w.bin)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(sum)/1024, "first-page-KB")
	b.Logf("first page %.1f KB gzip in %d files without the font; binary %.1f MB", float64(sum)/1024, len(seen)+1, float64(info.Size())/1e6)
}

func gzipped(content []byte) int {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write(content)
	_ = z.Close()
	return out.Len()
}

// start measures how long a start on existing data takes until it is ready.
func (w *bench) start(b *testing.B) {
	ports, err := freePorts(1)
	if err != nil {
		b.Fatal(err)
	}
	from := time.Now()
	p := w.serve(w.bin, "127.0.0.1:"+ports[0])
	w.answers("http://127.0.0.1:" + ports[0] + "/readyz")
	b.Logf("from start to ready on existing data: %s", time.Since(from).Round(time.Millisecond))
	_ = p.cmd.Process.Kill()
}

func residentMemory(b *testing.B, pid int) string {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return "not readable here"
	}
	for _, line := range strings.Split(string(status), "\n") {
		if rss, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			return strings.TrimSpace(rss)
		}
	}
	return "not readable here"
}

// byHand is the page as one would write it for speed alone: session, counts and rows by pgx, then bytes.
func byHand(addr string) error {
	body, err := os.ReadFile(os.Getenv("BENCH_BODY"))
	if err != nil {
		return err
	}
	pool, err := pgxpool.New(context.Background(), os.Getenv("BENCH_URL"))
	if err != nil {
		return err
	}
	defer pool.Close()
	var tenant string
	if err := pool.QueryRow(context.Background(), `SELECT id FROM tenants WHERE slug = 'bench-42'`).Scan(&tenant); err != nil {
		return err
	}
	queries := handQueries(os.Getenv("BENCH_PAGE"), tenant)
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/ok", func(c *fiber.Ctx) error { return c.SendString("ok") })
	app.Get("/", func(c *fiber.Ctx) error {
		_, token, _ := strings.Cut(c.Get("Cookie"), "=")
		hash := sha256.Sum256([]byte(token))
		for _, q := range queries {
			var args []any
			if strings.Contains(q, "$1") {
				args = append(args, hash[:])
			}
			rows, err := pool.Query(c.Context(), q, args...)
			if err != nil {
				return err
			}
			for rows.Next() {
				if _, err := rows.Values(); err != nil {
					return err
				}
			}
			if err := rows.Err(); err != nil {
				return err
			}
		}
		c.Set("Content-Type", "text/html; charset=utf-8")
		return c.Send(body)
	})
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	return app.Listener(l)
}

// handQueries ask for what the product's page asks for, as plain as can be, with the conditions that its indexes need.
func handQueries(page, tenant string) []string {
	queries := []string{
		`SELECT s.id, s.csrf_secret, s.last_seen_at, s.expires_at, p.id, p.name, p.groups, ARRAY(SELECT role FROM role_mappings m WHERE m.group_name = ANY (p.groups)),
			(SELECT jsonb_agg(t.slug) FROM tenants t WHERE t.owner_group = ANY (p.groups) OR t.developer_group = ANY (p.groups) OR t.viewer_group = ANY (p.groups))
			FROM sessions s JOIN people p ON p.id = s.person_id WHERE s.token_hash = $1`,
		`SELECT (SELECT count(*) FROM requests WHERE state = 'awaiting_approval'), (SELECT count(*) FROM requests WHERE state IN ('running', 'stopping', 'undoing'))`,
	}
	if more := handEnvironments(page); more != nil {
		return append(queries, more...)
	}
	if page == "/tenants" {
		return append(queries, `SELECT count(*) FROM (SELECT 1 FROM tenants LIMIT 10001) x`,
			`SELECT t.*, (SELECT count(*) FROM accounts a WHERE a.tenant_id = t.id AND a.state <> 'deleted'),
			(SELECT count(*) FROM accounts a WHERE a.tenant_id = t.id AND a.state <> 'deleted' AND a.aws_state = 'ACTIVE') FROM tenants t ORDER BY slug LIMIT 51`)
	}
	is := ` tenant_id = '` + tenant + `'`
	return append(queries, `SELECT * FROM tenants WHERE slug = 'bench-42'`, `SELECT * FROM accounts WHERE state <> 'deleted' AND`+is,
		`SELECT * FROM requests WHERE`+is+` ORDER BY submitted_at DESC LIMIT 8`,
		`SELECT * FROM runs WHERE request_id IN (SELECT id FROM requests WHERE`+is+`) LIMIT 8`,
		`SELECT * FROM audit_entries WHERE`+is+` ORDER BY at DESC LIMIT 20`,
		`SELECT id, name FROM people WHERE groups && ARRAY['bench-42-owners', 'bench-42-developers', 'bench-42-viewers'] LIMIT 60`)
}
