package price

import (
	"slices"

	"github.com/shopspring/decimal"
)

// thing is what an estimate has a line for: something of which a template has so many, or that is paid by use.
type thing struct {
	key       string // of the price file
	usage     string // the assumption its amount rests on; empty for what is fixed
	one, many string
	unit      string // what the price file must give the price for; another unit is no price of this thing
	units     string // the same for people, of a quantity; empty for what is paid by the month
	size      string // follows the count, empty for things that are counted
	per       int64  // how many of the usage key's units one unit of the price holds, 1 when zero
	by        int64  // how many units of the price one unit of the usage key holds, 1 when zero
}

// id tells two lines of one price apart.
func (t thing) id() string { return t.key + "@" + t.usage }

// things are in the order of an estimate's lines. A thing without a row in the price file is named as not estimated.
var things = []thing{
	{key: "nat.gateway", one: "NAT gateway", many: "NAT gateways", unit: "hour", units: "gateway hours"},
	{key: "ipv4", one: "Public IPv4 address", many: "Public IPv4 addresses", unit: "hour", units: "address hours"},
	{key: "interface.endpoint", one: "Interface endpoint, one zone", many: "Interface endpoints by zone", unit: "hour", units: "endpoint hours"},
	{key: "alb", one: "Load balancer", many: "Load balancers", unit: "hour", units: "hours"},
	{key: "fargate.arm.vcpu", many: "Fargate processors, ARM", unit: "hour", units: "vCPU hours", size: "vCPU"},
	{key: "fargate.arm.gb", many: "Fargate memory, ARM", unit: "hour", units: "GB hours", size: "GB"},
	{key: "fargate.x86.vcpu", many: "Fargate processors, x86", unit: "hour", units: "vCPU hours", size: "vCPU"},
	{key: "fargate.x86.gb", many: "Fargate memory, x86", unit: "hour", units: "GB hours", size: "GB"},
	{key: "fargate.ephemeral", many: "Fargate storage beyond 20 GB a task", unit: "hour", units: "GB hours", size: "GB"},
	{key: "waf.acl", one: "Web firewall", many: "Web firewalls", unit: "month"},
	{key: "waf.rule", one: "Firewall rule", many: "Firewall rules", unit: "month"},
	{key: "kms.key", one: "KMS key", many: "KMS keys", unit: "month"},
	{key: "secret", one: "Secret", many: "Secrets", unit: "month"},
	{key: "route53.zone", one: "Hosted zone", many: "Hosted zones", unit: "month"},
	{key: "cloudwatch.alarm", one: "Alarm metric", many: "Alarm metrics", unit: "month"},
	{key: "cloudwatch.alarm.high", one: "High-resolution alarm metric", many: "High-resolution alarm metrics", unit: "month"},
	{key: "cloudwatch.alarm.composite", one: "Composite alarm", many: "Composite alarms", unit: "month"},
	{key: "cloudwatch.dashboard", one: "Dashboard", many: "Dashboards", unit: "month"},

	{key: "alb.lcu", usage: "load_balancer_lcu", many: "Load balancer capacity", unit: "LCU-hour", units: "LCU hours", by: HoursPerMonth},
	{key: "data.out", usage: "data_out_gb", many: "Data to the internet", unit: "GB", units: "GB"},
	{key: "nat.data", usage: "nat_data_gb", many: "Data through NAT gateways", unit: "GB", units: "GB"},
	{key: "endpoint.data", usage: "endpoint_data_gb", many: "Data through interface endpoints", unit: "GB", units: "GB"},
	{key: "fargate.arm.vcpu", usage: "job_task_hours", many: "Scheduled tasks, processors, ARM", unit: "hour", units: "vCPU hours"},
	{key: "fargate.arm.gb", usage: "job_task_hours", many: "Scheduled tasks, memory, ARM", unit: "hour", units: "GB hours"},
	{key: "fargate.x86.vcpu", usage: "job_task_hours", many: "Scheduled tasks, processors, x86", unit: "hour", units: "vCPU hours"},
	{key: "fargate.x86.gb", usage: "job_task_hours", many: "Scheduled tasks, memory, x86", unit: "hour", units: "GB hours"},
	{key: "fargate.ephemeral", usage: "job_task_hours", many: "Scheduled tasks, storage beyond 20 GB", unit: "hour", units: "GB hours"},
	{key: "logs.ingest", usage: "logs_ingested_gb", many: "Logs written", unit: "GB", units: "GB"},
	{key: "logs.ingest", usage: "flow_logs_gb", many: "Flow logs written", unit: "GB", units: "GB"},
	{key: "flowlogs.s3", usage: "flow_logs_gb", many: "Flow logs delivered to a bucket", unit: "GB", units: "GB"},
	{key: "logs.storage", usage: "logs_stored_gb", many: "Logs kept", unit: "GB-month", units: "GB"},
	{key: "waf.requests", usage: "waf_requests_million", many: "Requests the firewall looks at", unit: "1,000,000 requests", units: "million requests"},
	{key: "ecr.storage", usage: "image_storage_gb", many: "Images kept", unit: "GB-month", units: "GB"},
	{key: "s3.storage", usage: "object_storage_gb", many: "Objects kept", unit: "GB-month", units: "GB"},
	{key: "s3.writes", usage: "object_requests_thousand", many: "Writes to buckets", unit: "1,000 requests", units: "thousand requests"},
	{key: "codebuild.x86.small", usage: "build_minutes", many: "Builds on a small machine, x86", unit: "minute", units: "minutes"},
	{key: "codebuild.x86.medium", usage: "build_minutes", many: "Builds on a medium machine, x86", unit: "minute", units: "minutes"},
	{key: "codebuild.x86.large", usage: "build_minutes", many: "Builds on a large machine, x86", unit: "minute", units: "minutes"},
	{key: "codebuild.arm.small", usage: "build_minutes", many: "Builds on a small machine, ARM", unit: "minute", units: "minutes"},
	{key: "codebuild.arm.medium", usage: "build_minutes", many: "Builds on a medium machine, ARM", unit: "minute", units: "minutes"},
	{key: "codebuild.arm.large", usage: "build_minutes", many: "Builds on a large machine, ARM", unit: "minute", units: "minutes"},
	{key: "codepipeline.action", usage: "pipeline_action_minutes", many: "Pipeline actions", unit: "minute", units: "minutes"},
	{key: "cloudfront.data", usage: "cdn_data_gb", many: "Data from the CDN", unit: "GB", units: "GB"},
	{key: "cloudfront.requests", usage: "cdn_requests_million", many: "Requests to the CDN", unit: "10,000 requests", units: "× 10,000 requests", by: 100},
	{key: "xray.traces", usage: "traces_million", many: "Traces recorded", unit: "1,000,000 traces", units: "million traces"},
	{key: "kms.requests", usage: "kms_requests_10k", many: "Uses of keys", unit: "10,000 requests", units: "× 10,000 requests"},
	{key: "secret.requests", usage: "secret_requests_10k", many: "Reads of secrets", unit: "10,000 requests", units: "× 10,000 requests"},
	{key: "route53.queries", usage: "dns_queries_million", many: "Name look-ups", unit: "1,000,000 queries", units: "million queries"},
	{key: "sns.email", usage: "alarms_sent_thousand", many: "Mails about alarms", unit: "100,000 e-mails", units: "× 100,000 mails", per: 100},
}

func thingOf(key, usage string) (thing, bool) {
	i := slices.IndexFunc(things, func(t thing) bool { return t.key == key && t.usage == usage })
	if i < 0 {
		return thing{}, false
	}
	return things[i], true
}

// quantity is how many units of the price n make: n things, or n of what is used.
func (t thing) quantity(n decimal.Decimal) decimal.Decimal {
	if t.usage == "" && t.unit == "hour" {
		return n.Mul(whole(HoursPerMonth))
	}
	if t.by > 0 {
		n = n.Mul(whole(t.by))
	}
	if t.per > 0 {
		n = n.Div(whole(t.per))
	}
	return n
}

// sized says how many there are, for people. Fixed things without a size are counted.
func (t thing) sized(n decimal.Decimal) string {
	switch {
	case t.usage != "":
		k, _ := usageKey(t.usage)
		return n.String() + " " + k.Unit
	case t.size != "":
		return n.String() + " " + t.size
	}
	return n.String()
}

// item is a line's name: "NAT gateways, 2", "Load balancer", "Fargate memory, ARM, 2 GB".
func (t thing) item(size string) string {
	if size == "1" && t.one != "" {
		return t.one
	}
	return t.many + ", " + size
}
