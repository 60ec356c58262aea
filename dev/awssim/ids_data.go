package awssim

import (
	"time"
)

// dataBehaviours are keys, logs, alarms, messages, secrets and schedules.
func dataBehaviours() map[string]behaviour {
	named := func(service, kind, property string, most int, create time.Duration) behaviour {
		return quick(create, func(n namer) (string, string, map[string]any) {
			name := n.name(property, most)
			return name, n.arn(service, kind+name), nil
		})
	}
	key := quick(30*time.Second, func(n namer) (string, string, map[string]any) {
		id := uuidOf(n.rnd)
		return id, n.arn("kms", "key/"+id), map[string]any{"KeyId": id}
	})
	key.actions, key.remove = [3]string{"CreateKey", "PutKeyPolicy", "ScheduleKeyDeletion"}, 5*time.Second
	alias := quick(5*time.Second, func(n namer) (string, string, map[string]any) {
		return n.text("AliasName"), n.arn("kms", n.text("AliasName")), nil
	})
	alias.effect = aliasEffect
	group := quick(6*time.Second, func(n namer) (string, string, map[string]any) {
		name := n.name("LogGroupName", 512)
		return name, n.arn("logs", "log-group:"+name+":*"), nil
	})
	group.effect, group.actions = logGroupEffect, [3]string{"CreateLogGroup", "PutRetentionPolicy", "DeleteLogGroup"}
	alarm := named("cloudwatch", "alarm:", "AlarmName", 255, 6*time.Second)
	alarm.actions = [3]string{"PutMetricAlarm", "PutMetricAlarm", "DeleteAlarms"}
	composite := named("cloudwatch", "alarm:", "AlarmName", 255, 6*time.Second)
	composite.actions = [3]string{"PutCompositeAlarm", "PutCompositeAlarm", "DeleteAlarms"}
	dashboard := named("cloudwatch", "dashboard/", "DashboardName", 255, 5*time.Second)
	dashboard.actions = [3]string{"PutDashboard", "PutDashboard", "DeleteDashboards"}
	secret := quick(5*time.Second, func(n namer) (string, string, map[string]any) {
		name := n.text("Name")
		if name == "" {
			name = n.r.ID + "-" + suffix(n.rnd, 12) // CloudFormation leaves the stack's name out here
		}
		a := n.arn("secretsmanager", "secret:"+name+"-"+secretSuffix(n))
		return a, a, map[string]any{"Id": a}
	})
	secret.effect = secretEffect
	queue := quick(65*time.Second, func(n namer) (string, string, map[string]any) {
		name := n.name("QueueName", 80)
		url := "https://sqs." + n.s.Region + ".amazonaws.com/" + n.s.Account + "/" + name
		return url, n.arn("sqs", name), map[string]any{"QueueName": name, "QueueUrl": url}
	})
	queue.remove, queue.actions = 65*time.Second, [3]string{"CreateQueue", "SetQueueAttributes", "DeleteQueue"}
	return map[string]behaviour{
		"AWS::KMS::Key":                   key,
		"AWS::KMS::Alias":                 alias,
		"AWS::Logs::LogGroup":             group,
		"AWS::Logs::ResourcePolicy":       quick(5*time.Second, func(n namer) (string, string, map[string]any) { return n.text("PolicyName"), "", nil }),
		"AWS::CloudWatch::Alarm":          alarm,
		"AWS::CloudWatch::CompositeAlarm": composite,
		"AWS::CloudWatch::Dashboard":      dashboard,
		"AWS::SecretsManager::Secret":     secret,
		"AWS::SQS::Queue":                 queue,
		"AWS::SQS::QueuePolicy":           {create: 5 * time.Second, identify: by(unnamed("queuepolicy")), actions: [3]string{"SetQueueAttributes", "SetQueueAttributes", "SetQueueAttributes"}},
		"AWS::Scheduler::ScheduleGroup":   named("scheduler", "schedule-group/", "Name", 64, 10*time.Second),
		"AWS::Scheduler::Schedule": quick(5*time.Second, func(n namer) (string, string, map[string]any) {
			name, group := n.name("Name", 64), n.text("GroupName")
			if group == "" {
				group = "default"
			}
			return name, n.arn("scheduler", "schedule/"+group+"/"+name), nil
		}),
		"AWS::XRay::SamplingRule": quick(5*time.Second, func(n namer) (string, string, map[string]any) {
			name := textOf(mapOf(n.r.Properties["SamplingRule"])["RuleName"])
			if name == "" {
				name = n.name("RuleName", 32)
			}
			a := n.arn("xray", "sampling-rule/"+name)
			return a, a, map[string]any{"RuleARN": a}
		}),
		"AWS::XRay::Group": quick(5*time.Second, func(n namer) (string, string, map[string]any) {
			a := n.arn("xray", "group/"+n.text("GroupName")+"/"+suffix(n.rnd, 52))
			return a, a, map[string]any{"GroupARN": a}
		}),
	}
}

// secretSuffix is the six characters that tell two secrets of one name apart.
func secretSuffix(n namer) string {
	const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	b := make([]byte, 6)
	for i := range b {
		b[i] = alphabet[n.rnd.IntN(len(alphabet))]
	}
	return string(b)
}
