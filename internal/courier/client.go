package courier

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"dargah.dev/dargah/internal/webhook"
)

// Bounds of one attempt. What a receiver answers is of no interest but for its
// status: of the body only as much is read as lets the connection serve again.
const (
	connectWithin = 5 * time.Second
	answerWithin  = 15 * time.Second
	bodyWithin    = 2 * time.Second
	longestBody   = 64 << 10
	longestHeader = 64 << 10
)

// errURL is a URL that the rules do not allow, or no longer.
var errURL = errors.New("the URL is not allowed")

// Client makes attempts.
type Client struct {
	rules webhook.Rules
	http  http.Client
	now   func() time.Time
}

// NewClient makes a client. It checks the address of every connection when it is
// made, after all names were looked up, so that no name server and no redirect
// leads it inside.
func NewClient(o Options) *Client {
	c := &Client{rules: o.Rules, now: o.Now}
	dialer := &net.Dialer{Timeout: connectWithin, Resolver: o.Resolver, ControlContext: c.control}
	c.http = http.Client{
		Timeout:       answerWithin,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:            dialer.DialContext, // and no proxy: it would connect for us, unchecked
			TLSClientConfig:        &tls.Config{RootCAs: o.Roots, MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    connectWithin,
			MaxIdleConnsPerHost:    lanes,
			IdleConnTimeout:        30 * time.Second,
			MaxResponseHeaderBytes: longestHeader,
			DisableCompression:     true,
		},
	}
	return c
}

// control is called with the address that is connected to next.
func (c *Client) control(_ context.Context, network, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || network != "tcp4" && network != "tcp6" {
		return webhook.ErrInside
	}
	return c.rules.Check(at)
}

// Send makes one attempt. status is the answer's, 0 without one; note says why
// it failed, in words that hold nothing of the receiver's, and is empty where it
// arrived.
func (c *Client) Send(ctx context.Context, w *webhook.Webhook, id string, body []byte) (status int, note string) {
	status, err := c.post(ctx, w, id, body)
	switch {
	case err != nil:
		return status, reason(err)
	case status >= 300 && status < 400:
		return status, fmt.Sprintf("answered %d, and redirects are not followed", status)
	case status < 200 || status > 299:
		return status, fmt.Sprintf("answered %d", status)
	}
	return status, ""
}

func (c *Client) post(ctx context.Context, w *webhook.Webhook, id string, body []byte) (status int, err error) {
	if err := c.rules.CheckURL(w.URL); err != nil {
		return 0, errURL
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL, bytes.NewReader(body))
	if err != nil {
		return 0, errURL
	}
	now := c.now()
	signature, err := w.Signature(id, now, body)
	if err != nil {
		return 0, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "Dargah-Webhook/1")
	r.Header.Set(webhook.HeaderID, id)
	r.Header.Set(webhook.HeaderTimestamp, webhook.Timestamp(now))
	r.Header.Set(webhook.HeaderSignature, signature)
	answer, err := c.http.Do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	defer time.AfterFunc(bodyWithin, cancel).Stop()
	_, _ = io.CopyN(io.Discard, answer.Body, longestBody) // the status was the answer
	return answer.StatusCode, nil
}

// Close lets go of idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// reason words an error without the URL, which may hold a secret, and without
// what the receiver said.
func reason(err error) string {
	var (
		name        *net.DNSError
		record      tls.RecordHeaderError
		alert       tls.AlertError
		unverified  *tls.CertificateVerificationError
		authority   x509.UnknownAuthorityError
		timeout     net.Error
		closedEarly = errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET)
	)
	switch {
	case errors.Is(err, errURL):
		return "the URL is not allowed"
	case errors.Is(err, webhook.ErrInside):
		return "its address is not on the internet"
	case errors.Is(err, webhook.ErrPort):
		return "its port is not one of the web"
	case errors.As(err, &name):
		return "the host's name leads nowhere"
	case errors.As(err, &unverified), errors.As(err, &authority), errors.As(err, &record), errors.As(err, &alert), errors.Is(err, http.ErrSchemeMismatch):
		return "TLS failed"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection was refused"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time"
	case closedEarly:
		return "the connection was closed before an answer came"
	default:
		return "no connection"
	}
}
