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

// ErrRegression is what CompareCommand gives when something has become worse than is tolerated.
var ErrRegression = errors.New("worse than before")

// CompareCommand is `bench compare`: it prints what has changed from an old file of results to a new one, or from an old output of go test -bench
// to a new one. A regression is a change for the worse beyond both the noise and the threshold, a fault or a wrong answer that was not there
// before, or a goal that is missed now; then it fails with ErrRegression.
func CompareCommand(args []string, out io.Writer) error {
	fs := flag.NewFlagSet("bench compare", flag.ContinueOnError)
	fs.SetOutput(out)
	fs.Usage = func() {
		fmt.Fprintln(out, "usage: bench compare [-threshold 0.1] OLD NEW")
		fs.PrintDefaults()
	}
	threshold := fs.Float64("threshold", 0.1, "part by which a figure may become worse before the command fails")
	if err := fs.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	if fs.NArg() != 2 || *threshold < 0 {
		return errors.New("compare: want a threshold of at least 0 and two files, OLD and NEW")
	}
	changes, err := compareFiles(fs.Arg(0), fs.Arg(1), *threshold)
	if err != nil {
		return err
	}
	regressions, err := showChanges(changes, out)
	if err == nil && regressions > 0 {
		err = fmt.Errorf("compare: %w: %d figures", ErrRegression, regressions)
	}
	return err
}

func compareFiles(oldPath, newPath string, threshold float64) ([]change, error) {
	oldText, err := isText(oldPath)
	if err != nil {
		return nil, err
	}
	newText, err := isText(newPath)
	switch {
	case err != nil:
		return nil, err
	case oldText != newText:
		return nil, errors.New("compare: one file is of bench, and the other is not")
	case oldText:
		return compareBenchmarks(oldPath, newPath, threshold)
	}
	old, err := Load(oldPath)
	if err != nil {
		return nil, err
	}
	new, err := Load(newPath)
	if err != nil {
		return nil, err
	}
	return compare(old, new, threshold), nil
}
