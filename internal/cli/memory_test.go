package cli

import (
	"math"
	"testing"
	"testing/fstest"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	const machine = "MemFree:  1 kB\nMemTotal:       16384 kB\nSwapTotal: 4 kB\n"
	for name, c := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"nothing is told":   {nil, math.MaxInt64},
		"a machine":         {map[string]string{"proc/meminfo": machine}, 16 << 20},
		"a group of no end": {map[string]string{"proc/meminfo": machine, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "max\n"}, 16 << 20},
		"a container":       {map[string]string{"proc/meminfo": machine, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "1048576\n"}, 1 << 20},
		"a service, whose slice is smaller": {map[string]string{
			"proc/meminfo": machine, "proc/self/cgroup": "0::/a.slice/b.service\n",
			"sys/fs/cgroup/a.slice/b.service/memory.max": "8388608\n", "sys/fs/cgroup/a.slice/memory.max": "4194304\n",
		}, 4 << 20},
		"the first kind of groups": {map[string]string{
			"proc/meminfo": machine, "proc/self/cgroup": "7:cpu:/\n4:memory:/x\n",
			"sys/fs/cgroup/memory/x/memory.limit_in_bytes": "2097152\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
			"sys/fs/cgroup/memory.max": "1\n", // not of this kind
		}, 2 << 20},
		"no number": {map[string]string{"proc/meminfo": "MemTotal: much\n", "proc/self/cgroup": "0\n\n0::\n", "sys/fs/cgroup/memory.max": "-1\n"}, math.MaxInt64},
	} {
		root := fstest.MapFS{}
		for file, text := range c.files {
			root[file] = &fstest.MapFile{Data: []byte(text)}
		}
		if got := memory(root); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}
