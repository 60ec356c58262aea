package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/urfave/cli/v3"

	"slipway/handlers"
	"slipway/models"
	"slipway/models/store"
	"slipway/provisioners"
	"slipway/web"
	"slipway/web/auth"
	"slipway/web/config"
)

// resealEvery is how soon after a key was put in front the values of the others are under it.
const resealEvery = time.Minute

// freezeRoutes are the pages of what stops new runs.
func (r *running) freezeRoutes(desk *handlers.Desk) []web.Route {
	freezes := &handlers.Freezes{Desk: desk, Store: r.store}
	return []web.Route{
		page("/admin/freezes", freezes.List),
		form("/admin/freezes/add", freezes.Add),
		form("/admin/freezes/:id/lift", freezes.Lift),
	}
}

// resealSweep seals with the first of SLIPWAY_SECRET_KEYS what others have sealed.
func (r *running) resealSweep() provisioners.Sweep {
	return provisioners.Sweep{Name: "secret keys", Every: resealEvery, Do: func(ctx context.Context) error {
		ring, err := keyring(r.config)
		if err != nil {
			return err
		}
		n, err := r.store.Reseal(ctx, ring)
		if n > 0 {
			r.log.Info("sealed with the first of SLIPWAY_SECRET_KEYS", "values", n)
		}
		return err
	}}
}

func keyring(c config.Config) (*auth.Keyring, error) {
	keys, err := c.SignIn.Keys()
	if err != nil {
		return nil, err
	}
	return auth.NewKeyring(keys)
}

// keysCommand tells when an old key can be taken away.
func keysCommand() *cli.Command {
	return &cli.Command{
		Name: "keys", Usage: "say which of SLIPWAY_SECRET_KEYS the database still needs",
		Action: func(ctx context.Context, _ *cli.Command) error {
			c, err := config.Load(environ(), "keys")
			if err != nil {
				return err
			}
			return keysInUse(ctx, c, os.Stdout)
		},
	}
}

func keysInUse(ctx context.Context, c config.Config, out io.Writer) error {
	ring, err := keyring(c)
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, store.Options{URL: c.Database.URL.Reveal(), Connections: 2, Clock: &models.ShiftedClock{}})
	if err != nil {
		return err
	}
	defer s.Close()
	tags := ring.Tags()
	use, err := s.KeyUse(ctx, tags)
	if err != nil {
		return err
	}
	for i, tag := range tags {
		words := "no value is under it: it can be removed ten minutes after it stopped being the first everywhere"
		switch {
		case i == 0:
			words = fmt.Sprintf("encrypts; %d values are under it", use.Keys[i])
		case use.Keys[i] > 0 || use.Older > 0:
			words = fmt.Sprintf("still needed: %d values are under it, and %d that do not say their key", use.Keys[i], use.Older)
		}
		fmt.Fprintf(out, "Key %d (%s): %s.\n", i+1, hex.EncodeToString(tag[1:]), words)
	}
	fmt.Fprintf(out, "Sign-ins on their way: %d.\n", use.SignIns)
	if use.Foreign > 0 {
		return fmt.Errorf("%d values are under a key that is not given: put it back into SLIPWAY_SECRET_KEYS until they are gone", use.Foreign)
	}
	return nil
}
