package notify_test

import (
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"slipway/models"
	"slipway/provisioners/notify"
)

// TestMain lets the test binary be a worker of its own, which another test kills.
func TestMain(m *testing.M) {
	if url := os.Getenv("NOTIFY_WORKER_DATABASE"); url != "" {
		workUntilKilled(url, os.Getenv("NOTIFY_WORKER_SMTP"))
		return
	}
	os.Exit(m.Run())
}

// workUntilKilled is a courier alone in its process. It slows down where a kill hurts most.
func workUntilKilled(url, smtp string) {
	clock := &models.ShiftedClock{}
	t := &testing.T{}
	c := notify.New(notify.Options{Book: shortLease{openStore(t, url, clock).Outbox()}, Owner: models.NewID(), Clock: clock, PublicURL: "https://slipway.example.com", Networks: loopback,
		Mail: server(smtp), Every: 20 * time.Millisecond, Timeout: 2 * time.Second, Crash: func(string) { <-time.After(time.Duration(rand.IntN(100)) * time.Millisecond) }})
	_, _ = os.Stdout.WriteString("ready\n")
	c.Run(context.Background())
}

// shortLease has the leases of killed workers lapse soon, so that the test need not wait for it.
type shortLease struct{ notify.Book }

func (b shortLease) Take(ctx context.Context, owner, destination string, limit int, _ time.Duration) ([]models.Delivery, error) {
	return b.Book.Take(ctx, owner, destination, limit, 3*time.Second)
}

// TestKilledAtRandom tells many people of much, while the worker processes that send it are killed by SIGKILL at random moments: before,
// while and after the mail server takes a message. None is lost, and what came twice came with the same id.
func TestKilledAtRandom(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes for some seconds")
	}
	t.Parallel()
	w := newWorld(t)
	const people, each, kills = 20, 6, 30
	var all []models.Actor
	for i := range people {
		all = append(all, w.person("person-"+string(rune('a'+i)), "engineers"))
	}
	var telling sync.WaitGroup
	telling.Go(func() { // events come while workers die
		for range each {
			for _, who := range all {
				if err := w.store.TestNotification(context.WithoutCancel(t.Context()), who); err != nil {
					t.Error(err)
				}
			}
		}
	})
	stop := make(chan struct{})
	var workers sync.WaitGroup
	for range 2 {
		workers.Go(func() { w.killAgainAndAgain(stop, kills/2) })
	}
	telling.Wait()
	workers.Wait()
	close(stop)
	w.run(func(o *notify.Options) { o.Book = shortLease{o.Book} }) // one that nobody kills does the rest
	w.until("all is told", func() bool { return len(w.log("state", "sent")) == people*each })

	rows := w.log()
	ids, byID := map[string]string{}, map[string]int{}
	twice, interrupted := 0, 0
	for _, n := range rows {
		ids[n.ID] = n.Address
		if n.Attempts > 1 {
			interrupted++
		}
	}
	for _, m := range w.catcher.All() {
		id := strings.TrimSuffix(m.ID, "@slipway.example.com")
		if ids[id] != m.To {
			t.Errorf("caught %s for %s, which the log does not know", m.ID, m.To)
		}
		if byID[id]++; byID[id] == 2 {
			twice++
		}
	}
	if len(rows) != people*each || len(byID) != people*each {
		t.Errorf("%d events, %d messages, %d of them arrived", people*each, len(rows), len(byID))
	}
	if interrupted == 0 {
		t.Error("no kill hit a message on its way: the test shows nothing")
	}
	t.Logf("%d messages arrived, %d of them twice or more; %d kills interrupted %d", len(byID), twice, kills, interrupted)
}

// killAgainAndAgain runs a worker process and kills it after a random while, n times.
func (w *world) killAgainAndAgain(stop <-chan struct{}, n int) {
	for range n {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "NOTIFY_WORKER_DATABASE="+w.url, "NOTIFY_WORKER_SMTP="+w.catcher.SMTPURL())
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err == nil {
			_, err = out.Read(make([]byte, 16)) // it works now
		}
		if err != nil {
			w.t.Error(err)
			return
		}
		life := time.NewTimer(time.Duration(100+rand.IntN(700)) * time.Millisecond)
		select {
		case <-stop:
		case <-life.C:
		}
		life.Stop()
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	}
}
