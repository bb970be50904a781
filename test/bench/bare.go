package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// bare is what every row is compared with: it reads a JSON body of about 200
// bytes and writes one of about 600, and does nothing else. Under two of its
// paths something is made durable in between, as no durable answer can do
// without. One connection alone asks for these.
type bare struct {
	disk  *pages
	conn  *pgx.Conn // nil where there is no database
	rows  int64
	reply map[string]string
}

const (
	bareFlushed  = "/flushed"  // a page of a file
	bareInserted = "/inserted" // a row of a table
)

// startBare serves the bare handler, which flushes a file of this name and
// inserts into the database at this address, if there is one.
func startBare(file, database string) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s, line, err := start(exec.Command(self, "bare", file, database))
	if err != nil {
		return nil, err
	}
	s.address = strings.TrimSpace(line)
	return s, nil
}

// serveBare is the process that startBare starts.
func serveBare(file, database string) error {
	b := &bare{reply: map[string]string{}}
	for i := range 9 {
		b.reply["field"+strconv.Itoa(i)] = strings.Repeat("x", 54)
	}
	var err error
	if b.disk, err = openPages(file); err != nil {
		return err
	}
	if database != "" {
		if b.conn, err = pgx.Connect(context.Background(), database); err != nil {
			return err
		}
		if _, err := b.conn.Exec(context.Background(), `CREATE TABLE bare (id BIGINT PRIMARY KEY, a TEXT, b TEXT)`); err != nil {
			return err
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	return http.Serve(listener, b) //nolint:gosec // loopback, ended by the parent
}

func (b *bare) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in map[string]string
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if err := b.keep(r.URL.Path, in); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	out, _ := json.Marshal(b.reply)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(out)))
	_, _ = w.Write(out)
}

// keep makes durable what the path asks for.
func (b *bare) keep(path string, in map[string]string) error {
	switch path {
	case bareFlushed:
		return b.disk.flush()
	case bareInserted:
		b.rows++
		_, err := b.conn.Exec(context.Background(), `INSERT INTO bare VALUES ($1, $2, $3)`, b.rows, in["a"], in["b"])
		return err
	}
	return nil
}
