package notify_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"slipway/dev/mail"
	"slipway/models"
	"slipway/provisioners/notify"
)

// TestFromEventToMailAndWebhook follows one event to a person's inbox and to both forms of webhooks.
func TestFromEventToMailAndWebhook(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	signed, err := w.store.AddWebhook(t.Context(), w.admin, models.Webhook{Name: "audit", URL: w.catcher.HookURL() + "/signed", Form: models.SignedHook})
	w.must(err)
	w.run(func(o *notify.Options) {
		o.Hook = models.Webhook{URL: w.catcher.HookURL() + "/slack", Form: models.SlackHook}
	})
	w.must(w.store.TestNotification(t.Context(), w.admin))
	w.must(w.store.TestWebhook(t.Context(), w.admin, models.DestinationOf(signed.ID)))
	w.must(w.store.TestWebhook(t.Context(), w.admin, models.ConfigDestination))

	letter := w.caught("an e-mail to ada", func(m mail.Caught) bool { return m.Kind == "e-mail" && m.To == "ada@example.com" })
	if letter.Subject != "Slipway sends a test" || !strings.Contains(letter.Text, "https://slipway.example.com/") {
		t.Errorf("got %q with %q", letter.Subject, letter.Text)
	}
	posted := w.caught("a signed webhook", func(m mail.Caught) bool { return strings.HasSuffix(m.To, "/signed") })
	verify(t, signed.Secret, posted)
	slack := w.caught("a Slack webhook", func(m mail.Caught) bool { return strings.HasSuffix(m.To, "/slack") })
	var text map[string]string
	if err := json.Unmarshal([]byte(slack.Text), &text); err != nil || len(text) != 1 || !strings.Contains(text["text"], "Slipway sends a test") {
		t.Errorf("Slack got %q", slack.Text)
	}
	w.until("all three are sent", func() bool { return len(w.log("state", "sent")) == 3 })
	for _, n := range w.log() {
		if id := strings.TrimSuffix(letter.ID, "@slipway.example.com"); n.Channel == models.ByMail && n.ID != id {
			t.Errorf("the e-mail's id is %s, the log says %s", id, n.ID)
		}
	}
}

func verify(t *testing.T, secret string, m mail.Caught) {
	t.Helper()
	head, err := http.ReadResponse(bufio.NewReader(strings.NewReader("HTTP/1.1 200 OK\n"+m.Raw[strings.Index(m.Raw, "\n")+1:])), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer head.Body.Close()
	check, err := webhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	if err := check.Verify([]byte(m.Text), head.Header); err != nil {
		t.Errorf("the signature does not verify: %v\n%s", err, m.Raw)
	}
	if err := check.Verify([]byte(m.Text+" "), head.Header); err == nil {
		t.Error("another body verifies, too")
	}
}
