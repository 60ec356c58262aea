package notify_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"slipway/dev/mail"
	"slipway/models"
	"slipway/provisioners/notify"
)

// silent accepts connections, says what greet says, and nothing more.
func silent(t *testing.T, greet string) (address string, open *atomic.Int32) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	open = &atomic.Int32{}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			open.Add(1)
			go func() {
				defer func() { _ = conn.Close(); open.Add(-1) }()
				_, _ = io.WriteString(conn, greet)
				_, _ = io.Copy(io.Discard, conn) // until the other side gives up
			}()
		}
	}()
	return l.Addr().String(), open
}

// TestAServerThatHangsHoldsUpNobody: at its greeting, at the handshake and in the middle; a webhook is told all the same.
func TestAServerThatHangsHoldsUpNobody(t *testing.T) {
	t.Parallel()
	for name, greet := range map[string]string{"at once": "", "after its greeting": "220 mail.example.com ESMTP\r\n", "half a line": "220 mail"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			address, open := silent(t, greet)
			hook, err := w.store.AddWebhook(t.Context(), w.admin, models.Webhook{Name: "works", URL: w.catcher.HookURL(), Form: models.SlackHook})
			w.must(err)
			for range 10 {
				w.must(w.store.TestNotification(t.Context(), w.admin))
			}
			stop := w.run(func(o *notify.Options) { o.Mail, o.Timeout = server(address), 1500*time.Millisecond })
			for range 3 {
				w.must(w.store.TestWebhook(t.Context(), w.admin, models.DestinationOf(hook.ID)))
			}
			w.until("the webhook is told", func() bool { return len(w.log("channel", "webhook", "state", "sent")) == 3 })
			w.until("every e-mail's failure is written or waits for its turn", func() bool {
				for _, n := range w.log("channel", "email") {
					if n.State == models.NotePending && n.Attempts > 0 && strings.Contains(n.Error, "in time") {
						return true
					}
				}
				return false
			})
			stop()
			if n := len(w.log("channel", "email", "state", "pending")); n != 10 {
				t.Errorf("%d e-mails wait, want all 10", n)
			}
			w.until("no connection is left", func() bool { return open.Load() == 0 })
		})
	}
}

// TestAnEndlessAnswerEnds: headers or a body without end are cut, whatever the status.
func TestAnEndlessAnswerEnds(t *testing.T) {
	t.Parallel()
	endless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 32<<10)); err != nil {
				return
			}
		}
	}))
	defer endless.Close()
	began := time.Now()
	if r := notify.Call(t.Context(), nil, loopback, models.Webhook{URL: endless.URL, Form: models.SlackHook}); !r.OK {
		t.Errorf("an endless body: %+v", r)
	}
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then the server notices that the client has left
		<-r.Context().Done()
	}))
	defer slow.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if r := notify.Call(ctx, nil, loopback, models.Webhook{URL: slow.URL, Form: models.SlackHook}); r.OK || !r.Theirs || !strings.Contains(r.Error, "in time") {
		t.Errorf("no answer: %+v", r)
	}
	if took := time.Since(began); took > time.Minute {
		t.Errorf("both took %s", took)
	}
}

// TestStatuses says of each answer what becomes of the message.
func TestStatuses(t *testing.T) {
	t.Parallel()
	answers := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status := 0
		_, _ = fmt.Sscan(r.URL.Query().Get("status"), &status)
		w.Header().Set("Retry-After", r.URL.Query().Get("after"))
		w.WriteHeader(status)
	}))
	defer answers.Close()
	for query, want := range map[string]models.Result{
		"status=200": {OK: true}, "status=204": {OK: true}, "status=410": {Permanent: true}, "status=400": {Theirs: true}, "status=404": {Theirs: true}, "status=500": {Theirs: true},
		"status=429&after=120": {Theirs: true, After: 2 * time.Minute}, "status=503&after=999999": {Theirs: true, After: time.Hour}, "status=503&after=-1": {Theirs: true}, "status=503&after=soon": {Theirs: true},
	} {
		got := notify.Call(t.Context(), nil, loopback, models.Webhook{URL: answers.URL + "/?" + query, Form: models.SlackHook})
		got.Error = ""
		if got != want {
			t.Errorf("%s: got %+v, want %+v", query, got, want)
		}
	}
}

