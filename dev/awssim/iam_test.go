package awssim

import (
	"strings"
	"testing"
	"time"
)

func TestPolicyDecides(t *testing.T) {
	const table = "arn:aws:dynamodb:eu-west-1:222222222222:table/orders"
	for name, tc := range map[string]struct {
		statements string
		action     string
		resource   string
		ctx        keys
		want       effect
	}{
		"action wildcard":            {`{"Effect":"Allow","Action":"dynamodb:Get*","Resource":"*"}`, "dynamodb:GetItem", table, nil, allows},
		"actions ignore case":        {`{"Effect":"Allow","Action":"DYNAMODB:getitem","Resource":"*"}`, "dynamodb:GetItem", table, nil, allows},
		"other action":               {`{"Effect":"Allow","Action":"dynamodb:Get*","Resource":"*"}`, "dynamodb:PutItem", table, nil, silent},
		"question mark":              {`{"Effect":"Allow","Action":"s3:Get?bject","Resource":"*"}`, "s3:GetObject", "*", nil, allows},
		"not action":                 {`{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}`, "dynamodb:GetItem", table, nil, allows},
		"not action, named":          {`{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}`, "iam:GetRole", "*", nil, silent},
		"resource wildcard":          {`{"Effect":"Allow","Action":"*","Resource":"arn:aws:dynamodb:*:222222222222:table/*"}`, "dynamodb:GetItem", table, nil, allows},
		"resource is case-sensitive": {`{"Effect":"Allow","Action":"*","Resource":"arn:aws:dynamodb:*:*:table/Orders"}`, "dynamodb:GetItem", table, nil, silent},
		"not resource":               {`{"Effect":"Allow","Action":"*","NotResource":"arn:aws:dynamodb:*:*:table/secret"}`, "dynamodb:GetItem", table, nil, allows},
		"deny beats allow":           {`{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"dynamodb:*","Resource":"*"}`, "dynamodb:GetItem", table, nil, denies},
		"variable":                   {`{"Effect":"Allow","Action":"*","Resource":"arn:aws:dynamodb:*:*:table/${aws:PrincipalTag/team}"}`, "dynamodb:GetItem", table, keys{"aws:principaltag/team": {"orders"}}, allows},
		"variable holds a star":      {`{"Effect":"Allow","Action":"*","Resource":"arn:aws:dynamodb:*:*:table/${aws:PrincipalTag/team}"}`, "dynamodb:GetItem", table, keys{"aws:principaltag/team": {"*"}}, silent},
		"variable without a value":   {`{"Effect":"Allow","Action":"*","Resource":"arn:aws:dynamodb:*:*:table/${aws:PrincipalTag/team}"}`, "dynamodb:GetItem", table, nil, silent},
		"variable with a default":    {`{"Effect":"Allow","Action":"*","Resource":"arn:aws:dynamodb:*:*:table/${aws:PrincipalTag/team, 'orders'}"}`, "dynamodb:GetItem", table, nil, allows},
	} {
		d, err := parsePolicy(policyText(tc.statements))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := d.decide(question{action: tc.action, resource: tc.resource, ctx: tc.ctx}); got != tc.want {
			t.Errorf("%s: got %d, want %d", name, got, tc.want)
		}
	}
}

