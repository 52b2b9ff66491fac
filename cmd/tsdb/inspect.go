package main

import (
	"bufio"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/telemetrydb/tsdb/engine"
)

func checkCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check DIR",
		Short: "Read and verify every byte of a database",
		Long: "Read and verify every byte of a database that is not being served. Each damaged place is named with its metric and range\n" +
			"of time; then the exit status is 1.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			out := bufio.NewWriter(cmd.OutOrStdout())
			defer out.Flush()
			sum, err := engine.Check(args[0], nil, func(f engine.Finding) { fmt.Fprintln(out, findingText(f)) })
			if err != nil {
				return fmt.Errorf("checking %s: %w", args[0], err)
			}
			fmt.Fprintf(out, "%d keys, %d log records, %d bytes, %d blocks, %d rows: %d damaged\n",
				sum.Keys, sum.LogRecords, sum.Bytes, sum.Blocks, sum.Points, sum.Findings)
			if sum.Findings > 0 {
				return errors.New("the database is damaged")
			}
			return nil
		},
	}
}

// findingText is a line about a damaged place.
func findingText(f engine.Finding) string {
	s := fmt.Sprintf("key %x", f.Key)
	if f.Key == nil {
		s = "log"
	}
	if f.Metric != (engine.UUID{}) {
		s += fmt.Sprintf(" metric %v", f.Metric)
	}
	if f.From != 0 || f.To != 0 {
		s += " from " + timeText(f.From) + " to " + timeText(f.To)
	}
	return s + ": " + f.Err.Error()
}

func timeText(nanos int64) string { return time.Unix(0, nanos).UTC().Format(time.RFC3339Nano) }

func dumpCommand() *cobra.Command {
	var metric string
	var o engine.DumpOptions
	cmd := &cobra.Command{
		Use:   "dump DIR",
		Short: "Print what is stored",
		Long:  "Print the keys of a database that is not being served, in order, and with --values their annotated bytes.",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if metric != "" {
				id, err := engine.ParseUUID(metric)
				if err != nil {
					return fmt.Errorf("--metric: %w", err)
				}
				o.Metric = &id
			}
			out := bufio.NewWriter(cmd.OutOrStdout())
			if err := engine.Dump(out, args[0], nil, o); err != nil {
				return errors.Join(fmt.Errorf("dumping %s: %w", args[0], err), out.Flush())
			}
			return out.Flush()
		},
	}
	cmd.Flags().StringVar(&metric, "metric", "", "only what belongs to the metric of this id")
	cmd.Flags().BoolVar(&o.Values, "values", false, "the bytes of values, with a label for each field")
	return cmd
}
