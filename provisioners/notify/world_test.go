package notify_test

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"slipway/dev/mail"
	"slipway/dev/postgres/pgtest"
	"slipway/models"
	"slipway/models/store"
	"slipway/provisioners/notify"
	"slipway/web/auth"
)

// world is a database with people in it, and what catches what they are sent.
type world struct {
	t       *testing.T
	url     string
	store   *store.Store
	clock   *models.ShiftedClock
	catcher *mail.Catcher
	admin   models.Actor
}

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}

func newWorld(t *testing.T) *world {
	t.Helper()
	_, url := pgtest.Database(t, store.Migrate)
	w := &world{t: t, url: url, clock: &models.ShiftedClock{}}
	w.store = openStore(t, url, w.clock)
	var err error
	if w.catcher, err = mail.Start(t.Context(), slog.Default()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.catcher.Close() })
	w.admin = w.person("ada", "platform-admins")
	return w
}

func openStore(t testing.TB, url string, clock models.Clock) *store.Store {
	t.Helper()
	keys, err := auth.NewKeyring([][]byte{[]byte(strings.Repeat("k", 32))})
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(context.Background(), store.Options{URL: url, Connections: 10, Clock: clock, AdminGroups: []string{"platform-admins"}, Keys: keys,
		GroupPattern: regexp.MustCompile(`^[a-z0-9-]+$`), AccountEmail: "aws+{tenant}-{class}-{n}@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func (w *world) person(name string, groups ...string) models.Actor {
	w.t.Helper()
	wall, hash := w.clock.Wall(), sha256.Sum256([]byte(models.NewID()))
	who, err := w.store.SignIn(w.t.Context(), models.System("sign-in", ""), models.Person{Issuer: "https://idp.test", Subject: name, Name: name, Email: name + "@example.com", Groups: groups,
		GroupsSeenAt: w.clock.Now()}, models.Session{TokenHash: hash[:], CSRFSecret: []byte("csrf"), CreatedAt: wall, LastSeenAt: wall, ExpiresAt: wall.Add(time.Hour)}, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return who
}

// options are a courier's that sends to the catcher.
func (w *world) options(change ...func(*notify.Options)) notify.Options {
	o := notify.Options{Book: w.store.Outbox(), Owner: models.NewID(), Clock: w.clock, Logger: slog.New(slog.DiscardHandler), PublicURL: "https://slipway.example.com", Networks: loopback,
		Mail: server(w.catcher.SMTPURL()), Every: 20 * time.Millisecond, Timeout: 2 * time.Second}
	for _, c := range change {
		c(&o)
	}
	return o
}

// server is a mail server on loopback.
func server(address string) *notify.MailServer {
	host, port, _ := strings.Cut(strings.TrimPrefix(address, "smtp://"), ":")
	n, _ := strconv.Atoi(port)
	return &notify.MailServer{Host: host, Port: n, StartTLS: "off", From: "Slipway <slipway@example.com>"}
}

// run has a courier work until the test ends, or until the function that it gives is called.
func (w *world) run(change ...func(*notify.Options)) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.t.Context()))
	over := make(chan struct{})
	go func() { defer close(over); notify.New(w.options(change...)).Run(ctx) }()
	stop = sync.OnceFunc(func() { cancel(); <-over })
	w.t.Cleanup(stop)
	return stop
}

// caught waits until something caught fits.
func (w *world) caught(what string, fits func(mail.Caught) bool) mail.Caught {
	w.t.Helper()
	late := time.After(2 * time.Minute)
	for {
		changed := w.catcher.Changed()
		for _, m := range w.catcher.All() {
			if fits(m) {
				return m
			}
		}
		select {
		case <-changed:
		case <-late:
			w.t.Fatalf("not caught: %s; caught %d messages", what, len(w.catcher.All()))
		}
	}
}

// log is the delivery log, newest first.
func (w *world) log(filters ...string) []models.Notification {
	w.t.Helper()
	q := models.ListQuery{Filters: map[string]string{}, Limit: 200}
	for i := 0; i+1 < len(filters); i += 2 {
		q.Filters[filters[i]] = filters[i+1]
	}
	list, err := w.store.Notifications(w.t.Context(), w.admin, q)
	if err != nil {
		w.t.Fatal(err)
	}
	return list.Rows
}

// until asks again every few milliseconds whether something has come true in the database.
func (w *world) until(what string, is func() bool) {
	w.t.Helper()
	late := time.NewTimer(2 * time.Minute)
	defer late.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-late.C:
			for _, n := range w.log() {
				w.t.Logf("%+v", n)
			}
			w.t.Fatalf("not so in time: %s", what)
		}
	}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}
