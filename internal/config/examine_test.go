package config_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dargah.dev/dargah/internal/config"
	"dargah.dev/dargah/internal/finding"
)

func TestExamine(t *testing.T) {
	t.Parallel()
	const secret = "postgres://u:s3cret@h/d"
	for name, c := range map[string]struct {
		change func(*config.Config)
		mode   os.FileMode // of the file; 0 for none
		want   string      // level and what it is about; "" for nothing but ok
	}{
		"default":               {func(*config.Config) {}, 0, ""},
		"file":                  {func(*config.Config) {}, 0o600, ""},
		"open file":             {func(*config.Config) {}, 0o644, ""},
		"file of all":           {func(*config.Config) {}, 0o666, "warning configuration"},
		"secret":                {func(c *config.Config) { c.Database = secret }, 0o640, ""},
		"open secret":           {func(c *config.Config) { c.Database = secret }, 0o644, "problem configuration"},
		"open secret parameter": {func(c *config.Config) { c.Redis = "redis://h/0?password=x" }, 0o604, "problem configuration"},
		"no secret":             {func(c *config.Config) { c.Database = "postgres://u@h/d" }, 0o644, ""},
		"everybody":             {func(c *config.Config) { c.Proxies, c.PublicURL = []string{"10.0.0.1", "0.0.0.0/0"}, "https://a.ir" }, 0, "problem proxies"},
		"everybody, IPv6":       {func(c *config.Config) { c.Proxies, c.PublicURL = []string{"::/0"}, "https://a.ir" }, 0, "problem proxies"},
		"very many":             {func(c *config.Config) { c.Proxies, c.PublicURL = []string{"10.0.0.0/8"}, "https://a.ir" }, 0, "warning proxies"},
		"some":                  {func(c *config.Config) { c.Proxies, c.PublicURL = []string{"10.1.0.0/16"}, "https://a.ir" }, 0, ""},
		"no public address":     {func(c *config.Config) { c.Proxies = []string{"10.1.0.0/16"} }, 0, "warning publicUrl"},
		"not encrypted link":    {func(c *config.Config) { c.PublicURL = "http://a.ir" }, 0, "warning publicUrl"},
		"open":                  {func(c *config.Config) { c.Listen = []string{"127.0.0.1:1", ":80"} }, 0, "problem HTTP"},
		"open on purpose":       {func(c *config.Config) { c.Listen, c.InsecureHTTP = []string{"0.0.0.0:80"}, true }, 0, "warning HTTP"},
		"open with TLS":         {func(c *config.Config) { c.Listen, c.TLS.Certificate = []string{"0.0.0.0:80"}, "x" }, 0, ""},
		"local names":           {func(c *config.Config) { c.Listen = []string{"localhost:1", "[::1]:2"} }, 0, ""},
	} {
		settings, file := config.Default(), ""
		c.change(&settings)
		if c.mode != 0 {
			file = filepath.Join(t.TempDir(), "dargah.yaml")
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(file, c.mode); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		for _, f := range settings.Examine(file) {
			if f.Level != finding.OK {
				got = append(got, f.Level.String()+" "+f.About)
			}
			if strings.Contains(f.Says+f.Do, "s3cret") {
				t.Errorf("%s: a password is told: %v", name, f)
			}
		}
		want := []string{c.want}
		if c.want == "" {
			want = nil
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}
