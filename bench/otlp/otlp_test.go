package otlp

import (
	"context"
	"math"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/server/publish"
	"github.com/telemetrydb/tsdb/server/samples"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
)

// TestExporter measures with OpenTelemetry's SDK, exports as a program in Go does, with and without compression, and reads back.
func TestExporter(t *testing.T) {
	for _, compression := range []otlpmetrichttp.Compression{otlpmetrichttp.NoCompression, otlpmetrichttp.GzipCompression} {
		ctx := context.Background()
		db, err := engine.Open(t.TempDir(), nil)
		if err != nil {
			t.Fatal(err)
		}
		store := samples.New(db, nil)
		srv := httptest.NewServer(publish.New(store, nil).Handler())
		exporter, err := otlpmetrichttp.New(ctx, otlpmetrichttp.WithEndpointURL(srv.URL+"/v1/metrics"), otlpmetrichttp.WithCompression(compression))
		if err != nil {
			t.Fatal(err)
		}
		provider := sdk.NewMeterProvider(sdk.WithReader(sdk.NewPeriodicReader(exporter, sdk.WithInterval(time.Hour))),
			sdk.WithResource(resource.NewSchemaless(attribute.String("host.name", "compute-1"), attribute.Int("cpus", 4))))
		meter := provider.Meter("test")
		gauge, err := meter.Float64Gauge("load", metric.WithUnit("1"))
		if err != nil {
			t.Fatal(err)
		}
		counter, err := meter.Int64Counter("requests", metric.WithUnit("{request}"))
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now().Truncate(time.Millisecond)
		for n := range 10 {
			gauge.Record(ctx, float64(n)/8, metric.WithAttributes(attribute.Bool("up", true)))
			counter.Add(ctx, int64(n))
			if err := provider.ForceFlush(ctx); err != nil {
				t.Fatal(err)
			}
		}
		want := map[string][]float64{"load": {0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1, 1.125}, "requests": {0, 1, 3, 6, 10, 15, 21, 28, 36, 45}}
		got := map[string][]float64{}
		_, err = store.Each(ctx, samples.Selection{}, func(x *samples.Sample) error {
			got[x.Meter] = append(got[x.Meter], x.Volume)
			is := x.Type + " " + x.Unit + " " + string(x.Metadata)
			if x.ResourceID != "compute-1" || time.Unix(0, x.Time).Before(begin) || !strings.Contains(is, `"cpus":4`) ||
				x.Meter == "load" && !(strings.HasPrefix(is, "gauge 1 ") && strings.Contains(is, `"up":true`)) ||
				x.Meter == "requests" && !strings.HasPrefix(is, "cumulative {request} ") {
				t.Errorf("%+v, %s", x, is)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for name, values := range want {
			if len(got[name]) != len(values) {
				t.Errorf("%s: %v, want %v", name, got[name], values)
				continue
			}
			for i, v := range values {
				if math.Float64bits(got[name][i]) != math.Float64bits(v) {
					t.Errorf("%s: %v, want %v", name, got[name], values)
				}
			}
		}
		if err := provider.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		srv.Close()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}
