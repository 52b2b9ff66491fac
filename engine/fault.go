package engine

import (
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync/atomic"
)

// fault remembers the failure that made the database read-only. An embedded database never ends the process it lives in.
type fault struct {
	err    atomic.Pointer[error]
	broken atomic.Bool // Pebble stopped halfway: its locks may be held for good
	log    *slog.Logger
}

// set makes the database read-only because of err, if it is not so already, and returns the error for the caller.
func (f *fault) set(err error) error {
	err = fmt.Errorf("tsdb: %w: %w", ErrReadOnly, err)
	if f.err.CompareAndSwap(nil, &err) {
		f.log.Error("database is read-only from now on", "error", err)
		return err
	}
	return *f.err.Load()
}

// check returns why the database is read-only, nil if it is not.
func (f *fault) check() error {
	if e := f.err.Load(); e != nil {
		return *e
	}
	return nil
}

// fatal is what storeLogger.Fatalf panics with on a goroutine of ours.
type fatal struct{ err error }

// guard runs fn, which writes to Pebble, and turns Pebble's fatal errors and panics into one of ours. With shield
// below Pebble none are known to happen.
func (db *DB) guard(fn func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			db.fault.broken.Store(true)
			if f, ok := r.(fatal); ok {
				err = f.err
			} else {
				err = db.fault.set(fmt.Errorf("storage: %v", r))
			}
		}
	}()
	if err := fn(); err != nil {
		return db.fault.set(err)
	}
	return nil
}

// storeLogger passes Pebble's words on. Pebble calls Fatalf when it cannot go on and expects that not to return:
// on a goroutine of ours, below guard, it panics up to guard; on one of Pebble's it parks that goroutine for good.
type storeLogger struct{ fault *fault }

func (l storeLogger) Infof(string, ...any) {}

func (l storeLogger) Errorf(format string, args ...any) {
	l.fault.log.Warn("storage", "message", fmt.Sprintf(format, args...))
}

func (l storeLogger) Fatalf(format string, args ...any) {
	l.fault.broken.Store(true)
	err := l.fault.set(fmt.Errorf(format, args...))
	if belowGuard() {
		panic(fatal{err})
	}
	select {}
}

func belowGuard() bool {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for {
		f, more := frames.Next()
		if strings.HasSuffix(f.Function, "engine.(*DB).guard") {
			return true
		}
		if !more {
			return false
		}
	}
}
