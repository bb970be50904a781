package store

import "syscall"

// Magic numbers of file systems, as statfs(2) gives them.
var (
	networks = map[int64]string{
		0x6969: "NFS", 0xff534d42: "CIFS", 0xfe534d42: "SMB2", 0x517b: "SMB", 0x01021997: "9p", 0x65735546: "FUSE",
		0x5346414f: "AFS", 0x00c36400: "Ceph", 0x0bd00bd0: "Lustre", 0x01161970: "GFS2", 0x7461636f: "OCFS2",
	}
	memories = map[int64]string{0x01021994: "tmpfs", 0x858458f6: "ramfs"}
)

const overlay = 0x794c7630

func diskOf(dir string) (d disk, known bool) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return disk{}, false
	}
	kind := int64(s.Type) & 0xffffffff        //nolint:unconvert // it is shorter on some machines
	d.free = int64(s.Bavail) * int64(s.Bsize) //nolint:unconvert // likewise
	d.layer = kind == overlay
	if d.kind, d.network = networks[kind]; d.network {
		return d, true
	}
	d.kind, d.memory = memories[kind]
	return d, true
}
