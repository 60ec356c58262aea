package awssim

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/awsjson"
)

// writeAnswer encodes an SDK Output struct in the service's protocol.
func writeAnswer(w http.ResponseWriter, c *Call, svc service, out any) error {
	w.Header().Set("X-Amzn-Requestid", c.RequestID)
	switch svc.protocol {
	case queryXML:
		return writeXML(w, queryBody(c, svc, out))
	case ec2Query:
		return writeXML(w, ec2Body(c, svc, out))
	case restXML:
		return writeREST(w, c, svc, out)
	case cborRPC:
		return writeRPC(w, out)
	}
	body, err := jsonBody(out, svc.lower)
	if err != nil {
		return fmt.Errorf("encode %s.%s: %w", c.Service, c.Op, err)
	}
	w.Header().Set("Content-Type", svc.contentType())
	_, err = w.Write(body)
	return err
}

// contentType is how the service marks its JSON.
func (svc service) contentType() string {
	switch {
	case svc.protocol == restJSON:
		return "application/json"
	case svc.json10:
		return "application/x-amz-json-1.0"
	}
	return "application/x-amz-json-1.1"
}

func writeXML(w http.ResponseWriter, body []byte) error {
	w.Header().Set("Content-Type", "text/xml")
	_, err := w.Write(body)
	return err
}

// jsonBody lets a schema-serde output write itself with the SDK's own codec, which knows
// every wire name and time format; the older clients' outputs are written by reflection.
func jsonBody(out any, lower bool) ([]byte, error) {
	if s, ok := out.(smithy.Serializable); ok {
		return schemaJSON(s)
	}
	t := jsonTree{lower}.value(reflect.ValueOf(out))
	if t == nil {
		t = map[string]any{}
	}
	return json.Marshal(t)
}

func schemaJSON(out smithy.Serializable) ([]byte, error) {
	req, ok := smithyhttp.NewStackRequest().(*smithyhttp.Request)
	if !ok {
		return nil, fmt.Errorf("smithy request is a %T", req)
	}
	req.URL = &url.URL{Scheme: "http", Host: "sim", Path: "/"}
	// The struct brings its own schema; this one only has to be there.
	shape := smithy.NewSchema(smithy.ShapeID{Namespace: "awssim", Name: "Answer"}, smithy.ShapeTypeStructure, 0)
	codec := awsjson.New11(smithy.NewServiceSchema(shape, ""))
	if err := codec.SerializeRequest(context.Background(), smithy.NewOperationSchema(shape, shape, shape), out, req); err != nil {
		return nil, fmt.Errorf("schema codec: %w", err)
	}
	return io.ReadAll(req.GetStream())
}

// jsonTree makes the tree of an output of a client without schemas: UpperCamel names, or lowerCamel, times
// as epoch seconds, empty text left out.
type jsonTree struct{ lower bool }

func (j jsonTree) value(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		if v.Elem().Kind() == reflect.String {
			return v.Elem().String()
		}
		return j.value(v.Elem())
	case reflect.Struct:
		if at, ok := v.Interface().(time.Time); ok {
			return json.Number(fmt.Sprintf("%.3f", float64(at.UnixMilli())/1000))
		}
		m := map[string]any{}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Name != "ResultMetadata" {
				if x := j.value(v.Field(i)); x != nil {
					m[j.name(f.Name)] = x
				}
			}
		}
		return m
	case reflect.Slice:
		if v.IsNil() {
			return nil
		}
		l := make([]any, v.Len())
		for i := range l {
			l[i] = j.value(v.Index(i))
		}
		return l
	case reflect.Map:
		if v.IsNil() {
			return nil
		}
		m := map[string]any{}
		for _, k := range v.MapKeys() {
			m[k.String()] = j.value(v.MapIndex(k))
		}
		return m
	case reflect.String:
		if v.String() == "" {
			return nil
		}
		return v.String()
	}
	return v.Interface()
}

// name is a member's on the wire.
func (j jsonTree) name(field string) string {
	if j.lower {
		return lower(field[:1]) + field[1:]
	}
	return field
}

