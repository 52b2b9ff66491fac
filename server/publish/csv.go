package publish

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/telemetrydb/tsdb/server/samples"
	"github.com/telemetrydb/tsdb/server/simplequery"
	"github.com/valyala/fastjson"
)

// CSVHeader is the first line of samples in CSV, without its end. A field that is null is \N.
const CSVHeader = "timestamp,recorded_at,resource_id,name,type,unit,volume,user_id,project_id,source,id,resource_metadata"

// CSVNull is what is in place of null.
const CSVNull = `\N`

// ReadCSV stores the samples of a file that begins with CSVHeader. Otherwise it is as ReadFile.
func (d *Doors) ReadCSV(ctx context.Context, file io.Reader, progress func(bytes int64)) (Read, error) {
	out := Read{Refused: map[string]int64{}}
	in := d.intake(protocolFile, peerText(""), "")
	rows := csv.NewReader(file)
	rows.ReuseRecord = true
	header, err := rows.Read()
	if err != nil {
		return out, fmt.Errorf("the header: %w", err)
	}
	if !slices.Equal(header, strings.Split(CSVHeader, ",")) {
		return out, fmt.Errorf("the header is not %s", CSVHeader)
	}
	for {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		row, err := rows.Read()
		var torn *csv.ParseError
		if errors.As(err, &torn) {
			return out, errors.Join(fmt.Errorf("line %d is no CSV of %d fields: %w", torn.Line, len(header), torn.Err), in.finish(ctx, &out))
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return out, errors.Join(err, in.finish(ctx, &out))
		}
		if err == nil {
			out.Lines++
			in.row(row)
			if in.last != nil && out.First == nil {
				out.First = in.last
				line, _ := rows.FieldPos(0)
				out.FirstAt = int64(line)
			}
		}
		if len(in.samples) >= fileBatch || err != nil {
			if err := in.finish(ctx, &out); err != nil {
				return out, err
			}
			if progress != nil {
				progress(rows.InputOffset())
			}
		}
		if err != nil {
			return out, nil
		}
	}
}

// finish stores what was gathered of a file, and counts it.
func (in *intake) finish(ctx context.Context, out *Read) error {
	err := in.store(ctx)
	if err == nil {
		out.Stored += int64(in.stored)
	}
	for reason, n := range in.refused {
		out.Refused[reason] += int64(n)
	}
	in.reset()
	return err
}

// row takes a row of CSVHeader's columns.
func (in *intake) row(row []string) {
	s, bad := in.decoder.row(row)
	if bad != nil {
		in.refuse(bad, 1)
		return
	}
	in.samples = append(in.samples, s)
}

func (d *decoder) row(row []string) (s samples.Sample, bad *Refusal) {
	for i := range row {
		row[i] = strings.Clone(row[i])
	}
	s = samples.Sample{ResourceID: row[2], Meter: row[3], Type: row[4], Unit: row[5], UserID: unlessNull(row[7]), ProjectID: unlessNull(row[8]),
		Source: row[9], MessageID: row[10], Metadata: []byte(row[11])}
	if s.Time, bad = timeOf(row[0]); bad != nil {
		return s, bad
	}
	if s.Arrival, bad = timeOf(row[1]); bad != nil {
		return s, bad
	}
	if s.Volume, bad = finite(row[6]); bad != nil {
		return s, bad
	}
	if fastjson.ValidateBytes(s.Metadata) != nil {
		return s, refuse(reasonMetadata, "the metadata %s are no JSON", quoted(row[11]))
	}
	return s, nil
}

func timeOf(text string) (int64, *Refusal) {
	t, _, ok := simplequery.ParseISO(text)
	if !ok {
		return 0, refuse(reasonTime, "%s is no time in ISO 8601", quoted(text))
	}
	return nanos(t)
}

func unlessNull(text string) *string {
	if text == CSVNull {
		return nil
	}
	return &text
}
