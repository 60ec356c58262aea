package blueprint

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// handRule is a check the schema cannot say. A resource excuses itself from one, with a
// reason, in its metadata:
//
//	Metadata: {Slipway: {Accept: {star-action: "a boundary grants nothing by itself"}}}
type handRule struct {
	name, level string
	types       []string // empty: every type
	apply       func(c *checker, r Resource, path string, tell func(path, format string, args ...any))
}

func (h handRule) check(c *checker) {
	for _, r := range c.t.Resources {
		if len(h.types) > 0 && !slices.Contains(h.types, r.Type) || r.accepts[h.name] != "" {
			continue
		}
		h.apply(c, r, "Resources."+r.ID, func(path, format string, args ...any) {
			c.add(h.level, h.name, path, format, args...)
		})
	}
}

var stateful = []string{
	"AWS::Backup::BackupVault", "AWS::DocDB::DBCluster", "AWS::DynamoDB::GlobalTable", "AWS::DynamoDB::Table", "AWS::EC2::Volume",
	"AWS::ECR::Repository", "AWS::EFS::FileSystem", "AWS::ElastiCache::ReplicationGroup", "AWS::KMS::Key", "AWS::KMS::ReplicaKey", "AWS::Kinesis::Stream",
	"AWS::Logs::LogGroup", "AWS::Neptune::DBCluster", "AWS::OpenSearchService::Domain", "AWS::RDS::DBCluster", "AWS::RDS::DBInstance",
	"AWS::Redshift::Cluster", "AWS::S3::Bucket", "AWS::SecretsManager::Secret",
}

var handRules = []handRule{
	{"star-action", LevelError, nil, func(_ *checker, r Resource, path string, tell func(string, string, ...any)) {
		statements(path+".Properties", r.properties, func(path string, s map[string]any) {
			if s["Effect"] == "Allow" && (has(s["Action"], "*") || has(s["Action"], "*:*") || s["NotAction"] != nil) && has(s["Resource"], "*") {
				tell(path, "allows everything on everything; name the actions")
			}
		})
	}},
	{"open-principal", LevelError, nil, func(_ *checker, r Resource, path string, tell func(string, string, ...any)) {
		statements(path+".Properties", r.properties, func(path string, s map[string]any) {
			open := has(s["Principal"], "*")
			if m, ok := s["Principal"].(map[string]any); ok {
				open = has(m["AWS"], "*")
			}
			if s["Effect"] == "Allow" && open && s["Condition"] == nil {
				tell(path, "lets everyone in the world in; add a condition or name who")
			}
		})
	}},
	{"plain-secret", LevelError, nil, plainSecret},
	{"keep-state", LevelError, stateful, func(_ *checker, r Resource, path string, tell func(string, string, ...any)) {
		if r.DeletionPolicy == "" || r.UpdateReplacePolicy == "" {
			tell(path, "holds state: say DeletionPolicy and UpdateReplacePolicy")
		}
	}},
	{"log-retention", LevelError, []string{"AWS::Logs::LogGroup"}, func(_ *checker, r Resource, path string, tell func(string, string, ...any)) {
		if r.given("RetentionInDays") == nil {
			tell(path, "keeps its logs for ever; set RetentionInDays")
		}
	}},
	{"key-rotation", LevelWarning, []string{"AWS::KMS::Key"}, func(_ *checker, r Resource, path string, tell func(string, string, ...any)) {
		if spec := r.given("KeySpec"); r.given("EnableKeyRotation") != true && (spec == nil || spec == "SYMMETRIC_DEFAULT") {
			tell(path, "is never rotated; set EnableKeyRotation")
		}
	}},
	{"public-bucket", LevelError, []string{"AWS::S3::Bucket"}, func(_ *checker, r Resource, path string, tell func(string, string, ...any)) {
		if r.given("PublicAccessBlockConfiguration") == nil {
			tell(path, "can be made public; set PublicAccessBlockConfiguration")
		}
	}},
	{"topic-encryption", LevelWarning, []string{"AWS::SNS::Topic"}, func(_ *checker, r Resource, path string, tell func(string, string, ...any)) {
		if r.given("KmsMasterKeyId") == nil {
			tell(path, "is not encrypted; set KmsMasterKeyId")
		}
	}},
	{"open-port", LevelError, []string{"AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupIngress"}, openPort},
	{"value", LevelError, nil, knownValues},
	{"cidr", LevelError, nil, addressBlocks},
	{"policy-shape", LevelError, nil, policyShape},
}

