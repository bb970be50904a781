package config

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/knadh/koanf/providers/structs"
	"github.com/knadh/koanf/v2"
)

// A setting that the table lacks could not be set, and would not be printed.
func TestTableHasEverySetting(t *testing.T) {
	t.Parallel()
	k := koanf.New(".")
	if err := k.Load(structs.Provider(Default(), "koanf"), nil); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range settings {
		names = append(names, s.key)
	}
	slices.Sort(names)
	if diff := cmp.Diff(k.Keys(), names); diff != "" {
		t.Error(diff)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for key, want := range map[string][2]string{
		"listen": {"DARGAH_LISTEN", "listen"}, "masterKey": {"DARGAH_MASTER_KEY", "master-key"}, "tls.key": {"DARGAH_TLS_KEY", "tls-key"},
		"limits.connectionsPerAddress": {"DARGAH_LIMITS_CONNECTIONS_PER_ADDRESS", "limits-connections-per-address"},
		"publicUrl":                    {"DARGAH_PUBLIC_URL", "public-url"},
	} {
		s, exists := find(key)
		if got := [2]string{s.variable(), Flag(key)}; !exists || got != want {
			t.Errorf("%s: %v", key, got)
		}
	}
}
