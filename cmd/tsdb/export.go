package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/server/publish"
	"github.com/telemetrydb/tsdb/server/samples"
	"github.com/telemetrydb/tsdb/server/simplequery"
)

// exportFlags are the settings of tsdb export.
type exportFlags struct {
	data, format, meter, resource, from, to string
	noEvents                                bool
}

func exportCommand() *cobra.Command {
	var f exportFlags
	cmd := &cobra.Command{
		Use:   "export FILE|-",
		Short: "Write samples and events as JSON lines or CSV",
		Long: `Write samples, and events, with all that is known of them: in JSON lines as Ceilometer's file publisher writes them, or in CSV, which has samples
alone. tsdb import samples reads both, and stores what was there: times to the nanosecond, volumes to the last bit, metadata with their types. What Gnocchi's API
keeps as aggregates only is not written; how much that is, is told at the end. The database must not be served meanwhile.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd.Context(), args[0], cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.data, "data", defaultData, "directory of the database")
	fl.StringVar(&f.format, "format", "jsonl", "jsonl or csv")
	fl.StringVar(&f.meter, "meter", "*", "meters to write, * stands for any text")
	fl.StringVar(&f.resource, "resource", "*", "ids of resources to write, * stands for any text")
	fl.StringVar(&f.from, "from", "", "first time to write, ISO 8601")
	fl.StringVar(&f.to, "to", "", "time to end before, ISO 8601")
	fl.BoolVar(&f.noEvents, "no-events", false, "write samples alone")
	return cmd
}

// selection is what the flags say.
func (f *exportFlags) selection() (q samples.Selection, err error) {
	q.Meter = func(meter string) bool { return engine.MatchPattern(f.meter, meter) }
	q.Resource = func(id string) bool { return engine.MatchPattern(f.resource, id) }
	for _, x := range []struct {
		name, text string
		into       *int64
	}{{"--from", f.from, &q.From}, {"--to", f.to, &q.To}} {
		if x.text == "" {
			continue
		}
		t, _, ok := simplequery.ParseISO(x.text)
		if !ok {
			return q, fmt.Errorf("%s %q: want a time such as 2026-01-02T03:04:05", x.name, x.text)
		}
		*x.into = max(simplequery.Nanos(t), 0)
	}
	return q, nil
}

// sampleWriter writes samples in one of the formats.
type sampleWriter interface {
	sample(x *samples.Sample) error
	end() error
}

func (f *exportFlags) run(ctx context.Context, path string, stdout, stderr io.Writer) (err error) {
	q, err := f.selection()
	if err != nil {
		return err
	}
	if f.format != "jsonl" && f.format != "csv" {
		return fmt.Errorf("--format %q: want jsonl or csv", f.format)
	}
	if _, err := os.Stat(f.data); err != nil {
		return err
	}
	db, err := engine.Open(f.data, &engine.Options{MemoryBytes: memoryForMachine()})
	if err != nil {
		return fmt.Errorf("opening %s: %w", f.data, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	out := stdout
	if path != "-" {
		file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, file.Sync(), file.Close()) }()
		out = file
	}
	b := bufio.NewWriterSize(out, 1<<20)
	defer func() { err = errors.Join(err, b.Flush()) }()
	var w sampleWriter = &jsonLines{w: b}
	if f.format == "csv" {
		w = newCSVSamples(b)
	}
	n := 0
	skipped, err := samples.New(db, nil).Each(ctx, q, func(x *samples.Sample) error { n++; return w.sample(x) })
	if err == nil {
		err = w.end()
	}
	if err != nil {
		return err
	}
	events := 0
	if lines, ok := w.(*jsonLines); ok && !f.noEvents {
		if events, err = lines.events(ctx, db, q); err != nil {
			return err
		}
	}
	fmt.Fprintf(stderr, "%d samples, %d events\n", n, events)
	if skipped.Homeless+skipped.NotKept > 0 {
		fmt.Fprintf(stderr, "not written: %d metrics without a resource, %d metrics of which no samples are kept\n", skipped.Homeless, skipped.NotKept)
	}
	return nil
}

// jsonLines writes the object form of samples, and events.
type jsonLines struct {
	w   *bufio.Writer
	buf []byte
}

func (l *jsonLines) end() error { return nil }

func (l *jsonLines) sample(x *samples.Sample) error {
	b := append(l.buf[:0], '{')
	if x.MessageID != "" {
		b = append(appendText(append(b, `"id":`...), x.MessageID), ',')
	}
	b = appendText(append(b, `"name":`...), x.Meter)
	b = appendText(append(b, `,"type":`...), x.Type)
	b = appendText(append(b, `,"unit":`...), x.Unit)
	b = strconv.AppendFloat(append(b, `,"volume":`...), x.Volume, 'g', -1, 64)
	b = appendText(append(b, `,"resource_id":`...), x.ResourceID)
	b = appendNullable(append(b, `,"user_id":`...), x.UserID)
	b = appendNullable(append(b, `,"project_id":`...), x.ProjectID)
	b = appendText(append(b, `,"source":`...), x.Source)
	b = appendTime(append(b, `,"timestamp":"`...), x.Time)
	b = appendTime(append(b, `","recorded_at":"`...), x.Arrival)
	b = append(b, `","resource_metadata":`...)
	if len(x.Metadata) == 0 {
		b = append(b, "{}"...)
	}
	b = append(append(b, x.Metadata...), "}\n"...)
	l.buf = b
	_, err := l.w.Write(b)
	return err
}

// events writes the events of the selected time.
func (l *jsonLines) events(ctx context.Context, db *engine.DB, q samples.Selection) (n int, err error) {
	of := engine.EventQuery{From: &q.From}
	if q.To != 0 {
		last := q.To - 1
		of.To = &last
	}
	for e, err := range db.Events(ctx, of) {
		if err != nil {
			return n, err
		}
		n++
		if err := l.event(e); err != nil {
			return n, err
		}
	}
	return n, nil
}

func (l *jsonLines) event(e *engine.Event) error {
	b := appendText(append(l.buf[:0], `{"message_id":`...), e.MessageID)
	b = appendText(append(b, `,"event_type":`...), e.Type)
	b = appendTime(append(b, `,"generated":"`...), e.Generated)
	b = append(b, `","traits":[`...)
	for i, t := range e.Traits {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendText(append(b, '['), t.Name), ',')
		b = append(strconv.AppendUint(b, uint64(t.Kind), 10), ',')
		switch t.Kind {
		case engine.TraitText:
			b = appendText(b, t.Text)
		case engine.TraitInt:
			b = strconv.AppendInt(b, t.Int, 10)
		case engine.TraitFloat:
			b = strconv.AppendFloat(b, t.Float, 'g', -1, 64)
		case engine.TraitTime:
			b = append(appendTime(append(b, '"'), t.Int), '"')
		default:
			b = append(b, "null"...)
		}
		b = append(b, ']')
	}
	b = append(b, ']')
	if len(e.Raw) > 0 {
		b = append(append(b, `,"raw":`...), e.Raw...)
	}
	l.buf = append(b, "}\n"...)
	_, err := l.w.Write(l.buf)
	return err
}

