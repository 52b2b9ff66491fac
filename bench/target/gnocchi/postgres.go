package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	lockLimit = 10 * time.Second
	lockPoll  = 20 * time.Millisecond
)

// programs are the directory of PostgreSQL's programs, and who may run them.
type programs struct {
	dir      string
	uid, gid string // who runs them; empty: ourselves
}

// findPrograms looks for all that an installation needs, and says what is missing.
func findPrograms() (p programs, err error) {
	var missing []string
	for _, name := range []string{"redis-server", "uwsgi_python3", "gnocchi-metricd", "gnocchi-upgrade"} {
		if _, err := exec.LookPath(name); err != nil {
			missing = append(missing, name)
		}
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		missing = append(missing, "PostgreSQL")
	}
	if len(missing) > 0 {
		return p, fmt.Errorf("no server: give -gnocchi URL, or install what is missing (%s) by target/gnocchi/setup.sh", strings.Join(missing, ", "))
	}
	slices.Sort(found)
	p.dir = filepath.Dir(found[len(found)-1])
	if os.Getuid() != 0 {
		return p, nil
	}
	// PostgreSQL refuses to run as root; its package makes this user.
	u, err := user.Lookup("postgres")
	if err != nil {
		return p, err
	}
	p.uid, p.gid = u.Uid, u.Gid
	return p, nil
}

func (p programs) path(name string) string { return filepath.Join(p.dir, name) }

// command is a program's command line, for work in dir.
func (p programs) command(dir, name string, args ...string) []string {
	line := append([]string{p.path(name)}, args...)
	if p.uid == "" {
		return line
	}
	// The change of user takes the signal of the parent's death away; setpriv asks for it anew.
	as := []string{"setpriv", "--reuid", p.uid, "--regid", p.gid, "--clear-groups", "--pdeathsig", "KILL"}
	if !open(dir) { // as below root's home: PostgreSQL gets by with the right to pass
		as = append(as, "--inh-caps", "+dac_override", "--ambient-caps", "+dac_override")
	}
	return append(as, line...)
}

// open tells whether every user can get to a directory.
func open(dir string) bool {
	for {
		info, err := os.Stat(dir)
		if err != nil || info.Mode()&0o001 == 0 {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
		dir = filepath.Dir(dir)
	}
}

// startPostgres runs a server with its defaults, syncing included, on loopback alone, and makes the database at the first start.
func (i *installation) startPostgres() error {
	data := i.at("postgresql")
	_, err := os.Stat(filepath.Join(data, "PG_VERSION"))
	fresh := errors.Is(err, os.ErrNotExist)
	if fresh {
		if err := i.makeCluster(data); err != nil {
			return err
		}
	}
	version, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if err != nil {
		return err
	}
	i.postgresVersion = "PostgreSQL " + strings.TrimSpace(string(version))
	if err := dropStaleLock(filepath.Join(data, "postmaster.pid")); err != nil {
		return err
	}
	port := strconv.Itoa(i.ports.postgres)
	args := i.postgres.command(i.dir, "postgres", "-D", data, "-p", port, "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=")
	ready := func() error { return i.sql("postgres", "select 1", nil) }
	if err := i.launch("postgresql", ready, args[0], args[1:]...); err != nil || !fresh {
		return err
	}
	return i.sql("postgres", "create database "+database, nil)
}

// dropStaleLock removes what a PostgreSQL that was killed left. PostgreSQL does so itself, unless the process is a zombie that nobody has
// asked after yet.
func dropStaleLock(path string) error {
	for deadline := time.Now().Add(lockLimit); ; time.Sleep(lockPoll) {
		text, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		pid, _, _ := strings.Cut(string(text), "\n")
		stat, err := os.ReadFile("/proc/" + strings.TrimSpace(pid) + "/stat")
		_, state, _ := strings.Cut(string(stat), ") ")
		if err != nil || strings.HasPrefix(state, "Z") {
			return os.Remove(path)
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("PostgreSQL: process %s still runs on %s", pid, filepath.Dir(path))
		}
	}
}

func (i *installation) makeCluster(data string) error {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return err
	}
	if i.postgres.uid != "" {
		if err := os.Chmod(i.dir, 0o755); err != nil {
			return err
		}
		uid, err1 := strconv.Atoi(i.postgres.uid)
		gid, err2 := strconv.Atoi(i.postgres.gid)
		if err := errors.Join(err1, err2, os.Chown(data, uid, gid)); err != nil {
			return err
		}
	}
	line := i.postgres.command(i.dir, "initdb", "-D", data, "-U", account, "--auth", "trust", "-E", "UTF8", "--locale", "C")
	return command(line[0], line[1:]...)
}

// sql runs a statement; rows, unless nil, gets what it prints.
func (i *installation) sql(db, statement string, rows *string) error {
	cmd := exec.Command(i.postgres.path("psql"), "-X", "-q", "-A", "-t", "-h", "127.0.0.1", "-p", strconv.Itoa(i.ports.postgres), "-U", account, "-d", db, "-c", statement)
	cmd.Env = append(os.Environ(), "PGCONNECT_TIMEOUT=10")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("PostgreSQL: %s: %w: %s", statement, err, strings.TrimSpace(string(out)))
	}
	if rows != nil {
		*rows = strings.TrimSpace(string(out))
	}
	return nil
}

func (i *installation) databaseBytes() (int64, error) {
	var text string
	if err := i.sql(database, "select pg_database_size('"+database+"')", &text); err != nil {
		return 0, err
	}
	return strconv.ParseInt(text, 10, 64)
}
