//go:build dev

package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"github.com/urfave/cli/v3"

	"slipway/deploy"
	"slipway/dev/awssim"
	"slipway/dev/idp"
	"slipway/models"
	"slipway/web"
	"slipway/web/config"
	"slipway/web/telemetry"
)

// devClientSecret is known to everybody: the development provider lets anybody in anyway.
const devClientSecret = "slipway-dev-secret"

func devLog(c config.Config) *slog.Logger {
	return telemetry.Logger(os.Stderr, telemetry.LogOptions{Level: c.Server.LogLevel, Secrets: c.Secrets()})
}

// identityProvider makes the provider; its key lives in the data folder, so that people stay who they are.
func identityProvider(issuer, publicURL, secret, dataDir string, log *slog.Logger) (http.Handler, error) {
	key := ""
	if dataDir != "" {
		key = filepath.Join(dataDir, "idp", "key.pem")
	}
	return idp.New(idp.Config{Issuer: issuer, KeyFile: key, Stylesheet: publicURL + "/static/app.css", People: idp.Demo(),
		Clients: []idp.Client{idp.Slipway(publicURL, secret)}, Logger: log})
}

func idpCommand() *cli.Command {
	return &cli.Command{
		Name: "idp", Usage: "run the development identity provider alone, on SLIPWAY_ADDR",
		Action: func(ctx context.Context, _ *cli.Command) error {
			vars := environ()
			c, err := config.Load(vars)
			if err != nil {
				return err
			}
			d, err := config.LoadDev(vars)
			if err != nil {
				return err
			}
			if c.SignIn.Issuer == "" || c.Server.PublicURL == "" {
				return errors.New("SLIPWAY_OIDC_ISSUER and SLIPWAY_PUBLIC_URL are needed")
			}
			secret := c.SignIn.ClientSecret.Reveal()
			if secret == "" {
				secret = devClientSecret
			}
			handler, err := identityProvider(c.SignIn.Issuer, c.Server.PublicURL, secret, d.DataDir, devLog(c))
			if err != nil {
				return err
			}
			l, err := listen(ctx, c.Server.Addr, "SLIPWAY_ADDR")
			if err != nil {
				return err
			}
			fmt.Printf("Identity provider at %s\n", c.SignIn.Issuer)
			return untilDone(ctx, handler, l)
		},
	}
}

func awssimCommand() *cli.Command {
	return &cli.Command{
		Name: "awssim", Usage: "run the AWS simulator alone, on SLIPWAY_SIM_ADDR",
		Action: func(ctx context.Context, _ *cli.Command) error {
			vars := environ()
			c, err := config.Load(vars)
			if err != nil {
				return err
			}
			d, err := config.LoadDev(vars, "awssim")
			if err != nil {
				return err
			}
			sim, l, err := simulator(ctx, c, d, devLog(c))
			if err != nil {
				return err
			}
			defer sim.Close()
			fmt.Printf("AWS simulator at http://%s\n", d.SimAddr)
			return untilDone(ctx, sim.Handler(), l)
		},
	}
}

// simulator opens the simulated world and its address.
func simulator(ctx context.Context, c config.Config, d config.Dev, log *slog.Logger) (*awssim.Sim, net.Listener, error) {
	l, err := listen(ctx, d.SimAddr, "SLIPWAY_SIM_ADDR")
	if err != nil {
		return nil, nil, err
	}
	sim, err := openSimulator(ctx, c, d, log)
	if err != nil {
		_ = l.Close()
		return nil, nil, err
	}
	return sim, l, nil
}

func openSimulator(ctx context.Context, c config.Config, d config.Dev, log *slog.Logger) (*awssim.Sim, error) {
	externalID := c.AWS.ExternalID.Reveal()
	if externalID == "" {
		externalID = demo["SLIPWAY_EXTERNAL_ID"]
	}
	o := awssim.Options{DatabaseURL: d.SimDatabaseURL.Reveal(), Speed: d.SimSpeed, Logger: log.With("part", "awssim"), ExternalID: externalID}
	directory(&o)
	o.Usage = assumedUse
	if c.CI.GitHubIssuer != models.GitHubIssuer {
		o.StandsIn = map[string]string{c.CI.GitHubIssuer: models.GitHubIssuer}
	}
	for name, template := range map[string]*[]byte{"org": &o.OrgTemplate, "hub": &o.HubTemplate, "spoke": &o.SpokeTemplate} {
		content, err := deploy.AWS.ReadFile("aws/" + name + ".yaml")
		if err != nil {
			return nil, fmt.Errorf("read the template of the set-up: %w", err)
		}
		*template = content
	}
	return awssim.Open(ctx, o)
}

// mount puts a standard handler below a path of the pages. fasthttp lends its request: whatever the handler keeps, such as
// a client's id, would change under it with the next request, so it gets a copy.
func mount(path string, handler http.Handler) []web.Route {
	copied := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		owned := r.Clone(r.Context())
		owned.Method, owned.Host, owned.RequestURI = strings.Clone(r.Method), strings.Clone(r.Host), strings.Clone(r.RequestURI)
		if address, err := url.ParseRequestURI(owned.RequestURI); err == nil {
			owned.URL = address
		}
		if owned.URL.Path == path {
			owned.URL.Path += "/"
		}
		owned.Header = http.Header{}
		for name, values := range r.Header {
			for _, value := range values {
				owned.Header.Add(strings.Clone(name), strings.Clone(value))
			}
		}
		handler.ServeHTTP(w, owned)
	})
	answer := adaptor.HTTPHandler(copied)
	return []web.Route{{Path: path, Kind: web.Dev, Handler: answer}, {Path: path + "/*", Kind: web.Dev, Handler: answer}}
}

// untilDone serves until a signal; what is in flight gets five seconds.
func untilDone(ctx context.Context, handler http.Handler, l net.Listener) error {
	failed := make(chan error, 1)
	stop := serveHTTP(&http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute}, l, failed)
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return stop(ending)
}

// secretKey reads the data folder's encryption key, or makes it: what the database holds must be readable tomorrow.
func secretKey(dataDir string) (string, error) {
	path := filepath.Join(dataDir, "secret.key")
	content, err := os.ReadFile(path)
	if err == nil {
		return strings.TrimSpace(string(content)), nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		return "", err
	}
	key := base64.StdEncoding.EncodeToString(raw)
	if err := os.WriteFile(path, []byte(key+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("keep the encryption key: %w", err)
	}
	return key, nil
}