// TestAWebhookThatFailsForADay answers 500 while a day goes by: bounded, visible, and no concern of the mail server's.
func TestAWebhookThatFailsForADay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var calls atomic.Int32
	var broken atomic.Bool
	broken.Store(true)
	ids := make(chan string, 1000)
	bad := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		ids <- r.Header.Get("webhook-id")
		if broken.Load() {
			rw.WriteHeader(http.StatusInternalServerError)
		}
	}))
	defer bad.Close()
	hook, err := w.store.AddWebhook(t.Context(), w.admin, models.Webhook{Name: "bad", URL: bad.URL, Form: models.SlackHook})
	w.must(err)
	w.run()
	w.must(w.store.TestWebhook(t.Context(), w.admin, models.DestinationOf(hook.ID)))
	one := func() models.Notification { return w.log("channel", "webhook")[0] }
	w.until("it is told", func() bool { return len(w.log("channel", "webhook")) == 1 && one().Attempts > 0 && one().Error != "" })
	for range 60 {
		if one().State != models.NotePending {
			break
		}
		tries := one().Attempts
		w.clock.SetOffset(w.clock.Offset() + 75*time.Minute)
		w.until("it is tried again or given up", func() bool {
			n := one()
			return n.State != models.NotePending || n.Attempts > tries && n.NextAt.After(w.clock.Now())
		})
	}
	gone := one()
	if gone.State != models.NoteFailed || gone.Error != "It answered 500." || calls.Load() > 60 {
		t.Fatalf("after a day: %+v, %d calls", gone, calls.Load())
	}
	w.must(w.store.TestNotification(t.Context(), w.admin))
	w.caught("an e-mail beside it", func(m mail.Caught) bool { return m.Kind == "e-mail" })
	broken.Store(false)
	w.must(w.store.Redeliver(t.Context(), w.admin, gone.ID))
	w.clock.SetOffset(w.clock.Offset() + time.Hour) // the circuit lets one pass
	w.until("it is sent at last", func() bool { return one().State == models.NoteSent })
	close(ids)
	for id := range ids {
		if id != gone.ID {
			t.Errorf("a try came with the id %s instead of %s", id, gone.ID)
		}
	}
}

// TestInwardIsGivenUpVisibly: no try after the guard's refusal, until an admin allows the network and has it sent again.
func TestInwardIsGivenUpVisibly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hook, err := w.store.AddWebhook(t.Context(), w.admin, models.Webhook{Name: "inward", URL: w.catcher.HookURL(), Form: models.SlackHook})
	w.must(err)
	w.run(func(o *notify.Options) { o.Networks = nil })
	w.must(w.store.TestWebhook(t.Context(), w.admin, models.DestinationOf(hook.ID)))
	w.until("it is refused", func() bool { return len(w.log("state", "failed")) == 1 })
	n := w.log()[0]
	if n.Attempts != 1 || !strings.Contains(n.Error, "not a public address") {
		t.Errorf("got %+v", n)
	}
	w.must(w.store.AllowNetwork(t.Context(), w.admin, "127.0.0.0/8", "the test"))
	w.must(w.store.Redeliver(t.Context(), w.admin, n.ID))
	w.caught("the webhook", func(m mail.Caught) bool { return m.Kind == "webhook" && m.ID == n.ID })
}

// scripted is a mail server that answers one command in its own way.
func scripted(t *testing.T, command, answer string) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go converse(conn, command, answer)
		}
	}()
	return l.Addr().String()
}

