package config

// CI is whose word workflows come with when they register builds and ask for promotions.
type CI struct {
	GitHubIssuer string `env:"GITHUB_ISSUER" envDefault:"https://token.actions.githubusercontent.com" doc:"Who signs the tokens of GitHub Actions, byte for byte as its discovery document states it: change it for a server of your own. Their audience is PUBLIC_URL. Set it to an empty value to take nothing from workflows."`
}

func (c *CI) check(p *problems) {
	p.address("GITHUB_ISSUER", c.GitHubIssuer, true)
}
