package awssim

import (
	"bytes"
	"fmt"
	"net/http"
	"reflect"
	"strings"
)

// decodeRoute53 reads the calls of route53: the operation is the path, the members are parts
// of it, of the query and of the body.
func decodeRoute53(r *http.Request, body []byte, c *wireCall) error {
	c.tree = map[string]any{}
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/2013-04-01/"), "/")
	members := map[string]string{}
	switch at := r.Method + " " + parts[0]; {
	case len(parts) == 1 && at == "GET hostedzonesbyname":
		c.op, members = "ListHostedZonesByName", map[string]string{"dnsname": "DNSName", "hostedzoneid": "HostedZoneId", "maxitems": "MaxItems"}
	case len(parts) == 1 && at == "GET hostedzone":
		c.op, members = "ListHostedZones", map[string]string{"marker": "Marker", "maxitems": "MaxItems", "delegationsetid": "DelegationSetId", "hostedzonetype": "HostedZoneType"}
	case len(parts) == 1 && at == "GET testdnsanswer":
		c.op, members = "TestDNSAnswer", map[string]string{"hostedzoneid": "HostedZoneId", "recordname": "RecordName", "recordtype": "RecordType", "resolverip": "ResolverIP",
			"edns0clientsubnetip": "EDNS0ClientSubnetIP", "edns0clientsubnetmask": "EDNS0ClientSubnetMask"}
	case len(parts) == 2 && at == "GET hostedzone":
		c.op, c.tree["Id"] = "GetHostedZone", parts[1]
	case len(parts) == 2 && at == "GET change":
		c.op, c.tree["Id"] = "GetChange", parts[1]
	case len(parts) == 3 && parts[2] == "rrset" && at == "GET hostedzone":
		c.op, c.tree["HostedZoneId"] = "ListResourceRecordSets", parts[1]
		members = map[string]string{"name": "StartRecordName", "type": "StartRecordType", "identifier": "StartRecordIdentifier", "maxitems": "MaxItems"}
	case len(parts) == 3 && strings.TrimSuffix(parts[2], "/") == "rrset" && at == "POST hostedzone":
		c.op, c.tree["HostedZoneId"] = "ChangeResourceRecordSets", parts[1]
	default:
		return unknownOperation(restXML, r.Method+" "+r.URL.Path)
	}
	for name, values := range r.URL.Query() {
		if members[name] == "" {
			return unknownOperation(restXML, r.Method+" ?"+name)
		}
		c.tree[members[name]] = values[0]
	}
	if r.Method != http.MethodPost {
		return nil
	}
	_, tree, err := decodeXML(body, map[string]string{"Change": "Changes", "ResourceRecord": "ResourceRecords"})
	if err != nil {
		return badMember(restXML, err)
	}
	given, _ := tree.(map[string]any)
	for name, value := range given {
		c.tree[name] = value
	}
	return nil
}

// route53Items are the names of the elements of its lists.
func route53Items() map[string]string {
	return map[string]string{"HostedZones": "HostedZone", "NameServers": "NameServer", "ResourceRecordSets": "ResourceRecordSet", "ResourceRecords": "ResourceRecord",
		"RecordData": "RecordDataEntry", "VPCs": "VPC"}
}

func writeRoute53(w http.ResponseWriter, c *Call, svc service, out any) error {
	b := &bytes.Buffer{}
	fmt.Fprintf(b, `<%sResponse xmlns="%s">`, c.Op, svc.xmlns)
	xmlWriter{b: b, items: route53Items()}.members(reflect.ValueOf(out).Elem())
	fmt.Fprintf(b, `</%sResponse>`, c.Op)
	return writeXML(w, b.Bytes())
}

func route53Error(c *Call, svc service, e *APIError) string {
	return fmt.Sprintf(`<ErrorResponse xmlns="%s"><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>%s</RequestId></ErrorResponse>`,
		svc.xmlns, e.Code, escaped(e.Message), c.RequestID)
}
