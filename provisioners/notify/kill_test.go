package notify_test

import (
	"bufio"
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
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
		Mail: server(smtp), Every: 20 * time.Millisecond, Timeout: 2 * time.Second, Crash: func(point string) {
			_, _ = os.Stdout.WriteString(point + "\n")
			<-time.After(time.Duration(rand.IntN(60)) * time.Millisecond)
		}})
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
	var workers sync.WaitGroup
	var killed atomic.Int32
	for range 2 {
		workers.Go(func() { killed.Add(int32(w.killAgainAndAgain(kills / 2))) })
	}
	telling.Wait()
	workers.Wait()
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
	if interrupted == 0 || killed.Load() < 5 {
		t.Errorf("%d kills hit %d messages on their way: the test shows nothing", killed.Load(), interrupted)
	}
	t.Logf("%d messages arrived, %d of them twice or more; %d kills interrupted %d", len(byID), twice, killed.Load(), interrupted)
}

// killAgainAndAgain runs a worker process and kills it a random while after it has come to a random point of its work, n times; or until a
// worker finds nothing to do for seconds.
func (w *world) killAgainAndAgain(n int) (killed int) {
	for killed < n {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "NOTIFY_WORKER_DATABASE="+w.url, "NOTIFY_WORKER_SMTP="+w.catcher.SMTPURL())
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			w.t.Error(err)
			return killed
		}
		reached := make(chan bool, 1)
		go func() {
			points, stop := bufio.NewScanner(out), 1+rand.IntN(10)
			for range stop {
				if !points.Scan() {
					break
				}
			}
			reached <- true
		}()
		idle := time.NewTimer(10 * time.Second)
		busy := false
		select {
		case busy = <-reached:
			<-time.After(time.Duration(rand.IntN(40)) * time.Millisecond)
		case <-idle.C:
		}
		idle.Stop()
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
		if !busy {
			return killed
		}
		killed++
	}
	return killed
}