func converse(conn net.Conn, command, answer string) {
	defer conn.Close()
	say := func(text string) { _, _ = io.WriteString(conn, text+"\r\n") }
	say("220 mail.example.com ESMTP")
	data := false
	for in := bufio.NewScanner(conn); in.Scan(); {
		line := in.Text()
		switch {
		case data && line == ".":
			data = false
			if command == "." {
				say(answer)
				continue
			}
			say("250 ok")
		case data:
		case strings.HasPrefix(strings.ToUpper(line), command):
			if answer == "" {
				return // hangs up
			}
			say(answer)
		case strings.HasPrefix(line, "DATA"):
			data = true
			say("354 go on")
		case strings.HasPrefix(line, "QUIT"):
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

// TestWhatTheMailServerSays: a refused recipient is no trouble of the server's, a refused sender is; 4xx is tried again.
func TestWhatTheMailServerSays(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		command, answer string
		want            models.Result
	}{
		"all is well":                             {"NONE", "", models.Result{OK: true}},
		"no such mailbox":                         {"RCPT", "550 5.1.1 no such user", models.Result{Permanent: true}},
		"mailbox is busy":                         {"RCPT", "450 4.2.1 greylisted", models.Result{}},
		"the message is refused":                  {".", "554 5.7.1 spam", models.Result{Permanent: true}},
		"the message is put off":                  {".", "451 4.3.0 later", models.Result{}},
		"the sender is refused":                   {"MAIL", "553 5.7.1 not yours", models.Result{Theirs: true}},
		"it hangs up at the message":              {"DATA", "", models.Result{Theirs: true}},
		"it hangs up after the message was taken": {"QUIT", "", models.Result{OK: true}},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		got := notify.Mailed(ctx, server(scripted(t, tc.command, tc.answer)), &models.ShiftedClock{}, models.Delivery{ID: models.NewID(), To: "ada@example.com", Event: models.Event{Subject: "x"}})
		cancel()
		said := got.Error
		got.Error = ""
		if got != tc.want {
			t.Errorf("%s: got %+v (%s), want %+v", name, got, said, tc.want)
		}
	}
}

// TestUserTextStaysWhereItBelongs: titles and names that try to add headers, lines or markup.
func TestUserTextStaysWhereItBelongs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	evil := "Create tenant x\r\nBcc: eve@example.com\r\n\r\n<script>alert(1)</script>\u202e"
	d := models.Delivery{ID: models.NewID(), To: "ada@example.com", ToName: "Ada\r\nBcc: eve@example.com \"><b>", Facts: []models.Fact{{Label: "Reason", Value: evil}},
		Event: models.Event{Kind: models.TellDone, Subject: evil, Words: evil}}
	if r := notify.Mailed(t.Context(), server(w.catcher.SMTPURL()), w.clock, d); !r.OK {
		t.Fatalf("got %+v", r)
	}
	m := w.caught("the e-mail", func(mail.Caught) bool { return true })
	head, _, _ := strings.Cut(m.Raw, "\n\n")
	head, _, _ = strings.Cut(head, "\r\n\r\n")
	for _, line := range strings.Split(head, "\n") {
		if strings.HasPrefix(strings.ToLower(line), "bcc") {
			t.Errorf("a header was added:\n%s", head)
		}
	}
	if m.To != "ada@example.com" || strings.ContainsAny(m.Subject, "\r\n\u202e") || !strings.HasPrefix(m.Subject, "Create tenant x Bcc: eve@example.com") {
		t.Errorf("to %q, subject %q", m.To, m.Subject)
	}
	if strings.Contains(m.Raw, "<script>") && strings.Contains(m.Raw[strings.Index(m.Raw, "text/html"):], "<script>") {
		t.Error("markup in the HTML part")
	}
	if r := notify.Mailed(t.Context(), server(w.catcher.SMTPURL()), w.clock, models.Delivery{ID: models.NewID(), To: "ada@example.com>\r\nRCPT TO:<eve@example.com", Event: d.Event}); r.OK || !r.Permanent {
		t.Errorf("an address with a command in it: %+v", r)
	}
}

// TestSlackShowsTextAsItIs: no links, mentions or channels of a requester's making.
func TestSlackShowsTextAsItIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hook, err := w.store.AddWebhook(t.Context(), w.admin, models.Webhook{Name: "<!channel> & <https://evil.example|click>", URL: w.catcher.HookURL(), Form: models.SlackHook})
	w.must(err)
	who := w.person("<!here> & <https://evil.example|click>", "platform-admins")
	w.run()
	w.must(w.store.TestWebhook(t.Context(), who, models.DestinationOf(hook.ID)))
	m := w.caught("the webhook", func(m mail.Caught) bool { return m.Kind == "webhook" })
	if strings.Contains(m.Text, "<!") || strings.Contains(m.Text, "<https://evil") || !strings.Contains(m.Text, `\u0026lt;!here\u0026gt;`) {
		t.Errorf("Slack got %s", m.Text)
	}
}
