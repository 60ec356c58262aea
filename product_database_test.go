//go:build dev

package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"slipway/web"
	"slipway/web/auth"
)

// cable leads to the database and can be pulled.
type cable struct {
	listener      net.Listener
	network, addr string

	mu     sync.Mutex
	pulled bool
	open   map[net.Conn]bool
}

// lay puts a cable between the product and its database.
func lay(t *testing.T, m *matrix) *cable {
	at, err := pgx.ParseConfig(m.vars["SLIPWAY_DATABASE_URL"])
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{listener: loopback(t), network: "tcp", addr: net.JoinHostPort(at.Host, strconv.Itoa(int(at.Port))), open: map[net.Conn]bool{}}
	if strings.HasPrefix(at.Host, "/") {
		c.network, c.addr = "unix", filepath.Join(at.Host, ".s.PGSQL."+strconv.Itoa(int(at.Port)))
	}
	u := url.URL{Scheme: "postgres", User: url.UserPassword(at.User, at.Password), Host: c.listener.Addr().String(), Path: "/" + at.Database, RawQuery: "sslmode=disable"}
	m.vars["SLIPWAY_DATABASE_URL"] = u.String()
	go func() {
		for {
			near, err := c.listener.Accept()
			if err != nil {
				return
			}
			go c.join(near)
		}
	}()
	return c
}

func (c *cable) join(near net.Conn) {
	defer near.Close()
	far, err := net.Dial(c.network, c.addr)
	if err != nil {
		return
	}
	defer far.Close()
	c.mu.Lock()
	if c.pulled {
		c.mu.Unlock()
		return
	}
	c.open[near] = true
	c.mu.Unlock()
	ended := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		go func() { _, _ = io.Copy(way[0], way[1]); ended <- struct{}{} }() // a pulled cable is no error here
	}
	<-ended
	c.mu.Lock()
	delete(c.open, near)
	c.mu.Unlock()
}

func (c *cable) pull(out bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pulled = out
	if out {
		for conn := range c.open {
			_ = conn.Close()
		}
	}
}

// TestDatabaseGone pulls the cable right after a request was accepted, asks for everything, and puts it back.
func TestDatabaseGone(t *testing.T) {
	var db *cable
	m := newMatrix(t, unlimited, func(m *matrix) { db = lay(t, m) })
	accepted := m.post("developer", "/tenants/new", goodTenant())
	if accepted.StatusCode != http.StatusSeeOther {
		t.Fatal(accepted.Status)
	}
	db.pull(true)
	for _, r := range m.routes {
		path := m.path(r, "own")
		switch {
		case r.Path == "/healthz" || r.Kind == web.Static:
			if a := m.send("admin", http.MethodGet, path, nil); a.StatusCode != http.StatusOK {
				t.Errorf("%s without the database: %s", path, a.Status)
			}
			continue
		case r.Path == "/readyz":
			if a := m.send("admin", http.MethodGet, path, nil); a.StatusCode != http.StatusServiceUnavailable {
				t.Errorf("%s without the database: %s", path, a.Status)
			}
			continue
		case r.Kind == web.Dev || r.Path == "/auth/callback" || r.Path == auth.BackchannelPath:
			continue // no database of ours; and without a state or a token there is nothing to look for
		}
		var body io.Reader
		if r.Method == http.MethodPost {
			body = strings.NewReader(url.Values{"_csrf": {m.tokens["admin"]}}.Encode())
		}
		a := m.send("admin", r.Method, path, body)
		if a.StatusCode != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" || !strings.Contains(a.text, a.Header.Get("X-Request-Id")) || !strings.Contains(a.text, "<html") && r.Kind != web.Bearer {
			t.Errorf("%s without the database: %s, Retry-After %q\n%.200s", r.Pattern(), a.Status, a.Header.Get("Retry-After"), a.text)
		}
		if strings.Contains(strings.Join(a.Header.Values("Set-Cookie"), ";"), sessionCookieName) {
			t.Errorf("%s without the database changes cookies: %v", r.Pattern(), a.Cookies())
		}
	}
	db.pull(false)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for m.send("admin", http.MethodGet, "/readyz", nil).StatusCode != http.StatusOK {
		select {
		case <-ctx.Done():
			t.Fatal("not ready again by itself")
		case <-time.After(50 * time.Millisecond):
		}
	}
	if a := m.send("developer", http.MethodGet, accepted.Header.Get("Location"), nil); a.StatusCode != http.StatusOK || !strings.Contains(a.text, "billing") {
		t.Errorf("the accepted request afterwards: %s", a.Status)
	}
	if n := m.number(`SELECT count(*) FROM journal j JOIN requests r ON r.id = j.object_id WHERE r.object_name = 'billing' AND NOT j.done`); n != 1 {
		t.Errorf("%d pieces of work wait for the accepted request, want 1", n)
	}
}
