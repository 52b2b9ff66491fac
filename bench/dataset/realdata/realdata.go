// Package realdata turns a compressed PTS1 file into a prepared data set. It is apart from package dataset because it needs
// a decompressor, and dataset must build with the standard library alone.
package realdata

import (
	"bytes"
	"fmt"
	"os"

	"github.com/klauspost/compress/zstd"

	"github.com/telemetrydb/tsdb/bench/dataset"
)

var zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}

// Prepare makes the set name in dir from a PTS1 file, plain or in zstd, and the series.tsv that belongs to it.
func Prepare(dir, name string, stepMillis int64, seriesPath, ptsPath string) error {
	series, err := dataset.ReadSeries(seriesPath)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(ptsPath)
	if err != nil {
		return err
	}
	if bytes.HasPrefix(data, zstdMagic) {
		d, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(4<<30))
		if err != nil {
			return err
		}
		defer d.Close()
		if data, err = d.DecodeAll(data, nil); err != nil {
			return fmt.Errorf("%s: %w", ptsPath, err)
		}
	}
	times, values, err := dataset.ReadPTS(data)
	if err != nil {
		return fmt.Errorf("%s: %w", ptsPath, err)
	}
	return dataset.FromColumns(dir, name, stepMillis, series, times, values)
}
