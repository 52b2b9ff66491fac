package main

import (
	"fmt"
	"io"
	"strconv"

	"github.com/jedib0t/go-pretty/v6/table"
)

// result is what one case prints. Sizes are bytes, times seconds unless the name says otherwise.
type result struct {
	Layout   string `json:"layout"`
	Order    string `json:"order"`
	Separate bool   `json:"separate"`
	Metrics  int    `json:"metrics"`

	LogicalBytes  int64   `json:"logical_bytes"`
	FlushedBytes  int64   `json:"flushed_bytes"`
	CompactBytes  int64   `json:"compact_bytes"`
	WriteAmp      float64 `json:"write_amp"`
	LoadSeconds   float64 `json:"load_s"`
	LoadCPU       float64 `json:"load_cpu_s"`
	MicrosAMetric float64 `json:"us_a_metric_block"`
	DiskBytes     int64   `json:"disk_bytes"`
	ReadAmp       int     `json:"read_amp"`

	OneMetricWarmMicros float64 `json:"one_metric_warm_us"`
	OneMetricColdMicros float64 `json:"one_metric_cold_us"`
	NearWarmMillis      float64 `json:"near_1000_warm_ms"`
	NearColdMillis      float64 `json:"near_1000_cold_ms"`
	SpreadWarmMillis    float64 `json:"spread_1000_warm_ms"`
	SpreadColdMillis    float64 `json:"spread_1000_cold_ms"`

	ExpireCallSeconds   float64 `json:"expire_call_s"`
	ExpireSettleSeconds float64 `json:"expire_settle_s"`
	ExpireCPU           float64 `json:"expire_cpu_s"`
	ExpireWritten       int64   `json:"expire_written_bytes"`
	ExpireFreed         int64   `json:"expire_freed_bytes"`
	ExpireDue           int64   `json:"expire_due_bytes"`
}

const mega = 1e6

// printTables writes what the cases cost in writing and expiring, and in reading, as two Markdown tables.
func printTables(w io.Writer, rs []result) {
	writes, reads := table.NewWriter(), table.NewWriter()
	writes.AppendHeader(table.Row{"layout", "sealed in order", "values", "written / logical MB", "write amp.", "load s", "CPU s",
		"us a block", "disk MB", "expire: call s", "CPU s", "written MB", "freed / due MB"})
	reads.AppendHeader(table.Row{"layout", "sealed in order", "values", "one metric, all periods: us", "cold us",
		"1,000 near, one period: ms", "cold ms", "1,000 spread, one period: ms", "cold ms"})
	for _, r := range rs {
		values := "in tables"
		if r.Separate {
			values = "separated"
		}
		writes.AppendRow(table.Row{r.Layout, r.Order, values, mb(r.FlushedBytes+r.CompactBytes) + " / " + mb(r.LogicalBytes),
			f2(r.WriteAmp), f1(r.LoadSeconds), f1(r.LoadCPU), f1(r.MicrosAMetric), mb(r.DiskBytes),
			f2(r.ExpireCallSeconds), f2(r.ExpireCPU), mb(r.ExpireWritten), mb(r.ExpireFreed) + " / " + mb(r.ExpireDue)})
		reads.AppendRow(table.Row{r.Layout, r.Order, values, f0(r.OneMetricWarmMicros), f0(r.OneMetricColdMicros),
			f1(r.NearWarmMillis), f1(r.NearColdMillis), f1(r.SpreadWarmMillis), f1(r.SpreadColdMillis)})
	}
	fmt.Fprintf(w, "%s\n\n%s\n", writes.RenderMarkdown(), reads.RenderMarkdown())
}

func mb(n int64) string   { return f0(float64(n) / mega) }
func f0(v float64) string { return strconv.FormatFloat(v, 'f', 0, 64) }
func f1(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }
func f2(v float64) string { return strconv.FormatFloat(v, 'f', 2, 64) }
