package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/server/publish"
	"github.com/telemetrydb/tsdb/server/samples"
	"golang.org/x/term"
)

// importSamplesFlags are the settings of tsdb import samples.
type importSamplesFlags struct {
	data, creator string
	keepIDs       bool
}

func importSamplesCommand() *cobra.Command {
	var f importSamplesFlags
	cmd := &cobra.Command{
		Use:   "samples FILE...",
		Short: "Import what Ceilometer's file publisher or tsdb export wrote",
		Long: `Import samples and events from files of Ceilometer's file publisher, a sample or an event a line, as JSON or as Python prints a
dictionary, and from what tsdb export wrote, CSV included. Files may be compressed with gzip; - is the standard input. Lines that cannot be read are counted by reason and left out.
Samples of a file that is imported twice are there twice. The database must not be served meanwhile.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd.Context(), args, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.data, "data", defaultData, "directory of the database, which is created if there is none")
	fl.StringVar(&f.creator, "creator", "", "creator of new resources and metrics; empty: admin")
	fl.BoolVar(&f.keepIDs, "keep-message-ids", false, "keep the message ids of samples")
	return cmd
}

func (f *importSamplesFlags) run(ctx context.Context, files []string, stdin io.Reader, stdout, stderr io.Writer) (err error) {
	for _, name := range files { // before the database is made for nothing
		if name != "-" {
			if _, err := os.Stat(name); err != nil {
				return err
			}
		}
	}
	db, err := engine.Open(f.data, &engine.Options{MemoryBytes: memoryForMachine()})
	if err != nil {
		return fmt.Errorf("opening %s: %w", f.data, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	store := samples.New(db, &samples.Options{Creator: f.creator, KeepMessageIDs: f.keepIDs})
	doors := publish.New(store, &publish.Options{Events: db.AppendEvents})
	for _, name := range files {
		if err := importFile(ctx, doors, name, stdin, stdout, stderr); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// importFile imports a file and tells what came of it.
func importFile(ctx context.Context, doors *publish.Doors, name string, stdin io.Reader, stdout, stderr io.Writer) error {
	in, size := stdin, int64(-1)
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		defer file.Close()
		info, err := file.Stat()
		if err != nil {
			return err
		}
		in, size = file, info.Size()
	}
	counted := &countingReader{r: in}
	src, err := plain(counted)
	if err != nil {
		return err
	}
	progress := func(int64) {}
	if w, ok := stderr.(*os.File); ok && term.IsTerminal(int(w.Fd())) {
		bar := progressbar.NewOptions64(size, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(name), progressbar.OptionShowBytes(true),
			progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
		defer func() { _ = bar.Finish() }()
		progress = func(int64) { _ = bar.Set64(counted.n) }
	}
	begin := time.Now()
	readAll := doors.ReadFile
	if head, _ := src.Peek(len(publish.CSVHeader)); string(head) == publish.CSVHeader {
		readAll = doors.ReadCSV
	}
	read, err := readAll(ctx, src, progress)
	fmt.Fprintf(stdout, "%s: %d of %d lines stored, in %.1f s\n", name, read.Stored, read.Lines, time.Since(begin).Seconds())
	for _, reason := range slices.Sorted(maps.Keys(read.Refused)) {
		fmt.Fprintf(stdout, "%s: %d refused: %s\n", name, read.Refused[reason], reason)
	}
	if read.First != nil {
		fmt.Fprintf(stdout, "%s: the first of them is line %d: %v\n", name, read.FirstAt, read.First)
	}
	return err
}

// countingReader counts what is read.
type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// plain gives what r reads, decompressed if it is compressed with gzip.
func plain(r io.Reader) (*bufio.Reader, error) {
	b := bufio.NewReaderSize(r, 256<<10)
	if head, _ := b.Peek(2); string(head) != "\x1f\x8b" {
		return b, nil
	}
	z, err := gzip.NewReader(b)
	if err != nil {
		return nil, err
	}
	return bufio.NewReaderSize(z, 256<<10), nil
}
