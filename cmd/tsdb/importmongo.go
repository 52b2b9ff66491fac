package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/importer"
	"github.com/telemetrydb/tsdb/server/samples"
	"golang.org/x/term"
)

// mongoFlags are the settings of the commands that import what Ceilometer kept in MongoDB.
type mongoFlags struct {
	data, creator              string
	dedupe, keepIDs            bool
	keepBeforeDamage, noVerify bool
}

func importDumpCommand() *cobra.Command {
	var f mongoFlags
	cmd := &cobra.Command{
		Use:   "ceilometer-dump PATH",
		Short: "Import what mongodump left of Ceilometer's database",
		Long: `Import samples and events from what mongodump left: a directory with meter.bson, event.bson and resource.bson, of which any may be
missing and any compressed (.gz), a directory that holds such a directory, one of these files, or an archive. Dumps of every version of MongoDB
can be read. A damaged dump is refused, with the place of the damage, unless --keep-before-damage is given. Of several dumps of one database import the
last alone, or all with --keep-message-ids: samples that are there are not stored again then.
` + importAgain,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			src, err := importer.OpenDump(args[0])
			if err != nil {
				return err
			}
			return f.run(cmd.Context(), src, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&f.keepBeforeDamage, "keep-before-damage", false, "import what a damaged file has before the damage")
	return cmd
}

func importMongoCommand() *cobra.Command {
	var f mongoFlags
	cmd := &cobra.Command{
		Use:   "ceilometer-mongodb URI",
		Short: "Import Ceilometer's database from a running MongoDB",
		Long: `Import samples and events from a running MongoDB, version 3.6 or newer; of older ones import a dump. The URI is that of Ceilometer's
configuration, such as mongodb://ceilometer:PASSWORD@controller:27017/ceilometer. Ceilometer may go on writing: run the command again for what
came since. What was written in the last two minutes is left for that.
` + importAgain,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			src, err := importer.OpenServer(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return f.run(cmd.Context(), src, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f.add(cmd)
	return cmd
}

const importAgain = `
An import that was interrupted goes on where it was when the command is given again. At the end the source is read once more, and the number and sum
of the samples of each meter of each resource are compared; --no-verify leaves that out. The database must not be served meanwhile.`

func (f *mongoFlags) add(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringVar(&f.data, "data", defaultData, "directory of the database, which is created if there is none")
	fl.StringVar(&f.creator, "creator", "", "creator of new resources and metrics; empty: admin")
	fl.BoolVar(&f.keepIDs, "keep-message-ids", false, "keep the message ids of samples")
	fl.BoolVar(&f.dedupe, "dedupe", false, "drop samples that were delivered more than once; takes 40 bytes of memory a sample")
	fl.BoolVar(&f.noVerify, "no-verify", false, "do not compare source and database at the end")
}

func (f *mongoFlags) run(ctx context.Context, src importer.Source, stdout, stderr io.Writer) (err error) {
	defer func() { err = errors.Join(err, src.Close()) }()
	db, err := engine.Open(f.data, &engine.Options{MemoryBytes: memoryForMachine()})
	if err != nil {
		return fmt.Errorf("opening %s: %w", f.data, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	store := samples.New(db, &samples.Options{Creator: f.creator, KeepMessageIDs: f.keepIDs})
	bars := &stageBars{w: stderr}
	o := importer.Options{Dedupe: f.dedupe, KeepBeforeDamage: f.keepBeforeDamage, Progress: bars.progress}
	begin := time.Now()
	report, err := importer.Run(ctx, src, db, store, o)
	bars.end()
	if err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("%w; give the command again to go on", err)
		}
		return err
	}
	printImport(stdout, report, time.Since(begin))
	if f.noVerify {
		return nil
	}
	v, err := importer.Verify(ctx, src, db, store, o)
	bars.end()
	if err != nil {
		return fmt.Errorf("comparing: %w", err)
	}
	return printVerification(stdout, v)
}

func printImport(w io.Writer, r *importer.Report, took time.Duration) {
	resumed := ""
	if r.Resumed {
		resumed = " in all, the runs before this one included"
	}
	fmt.Fprintf(w, "%d samples%s, %d new events, in %.1f s\n", r.Samples, resumed, r.Events, took.Seconds())
	if r.Duplicates > 0 {
		fmt.Fprintf(w, "%d samples dropped: delivered more than once\n", r.Duplicates)
	}
	reasons := make([]string, 0, len(r.Rejected))
	for reason := range r.Rejected {
		reasons = append(reasons, reason)
	}
	slices.Sort(reasons)
	for _, reason := range reasons {
		fmt.Fprintf(w, "%d documents rejected: %s\n", r.Rejected[reason], reason)
	}
	if r.Damage != nil {
		fmt.Fprintf(w, "the rest was not read: %v\n", r.Damage)
	}
}

// maxDifferences is how many differences are shown.
const maxDifferences = 20

func printVerification(w io.Writer, v *importer.Verification) error {
	if len(v.Differences) == 0 {
		fmt.Fprintf(w, "compared: %d samples of %d meters of resources, number and sum are equal\n", v.Samples, v.Meters)
		return nil
	}
	for _, d := range v.Differences[:min(len(v.Differences), maxDifferences)] {
		fmt.Fprintln(w, d)
	}
	return fmt.Errorf("%d of %d meters of resources differ between source and database", len(v.Differences), v.Meters)
}

// stageBars draws a bar for each stage of an import, on a terminal only.
type stageBars struct {
	w    io.Writer
	what string
	bar  *progressbar.ProgressBar
}

func (b *stageBars) progress(what string, done, total int64) {
	f, ok := b.w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return
	}
	if what != b.what {
		b.end()
		if total == 0 {
			total = -1
		}
		b.what, b.bar = what, progressbar.NewOptions64(total, progressbar.OptionSetWriter(b.w), progressbar.OptionSetDescription(what),
			progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
	}
	b.bar.Set64(done)
}

func (b *stageBars) end() {
	if b.bar != nil {
		b.bar.Finish()
	}
	b.what, b.bar = "", nil
}
