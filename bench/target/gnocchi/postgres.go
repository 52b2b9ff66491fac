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
	dir string
	as  *syscall.Credential // nil: ourselves
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
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	p.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return p, errors.Join(err1, err2)
}

func (p programs) path(name string) string { return filepath.Join(p.dir, name) }

// reachable tells whether another user can get to a directory, by the rights of those above it.
func reachable(dir string) error {
	for d := dir; ; d = filepath.Dir(d) {
		info, err := os.Stat(d)
		if err != nil {
			return err
		}
		if info.Mode()&0o001 == 0 {
			return fmt.Errorf("the user postgres cannot enter %s: chmod o+x %s, or take another directory", d, d)
		}
		if d == filepath.Dir(d) {
			return nil
		}
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
	args := []string{i.postgres.path("postgres"), "-D", data, "-p", port, "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="}
	if c := i.postgres.as; c != nil {
		// The change of user takes the signal of the parent's death away; setpriv asks for it anew.
		args = append([]string{"setpriv", "--reuid", strconv.Itoa(int(c.Uid)), "--regid", strconv.Itoa(int(c.Gid)), "--clear-groups",
			"--pdeathsig", "KILL"}, args...)
	}
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
	if c := i.postgres.as; c != nil {
		if err := os.Chmod(i.dir, 0o755); err != nil {
			return err
		}
		if err := os.Chown(data, int(c.Uid), int(c.Gid)); err != nil {
			return err
		}
		if err := reachable(i.dir); err != nil {
			return err
		}
	}
	return command(i.postgres.as, i.postgres.path("initdb"), "-D", data, "-U", account, "--auth", "trust", "-E", "UTF8", "--locale", "C")
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
