package awssim

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"slipway/deploy"
)

// The zone of the demo base domain, which stands for one that a registrar delegates to. It is
// in the hub's account, with the role that may delegate parts of it.
const (
	DemoBaseDomain = "apps.example.com"
	DemoZoneID     = "Z0DEMOBASEDOMAIN0001"
	DemoDNSRole    = "arn:aws:iam::" + demoHub + ":role/slipway/platform/slipway-dns"
)

// seedNames makes the parent zone and deploys dns.yaml beside it.
func seedNames(ctx context.Context, c *Call, external string) error {
	domain := c.Sim.opts.BaseDomain
	if domain == "" {
		domain = DemoBaseDomain
	}
	servers := []any{"ns-11.awsdns-01.com", "ns-522.awsdns-01.net", "ns-1033.awsdns-01.org", "ns-1544.awsdns-01.co.uk"}
	err := c.putThing(ctx, &thing{Account: demoHub, Region: homeRegion, Type: route53Zone, Physical: DemoZoneID, ARN: "arn:aws:route53:::hostedzone/" + DemoZoneID,
		Properties: map[string]any{"Name": domain + "."}, Attributes: map[string]any{"Id": DemoZoneID, "NameServers": servers}, State: map[string]any{"public": true}, Made: c.Now.AddDate(-1, 0, 0).Truncate(time.Second)})
	if err != nil {
		return err
	}
	text := c.Sim.opts.DNSTemplate
	if text == nil {
		if text, err = deploy.AWS.ReadFile("aws/dns.yaml"); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return fmt.Errorf("read dns.yaml: %w", err)
		}
	}
	return c.seedStack(ctx, demoHub, "slipway-dns", text, map[string]string{"OrganizationId": demoOrganization, "HubAccountId": demoHub, "ExternalId": external, "ZoneId": DemoZoneID, "BaseDomain": domain})
}
