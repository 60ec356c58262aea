package authtest

import "time"

// CIClaims are those of an honest token of GitHub Actions, for an audience.
func (p *Provider) CIClaims(audience, id string) map[string]any {
	now := time.Now()
	return map[string]any{"iss": p.URL, "aud": audience, "sub": "repo:acme/shop:ref:refs/heads/main", "jti": id, "iat": now.Unix(), "nbf": now.Add(-time.Minute).Unix(), "exp": now.Add(5 * time.Minute).Unix(),
		"repository": "acme/shop", "repository_id": "700100200", "repository_owner": "acme", "repository_owner_id": "900100", "ref": "refs/heads/main", "ref_type": "branch",
		"sha": "cccccccccccccccccccccccccccccccccccccccc", "run_id": "4711", "run_number": "3", "run_attempt": "1", "actor": "octocat", "event_name": "push", "workflow": "deliver"}
}

// SignAs signs as the provider should, with more in the header, or something else.
func (p *Provider) SignAs(header, claims map[string]any) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	whole := map[string]any{"alg": "RS256", "typ": "JWT", "kid": p.kid}
	for name, value := range header {
		whole[name] = value
	}
	return compact(whole, claims, func(in []byte) []byte { return rs256(p.key, in) })
}