// given is a top-level property as the file has it, nil when absent.
func (r Resource) given(name string) any {
	m, _ := r.properties.(map[string]any)
	return m[name]
}

// has says whether a text or list of texts holds a text.
func has(v any, text string) bool {
	if list, ok := v.([]any); ok {
		return slices.Contains(list, any(text))
	}
	return v == text
}

// statements finds every policy statement inside a value: a map with an Effect.
func statements(path string, v any, found func(path string, s map[string]any)) {
	switch x := v.(type) {
	case map[string]any:
		if _, ok := x["Effect"].(string); ok {
			found(path, x)
		}
		for k, child := range x {
			statements(join(path, k), child, found)
		}
	case []any:
		for i, child := range x {
			statements(path+"["+strconv.Itoa(i)+"]", child, found)
		}
	case call:
		statements(path, x.arg, found)
	}
}

var (
	secretName  = regexp.MustCompile(`(?i)(password|passwd|secretstring|secretkey|authtoken|apikey|api_key|_secret|_token|privatekey|private_key|clientsecret)$`)
	secretValue = regexp.MustCompile(`AKIA[0-9A-Z]{16}|-----BEGIN [A-Z ]*PRIVATE KEY|gh[pousr]_[A-Za-z0-9]{36}`)
)

// plainSecret finds values that must not be readable in a template: literal ones, and
// parameters that are shown.
func plainSecret(c *checker, r Resource, path string, tell func(string, string, ...any)) {
	check := func(path, name string, v any) {
		text, ok := v.(string)
		if ok && secretName.MatchString(name) && text != "" && !strings.HasPrefix(text, "{{resolve:") {
			tell(path, "looks like a secret in plain text; use a dynamic reference")
		}
		if f, computed := v.(call); computed && f.fn == "Ref" && secretName.MatchString(name) {
			if p, ok := c.t.Parameter(asText(f.arg)); ok && !p.NoEcho {
				tell(path, "takes a secret from parameter %s, which is shown; set NoEcho or use a dynamic reference", p.Name)
			}
		}
	}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch x := v.(type) {
		case map[string]any:
			if name, ok := x["Name"].(string); ok {
				check(path, name, x["Value"])
			}
			for k, child := range x {
				check(join(path, k), k, child)
				walk(join(path, k), child)
			}
		case []any:
			for i, child := range x {
				walk(path+"["+strconv.Itoa(i)+"]", child)
			}
		case call:
			walk(path, x.arg)
		case string:
			if secretValue.MatchString(x) {
				tell(path, "holds a credential in plain text")
			}
		}
	}
	walk(path+".Properties", r.properties)
}

func asText(v any) string {
	text, _ := v.(string)
	return text
}

func openPort(_ *checker, r Resource, path string, tell func(string, string, ...any)) {
	rules, path := []any{r.properties}, path+".Properties"
	if r.Type == "AWS::EC2::SecurityGroup" {
		rules, _ = r.given("SecurityGroupIngress").([]any)
		path += ".SecurityGroupIngress"
	}
	for _, item := range rules {
		m, _ := item.(map[string]any)
		if m["CidrIp"] != "0.0.0.0/0" && m["CidrIpv6"] != "::/0" {
			continue
		}
		if m["IpProtocol"] == "-1" || m["IpProtocol"] == int64(-1) {
			tell(path, "opens every port to the world")
		}
		from, ok1 := m["FromPort"].(int64)
		to, ok2 := m["ToPort"].(int64)
		for _, port := range []int64{22, 3389} {
			if ok1 && ok2 && from <= port && port <= to {
				tell(path, "opens port %d to the world", port)
			}
		}
	}
}
