package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func configCommand() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Print the settings that tsdb serve would have",
		Long: "Print the settings that tsdb serve would have with the same flags, as a configuration file. Faults are told as\n" +
			"tsdb serve would tell them. Secrets are not shown.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.complete(cmd.Flags()); err != nil {
				return err
			}
			return printConfig(cmd.OutOrStdout(), cmd.Flags())
		},
	}
	f.add(cmd.Flags())
	return cmd
}

// printConfig writes all settings as a file that readConfig takes.
func printConfig(w io.Writer, fl *pflag.FlagSet) error {
	var b strings.Builder
	fl.VisitAll(func(f *pflag.Flag) {
		if f.Name == "config" || f.Name == "help" {
			return
		}
		fmt.Fprintf(&b, "# %s\n%s = %s\n", f.Usage, f.Name, tomlValue(f))
	})
	_, err := io.WriteString(w, b.String())
	return err
}

func tomlValue(f *pflag.Flag) string {
	if list, ok := f.Value.(pflag.SliceValue); ok {
		var texts []string
		for _, v := range list.GetSlice() {
			texts = append(texts, quoted(v))
		}
		return "[" + strings.Join(texts, ", ") + "]"
	}
	switch f.Value.Type() {
	case "bool", "int":
		return f.Value.String()
	}
	if secrets[f.Name] && f.Value.String() != "" {
		return `"(hidden)"`
	}
	return quoted(f.Value.String())
}

// quoted is s as a basic string of TOML.
func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, "\\u%04x", r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
