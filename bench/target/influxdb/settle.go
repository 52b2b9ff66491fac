package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/telemetrydb/tsdb/bench/served"
)

const (
	settleLimit = 10 * time.Minute
	settlePoll  = 250 * time.Millisecond
	settleQuiet = 6 * time.Second // longer than the configured cold durations with the second between two looks
)

// Settle waits until the server has written all samples to files and has nothing left to compact: it cannot be told to.
func (s *server) Settle() error {
	quiet := time.Now()
	last := storage{}
	for deadline := time.Now().Add(settleLimit); ; time.Sleep(settlePoll) {
		answer, err := s.Reader().Get("/debug/vars")
		if err != nil {
			return err
		}
		now, err := storageOf(answer)
		if err != nil {
			return err
		}
		if now != last || now.unwritten > 0 || now.compactions > 0 {
			quiet, last = time.Now(), now
		}
		if time.Since(quiet) > settleQuiet {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("influxd has not come to rest within %v: %+v", settleLimit, now)
		}
	}
}

// storage is what the server says of its shards together.
type storage struct {
	unwritten   float64 // bytes of samples in memory and in the log
	compactions float64 // at work or due
	files       float64
}

func storageOf(vars []byte) (st storage, err error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(vars, &all); err != nil {
		return st, err
	}
	for _, text := range all {
		var one struct {
			Name   string
			Values map[string]float64
		}
		if json.Unmarshal(text, &one) != nil { // it has other things too
			continue
		}
		for name, v := range one.Values {
			switch {
			case one.Name == "tsm1_cache" && name == "memBytes", one.Name == "tsm1_wal" && strings.HasSuffix(name, "DiskBytes"):
				st.unwritten += v
			case one.Name == "tsm1_engine" && (strings.HasSuffix(name, "Active") || strings.HasSuffix(name, "Queue")):
				st.compactions += v
			case one.Name == "tsm1_filestore" && name == "numFiles":
				st.files += v
			}
		}
	}
	return st, nil
}

// seriesFolder has files that the server makes longer than what is in them.
const seriesFolder = "_series"

// Bytes implements target.Sized: the files of the database, its log too, but of the series only what is allocated.
func (s *server) Bytes() (int64, error) {
	total := int64(0)
	for _, folder := range []string{"meta", "data", "wal"} {
		err := filepath.WalkDir(filepath.Join(s.dir, folder), func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && d.Name() == seriesFolder:
				n, err := allocated(path)
				total += n
				if err != nil {
					return err
				}
				return fs.SkipDir
			case d.Type().IsRegular():
				info, err := d.Info()
				if err != nil {
					return err
				}
				total += info.Size()
			}
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	return total, nil
}

// allocated is what the files below dir take of the disk, once they are there.
func allocated(dir string) (int64, error) {
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		return f.Sync()
	})
	return served.Weigh(dir).Allocated, err
}
