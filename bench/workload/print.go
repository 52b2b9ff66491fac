package workload

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// WriteRows prints the first ticks ticks as JSON lines: {"t":seconds,"r":"resource id","v":{"metric":value,...}}.
func (w *Workload) WriteRows(out io.Writer, ticks int) error {
	names := make([][]string, len(w.Resources)) // with quotes, colon and what separates them from the value before
	for i, r := range w.Resources {
		for j, m := range r.Metrics {
			name := strconv.Quote(m.Name) + ":"
			if j > 0 {
				name = "," + name
			}
			names[i] = append(names[i], name)
		}
	}
	b := bufio.NewWriterSize(out, 1<<16)
	var line []byte
	for row := range w.Rows(ticks) {
		r := &w.Resources[row.Resource]
		line = append(line[:0], `{"t":`...)
		line = strconv.AppendInt(line, row.Unix, 10)
		line = append(line, `,"r":"`...)
		line = append(line, r.ID...)
		line = append(line, `","v":{`...)
		for j, v := range row.Values {
			line = append(line, names[row.Resource][j]...)
			line = r.Metrics[j].AppendValue(line, v)
		}
		line = append(line, "}}\n"...)
		if _, err := b.Write(line); err != nil {
			return err
		}
	}
	return b.Flush()
}

// AppendValue appends v as Python prints it: integers plainly, doubles as their shortest text with at least one digit
// after the point, in exponent form below 1e-4 and from 1e16.
func (m Metric) AppendValue(dst []byte, v float64) []byte {
	if m.Integer {
		return strconv.AppendInt(dst, int64(v), 10)
	}
	if a := math.Abs(v); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.AppendFloat(dst, v, 'e', -1, 64)
	}
	dst = strconv.AppendFloat(dst, v, 'f', -1, 64)
	if v == math.Trunc(v) {
		dst = append(dst, ".0"...)
	}
	return dst
}

// WriteResources prints one JSON line a resource. Names and values need no escaping.
func (w *Workload) WriteResources(out io.Writer) error {
	b := bufio.NewWriter(out)
	for _, r := range w.Resources {
		metrics := make([]Attribute, len(r.Metrics))
		for i, m := range r.Metrics {
			metrics[i] = Attribute{m.Name, m.Unit}
		}
		fmt.Fprintf(b, `{"id":%q,"type":%q,"name":%q,"project_id":%q,"user_id":%q,"attributes":%s,"metrics":%s}`+"\n",
			r.ID, r.Type, r.Name, r.ProjectID, r.UserID, object(r.Attributes), object(metrics))
	}
	return b.Flush()
}

func object(pairs []Attribute) string {
	fields := make([]string, len(pairs))
	for i, p := range pairs {
		fields[i] = fmt.Sprintf("%q:%q", p.Name, p.Value)
	}
	return "{" + strings.Join(fields, ",") + "}"
}
