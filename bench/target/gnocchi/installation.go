package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/telemetrydb/tsdb/bench/child"
	"github.com/telemetrydb/tsdb/bench/served"
)

const (
	apiProcesses   = 4
	apiThreads     = 32
	metricdWorkers = 2
	database       = "gnocchi"
	account        = "gnocchi" // of PostgreSQL
	startLimit     = 2 * time.Minute
	stopLimit      = 2 * time.Minute // metricd finishes what it is at
	pingLimit      = 2 * time.Second
	stepLimit      = 3 * time.Minute // of a command that prepares something
)

// installation is a Gnocchi of our own: everything it keeps is in one directory, and all of its processes end with this one.
type installation struct {
	url             string
	postgresVersion string
	dir             string
	ports           struct{ postgres, redis, api int }
	postgres        programs
	running         []*child.Process // in the order of their start
}

// start starts PostgreSQL and Redis, then Gnocchi's API and metricd. The first start in dir makes the database.
func start(dir string, fsync bool) (i *installation, err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	i = &installation{dir: dir}
	if i.postgres, err = findPrograms(); err != nil {
		return nil, err
	}
	for _, p := range []*int{&i.ports.postgres, &i.ports.redis, &i.ports.api} {
		if *p, err = child.FreePort(); err != nil {
			return nil, err
		}
	}
	i.url = "http://" + i.address(i.ports.api)
	for _, step := range []func() error{i.startPostgres, func() error { return i.startRedis(fsync) }, i.configure, i.startMetricd, i.startAPI} {
		if err := step(); err != nil {
			return nil, errors.Join(err, i.kill())
		}
	}
	return i, nil
}

func (i *installation) address(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }

func (i *installation) at(elements ...string) string {
	return filepath.Join(append([]string{i.dir}, elements...)...)
}

// launch starts a process that is stopped with the rest.
func (i *installation) launch(name string, healthy func() error, binary string, args ...string) error {
	p, err := child.Start(child.Config{Binary: binary, Args: args, Dir: i.dir, Log: i.at("log", name+".log"), Healthy: healthy,
		StartLimit: startLimit, StopLimit: stopLimit})
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	i.running = append(i.running, p)
	return nil
}

// startRedis keeps a log of what comes in, so that an acknowledged measure outlives the process.
func (i *installation) startRedis(fsync bool) error {
	dir := i.at("redis")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	sync := "everysec"
	if fsync {
		sync = "always"
	}
	return i.launch("redis", i.redisAnswers, "redis-server", "--port", strconv.Itoa(i.ports.redis), "--bind", "127.0.0.1",
		"--dir", dir, "--daemonize", "no", "--appendonly", "yes", "--appendfsync", sync)
}

// redisAnswers is nil when Redis has read its log again.
func (i *installation) redisAnswers() error {
	c, err := net.DialTimeout("tcp", i.address(i.ports.redis), pingLimit)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(pingLimit)); err != nil {
		return err
	}
	if _, err := c.Write([]byte("PING\r\n")); err != nil {
		return err
	}
	answer, err := bufio.NewReader(c).ReadString('\n')
	if err == nil && answer != "+PONG\r\n" {
		err = fmt.Errorf("redis says %q", answer)
	}
	return err
}

// configure writes gnocchi.conf, whose ports are new each time, and makes the tables if there are none.
func (i *installation) configure() error {
	for _, d := range []string{"storage", "log"} {
		if err := os.MkdirAll(i.at(d), 0o755); err != nil {
			return err
		}
	}
	redis := "redis://" + i.address(i.ports.redis) + "/0"
	text := fmt.Sprintf(`[DEFAULT]
coordination_url = %s
[api]
auth_mode = basic
operation_timeout = 60
[indexer]
url = postgresql://%s@%s/%s
[storage]
driver = file
file_basepath = %s
[incoming]
driver = redis
redis_url = %s
[metricd]
workers = %d
`, redis, account, i.address(i.ports.postgres), database, i.at("storage"), redis, metricdWorkers)
	if err := os.WriteFile(i.conf(), []byte(text), 0o644); err != nil {
		return err
	}
	done := i.at("upgraded")
	if _, err := os.Stat(done); err == nil {
		return nil
	}
	if err := command("gnocchi-upgrade", "--config-file", i.conf()); err != nil {
		return err
	}
	return os.WriteFile(done, nil, 0o644)
}

func (i *installation) conf() string { return i.at("gnocchi.conf") }

// startMetricd does not wait for metricd: what it does shows in the backlog.
func (i *installation) startMetricd() error {
	return i.launch("metricd", nil, "gnocchi-metricd", "--config-file", i.conf())
}

// startAPI runs uwsgi with the settings of Debian's gnocchi-api.
func (i *installation) startAPI() error {
	return i.launch("api", child.HTTP(i.url+"/"), "uwsgi_python3", "--plugins", "http,python3", "--http-socket", i.address(i.ports.api),
		"--add-header", "Connection: close", "--master", "--enable-threads", "--thunder-lock", "--lazy-apps", "--die-on-term", "--no-orphans",
		"--buffer-size", "65535", "--listen", "100", "--processes", strconv.Itoa(apiProcesses), "--threads", strconv.Itoa(apiThreads),
		"--disable-logging", "--chdir", "/", "--wsgi", "gnocchi.rest.wsgi", "--pyargv", "--config-file "+i.conf())
}

// command runs what prepares something, within a limit of time.
func command(name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(name), err)
	}
	late := time.AfterFunc(stepLimit, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	defer late.Stop()
	if err := cmd.Wait(); err != nil {
		text := strings.TrimSpace(out.String())
		return fmt.Errorf("%s: %w: %s", filepath.Base(name), err, text[max(0, len(text)-1000):])
	}
	return nil
}

// ended tells which of the processes has ended, for an error. A nil installation has none.
func (i *installation) ended() string {
	if i == nil {
		return ""
	}
	for _, p := range i.running {
		if err := p.Check(); err != nil {
			return "; " + err.Error()
		}
	}
	return ""
}

func (i *installation) processes() (pids []int) {
	for _, p := range i.running {
		pids = append(pids, p.PID())
	}
	return pids
}

// bytes adds up the blocks of files and directories of the storage, and the database.
func (i *installation) bytes() (int64, error) {
	index, err := i.databaseBytes()
	return served.Weigh(i.at("storage")).Allocated + index, err
}

// stop ends the processes in the reverse order.
func (i *installation) stop() (err error) {
	for n := len(i.running) - 1; n >= 0; n-- {
		err = errors.Join(err, i.running[n].Stop())
	}
	return err
}

// kill ends the processes at once. A nil installation has none.
func (i *installation) kill() (err error) {
	if i == nil {
		return nil
	}
	for n := len(i.running) - 1; n >= 0; n-- {
		err = errors.Join(err, i.running[n].Kill())
	}
	return err
}
