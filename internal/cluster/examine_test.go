package cluster_test

import (
	"strings"
	"testing"

	"dargah.dev/dargah/internal/cluster"
	"dargah.dev/dargah/internal/finding"
	"dargah.dev/dargah/internal/throwaway"
)

func TestExamine(t *testing.T) {
	t.Parallel()
	r := throwaway.StartRedis(t)
	l := cluster.Examine(t.Context(), r.URL())
	if l.Count(finding.Problem) > 0 || len(l) != 3 {
		t.Errorf("%v", l)
	}
	if keys := r.Do(t, "DBSIZE"); keys != int64(0) {
		t.Errorf("looking left %v keys", keys)
	}
	secured := throwaway.StartRedis(t, "--requirepass", "throwaway-password")
	const secret = "s3cret"
	for name, c := range map[string]struct {
		url   string
		level finding.Level
		want  string
	}{
		"nobody there":   {"redis://u:" + secret + "@127.0.0.1:1/0", finding.Warning, "does not answer"},
		"no address":     {"redis://u:" + secret + "@127.0.0.1:x/0", finding.Problem, "not an address"},
		"no password":    {secured.URL(), finding.Problem, "refuses us"},
		"wrong password": {strings.Replace(secured.URL(), "redis://", "redis://:"+secret+"@", 1), finding.Problem, "refuses us"},
	} {
		l := cluster.Examine(t.Context(), c.url)
		if len(l) != 1 || l[0].Level != c.level || !strings.Contains(l[0].Says, c.want) || strings.Contains(l[0].Says+l[0].Do, secret) {
			t.Errorf("%s: %v", name, l)
		}
	}
}

func TestJudgeServer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		info string
		want finding.Level
	}{
		"no bound":         {"redis_version:7.0.15 role:master used_memory:999 maxmemory:0 maxmemory_policy:noeviction", finding.OK},
		"room":             {"redis_version:7.0.15 role:master used_memory:80 maxmemory:100 maxmemory_policy:allkeys-lru", finding.OK},
		"full":             {"redis_version:7.0.15 role:master used_memory:81 maxmemory:100 maxmemory_policy:noeviction", finding.Warning},
		"full and forgets": {"redis_version:7.0.15 role:master used_memory:81 maxmemory:100 maxmemory_policy:allkeys-lru", finding.Warning},
		"old":              {"redis_version:4.0.9 role:master", finding.Problem},
		"replica":          {"redis_version:8.0.0 role:slave", finding.Problem},
		"says nothing":     {"", finding.OK},
	} {
		said := map[string]string{}
		for word := range strings.FieldsSeq(c.info) {
			name, value, _ := strings.Cut(word, ":")
			said[name] = value
		}
		if l := cluster.JudgeServer(said); len(l) != 1 || l[0].Level != c.want {
			t.Errorf("%s: %v", name, l)
		}
	}
}
