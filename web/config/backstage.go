package config

import (
	"slices"
	"strings"
)

// Backstage is the portal that shows what Slipway has. Tokens to read the catalogue with are made on /admin/backstage.
type Backstage struct {
	Origins []string `env:"BACKSTAGE_ORIGINS" doc:"Origins of Backstage that may show /embed/... in a frame, exactly as a browser names them, such as https://backstage.example.com. Empty means that nobody may."`
}

func (b *Backstage) check(p *problems) {
	b.Origins = trimmed(b.Origins)
	for i, origin := range b.Origins {
		u := p.address("BACKSTAGE_ORIGINS", origin, true)
		if u == nil {
			continue
		}
		standard := map[string]string{"https": "443", "http": "80"}[u.Scheme] == u.Port() && u.Port() != ""
		switch {
		case u.Scheme+"://"+u.Host != origin || origin != strings.ToLower(origin) || standard || strings.ContainsAny(u.Host, "*;,'\" \t"):
			p.add("BACKSTAGE_ORIGINS", "has %q, which is not an origin as a browser names it: scheme, host in lower case and a port that is not the usual one, without a slash at the end", origin)
		case slices.Contains(b.Origins[:i], origin):
			p.add("BACKSTAGE_ORIGINS", "has %q twice", origin)
		}
	}
}
