package price

import (
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/shopspring/decimal"
)

// Usage is what an estimate assumes to be used per month, by the keys of UsageKeys. A key that is missing assumes nothing: what
// depends on it is not estimated. A key that is zero assumes that nothing is used.
type Usage map[string]decimal.Decimal

// UsageKey is one thing that is paid by use, as a form asks for it.
type UsageKey struct {
	Key   string
	Title string
	Unit  string // follows the amount: 5 GB
	Help  string
	Max   decimal.Decimal // a higher amount is a slip of the finger, not a plan; the lowest is zero
}

var usageKeys = []UsageKey{
	{"load_balancer_lcu", "Load balancer capacity", "LCU on average", "One LCU is 25 new connections a second, 3,000 open ones, 1 GB an hour or 1,000 rules a second, whichever is most.", whole(5_000)},
	{"data_out_gb", "Data to the internet", "GB", "What leaves AWS towards users. The first 100 GB of an account are free each month; the estimate does not take them off.", whole(5_000_000)},
	{"nat_data_gb", "Data through NAT gateways", "GB", "What private subnets send to and fetch from outside their network, images and updates included.", whole(5_000_000)},
	{"endpoint_data_gb", "Data through interface endpoints", "GB", "What private subnets exchange with AWS services without leaving the network.", whole(5_000_000)},
	{"job_task_hours", "Hours that scheduled tasks run", "task hours", "All runs of a month together: 30 runs of 20 minutes are 10 hours.", whole(1_000_000)},
	{"logs_ingested_gb", "Logs written", "GB", "What applications, load balancers and the firewall write to log groups in a month.", whole(1_000_000)},
	{"logs_stored_gb", "Logs kept", "GB", "What log groups hold once their retention is reached, compressed.", whole(5_000_000)},
	{"flow_logs_gb", "Flow logs written", "GB", "The record of connections in the network.", whole(1_000_000)},
	{"waf_requests_million", "Requests the firewall looks at", "million", "Every request that reaches the load balancer or distribution.", whole(1_000_000)},
	{"image_storage_gb", "Images kept", "GB", "All images of the repository together; layers they share count once.", whole(100_000)},
	{"object_storage_gb", "Objects kept", "GB", "What buckets hold, old versions included.", whole(50_000_000)},
	{"object_requests_thousand", "Writes to buckets", "thousand", "PUT, COPY, POST and LIST requests.", whole(100_000_000)},
	{"cdn_data_gb", "Data from the CDN", "GB", "What CloudFront sends to users, priced as if all were in North America or Europe.", whole(50_000_000)},
	{"cdn_requests_million", "Requests to the CDN", "million", "What users ask of CloudFront over HTTPS.", whole(1_000_000)},
	{"traces_million", "Traces recorded", "million", "Requests times the share that is sampled.", whole(1_000_000)},
	{"kms_requests_10k", "Uses of keys", "× 10,000", "Every time something is encrypted or decrypted with a key of the environment.", whole(1_000_000)},
	{"secret_requests_10k", "Reads of secrets", "× 10,000", "Every time a task starts or reads a secret anew.", whole(1_000_000)},
	{"build_minutes", "Minutes of builds", "minutes", "All builds of a month together; AWS counts each up to the next full minute.", whole(10_000_000)},
	{"pipeline_action_minutes", "Minutes of pipeline actions", "minutes", "Sources and builds of a month together. Waiting for approvals is free, and so are an account's first 100 minutes each month; the estimate does not take them off.", whole(10_000_000)},
	{"dns_queries_million", "Name look-ups", "million", "Queries that resolvers send to the hosted zone; those for aliases to AWS resources are free.", whole(1_000_000)},
	{"alarms_sent_thousand", "Mails about alarms", "thousand", "Alarms and their ends, times the people who get mail about them.", whole(100_000)},
}

func whole(n int64) decimal.Decimal { return decimal.NewFromInt(n) }

// UsageKeys lists what an estimate may assume, in the order in which a form asks for it.
func UsageKeys() []UsageKey { return slices.Clone(usageKeys) }

// UsageNames are the keys alone: what a blueprint's usage profile may name.
func UsageNames() []string {
	out := make([]string, len(usageKeys))
	for i, k := range usageKeys {
		out[i] = k.Key
	}
	return out
}

func usageKey(key string) (UsageKey, bool) {
	i := slices.IndexFunc(usageKeys, func(k UsageKey) bool { return k.Key == key })
	if i < 0 {
		return UsageKey{}, false
	}
	return usageKeys[i], true
}

// amountForm bounds the text before it becomes a number: 1e999999999 is a number, too.
var amountForm = regexp.MustCompile(`^[0-9]{1,12}(\.[0-9]{1,6})?$`)

// ParseUsage reads amounts as people and blueprints write them. Problems are by key, for the field they were typed in; an empty text
// leaves its key out.
func ParseUsage(given map[string]string) (Usage, map[string]string) {
	u, problems := Usage{}, map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(given)) {
		k, known := usageKey(key)
		if !known {
			problems[key] = "Nothing in an estimate depends on this."
			continue
		}
		if given[key] == "" {
			continue
		}
		if !amountForm.MatchString(given[key]) {
			problems[key] = "Use digits, with a point before decimals: 12.5."
			continue
		}
		n, err := decimal.NewFromString(given[key])
		if err != nil {
			problems[key] = "Use digits, with a point before decimals: 12.5."
			continue
		}
		if n.GreaterThan(k.Max) {
			problems[key] = fmt.Sprintf("At most %s %s a month can be estimated.", k.Max, k.Unit)
			continue
		}
		u[key] = n
	}
	return u, problems
}
