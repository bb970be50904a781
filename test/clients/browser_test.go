package clients_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// browserSamples are the functions of browser/samples.js and the pages they come from.
var browserSamples = map[string]page{
	"withFetch":   itsaaz,
	"withJQuery":  itsaaz,
	"withXHR":     itsaaz,
	"withAngular": smsafzar,
	"withReact":   smsafzar,
}

// runBrowser opens a page of another origin in a real browser: only a browser asks before it
// calls, and keeps an answer from a page that the server did not name.
func runBrowser(t *testing.T, address string) {
	need(t, "chromium")
	needModules(t)
	came := make(chan []byte, 1)
	site := httptest.NewServer(pageServer(t, address, came))
	t.Cleanup(site.Close)
	var results map[string][]step
	text := openPage(t, site.URL, came)
	if err := json.Unmarshal(text, &results); err != nil {
		t.Fatalf("read what the page sent: %v: %s", err, text)
	}
	for name, page := range browserSamples {
		t.Run(name, func(t *testing.T) {
			for _, wrong := range page.judge(results[name]) {
				t.Error(wrong)
			}
		})
	}
	if len(results) != len(browserSamples) {
		t.Errorf("the page ran %d samples, want %d: %s", len(results), len(browserSamples), text)
	}
}

// pageServer is the other origin: the page, its scripts, and the place it sends its results to.
func pageServer(t *testing.T, address string, came chan<- []byte) http.Handler {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServer(http.Dir("browser")))
	mux.HandleFunc("GET /jquery.js", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, filepath.Join(moduleFolder, "jquery", "dist", "jquery.min.js"))
	})
	mux.HandleFunc("GET /env.json", func(w http.ResponseWriter, _ *http.Request) {
		if err := json.NewEncoder(w).Encode(pageEnvironment(address)); err != nil {
			t.Errorf("send the page its environment: %v", err)
		}
	})
	mux.HandleFunc("POST /results", func(_ http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read the page's results: %v", err)
		}
		came <- text
	})
	return mux
}

// pageEnvironment is credentials under the names that samples.js reads.
func pageEnvironment(address string) map[string]string {
	names := map[string]string{
		"DARGAH_BASE": "base", "DARGAH_USERNAME": "username", "DARGAH_PASSWORD": "password",
		"DARGAH_DOMAIN": "domain", "DARGAH_CLIENT_ID": "clientID", "DARGAH_CLIENT_SECRET": "clientSecret",
		"DARGAH_NATIONAL_CODE": "nationalCode", "DARGAH_MOBILE": "mobile",
	}
	env := map[string]string{}
	for _, setting := range credentials(address) {
		name, value, _ := strings.Cut(setting, "=")
		if short, ok := names[name]; ok {
			env[short] = value
		}
	}
	return env
}

// openPage starts the browser, waits for what the page has to say, and ends the browser.
func openPage(t *testing.T, address string, came <-chan []byte) []byte {
	t.Helper()
	home := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	browser := exec.CommandContext(ctx, find(t, "chromium", "chromium-browser", "google-chrome"),
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage",
		"--no-first-run", "--disable-background-networking", "--disable-component-update",
		"--disable-sync", "--disable-breakpad", "--no-proxy-server", "--remote-debugging-port=0",
		"--user-data-dir="+home, address+"/page.html")
	browser.Env = append(bareEnvironment(home), "LANG=en_US.UTF-8")
	var stderr bytes.Buffer
	browser.Stderr = &stderr
	// A terminated browser ends its helpers first; a killed one leaves them writing into its home.
	browser.Cancel = func() error { return browser.Process.Signal(syscall.SIGTERM) }
	browser.WaitDelay = 20 * time.Second
	if err := browser.Start(); err != nil {
		t.Fatal(err)
	}
	var failure error
	ended := make(chan struct{})
	go func() {
		failure = browser.Wait()
		close(ended)
	}()
	select {
	case text := <-came:
		cancel()
		<-ended
		return text
	case <-ended:
		t.Fatalf("the browser ended without a result: %v\n%s", failure, &stderr)
	}
	return nil
}
