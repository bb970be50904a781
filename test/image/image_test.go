//go:build linux

// Package image_test builds the image of deploy/ and runs what is in it, as its
// user and with nothing else in the file system.
package image_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"dargah.dev/dargah/internal/throwaway"
)

const (
	owner    = 65532 // the image's user and group
	patience = 30 * time.Second
)

func TestImage(t *testing.T) {
	b := newBuilder(t)
	b.run(t, append([]string{"build", "--isolation", "chroot"}, b.documented(t)...)...)
	container := strings.TrimSpace(b.run(t, "from", "localhost/dargah"))
	t.Run("says how it is run", func(t *testing.T) { b.described(t) })
	t.Run("holds the program and a folder", func(t *testing.T) { b.contents(t, container) })
	t.Run("serves", func(t *testing.T) { b.serves(t, container) })
}

// builder is buildah, with storage of its own.
type builder struct{ program, storage, temporary, context string }

// newBuilder makes what the image is built of, as the README says.
func newBuilder(t *testing.T) *builder {
	t.Helper()
	program, err := exec.LookPath("buildah")
	switch {
	case err != nil:
		throwaway.Lack(t, err)
	case os.Geteuid() != 0:
		t.Skip("another user than root may not be able to change the owner of what is in the image")
	}
	b := &builder{program, t.TempDir(), t.TempDir(), t.TempDir()}
	t.Cleanup(func() { b.run(t, "rm", "--all") }) // unmounts what is mounted
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-o", filepath.Join(b.context, "bin", "dargah"), ".")
	build.Dir, build.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	if err := os.MkdirAll(filepath.Join(b.context, "bin", "image", "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(b.context, "deploy"), os.DirFS(filepath.Join(root, "deploy"))); err != nil {
		t.Fatal(err)
	}
	return b
}

// documented is what the README gives to podman, whose build is buildah's.
func (b *builder) documented(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(b.context, "deploy", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	const command = "\npodman build "
	_, after, found := strings.Cut(string(text), command)
	if !found {
		t.Fatalf("deploy/README.md has no line %q", command)
	}
	line, _, _ := strings.Cut(after, "\n")
	return strings.Fields(line)
}

func (b *builder) command(args ...string) *exec.Cmd {
	storage := []string{"--root", filepath.Join(b.storage, "root"), "--runroot", filepath.Join(b.storage, "run"), "--storage-driver", "vfs"}
	cmd := exec.Command(b.program, append(storage, args...)...)
	cmd.Dir, cmd.Env = b.context, append(os.Environ(), "TMPDIR="+b.temporary)
	return cmd
}

func (b *builder) run(t *testing.T, args ...string) string {
	t.Helper()
	cmd := b.command(args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("buildah %s: %v\n%s%s", strings.Join(args, " "), err, out, &said)
	}
	return string(out)
}

func (b *builder) described(t *testing.T) {
	var image struct {
		Docker struct {
			Config struct {
				User, StopSignal string
				Env, Entrypoint  []string
				Cmd              []string
				Volumes          map[string]struct{}
				ExposedPorts     map[string]struct{}
				Healthcheck      *struct{ Test []string }
			}
		}
	}
	if err := json.Unmarshal([]byte(b.run(t, "inspect", "--type", "image", "localhost/dargah")), &image); err != nil {
		t.Fatal(err)
	}
	c := image.Docker.Config
	_, volume := c.Volumes["/data"]
	_, port := c.ExposedPorts["8080/tcp"]
	if c.User != fmt.Sprintf("%d:%[1]d", owner) || c.StopSignal != "SIGTERM" || !volume || !port ||
		!slices.Equal(c.Entrypoint, []string{"/dargah"}) || !slices.Equal(c.Cmd, []string{"serve"}) || !slices.Contains(c.Env, "DARGAH_DATA=/data") {
		t.Errorf("the image is run so: %+v", c)
	}
	if c.Healthcheck == nil || !slices.Equal(c.Healthcheck.Test, []string{"CMD", "/dargah", "health"}) {
		t.Errorf("its health is looked at so: %+v", c.Healthcheck)
	}
}

// contents fails for anything that somebody who breaks into the program could
// use, or could not be written where it has to be.
func (b *builder) contents(t *testing.T, container string) {
	root := strings.TrimSpace(b.run(t, "mount", container))
	defer b.run(t, "umount", container)
	want := map[string]struct {
		mode  fs.FileMode
		owner uint32
	}{"dargah": {0o555, 0}, "data": {fs.ModeDir | 0o700, owner}}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		name := strings.TrimPrefix(path, root+"/")
		info, err := d.Info()
		if err != nil {
			return err
		}
		w, known := want[name]
		delete(want, name)
		if of := info.Sys().(*syscall.Stat_t); !known || info.Mode() != w.mode || of.Uid != w.owner || of.Gid != w.owner {
			t.Errorf("/%s: %v of %d:%d", name, info.Mode(), of.Uid, of.Gid)
		}
		return nil
	})
	if err != nil || len(want) > 0 {
		t.Errorf("%v; missing: %v", err, want)
	}
}

