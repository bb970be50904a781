package cli

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"dargah.dev/dargah/internal/finding"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/store/storetest"
	"dargah.dev/dargah/internal/testkit"
	"dargah.dev/dargah/internal/throwaway"
	"dargah.dev/dargah/internal/webhook"
)

// disk is where temporary folders lie on a disk; empty if nowhere. Many systems
// keep /tmp in memory, of which the doctor rightly complains.
var disk = sync.OnceValue(func() string {
	for _, dir := range []string{os.TempDir(), "/var/tmp"} {
		found := store.Examine(context.Background(), store.Folder(dir), store.ExamineOptions{})
		if !slices.ContainsFunc(found, func(f finding.Finding) bool { return strings.Contains(f.Says, "lies in memory") }) {
			return dir
		}
	}
	return ""
})

// onDisk is t.TempDir on a disk.
func onDisk(t *testing.T) string {
	t.Helper()
	if disk() == "" {
		t.Skip("temporary folders lie in memory here: set TMPDIR to one on a disk")
	}
	dir, err := os.MkdirTemp(disk(), "dargah-doctor-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// TestDoctor looks beside a running server, and then at one thing after the
// other that is broken.
func TestDoctor(t *testing.T) {
	t.Parallel()
	data := filepath.Join(onDisk(t), "data")
	r := inquired(t, data, 2)
	said(t, 0, []string{"ok       trail: its end is as it was written, at record 2", "0 problem(s)"}, "doctor", "--data", data)
	said(t, 0, []string{"all 2 records are as they were written"}, "doctor", "--full", "--data", data)
	if status, _, err := r.inquire(); status != 200 || err != nil {
		t.Error(status, err)
	}
	stop(t, r)
	var report struct {
		Findings           []struct{ Level, About, Says, Do string }
		Problems, Warnings int
	}
	spoil(t, data, `UPDATE audit SET price = 0 WHERE seq = 2`)
	out := said(t, 1, []string{"1 problem(s)"}, "doctor", "--json", "--full", "--data", data)
	if err := json.Unmarshal([]byte(out), &report); err != nil || report.Problems != 1 || len(report.Findings) < 8 {
		t.Errorf("%v: %s", err, out)
	}
	for _, f := range report.Findings {
		if (f.Level == "problem") != (f.About == "trail") || f.Level == "problem" && !strings.Contains(f.Do, "audit verify") {
			t.Errorf("%+v", f)
		}
	}
	if err := os.Remove(filepath.Join(data, "master.key")); err != nil {
		t.Fatal(err)
	}
	said(t, 1, []string{"problem  master key: ", "→ restore it"}, "doctor", "--data", data)
	said(t, 1, []string{"no Dargah database here", "dargah init"}, "doctor", "--data", t.TempDir())
	said(t, 2, []string{"which installation?"}, "doctor")
}

// TestDoctorOfAConfiguration has everything that can be named in one.
func TestDoctorOfAConfiguration(t *testing.T) {
	t.Parallel()
	url, redis, data := throwaway.Database(t), throwaway.StartRedis(t), filepath.Join(t.TempDir(), "data")
	certificate := testkit.NewCertificate(t, t.TempDir(), "doctor")
	config := file(t, "data: %s\ndatabase: %s\nredis: %s\ntls: {certificate: %s, key: %s}\nlisten: ['127.0.0.1:0']\n",
		data, url, redis.URL(), certificate.Chain, certificate.Key)
	said(t, 0, nil, "init", "--config", config)
	out := said(t, 0, []string{
		"ok       configuration: " + config, "ok       PostgreSQL: ", "round trip: ", "commit: takes", "connections: ",
		"ok       redis: version", "this machine and Redis differ", "this machine and the database's server differ",
		"warning  certificate: " + certificate.Chain + " ends in 0 days", "ok       master key: ", "open files", "memory",
	}, "doctor", "--config", config)
	if strings.Contains(out, "throwaway-password") {
		t.Errorf("a password is printed:\n%s", out)
	}
	if err := os.Chmod(config, 0o644); err != nil { //nolint:gosec // that is to be found
		t.Fatal(err)
	}
	said(t, 1, []string{"problem  configuration: ", "chmod o-rwx " + config}, "doctor", "--config", config)
	wrong := file(t, "data: %s\nproxies: [0.0.0.0/0]\nlisten: ['0.0.0.0:0']\npublicUrl: https://api.example.ir\n", data)
	said(t, 1, []string{"problem  proxies: 0.0.0.0/0 trusts everybody", "no Dargah database here"}, "doctor", "--config", wrong)
	said(t, 1, []string{"problem  configuration: ", "there is no setting"}, "doctor", "--config", file(t, "databse: x\n"))
}

// TestDoctorOfWebhooks: those that nobody can reach, that fail, and that were
// given up; what one folder's sandbox may reach, an installation may not.
func TestDoctorOfWebhooks(t *testing.T) {
	t.Parallel()
	hook := func(id, url string, failures int, off bool) webhook.Webhook {
		return webhook.Webhook{ID: id, URL: url, Failures: failures, Disabled: off, FailingSince: time.UnixMicro(1_790_000_000_000_000)}
	}
	const out, in = "https://x.example/", "http://127.0.0.1:9000/"
	for name, c := range map[string]struct {
		all  []webhook.Webhook
		want []string
	}{
		"none":          {nil, []string{"ok 0, of which 0 are disabled"}},
		"well":          {[]webhook.Webhook{hook("a", out, webhook.Sick-1, false), hook("b", in, 0, true)}, []string{"ok 2, of which 1 are disabled"}},
		"out of bounds": {[]webhook.Webhook{hook("a", in, 9, false)}, []string{"warning a: these settings do not let servers go there"}},
		"ill": {[]webhook.Webhook{hook("a", out, webhook.Sick, false), hook("b", out, 12, true)}, []string{
			"warning a since 2026-09-21", "warning b: disabled while failing",
		}},
		"many": {slices.Repeat([]webhook.Webhook{hook("a", in, 0, false)}, 7), []string{"warning a, a, a, a, a and 2 more: these settings"}},
	} {
		var l finding.List
		judgeWebhooks(&l, c.all, webhook.Rules{})
		var got []string
		for _, f := range l {
			got = append(got, f.Level.String()+" "+f.Says)
		}
		if !slices.EqualFunc(got, c.want, strings.HasPrefix) {
			t.Errorf("%s: %q", name, got)
		}
	}
	var l finding.List
	if judgeWebhooks(&l, []webhook.Webhook{hook("a", in, 0, false)}, webhook.Rules{HTTP: true, Allow: webhook.Loopback}); l[0].Level != finding.OK {
		t.Errorf("where it is allowed: %v", l)
	}
	a, s := served(t)
	err := s.PutWebhooks(t.Context(), []webhook.Webhook{storetest.Hook("inside", "https://10.20.0.7/in")})
	if err != nil {
		t.Fatal(err)
	}
	said(t, 0, []string{"warning  webhooks: inside: these settings"}, "doctor", "--data", a.dir)
}

func TestJudgeMachine(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	for name, c := range map[string]struct {
		judge func(*finding.List)
		want  finding.Level
	}{
		"clock":                  {func(l *finding.List) { judgeClock(l, true, time.Millisecond) }, finding.OK},
		"clock alone":            {func(l *finding.List) { judgeClock(l, false, 0) }, finding.Warning},
		"clock far off":          {func(l *finding.List) { judgeClock(l, true, 2*time.Second) }, finding.Warning},
		"files":                  {func(l *finding.List) { judgeFiles(l, 4096, 0) }, finding.OK},
		"files without a limit":  {func(l *finding.List) { judgeFiles(l, 0, 5000) }, finding.OK},
		"few files":              {func(l *finding.List) { judgeFiles(l, 4095, 0) }, finding.Warning},
		"files for connections":  {func(l *finding.List) { judgeFiles(l, 5064, 5000) }, finding.OK},
		"too few for these":      {func(l *finding.List) { judgeFiles(l, 5063, 5000) }, finding.Problem},
		"memory":                 {func(l *finding.List) { judgeMemory(l, 2048*mib, 0) }, finding.OK},
		"memory as it is set":    {func(l *finding.List) { judgeMemory(l, 1024*mib, 700*mib) }, finding.OK},
		"more than there is":     {func(l *finding.List) { judgeMemory(l, 1024*mib, 1<<62) }, finding.Warning},
		"little memory":          {func(l *finding.List) { judgeMemory(l, 511*mib, 300*mib) }, finding.Problem},
		"nearly all that is set": {func(l *finding.List) { judgeMemory(l, 1000*mib, 950*mib) }, finding.Warning},
	} {
		var l finding.List
		if c.judge(&l); len(l) != 1 || l[0].Level != c.want {
			t.Errorf("%s: %v", name, l)
		}
	}
}

// TestBrokenEnd: what starts or changes anything refuses an end of the trail
// that was cut off and says where; what only looks still works, and helps.
func TestBrokenEnd(t *testing.T) {
	t.Parallel()
	data := filepath.Join(onDisk(t), "data")
	stop(t, inquired(t, data, 2))
	spoil(t, data, `CREATE TABLE kept AS SELECT * FROM audit`, `DELETE FROM audit WHERE seq = 2`)
	const says = "its head is at record 2, and the last record that is there is 1"
	for _, refused := range [][]string{
		{"sandbox", "--listen", "127.0.0.1:0"}, {"wallet", "topup", "killed", "5"}, {"audit", "head"}, {"audit", "erase", "--before", "2020-01-01", "--yes"},
	} {
		said(t, 1, []string{says, "`dargah doctor` says what to do"}, append(refused, "--data", data)...)
	}
	said(t, 1, []string{
		"problem  trail: ", says, "stop all servers", "restore the last backup", "docs/trail.md", "1 problem(s)",
	}, "doctor", "--data", data)
	said(t, 1, []string{"record 2: is missing"}, "audit", "verify", "--data", data)
	for _, works := range [][]string{{"audit", "export"}, {"wallet", "check"}, {"wallet", "show", "killed"}, {"account", "statement", "killed"}} {
		said(t, 0, nil, append(works, "--data", data)...)
	}
	spoil(t, data, `DELETE FROM audit`, `INSERT INTO audit SELECT * FROM kept`, `DROP TABLE kept`)
	said(t, 0, []string{"2 records, all as they were written"}, "audit", "verify", "--data", data)
	said(t, 0, []string{"0 problem(s)"}, "doctor", "--data", data)
}
