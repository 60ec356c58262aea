package config

import (
	"strings"
	"testing"
)

const (
	testInstance = "arn:aws:sso:::instance/ssoins-1234567890abcdef"
	testSets     = "owner=arn:aws:sso:::permissionSet/ssoins-1234567890abcdef/ps-aaaaaaaaaaaaaaaa, developer=arn:aws:sso:::permissionSet/ssoins-1234567890abcdef/ps-bbbbbbbbbbbbbbbb," +
		"viewer=arn:aws:sso:::permissionSet/ssoins-1234567890abcdef/ps-cccccccccccccccc"
)

func TestAccess(t *testing.T) {
	env := valid()
	env["SLIPWAY_IDENTITY_CENTER_ARN"], env["SLIPWAY_PERMISSION_SETS"], env["SLIPWAY_ACCESS_PORTAL_URL"] = testInstance, testSets, "https://d-1234567890.awsapps.com/start/"
	c, err := Load(env, everything...)
	if err != nil {
		t.Fatal(err)
	}
	if c.Access.Sets["developer"] != "arn:aws:sso:::permissionSet/ssoins-1234567890abcdef/ps-bbbbbbbbbbbbbbbb" || c.Access.Portal != "https://d-1234567890.awsapps.com/start" {
		t.Errorf("got %+v", c.Access)
	}
}

func TestAccessMistakes(t *testing.T) {
	for name, tc := range map[string]struct{ instance, sets, want string }{
		"no sets":          {testInstance, "", "belong together"},
		"no instance":      {"", testSets, "belong together"},
		"no ARN":           {"ssoins-1234567890abcdef", testSets, "not the ARN of an instance"},
		"a set is missing": {testInstance, strings.Replace(testSets, "viewer=", "viewers=", 1), "names no permission set for viewer"},
		"no such role":     {testInstance, strings.Replace(testSets, "viewer=", "viewers=", 1), `the role "viewers"`},
		"a name":           {testInstance, testSets + ",developer.prod=ReadOnlyAccess", "not the ARN of a permission set"},
		"no value":         {testInstance, testSets + ",developer.prod", "SLIPWAY_PERMISSION_SETS"},
		"another instance": {strings.Replace(testInstance, "1234", "9999", 1), testSets, "of another instance"},
		"writes in prod":   {testInstance, testSets + ",developer.prod=arn:aws:sso:::permissionSet/ssoins-1234567890abcdef/ps-bbbbbbbbbbbbbbbb", "there they only read"},
	} {
		env := valid()
		env["SLIPWAY_IDENTITY_CENTER_ARN"], env["SLIPWAY_PERMISSION_SETS"] = tc.instance, tc.sets
		if _, err := Load(env, everything...); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want it to say %q", name, err, tc.want)
		}
	}
}
