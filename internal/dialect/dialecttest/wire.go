package dialecttest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write what the server says into the files of exchanges, but those of provider pages")

// patience is how long one exchange may take before the connection is given
// up. It only turns a hang into a failure.
const patience = 30 * time.Second

// Wire plays every *.txt of dir, one after the other by name, against the
// server at address (http://host:port).
func Wire(t *testing.T, address, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no file of exchanges in %s (%v)", dir, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			if err := play(t.Context(), address, file, *update); err != nil {
				t.Error(err)
			}
		})
	}
}

// play plays one file. With rewrite it brings the file up to date instead of
// failing, unless the file shows a provider's page.
func play(ctx context.Context, address, file string, rewrite bool) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read a file of exchanges: %w", err)
	}
	s, err := parse(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	page, err := isPage(file)
	if err != nil {
		return err
	}
	if err := s.play(ctx, address, rewrite && !page); err != nil {
		if rewrite && page {
			err = fmt.Errorf("%w\n(this file shows what the provider's page shows: -update does not rewrite it)", err)
		}
		return fmt.Errorf("%s: %w", file, err)
	}
	if fresh := s.String(); rewrite && !page && fresh != string(text) {
		return os.WriteFile(file, []byte(fresh), 0o600)
	}
	return nil
}

func isPage(file string) (bool, error) {
	whole, err := filepath.Abs(file)
	if err != nil {
		return false, fmt.Errorf("find where %s is: %w", file, err)
	}
	return slices.Contains(strings.Split(filepath.ToSlash(filepath.Dir(whole)), "/"), "page"), nil
}

func (s *script) play(ctx context.Context, address string, rewrite bool) error {
	k := newKept(address)
	for i := range s.steps {
		if _, err := s.steps[i].play(ctx, k["HOST"], k, rewrite); err != nil {
			return fmt.Errorf("exchange %d (%s): %w", i+1, s.steps[i].title, err)
		}
	}
	return nil
}

// play gives the request as it was sent.
func (s *step) play(ctx context.Context, host string, k kept, rewrite bool) (*step, error) {
	request, err := k.fill(s.request)
	if err != nil {
		return nil, err
	}
	filled := &step{request: request}
	got, err := exchange(ctx, host, filled.method(), filled.wire(host))
	if err != nil {
		return nil, err
	}
	problem := s.compare(got, k)
	if problem == nil || !rewrite {
		return filled, problem
	}
	s.renew(got)
	return filled, s.compare(got, k)
}

// got is a reply as it came.
type got struct {
	status int
	header http.Header
	body   []byte
}

// exchange sends raw bytes on a connection of their own and reads one reply.
func exchange(ctx context.Context, host, method string, raw []byte) (got, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", host)
	if err != nil {
		return got{}, fmt.Errorf("reach the server: %w", err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return got{}, fmt.Errorf("bound the exchange: %w", err)
	}
	if _, err := conn.Write(raw); err != nil {
		return got{}, fmt.Errorf("send the request: %w", err)
	}
	reply, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		return got{}, fmt.Errorf("read the reply: %w", err)
	}
	defer func() { _ = reply.Body.Close() }()
	body, err := io.ReadAll(reply.Body)
	if err != nil {
		return got{}, fmt.Errorf("read the reply's body: %w", err)
	}
	return got{reply.StatusCode, reply.Header, body}, nil
}

// compare tells every difference of one reply at once.
func (s *step) compare(g got, k kept) error {
	var problems []error
	if g.status != s.status {
		problems = append(problems, fmt.Errorf("status %d, want %d", g.status, s.status))
	}
	head, body := headAndBody(s.reply)
	for _, line := range head {
		name, want, _ := strings.Cut(line, ":")
		problems = append(problems, header(g.header, name, strings.TrimSpace(want), k))
	}
	same, err := k.match(body, string(g.body))
	if err == nil && !same {
		err = fmt.Errorf("body\n got %s\nwant %s", g.body, body)
	}
	return errors.Join(append(problems, err)...)
}

func header(h http.Header, name, want string, k kept) error {
	values := h.Values(name)
	if want == none {
		if len(values) > 0 {
			return fmt.Errorf("header %s is there, and should not be: %q", name, values)
		}
		return nil
	}
	value := strings.Join(values, ", ")
	same, err := k.match(want, value)
	if err == nil && !same {
		err = fmt.Errorf("header %s: %q, want %q", name, value, want)
	}
	return err
}

// renew makes the reply that came the expected one: the same headers are
// listed, the same members are placeholders.
func (s *step) renew(g got) {
	head, old := headAndBody(s.reply)
	var b bytes.Buffer
	for _, line := range head {
		name, want, _ := strings.Cut(line, ":")
		value := strings.Join(g.header.Values(name), ", ")
		if value == "" {
			value = none
		} else if placeholder.MatchString(want) && want != none {
			value = strings.TrimSpace(want)
		}
		b.WriteString(name + ": " + value + "\n")
	}
	s.status, s.reply = g.status, strings.TrimSuffix(b.String(), "\n")
	if len(g.body) > 0 {
		s.reply = b.String() + "\n" + carry(old, string(g.body))
	}
}
