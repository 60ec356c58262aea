//go:build dev

package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"slipway/models/catalog"
	"slipway/views/urls"
)

// catalogRows make tenants slipway.from to slipway.to with an account, a network, four environments and three services each: ten entities.
const catalogRows = `
CREATE TEMP TABLE more AS SELECT g, gen_random_uuid() AS tenant, gen_random_uuid() AS account, gen_random_uuid() AS network, 't' || lpad(g::text, 6, '0') AS slug,
	'0190b9a0-0000-7000-8000-aa0000000001'::uuid AS request, '2026-01-01'::timestamptz AS at FROM generate_series($1::int, $2::int) g`

var catalogFill = []string{
	`INSERT INTO tenants (id, slug, display_name, owner_group, developer_group, viewer_group, cost_centre, budget, state, request_id, created_at, updated_at)
		SELECT tenant, slug, 'Team ' || slug, slug || '-owners', slug || '-developers', slug || '-viewers', 'CC-1', 100, 'ready', request, at, at FROM more`,
	`INSERT INTO accounts (id, tenant_id, class, name, email, aws_id, state, created_at) SELECT account, tenant, 'nonprod', slug, slug || '@example.com', lpad((300000000000 + g)::text, 12, '0'), 'ready', at FROM more`,
	`INSERT INTO networks (id, tenant_id, account_id, class, region, name, state, request_id, created_at, updated_at) SELECT network, tenant, account, 'nonprod', 'eu-west-1', 'nonprod-eu-west-1', 'ready', request, at, at FROM more`,
	`INSERT INTO services (id, tenant_id, account_id, class, name, state, request_id, created_at, updated_at) SELECT gen_random_uuid(), tenant, account, 'nonprod', 'service-' || n, 'ready', request, at, at FROM more, generate_series(1, 3) n`,
	`INSERT INTO environments (id, tenant_id, account_id, network_id, service_id, name, stage, region, blueprint, host, state, request_id, created_at, updated_at)
		SELECT gen_random_uuid(), tenant, account, network, (SELECT s.id FROM services s WHERE s.tenant_id = tenant AND s.name = 'service-' || (n % 3 + 1)), 'env-' || n, 'dev', 'eu-west-1', 'ecs-web-service',
			'env-' || n || '.' || slug || '.example.com', 'ready', request, at, at FROM more, generate_series(1, 4) n`,
	`INSERT INTO stacks (object_id, object_type, tenant_id, account_id, region, name, stack_id, status, resources)
		SELECT id, 'environment', tenant_id, account_id, region, 'slw-' || name, 'arn:aws:cloudformation:eu-west-1:300000000000:stack/slw-' || name || '/' || id, 'CREATE_COMPLETE',
			jsonb_build_array(jsonb_build_object('logical_id', 'Service', 'type', 'AWS::ECS::Service', 'physical_id', 'arn:aws:ecs:eu-west-1:300000000000:service/cluster/' || id), jsonb_build_object('logical_id', 'Log', 'type', 'AWS::Logs::LogGroup', 'physical_id', 'x'))
		FROM environments e WHERE NOT EXISTS (SELECT FROM stacks s WHERE s.object_id = e.id)`,
	`DROP TABLE more`, `ANALYZE`,
}

// BenchmarkCatalog reads the feed of 10,000 and 100,000 entities whole, in documents and in pages, and pages of 20 from anywhere in it at 8
// connections. It reports, and never fails for a figure.
func BenchmarkCatalog(b *testing.B) {
	m := newMatrix(b, unlimited)
	bearer := "Bearer " + m.catalogToken("bench")
	have := 0
	for _, entities := range []int{10_000, 100_000} {
		m.exec(catalogRows, have+1, entities/10)
		for _, sql := range catalogFill {
			m.exec(sql)
		}
		have = entities / 10
		b.Run(fmt.Sprint(entities), func(b *testing.B) {
			for b.Loop() {
				m.measureCatalog(b, bearer, have)
			}
		})
	}
}