func queryBody(c *Call, svc service, out any) []byte {
	b := &bytes.Buffer{}
	fmt.Fprintf(b, `<%sResponse xmlns="%s">`, c.Op, svc.xmlns)
	xmlWriter{b: b}.value(c.Op+"Result", reflect.ValueOf(out))
	fmt.Fprintf(b, `<ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata></%sResponse>`, c.RequestID, c.Op)
	return b.Bytes()
}

func ec2Body(c *Call, svc service, out any) []byte {
	b := &bytes.Buffer{}
	fmt.Fprintf(b, `<%sResponse xmlns="%s"><requestId>%s</requestId>`, c.Op, svc.xmlns, c.RequestID)
	xmlWriter{b: b, ec2: true}.members(reflect.ValueOf(out).Elem())
	fmt.Fprintf(b, `</%sResponse>`, c.Op)
	return b.Bytes()
}

// xmlWriter writes outputs as the query protocols do: lists as member (ec2: item), maps
// as entry, names as the members' own (ec2: lowerCamel, with exceptions).
type xmlWriter struct {
	b     *bytes.Buffer
	ec2   bool
	items map[string]string // route53: what the elements of a list are called
}

// ec2Name holds the ec2 members whose wire name is not the lowerCamel of the field.
func ec2Name(owner, field string) string {
	switch owner + "." + field {
	case "DescribeRegionsOutput.Regions":
		return "regionInfo"
	case "DescribeAvailabilityZonesOutput.AvailabilityZones":
		return "availabilityZoneInfo"
	case "Region.Endpoint":
		return "regionEndpoint"
	case "Region.Geography":
		return "geographySet"
	case "AvailabilityZone.State":
		return "zoneState"
	case "NatGateway.NatGatewayAddresses":
		return "natGatewayAddressSet"
	}
	switch field {
	case "Vpcs", "Subnets", "RouteTables", "NatGateways", "NetworkInterfaces", "Routes", "Associations", "Groups", "Tags":
		return strings.ToLower(field[:1]) + field[1:len(field)-1] + "Set"
	}
	return strings.ToLower(field[:1]) + field[1:]
}

func (x xmlWriter) members(v reflect.Value) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() || f.Name == "ResultMetadata" {
			continue
		}
		name := f.Name
		if x.ec2 {
			name = ec2Name(v.Type().Name(), name)
		}
		x.value(name, v.Field(i))
	}
}

func (x xmlWriter) value(name string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return
		}
		if v.Elem().Kind() == reflect.String {
			x.text(name, v.Elem().String())
			return
		}
		x.value(name, v.Elem())
	case reflect.Struct:
		if at, ok := v.Interface().(time.Time); ok {
			x.text(name, at.UTC().Format("2006-01-02T15:04:05.000Z"))
			return
		}
		x.wrap(name, func() { x.members(v) })
	case reflect.Slice:
		if v.IsNil() {
			return
		}
		item := "member"
		if x.ec2 {
			item = "item"
		} else if own := x.items[name]; own != "" {
			item = own
		}
		x.wrap(name, func() {
			for i := range v.Len() {
				x.value(item, v.Index(i))
			}
		})
	case reflect.Map:
		if v.IsNil() {
			return
		}
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		x.wrap(name, func() {
			for _, k := range keys {
				x.wrap("entry", func() { x.text("key", k.String()); x.value("value", v.MapIndex(k)) })
			}
		})
	case reflect.String:
		if v.String() != "" {
			x.text(name, v.String())
		}
	default:
		x.text(name, fmt.Sprint(v.Interface()))
	}
}

func (x xmlWriter) wrap(name string, inside func()) {
	x.b.WriteString("<" + name + ">")
	inside()
	x.b.WriteString("</" + name + ">")
}

func (x xmlWriter) text(name, s string) {
	x.wrap(name, func() { _ = xml.EscapeText(x.b, []byte(s)) }) // a bytes.Buffer takes every write
}
