package notify

import (
	"context"
	"net"
	"net/netip"

	"slipway/models"
)

// Guard is guardOf for the tests.
var Guard = guardOf

// Mailed hands a message with a subject and a name to a mail server.
func Mailed(ctx context.Context, s *MailServer, clock models.Clock, d models.Delivery) models.Result {
	c := New(Options{Clock: clock, PublicURL: "https://slipway.example.com"})
	return s.send(ctx, clock.Wall(), c.compose(d))
}

// Call calls a webhook with a resolver and allowed networks.
func Call(ctx context.Context, resolver *net.Resolver, allowed []netip.Prefix, hook models.Webhook) models.Result {
	c := New(Options{Clock: &models.ShiftedClock{}, PublicURL: "https://slipway.example.com", Networks: allowed, Book: noNetworks{}})
	c.guard.resolver = resolver
	d := models.Delivery{ID: models.NewID(), Channel: models.ByWebhook, Destination: models.DestinationOf("x"), Hook: hook, Event: models.Event{Kind: models.TellTest, Subject: "A test"}}
	return c.callHook(ctx, d, c.compose(d))
}

// noNetworks is a book of which only the networks are asked for.
type noNetworks struct{ Book }

func (noNetworks) Networks(context.Context) ([]netip.Prefix, error) { return nil, nil }
