//go:build dev

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/urfave/cli/v3"

	"slipway/dev/crash"
	"slipway/dev/idp"
	"slipway/dev/postgres"
	"slipway/dev/seed"
	"slipway/models/store"
	"slipway/web"
	"slipway/web/config"
)

// demo is the configuration of `slipway dev`: the ids of the simulated organization, and nothing that is real.
var demo = map[string]string{
	"SLIPWAY_PUBLIC_URL": "http://localhost:8080", "SLIPWAY_DRAIN_DELAY": "0s",
	"SLIPWAY_OIDC_CLIENT_ID": "slipway", "SLIPWAY_OIDC_CLIENT_SECRET": devClientSecret, "SLIPWAY_ADMIN_GROUPS": "platform-admins",
	"SLIPWAY_AWS_REGION": "eu-west-1", "SLIPWAY_AWS_REGIONS": "us-east-1,eu-west-1,eu-central-1", "SLIPWAY_EXTERNAL_ID": "slipway-demo-external-id",
	"SLIPWAY_ORG_ROLE_ARN": "arn:aws:iam::111111111111:role/slipway/platform/slipway-org",
	"SLIPWAY_OU_NONPROD":   "ou-demo-nonprod01", "SLIPWAY_OU_PROD": "ou-demo-prod0001", "SLIPWAY_OU_SUSPENDED": "ou-demo-suspend1",
	"SLIPWAY_PROTECTED_ACCOUNTS": "333333333333,444444444444",
	"SLIPWAY_CONTACT_NAME":       "Platform team", "SLIPWAY_CONTACT_TITLE": "Platform", "SLIPWAY_CONTACT_EMAIL": "platform@example.com",
	"SLIPWAY_CONTACT_PHONE": "+1 555 010 0000", "SLIPWAY_ALERT_EMAIL": "alerts@example.com",
	"SLIPWAY_ACCOUNT_EMAIL": "aws+{tenant}-{class}-{n}@example.com", "SLIPWAY_ARTIFACTS_BUCKET": "slipway-artifacts-222222222222-eu-west-1",
	"SLIPWAY_BASE_DOMAIN": "apps.example.com", "SLIPWAY_DNS_ZONE_ID": "Z0DEMOBASEDOMAIN0001",
	"SLIPWAY_DNS_ROLE_ARN": "arn:aws:iam::222222222222:role/slipway/platform/slipway-dns",
}

func init() {
	more = []*cli.Command{
		{Name: "dev", Usage: "run everything on this machine: PostgreSQL, identity provider, AWS simulator, web and workers", Action: dev},
		awssimCommand(), idpCommand(),
	}
	developmentRoutes = clockRoutes
	engineHook = func(log *slog.Logger) (func(kind, step, point string), float64, error) {
		d, err := config.LoadDev(environ())
		if err != nil {
			return nil, 0, err
		}
		var at func(kind, step, point string)
		if d.CrashLog != "" {
			at = crash.At(d.CrashLog, d.CrashKinds, log)
		}
		return at, d.Pace, nil
	}
}

// dev starts what surrounds Slipway, then serves exactly as serve does.
func dev(ctx context.Context, _ *cli.Command) error {
	vars := maps.Clone(demo)
	maps.Copy(vars, environ())
	first, err := config.Load(vars)
	if err != nil {
		return err
	}
	d, err := config.LoadDev(vars)
	if err != nil {
		return err
	}
	ports, err := takePorts(ctx, first, d) // before anything is started
	if err != nil {
		return err
	}
	defer ports.close()
	log := devLog(first)
	server, err := database(ctx, &d, vars)
	if err != nil {
		return err
	}
	defer func() {
		if err := server.Stop(); err != nil {
			log.Error("private PostgreSQL", "err", err)
		}
	}()
	if vars["SLIPWAY_SECRET_KEYS"], err = secretKey(d.DataDir); err != nil {
		return err
	}
	catcher, err := catchMail(ctx, vars, log)
	if err != nil {
		return err
	}
	defer catcher.Close()
	vars["SLIPWAY_OIDC_ISSUER"] = first.Server.PublicURL + "/dev/idp"
	vars["SLIPWAY_AWS_ENDPOINT"], vars["SLIPWAY_AWS_CONSOLE"] = "http://"+d.SimAddr, first.Server.PublicURL+"/dev/aws/quickcreate"
	workflows, err := workflowIssuer(vars, first.Server.PublicURL, d.DataDir)
	if err != nil {
		return err
	}
	c, err := config.Load(vars, "web", "worker")
	if err != nil {
		return err
	}
	simulated()
	return surrounded(ctx, c, d, ports, log, slices.Concat(mailRoutes(catcher), workflows))
}

