package body

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/telemetrydb/tsdb/server/limit"
)

func zipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestRead(t *testing.T) {
	long := strings.Repeat("x", 1001)
	short := zipped(t, "text")
	for name, tt := range map[string]struct {
		body     io.Reader
		encoding string
		want     string // the text, or of the Error
		status   int
		cause    error
	}{
		"plain":              {strings.NewReader("text"), "", "text", 0, nil},
		"none":               {strings.NewReader(""), "identity", "", 0, nil},
		"gzip":               {strings.NewReader(short), "GZip", "text", 0, nil},
		"other encoding":     {strings.NewReader("text"), "snappy", "text", 0, nil},
		"unknown encoding":   {strings.NewReader("text"), "br", "Content encoding br is not supported", 415, nil},
		"too long":           {strings.NewReader(long), "", "The body is larger than the limit of 1000 bytes", 413, nil},
		"too long, unsaid":   {io.MultiReader(strings.NewReader(long)), "", "The body is larger than the limit of 1000 bytes", 413, nil},
		"too long, unzipped": {strings.NewReader(zipped(t, long)), "gzip", "The body is larger than the limit of 1000 bytes", 413, nil},
		"no gzip":            {strings.NewReader("text or so"), "gzip", "The body cannot be decompressed", 400, ErrCompressed},
		"gzip breaks off":    {strings.NewReader(short[:5]), "gzip", "The body could not be read", 400, nil},
		"slow":               {failing{os.ErrDeadlineExceeded}, "", "The body came too slowly", 408, nil},
		"broken":             {failing{errors.New("connection reset")}, "", "The body could not be read", 400, nil},
	} {
		t.Run(name, func(t *testing.T) {
			budget := limit.NewBudget(1 << 20)
			r := httptest.NewRequest("POST", "/", tt.body)
			r.Header.Set("Content-Encoding", tt.encoding)
			b, err := Read(r, 1000, budget, "gzip", "snappy")
			defer func() {
				b.Release()
				if n := budget.Used(); n != 0 {
					t.Errorf("%d bytes are still taken", n)
				}
			}()
			if tt.status == 0 {
				if err != nil || string(b.Bytes()) != tt.want {
					t.Fatalf("%v, %v", b, err)
				}
				return
			}
			var e *Error
			if !errors.As(err, &e) || e.Status != tt.status || e.Text != tt.want || errors.Unwrap(e) != tt.cause {
				t.Errorf("%v, want %d %s", err, tt.status, tt.want)
			}
		})
	}
}

// TestBudget has bodies that want more than there is, now and ever.
func TestBudget(t *testing.T) {
	budget := limit.NewBudget(256 << 10)
	read := func(n int) (*Body, error) {
		return Read(httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat(",", n))), 1<<20, budget)
	}
	first, err := read(100 << 10)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := read(200 << 10); !errors.Is(err, limit.ErrBusy) {
		t.Errorf("the second: %v", err)
	}
	var e *Error
	if err := first.Weigh(); !errors.As(err, &e) || e.Status != http.StatusRequestEntityTooLarge {
		t.Errorf("what is parsed of the first: %v", err)
	}
	first.Release()
	if budget.Used() != 0 {
		t.Errorf("%d bytes are still taken", budget.Used())
	}
}

func TestParse(t *testing.T) {
	for text, ok := range map[string]bool{`{"a": [1, "b"]}`: true, `1`: true, ``: false, `{`: false, "\"\xff\"": false, `[1] 2`: false} {
		b, err := Read(httptest.NewRequest("POST", "/", strings.NewReader(text)), 1000, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Weigh(); err != nil {
			t.Error(err)
		}
		if v, err := b.Parse(b.Bytes()); (err == nil) != ok || !ok && !errors.Is(err, ErrSyntax) {
			t.Errorf("%q: %v, %v", text, v, err)
		}
		b.Release()
	}
}

// TestWeigh refuses more values than a body of its length can honestly have.
func TestWeigh(t *testing.T) {
	b, err := Read(httptest.NewRequest("POST", "/", strings.NewReader("["+strings.Repeat("1,", valuesAlways)+"1]")), 1<<20, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Release()
	var e *Error
	if err := b.Weigh(); !errors.As(err, &e) || e.Status != http.StatusRequestEntityTooLarge {
		t.Errorf("%v", err)
	}
}
