package blueprint

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// workloadRules are checks of blueprints, beyond what every template is held to: what AWS refuses only while it builds, and
// what a golden path does not do. A resource excuses itself from one as from any handRule.
var workloadRules = []handRule{
	{"service-wide", LevelError, []string{"AWS::IAM::Role", "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"}, serviceWide},
	{"fargate-size", LevelError, []string{"AWS::ECS::TaskDefinition"}, fargateSize},
	{"image-tag", LevelError, []string{"AWS::ECS::TaskDefinition"}, imageTag},
	{"desired-count", LevelError, []string{"AWS::ECS::Service"}, desiredCount},
	{"public-task", LevelError, []string{"AWS::ECS::Service", "AWS::Scheduler::Schedule"}, publicTask},
	{"target-type", LevelError, []string{"AWS::ElasticLoadBalancingV2::TargetGroup"}, func(c *checker, r Resource, path string, tell func(string, string, ...any)) {
		if fargate(c.t) && r.given("TargetType") != "ip" {
			tell(join(path, "Properties.TargetType"), "must be ip: Fargate tasks have no instance")
		}
	}},
	{"log-key", LevelError, []string{"AWS::Logs::LogGroup"}, logKey},
	{"firewall-log", LevelError, []string{"AWS::WAFv2::LoggingConfiguration"}, firewallLog},
}

func fargate(t *Template) bool {
	return slices.ContainsFunc(t.Resources, func(r Resource) bool {
		return r.Type == "AWS::ECS::TaskDefinition" && has(r.given("RequiresCompatibilities"), "FARGATE")
	})
}

// serviceWide refuses roles that may do everything in a service: the actions are what a reviewer reads.
func serviceWide(_ *checker, r Resource, path string, tell func(string, string, ...any)) {
	statements(path+".Properties", r.properties, func(path string, s map[string]any) {
		if s["Effect"] != "Allow" {
			return
		}
		for _, action := range texts(s["Action"]) {
			if action == "*" || strings.HasSuffix(action, ":*") {
				tell(path, "allows %s; name the actions", action)
			}
		}
	})
}

// fargateSizes are the memory sizes in MiB that Fargate has for each number of CPU units: from, to, in steps of.
var fargateSizes = map[int64][3]int64{
	256: {512, 2048, 512}, 512: {1024, 4096, 1024}, 1024: {2048, 8192, 1024}, 2048: {4096, 16384, 1024},
	4096: {8192, 30720, 1024}, 8192: {16384, 61440, 4096}, 16384: {32768, 122880, 8192},
}

// fargateSize checks the pair of CPU and memory, also each row of a mapping that both come from.
func fargateSize(c *checker, r Resource, path string, tell func(string, string, ...any)) {
	if !has(r.given("RequiresCompatibilities"), "FARGATE") {
		return
	}
	at := path + ".Properties"
	for _, pair := range c.pairs(r.given("Cpu"), r.given("Memory")) {
		cpu, err1 := strconv.ParseInt(pair[0], 10, 64)
		memory, err2 := strconv.ParseInt(pair[1], 10, 64)
		sizes, known := fargateSizes[cpu]
		fits := known && memory >= sizes[0] && memory <= sizes[1] && memory%sizes[2] == 0 && (cpu != 256 || memory != 1536)
		if err1 != nil || err2 != nil || !fits {
			tell(at, "Fargate has no task with %s CPU units and %s MiB of memory", pair[0], pair[1])
		}
	}
	if r.given("Cpu") == nil || r.given("Memory") == nil {
		tell(at, "a Fargate task states Cpu and Memory")
	}
}

// pairs are the values two properties can have together: both literal, or both from the rows of one mapping.
func (c *checker) pairs(a, b any) (out [][2]string) {
	left, ok1 := scalarText(a)
	right, ok2 := scalarText(b)
	if ok1 && ok2 {
		return [][2]string{{left, right}}
	}
	x, y := mapped(a), mapped(b)
	if x == nil || y == nil || x[0] != y[0] {
		return nil // what neither gives is known only when it is resolved
	}
	m := c.t.mappings[asText(x[0])]
	for row := range m {
		left, ok1 := scalarText(m[row][asText(x[2])])
		right, ok2 := scalarText(m[row][asText(y[2])])
		if ok1 && ok2 {
			out = append(out, [2]string{left, right})
		}
	}
	return out
}

