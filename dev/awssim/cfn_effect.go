package awssim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// effect changes the world as a resource's handler would: verb is create, update or delete.
// why is what AWS answers when it refuses.
func (c *Call) effect(ctx context.Context, s *cfnStack, r *cfnResource, verb string, at time.Time) (why string, err error) {
	asked := c.asked // the caller's own question is not answered by what happens to be due
	defer func() { c.asked = asked }()
	err = c.handlerMay(ctx, s, r, verb)
	if err == nil {
		if fn := behaviourOf(r.Type).effect; fn != nil {
			err = fn(ctx, c, s, r, verb, at)
		}
	}
	if err == nil {
		err = c.keepThing(ctx, s, r, verb, at)
	}
	var refused *APIError
	if errors.As(err, &refused) {
		return handlerWords(r, refused), nil
	}
	return "", err
}

// handlerWords are how a stack's event tells what a service answered.
func handlerWords(r *cfnResource, refused *APIError) string {
	return fmt.Sprintf(`Resource handler returned message: "%s (Service: %s, Status Code: %d, Request ID: %s)" (RequestToken: %s, HandlerErrorCode: %s)`,
		refused.Message, strings.Split(r.Type, "::")[1], refused.Status, newRequestID(), newRequestID(), handlerCode(refused.Code))
}

func handlerCode(code string) string {
	switch code {
	case "AccessDenied", "AccessDeniedException":
		return "AccessDenied"
	case "EntityAlreadyExists", "BucketAlreadyExists", "BucketAlreadyOwnedByYou", "NameAlreadyExistsException":
		return "AlreadyExists"
	case "NoSuchEntity", "NoSuchHostedZone", "ClusterNotFoundException":
		return "NotFound"
	}
	return "InvalidRequest"
}

// prefixes are IAM's service prefixes where they are not the type's service in small letters.
var prefixes = map[string]string{
	"AccessAnalyzer": "access-analyzer", "ApplicationAutoScaling": "application-autoscaling", "ApplicationSignals": "application-signals",
	"CertificateManager": "acm", "ElasticLoadBalancingV2": "elasticloadbalancing", "ResourceGroups": "resource-groups",
}

// actions are the permissions of handlers whose name is not the verb and the type.
var handlerActions = map[string][3]string{ // create, update, delete
	"AWS::CertificateManager::Certificate":  {"RequestCertificate", "UpdateCertificateOptions", "DeleteCertificate"},
	"AWS::CloudWatch::Alarm":                {"PutMetricAlarm", "PutMetricAlarm", "DeleteAlarms"},
	"AWS::CloudWatch::Dashboard":            {"PutDashboard", "PutDashboard", "DeleteDashboards"},
	"AWS::EC2::SnapshotBlockPublicAccess":   {"EnableSnapshotBlockPublicAccess", "EnableSnapshotBlockPublicAccess", "DisableSnapshotBlockPublicAccess"},
	"AWS::EC2::VPCBlockPublicAccessOptions": {"ModifyVpcBlockPublicAccessOptions", "ModifyVpcBlockPublicAccessOptions", "ModifyVpcBlockPublicAccessOptions"},
	"AWS::ECS::TaskDefinition":              {"RegisterTaskDefinition", "RegisterTaskDefinition", "DeregisterTaskDefinition"},
	"AWS::Events::Rule":                     {"PutRule", "PutRule", "DeleteRule"},
	"AWS::IAM::ManagedPolicy":               {"CreatePolicy", "CreatePolicyVersion", "DeletePolicy"},
	"AWS::IAM::Policy":                      {"PutRolePolicy", "PutRolePolicy", "DeleteRolePolicy"},
	"AWS::IAM::RolePolicy":                  {"PutRolePolicy", "PutRolePolicy", "DeleteRolePolicy"},
	"AWS::KMS::Key":                         {"CreateKey", "PutKeyPolicy", "ScheduleKeyDeletion"},
	"AWS::Logs::LogGroup":                   {"CreateLogGroup", "PutRetentionPolicy", "DeleteLogGroup"},
	"AWS::Logs::ResourcePolicy":             {"PutResourcePolicy", "PutResourcePolicy", "DeleteResourcePolicy"},
	"AWS::S3::Bucket":                       {"CreateBucket", "PutBucketTagging", "DeleteBucket"},
	"AWS::S3::BucketPolicy":                 {"PutBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy"},
	"AWS::SNS::Subscription":                {"Subscribe", "SetSubscriptionAttributes", "Unsubscribe"},
	"AWS::SNS::Topic":                       {"CreateTopic", "SetTopicAttributes", "DeleteTopic"},
	"AWS::SNS::TopicPolicy":                 {"SetTopicAttributes", "SetTopicAttributes", "SetTopicAttributes"},
}

