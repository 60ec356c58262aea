package blueprint

// NeedsIAM says which capability the template asks its caller to acknowledge: empty,
// CAPABILITY_IAM, or CAPABILITY_NAMED_IAM when an identity has a name of its own.
func (t *Template) NeedsIAM() string {
	need := ""
	for _, r := range t.Resources {
		name, iam := iamNames[r.Type]
		if !iam {
			continue
		}
		if need == "" {
			need = "CAPABILITY_IAM"
		}
		if p, ok := r.properties.(map[string]any); ok && p[name] != nil {
			need = "CAPABILITY_NAMED_IAM"
		}
	}
	return need
}

// iamNames are the types that need an acknowledgement, with the property that names one.
var iamNames = map[string]string{
	"AWS::IAM::AccessKey": "", "AWS::IAM::Group": "GroupName", "AWS::IAM::InstanceProfile": "InstanceProfileName",
	"AWS::IAM::ManagedPolicy": "ManagedPolicyName", "AWS::IAM::Policy": "", "AWS::IAM::Role": "RoleName",
	"AWS::IAM::User": "UserName", "AWS::IAM::UserToGroupAddition": "",
}
