package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"slipway/models"
)

// claims are the members of an ID token or of a userinfo answer.
type claims map[string]any

const (
	maxGroups    = 2000
	maxGroupName = 256
	maxSubject   = 255
	maxName      = 200
)

var errOverage = errors.New("the identity provider left the groups out because there are too many of them for a token")

func (c claims) text(name string) string {
	s, _ := c[name].(string)
	return s
}

// verified reads email_verified, which some providers send as text.
func (c claims) verified() bool {
	return c["email_verified"] == true || c["email_verified"] == "true"
}

// value finds a claim by its flat name first, since a name may hold dots and colons itself, then by its path.
func (c claims) value(name string) (any, bool) {
	if v, ok := c[name]; ok {
		return v, true
	}
	var at any = map[string]any(c)
	for part := range strings.SplitSeq(name, ".") {
		members, ok := at.(map[string]any)
		if !ok {
			return nil, false
		}
		if at, ok = members[part]; !ok {
			return nil, false
		}
	}
	return at, true
}

// overage tells whether the provider says that groups exist which it did not send. Entra ID does so above 200 groups;
// taking it for "no groups" would silently take rights away, or keep a person out of what they own.
func (c claims) overage(claim string) bool {
	root, _, _ := strings.Cut(claim, ".")
	names, _ := c["_claim_names"].(map[string]any)
	_, flat := names[claim]
	_, nested := names[root]
	has := c["hasgroups"]
	return flat || nested || claim == "groups" && (has == true || has == "true")
}

// groups reads the configured claim: a text or a list of texts. A missing claim means no groups; anything else in its
// place is an error, because guessing at rights is worse than refusing a sign-in.
func (c claims) groups(claim, prefix string) ([]string, error) {
	if c.overage(claim) {
		return nil, errOverage
	}
	v, ok := c.value(claim)
	if !ok || v == nil {
		return nil, nil
	}
	var all []string
	switch v := v.(type) {
	case string:
		all = []string{v}
	case []any:
		for _, one := range v {
			s, ok := one.(string)
			if !ok {
				return nil, fmt.Errorf("claim %s lists something that is not text", claim)
			}
			all = append(all, s)
		}
	default:
		return nil, fmt.Errorf("claim %s is neither text nor a list", claim)
	}
	if len(all) > maxGroups {
		return nil, fmt.Errorf("claim %s lists %d groups, more than %d", claim, len(all), maxGroups)
	}
	kept := []string{}
	for _, g := range all {
		g, ok := strings.CutPrefix(g, prefix)
		if !ok || g == "" {
			continue
		}
		if len(g) > maxGroupName || !clean(g) {
			return nil, fmt.Errorf("claim %s lists a group whose name is too long or not plain text", claim)
		}
		kept = append(kept, g)
	}
	slices.Sort(kept)
	return slices.Compact(kept), nil
}

// person reads who it is. Issuer and subject are the key; name and e-mail address are for reading only.
func (c claims) person(issuer, subject string) (models.Person, error) {
	if subject == "" || len(subject) > maxSubject || !clean(subject) {
		return models.Person{}, errors.New("the subject is empty, too long or not plain text")
	}
	p := models.Person{Issuer: issuer, Subject: subject}
	if c.verified() && len(c.text("email")) <= 254 && clean(c.text("email")) {
		p.Email = c.text("email")
	}
	for _, name := range []string{c.text("name"), c.text("preferred_username"), p.Email, subject} {
		if p.Name = tidy(name); p.Name != "" {
			break
		}
	}
	return p, nil
}

func clean(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// tidy makes a display name out of whatever the provider sent: printable, without direction tricks, of bounded length.
func tidy(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
	if r := []rune(s); len(r) > maxName {
		s = string(r[:maxName])
	}
	return strings.TrimSpace(s)
}

func parseClaims(from interface{ Claims(any) error }) (claims, error) {
	var raw json.RawMessage
	if err := from.Claims(&raw); err != nil {
		return nil, err
	}
	c := claims{}
	return c, json.Unmarshal(raw, &c)
}
