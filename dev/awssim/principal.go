package awssim

import "strings"

// Principal is who makes a call, as the credentials say.
type Principal struct {
	Account        string
	ARN            string // arn:aws:sts::ACCT:assumed-role/NAME/SESSION, or of a user or a service
	UserID         string
	RoleName       string // empty for people and services
	RoleARN        string // arn:aws:iam::ACCT:role/PATH/NAME
	SessionName    string
	SourceIdentity string
	Tags           map[string]string // session tags
	Transitive     []string          // keys of the tags that a chained session inherits
	SessionPolicy  string            // raw JSON; empty when none was passed
	Chained        bool              // the credentials came from AssumeRole
	Admin          bool              // an administrator's key, or the simulator itself: no policy is evaluated
	Service        string            // "cloudformation.amazonaws.com" when a service acts with a role
	Federated      string            // ARN of the provider whose token was brought
}

// asRole is the principal a service becomes when it acts with a role it was passed.
func asRole(account, path, name, session, service string) Principal {
	return Principal{
		Account: account, RoleName: name, SessionName: session, Service: service,
		ARN:     arn("sts", "", account, "assumed-role/"+name+"/"+session),
		RoleARN: roleARN(account, path, name),
	}
}

// roleARN joins a role's ARN; path begins and ends with a slash.
func roleARN(account, path, name string) string {
	return arn("iam", "", account, "role"+path+name)
}

// splitRoleARN takes account, path and name out of a role ARN.
func splitRoleARN(s string) (account, path, name string, ok bool) {
	p := strings.SplitN(s, ":", 6)
	if len(p) != 6 || p[0] != "arn" || p[2] != "iam" || !strings.HasPrefix(p[5], "role/") {
		return "", "", "", false
	}
	rest := strings.TrimPrefix(p[5], "role")
	i := strings.LastIndexByte(rest, '/')
	return p[4], rest[:i+1], rest[i+1:], rest[i+1:] != ""
}
