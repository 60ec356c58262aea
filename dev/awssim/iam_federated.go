package awssim

import (
	"fmt"
	"slices"
	"strings"
)

const githubIssuer = "token.actions.githubusercontent.com"

// checkFederated refuses a trust in an issuer that signs for everybody unless it says for whom:
// IAM takes no role for GitHub Actions whose condition on the subject is missing or is a star.
func (d document) checkFederated() error {
	for _, st := range d.statements {
		if st.deny || !slices.ContainsFunc(st.principals, func(p principalMatch) bool {
			return p.kind == "Federated" && strings.HasSuffix(p.value, ":oidc-provider/"+githubIssuer)
		}) {
			continue
		}
		if !slices.ContainsFunc(st.conditions, func(c condition) bool {
			return (c.key == githubIssuer+":sub" || c.key == githubIssuer+":job_workflow_ref") && strings.HasPrefix(c.operator, "String") && !strings.Contains(c.operator, "Not") && !slices.Contains(c.values, "*")
		}) {
			return fmt.Errorf("the trust in %s needs a condition on %s:sub that does not let everybody in", githubIssuer, githubIssuer)
		}
	}
	return nil
}
