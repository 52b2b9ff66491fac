package engine

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// SyncMode says what an acknowledged write has survived.
type SyncMode uint8

const (
	// SyncAlways (the default): on stable storage; it survives power loss.
	SyncAlways SyncMode = iota
	// SyncInterval: handed to the operating system, and on stable storage within Options.SyncEvery.
	// It survives the end of the process at any moment, not a power loss.
	SyncInterval
)

// Options configures Open. A nil *Options and every zero field mean the default named beside the field.
// Open works on a copy.
type Options struct {
	// FS is the file system the database lives on. Default: the operating system's.
	FS vfs.FS
	// Sync says when a write is acknowledged. Default: SyncAlways.
	Sync SyncMode
	// SyncEvery bounds what a power loss can take under SyncInterval. Default 1s, at least 10ms.
	SyncEvery time.Duration
	// MemoryBytes is what samples not yet sealed, caches and buffers may take together. Default 64 MiB, at least 8 MiB.
	MemoryBytes int64
	// KeepEnded is how long resources are kept after they ended, with their metrics and samples. Default 0: for ever.
	KeepEnded time.Duration
	// KeepRevisions is how long past states of resources are kept after they were over. Default 0: as long as the resource.
	KeepRevisions time.Duration
	// KeepEvents is how long events are kept after they were generated, at least: they go by days, in UTC. Default 0: for ever.
	KeepEvents time.Duration
	// Now is the clock; it dates revisions and the expiry of resources and events, never samples. Default: time.Now.
	Now func() time.Time
	// Logger gets a line for events an operator would want to know. Default: silent.
	Logger *slog.Logger
}

func (o *Options) withDefaults() (Options, error) {
	var c Options
	if o != nil {
		c = *o
	}
	if c.FS == nil {
		c.FS = vfs.Default
	}
	c.SyncEvery = cmp.Or(c.SyncEvery, time.Second)
	c.MemoryBytes = cmp.Or(c.MemoryBytes, 64<<20)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	var errs []error
	if c.Sync > SyncInterval {
		errs = append(errs, fmt.Errorf("Sync %d: want SyncAlways or SyncInterval", c.Sync))
	}
	if c.SyncEvery < 10*time.Millisecond {
		errs = append(errs, fmt.Errorf("SyncEvery %v: want at least 10ms", c.SyncEvery))
	}
	if c.MemoryBytes < 8<<20 {
		errs = append(errs, fmt.Errorf("MemoryBytes %d: want at least 8 MiB", c.MemoryBytes))
	}
	if c.KeepEnded < 0 || c.KeepRevisions < 0 || c.KeepEvents < 0 {
		errs = append(errs, fmt.Errorf("KeepEnded %v, KeepRevisions %v, KeepEvents %v: want 0 or more", c.KeepEnded, c.KeepRevisions, c.KeepEvents))
	}
	if err := errors.Join(errs...); err != nil {
		return c, &Error{Kind: "option", Err: ErrInvalid, Detail: err.Error()}
	}
	return c, nil
}
