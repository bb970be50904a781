package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"dargah.dev/dargah/internal/app"
	"dargah.dev/dargah/internal/fixture"
	"dargah.dev/dargah/internal/fixture/population"
	"dargah.dev/dargah/internal/operator/smpp/smpptest"
	"dargah.dev/dargah/internal/password"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/throwaway"
)

// What a measured world holds.
const (
	user     = "bench-user"
	secret   = "Bench-Passw0rd-1"
	contents = `
domains: [{name: sms.bench, default: true}]
accounts:
  - domain: sms.bench
    username: bench-user
    password: Bench-Passw0rd-1
    balance: 1000000000000000
    rate: 1000000
    smsNumberHour: none
    smsPrefixHour: none
    lines: [{number: "30001234"}]
    clients: [{id: bench, secret: bench-secret-0123456789abcdef, passwordGrant: true}]
    business: [{id: bench-biz, token: bench-token-0123456789abcdef}]
prices: {person: 12000, credit: 45000, sms: 1500}
population: %d
`
	seed  = 1
	login = `{"userName":"` + user + `","password":"` + secret + `","domain":"sms.bench"}`
)

// asked is how many different people the inquiries ask about at most, spread over
// the whole register: their requests are in the load's memory.
const asked = 500_000

const js = "application/json"

// field is all that runs for a measurement.
type field struct {
	postgres *throwaway.Postgres
	servers  []*server
	centre   *smpptest.Server // Kannel's
}

func (f *field) clear() error {
	for _, s := range f.servers {
		s.stop()
	}
	if f.centre != nil {
		f.centre.Close()
	}
	if f.postgres == nil {
		return nil
	}
	return f.postgres.Discard()
}

// loads starts a server for each database and size, and lists the rows.
func (f *field) loads(s settings, plain *server) ([]load, error) {
	all := []load{
		bareLoad("bare net/http handler", plain, "/"),
		{name: "4 KiB written and flushed", disk: filepath.Join(s.data, "flushed"), alone: true},
		bareLoad("bare net/http handler, 4 KiB written and flushed", plain, bareFlushed),
	}
	var others []load
	for _, n := range s.people {
		inquiries, reports := questions(n)
		for engine := range strings.SplitSeq(s.engines, ",") {
			at, err := f.place(s, engine, n)
			if err != nil {
				return nil, err
			}
			if at == nil {
				continue
			}
			srv, err := f.open(s, *at, engine, n)
			if err != nil {
				return nil, fmt.Errorf("%s with %s people: %w", engine, grouped(n), err)
			}
			all = append(all, load{
				name:   fmt.Sprintf("uid person inquiry, durable and charged: %s, %s people", engine, grouped(n)),
				server: srv, requests: inquiries, want: `"SUCCESS."`, person: engine, people: n,
			})
			if others == nil {
				if others, err = besides(srv, reports); err != nil {
					return nil, err
				}
			}
		}
	}
	if f.postgres != nil {
		inserted, err := f.inserted(s)
		if err != nil {
			return nil, err
		}
		all = slices.Insert(all, 3, inserted)
	}
	kept := all[:1]
	for _, l := range append(all[1:], others...) {
		if strings.Contains(l.name, s.only) || l.alone {
			kept = append(kept, l)
		}
	}
	return kept, nil
}

func bareLoad(name string, at *server, path string) load {
	body := `{"a":"` + strings.Repeat("x", 80) + `","b":"` + strings.Repeat("y", 80) + `","c":"0012345679","d":"z"}`
	return load{name: name, server: at, requests: [][]byte{request("POST", path, js, "", body)}, want: "field1", alone: path != "/"}
}

// inserted is the least that an answer costs which is durable on PostgreSQL.
func (f *field) inserted(s settings) (load, error) {
	database, err := f.postgres.Create("bench_bare")
	if err != nil {
		return load{}, err
	}
	srv, err := startBare(filepath.Join(s.data, "flushed-by-none"), database)
	if err != nil {
		return load{}, err
	}
	f.servers = append(f.servers, srv)
	srv.database, err = f.postgres.PID()
	return bareLoad("bare net/http handler, one row inserted: postgres", srv, bareInserted), err
}

