package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
)

// listen opens an address, or says in one line which variable to change.
func listen(ctx context.Context, addr, variable string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s is taken by another program: end that one, or set %s to another address", addr, variable)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("%s needs rights this user does not have: set %s to a port above 1023", addr, variable)
	case err != nil:
		return nil, fmt.Errorf("listen on %s (%s): %w", addr, variable, err)
	}
	return l, nil
}

// serveHTTP serves until stop is called; a failure of the listener goes to failed.
func serveHTTP(server *http.Server, l net.Listener, failed chan<- error) (stop func(context.Context) error) {
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			failed <- fmt.Errorf("serve on %s: %w", l.Addr(), err)
		}
	}()
	return func(ctx context.Context) error {
		if err := server.Shutdown(ctx); err != nil {
			return errors.Join(err, server.Close())
		}
		return nil
	}
}
