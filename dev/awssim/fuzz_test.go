package awssim

import (
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

// decodeAll runs a body through a protocol and every operation of a service. Whatever it
// holds, the answer is a struct or a refusal of the caller.
func decodeAll(t *testing.T, service string, r *http.Request, body []byte) {
	t.Helper()
	s := &Sim{services: services()}
	svc := s.services[service]
	call, err := s.decode(r, svc, service, body)
	var refused *APIError
	if err != nil {
		if !errors.As(err, &refused) || refused.Status >= 500 {
			t.Fatalf("not a refusal: %v", err)
		}
		return
	}
	for _, op := range operations() {
		if op.service != call.service {
			continue
		}
		if err := (binder{ec2: svc.protocol == ec2Query}).bind(call.tree, reflect.New(op.in).Elem(), ""); err != nil {
			if err := badMember(svc.protocol, err); !errors.As(err, &refused) || refused.Status >= 500 {
				t.Fatalf("not a refusal: %v", err)
			}
		}
	}
}

func FuzzForm(f *testing.F) {
	f.Add("Action=AssumeRole&Tags.member.1.Key=a&Tags.member.1.Value=b&Tags.member.1=c")
	f.Add("Action=GetRole&RoleName.member.1.entry.1.key=x&MaxItems=99999999999999")
	f.Add("Action=DescribeRegions&Filter.1.Name=a&Filter.1.Value.1=b&RegionName.0=x&DryRun=perhaps")
	f.Add("Action=" + strings.Repeat("a.", 40) + "=b&" + strings.Repeat("a.", 40) + "=c")
	f.Fuzz(func(t *testing.T, body string) {
		for _, service := range []string{"sts", "iam", "ec2", "cloudformation"} {
			decodeAll(t, service, &http.Request{Method: "POST", URL: &url.URL{Path: "/"}, Header: http.Header{}}, []byte(body))
		}
	})
}

func FuzzJSON(f *testing.F) {
	f.Add(`{"MaxResults":1e400,"NextToken":{}}`)
	f.Add(`{"Budget":{"TimePeriod":{"Start":1e308},"BudgetLimit":[],"CostFilters":{"a":[1]}}}`)
	f.Add(strings.Repeat(`{"Tags":[`, 200))
	f.Fuzz(func(t *testing.T, body string) {
		for service, target := range map[string]string{"organizations": "AWSOrganizationsV20161128.X", "budgets": "AWSBudgetServiceGateway.X", "servicequotas": "ServiceQuotasV20190624.X", "account": ""} {
			r := &http.Request{Method: "POST", URL: &url.URL{Path: "/x"}, Header: http.Header{"X-Amz-Target": {target}}}
			decodeAll(t, service, r, []byte(body))
		}
	})
}

func FuzzS3(f *testing.F) {
	f.Add("PUT", "/bucket/key", "x-id=PutObject", "5;chunk-signature=a\r\nhello\r\n0\r\n\r\n", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
	f.Add("PUT", "/v20180820/configuration/publicAccessBlock", "", "<PublicAccessBlockConfiguration><BlockPublicAcls>maybe</BlockPublicAcls></PublicAccessBlockConfiguration>", "")
	f.Add("GET", "/", "list-type=2&max-keys=-1&prefix", "", "")
	f.Fuzz(func(t *testing.T, method, path, query, body, sum string) {
		r := &http.Request{Method: method, Host: "localhost", URL: &url.URL{Path: path, RawQuery: query}, Header: http.Header{"X-Amz-Content-Sha256": {sum}}}
		decodeAll(t, "s3", r, []byte(body))
	})
}

func FuzzPolicy(f *testing.F) {
	f.Add(policyText(`{"Effect":"Allow","Principal":{"AWS":["*"]},"Action":["a:*"],"Resource":"${a,'b'}","Condition":{"ForAnyValue:StringLikeIfExists":{"k":["${*}","?"]}}}`), "a:B", "${x}")
	f.Fuzz(func(t *testing.T, text, action, value string) {
		d, err := parsePolicy(text)
		if err != nil {
			return
		}
		q := question{action: action, resource: value, ctx: keys{"k": {value, action}}, principal: asRole(demoHub, "/", action, value, "")}
		d.decide(q)
		d.trust(q)
	})
}

func FuzzCBOR(f *testing.F) {
	f.Add("DescribeAlarms", []byte("\xa1\x6aMaxRecords\x3b\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Add("DescribeAlarms", []byte("\xbf\x6aAlarmNames\x9f\x61a\xff\xff"))
	f.Add("DescribeAlarms", []byte(strings.Repeat("\x81", 5000)))
	f.Add("X", []byte("\xbb\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, op string, body []byte) {
		svc := services()["monitoring"]
		r := &http.Request{Method: "POST", URL: &url.URL{Path: "/service/" + svc.target + "/operation/" + op}, Header: http.Header{}}
		_, tree, err := decodeRPC(r, svc, body)
		var refused *APIError
		if err != nil {
			if !errors.As(err, &refused) || refused.Status >= 500 {
				t.Fatalf("not a refusal: %v", err)
			}
			return
		}
		for _, o := range cloudwatchOperations() {
			if err := (binder{}).bind(tree, reflect.New(o.in).Elem(), ""); err != nil {
				if err := badMember(svc.protocol, err); !errors.As(err, &refused) || refused.Status >= 500 {
					t.Fatalf("not a refusal: %v", err)
				}
			}
		}
	})
}