// kannels are the rows of Kannel; none where it is not installed.
func (f *field) kannels(s settings, dir string) (rows []load) {
	for _, spool := range []bool{false, true} {
		name := kannelName(spool)
		if !strings.Contains(name, s.only) {
			continue
		}
		row, err := f.kannel(name, filepath.Join(dir, fmt.Sprintf("kannel-%v", spool)), spool)
		if err != nil {
			fmt.Fprintln(os.Stderr, "bench: without Kannel:", err)
			return rows
		}
		rows = append(rows, row)
	}
	return rows
}

func (f *field) kannel(name, dir string, spool bool) (row load, err error) {
	if f.centre == nil {
		if f.centre, err = smpptest.Listen(smpptest.Options{}); err != nil {
			return load{}, err
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return load{}, err
	}
	srv, err := startKannel(dir, f.centre.Address(), spool)
	if err != nil {
		return load{}, err
	}
	f.servers = append(f.servers, srv)
	return load{name: name, server: srv, requests: kannelSends(), want: "Accepted", after: func() { settle(f.centre) }}, nil
}

// place is where a world is kept; none where there is no such server.
func (f *field) place(s settings, engine string, people int) (*store.Location, error) {
	at := store.Location{Dir: filepath.Join(s.data, fmt.Sprintf("%s-%d", engine, people))}
	switch engine {
	case "sqlite":
		return &at, nil
	case "postgres":
	default:
		return nil, fmt.Errorf("there is no database %q: sqlite and postgres", engine)
	}
	var err error
	if f.postgres == nil {
		// As an operator sets it for a database of this size.
		if f.postgres, err = throwaway.RunPostgres("shared_buffers=1GB", "max_wal_size=8GB"); err != nil {
			fmt.Fprintln(os.Stderr, "bench: without PostgreSQL:", err)
			return nil, nil //nolint:nilnil // there is none, and that is said
		}
	}
	// Its databases go with it; what the folder has is the key alone.
	if err := os.RemoveAll(at.Dir); err != nil {
		return nil, err
	}
	at.Database, err = f.postgres.Create(fmt.Sprintf("bench_%d", people))
	return &at, err
}

// open fills a world, if that was not done before, and serves it.
func (f *field) open(s settings, at store.Location, engine string, people int) (*server, error) {
	if err := fill(at, engine, people); err != nil {
		return nil, err
	}
	srv, err := startDargah(s, at)
	if err != nil {
		return nil, err
	}
	f.servers = append(f.servers, srv)
	if err := mirrored(at.Dir); err != nil {
		return nil, err
	}
	if at.Database != "" {
		srv.database, err = f.postgres.PID()
	}
	return srv, err
}

// mirrored waits until a server has copied its register, as the log tells. The
// folder's log is of this server alone.
func mirrored(dir string) error {
	for range time.Tick(100 * time.Millisecond) {
		said, err := os.ReadFile(filepath.Join(dir, logName))
		switch {
		case err != nil:
			return err
		case bytes.Contains(said, []byte("the register is copied")):
			return nil
		case bytes.Contains(said, []byte("the register cannot be copied")):
			return fmt.Errorf("%s: the register cannot be copied", filepath.Join(dir, logName))
		}
	}
	return nil
}

func fill(at store.Location, engine string, people int) (err error) {
	ctx := context.Background()
	if err := os.MkdirAll(at.Dir, 0o700); err != nil {
		return err
	}
	data, err := store.Open(ctx, at, store.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, data.Close()) }()
	state, err := app.State(ctx, data)
	if err != nil || state == app.Full {
		return err
	}
	if state != app.Empty {
		return fmt.Errorf("%s was filled in part: remove it", at.Dir)
	}
	world, err := fixture.Read(strings.NewReader(fmt.Sprintf(contents, people)), "bench.yaml")
	if err != nil {
		return err
	}
	told := -1
	progress := func(n int) {
		if percent := n * 100 / people; percent > told {
			told = percent
			fmt.Fprintf(os.Stderr, "\r%s: %3d %% of %s people", engine, percent, grouped(people))
		}
	}
	err = app.Fill(ctx, data, world, app.Filling{Passwords: password.New(password.Cost{}), Seed: seed, Progress: progress})
	fmt.Fprintln(os.Stderr)
	return err
}

