package importer

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"testing"

	"github.com/telemetrydb/tsdb/server/samples"
)

// FuzzDocument makes samples and events of whatever passes for a document: nothing panics, and metadata are JSON.
func FuzzDocument(f *testing.F) {
	for _, doc := range append(cloud(f, 60), eventDocs(f, 2)...) {
		f.Add(doc)
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		var s samples.Sample
		sound := checkDocument(doc, 0) == nil
		err := decodeMeter(doc, &s)
		if _, known := rejectOf(err); err != nil && !known {
			t.Errorf("%v is no reason", err)
		}
		if err == nil && s.Metadata != nil && !json.Valid(s.Metadata) {
			t.Errorf("metadata %q", s.Metadata)
		}
		if errors.Is(err, errBSON) && sound {
			t.Errorf("%v, and the document is sound", err)
		}
		e, err := decodeEvent(doc)
		if _, known := rejectOf(err); err != nil && !known {
			t.Errorf("%v is no reason", err)
		}
		if err == nil && e.Raw != nil && !json.Valid(e.Raw) {
			t.Errorf("raw %q", e.Raw)
		}
		if _, err = decodeResource(doc); err != nil {
			if _, known := rejectOf(err); !known {
				t.Errorf("%v is no reason", err)
			}
		}
	})
}

// FuzzArchive reads archives: they end with io.EOF or a damage, and a second reading from any place agrees.
func FuzzArchive(f *testing.F) {
	f.Add(archiveOf(f, cloud(f, 30), eventDocs(f, 3)))
	f.Fuzz(func(t *testing.T, archive []byte) {
		path := filepath.Join(t.TempDir(), "a")
		writeFile(t, path, false, append([]byte{0x6d, 0xe2, 0x99, 0x81}, archive[min(4, len(archive)):]...))
		d, err := OpenDump(path)
		if err != nil {
			t.Fatal(err)
		}
		places := readAll(t, d, "")
		if len(places) > 2 {
			if rest := readAll(t, d, places[1]); len(rest) != len(places)-2 {
				t.Errorf("%d documents, %d behind the second", len(places), len(rest))
			}
		}
	})
}

// readAll returns the places of the sound documents behind one.
func readAll(t *testing.T, d Source, after string) (places []string) {
	c, err := d.Open(context.Background(), meterCollection, after)
	var damage *DamageError
	if errors.As(err, &damage) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for {
		_, err := c.Next(context.Background())
		if errors.Is(err, io.EOF) || errors.As(err, &damage) {
			return places
		}
		if err != nil {
			t.Fatal(err)
		}
		places = append(places, c.Place())
	}
}