func appendText(dst []byte, s string) []byte {
	text, err := json.Marshal(s)
	if err != nil { // a string always can
		return append(dst, `""`...)
	}
	return append(dst, text...)
}

func appendNullable(dst []byte, s *string) []byte {
	if s == nil {
		return append(dst, "null"...)
	}
	return appendText(dst, *s)
}

func appendTime(dst []byte, nanos int64) []byte {
	return time.Unix(0, nanos).UTC().AppendFormat(dst, time.RFC3339Nano)
}

// csvSamples writes samples in CSV with a header.
type csvSamples struct {
	w      *csv.Writer
	record []string
	err    error // of the header
}

func newCSVSamples(w io.Writer) *csvSamples {
	c := &csvSamples{w: csv.NewWriter(w), record: make([]string, strings.Count(publish.CSVHeader, ",")+1)}
	c.err = c.w.Write(strings.Split(publish.CSVHeader, ","))
	return c
}

func (c *csvSamples) sample(x *samples.Sample) error {
	nullable := func(s *string) string {
		if s == nil {
			return publish.CSVNull
		}
		return *s
	}
	metadata := string(x.Metadata)
	if metadata == "" {
		metadata = "{}"
	}
	copy(c.record, []string{string(appendTime(nil, x.Time)), string(appendTime(nil, x.Arrival)), x.ResourceID, x.Meter, x.Type, x.Unit,
		strconv.FormatFloat(x.Volume, 'g', -1, 64), nullable(x.UserID), nullable(x.ProjectID), x.Source, x.MessageID, metadata})
	return errors.Join(c.err, c.w.Write(c.record))
}

func (c *csvSamples) end() error {
	c.w.Flush()
	return errors.Join(c.err, c.w.Error())
}
