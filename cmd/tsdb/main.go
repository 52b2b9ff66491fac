// Command tsdb stores telemetry and serves it in the dialect of Gnocchi's v1 API.
//
//	tsdb serve           serve a database: no argument is needed
//	tsdb config          print the settings of tsdb serve
//	tsdb load FILE|-     post JSON lines to a server
//	tsdb import          bring in what Ceilometer kept elsewhere
//	tsdb export FILE|-   write samples and events as JSON lines or CSV
//	tsdb check DIR       read and verify every byte of a database
//	tsdb dump DIR        print what is stored
//	tsdb version         tell the version
//
// tsdb help COMMAND tells the flags of each.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "tsdb:", err)
		os.Exit(1)
	}
}

// run is the whole program: main without the process around it.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	root := &cobra.Command{
		Use:           "tsdb",
		Short:         "A time-series database that speaks Gnocchi's API",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(serveCommand(), configCommand(), loadCommand(), checkCommand(), dumpCommand(), importCommand(), exportCommand(),
		versionCommand())
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	return root.ExecuteContext(ctx)
}
