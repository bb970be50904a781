package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"dargah.dev/dargah/internal/fixture"
	"dargah.dev/dargah/internal/fixture/population"
	"dargah.dev/dargah/internal/persian"
)

// server is a process under load.
type server struct {
	address string // host:port
	process *exec.Cmd
}

func (s *server) stop() {
	_ = s.process.Process.Signal(syscall.SIGTERM)
	_ = s.process.Wait() // how it ends does not change what was measured
}

// cpu is the processor time that the process has used; 0 where the system
// does not tell.
func (s *server) cpu() time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.process.Process.Pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond // the kernel counts hundredths here
}

func start(cmd *exec.Cmd) (*server, string, error) {
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	if err := cmd.Start(); err != nil {
		return nil, "", err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, "", fmt.Errorf("%s said nothing: %w", cmd.Path, err)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return &server{process: cmd}, line, nil
}

func startBare() (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s, line, err := start(exec.Command(self, "bare"))
	if err != nil {
		return nil, err
	}
	s.address = strings.TrimSpace(line)
	return s, nil
}

// bare is what every row is compared with: it reads a JSON body of about 200
// bytes and writes one of about 600, and does nothing else.
func bare() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr())
	text := strings.Repeat("x", 54)
	reply := map[string]string{}
	for i := range 9 {
		reply["field"+strconv.Itoa(i)] = text
	}
	_ = http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { //nolint:gosec // loopback, ended by the parent
		var in map[string]string
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		out, _ := json.Marshal(reply)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(out)))
		_, _ = w.Write(out)
	}))
}

// What the measured world holds.
const (
	user     = "bench-user"
	password = "Bench-Passw0rd-1"
	world    = `
domains: [{name: sms.bench, default: true}]
accounts:
  - domain: sms.bench
    username: bench-user
    password: Bench-Passw0rd-1
    balance: 1000000000000000
    rate: 1000000
    lines: [{number: "30001234"}]
    clients: [{id: bench, secret: bench-secret-0123456789abcdef, passwordGrant: true}]
    business: [{id: bench-biz, token: bench-token-0123456789abcdef}]
prices: {person: 12000, credit: 45000}
population: %d
`
)

func startDargah(s settings, dir string) (*server, error) {
	file := filepath.Join(dir, "bench.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, world, s.people), 0o600); err != nil {
		return nil, err
	}
	srv, line, err := start(exec.Command(s.binary, "sandbox", "--listen", "127.0.0.1:0", "--json",
		"--data", filepath.Join(dir, "data"), "--fixtures", file, "--seed", "1"))
	if err != nil {
		return nil, err
	}
	var ready struct {
		Address string `json:"address"`
	}
	if err := json.Unmarshal([]byte(line), &ready); err != nil || ready.Address == "" {
		return nil, errors.New("dargah did not say where it listens")
	}
	srv.address = strings.TrimPrefix(ready.Address, "http://")
	return srv, nil
}

// asked is how many different people the inquiries ask about.
const asked = 1000

func loads(s settings, plain, dargah *server) ([]load, error) {
	const js = "application/json"
	form := url.Values{
		"grant_type": {"password"}, "client_id": {"bench"}, "Client_secret": {"bench-secret-0123456789abcdef"},
		"username": {user}, "password": {password},
	}.Encode()
	bearer, err := itsaazToken(dargah, form)
	if err != nil {
		return nil, err
	}
	var inquiries, reports [][]byte
	for p := range people(s.people) {
		inquiries = append(inquiries, request("POST", "/api/inquiry/person", js, "", fmt.Sprintf(
			`{"requestContext":{"apiInfo":{"businessId":"bench-biz","businessToken":"bench-token-0123456789abcdef"}},"nationalId":%q,"birthDate":%q}`,
			p.NationalCode.Digits(), p.BirthDate)))
		reports = append(reports, request("POST", "/ai/etebar/info", js, "Bearer "+bearer, fmt.Sprintf(
			`{"NationalCode":%q,"Cellphone":"09121234567"}`, p.NationalCode.Digits())))
	}
	body := `{"a":"` + strings.Repeat("x", 80) + `","b":"` + strings.Repeat("y", 80) + `","c":"0012345679","d":"z"}`
	return []load{
		{"bare net/http handler", plain, [][]byte{request("POST", "/", js, "", body)}, "field1"},
		{"uid person inquiry, durable and charged", dargah, inquiries, `"SUCCESS."`},
		{"itsaaz token, known credentials, durable", dargah, [][]byte{request("POST", "/identity/token", "application/x-www-form-urlencoded", "", form)}, "access_token"},
		{"smsafzar token, known credentials, durable", dargah, [][]byte{request("POST", "/auth/token", js, "",
			`{"userName":"`+user+`","password":"`+password+`","domain":"sms.bench"}`)}, "token"},
		{"itsaaz etebar info, durable", dargah, reports, "payUrl"},
	}, nil
}

func itsaazToken(s *server, form string) (string, error) {
	r, err := http.Post("http://"+s.address+"/identity/token", "application/x-www-form-urlencoded", strings.NewReader(form))
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	var out struct {
		Access string `json:"access_token"`
	}
	if err := json.NewDecoder(r.Body).Decode(&out); err != nil || out.Access == "" {
		return "", fmt.Errorf("no token: status %d", r.StatusCode)
	}
	return out.Access, nil
}

// people gives some of the register's people, spread over the whole of it.
func people(n int) func(func(fixture.Person) bool) {
	return func(yield func(fixture.Person) bool) {
		step, i := max(n/asked, 1), 0
		for p := range population.People(n, 1, func(persian.NationalCode) bool { return false }) {
			if i++; i%step == 0 && !yield(p) {
				return
			}
		}
	}
}
