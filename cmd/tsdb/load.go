package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"github.com/valyala/fastjson"
	"golang.org/x/term"
)

// loadFlags are the settings of tsdb load.
type loadFlags struct {
	url, user, policy string
	span              time.Duration
	lines             int
}

func loadCommand() *cobra.Command {
	var f loadFlags
	cmd := &cobra.Command{
		Use:   "load FILE|-",
		Short: "Post JSON lines to a server",
		Long: `Post JSON lines to a server. A line is a set of measures of one resource,

  {"t": UNIX SECONDS, "r": "RESOURCE ID", "v": {"METRIC": NUMBER, ...}}

or a resource with its metrics and their units, to be created unless it exists:

  {"id": "...", "user_id": "...", "project_id": "...", "metrics": {"METRIC": "UNIT", ...}}

Resources and metrics that no line introduces are created when the first measure arrives. Lines that cannot be read or that the
server refuses are named, with the reason, and the others are loaded; then the exit status is 1.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd.Context(), args[0], cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.url, "url", "http://127.0.0.1:8041", "the server")
	fl.StringVar(&f.user, "user", "admin", "who to be there")
	fl.StringVar(&f.policy, "archive-policy", "", "archive policy of metrics that are created; empty: the server's rules decide")
	fl.DurationVar(&f.span, "batch", time.Minute, "most time of data in one request")
	fl.IntVar(&f.lines, "batch-lines", 10_000, "most lines in one request")
	return cmd
}

// maxLine is the longest line that is read.
const maxLine = 16 << 20

// maxShown is how many refused lines are named.
const maxShown = 50

// loader is one run of tsdb load.
type loader struct {
	client  *client
	flags   *loadFlags
	parser  fastjson.Parser
	batch   *batch
	stderr  io.Writer
	samples int
	refused int
	known   map[string]bool // metrics that exist for sure, by resource and name
}

func (f *loadFlags) run(ctx context.Context, path string, stdin io.Reader, stdout, stderr io.Writer) error {
	if f.span <= 0 || f.lines < 1 {
		return errors.New("--batch and --batch-lines have to be positive")
	}
	in, size := stdin, int64(-1)
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		in = file
		if st, err := file.Stat(); err == nil && st.Mode().IsRegular() {
			size = st.Size()
		}
	}
	l := &loader{client: newClient(f.url, f.user), flags: f, stderr: stderr, known: map[string]bool{}}
	l.batch = newBatch(l)
	bar := progress(stderr, size)
	begin := time.Now()
	lines, err := l.lines(ctx, in, bar)
	bar.Finish()
	took := time.Since(begin)
	fmt.Fprintf(stdout, "%d samples of %d lines in %.1f s (%.0f samples/s), %d lines refused\n",
		l.samples, lines, took.Seconds(), float64(l.samples)/max(took.Seconds(), 1e-3), l.refused)
	if err == nil && l.refused > 0 {
		err = fmt.Errorf("%d lines were refused", l.refused)
	}
	return err
}

// progress draws on a terminal only.
func progress(stderr io.Writer, size int64) *progressbar.ProgressBar {
	if f, ok := stderr.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return progressbar.NewOptions64(size, progressbar.OptionSetWriter(stderr), progressbar.OptionShowBytes(true),
			progressbar.OptionSetDescription("loading"), progressbar.OptionClearOnFinish(),
			progressbar.OptionThrottle(100*time.Millisecond))
	}
	return progressbar.DefaultBytesSilent(size)
}

// lines loads all lines and returns how many there were.
func (l *loader) lines(ctx context.Context, in io.Reader, bar *progressbar.ProgressBar) (int, error) {
	sc := bufio.NewScanner(in)
	sc.Buffer(make([]byte, 64<<10), maxLine)
	n := 0
	for sc.Scan() {
		n++
		if err := l.line(ctx, n, sc.Bytes()); err != nil {
			return n, fmt.Errorf("line %d: %w", n, err)
		}
		bar.Add(len(sc.Bytes()) + 1)
	}
	if err := sc.Err(); err != nil {
		return n, fmt.Errorf("after line %d: %w", n, err)
	}
	return n, l.flush(ctx)
}

// line takes one line. An error ends the run; a line that is merely wrong does not.
func (l *loader) line(ctx context.Context, n int, text []byte) error {
	v, err := l.parser.ParseBytes(text)
	if err != nil || v.Type() != fastjson.TypeObject {
		l.refuse(n, errors.New("not a JSON object"))
		return nil
	}
	if l.batch.full(v, l.flags) {
		if err := l.flush(ctx); err != nil {
			return err
		}
	}
	res, err := l.batch.add(n, text, v)
	if err != nil {
		l.refuse(n, err)
		return nil
	}
	if res == nil {
		return nil
	}
	if err := l.resource(ctx, res); err != nil {
		return l.refuseOrStop(n, err)
	}
	return nil
}

func (l *loader) refuse(line int, reason error) {
	if l.refused++; l.refused <= maxShown {
		fmt.Fprintf(l.stderr, "line %d: %v\n", line, reason)
	} else if l.refused == maxShown+1 {
		fmt.Fprintln(l.stderr, "more lines were refused")
	}
}

// refuseOrStop counts a line that the server refused; other errors end the run.
func (l *loader) refuseOrStop(line int, err error) error {
	var answer *answerError
	if errors.As(err, &answer) && answer.status >= 400 && answer.status < 500 {
		l.refuse(line, err)
		return nil
	}
	return err
}

// flush sends the batch.
func (l *loader) flush(ctx context.Context) error {
	b := l.batch
	l.batch = newBatch(l)
	return l.send(ctx, b)
}

// send posts a batch; one that the server refuses is halved until the lines at fault are known.
func (l *loader) send(ctx context.Context, b *batch) error {
	if len(b.lines) == 0 {
		return nil
	}
	err := l.post(ctx, b)
	if err == nil {
		l.samples += b.samples
		b.markKnown()
		return nil
	}
	if len(b.lines) == 1 {
		return l.refuseOrStop(b.lines[0].number, err)
	}
	var answer *answerError
	if !errors.As(err, &answer) || answer.status != 400 {
		return err
	}
	half := len(b.lines) / 2
	var parser fastjson.Parser // not the loader's, whose line may still be to come
	for _, lines := range [][]textLine{b.lines[:half], b.lines[half:]} {
		part := newBatch(l)
		for _, line := range lines {
			v, err := parser.ParseBytes(line.text)
			if err == nil {
				_, err = part.add(line.number, line.text, v)
			}
			if err != nil {
				return err // not of a line that was read before
			}
		}
		if err := l.send(ctx, part); err != nil {
			return err
		}
	}
	return nil
}
