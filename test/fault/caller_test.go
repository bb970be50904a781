package fault_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// caller is one customer's program: a connection of its own, no retries.
type caller struct {
	client  *http.Client
	address string // host:port
	// timeout bounds one call; 0 is ten seconds.
	timeout time.Duration
}

func newCaller(address string) *caller {
	return &caller{address: address, client: &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: 1, IdleConnTimeout: patience,
	}}}
}

func (c *caller) close() { c.client.CloseIdleConnections() }

// reply is what became of a call: an answer, or err where none came.
type reply struct {
	status int
	id     string // of the call, on the trail and in the ledger
	header http.Header
	body   []byte
	took   time.Duration
	err    error
}

// ok tells that the answer is what was asked for.
func (r reply) ok() bool { return r.err == nil && r.status == http.StatusOK }

func (r reply) String() string {
	if r.err != nil {
		return fmt.Sprintf("no answer after %v: %v", r.took, r.err)
	}
	return fmt.Sprintf("%d after %v: %.200s", r.status, r.took, r.body)
}

const idempotencyKey = "Idempotency-Key"

// inquire asks about a person on the account's business credentials, which is
// charged. The key may be empty.
func (c *caller) inquire(ctx context.Context, account, person int, key string) reply {
	p := register[person]
	body := fmt.Sprintf(`{"requestContext":{"apiInfo":{"businessId":"biz-%d","businessToken":"biz-token-%d"}},"nationalId":%q,"birthDate":%q}`,
		account, account, p.NationalCode.Digits(), p.BirthDate)
	return c.post(ctx, "/api/inquiry/person", "application/json", body, map[string]string{idempotencyKey: key})
}

// send sends the n-th of many numbers a message from the account's line, which
// is charged. The key may be empty. Neighbours are far from each other: there is
// a limit of messages to numbers that are near.
func (c *caller) send(ctx context.Context, account, n int, key string) reply {
	body := fmt.Sprintf(`{"senderNumber":%q,"recipientNumber":%q,"content":"hello"}`, lineOf(account), mobileOf(n*104_729%10_000_000))
	return c.post(ctx, "/messages/send", "application/json", body, map[string]string{
		idempotencyKey: key, "X-Api-Key": fmt.Sprintf("api-key-%d", account),
	})
}

// login asks for tokens by password.
func (c *caller) login(ctx context.Context, account int) (tokens, reply) {
	return c.token(ctx, account, url.Values{
		"grant_type": {"password"}, "username": {username(account)}, "password": {passwordOf(account)},
	})
}

// refresh spends a refresh token.
func (c *caller) refresh(ctx context.Context, account int, token string) (tokens, reply) {
	return c.token(ctx, account, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

// tokens is a token call's answer.
type tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
}

func (c *caller) token(ctx context.Context, account int, form url.Values) (got tokens, r reply) {
	form.Set("client_id", fmt.Sprintf("client-%d", account))
	form.Set("Client_secret", fmt.Sprintf("client-secret-%d", account))
	r = c.post(ctx, "/identity/token", "application/x-www-form-urlencoded", form.Encode(), nil)
	if r.ok() {
		r.err = json.Unmarshal(r.body, &got)
	}
	return got, r
}

// report asks for a credit report with an access token; it costs nothing here.
func (c *caller) report(ctx context.Context, access string) reply {
	body := fmt.Sprintf(`{"NationalCode":%q,"Cellphone":"09121234567"}`, register[0].NationalCode.Digits())
	return c.post(ctx, "/ai/etebar/info", "application/json", body, map[string]string{"Authorization": "Bearer " + access})
}

func (c *caller) post(ctx context.Context, path, kind, body string, header map[string]string) reply {
	request, err := http.NewRequest(http.MethodPost, "http://"+c.address+path, strings.NewReader(body))
	if err != nil {
		return reply{err: err}
	}
	request.GetBody = nil // net/http would ask again on its own where it can
	request.Header.Set("Content-Type", kind)
	for name, value := range header {
		if value != "" {
			request.Header.Set(name, value)
		}
	}
	return c.do(ctx, request)
}

// get asks for a page, with a header's name and value if need be.
func (c *caller) get(ctx context.Context, path string, header ...string) reply {
	request, err := http.NewRequest(http.MethodGet, "http://"+c.address+path, nil)
	if err != nil {
		return reply{err: err}
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	return c.do(ctx, request)
}

func (c *caller) do(ctx context.Context, request *http.Request) (r reply) {
	from := time.Now()
	defer func() { r.took = time.Since(from) }()
	timeout := c.timeout
	if timeout == 0 {
		timeout = 10 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	answer, err := c.client.Do(request.WithContext(ctx))
	if err != nil {
		return reply{err: err}
	}
	defer answer.Body.Close()
	r = reply{status: answer.StatusCode, id: answer.Header.Get("X-Request-Id"), header: answer.Header}
	r.body, r.err = io.ReadAll(answer.Body)
	return r
}
