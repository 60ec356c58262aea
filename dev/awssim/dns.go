package awssim

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

const route53Zone = "AWS::Route53::HostedZone"

// record is a set of records of one name and type.
type record struct {
	Zone, Name, Type string // the name in small letters with its last dot
	TTL              int64
	Values           []string
	AliasName        string // what an alias points at, and the zone of that
	AliasZone        string
	Since            time.Time // answered from then
}

// dnsName is a name as DNS compares them.
func dnsName(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	if s != "" && !strings.HasSuffix(s, ".") {
		s += "."
	}
	return s
}

// below says whether a name is a zone's own or under it.
func below(name, zone string) bool { return name == zone || strings.HasSuffix(name, "."+zone) }

// dnsOrder compares names from the right, as Route 53 lists them.
func dnsOrder(a, b record) int {
	reversed := func(s string) string {
		labels := strings.Split(strings.TrimSuffix(s, "."), ".")
		slices.Reverse(labels)
		return strings.Join(labels, "\x00")
	}
	if n := strings.Compare(reversed(a.Name), reversed(b.Name)); n != 0 {
		return n
	}
	return strings.Compare(a.Type, b.Type)
}

func zoneName(zone *thing) string { return dnsName(textOf(zone.Properties["Name"])) }

func zoneServers(zone *thing) []string { return texts(zone.Attributes["NameServers"]) }

// zoneRecords are all of a zone, those every zone has included.
func (c *Call) zoneRecords(ctx context.Context, zone *thing) ([]record, error) {
	rows, err := c.Tx.Query(ctx, `SELECT body, since FROM dns_records WHERE zone = $1`, zone.Physical)
	if err != nil {
		return nil, fmt.Errorf("read records of %s: %w", zone.Physical, err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (record, error) {
		var raw []byte
		var r record
		var since time.Time
		err := row.Scan(&raw, &since)
		if err == nil {
			err = json.Unmarshal(raw, &r)
		}
		r.Since = since.UTC()
		return r, err
	})
	if err != nil {
		return nil, fmt.Errorf("read records of %s: %w", zone.Physical, err)
	}
	servers := zoneServers(zone)
	ns := record{Zone: zone.Physical, Name: zoneName(zone), Type: "NS", TTL: 172800, Since: zone.Made}
	for _, s := range servers {
		ns.Values = append(ns.Values, dnsName(s))
	}
	soa := record{Zone: zone.Physical, Name: ns.Name, Type: "SOA", TTL: 900, Since: zone.Made, Values: []string{"ns-0.example. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"}}
	if len(servers) > 0 {
		soa.Values = []string{dnsName(servers[0]) + " awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"}
	}
	out = append(out, ns, soa)
	slices.SortFunc(out, dnsOrder)
	return out, nil
}

// authority follows the delegations from the public parent zone down to the zone that answers
// for a name; nil when the chain is broken.
func (c *Call) authority(ctx context.Context, name string, at time.Time) (*thing, error) {
	zones, err := c.things(ctx, `type = $1`, route53Zone)
	if err != nil {
		return nil, err
	}
	var zone *thing
	for _, z := range zones {
		if z.State["public"] == true && below(name, zoneName(z)) && (zone == nil || len(zoneName(z)) > len(zoneName(zone))) {
			zone = z
		}
	}
	for range 10 { // a circle of delegations answers nothing
		if zone == nil {
			return nil, nil
		}
		records, err := c.zoneRecords(ctx, zone)
		if err != nil {
			return nil, err
		}
		cut := record{}
		for _, r := range records {
			if r.Type == "NS" && r.Name != zoneName(zone) && below(name, r.Name) && len(r.Name) > len(cut.Name) && !r.Since.After(at) {
				cut = r
			}
		}
		if cut.Name == "" {
			return zone, nil
		}
		zone = nil
		for _, z := range zones {
			served := slices.ContainsFunc(zoneServers(z), func(s string) bool { return slices.Contains(cut.Values, dnsName(s)) })
			if zoneName(z) == cut.Name && served {
				zone = z
			}
		}
	}
	return nil, nil
}

// resolve asks the public DNS of this world.
func (c *Call) resolve(ctx context.Context, name, typ string, at time.Time) ([]string, error) {
	zone, err := c.authority(ctx, name, at)
	if err != nil || zone == nil {
		return nil, err
	}
	records, err := c.zoneRecords(ctx, zone)
	if err != nil {
		return nil, err
	}
	return answer(records, name, typ, at), nil
}

// answer looks a name up among a zone's records.
func answer(records []record, name, typ string, at time.Time) []string {
	_, parent, _ := strings.Cut(name, ".")
	for _, want := range []string{name, "*." + parent, `\052.` + parent} {
		for _, r := range records {
			if r.Name == want && r.Type == typ && !r.Since.After(at) {
				if r.AliasName != "" {
					rnd := random(r.AliasName)
					return []string{fmt.Sprintf("52.%d.%d.%d", 48+rnd.IntN(16), rnd.IntN(256), 1+rnd.IntN(254))}
				}
				return r.Values
			}
		}
	}
	return nil
}

// dnsSpread is how long Route 53 takes to bring a change to all its servers.
const dnsSpread = 30 * time.Second

// putRecord makes or changes a record set; in effect when the change has spread.
func (c *Call) putRecord(ctx context.Context, r record, at time.Time) error {
	r.Since = at.Add(c.Sim.scaled(dnsSpread))
	body, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("record %s: %w", r.Name, err)
	}
	_, err = c.Tx.Exec(ctx, `INSERT INTO dns_records (zone, name, type, body, since) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (zone, name, type) DO UPDATE SET body = EXCLUDED.body, since = CASE WHEN dns_records.body->'Values' = EXCLUDED.body->'Values' THEN dns_records.since ELSE EXCLUDED.since END`,
		r.Zone, r.Name, r.Type, body, r.Since)
	if err != nil {
		return fmt.Errorf("store record %s: %w", r.Name, err)
	}
	return nil
}