// questions asks about some of the register's people, spread over the whole of
// it.
func questions(n int) (inquiries, reports [][]byte) {
	step, i := max(n/asked, 1), 0
	for p := range population.People(n, seed, func(persian.NationalCode) bool { return false }) {
		if i++; i%step != 0 {
			continue
		}
		inquiries = append(inquiries, request("POST", "/api/inquiry/person", js, "", fmt.Sprintf(
			`{"requestContext":{"apiInfo":{"businessId":"bench-biz","businessToken":"bench-token-0123456789abcdef"}},"nationalId":%q,"birthDate":%q}`,
			p.NationalCode.Digits(), p.BirthDate)))
		reports = append(reports, []byte(p.NationalCode.Digits()))
	}
	return inquiries, reports
}

// besides lists the calls other than the person inquiry.
func besides(s *server, codes [][]byte) ([]load, error) {
	form := url.Values{
		"grant_type": {"password"}, "client_id": {"bench"}, "Client_secret": {"bench-secret-0123456789abcdef"},
		"username": {user}, "password": {secret},
	}.Encode()
	bearer, err := itsaazToken(s, form)
	if err != nil {
		return nil, err
	}
	reports := make([][]byte, len(codes))
	for i, code := range codes {
		reports[i] = request("POST", "/ai/etebar/info", js, "Bearer "+bearer, fmt.Sprintf(`{"NationalCode":"%s","Cellphone":"09121234567"}`, code))
	}
	sender, err := smsafzarToken(s)
	if err != nil {
		return nil, err
	}
	return []load{
		{
			name: "smsafzar send, stored and charged, to go out tomorrow", server: s, want: "messageIds",
			requests: sends(sender, time.Now().AddDate(0, 0, 1)),
		},
		{name: "smsafzar send, and delivered by the sandbox meanwhile", server: s, want: "messageIds", requests: sends(sender, time.Time{})},
		{
			name: "itsaaz token, known credentials, durable", server: s, want: "access_token",
			requests: [][]byte{request("POST", "/identity/token", "application/x-www-form-urlencoded", "", form)},
		},
		{
			name: "smsafzar token, known credentials, durable", server: s, want: "token",
			requests: [][]byte{request("POST", "/auth/token", js, "", login)},
		},
		{name: "itsaaz etebar info, durable", server: s, requests: reports, want: "payUrl"},
	}, nil
}

func itsaazToken(s *server, form string) (string, error) {
	r, err := http.Post("http://"+s.address+"/identity/token", "application/x-www-form-urlencoded", strings.NewReader(form))
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	return shown(r)
}

func smsafzarToken(s *server) (string, error) {
	r, err := http.Post("http://"+s.address+"/auth/token", js, strings.NewReader(login))
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	return shown(r)
}

// shown is the token in an answer.
func shown(r *http.Response) (string, error) {
	var out struct {
		Access string `json:"access_token"`
		Token  string `json:"token"`
	}
	if err := json.NewDecoder(r.Body).Decode(&out); err != nil || out.Access+out.Token == "" {
		return "", fmt.Errorf("no token: status %d", r.StatusCode)
	}
	return out.Access + out.Token, nil
}

// sends are messages to many recipients, to go out then or at once.
func sends(token string, then time.Time) [][]byte {
	due := ""
	if !then.IsZero() {
		due = fmt.Sprintf(`,"sendTimestamp":%d`, then.Unix())
	}
	all := make([][]byte, 10_000)
	for i := range all {
		all[i] = request("POST", "/messages/send", js, "Bearer "+token,
			fmt.Sprintf(`{"senderNumber":"30001234","recipientNumber":"0912%07d","content":"کد ورود شما: %06d"%s}`, i*997, i, due))
	}
	return all
}
