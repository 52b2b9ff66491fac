package main

import "github.com/spf13/cobra"

func importCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import",
		Short: "Bring in what Ceilometer kept elsewhere",
		Long:  "Bring in what Ceilometer kept elsewhere. The database must not be served meanwhile.",
	}
	cmd.AddCommand(importDumpCommand(), importMongoCommand(), importSamplesCommand())
	return cmd
}
