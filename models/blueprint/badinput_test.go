package blueprint

import (
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	soundTemplate = "Parameters:\n  Name: {Type: String}\nResources:\n  Topic:\n    Type: AWS::SNS::Topic\n    Properties: {TopicName: !Ref Name, KmsMasterKeyId: alias/aws/sns}\n"
	soundMeta     = `id: topic
version: 1.0.0
kind: environment
title: Topic
description: A topic.
stages: [dev]
inputs:
  required: [Name]
  properties:
    Name: {type: string, title: Name}
`
)

// unfolding is a small file that unfolds into a billion values.
func unfolding(top string) string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 10; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	return b.String() + top
}

func chain(n int, last string) string {
	var b strings.Builder
	b.WriteString("Resources:\n")
	for i := range n {
		next := fmt.Sprintf("R%d", i+1)
		if i == n-1 {
			next = last
		}
		fmt.Fprintf(&b, "  R%d: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref %s}}\n", i, next)
	}
	return b.String()
}

// worked is how long this process has been at work: other processes on the machine do not count.
func worked(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// TestBadInput refuses what is meant to hurt with words that name the place, within a second and in bounded memory.
func TestBadInput(t *testing.T) {
	const mebibyte = 1 << 20
	for name, tc := range map[string]struct{ template, meta, want string }{
		"template of more than 1 MiB":  {soundTemplate + "#" + strings.Repeat("x", mebibyte), soundMeta, `template.yaml: error: has more than 1048576 bytes`},
		"description of 1 MiB":         {soundTemplate, soundMeta + "#" + strings.Repeat("x", mebibyte-1000), `meta.yaml: error: has \d+ bytes, more than`},
		"cycle":                        {chain(300, "R0"), soundMeta, `template.yaml:2: error: Resources.R0: circular dependency`},
		"cycle of one":                 {chain(1, "R0"), soundMeta, `template.yaml:2: error: Resources.R0: circular dependency`},
		"cycle of conditions":          {"Conditions: {A: {Condition: B}, B: {Condition: A}}\n" + soundTemplate, soundMeta, `template.yaml:1: error: Conditions.A: refers to itself`},
		"unknown type":                 {strings.Replace(soundTemplate, "SNS::Topic", "SNS::Tropic", 1), soundMeta, `template.yaml:5: error: Resources.Topic.Type: there is no resource type AWS::SNS::Tropic`},
		"bomb in the template":         {unfolding(soundTemplate), soundMeta, `template.yaml:\d+: error: more than 60000 values`},
		"bomb in the description":      {soundTemplate, unfolding(soundMeta), `meta.yaml:2: error: aliases are not supported`},
		"501 resources":                {chain(501, "AWS::Region"), soundMeta, `template.yaml:2: error: Resources: has 501 entries, more than 500`},
		"a hundred thousand brackets":  {strings.Repeat("[", 100_000), soundMeta, `template.yaml:?\d*: error: `},
		"a megabyte of brackets":       {strings.Repeat("[", mebibyte-1), soundMeta, `template.yaml:?\d*: error: `},
		"a megabyte of dashes":         {strings.Repeat("- ", mebibyte/2-1), soundMeta, `template.yaml:?\d*: error: `},
		"a megabyte of keys":           {"Resources: {" + strings.Repeat("a: 1, ", mebibyte/6-10) + "}", soundMeta, `template.yaml: error: more than 80000 lines and commas`},
		"seventy thousand keys":        {"Resources: {" + strings.Repeat("a: 1, ", 70_000) + "}", soundMeta, `template.yaml:\d+: error: `},
		"a megabyte of one key":        {soundTemplate + "  " + strings.Repeat("A", mebibyte-2000) + ": {Type: x}\n", soundMeta, `template.yaml:?\d*: error: `},
		"a megabyte of one text":       {strings.Replace(soundTemplate, "SNS::Topic", strings.Repeat("x", mebibyte-2000), 1), soundMeta, `template.yaml:5: error: Resources.Topic.Type: there is no resource type`},
		"a hundred thousand meta keys": {soundTemplate, strings.Repeat("a: 1\n", 20_000), `meta.yaml:\d+: error: more than 4000 values`},
		"deep description":             {soundTemplate, "inputs: " + strings.Repeat("{a: ", 200) + strings.Repeat("}", 200), `meta.yaml:1: error: nested deeper than`},
		"no YAML":                      {"\x00\xff", soundMeta, `template.yaml:?\d*: error: `},
		"empty files":                  {"", "", `meta.yaml: error: is empty`},
		"pattern that backtracks": {soundTemplate, strings.Replace(soundMeta, "title: Name", `title: Name, default: `+strings.Repeat("a", 3000)+`, pattern: "^(a+)+$"`, 1),
			``}, // RE2 takes it in linear time
		"pattern that grows":      {soundTemplate, strings.Replace(soundMeta, "title: Name", `title: Name, pattern: "((a{100}){100}){100}"`, 1), `meta.yaml:7: error: .*inputs`},
		"reference to a file":     {soundTemplate, strings.Replace(soundMeta, "{type: string, title: Name}", "{$ref: 'file:///etc/passwd'}", 1), `meta.yaml:10: error: inputs.properties.Name: \$ref is not supported`},
		"reference to a host":     {soundTemplate, strings.Replace(soundMeta, "required: [Name]", "allOf: [{$ref: 'http://127.0.0.1:1/x'}]", 1), `meta.yaml:8: error: inputs.allOf\[0\]: \$ref is not supported`},
		"another dialect":         {soundTemplate, strings.Replace(soundMeta, "required: [Name]", "$schema: 'http://127.0.0.1:1/x'", 1), `meta.yaml:\d+: error: .*\$schema must be`},
		"identity of its own":     {soundTemplate, strings.Replace(soundMeta, "required: [Name]", "$id: 'http://127.0.0.1:1/x'", 1), `meta.yaml:\d+: error: .*\$id is not supported`},
		"unknown key":             {soundTemplate, soundMeta + "colour: red\n", `meta.yaml:11: error: field colour not found`},
		"list where text belongs": {soundTemplate, strings.Replace(soundMeta, "title: Topic", "title: [Topic]", 1), `meta.yaml:4: error: cannot unmarshal`},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			begun := worked(t)
			_, problems := Checker{}.Check("topic", "1.0.0", map[string][]byte{TemplateFile: []byte(tc.template), MetaFile: []byte(tc.meta)})
			took := worked(t) - begun
			runtime.ReadMemStats(&after)
			if took > slower*time.Second {
				t.Errorf("took %s", took)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 256<<20 {
				t.Errorf("allocated %d MiB", used>>20)
			}
			found := tc.want == "" && len(Errors(problems)) == 0
			for _, p := range problems {
				if len(p.Message) > maxMessage+10 || len(p.Path) > maxMessage+10 {
					t.Errorf("a problem of %d bytes", len(p.String()))
				}
				found = found || tc.want != "" && regexp.MustCompile(tc.want).MatchString(p.String())
			}
			if !found {
				t.Errorf("want %q among %.2000v", tc.want, problems)
			}
		})
	}
}