func mapped(v any) []any {
	f, ok := v.(call)
	args, list := f.arg.([]any)
	if !ok || !list || f.fn != "FindInMap" || len(args) < 3 {
		return nil
	}
	return args
}

var digestOrTag = regexp.MustCompile(`(@sha256:[0-9a-f]{64}|:[A-Za-z0-9_][A-Za-z0-9_.-]*)$`)

// imageTag refuses images that are another tomorrow.
func imageTag(_ *checker, r Resource, path string, tell func(string, string, ...any)) {
	list, _ := r.given("ContainerDefinitions").([]any)
	for i, item := range list {
		m, _ := item.(map[string]any)
		image, literal := m["Image"].(string)
		if literal && (strings.HasSuffix(image, ":latest") || !digestOrTag.MatchString(image)) {
			tell(path+".Properties.ContainerDefinitions["+strconv.Itoa(i)+"].Image", "%q is another image tomorrow; name a digest or a version", image)
		}
	}
}

// desiredCount refuses a count beside a scaling target: each update would take back what scaling did.
func desiredCount(c *checker, r Resource, path string, tell func(string, string, ...any)) {
	scaled := slices.ContainsFunc(c.t.Resources, func(r Resource) bool { return r.Type == "AWS::ApplicationAutoScaling::ScalableTarget" })
	if count := r.given("DesiredCount"); scaled && count != nil && !leavesOut(count) {
		tell(join(path, "Properties.DesiredCount"), "is set beside a scaling target, so every update would undo what scaling did; use AWS::NoValue while it scales")
	}
}

// leavesOut says whether some branch of a value is AWS::NoValue.
func leavesOut(v any) bool {
	f, ok := v.(call)
	if !ok {
		return false
	}
	if f.fn == "Ref" {
		return f.arg == "AWS::NoValue"
	}
	args, _ := f.arg.([]any)
	return f.fn == "If" && slices.ContainsFunc(args, leavesOut)
}

func publicTask(_ *checker, r Resource, path string, tell func(string, string, ...any)) {
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch x := v.(type) {
		case map[string]any:
			for k, child := range x {
				if k == "AssignPublicIp" && child == "ENABLED" {
					tell(join(path, k), "gives tasks addresses on the internet; they belong in private subnets")
				}
				walk(join(path, k), child)
			}
		case []any:
			for i, child := range x {
				walk(path+"["+strconv.Itoa(i)+"]", child)
			}
		case call:
			walk(path, x.arg)
		}
	}
	walk(path+".Properties", r.properties)
}

// logKey finds log groups that cannot be made: their key does not let CloudWatch Logs use it.
func logKey(c *checker, r Resource, path string, tell func(string, string, ...any)) {
	for _, id := range (*resolver)(nil).mentions(r.given("KmsKeyId")) {
		key, ok := c.t.Resource(id)
		if ok && key.Type == "AWS::KMS::Key" && !holds(key.given("KeyPolicy"), "logs.") {
			tell(join(path, "Properties.KmsKeyId"), "the policy of %s does not let logs.<region>.amazonaws.com use the key, so the log group cannot be made", id)
		}
	}
}

// holds says whether any text inside a value contains a text.
func holds(v any, text string) bool {
	switch x := v.(type) {
	case string:
		return strings.Contains(x, text)
	case map[string]any:
		for _, child := range x {
			if holds(child, text) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(x, func(child any) bool { return holds(child, text) })
	case call:
		return holds(x.arg, text)
	}
	return false
}

func firewallLog(c *checker, r Resource, path string, tell func(string, string, ...any)) {
	for _, id := range (*resolver)(nil).mentions(r.given("LogDestinationConfigs")) {
		group, ok := c.t.Resource(id)
		if !ok || group.Type != "AWS::Logs::LogGroup" {
			continue
		}
		if name := texts(group.given("LogGroupName")); len(name) != 1 || !strings.HasPrefix(name[0], "aws-waf-logs-") {
			tell(join(path, "Properties.LogDestinationConfigs"), "the name of %s must begin with aws-waf-logs-, or AWS refuses it", id)
		}
	}
}
