package store

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"slipway/models"
)

var everyWay = models.Ways{Mail: true, Webhook: true}

const longLease = time.Minute

// sealing is a keyring of one key, as web has it.
type sealing struct{ cipher.AEAD }

func (s sealing) Seal(plain []byte, use string) []byte {
	nonce := make([]byte, s.NonceSize())
	return s.AEAD.Seal(nonce, nonce, plain, []byte(use))
}

func (s sealing) Open(sealed []byte, use string) ([]byte, error) {
	return s.AEAD.Open(nil, sealed[:s.NonceSize()], sealed[s.NonceSize():], []byte(use))
}

func withKeys(o *Options) {
	block, err := aes.NewCipher([]byte(strings.Repeat("k", 32)))
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	o.Keys = sealing{aead}
}

// told spreads what there is and says to whom by mail, by kind.
func toldBy(t *testing.T, s *Store, ways models.Ways) map[models.EventKind][]string {
	t.Helper()
	if _, err := s.Outbox().Spread(t.Context(), ways); err != nil {
		t.Fatal(err)
	}
	list, err := s.Notifications(t.Context(), models.System("test", ""), models.ListQuery{Limit: 200, Filters: map[string]string{"channel": "email"}})
	if err != nil {
		t.Fatal(err)
	}
	to := map[models.EventKind][]string{}
	for _, n := range list.Rows {
		to[n.Kind] = append(to[n.Kind], n.Recipient)
	}
	for _, names := range to {
		slices.Sort(names)
	}
	return to
}