func TestCondition(t *testing.T) {
	for name, tc := range map[string]struct {
		condition string
		ctx       keys
		want      bool
	}{
		"equal":                             {`"StringEquals":{"k":"a"}`, keys{"k": {"a"}}, true},
		"equal is case-sensitive":           {`"StringEquals":{"k":"A"}`, keys{"k": {"a"}}, false},
		"equal takes a star literally":      {`"StringEquals":{"k":"*"}`, keys{"k": {"a"}}, false},
		"a star equals a star":              {`"StringEquals":{"k":"*"}`, keys{"k": {"*"}}, true},
		"one of several":                    {`"StringEquals":{"k":["a","b"]}`, keys{"k": {"b"}}, true},
		"key names ignore case":             {`"StringEquals":{"K":"a"}`, keys{"k": {"a"}}, true},
		"missing key":                       {`"StringEquals":{"k":"a"}`, nil, false},
		"missing key, if exists":            {`"StringEqualsIfExists":{"k":"a"}`, nil, true},
		"missing key, not equal":            {`"StringNotEquals":{"k":"a"}`, nil, true},
		"not equal to any":                  {`"StringNotEquals":{"k":["a","b"]}`, keys{"k": {"b"}}, false},
		"like":                              {`"StringLike":{"k":"slw-*"}`, keys{"k": {"slw-1"}}, true},
		"like, several stars":               {`"StringLike":{"k":"*a*b*c"}`, keys{"k": {"xxaybbzc"}}, true},
		"not like":                          {`"StringNotLike":{"k":"slw-*"}`, keys{"k": {"slw-1"}}, false},
		"like, escaped star":                {`"StringLike":{"k":"a${*}"}`, keys{"k": {"ab"}}, false},
		"arn like by parts":                 {`"ArnLike":{"k":"arn:aws:iam::*:role/slipway/*"}`, keys{"k": {"arn:aws:iam::222222222222:role/slipway/x"}}, true},
		"arn star stops at a colon":         {`"ArnLike":{"k":"arn:aws:*:role/slipway/*"}`, keys{"k": {"arn:aws:iam::222222222222:role/slipway/x"}}, false},
		"arn equals":                        {`"ArnEquals":{"k":"arn:aws:iam::222222222222:role/x"}`, keys{"k": {"arn:aws:iam::222222222222:role/x"}}, true},
		"bool":                              {`"Bool":{"k":"true"}`, keys{"k": {"true"}}, true},
		"bool as JSON":                      {`"Bool":{"k":false}`, keys{"k": {"true"}}, false},
		"null, absent":                      {`"Null":{"k":"true"}`, nil, true},
		"null, present":                     {`"Null":{"k":"true"}`, keys{"k": {"a"}}, false},
		"not null, present":                 {`"Null":{"k":"false"}`, keys{"k": {"a"}}, true},
		"all of, within":                    {`"ForAllValues:StringEquals":{"k":["a","b"]}`, keys{"k": {"a", "b"}}, true},
		"all of, one outside":               {`"ForAllValues:StringEquals":{"k":["a","b"]}`, keys{"k": {"a", "c"}}, false},
		"all of nothing":                    {`"ForAllValues:StringEquals":{"k":"a"}`, nil, true},
		"any of, one within":                {`"ForAnyValue:StringEquals":{"k":["a","b"]}`, keys{"k": {"c", "b"}}, true},
		"any of nothing":                    {`"ForAnyValue:StringEquals":{"k":"a"}`, nil, false},
		"any of, not equal":                 {`"ForAnyValue:StringNotEquals":{"k":"a"}`, keys{"k": {"a", "b"}}, true},
		"every key must hold":               {`"StringEquals":{"k":"a","l":"b"}`, keys{"k": {"a"}}, false},
		"number":                            {`"NumericLessThanEquals":{"k":"3600"}`, keys{"k": {"900"}}, true},
		"number too high":                   {`"NumericLessThan":{"k":"900"}`, keys{"k": {"900"}}, false},
		"variable":                          {`"StringEquals":{"k":"${l}"}`, keys{"k": {"a"}, "l": {"a"}}, true},
		"variable without a value":          {`"StringEquals":{"k":"${l}"}`, keys{"k": {"a"}}, false},
		"not equal to a variable not there": {`"StringNotEquals":{"k":"${l}"}`, keys{"k": {"a"}}, true},
	} {
		d, err := parsePolicy(policyText(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{` + tc.condition + `}}`))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := d.decide(question{action: "a:B", resource: "*", ctx: tc.ctx}) == allows; got != tc.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestPolicyRefused(t *testing.T) {
	for name, text := range map[string]string{
		"no version":         `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`,
		"old version":        `{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`,
		"no statement":       `{"Version":"2012-10-17","Statement":[]}`,
		"effect":             policyText(`{"Effect":"allow","Action":"*","Resource":"*"}`),
		"unknown element":    policyText(`{"Effect":"Allow","Action":"*","Resource":"*","Until":"tomorrow"}`),
		"no action":          policyText(`{"Effect":"Allow","Resource":"*"}`),
		"both actions":       policyText(`{"Effect":"Allow","Action":"*","NotAction":"*","Resource":"*"}`),
		"both resources":     policyText(`{"Effect":"Allow","Action":"*","NotResource":"*","Resource":"*"}`),
		"unknown operator":   policyText(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}`),
		"unknown qualifier":  policyText(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"ForSome:StringEquals":{"k":"a"}}}`),
		"no values":          policyText(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"k":[]}}}`),
		"structured value":   policyText(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"k":{"a":1}}}}`),
		"principal kind":     policyText(`{"Effect":"Allow","Action":"*","Principal":{"Martian":"*"}}`),
		"text after the end": policyText(`{"Effect":"Allow","Action":"*","Resource":"*"}`) + `{}`,
		"not JSON":           `Version: 2012-10-17`,
	} {
		if _, err := parsePolicy(text); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestTrust(t *testing.T) {
	worker := asRole(demoHub, "/slipway/platform/", "slipway-worker", "run-1", "")
	for name, tc := range map[string]struct {
		statement string
		who       Principal
		want      effect
		direct    bool
	}{
		"exact role":             {`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:role/slipway/platform/slipway-worker"},"Action":"sts:AssumeRole"}`, worker, allows, true},
		"another role":           {`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:role/slipway/platform/slipway-web"},"Action":"sts:AssumeRole"}`, worker, silent, false},
		"its account":            {`{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"sts:AssumeRole"}`, worker, allows, false},
		"its account's root":     {`{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::222222222222:root"]},"Action":"sts:AssumeRole"}`, worker, allows, false},
		"another account":        {`{"Effect":"Allow","Principal":{"AWS":"333333333333"},"Action":"sts:AssumeRole"}`, worker, silent, false},
		"everybody":              {`{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}`, worker, allows, true},
		"a service":              {`{"Effect":"Allow","Principal":{"Service":"cloudformation.amazonaws.com"},"Action":"sts:AssumeRole"}`, Principal{Service: "cloudformation.amazonaws.com"}, allows, true},
		"a service, not a role":  {`{"Effect":"Allow","Principal":{"Service":"cloudformation.amazonaws.com"},"Action":"sts:AssumeRole"}`, worker, silent, false},
		"everybody but":          {`{"Effect":"Deny","NotPrincipal":{"AWS":"222222222222"},"Action":"sts:AssumeRole"}`, worker, silent, false},
		"everybody but, another": {`{"Effect":"Deny","NotPrincipal":{"AWS":"333333333333"},"Action":"sts:AssumeRole"}`, worker, denies, false},
		"no principal at all":    {`{"Effect":"Allow","Action":"sts:AssumeRole"}`, worker, silent, false},
	} {
		d, err := parsePolicy(policyText(tc.statement))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, direct := d.trust(question{principal: tc.who, action: "sts:AssumeRole"})
		if got != tc.want || direct != tc.direct {
			t.Errorf("%s: got %d direct %v, want %d direct %v", name, got, direct, tc.want, tc.direct)
		}
	}
}

// TestWildcardIsLinear would take for ever with a matcher that tries every split.
func TestWildcardIsLinear(t *testing.T) {
	start := time.Now()
	if wildcard(strings.Repeat("*a", 2000)+"b", strings.Repeat("a", 20000)) {
		t.Error("matched")
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("took %v", took)
	}
}
