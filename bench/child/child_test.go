package child

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain makes this binary a server when it is asked to be one.
func TestMain(m *testing.M) {
	switch os.Getenv("CHILD_TEST") {
	case "":
		os.Exit(m.Run())
	case "serve":
		l, err := net.Listen("tcp", os.Getenv("CHILD_ADDRESS"))
		if err != nil {
			os.Exit(9)
		}
		fmt.Println("listening")
		_ = http.Serve(l, http.NotFoundHandler())
	case "parent": // starts a server, tells its number and waits
		p, err := Start(Config{Binary: "sleep", Args: []string{"1000"}, Log: os.Getenv("CHILD_LOG")})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(p.PID())
		select {}
	}
}

func serving(t *testing.T) (c Config, address string) {
	address, err := FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	return Config{Binary: os.Args[0], Env: []string{"CHILD_TEST=serve", "CHILD_ADDRESS=" + address}, Healthy: TCP(address),
		Log: filepath.Join(t.TempDir(), "log", "server.log")}, address
}

func TestServerLives(t *testing.T) {
	c, address := serving(t)
	p, err := Start(c)
	if err != nil {
		t.Fatal(err)
	}
	if group, err := syscall.Getpgid(p.PID()); err != nil || group != p.PID() {
		t.Errorf("group %d, process %d: %v", group, p.PID(), err)
	}
	if p.State() != nil || p.Check() != nil {
		t.Errorf("running, but %v, %v", p.State(), p.Check())
	}
	if err := HTTP("http://" + address)(); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("a server that answers 404 is healthy: %v", err)
	}
	if err := p.Stop(); err != nil {
		t.Error(err)
	}
	if p.State() == nil || p.Check() == nil || p.Stop() == nil || p.Kill() != nil {
		t.Errorf("stopped, but %v, %v", p.State(), p.Check())
	}
	if TCP(address)() == nil {
		t.Error("somebody still listens")
	}
}

func TestStartFails(t *testing.T) {
	never := func() error { return errors.New("no answer") }
	for _, test := range []struct{ name, script, want string }{
		{"dies", "echo one; echo address in use >&2; exit 3", "exit status 3; its last lines:\none\naddress in use"},
		{"dies silently", "exit 4", "exit status 4; it printed nothing"},
		{"hangs", "echo waiting; sleep 1000", "not healthy within 200ms: no answer; its last lines:\nwaiting"},
	} {
		t.Run(test.name, func(t *testing.T) {
			log := filepath.Join(t.TempDir(), "log")
			if err := os.WriteFile(log, []byte("of an earlier run\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			c := Config{Binary: "sh", Args: []string{"-c", test.script}, Log: log, Healthy: never, StartLimit: 200 * time.Millisecond}
			if test.name != "hangs" {
				c.StartLimit = time.Minute
			}
			_, err := Start(c)
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "earlier") {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	if _, err := Start(Config{Binary: "/no/such/server"}); err == nil {
		t.Error("started what is not there")
	}
}

func TestStopKillsWhatDoesNotEnd(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	ready := func() error {
		if b, _ := os.ReadFile(log); len(b) == 0 {
			return errors.New("no line yet")
		}
		return nil
	}
	p, err := Start(Config{Binary: "sh", Args: []string{"-c", "trap '' TERM; sleep 1000 & echo ready; while :; do wait; done"}, Log: log,
		Healthy: ready, StopLimit: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Stop(); err == nil || !strings.Contains(err.Error(), "did not end within 50ms") {
		t.Errorf("got %v", err)
	}
	// The log's lock shows that the shell's own child is gone too.
	f, err := openLog(log, time.Now().Add(10*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
}

func TestOneServerForALog(t *testing.T) {
	c, _ := serving(t)
	p, err := Start(c)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	c.StartLimit = 30 * time.Millisecond
	if _, err := Start(c); err == nil || !strings.Contains(err.Error(), "another server still writes") {
		t.Errorf("got %v", err)
	}
}

func TestServerDiesWithItsParent(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), "CHILD_TEST=parent", "CHILD_LOG="+log)
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	var pid int
	if _, bad := fmt.Sscan(line, &pid); err != nil || bad != nil {
		t.Fatalf("%q %v", line, err)
	}
	_ = parent.Process.Kill()
	_ = parent.Wait()
	f, err := openLog(log, time.Now().Add(10*time.Second)) // free when the server is gone
	if err != nil {
		_ = syscall.Kill(pid, syscall.SIGKILL)
		t.Fatal(err)
	}
	f.Close()
}

func TestFindNamesThePackage(t *testing.T) {
	if _, err := Find("no-such-server", "some-package"); !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), "package some-package") {
		t.Errorf("got %v", err)
	}
	if path, err := Find("sh", "dash"); err != nil || path == "" {
		t.Errorf("got %q, %v", path, err)
	}
}
