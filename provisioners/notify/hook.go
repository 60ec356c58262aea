package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"slipway/models"
)

const (
	mostAnswer   = 64 << 10 // bytes of an answer that are read
	longestAfter = time.Hour
)

// hookClient makes the HTTP client of one call. resolve is replaced in tests that control what names lead to.
type hookClient struct{ resolver *net.Resolver }

// client connects only where the guard lets it, asked at every connection with the address that is really dialled: what a name meant
// before does not count. It follows no redirect, uses no proxy and keeps no connection.
func (h *hookClient) client(allowed []netip.Prefix) *http.Client {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: -1, Control: guardOf(allowed), Resolver: h.resolver}
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: dialer.DialContext, DisableKeepAlives: true, DisableCompression: true, TLSHandshakeTimeout: 10 * time.Second,
			ResponseHeaderTimeout: 15 * time.Second, MaxResponseHeaderBytes: 32 << 10,
		},
	}
}

// callHook posts the message to its webhook.
func (c *Courier) callHook(ctx context.Context, d models.Delivery, m message) models.Result {
	hook := d.Hook
	if d.Destination == models.ConfigDestination {
		hook = c.Hook
		if hook.URL == "" {
			return models.Result{Unset: true, Error: "No webhook is configured (SLIPWAY_WEBHOOK_URL)."}
		}
	}
	if hook.URL == "" {
		return models.Result{Error: "Its address cannot be read: SLIPWAY_SECRET_KEYS lacks the key that it was sealed with."}
	}
	networks, err := c.Book.Networks(ctx)
	if err != nil {
		return models.Result{Error: "The allowed networks could not be read."}
	}
	req, err := hookRequest(ctx, hook, d, m, c.Clock.Wall())
	if err != nil {
		return models.Result{Permanent: true, Error: "The message could not be written: " + withoutURL(err)}
	}
	client := c.guard.client(append(networks, c.Networks...))
	res, err := client.Do(req)
	if err != nil {
		return unreachable(err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, mostAnswer)) // so that the other side need not see a reset; the status counts
	return answered(res, c.Clock.Wall())
}

// hookRequest is the call: the same id and, but for the time of signing, the same bytes however often it is made.
func hookRequest(ctx context.Context, hook models.Webhook, d models.Delivery, m message, now time.Time) (*http.Request, error) {
	var body any = slackBody(m)
	if hook.Form == models.SignedHook {
		body = hookBody(d, m)
	}
	content, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, hook.URL, bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Slipway")
	req.Header.Set(webhooks.HeaderWebhookID, d.ID)
	if hook.Form != models.SignedHook {
		return req, nil
	}
	signer, err := webhooks.NewWebhook(hook.Secret)
	if err != nil {
		return nil, errors.New("the secret is not base64")
	}
	signature, err := signer.Sign(d.ID, now, content)
	req.Header.Set(webhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	req.Header.Set(webhooks.HeaderWebhookSignature, signature)
	return req, err
}

// unreachable says why no answer came. The guard's refusal is for good, until an admin allows the network or the name leads elsewhere.
func unreachable(err error) models.Result {
	var refused *refusedError
	if errors.As(err, &refused) {
		return models.Result{Permanent: true, Error: refused.Error()}
	}
	return models.Result{Theirs: true, Error: said("The webhook could not be reached", errors.New(withoutURL(err)))}
}

// withoutURL is an error's text without the address, which may be a secret.
func withoutURL(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		if u.Timeout() {
			return "it did not answer in time"
		}
		return oneLine(u.Err.Error(), 300)
	}
	return oneLine(err.Error(), 300)
}

// answered says what the status means. Anything but 2xx is tried again, but for 410, by which a receiver says that it is gone.
func answered(res *http.Response, now time.Time) models.Result {
	code := res.StatusCode
	switch {
	case code >= 200 && code < 300:
		return models.Result{OK: true}
	case code >= 300 && code < 400:
		return models.Result{Theirs: true, Error: fmt.Sprintf("It answered %d and wants to send us elsewhere. Redirects are not followed: give the final address.", code)}
	case code == http.StatusGone:
		return models.Result{Permanent: true, Error: "It answered 410: this webhook is gone there. Remove it here."}
	}
	r := models.Result{Theirs: true, Error: fmt.Sprintf("It answered %d.", code)}
	after := res.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(after); err == nil && seconds > 0 {
		r.After = min(time.Duration(seconds)*time.Second, longestAfter)
	} else if at, err := http.ParseTime(after); err == nil {
		r.After = max(0, min(at.Sub(now), longestAfter))
	}
	return r
}

// slackEscape makes a text that Slack shows as it is: no links, mentions or channels of the writer's.
var slackEscape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

func slackBody(m message) map[string]string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", slackEscape.Replace(m.subject))
	if m.words != "" {
		fmt.Fprintf(&b, "%s\n", slackEscape.Replace(m.words))
	}
	for _, f := range m.facts {
		fmt.Fprintf(&b, "%s: %s\n", slackEscape.Replace(f.Label), slackEscape.Replace(f.Value))
	}
	fmt.Fprintf(&b, "<%s|Open it in Slipway>", slackEscape.Replace(m.link))
	return map[string]string{"text": b.String()}
}

// hookEvent is the JSON of a signed webhook, as docs/notifications.md promises it.
type hookEvent struct {
	Type      string       `json:"type"`
	Timestamp time.Time    `json:"timestamp"`
	Data      hookEventFor `json:"data"`
}

type hookEventFor struct {
	ID      string        `json:"id"`
	Subject string        `json:"subject"`
	Text    string        `json:"text"`
	Link    string        `json:"link"`
	Tenant  string        `json:"tenant,omitempty"`
	By      string        `json:"by,omitempty"`
	Object  *hookObject   `json:"object,omitempty"`
	Request *hookOfAsk    `json:"request,omitempty"`
	Facts   []models.Fact `json:"facts"`
}

type hookObject struct {
	Type string `json:"type"`
	ID   string `json:"id,omitempty"`
	Name string `json:"name"`
}

type hookOfAsk struct {
	ID     string `json:"id"`
	Number int64  `json:"number"`
	Title  string `json:"title"`
	State  string `json:"state"`
}

func hookBody(d models.Delivery, m message) hookEvent {
	e := d.Event
	data := hookEventFor{ID: d.ID, Subject: m.subject, Text: m.words, Link: m.link, Tenant: d.Slug, By: e.ByName, Facts: m.facts}
	if data.Facts == nil {
		data.Facts = []models.Fact{}
	}
	if e.Object != "" {
		data.Object = &hookObject{Type: string(e.Object), ID: e.ObjectID, Name: e.ObjectName}
	}
	if e.RequestID != "" {
		data.Request = &hookOfAsk{ID: e.RequestID, Number: d.Number, Title: d.Title, State: e.State}
	}
	return hookEvent{Type: "slipway." + string(e.Kind), Timestamp: e.At.UTC(), Data: data}
}