// handlerMay asks whether the stack's role may do what the resource needs: the one action
// that matters most, not each call a handler makes.
func (c *Call) handlerMay(ctx context.Context, s *cfnStack, r *cfnResource, verb string) error {
	if s.RunAs.Admin {
		return nil
	}
	parts := strings.Split(r.Type, "::")
	prefix, ok := prefixes[parts[1]]
	if !ok {
		prefix = strings.ToLower(parts[1])
	}
	i := map[string]int{"create": 0, "update": 1, "delete": 2}[verb]
	action := [3]string{"Create", "Update", "Delete"}[i] + parts[len(parts)-1]
	if own, ok := handlerActions[r.Type]; ok {
		action = own[i]
	}
	if own := behaviourOf(r.Type).actions[i]; own != "" {
		action = own
	}
	resource := "*"
	if a, ok := r.Attributes["Arn"].(string); ok {
		resource = strings.TrimSuffix(a, ":*")
	} else if strings.HasPrefix(r.Physical, "arn:") {
		resource = r.Physical
	}
	k := keys{"aws:RequestedRegion": {s.Region}}
	if b, ok := r.Properties["PermissionsBoundary"].(string); ok {
		k["iam:PermissionsBoundary"] = []string{b}
	}
	for name, value := range r.Tags {
		k["aws:RequestTag/"+name] = []string{value}
	}
	return c.mayAs(ctx, s.RunAs, prefix+":"+action, resource, k)
}

// effectFunc changes the world; verb is create, update or delete.
type effectFunc func(ctx context.Context, c *Call, s *cfnStack, r *cfnResource, verb string, at time.Time) error

// jsonProperty is a property that may be given as a document or as its text.
func jsonProperty(v any) string {
	if text, ok := v.(string); ok {
		return text
	}
	b, _ := json.Marshal(v) // it came from JSON
	return string(b)
}

func texts(v any) []string {
	var out []string
	list, _ := v.([]any)
	for _, item := range list {
		if text, ok := item.(string); ok {
			out = append(out, text)
		}
	}
	return out
}

func textOf(v any) string {
	text, _ := v.(string)
	return text
}

func roleEffect(ctx context.Context, c *Call, s *cfnStack, r *cfnResource, verb string, at time.Time) error {
	old, exists, err := c.role(ctx, s.Account, r.Physical)
	if err != nil {
		return err
	}
	switch {
	case verb == "delete":
		return c.deleteRole(ctx, s.Account, r.Physical)
	case verb == "create" && exists:
		return refuse(409, "EntityAlreadyExists", "Role with name %s already exists.", r.Physical)
	}
	role := Role{Account: s.Account, Name: r.Physical, Path: textOf(r.Properties["Path"]), Description: textOf(r.Properties["Description"]),
		TrustPolicy: jsonProperty(r.Properties["AssumeRolePolicyDocument"]), Inline: map[string]string{}, Managed: texts(r.Properties["ManagedPolicyArns"]),
		Boundary: textOf(r.Properties["PermissionsBoundary"]), Tags: r.Tags, Created: at}
	if n, ok := r.Properties["MaxSessionDuration"].(float64); ok {
		role.MaxSession = int32(n)
	}
	if exists {
		role.Created = old.Created
	}
	list, _ := r.Properties["Policies"].([]any)
	for _, item := range list {
		m, _ := item.(map[string]any)
		role.Inline[textOf(m["PolicyName"])] = jsonProperty(m["PolicyDocument"])
	}
	role, err = c.putRole(ctx, role)
	if err == nil {
		r.Attributes["RoleId"] = role.ID
	}
	return err
}

func policyEffect(ctx context.Context, c *Call, s *cfnStack, r *cfnResource, verb string, at time.Time) error {
	_, exists, err := c.policy(ctx, r.Physical)
	if err != nil {
		return err
	}
	switch {
	case verb == "delete":
		used, err := c.roles(ctx, `account = $1 AND (boundary = $2 OR $2 = ANY(managed))`, s.Account, r.Physical)
		if err != nil {
			return err
		}
		if len(used) > 0 {
			return refuse(409, "DeleteConflict", "Cannot delete a policy attached to entities.")
		}
		return c.deletePolicy(ctx, r.Physical)
	case verb == "create" && exists:
		return refuse(409, "EntityAlreadyExists", "A policy called %s already exists. Duplicate names are not allowed.", r.Physical)
	}
	full := strings.TrimPrefix(r.Physical, arn("iam", "", s.Account, "policy"))
	i := strings.LastIndexByte(full, '/')
	_, err = c.putPolicy(ctx, Policy{Account: s.Account, Name: full[i+1:], Path: full[:i+1], Description: textOf(r.Properties["Description"]),
		Document: jsonProperty(r.Properties["PolicyDocument"]), Created: at})
	return err
}

// inlineEffect puts an inline policy on its roles. Users and groups are not played.
func inlineEffect(ctx context.Context, c *Call, s *cfnStack, r *cfnResource, verb string, _ time.Time) error {
	names := append(texts(r.Properties["Roles"]), texts([]any{r.Properties["RoleName"]})...)
	for _, name := range names {
		role, ok, err := c.role(ctx, s.Account, name)
		if err != nil {
			return err
		}
		switch {
		case !ok && verb == "delete":
			continue
		case !ok:
			return refuse(404, "NoSuchEntity", "The role with name %s cannot be found.", name)
		}
		policy := textOf(r.Properties["PolicyName"])
		if role.Inline == nil {
			role.Inline = map[string]string{}
		}
		role.Inline[policy] = jsonProperty(r.Properties["PolicyDocument"])
		if verb == "delete" {
			delete(role.Inline, policy)
		}
		if _, err := c.putRole(ctx, role); err != nil {
			return err
		}
	}
	return nil
}
