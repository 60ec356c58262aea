package models

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// GitHubIssuer signs the tokens of workflows on github.com.
const GitHubIssuer = "https://token.actions.githubusercontent.com"

// GitHubTokens reads tokens of GitHub Actions.
func GitHubTokens() CIHost { return CIHost{Name: "GitHub Actions", Read: readGitHub} }

// pushed are the events that only people who may write to the repository bring about, and that run the branch's own workflow. Those of
// pull requests are not among them, nor what they lead to.
var pushed = []string{"push", "workflow_dispatch", "repository_dispatch", "schedule"}

var (
	runForm    = regexp.MustCompile(`^[1-9][0-9]{0,18}$`)
	commitForm = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)
	tokenID    = regexp.MustCompile(`^[!-~]{8,255}$`)
)

// claimSet are the members of a token. Each is read once, under its exact name, and none is guessed at.
type claimSet map[string]json.RawMessage

// text reads a claim that is text. One that is a number, a list or an object is an error, not an empty text.
func (c claimSet) text(name string, most int) (string, error) {
	raw, ok := c[name]
	if !ok {
		return "", nil
	}
	var s *string
	if err := json.Unmarshal(raw, &s); err != nil || s == nil {
		return "", fmt.Errorf("claim %s is not text", name)
	}
	if len(*s) > most || !utf8.ValidString(*s) || strings.ContainsFunc(*s, unicode.IsControl) {
		return "", fmt.Errorf("claim %s is too long or not plain text", name)
	}
	return *s, nil
}

func readGitHub(issuer string, claims []byte) (CIToken, error) {
	var c claimSet
	if err := json.Unmarshal(claims, &c); err != nil || c == nil {
		return CIToken{}, errors.New("the claims are not a JSON object")
	}
	t := CIToken{Kind: GitHubActions, Issuer: issuer}
	for _, field := range []struct {
		name string
		to   *string
		most int
		form *regexp.Regexp // nil: anything, or nothing
	}{
		{"jti", &t.ID, 255, tokenID}, {"sub", &t.Subject, 1000, nil}, {"repository", &t.Repository, 200, repositoryForm}, {"repository_id", &t.RepositoryID, 19, numericForm},
		{"repository_owner", &t.Owner, 100, nil}, {"repository_owner_id", &t.OwnerID, 19, numericForm}, {"ref", &t.Ref, 500, nil}, {"sha", &t.SHA, 64, commitForm},
		{"run_id", &t.RunID, 19, runForm}, {"run_attempt", &t.Attempt, 19, runForm}, {"actor", &t.Actor, 200, nil}, {"environment", &t.Environment, 255, nil}, {"event_name", &t.Event, 100, nil},
	} {
		var err error
		if *field.to, err = c.text(field.name, field.most); err != nil {
			return CIToken{}, err
		}
		if field.form != nil && !field.form.MatchString(*field.to) {
			return CIToken{}, fmt.Errorf("claim %s is missing or malformed", field.name)
		}
	}
	if kind, err := c.text("ref_type", 100); err != nil || kind != "" && kind != "branch" && strings.HasPrefix(t.Ref, heads) {
		return CIToken{}, errors.New("claim ref_type contradicts ref")
	}
	t.Pushed = slices.Contains(pushed, t.Event)
	t.Link = runLink(issuer, t)
	return t, nil
}

// runLink is where the run is seen.
func runLink(issuer string, t CIToken) string {
	site := GitHubSite(issuer)
	if site == "" {
		return ""
	}
	return site + "/" + t.Repository + "/actions/runs/" + t.RunID + "/attempts/" + t.Attempt
}

// GitHubSite is where the repositories are whose workflows an issuer speaks for: github.com, its host with data residency, or a server of
// one's own. Empty: it is no https address.
func GitHubSite(issuer string) string {
	u, err := url.Parse(issuer)
	if err != nil || u.Scheme != "https" {
		return ""
	}
	host := u.Host
	if rest, ok := strings.CutPrefix(host, "token.actions."); ok {
		host = rest
	}
	if issuer == GitHubIssuer {
		host = "github.com"
	}
	return "https://" + host
}
