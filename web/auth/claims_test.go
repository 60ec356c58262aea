package auth

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

func TestGroups(t *testing.T) {
	for name, tc := range map[string]struct {
		c             claims
		claim, prefix string
		want          []string
	}{
		"list":               {claims{"groups": []any{"b", "a", "b"}}, "groups", "", []string{"a", "b"}},
		"text":               {claims{"groups": "a"}, "groups", "", []string{"a"}},
		"missing":            {claims{}, "groups", "", nil},
		"null":               {claims{"groups": nil}, "groups", "", nil},
		"name with a colon":  {claims{"cognito:groups": []any{"a"}}, "cognito:groups", "", []string{"a"}},
		"name that is a URL": {claims{"https://example.com/groups": []any{"a"}}, "https://example.com/groups", "", []string{"a"}},
		"nested":             {claims{"realm_access": map[string]any{"roles": []any{"a"}}}, "realm_access.roles", "", []string{"a"}},
		"nested, half there": {claims{"realm_access": "x"}, "realm_access.roles", "", nil},
		"prefix":             {claims{"groups": []any{"aws-a", "b", "aws-"}}, "groups", "aws-", []string{"a"}},
	} {
		got, err := tc.c.groups(tc.claim, tc.prefix)
		if err != nil || !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestPerson(t *testing.T) {
	for name, tc := range map[string]struct {
		c           claims
		name, email string
	}{
		"all":                 {claims{"name": "Ada", "email": "a@example.com", "email_verified": true}, "Ada", "a@example.com"},
		"verified as text":    {claims{"name": "Ada", "email": "a@example.com", "email_verified": "true"}, "Ada", "a@example.com"},
		"unverified":          {claims{"preferred_username": "ada", "email": "a@example.com"}, "ada", ""},
		"nothing":             {claims{}, "u-1", ""},
		"direction tricks":    {claims{"name": "Ada\u202egnp.exe\n"}, "Adagnp.exe", ""},
		"only tricks":         {claims{"name": "\u202e\u200b"}, "u-1", ""},
		"name of wrong type":  {claims{"name": 7}, "u-1", ""},
		"email with controls": {claims{"email": "a@example.com\r\nBcc: x", "email_verified": true}, "u-1", ""},
	} {
		p, err := tc.c.person("https://idp.example.com", "u-1")
		if err != nil || p.Name != tc.name || p.Email != tc.email {
			t.Errorf("%s: %q %q %v", name, p.Name, p.Email, err)
		}
	}
	if p, _ := (claims{"name": strings.Repeat("é", 500)}).person("i", "s"); len([]rune(p.Name)) != maxName {
		t.Errorf("a name of %d characters was kept", len([]rune(p.Name)))
	}
}

func TestKeyring(t *testing.T) {
	one, two := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	old, _ := NewKeyring([][]byte{one})
	both, _ := NewKeyring([][]byte{two, one})
	only, _ := NewKeyring([][]byte{two})
	sealed := old.Seal([]byte("plain"), "use")
	if got, err := both.Open(sealed, "use"); err != nil || string(got) != "plain" {
		t.Errorf("an older key no longer opens: %v", err)
	}
	if got, err := only.Open(both.Seal([]byte("plain"), "use"), "use"); err != nil || string(got) != "plain" {
		t.Errorf("the first key does not seal: %v", err)
	}
	flipped := bytes.Clone(sealed)
	flipped[len(flipped)-1] ^= 1
	for name, err := range map[string]error{
		"a key that is gone": second(only.Open(sealed, "use")), "another use": second(old.Open(sealed, "other")), "a changed byte": second(old.Open(flipped, "use")), "nothing": second(old.Open(nil, "use")),
	} {
		if err == nil {
			t.Errorf("%s opens", name)
		}
	}
	if bytes.Equal(sealed, old.Seal([]byte("plain"), "use")) {
		t.Error("sealing twice gives the same")
	}
	for name, keys := range map[string][][]byte{"no key": nil, "short key": {one[:31]}} {
		if _, err := NewKeyring(keys); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func second(_ []byte, err error) error { return err }