func (c *Call) dropRecord(ctx context.Context, zone, name, typ string) error {
	if _, err := c.Tx.Exec(ctx, `DELETE FROM dns_records WHERE zone = $1 AND name = $2 AND type = $3`, zone, name, typ); err != nil {
		return fmt.Errorf("remove record %s: %w", name, err)
	}
	return nil
}

func badBatch(format string, args ...any) error {
	return refuse(http.StatusBadRequest, "InvalidChangeBatch", "["+format+"]", args...)
}

// change applies one change of a batch to a zone, or says why Route 53 would not.
func (c *Call) change(ctx context.Context, zone *thing, action string, r record, at time.Time) error {
	if r.Type == "NS" || r.Type == "CNAME" {
		for i, v := range r.Values {
			r.Values[i] = dnsName(v)
		}
	}
	if r.Zone = zone.Physical; !below(r.Name, zoneName(zone)) {
		return badBatch("RRSet with DNS name %s is not permitted in zone %s", r.Name, zoneName(zone))
	}
	all, err := c.zoneRecords(ctx, zone)
	if err != nil {
		return err
	}
	n := slices.IndexFunc(all, func(o record) bool { return o.Name == r.Name && o.Type == r.Type })
	if r.Name == zoneName(zone) && (r.Type == "NS" || r.Type == "SOA") && action != "UPSERT" {
		return badBatch("A HostedZone must contain at least one NS record for the zone itself., A HostedZone must contain exactly one SOA record.")
	}
	switch {
	case action == "CREATE" && n >= 0:
		return badBatch("Tried to create resource record set [name='%s', type='%s'] but it already exists", r.Name, r.Type)
	case action != "DELETE":
		if clash := slices.ContainsFunc(all, func(o record) bool {
			return o.Name == r.Name && o.Type != r.Type && (o.Type == "CNAME" || r.Type == "CNAME")
		}); clash {
			return badBatch("RRSet of type %s with DNS name %s is not permitted because a conflicting RRSet of type CNAME with the same DNS name already exists in zone %s", r.Type, r.Name, zoneName(zone))
		}
		return c.putRecord(ctx, r, at)
	case n < 0:
		return badBatch("Tried to delete resource record set [name='%s', type='%s'] but it was not found", r.Name, r.Type)
	case !slices.Equal(sorted(all[n].Values), sorted(r.Values)) || all[n].AliasName != r.AliasName || all[n].TTL != r.TTL:
		return badBatch("Tried to delete resource record set [name='%s', type='%s'] but the values provided do not match the current values", r.Name, r.Type)
	}
	return c.dropRecord(ctx, zone.Physical, r.Name, r.Type)
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

// zoneEffect refuses to remove a zone that has records of its own.
func zoneEffect(ctx context.Context, c *Call, s *cfnStack, r *cfnResource, verb string, _ time.Time) error {
	if verb != "delete" {
		return nil
	}
	var own int
	if err := c.Tx.QueryRow(ctx, `SELECT count(*) FROM dns_records WHERE zone = $1`, r.Physical).Scan(&own); err != nil {
		return fmt.Errorf("count records of %s: %w", r.Physical, err)
	}
	if own > 0 {
		return refuse(http.StatusBadRequest, "HostedZoneNotEmpty", "The specified hosted zone contains non-required resource record sets and so cannot be deleted.")
	}
	return nil
}

// recordEffect changes the records of a zone of the stack's account.
func recordEffect(ctx context.Context, c *Call, s *cfnStack, r *cfnResource, verb string, at time.Time) error {
	zone, err := c.stackZone(ctx, s, textOf(r.Properties["HostedZoneId"]), textOf(r.Properties["HostedZoneName"]))
	if err != nil {
		return err
	}
	rec := record{Name: dnsName(textOf(r.Properties["Name"])), Type: textOf(r.Properties["Type"]), TTL: int64(numberOf(r.Properties["TTL"], 0)), Values: texts(r.Properties["ResourceRecords"])}
	if alias := mapOf(r.Properties["AliasTarget"]); alias != nil {
		rec.AliasName, rec.AliasZone = dnsName(textOf(alias["DNSName"])), textOf(alias["HostedZoneId"])
	}
	if verb == "delete" {
		return c.dropRecord(ctx, zone.Physical, rec.Name, rec.Type)
	}
	return c.change(ctx, zone, map[string]string{"create": "CREATE", "update": "UPSERT"}[verb], rec, at)
}

func (c *Call) stackZone(ctx context.Context, s *cfnStack, id, name string) (*thing, error) {
	all, err := c.things(ctx, `account = $1 AND type = $2`, s.Account, route53Zone)
	if err != nil {
		return nil, err
	}
	for _, z := range all {
		if z.Physical == id || (id == "" && zoneName(z) == dnsName(name)) {
			return z, nil
		}
	}
	return nil, refuse(http.StatusNotFound, "NoSuchHostedZone", "No hosted zone found with ID: %s%s", id, name)
}

// validation is the record by which ACM sees that a domain is its applicant's: always the
// same one for an account and a name.
func validation(account, domain string) record {
	domain = strings.TrimPrefix(dnsName(domain), "*.")
	sum := sha256.Sum256([]byte(account + domain))
	h := hex.EncodeToString(sum[:])
	return record{Name: "_" + h[:32] + "." + domain, Type: "CNAME", TTL: 300, Values: []string{"_" + h[32:] + "." + "xlfgrmvvlj.acm-validations.aws."}}
}