func letters(t *testing.T, s *Store, destination string) []models.Delivery {
	t.Helper()
	d, err := s.Outbox().Take(t.Context(), "me", destination, 100, longLease)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestWhoIsToldOfARequest(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	c := players(t, s)
	long, _ := signIn(t, s, "left-long-ago", "platform-admins")
	if _, err := s.pool.Exec(t.Context(), `UPDATE people SET groups_seen_at = groups_seen_at - interval '100 days' WHERE id = $1`, long.Person.ID); err != nil {
		t.Fatal(err)
	}
	r := submit(t, s, c.dev, "logistics")
	hash := planned(t, s, r.ID, "one", models.Demand{Role: string(models.PlatformAdmin), Count: 2})
	if got := toldBy(t, s, everyWay)[models.TellApprovers]; !slices.Equal(got, []string{"admin", "approver"}) {
		t.Errorf("told to decide: %q", got)
	}
	if err := s.Decide(t.Context(), c.admin, r.ID, hash, models.AskForChanges, "smaller, please"); err != nil {
		t.Fatal(err)
	}
	if got := toldBy(t, s, everyWay)[models.TellDecided]; !slices.Equal(got, []string{"dev"}) {
		t.Errorf("told of the decision: %q", got)
	}
	again, err := s.Outbox().Spread(t.Context(), everyWay)
	if err != nil || again != 0 {
		t.Errorf("spread again: %d, %v", again, err)
	}
}

func TestAdminsHearOfABrokenGlassWhateverTheyChose(t *testing.T) {
	t.Parallel()
	s, _ := open(t, func(o *Options) { o.BreakGlass = true })
	c := players(t, s)
	if err := s.ChooseEvents(t.Context(), c.admin2, nil); err != nil {
		t.Fatal(err)
	}
	r := submit(t, s, c.admin, "logistics")
	hash := planned(t, s, r.ID, "one")
	if err := s.BreakGlass(t.Context(), c.admin, r.ID, hash, "the site is down and all others are away", s.clock.Wall()); err != nil {
		t.Fatal(err)
	}
	got := toldBy(t, s, everyWay)
	if want := []string{"admin", "approver"}; !slices.Equal(got[models.TellBreakGlass], want) {
		t.Errorf("told of the glass: %q, want %q", got[models.TellBreakGlass], want)
	}
	if len(got[models.TellApprovers]) != 0 {
		t.Errorf("asked for approval: %q, although one asked and the other chose not to hear", got[models.TellApprovers])
	}
}

func TestChoices(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	c := players(t, s)
	if off, err := s.EventsOff(t.Context(), c.dev); err != nil || len(off) != 0 {
		t.Fatalf("off at first: %q, %v", off, err)
	}
	if err := s.ChooseEvents(t.Context(), c.admin, []models.EventKind{models.TellDone}); err != nil {
		t.Fatal(err)
	}
	off, err := s.EventsOff(t.Context(), c.admin)
	if err != nil || len(off) != len(models.EventKinds())-2 || slices.Contains(off, models.TellBreakGlass) || slices.Contains(off, models.TellDone) {
		t.Errorf("off: %q, %v", off, err)
	}
	if err := s.ChooseEvents(t.Context(), c.admin, []models.EventKind{"nonsense"}); models.KindOf(err) != models.Invalid {
		t.Errorf("an unknown kind: %v", err)
	}
	if err := s.ChooseEvents(t.Context(), models.System("x", ""), nil); models.KindOf(err) != models.Forbidden {
		t.Errorf("a component chose: %v", err)
	}
}

// TestAnEventCommitsWithWhatItDescribes rolls a move back: nobody hears of it.
func TestAnEventCommitsWithWhatItDescribes(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	c := players(t, s)
	r := submit(t, s, c.dev, "logistics")
	before := count(t, s, `SELECT count(*) FROM notification_events`)
	oops := errors.New("the worker dies")
	err := s.tx(t.Context(), func(w *tx) error {
		req, err := w.loadRequest(r.ID)
		if err != nil {
			return err
		}
		if err := w.move(models.System("planner", ""), &req, models.PlanFailed, models.ByPlanner, "no"); err != nil {
			return err
		}
		return oops
	})
	if !errors.Is(err, oops) {
		t.Fatal(err)
	}
	if n := count(t, s, `SELECT count(*) FROM notification_events`); n != before {
		t.Errorf("%d events after a roll-back, %d before", n, before)
	}
}

func TestWhatMovedOnIsSuperseded(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	c := players(t, s)
	r := submit(t, s, c.dev, "logistics")
	hash := planned(t, s, r.ID, "one")
	toldBy(t, s, everyWay)
	if err := s.Decide(t.Context(), c.admin, r.ID, hash, models.Approve, ""); err != nil {
		t.Fatal(err)
	}
	toldBy(t, s, everyWay)
	kinds := map[models.EventKind]int{}
	for _, d := range letters(t, s, models.MailDestination) {
		kinds[d.Event.Kind]++
	}
	if kinds[models.TellApprovers] != 0 || kinds[models.TellDecided] != 1 {
		t.Errorf("sent: %v", kinds)
	}
	if hooks := letters(t, s, models.ConfigDestination); len(hooks) != 1 || hooks[0].Event.Kind != models.TellDecided {
		t.Errorf("the webhook is sent %+v", hooks)
	}
	if n := count(t, s, `SELECT count(*) FROM notifications WHERE state = 'superseded' AND error LIKE 'The request is %'`); n != 3 {
		t.Errorf("%d are superseded, want two e-mails and a webhook", n)
	}
}

// TestRightIsAskedAgain: who is no admin any more when it is their turn is sent nothing.
func TestRightIsAskedAgain(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	c := players(t, s)
	r := submit(t, s, c.dev, "logistics")
	planned(t, s, r.ID, "one")
	toldBy(t, s, everyWay)
	signIn(t, s, "approver", "engineers")
	got := letters(t, s, models.MailDestination)
	if len(got) != 1 || got[0].ToName != "admin" || got[0].To != "admin@example.com" {
		t.Errorf("taken: %+v", got)
	}
	if got[0].Facts[0].Value != "REQ-1 Create tenant logistics" && got[0].Facts[0].Label != "Request" {
		t.Errorf("facts: %+v", got[0].Facts)
	}
	if cost := got[0].Facts[len(got[0].Facts)-1]; cost.Value != "$12.50 (now $0.00)" {
		t.Errorf("cost: %+v", cost)
	}
}

func TestNotConfiguredIsSaid(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	c := players(t, s)
	if err := s.TestNotification(t.Context(), c.dev); err != nil {
		t.Fatal(err)
	}
	toldBy(t, s, models.Ways{})
	mine, err := s.MyNotifications(t.Context(), c.dev, 10)
	if err != nil || len(mine) != 1 || mine[0].State != models.NoteNotConfigured || mine[0].EndedAt.IsZero() {
		t.Fatalf("got %+v, %v", mine, err)
	}
	if err := s.Redeliver(t.Context(), c.admin, mine[0].ID); err != nil {
		t.Fatal(err)
	}
	if d := letters(t, s, models.MailDestination); len(d) != 1 || d[0].ID != mine[0].ID {
		t.Errorf("again: %+v", d)
	}
}

func TestNoVerifiedAddress(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	c := players(t, s)
	if _, err := s.pool.Exec(t.Context(), `UPDATE people SET email = '' WHERE id = $1`, c.dev.Person.ID); err != nil {
		t.Fatal(err)
	}
	if err := s.TestNotification(t.Context(), c.dev); err != nil {
		t.Fatal(err)
	}
	toldBy(t, s, everyWay)
	if mine, err := s.MyNotifications(t.Context(), c.dev, 10); err != nil || len(mine) != 1 || mine[0].State != models.NoteFailed || mine[0].Error == "" {
		t.Errorf("got %+v, %v", mine, err)
	}
}

// TestLeaseAndFence: a message is one worker's at a time; who lost the lease writes nothing.
func TestLeaseAndFence(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	c := players(t, s)
	if err := s.TestNotification(t.Context(), c.dev); err != nil {
		t.Fatal(err)
	}
	toldBy(t, s, everyWay)
	first, err := s.Outbox().Take(t.Context(), "one", models.MailDestination, 10, -time.Second) // lapsed already
	if err != nil || len(first) != 1 {
		t.Fatal(first, err)
	}
	second := letters(t, s, models.MailDestination)
	if len(second) != 1 || second[0].ID != first[0].ID || second[0].Attempts != 2 {
		t.Fatalf("the lapsed one is not taken again under its id: %+v", second)
	}
	if third := letters(t, s, models.MailDestination); len(third) != 0 {
		t.Errorf("taken twice: %+v", third)
	}
	if err := s.Outbox().End(t.Context(), first[0], models.Result{OK: true}); !errors.Is(err, models.ErrStale) {
		t.Errorf("the first wrote: %v", err)
	}
	if err := s.Outbox().End(t.Context(), second[0], models.Result{OK: true}); err != nil {
		t.Error(err)
	}
	if n := count(t, s, `SELECT count(*) FROM notifications WHERE state = 'sent' AND lease_owner IS NULL`); n != 1 {
		t.Errorf("%d are sent", n)
	}
}

// TestADayOfFailures retries with growing pauses, leaves the destination alone, gives up after a day, and never touches another one.
func TestADayOfFailures(t *testing.T) {
	t.Parallel()
	clock := &models.ShiftedClock{}
	s, _ := open(t, withKeys, func(o *Options) { o.Clock = clock })
	c := players(t, s)
	var hooks []models.Webhook
	for _, name := range []string{"bad", "good"} {
		w, err := s.AddWebhook(t.Context(), c.admin, models.Webhook{Name: name, URL: "https://" + name + ".example.com/x", Form: models.SlackHook})
		if err != nil {
			t.Fatal(err)
		}
		hooks = append(hooks, w)
	}
	bad, good := models.DestinationOf(hooks[0].ID), models.DestinationOf(hooks[1].ID)
	for _, d := range []string{bad, bad, bad, good} {
		if err := s.TestWebhook(t.Context(), c.admin, d); err != nil {
			t.Fatal(err)
		}
	}
	toldBy(t, s, everyWay)
	tries := 0
	for range 2 * 24 * 60 {
		due, err := s.Outbox().Due(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(due, bad) {
			taken := letters(t, s, bad)
			if tries >= 5 && len(taken) > 1 {
				t.Fatalf("%d at once to a destination in trouble", len(taken))
			}
			for _, d := range taken {
				tries++
				if err := s.Outbox().End(t.Context(), d, models.Result{Theirs: true, Error: "It answered 500."}); err != nil {
					t.Fatal(err)
				}
			}
		}
		clock.SetOffset(clock.Offset() + time.Minute)
		if count(t, s, `SELECT count(*) FROM notifications WHERE destination = $1 AND state = 'pending'`, bad) == 0 {
			break
		}
	}
	if n := count(t, s, `SELECT count(*) FROM notifications WHERE destination = $1 AND state = 'failed' AND error = 'It answered 500.'`, bad); n != 3 {
		t.Errorf("%d are given up, want 3", n)
	}
	if day := clock.Offset(); day < 24*time.Hour || day > 26*time.Hour {
		t.Errorf("given up after %s", day)
	}
	if tries < 20 || tries > 150 {
		t.Errorf("%d tries in a day", tries)
	}
	t.Logf("%d tries of 3 messages in %s", tries, clock.Offset())
	if d := letters(t, s, good); len(d) != 1 || d[0].Hook.URL != "https://good.example.com/x" {
		t.Errorf("the good one: %+v", d)
	}
	places, err := s.Destinations(t.Context(), c.auditor)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range places {
		if (p.Name == bad) != (p.Failures >= circuitAt) {
			t.Errorf("circuit of %s: %+v", p.Name, p)
		}
	}
}

// TestRecoveryBringsForward: the first success sends what would have waited for its next try.
func TestRecoveryBringsForward(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	c := players(t, s)
	for range 3 {
		if err := s.TestNotification(t.Context(), c.dev); err != nil {
			t.Fatal(err)
		}
	}
	toldBy(t, s, everyWay)
	for _, d := range letters(t, s, models.MailDestination) {
		if err := s.Outbox().End(t.Context(), d, models.Result{Theirs: true, Error: "refused"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.TestNotification(t.Context(), c.dev); err != nil {
		t.Fatal(err)
	}
	toldBy(t, s, everyWay)
	fresh := letters(t, s, models.MailDestination)
	if len(fresh) != 1 {
		t.Fatalf("due: %d", len(fresh))
	}
	if err := s.Outbox().End(t.Context(), fresh[0], models.Result{OK: true}); err != nil {
		t.Fatal(err)
	}
	if rest := letters(t, s, models.MailDestination); len(rest) != 3 {
		t.Errorf("%d are brought forward, want 3", len(rest))
	}
}

// TestBlockedIsToldOnce: a run that begins to wait for a permission tells once, not at every look.
func TestBlockedIsToldOnce(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	c := players(t, s)
	r := submit(t, s, c.dev, "logistics")
	wait := func(w *models.WaitingOn) {
		t.Helper()
		err := s.tx(t.Context(), func(x *tx) error {
			req, err := x.loadRequest(r.ID)
			if err != nil {
				return err
			}
			return x.wait(req, w)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	permission := models.WaitingOn{For: "a permission", Words: "Grant s3:PutObject to slipway-deploy.", Since: s.clock.Now()}
	for range 3 {
		wait(&permission)
	}
	wait(&models.WaitingOn{For: "AWS", Words: "a moment", Since: s.clock.Now()})
	wait(&permission)
	if n := count(t, s, `SELECT count(*) FROM notification_events WHERE kind = 'blocked'`); n != 1 {
		t.Errorf("%d events, want 1", n)
	}
	if got := toldBy(t, s, everyWay)[models.TellBlocked]; !slices.Equal(got, []string{"admin", "approver", "dev"}) {
		t.Errorf("told: %q", got)
	}
	wait(nil)
	for _, d := range letters(t, s, models.MailDestination) {
		if d.Event.Kind == models.TellBlocked {
			t.Error("told of a wait that is over")
		}
	}
}

func TestSweepNotifications(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	c := players(t, s)
	for range 3 {
		if err := s.TestNotification(t.Context(), c.dev); err != nil {
			t.Fatal(err)
		}
	}
	toldBy(t, s, models.Ways{})
	if err := s.TestNotification(t.Context(), c.dev); err != nil { // stays to be told
		t.Fatal(err)
	}
	sweep := func(after time.Duration, batch int) (n int64, err error) {
		err = s.tx(t.Context(), func(w *tx) error {
			n, _, err = sweepNotices(w, s.clock.Now().Add(after), batch)
			return err
		})
		return n, err
	}
	if n, err := sweep(-time.Hour, 100); err != nil || n != 0 {
		t.Errorf("swept %d, %v", n, err)
	}
	if n, err := sweep(time.Second, 2); err != nil || n != 4 {
		t.Errorf("swept %d, %v: want two messages with their events", n, err)
	}
	if n, err := sweep(time.Second, 100); err != nil || n != 2 {
		t.Errorf("swept %d, %v", n, err)
	}
	if n := count(t, s, `SELECT count(*) FROM notification_events`); n != 1 {
		t.Errorf("%d events are left, want the one that nobody was told of yet", n)
	}
}