// surrounded runs the simulator and the provider around one serving process.
func surrounded(ctx context.Context, c config.Config, d config.Dev, ports ports, log *slog.Logger, more []web.Route) error {
	sim, err := openSimulator(ctx, c, d, log)
	if err != nil {
		return err
	}
	defer sim.Close()
	failed := make(chan error, 1)
	stopSim := serveHTTP(&http.Server{Handler: sim.Handler(), ReadHeaderTimeout: 10 * time.Second}, ports.sim, failed)
	defer func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		_ = stopSim(ending)
	}()
	provider, err := identityProvider(c.SignIn.Issuer, c.Server.PublicURL, c.SignIn.ClientSecret.Reveal(), d.DataDir, log.With("part", "idp"))
	if err != nil {
		return err
	}
	return serve(ctx, process{
		config: c, vars: environ(), web: true, works: true, log: log, page: ports.page, ops: ports.ops, failed: failed,
		extra: slices.Concat(mount("/dev/idp", provider), mount("/dev/aws", http.StripPrefix("/dev/aws", sim.AdminHandler())), more),
		ready: func() {
			announce(c, d)
			go populate(ctx, c, d, log)
		},
	})
}

// populate lets demo people ask for and decide what a first look should find; on later starts it finds it done.
func populate(ctx context.Context, c config.Config, d config.Dev, log *slog.Logger) {
	err := seed.Run(ctx, seed.Options{URL: c.Server.PublicURL, Dir: d.DataDir, Logger: log.With("part", "seed")})
	if err != nil && ctx.Err() == nil {
		log.Warn("demo data is not complete; the next start goes on", "err", err)
	}
}

// simulated keeps the SDK away from whatever credentials this machine holds: the simulator knows these.
func simulated() {
	for _, name := range []string{"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_ENDPOINT_URL", "AWS_CA_BUNDLE"} {
		_ = os.Unsetenv(name)
	}
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "AKIASIMHUBWORKER0001", "AWS_SECRET_ACCESS_KEY": "simulated",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull} {
		_ = os.Setenv(name, value)
	}
}

// database starts the private PostgreSQL, makes what is in it, and writes the connection strings into vars and d.
func database(ctx context.Context, d *config.Dev, vars map[string]string) (*postgres.Server, error) {
	if d.DataDir == "" {
		checkout, err := os.Getwd()
		if err != nil {
			return nil, err
		}
		if d.DataDir, err = postgres.DefaultDir(checkout); err != nil {
			return nil, err
		}
	}
	server, err := postgres.Start(ctx, postgres.Options{Dir: filepath.Join(d.DataDir, "postgres"), Bin: d.PostgresBin, Settings: []string{"shared_buffers=64MB"}})
	if err != nil {
		return nil, err
	}
	err = server.Databases(ctx)
	if err == nil {
		err = store.Migrate(ctx, server.URL("slipway_owner", "slipway"))
	}
	if err != nil {
		return nil, errors.Join(err, server.Stop())
	}
	vars["SLIPWAY_DATABASE_URL"] = server.URL("slipway_app", "slipway")
	d.SimDatabaseURL = config.Secret(server.URL("slipway_sim", "slipway_awssim"))
	return server, nil
}

// ports are the addresses, opened before anything starts, so that a taken one is said at once.
type ports struct{ page, ops, sim net.Listener }

func takePorts(ctx context.Context, c config.Config, d config.Dev) (p ports, err error) {
	if p.page, err = listen(ctx, c.Server.Addr, "SLIPWAY_ADDR"); err != nil {
		return p, err
	}
	if c.Server.OpsAddr != "" {
		if p.ops, err = listen(ctx, c.Server.OpsAddr, "SLIPWAY_OPS_ADDR"); err != nil {
			p.close()
			return p, err
		}
	}
	if p.sim, err = listen(ctx, d.SimAddr, "SLIPWAY_SIM_ADDR"); err != nil {
		p.close()
	}
	return p, err
}

// close frees what is not being served.
func (p ports) close() {
	for _, l := range []net.Listener{p.page, p.ops, p.sim} {
		if l != nil {
			_ = l.Close()
		}
	}
}

func announce(c config.Config, d config.Dev) {
	fmt.Printf("\n  Slipway is ready at %s\n\n  Sign in as (the password equals the name):\n", c.Server.PublicURL)
	for _, person := range idp.Demo() {
		groups := "no group"
		if len(person.Groups) > 0 {
			groups = fmt.Sprint(person.Groups)
		}
		fmt.Printf("    %-10s %-16s %s\n", person.Name, person.FullName, groups)
	}
	fmt.Printf("\n  What Slipway sends is caught at %s/dev/mail\n", c.Server.PublicURL)
	fmt.Printf("  AWS is simulated at http://%s, data is in %s. Ctrl-C ends everything.\n\n", d.SimAddr, d.DataDir)
}
