package report

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

// Command is `bench report`: it reads files of results and prints them as tables, or writes them in other forms.
func Command(args []string, out io.Writer) error {
	fs := flag.NewFlagSet("bench report", flag.ContinueOnError)
	fs.SetOutput(out)
	fs.Usage = func() {
		fmt.Fprintln(out, "usage: bench report [-html FILE] [-md FILE] [-headline] RESULTS...")
		fs.PrintDefaults()
	}
	html := fs.String("html", "", "write a page for a browser to this file")
	markdown := fs.String("md", "", "write Markdown to this file")
	headline := fs.Bool("headline", false, "print only a short table, as Markdown")
	quiet := fs.Bool("q", false, "print no tables")
	if err := fs.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	if fs.NArg() == 0 {
		return errors.New("report: want at least one file of results")
	}
	r, err := Load(fs.Args()...)
	if err != nil {
		return err
	}
	for _, form := range []struct {
		path  string
		write func(io.Writer) error
	}{{*html, r.HTML}, {*markdown, r.Markdown}} {
		if form.path != "" {
			if err := toFile(form.path, form.write); err != nil {
				return err
			}
		}
	}
	switch {
	case *headline:
		return r.Headline(out)
	case *quiet:
		return nil
	}
	return r.Terminal(out)
}

func toFile(path string, write func(io.Writer) error) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return write(f)
}
