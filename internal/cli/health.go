package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// health asks the server with these settings, on this machine, whether it can
// serve: for service managers and containers without a client of their own.
type health struct {
	settings
}

// healthWait is longer than any look at the store takes that is still well.
const healthWait = 5 * time.Second

func (h health) Run(c *console) error {
	loaded, err := h.load()
	if err != nil {
		return err
	}
	if len(loaded.Listen) == 0 {
		return errors.New("listen: has no address")
	}
	address, err := net.ResolveTCPAddr("tcp", loaded.Listen[0])
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	ctx, cancel := context.WithTimeout(c, healthWait)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme(loaded.Config)+reachable(address)+"/readyz", http.NoBody)
	if err != nil {
		return err
	}
	// The certificate is for the name that callers use, and nothing secret is
	// sent or believed.
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // see above
	}}
	answer, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("the server does not answer: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the server cannot serve now: status %d; its log says why", answer.StatusCode)
	}
	_, err = fmt.Fprintln(c.out, "ok")
	return err
}
