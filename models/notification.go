package models

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Channel is how somebody is told.
type Channel string

// The channels.
const (
	ByMail    Channel = "email"
	ByWebhook Channel = "webhook"
)

// Channels lists the channels.
func Channels() []Channel { return []Channel{ByMail, ByWebhook} }

// NotificationState is where one message to one recipient stands.
type NotificationState string

// The states of a notification. Only a pending one is worked on.
const (
	NotePending       NotificationState = "pending"        // due now or at its next try
	NoteSent          NotificationState = "sent"           // the mail server or the webhook has taken it
	NoteFailed        NotificationState = "failed"         // given up: refused for good, or not taken for a day
	NoteSuperseded    NotificationState = "superseded"     // what it says was no more so when it was its turn
	NoteNotConfigured NotificationState = "not_configured" // nothing is set up to send it with
)

// NotificationStates lists the states.
func NotificationStates() []NotificationState {
	return []NotificationState{NotePending, NoteSent, NoteFailed, NoteSuperseded, NoteNotConfigured}
}

// Words is the state as a person reads it.
func (s NotificationState) Words() string { return strings.ReplaceAll(string(s), "_", " ") }

// GiveUpAfter is how long a message is tried, in product time.
const GiveUpAfter = 24 * time.Hour

// NotificationsFor is how long the delivery log is kept, in product time.
const NotificationsFor = 90 * 24 * time.Hour

// Destinations that are not a webhook of the database. Each has its own queue, circuit and place in the log.
const (
	MailDestination    = "smtp"
	ConfigDestination  = "webhook:config" // SLIPWAY_WEBHOOK_URL
	webhookDestination = "webhook:"
)

// DestinationOf is the destination of a webhook in the database.
func DestinationOf(webhookID string) string { return webhookDestination + webhookID }

// Notification is one message to one recipient, with what became of it.
type Notification struct {
	ID          string // constant over retries and redeliveries: Message-ID and webhook-id
	Kind        EventKind
	Channel     Channel
	Destination string
	Recipient   string // a person's name or a webhook's
	Address     string // an e-mail address, or a webhook's host
	Subject     string
	Request     int64  // number of the request it is about; 0: none
	RequestID   string // its id
	State       NotificationState
	Attempts    int
	Error       string // what the last attempt ended with
	NextAt      time.Time
	CreatedAt   time.Time
	EndedAt     time.Time
}

// Redeliverable tells whether a person may have it sent again.
func (n Notification) Redeliverable() bool { return n.State != NotePending }

// Fact is one line of what a message says of its request.
type Fact struct {
	Label string `json:"label"`
	Value string `json:"value"`
}

// Delivery is a notification in a worker's hands until its lease lapses.
type Delivery struct {
	ID          string
	Generation  int64
	Owner       string
	Attempts    int // with this one
	Channel     Channel
	Destination string
	To          string // e-mail address
	ToName      string
	Event       Event
	Slug        string // of the event's tenant
	Number      int64  // of the event's request
	Title       string // of the event's request
	Facts       []Fact
	Hook        Webhook // with URL and secret, of one in the database
}

// Result is what a delivery ended with.
type Result struct {
	OK        bool
	Permanent bool          // trying again would change nothing
	Unset     bool          // nothing is set up to send it with any more
	Theirs    bool          // the destination itself is in trouble: its circuit counts this
	Error     string        // for people, without a secret
	After     time.Duration // how long to wait at least, as the destination asked; 0: as usual
}

// Destination is one place that messages go to, with its circuit.
type Destination struct {
	Name        string
	Failures    int       // in a row
	ClosedUntil time.Time // nothing is sent before; zero: open
	Error       string
	OKAt        time.Time
	Pending     int
}

// HookForm is what a webhook sends.
type HookForm string

// The forms of webhooks.
const (
	SignedHook HookForm = "signed" // JSON with Standard Webhooks headers
	SlackHook  HookForm = "slack"  // {"text": ...}
)

// HookForms lists the forms.
func HookForms() []HookForm { return []HookForm{SignedHook, SlackHook} }

// MaxWebhooks bounds how many webhooks there can be: each has a queue of its own.
const MaxWebhooks = 50

// Webhook is an address that an admin wants told of events, of all tenants.
type Webhook struct {
	ID        string
	Name      string
	URL       string // a secret: who knows a Slack address may write there; pages only see Host
	Host      string
	Form      HookForm
	Secret    string      // of a signed one: whsec_ and base64; shown once
	Kinds     []EventKind // empty: all
	CreatedBy string
	CreatedAt time.Time
}

// Wants tells whether the webhook is told of a kind.
func (w Webhook) Wants(k EventKind) bool { return len(w.Kinds) == 0 || slices.Contains(w.Kinds, k) }

// Check says by form field what is wrong with a webhook, and fills in its host. Where its address leads is found out at each connection.
func (w *Webhook) Check() error {
	bad := map[string]string{}
	if n := utf8.RuneCountInString(w.Name); n == 0 || n > 60 || strings.ContainsFunc(w.Name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		bad["name"] = "Give it a name of at most 60 characters."
	}
	if !slices.Contains(HookForms(), w.Form) {
		bad["form"] = "Choose signed or slack."
	}
	for _, k := range w.Kinds {
		if !slices.Contains(EventKinds(), k) {
			bad["kinds"] = "There is no such event."
		}
	}
	host, problem := HookHost(w.URL)
	if problem != "" {
		bad["url"] = problem
	}
	w.Host = host
	return InvalidFields(bad)
}

// HookHost is the host of a webhook's address, or what is wrong with the address.
func HookHost(address string) (host, problem string) {
	u, err := url.Parse(address)
	switch {
	case address == "" || len(address) > 2000:
		return "", "Give the whole address, at most 2,000 characters."
	case err != nil || u.Opaque != "" || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		return "", "Give an address that begins with https:// or http://."
	case u.User != nil:
		return "", "Leave user name and password out of the address."
	case u.Fragment != "":
		return "", "Leave the part after # out of the address."
	}
	return u.Host, ""
}

// AllowedNetwork is a range of addresses that webhooks may reach although it is not public.
type AllowedNetwork struct {
	ID        string
	Block     string
	Note      string
	CreatedBy string
	CreatedAt time.Time
}

// ParseNetwork reads a block of addresses as the guard of webhooks needs it.
func ParseNetwork(text string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(strings.TrimSpace(text))
	switch {
	case err != nil:
		return p, InvalidFields(map[string]string{"block": "Give a block such as 10.20.0.0/16 or fd00:1::/64."})
	case p.Addr().Is4In6():
		return p, InvalidFields(map[string]string{"block": "Give an IPv4 block as IPv4, such as 10.20.0.0/16."})
	case p != p.Masked():
		return p, InvalidFields(map[string]string{"block": "Its last digits must be zero: " + p.Masked().String() + "."})
	case p.Bits() == 0:
		return p, InvalidFields(map[string]string{"block": "That would allow every address."})
	}
	return p, nil
}

// Ways is what a process can send with.
type Ways struct {
	Mail    bool // SLIPWAY_SMTP_URL
	Webhook bool // SLIPWAY_WEBHOOK_URL
}