// serves starts the server, and runs commands beside it.
func (b *builder) serves(t *testing.T, container string) {
	listen := "DARGAH_LISTEN=" + throwaway.FreeAddress(t)
	inside := func(command ...string) []string {
		return append([]string{"run", "--isolation", "chroot", "--env", listen, "--env", "DARGAH_DRAIN=1s", container, "--", "/dargah"}, command...)
	}
	server := b.command(inside("serve")...)
	server.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	output, err := server.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	lines := make(chan string, 100)
	go func() {
		for in := bufio.NewScanner(output); in.Scan(); {
			lines <- in.Text()
		}
		close(lines)
		_ = server.Wait() // how it ends is asked by other tests
		close(ended)
	}()
	kill := func() { _ = syscall.Kill(-server.Process.Pid, syscall.SIGKILL) } // it may be gone already
	defer func() {
		kill()
		<-ended
	}()
	awaitLine(t, lines, `"msg":"ready"`)
	b.run(t, inside("health")...)
	b.run(t, inside("domain", "add", "sms.example.ir")...)
	if list := b.run(t, inside("domain", "list")...); !strings.Contains(list, "sms.example.ir") {
		t.Errorf("the domains are %q", list)
	}
	if err := syscall.Kill(process(t, listen), syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	awaitLine(t, lines, `"msg":"stopping"`)
	defer time.AfterFunc(patience, kill).Stop()
	for range lines { // its last words; then buildah cleans up
	}
	<-ended
}

// process is the server's: buildah, above it, does not pass signals on.
func process(t *testing.T, listen string) int {
	t.Helper()
	all, _ := filepath.Glob("/proc/[0-9]*")
	for _, folder := range all {
		command, _ := os.ReadFile(filepath.Join(folder, "cmdline")) // it may be gone already
		environment, _ := os.ReadFile(filepath.Join(folder, "environ"))
		if string(command) == "/dargah\x00serve\x00" && strings.Contains(string(environment), listen+"\x00") {
			pid, err := strconv.Atoi(filepath.Base(folder))
			if err != nil {
				t.Fatal(err)
			}
			return pid
		}
	}
	t.Fatal("no process serves in the image")
	return 0
}

func awaitLine(t *testing.T, lines <-chan string, part string) {
	t.Helper()
	var said []string
	for timeout := time.After(patience); ; {
		select {
		case line, more := <-lines:
			if !more {
				t.Fatalf("it ended without %s:\n%s", part, strings.Join(said, "\n"))
			}
			if said = append(said, line); strings.Contains(line, part) {
				return
			}
		case <-timeout:
			t.Fatalf("no %s:\n%s", part, strings.Join(said, "\n"))
		}
	}
}