func (m *matrix) measureCatalog(b *testing.B, bearer string, tenants int) {
	debug.FreeOSMemory()
	peak := watchHeap()
	began, size := time.Now(), 0
	roots := []string{urls.Catalog}
	if 3*tenants < catalog.MaxPerFile { // more groups are read in pages alone
		roots = append(roots, "/backstage/groups.yaml")
	}
	for _, path := range roots {
		size += len(m.whole(b, path, bearer))
	}
	rooted := time.Since(began)
	for g := 1; g <= tenants; g++ {
		size += len(m.whole(b, fmt.Sprintf("/backstage/tenants/t%06d.yaml", g), bearer))
	}
	b.ReportMetric(time.Since(began).Seconds(), "documents-s")
	b.Logf("documents: %s, of it root and groups %s; %d MB, heap at most %d MB", time.Since(began).Round(time.Millisecond), rooted.Round(time.Millisecond), size>>20, peak()>>20)

	peak, began, size = watchHeap(), time.Now(), 0
	var cursors []string
	count := 0
	for after := ""; ; {
		body := m.whole(b, urls.CatalogEntities+"?limit=1000&after="+after, bearer)
		var page struct {
			Entities []json.RawMessage
			Next     *string
		}
		if err := json.Unmarshal([]byte(body), &page); err != nil {
			b.Fatal(err)
		}
		size, count = size+len(body), count+len(page.Entities)
		if page.Next == nil {
			break
		}
		after = *page.Next
		cursors = append(cursors, after)
	}
	b.ReportMetric(time.Since(began).Seconds(), "pages-s")
	b.Logf("pages of 1,000: %d entities in %s; %d MB, heap at most %d MB", count, time.Since(began).Round(time.Millisecond), size>>20, peak()>>20)
	m.pageLatency(b, bearer, cursors)
}

// pageLatency asks for pages of 20 from anywhere, at 8 connections.
func (m *matrix) pageLatency(b *testing.B, bearer string, cursors []string) {
	const clients, each = 8, 150
	var mu sync.Mutex
	var all []time.Duration
	var done sync.WaitGroup
	for range clients {
		done.Go(func() {
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}
			for range each {
				began := time.Now()
				req, err := http.NewRequest(http.MethodGet, m.url+urls.CatalogEntities+"?limit=20&after="+cursors[rand.IntN(len(cursors))], nil)
				if err != nil {
					b.Error(err)
					return
				}
				req.Header.Set("Authorization", bearer)
				res, err := client.Do(req)
				if err != nil || res.StatusCode != http.StatusOK {
					b.Errorf("page: %v", err)
					return
				}
				var page struct{ Entities []json.RawMessage }
				err = json.NewDecoder(res.Body).Decode(&page)
				_ = res.Body.Close()
				if err != nil || len(page.Entities) == 0 {
					b.Errorf("page of %d: %v", len(page.Entities), err)
				}
				mu.Lock()
				all = append(all, time.Since(began))
				mu.Unlock()
			}
		})
	}
	done.Wait()
	slices.Sort(all)
	if len(all) == 0 {
		return
	}
	b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "page-of-20-p50-ms")
	b.Logf("pages of 20 at %d connections: p50 %s, p99 %s", clients, all[len(all)/2], all[len(all)*99/100])
}

// whole reads a document to its end.
func (m *matrix) whole(b *testing.B, path, bearer string) string {
	a := m.send("anonymous", http.MethodGet, path, nil, "Authorization", bearer, "Accept", "*/*")
	if a.StatusCode != http.StatusOK || strings.TrimSpace(a.text) == "" {
		b.Fatalf("%s: %s", path, a.Status)
	}
	return a.text
}

// watchHeap samples the heap of this process, product and reader in one, until its end is asked for: the most that was in use.
func watchHeap() func() uint64 {
	stop, most := make(chan struct{}), make(chan uint64)
	go func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		var high uint64
		for {
			select {
			case <-stop:
				most <- high
				return
			case <-tick.C:
				var s runtime.MemStats
				runtime.ReadMemStats(&s)
				high = max(high, s.HeapInuse)
			}
		}
	}()
	return func() uint64 { close(stop); return <-most }
}
